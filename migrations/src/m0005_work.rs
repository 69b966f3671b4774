//! What satellites run: systems, checks, assignments; and which of it they were told.

pub(crate) const SQL: &[&str] = &[
    "CREATE TABLE systems (
        id {id} NOT NULL PRIMARY KEY,
        name {text} NOT NULL UNIQUE,
        metadata {text} NOT NULL,
        created_at {int} NOT NULL
    ){strict}",
    "CREATE TABLE checks (
        id {id} NOT NULL PRIMARY KEY,
        name {text} NOT NULL UNIQUE,
        strategy_id {text} NOT NULL,
        config {text} NOT NULL,
        collectors {text} NOT NULL,
        interval_seconds {int} NOT NULL CHECK (interval_seconds > 0),
        created_at {int} NOT NULL
    ){strict}",
    // selector_tags NULL: the satellites are named in assignment_satellites.
    "CREATE TABLE assignments (
        id {id} NOT NULL PRIMARY KEY,
        check_id {id} NOT NULL REFERENCES checks (id) ON DELETE CASCADE,
        system_id {id} NOT NULL REFERENCES systems (id) ON DELETE CASCADE,
        selector_region {text},
        selector_tags {text},
        created_at {int} NOT NULL
    ){strict}",
    "CREATE INDEX assignments_check ON assignments (check_id)",
    "CREATE INDEX assignments_system ON assignments (system_id)",
    "CREATE INDEX assignments_selecting ON assignments (id) WHERE selector_tags IS NOT NULL",
    "CREATE TABLE assignment_satellites (
        satellite_id {id} NOT NULL REFERENCES satellites (id) ON DELETE CASCADE,
        assignment_id {id} NOT NULL REFERENCES assignments (id) ON DELETE CASCADE,
        PRIMARY KEY (satellite_id, assignment_id)
    ){clustered}",
    "CREATE INDEX assignment_satellites_assignment ON assignment_satellites (assignment_id)",
    // A satellite that never had work has no row.
    "CREATE TABLE satellite_configurations (
        satellite_id {id} NOT NULL PRIMARY KEY REFERENCES satellites (id) ON DELETE CASCADE,
        revision {int} NOT NULL,
        fingerprint {text} NOT NULL,
        applied {int}
    ){clustered}",
    "CREATE TABLE sandbox_policy (
        singleton {int} NOT NULL PRIMARY KEY CHECK (singleton = 1),
        policy {text} NOT NULL
    ){strict}",
];
