//! Pods that start: at once, on a server of another kind, with a wrong password.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use groundcontrol_core::ports::SatelliteStore;
use groundcontrol_testpostgres::{Schema, Server};
use secrecy::SecretString;

use super::open;
use crate::{DatabaseStore, OpenError, Options, migrate, migration_status};

async fn refused(url: &str) -> OpenError {
    DatabaseStore::open(url, Options::default()).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_pods_that_start_at_once_on_an_empty_database_all_start() {
    let schema = Schema::make().await;
    let starting = (0..10).map(|_| {
        let url = schema.url();
        tokio::spawn(async move { open(&url).await })
    });
    let starting: Vec<_> = starting.collect();
    for store in join_all(starting).await {
        assert_eq!(store.unwrap().liveness().await, Ok(None));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_those_that_migrate_at_once_each_step_is_run_by_one() {
    let schema = Schema::make().await;
    let options = Options::default();
    let all = migration_status(&schema.url(), &options).await.unwrap();
    let migrating = (0..10).map(|_| {
        let url = schema.url();
        tokio::spawn(async move { migrate(&url, &Options::default()).await.unwrap() })
    });
    let migrating: Vec<_> = migrating.collect();
    let run: Vec<_> = join_all(migrating).await.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(run.len(), all.len(), "{run:?}");
    let names: BTreeSet<_> = all.into_iter().map(|step| step.name).collect();
    assert_eq!(run.into_iter().collect::<BTreeSet<_>>(), names);
}

#[tokio::test]
async fn a_schema_of_a_newer_version_is_refused() {
    let schema = Schema::make().await;
    open(&schema.url()).await.close().await;
    let step = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_future', 1)";
    schema.run(step).await;
    let error = refused(&schema.url()).await;
    assert!(error.to_string().contains("does not know (m9999_future)"), "{error}");
}

#[tokio::test]
async fn a_database_of_something_else_is_refused() {
    let schema = Schema::make().await;
    schema.run("CREATE TABLE recipes (name text)").await;
    let error = refused(&schema.url()).await;
    assert!(matches!(&error, OpenError::NotOurs { table } if table == "recipes"), "{error}");
}

#[tokio::test]
async fn a_search_path_that_leads_nowhere_is_refused() {
    let schema = Schema::make().await;
    let error = refused(&format!("{}_missing", schema.url())).await;
    assert!(matches!(error, OpenError::NoSchema), "{error}");
}

#[tokio::test]
async fn a_password_opens_the_database_from_the_url_or_beside_it_and_is_never_shown() {
    let server = Server::fast();
    let schema = Schema::on(&server).await;
    schema.run("CREATE ROLE pod LOGIN PASSWORD 'or:b@it'").await;
    schema.run("CREATE DATABASE fleet OWNER pod").await;
    let place = format!("127.0.0.1:{}/fleet", server.port());
    open(&format!("postgres://pod:or%3Ab%40it@{place}")).await.close().await;
    let without = format!("postgres://pod@{place}");
    let password = Some(SecretString::from("or:b@it"));
    let options = Options { password, ..Options::default() };
    DatabaseStore::open(&without, options).await.unwrap().close().await;
    let error = refused(&format!("postgres://pod:secret@{place}")).await;
    let text = format!("{error} {error:?}");
    assert!(text.contains("password authentication failed"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}
