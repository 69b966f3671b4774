//! Webhooks, and the events on their way to them.
//!
//! Signing secrets and the values of headers are kept in the clear, because every request needs
//! them: who reads the database can sign as this server.

pub(crate) const SQL: &[&str] = &[
    // filter_*, headers and secrets: JSON. cursor: the position of the last event that was looked
    // at. lease_*: who works for it; the token grows with each claim.
    "CREATE TABLE webhooks (
        id {id} NOT NULL PRIMARY KEY,
        name {text} NOT NULL UNIQUE,
        url {text} NOT NULL,
        filter_events {text} NOT NULL,
        filter_satellites {text} NOT NULL,
        filter_region {text},
        filter_tags {text} NOT NULL,
        filter_causes {text} NOT NULL,
        headers {text} NOT NULL,
        mode {text} NOT NULL,
        secrets {text} NOT NULL,
        paused {text},
        failing_since {int},
        created_at {int} NOT NULL,
        cursor_position {int} NOT NULL,
        lease_pod {text},
        lease_until {int},
        lease_token {int} NOT NULL
    ){strict}",
    "CREATE TABLE webhook_deliveries (
        number {position},
        webhook_id {id} NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
        event_position {int} NOT NULL REFERENCES transitions (position) ON DELETE CASCADE,
        satellite_id {id} NOT NULL,
        seq {int} NOT NULL,
        event {text} NOT NULL,
        state {text} NOT NULL,
        attempts {int} NOT NULL,
        created_at {int} NOT NULL,
        next_at {int},
        attempted_at {int},
        status {int},
        latency_ms {int} NOT NULL,
        response {text},
        error {text},
        UNIQUE (webhook_id, satellite_id, seq)
    ){strict}",
    "CREATE INDEX webhook_deliveries_event ON webhook_deliveries (event_position)",
    "CREATE INDEX webhook_deliveries_newest ON webhook_deliveries (webhook_id, number)",
    "CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_at, number)
        WHERE state = 'waiting'",
    "CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (webhook_id, satellite_id, seq)
        WHERE state = 'waiting'",
    "CREATE INDEX webhook_deliveries_done ON webhook_deliveries (attempted_at)
        WHERE state <> 'waiting'",
];
