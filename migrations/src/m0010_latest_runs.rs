//! Of each check, system, satellite and environment the run that was executed last.
//!
//! A table of its own and not a query over `runs`: a page that shows how things are reads as many
//! rows as it shows, whatever the number of runs. Its indexes hold nothing that a later run changes.

pub(crate) const SQL: &[&str] = &[
    // environment: empty where the run names none. satellite_id: nil where Ground Control said
    // itself that nobody ran it.
    "CREATE TABLE latest_runs (
        check_id {id} NOT NULL,
        system_id {id} NOT NULL,
        satellite_id {id} NOT NULL,
        environment {text} NOT NULL,
        number {int} NOT NULL,
        executed_at {int} NOT NULL,
        received_at {int} NOT NULL,
        PRIMARY KEY (check_id, system_id, satellite_id, environment)
    ){clustered}",
    "CREATE INDEX latest_runs_system \
        ON latest_runs (system_id, check_id, satellite_id, environment)",
    "CREATE INDEX latest_runs_satellite \
        ON latest_runs (satellite_id, check_id, system_id, environment)",
    "INSERT INTO latest_runs \
        SELECT check_id, system_id, satellite_id, environment, number, executed_at, received_at \
        FROM (SELECT check_id, system_id, satellite_id, COALESCE(environment, '') AS environment, \
            number, executed_at, received_at, row_number() OVER ( \
            PARTITION BY check_id, system_id, satellite_id, COALESCE(environment, '') \
            ORDER BY executed_at DESC, number DESC) AS place FROM runs) AS ranked WHERE place = 1",
];
