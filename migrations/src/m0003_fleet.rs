//! What is stored once for the whole fleet: settings, watch leases, the probe.

pub(crate) const SQL: &[&str] = &[
    "CREATE TABLE fleet_settings (
        singleton {int} NOT NULL PRIMARY KEY CHECK (singleton = 1),
        heartbeat_interval_ms {int} NOT NULL CHECK (heartbeat_interval_ms > 0),
        default_threshold_ms {int} NOT NULL CHECK (default_threshold_ms > 0)
    ){strict}",
    "CREATE TABLE watch_span (
        singleton {int} NOT NULL PRIMARY KEY CHECK (singleton = 1),
        since {int} NOT NULL,
        until {int} NOT NULL
    ){strict}",
    "CREATE TABLE watch_leases (
        pod {text} NOT NULL PRIMARY KEY,
        until {int} NOT NULL
    ){clustered}",
    "CREATE TABLE store_probe (
        singleton {int} NOT NULL PRIMARY KEY CHECK (singleton = 1),
        probed_at {int} NOT NULL
    ){strict}",
];
