//! Satellites, their connections and their tokens.
//!
//! The connection has a table of its own because it is written with every heartbeat: narrow rows,
//! and none of the rarely changed text beside them.

pub(crate) const SQL: &[&str] = &[
    "CREATE TABLE satellites (
        id {id} NOT NULL PRIMARY KEY,
        name {text} NOT NULL UNIQUE,
        region {text} NOT NULL,
        tags {text} NOT NULL,
        enabled {bool} NOT NULL DEFAULT {true},
        version {text},
        capabilities {text} NOT NULL,
        created_at {int} NOT NULL
    ){strict}",
    // offline_threshold_ms is the satellite's own; NULL: the default of fleet_settings.
    "CREATE TABLE satellite_connections (
        satellite_id {id} NOT NULL PRIMARY KEY REFERENCES satellites (id) ON DELETE CASCADE,
        epoch {int} NOT NULL DEFAULT 0,
        seq {int} NOT NULL DEFAULT 0,
        last_heartbeat_at {int},
        last_event {text},
        offline_threshold_ms {int} CHECK (offline_threshold_ms > 0),
        credential_version {int} NOT NULL DEFAULT 0,
        last_event_at {int},
        last_cause {text},
        session {id},
        token_id {id}
    ){clustered}",
    // The monitor's two: the default threshold may change, so it is no part of an index.
    "CREATE INDEX satellite_connections_heard_default ON satellite_connections (last_heartbeat_at)
        WHERE last_event = 'connected' AND offline_threshold_ms IS NULL",
    "CREATE INDEX satellite_connections_heard_own
        ON satellite_connections ((last_heartbeat_at + offline_threshold_ms))
        WHERE last_event = 'connected' AND offline_threshold_ms IS NOT NULL",
    "CREATE INDEX satellite_connections_own_threshold
        ON satellite_connections (offline_threshold_ms) WHERE offline_threshold_ms IS NOT NULL",
    "CREATE TABLE satellite_tokens (
        satellite_id {id} NOT NULL REFERENCES satellites (id) ON DELETE CASCADE,
        token_id {id} NOT NULL,
        hash {text} NOT NULL,
        expires_at {int},
        PRIMARY KEY (satellite_id, token_id)
    ){clustered}",
    "CREATE INDEX satellite_tokens_expires_at ON satellite_tokens (expires_at)
        WHERE expires_at IS NOT NULL",
    // Hashes that take a slow check: bcrypt, as imported.
    "CREATE INDEX satellite_tokens_slow ON satellite_tokens (satellite_id)
        WHERE substr(hash, 1, 2) = '$2'",
];
