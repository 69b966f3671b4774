//! The queue on NATS keeps the promises of its ports.

mod common;

use std::sync::Arc;

use common::{deadline, open};
use groundcontrol_core::conformance::{self, Fixture, Outcome, Report};
use groundcontrol_core::ports::{Broadcast, RecurringWork};
use groundcontrol_testnats::Place;

#[tokio::test(flavor = "multi_thread")]
async fn between_three_pods_it_is_a_broadcast() {
    let report = conformance::broadcast(|| async {
        let place = Place::make();
        let mut fixture = Fixture::<dyn Broadcast>::new(Arc::new(open(&place).await));
        for _ in 0..2 {
            fixture = fixture.with_handle(Arc::new(open(&place).await));
        }
        fixture.giving_up_after(deadline)
    })
    .await;
    passed_all(&report);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_three_members_it_is_recurring_work() {
    let report = conformance::recurring_work(|| async {
        let place = Place::make();
        let mut fixture = Fixture::<dyn RecurringWork>::new(Arc::new(open(&place).await));
        for _ in 0..2 {
            fixture = fixture.with_handle(Arc::new(open(&place).await));
        }
        fixture
            .giving_up_after(deadline)
            .passing_time_by(|span| tokio::time::sleep(span.into()))
            .reopened_by(move || {
                let place = place.clone();
                async move {
                    let work: Arc<dyn RecurringWork> = Arc::new(open(&place).await);
                    work
                }
            })
    })
    .await;
    passed_all(&report);
}

fn passed_all(report: &Report) {
    report.assert_passed();
    let skipped = report.cases().iter().any(|case| case.outcome != Outcome::Passed);
    assert!(!skipped, "{report}");
}
