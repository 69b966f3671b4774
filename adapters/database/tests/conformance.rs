//! The database adapter keeps the promises of its ports.

#![allow(clippy::unwrap_used, reason = "a test that cannot open its store has failed")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use groundcontrol_core::conformance::{
    self, Fixture, Outcome, Report, RuleAdapter, SinkStoreAdapter, WebhookAdapter, WorkAdapter,
};
use groundcontrol_core::ports::{
    ApiTokenStore, BlobStore, Clock, SatelliteStore, SealedStore, SecretDeliveryStore,
};
use groundcontrol_core::time::{Millis, Timestamp};
use groundcontrol_database::{DatabaseStore, Options};
use groundcontrol_testpostgres::Schema;

/// The cases bring their own times; the store's clock must not be ahead of them.
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0)
    }

    fn error(&self) -> Millis {
        Millis::ZERO
    }
}

async fn open(folder: &Path) -> DatabaseStore {
    open_at(&format!("sqlite://{}", folder.join("store.db").display())).await
}

async fn open_at(url: &str) -> DatabaseStore {
    let options = Options { clock: Some(Arc::new(Stopped)), ..Options::default() };
    DatabaseStore::open(url, options).await.unwrap()
}

macro_rules! fixture {
    ($port:ident) => {
        || async {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().to_owned();
            let store = open(&path).await;
            let other: Arc<dyn $port> = Arc::new(store.clone());
            Fixture::<dyn $port>::from(Arc::new(store))
                .with_handle(other)
                .reopened_by(move || {
                    let path = path.clone();
                    async move {
                        let store: Arc<dyn $port> = Arc::new(open(&path).await);
                        store
                    }
                })
                .giving_up_after(|| tokio::time::sleep(Duration::from_secs(60)))
                .keeping(folder)
        }
    };
}

/// Three pods on one server, each with connections of its own.
macro_rules! server_fixture {
    ($port:ident) => {
        || async {
            let schema = Schema::make().await;
            let url = schema.url();
            let mut pods = Vec::<Arc<dyn $port>>::new();
            for _ in 0..3 {
                pods.push(Arc::new(open_at(&url).await));
            }
            let fixture = Fixture::<dyn $port>::from(pods.remove(0));
            let fixture = pods.into_iter().fold(fixture, Fixture::with_handle);
            fixture
                .reopened_by(move || {
                    let url = url.clone();
                    async move {
                        let store: Arc<dyn $port> = Arc::new(open_at(&url).await);
                        store
                    }
                })
                .giving_up_after(|| tokio::time::sleep(Duration::from_secs(60)))
                .keeping(schema)
        }
    };
}

fn no_case_fails_or_is_skipped(report: &Report) {
    report.assert_passed();
    let all = report.cases().iter().all(|case| case.outcome == Outcome::Passed);
    assert!(all, "{report}");
}

#[tokio::test]
async fn a_sqlite_database_is_a_satellite_store() {
    no_case_fails_or_is_skipped(&conformance::satellite_store(fixture!(SatelliteStore)).await);
}

#[tokio::test]
async fn a_sqlite_database_is_an_api_token_store() {
    no_case_fails_or_is_skipped(&conformance::api_token_store(fixture!(ApiTokenStore)).await);
}

#[tokio::test]
async fn pods_on_a_postgresql_server_are_a_satellite_store() {
    no_case_fails_or_is_skipped(
        &conformance::satellite_store(server_fixture!(SatelliteStore)).await,
    );
}

#[tokio::test]
async fn pods_on_a_postgresql_server_are_an_api_token_store() {
    no_case_fails_or_is_skipped(
        &conformance::api_token_store(server_fixture!(ApiTokenStore)).await,
    );
}

#[tokio::test]
async fn a_sqlite_database_keeps_the_work() {
    no_case_fails_or_is_skipped(&conformance::work_store(fixture!(WorkAdapter)).await);
    no_case_fails_or_is_skipped(&conformance::assignment_source(fixture!(WorkAdapter)).await);
    no_case_fails_or_is_skipped(&conformance::revision_store(fixture!(WorkAdapter)).await);
    no_case_fails_or_is_skipped(&conformance::run_store(fixture!(WorkAdapter)).await);
    no_case_fails_or_is_skipped(&conformance::package_store(fixture!(WorkAdapter)).await);
    no_case_fails_or_is_skipped(&conformance::blob_store(fixture!(BlobStore)).await);
}

#[tokio::test]
async fn pods_on_a_postgresql_server_keep_the_work() {
    no_case_fails_or_is_skipped(&conformance::work_store(server_fixture!(WorkAdapter)).await);
    no_case_fails_or_is_skipped(
        &conformance::assignment_source(server_fixture!(WorkAdapter)).await,
    );
    no_case_fails_or_is_skipped(&conformance::revision_store(server_fixture!(WorkAdapter)).await);
    no_case_fails_or_is_skipped(&conformance::run_store(server_fixture!(WorkAdapter)).await);
    no_case_fails_or_is_skipped(&conformance::package_store(server_fixture!(WorkAdapter)).await);
    no_case_fails_or_is_skipped(&conformance::blob_store(server_fixture!(BlobStore)).await);
}

#[tokio::test]
async fn a_sqlite_database_keeps_sealed_secrets_and_deliveries() {
    no_case_fails_or_is_skipped(&conformance::sealed_store(fixture!(SealedStore)).await);
    no_case_fails_or_is_skipped(
        &conformance::secret_delivery_store(fixture!(SecretDeliveryStore)).await,
    );
}

#[tokio::test]
async fn pods_on_a_postgresql_server_keep_sealed_secrets_and_deliveries() {
    no_case_fails_or_is_skipped(&conformance::sealed_store(server_fixture!(SealedStore)).await);
    no_case_fails_or_is_skipped(
        &conformance::secret_delivery_store(server_fixture!(SecretDeliveryStore)).await,
    );
}

#[tokio::test]
async fn a_sqlite_database_keeps_webhooks() {
    no_case_fails_or_is_skipped(&conformance::webhook_store(fixture!(WebhookAdapter)).await);
}

#[tokio::test]
async fn pods_on_a_postgresql_server_keep_webhooks() {
    no_case_fails_or_is_skipped(&conformance::webhook_store(server_fixture!(WebhookAdapter)).await);
}

#[tokio::test]
async fn a_sqlite_database_keeps_rules() {
    no_case_fails_or_is_skipped(&conformance::rule_store(fixture!(RuleAdapter)).await);
}

#[tokio::test]
async fn pods_on_a_postgresql_server_keep_rules() {
    no_case_fails_or_is_skipped(&conformance::rule_store(server_fixture!(RuleAdapter)).await);
}

#[tokio::test]
async fn a_sqlite_database_keeps_the_places_of_sinks() {
    no_case_fails_or_is_skipped(&conformance::sink_store(fixture!(SinkStoreAdapter)).await);
}

#[tokio::test]
async fn pods_on_a_postgresql_server_keep_the_places_of_sinks() {
    no_case_fails_or_is_skipped(&conformance::sink_store(server_fixture!(SinkStoreAdapter)).await);
}

#[tokio::test]
async fn the_clock_of_a_postgresql_server_is_a_clock() {
    let schema = Schema::make().await;
    let store = DatabaseStore::open(&schema.url(), Options::default()).await.unwrap();
    conformance::clock(|| async { store.clock() }).await.assert_passed();
}

#[tokio::test]
async fn the_clock_of_a_sqlite_database_is_a_clock() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("store.db").display());
    let store = DatabaseStore::open(&url, Options::default()).await.unwrap();
    conformance::clock(|| async { store.clock() }).await.assert_passed();
}
