//! Opening: what is made, what is refused and with which words.

use std::fs;
use std::time::Duration;

use groundcontrol_core::ports::SatelliteStore;
use groundcontrol_core::time::Timestamp;
use sea_orm::{ConnectionTrait, Database};

use super::{at, fleet, url};
use crate::{DatabaseStore, MachineTime, OpenError, Options, migrate, migration_status};

async fn refused(url: &str) -> OpenError {
    let options = Options { busy_timeout: Duration::from_millis(50), ..Options::default() };
    DatabaseStore::open(url, options).await.unwrap_err()
}

#[tokio::test]
async fn folder_and_file_are_made_for_their_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/c.db");
    let url = format!("sqlite://{}", path.display());
    let store = DatabaseStore::open(&url, Options::default()).await.unwrap();
    store.probe(at(1)).await.unwrap();
    #[cfg(unix)]
    for name in ["c.db", "c.db-wal", "c.db-shm"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path.with_file_name(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_database_that_another_server_has_open_is_refused_until_it_ends() {
    let (store, folder) = fleet(1).await;
    let error = refused(&url(folder.path())).await;
    assert!(error.to_string().contains("is in use by another Ground Control"), "{error}");
    store.close().await;
    DatabaseStore::open(&url(folder.path()), Options::default()).await.unwrap();
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let error = refused(&format!("sqlite://{}/file/sub/x.db", folder.path().display())).await;
    assert!(matches!(error, OpenError::Folder { .. }), "{error}");
}

#[tokio::test]
async fn a_place_that_is_no_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("store.db")).unwrap();
    let error = refused(&url(folder.path())).await;
    assert!(matches!(error, OpenError::File { .. }), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = "a text that is long enough to be taken for a database header\n".repeat(100);
    fs::write(folder.path().join("store.db"), &text).unwrap();
    let error = refused(&url(folder.path())).await;
    assert!(error.to_string().contains("is not a SQLite database"), "{error}");
    assert_eq!(fs::read_to_string(folder.path().join("store.db")).unwrap(), text);
}

#[tokio::test]
async fn a_database_of_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let other = Database::connect(format!("{}?mode=rwc", url(folder.path()))).await.unwrap();
    other.execute_unprepared("CREATE TABLE recipes (name TEXT)").await.unwrap();
    other.close().await.unwrap();
    let error = refused(&url(folder.path())).await;
    assert!(
        error.to_string().contains("tables of something else (such as \"recipes\")"),
        "{error}"
    );
}

#[tokio::test]
async fn a_schema_of_a_newer_version_is_refused() {
    let (store, folder) = fleet(1).await;
    store.close().await;
    let newer = Database::connect(url(folder.path())).await.unwrap();
    let step = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_future', 1)";
    newer.execute_unprepared(step).await.unwrap();
    newer.close().await.unwrap();
    let error = refused(&url(folder.path())).await;
    assert!(error.to_string().contains("does not know (m9999_future)"), "{error}");
}

#[tokio::test]
async fn migrating_runs_each_step_once() {
    let folder = tempfile::tempdir().unwrap();
    let url = url(folder.path());
    let before = migration_status(&url, &Options::default()).await.unwrap();
    assert!(before.iter().all(|step| !step.applied));
    let run = migrate(&url, &Options::default()).await.unwrap();
    assert_eq!(run, before.into_iter().map(|step| step.name).collect::<Vec<_>>());
    assert!(
        migration_status(&url, &Options::default()).await.unwrap().iter().all(|step| step.applied)
    );
    assert_eq!(migrate(&url, &Options::default()).await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn p11_store_time_does_not_go_back_with_a_wall_clock_that_did() {
    let folder = tempfile::tempdir().unwrap();
    let later = Timestamp::from_millis(5_000_000_000_000);
    let open = |wall: Timestamp| {
        let machine = MachineTime::new(move || wall, || Duration::ZERO);
        let options = Options { machine, ..Options::default() };
        let url = url(folder.path());
        async move { DatabaseStore::open(&url, options).await.unwrap() }
    };
    let store = open(later).await;
    assert_eq!(store.clock().now(), later);
    store.probe(later).await.unwrap();
    store.close().await;
    assert_eq!(open(at(1_000)).await.clock().now(), later);
}
