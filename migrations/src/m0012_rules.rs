//! Rules without code: their alerts, the regions whose loss is suspected, and what webhooks are told
//! of both; sinks of events.

pub(crate) const SQL: &[&str] = &[
    // What an event carries that is of no satellite: JSON. satellite_id is the context then, and
    // name the region's.
    "ALTER TABLE transitions ADD COLUMN details {text}",
    "ALTER TABLE webhooks ADD COLUMN alerts_only {bool} NOT NULL DEFAULT {false}",
    // A delivery is of an event, or of an alert, which it carries: JSON.
    "CREATE TABLE webhook_notices (
        number {position},
        webhook_id {id} NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
        event_position {int} REFERENCES transitions (position) ON DELETE CASCADE,
        context {id} NOT NULL,
        seq {int} NOT NULL,
        event {text} NOT NULL,
        alert {text},
        state {text} NOT NULL,
        attempts {int} NOT NULL,
        created_at {int} NOT NULL,
        next_at {int},
        attempted_at {int},
        status {int},
        latency_ms {int} NOT NULL,
        response {text},
        error {text},
        UNIQUE (webhook_id, context, seq)
    ){strict}",
    "INSERT INTO webhook_notices (webhook_id, event_position, context, seq, event, state, attempts, \
        created_at, next_at, attempted_at, status, latency_ms, response, error) \
        SELECT webhook_id, event_position, satellite_id, seq, event, state, attempts, created_at, \
        next_at, attempted_at, status, latency_ms, response, error \
        FROM webhook_deliveries ORDER BY number",
    "DROP TABLE webhook_deliveries",
    "ALTER TABLE webhook_notices RENAME TO webhook_deliveries",
    "CREATE INDEX webhook_deliveries_event ON webhook_deliveries (event_position)",
    "CREATE INDEX webhook_deliveries_newest ON webhook_deliveries (webhook_id, number)",
    "CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_at, number)
        WHERE state = 'waiting'",
    "CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (webhook_id, context, seq)
        WHERE state = 'waiting'",
    "CREATE INDEX webhook_deliveries_done ON webhook_deliveries (attempted_at)
        WHERE state <> 'waiting'",
    // A rule that was removed stays until its last alert is over.
    "CREATE TABLE rules (
        id {id} NOT NULL PRIMARY KEY,
        name {text} NOT NULL,
        active {bool} NOT NULL,
        removed {bool} NOT NULL,
        filter_events {text} NOT NULL,
        filter_satellites {text} NOT NULL,
        filter_region {text},
        filter_tags {text} NOT NULL,
        filter_causes {text} NOT NULL,
        lasts_ms {int} NOT NULL,
        steady_ms {int} NOT NULL,
        region_instead {bool} NOT NULL,
        webhook_id {id} NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
        created_at {int} NOT NULL
    ){strict}",
    "CREATE UNIQUE INDEX rules_name ON rules (name) WHERE NOT removed",
    "CREATE INDEX rules_webhook ON rules (webhook_id)",
    // told_webhook: who was told that it fires. due_at: when time alone moves it on. look_at: when somebody has to look at it, which is
    // earlier where its rule ended.
    "CREATE TABLE alerts (
        rule_id {id} NOT NULL REFERENCES rules (id) ON DELETE CASCADE,
        context {id} NOT NULL,
        alert_id {id} NOT NULL,
        satellite_id {id},
        name {text} NOT NULL,
        region {text} NOT NULL,
        event {text} NOT NULL,
        since {int} NOT NULL,
        state {text} NOT NULL,
        fired_at {int},
        due_at {int},
        look_at {int},
        told_webhook {id},
        PRIMARY KEY (rule_id, context)
    ){clustered}",
    "CREATE INDEX alerts_context ON alerts (context)",
    "CREATE INDEX alerts_look_at ON alerts (look_at) WHERE look_at IS NOT NULL",
    "CREATE INDEX alerts_held ON alerts (region) WHERE state = 'held'",
    "CREATE INDEX alerts_since ON alerts (rule_id, since, context)",
    // lost_since: NULL once it has recovered.
    "CREATE TABLE region_losses (
        region {text} NOT NULL PRIMARY KEY,
        seq {int} NOT NULL,
        lost_since {int}
    ){clustered}",
    "CREATE INDEX region_losses_lost ON region_losses (region) WHERE lost_since IS NOT NULL",
    // One row: how far the rules have been applied.
    "CREATE TABLE rule_progress (
        id {int} NOT NULL PRIMARY KEY CHECK (id = 1),
        version {int} NOT NULL,
        cursor_position {int} NOT NULL
    ){strict}",
    "INSERT INTO rule_progress (id, version, cursor_position) \
        SELECT 1, 0, COALESCE(MAX(position), 0) FROM transitions",
    // How far events have come on their way to sinks; lease_*: who feeds one. The token grows with
    // each claim.
    "CREATE TABLE event_sinks (
        name {text} NOT NULL PRIMARY KEY,
        cursor_position {int} NOT NULL,
        lease_pod {text},
        lease_until {int},
        lease_token {int} NOT NULL
    ){strict}",
    "CREATE INDEX satellites_region ON satellites (region, name)",
];
