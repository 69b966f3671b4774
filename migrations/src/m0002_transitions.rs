//! Transitions: each satellite's history, and the outbox of events at once.
//!
//! No foreign key: they outlive the satellite (rule T7). What can be derived is not stored: `seq`
//! before is `seq` − 1, and the state after has the transition's own event, cause, time, seq and
//! epoch.

pub(crate) const SQL: &[&str] = &[
    "CREATE TABLE transitions (
        position {position},
        satellite_id {id} NOT NULL,
        seq {int} NOT NULL,
        epoch {int} NOT NULL,
        session {id},
        event {text} NOT NULL,
        cause {text},
        occurred_at {int} NOT NULL,
        pod {text} NOT NULL,
        actor {text},
        remote_address {text},
        name {text} NOT NULL,
        region {text} NOT NULL,
        previous_status {text},
        previous_epoch {int},
        previous_last_seen_at {int},
        previous_event {text},
        previous_event_at {int},
        previous_cause {text},
        next_status {text},
        next_last_seen_at {int},
        UNIQUE (satellite_id, seq)
    ){strict}",
    "CREATE INDEX transitions_occurred_at ON transitions (occurred_at)",
];
