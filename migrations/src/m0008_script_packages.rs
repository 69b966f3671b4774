//! Script packages: lockfiles, what is known of blobs, the blobs' bytes, and where satellites stand.

pub(crate) const SQL: &[&str] = &[
    // retired_at: since when it is not desired any more.
    "CREATE TABLE package_lockfiles (
        hash {text} NOT NULL PRIMARY KEY,
        desired_at {int} NOT NULL,
        retired_at {int}
    ){clustered}",
    "CREATE TABLE package_entries (
        lockfile_hash {text} NOT NULL REFERENCES package_lockfiles (hash) ON DELETE CASCADE,
        position {int} NOT NULL,
        name {text} NOT NULL,
        version {text} NOT NULL,
        integrity {text} NOT NULL,
        blob_sha256 {text} NOT NULL,
        PRIMARY KEY (lockfile_hash, position)
    ){clustered}",
    "CREATE INDEX package_entries_integrity ON package_entries (integrity)",
    "CREATE INDEX package_entries_blob ON package_entries (blob_sha256)",
    "CREATE TABLE desired_packages (
        singleton {int} NOT NULL PRIMARY KEY CHECK (singleton = 1),
        lockfile_hash {text} REFERENCES package_lockfiles (hash),
        since {int} NOT NULL
    ){strict}",
    // upload: which upload's bytes count. wanted_at: when somebody last asked for it or sent it.
    "CREATE TABLE package_blobs (
        sha256 {text} NOT NULL PRIMARY KEY,
        upload {id} NOT NULL,
        bytes {int} NOT NULL,
        unpacked_bytes {int} NOT NULL,
        files {int} NOT NULL,
        wanted_at {int} NOT NULL
    ){clustered}",
    // name: hash and upload. pieces: how many of them make the whole.
    "CREATE TABLE package_blob_pieces (
        name {text} NOT NULL,
        number {int} NOT NULL,
        pieces {int} NOT NULL,
        put_at {int} NOT NULL,
        content {bytes} NOT NULL,
        PRIMARY KEY (name, number)
    ){strict}",
    "CREATE TABLE package_sync_states (
        satellite_id {id} NOT NULL PRIMARY KEY REFERENCES satellites (id) ON DELETE CASCADE,
        lockfile {text},
        status {text} NOT NULL,
        error {text},
        said_at {int} NOT NULL
    ){clustered}",
];
