//! The third party's adapter of `examples/redb_store` keeps the promises of its port, and a pod
//! runs on it. ARCHITECTURE.md, "Bring your own adapter", quotes this file.

#[path = "../examples/redb_store/store/mod.rs"]
mod store;
#[path = "../examples/redb_store/folder.rs"]
mod folder;
#[path = "../examples/redb_store/fixture.rs"]
mod fixture;

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use groundcontrol::pod::GroundControl;
use groundcontrol_core::conformance::{self, Outcome};
use groundcontrol_core::connection::Status;
use groundcontrol_core::ports::{
    Attempt, Authentication, Created, FleetService as _, Order, Outbox, SatelliteGateway as _,
    SatelliteRequest,
};
use groundcontrol_core::satellite::{PodName, SessionId, Tags};
use groundcontrol_memory::{MemoryBroadcast, MemoryStore, SystemClock};
use uuid::Uuid;

use crate::store::RedbStore;

#[tokio::test]
async fn my_store_keeps_its_promises() {
    let report = conformance::satellite_store(fixture::fresh).await;
    report.assert_passed();
}

#[tokio::test]
async fn my_fixture_can_do_what_every_case_needs() {
    let report = conformance::satellite_store(fixture::fresh).await;
    assert!(report.cases().iter().all(|case| case.outcome == Outcome::Passed), "{report}");
}

/// A socket that nobody holds.
struct Nobody;

impl Outbox for Nobody {
    fn deliver(&self, _order: Order) {}
}

fn attempt(created: &Created) -> Attempt {
    Attempt {
        client_id: created.view.stored.satellite.id.to_string(),
        token: created.token.clone(),
        capabilities: None,
        remote: IpAddr::from(Ipv4Addr::LOCALHOST),
        session: SessionId(Uuid::new_v4()),
        outbox: Arc::new(Nobody),
    }
}

#[tokio::test]
async fn a_pod_on_my_store_takes_a_satellite_in() -> Result<(), Box<dyn Error>> {
    let folder = folder::folder();
    let store = Arc::new(RedbStore::open(folder.path().join("store.redb")).await?);
    let (api_tokens, clock) = (Arc::new(MemoryStore::new()), Arc::new(SystemClock::new()));
    let broadcast = Arc::new(MemoryBroadcast::new());
    let pod = GroundControl::builder(store, api_tokens, clock, broadcast)
        .name(PodName::new("pod-1"))
        .start()
        .await?;

    let (name, region) = ("Frankfurt 1".parse()?, "eu-central".parse()?);
    let request = SatelliteRequest {
        name,
        region,
        tags: Tags::default(),
        offline_threshold: None,
        managed_by: None,
    };
    let created = pod.create(request).await?;
    let answer = pod.authenticate(attempt(&created)).await;
    assert!(matches!(answer, Authentication::Accepted(_)), "{answer:?}");
    assert_eq!(pod.get(created.view.stored.satellite.id).await?.status, Status::Online);
    Ok(())
}
