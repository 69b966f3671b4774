//! The memory adapter keeps the promises of its ports.

use std::sync::Arc;

use groundcontrol_core::conformance::{
    self, Fixture, Report, RuleAdapter, SinkStoreAdapter, WebhookAdapter, WorkAdapter,
};
use groundcontrol_core::ports::{
    ApiTokenStore, BlobStore, RecurringWork, SatelliteStore, SealedStore, SecretDeliveryStore,
};
use groundcontrol_core::time::Timestamp;
use groundcontrol_memory::{ManualClock, MemoryBroadcast, MemoryStore, MemoryWork, SystemClock};

#[tokio::test]
async fn the_memory_store_is_a_satellite_store() {
    conformance::satellite_store(|| async { Arc::new(MemoryStore::new()) }).await.assert_passed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suite_can_be_spawned_as_a_task_of_its_own() {
    let suite = conformance::satellite_store(|| async { Arc::new(MemoryStore::new()) });
    tokio::spawn(suite).await.expect("no panic").assert_passed();
}

/// What outlives a "crash" here is a clone, so the cases about crashes run too.
fn reopenable() -> Fixture<dyn SatelliteStore> {
    let store = MemoryStore::new();
    let kept = store.clone();
    Fixture::from(Arc::new(store)).reopened_by(move || {
        let store: Arc<dyn SatelliteStore> = Arc::new(kept.clone());
        async { store }
    })
}

#[tokio::test]
async fn with_a_store_that_can_be_reopened_no_case_is_skipped() {
    let report = conformance::satellite_store(|| async { reopenable() }).await;
    report.assert_passed();
    assert!(no_case_is_skipped(&report), "{report}");
}

fn no_case_is_skipped(report: &Report) -> bool {
    report.cases().iter().all(|case| case.outcome == conformance::Outcome::Passed)
}

#[tokio::test]
async fn the_memory_store_is_an_api_token_store() {
    let make = || async {
        let kept = MemoryStore::new();
        Fixture::from(Arc::new(kept.clone())).reopened_by(move || {
            let store: Arc<dyn ApiTokenStore> = Arc::new(kept.clone());
            async { store }
        })
    };
    let report = conformance::api_token_store(make).await;
    report.assert_passed();
    assert!(no_case_is_skipped(&report), "{report}");
}

#[tokio::test]
async fn the_memory_store_keeps_the_work() {
    let make = || async {
        let kept = MemoryStore::new();
        Fixture::<dyn WorkAdapter>::from(Arc::new(kept.clone())).reopened_by(move || {
            let store: Arc<dyn WorkAdapter> = Arc::new(kept.clone());
            async { store }
        })
    };
    for report in [
        conformance::work_store(make).await,
        conformance::assignment_source(make).await,
        conformance::revision_store(make).await,
        conformance::run_store(make).await,
        conformance::package_store(make).await,
    ] {
        report.assert_passed();
        assert!(no_case_is_skipped(&report), "{report}");
    }
}

#[tokio::test]
async fn the_memory_store_is_a_blob_store() {
    let make = || async {
        let kept = MemoryStore::new();
        Fixture::<dyn BlobStore>::from(Arc::new(kept.clone())).reopened_by(move || {
            let store: Arc<dyn BlobStore> = Arc::new(kept.clone());
            async { store }
        })
    };
    let report = conformance::blob_store(make).await;
    report.assert_passed();
    assert!(no_case_is_skipped(&report), "{report}");
}

#[tokio::test]
async fn the_memory_store_keeps_sealed_secrets_and_deliveries() {
    let sealed = || async {
        let kept = MemoryStore::new();
        Fixture::from(Arc::new(kept.clone())).reopened_by(move || {
            let store: Arc<dyn SealedStore> = Arc::new(kept.clone());
            async { store }
        })
    };
    let deliveries = || async {
        let kept = MemoryStore::new();
        Fixture::from(Arc::new(kept.clone())).reopened_by(move || {
            let store: Arc<dyn SecretDeliveryStore> = Arc::new(kept.clone());
            async { store }
        })
    };
    for report in [
        conformance::sealed_store(sealed).await,
        conformance::secret_delivery_store(deliveries).await,
    ] {
        report.assert_passed();
        assert!(no_case_is_skipped(&report), "{report}");
    }
}

#[tokio::test]
async fn the_memory_store_keeps_webhooks() {
    let make = || async {
        let kept = MemoryStore::new();
        Fixture::<dyn WebhookAdapter>::from(Arc::new(kept.clone())).reopened_by(move || {
            let store: Arc<dyn WebhookAdapter> = Arc::new(kept.clone());
            async { store }
        })
    };
    let report = conformance::webhook_store(make).await;
    report.assert_passed();
    assert!(no_case_is_skipped(&report), "{report}");
}

#[tokio::test]
async fn the_memory_store_keeps_rules() {
    let make = || async {
        let kept = MemoryStore::new();
        Fixture::<dyn RuleAdapter>::from(Arc::new(kept.clone())).reopened_by(move || {
            let store: Arc<dyn RuleAdapter> = Arc::new(kept.clone());
            async { store }
        })
    };
    let report = conformance::rule_store(make).await;
    report.assert_passed();
    assert!(no_case_is_skipped(&report), "{report}");
}

#[tokio::test]
async fn the_memory_store_keeps_the_places_of_sinks() {
    let make = || async {
        let kept = MemoryStore::new();
        Fixture::<dyn SinkStoreAdapter>::from(Arc::new(kept.clone())).reopened_by(move || {
            let store: Arc<dyn SinkStoreAdapter> = Arc::new(kept.clone());
            async { store }
        })
    };
    let report = conformance::sink_store(make).await;
    report.assert_passed();
    assert!(no_case_is_skipped(&report), "{report}");
}

#[tokio::test]
async fn the_memory_broadcast_is_a_broadcast() {
    conformance::broadcast(|| async { Arc::new(MemoryBroadcast::new()) }).await.assert_passed();
}

#[tokio::test]
async fn between_pods_of_one_process_the_memory_broadcast_is_a_broadcast() {
    let make = || async {
        let broadcast = MemoryBroadcast::new();
        let fixture = Fixture::from(Arc::new(broadcast.clone()));
        fixture.with_handle(Arc::new(broadcast.clone())).with_handle(Arc::new(broadcast))
    };
    conformance::broadcast(make).await.assert_passed();
}

#[tokio::test]
async fn the_memory_work_is_recurring_work() {
    let make = || async {
        let clock = ManualClock::starting_at(Timestamp::from_millis(0));
        let work = MemoryWork::new(Arc::new(clock.clone()));
        let kept = work.clone();
        Fixture::from(Arc::new(work.clone()))
            .with_handle(Arc::new(work.clone()))
            .with_handle(Arc::new(work))
            .reopened_by(move || {
                let work: Arc<dyn RecurringWork> = Arc::new(kept.clone());
                async { work }
            })
            .passing_time_by(move |span| {
                clock.advance(span);
                tokio::task::yield_now()
            })
    };
    let report = conformance::recurring_work(make).await;
    report.assert_passed();
    assert!(no_case_is_skipped(&report), "{report}");
}

#[tokio::test]
async fn both_clocks_are_clocks() {
    let manual = || async { Arc::new(ManualClock::starting_at(Timestamp::from_millis(0))) };
    conformance::clock(manual).await.assert_passed();
    conformance::clock(|| async { Arc::new(SystemClock::new()) }).await.assert_passed();
}
