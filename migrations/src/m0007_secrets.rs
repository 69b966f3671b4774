//! Secrets that are sealed, and who got which.
//!
//! No foreign key from a delivery: it outlives its satellite until it ages out.

pub(crate) const SQL: &[&str] = &[
    // sealed: nonce and ciphertext in base64; the name is authenticated with it.
    "CREATE TABLE sealed_secrets (
        name {text} NOT NULL PRIMARY KEY,
        key_id {text} NOT NULL,
        sealed {text} NOT NULL
    ){strict}",
    // names: a JSON array. error NULL: all of them were delivered.
    "CREATE TABLE secret_deliveries (
        number {position},
        satellite_id {id} NOT NULL,
        config_id {text} NOT NULL,
        collector_id {text},
        run_id {text} NOT NULL,
        names {text} NOT NULL,
        error {text},
        at {int} NOT NULL,
        pod {text} NOT NULL
    ){strict}",
    "CREATE INDEX secret_deliveries_satellite ON secret_deliveries (satellite_id, number)",
    "CREATE INDEX secret_deliveries_at ON secret_deliveries (at, number)",
];
