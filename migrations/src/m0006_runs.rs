//! What satellites report: runs of checks, and strategies that agents lack.
//!
//! No foreign key from a run: it outlives its satellite, check and system until it ages out.

pub(crate) const SQL: &[&str] = &[
    // repetition: what tells a run that was sent again. latency_us: microseconds.
    "CREATE TABLE runs (
        number {position},
        satellite_id {id} NOT NULL,
        repetition {text} NOT NULL,
        source {text} NOT NULL,
        check_id {id} NOT NULL,
        system_id {id} NOT NULL,
        environment {text},
        status {text} NOT NULL,
        latency_us {int},
        result {text},
        failed {text},
        result_id {text},
        executed_at {int} NOT NULL,
        received_at {int} NOT NULL,
        UNIQUE (satellite_id, repetition)
    ){strict}",
    "CREATE INDEX runs_executed_at ON runs (executed_at, number)",
    "CREATE INDEX runs_satellite ON runs (satellite_id, executed_at, number)",
    "CREATE INDEX runs_system ON runs (system_id, executed_at, number)",
    "CREATE INDEX runs_check ON runs (check_id, executed_at, number)",
    "CREATE INDEX runs_received_at ON runs (received_at, number)",
    "CREATE TABLE strategy_errors (
        satellite_id {id} NOT NULL REFERENCES satellites (id) ON DELETE CASCADE,
        strategy_id {text} NOT NULL,
        message {text} NOT NULL,
        said_at {int} NOT NULL,
        PRIMARY KEY (satellite_id, strategy_id)
    ){clustered}",
];
