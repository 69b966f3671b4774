//! Script packages: uploaded, published, told to satellites, and deleted when nobody needs them.

#![allow(clippy::unwrap_used, reason = "helpers of tests may, as tests may")]

mod common;

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use common::{Deaf, Satellite, World, connect, create};
use flate2::Compression;
use flate2::write::GzEncoder;
use groundcontrol::pod::GroundControl;
use groundcontrol_core::limits::{BLOBS_IN_MEMORY, PACKAGE_GRACE};
use groundcontrol_core::packages::{Blob, BlobHash, BlobName, Entry, Lockfile, LockfileHash};
use groundcontrol_core::ports::{
    Authentication, BlobFault, BlobStore as _, BlobStream, FleetError, Order, PackageError,
    PackageService as _, SatelliteGateway as _,
};
use groundcontrol_core::time::Timestamp;
use tokio::time::{sleep, timeout};

/// A blob that arrives in two parts, or breaks off after the first.
struct Arrives(Vec<Vec<u8>>, bool);

#[async_trait]
impl BlobStream for Arrives {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, BlobFault> {
        match (self.0.pop(), self.1) {
            (Some(part), _) => Ok(Some(part)),
            (None, true) => Err(BlobFault::BrokenOff("gone".into())),
            (None, false) => Ok(None),
        }
    }
}

/// A gzipped tar with one file.
fn blob(content: &str) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    archive.append_data(&mut header, "package/index.js", content.as_bytes()).unwrap();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&archive.into_inner().unwrap()).unwrap();
    encoder.finish().unwrap()
}

fn entry(name: &str) -> Entry {
    Entry {
        name: name.parse().unwrap(),
        version: "1.0.0".parse().unwrap(),
        integrity: format!("sha512-{name}").parse().unwrap(),
        blob: BlobHash::of(&blob(name)),
    }
}

async fn upload(pod: &GroundControl, content: &str) -> Result<bool, PackageError> {
    let bytes = blob(content);
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let arrives = Arrives(vec![second.to_vec(), first.to_vec()], false);
    let stored = pod.store_blob(BlobHash::of(&bytes), Box::new(arrives)).await?;
    Ok(stored.is_new)
}

/// Uploads and publishes packages of these names, in place of whatever is desired.
async fn publish(pod: &GroundControl, names: &[&str]) -> LockfileHash {
    for name in names {
        upload(pod, name).await.unwrap();
    }
    let expected = pod.desired_packages().await.unwrap().0.lockfile;
    let entries = names.iter().map(|name| entry(name)).collect();
    pod.publish_packages(expected, entries).await.unwrap().hash()
}

fn refreshed(satellite: &Satellite) -> Vec<LockfileHash> {
    let told = |order| match order {
        Order::RefreshPackages(lockfile) => Some(lockfile),
        _ => None,
    };
    satellite.orders.all().into_iter().filter_map(told).collect()
}

async fn welcomed(pod: &GroundControl, name: &str) -> Option<Option<LockfileHash>> {
    let created = create(pod, name).await;
    let id = created.view.stored.satellite.id.to_string();
    let attempt = common::attempt(&id, &created.token, &Arc::default());
    match pod.authenticate(attempt).await {
        Authentication::Accepted(welcome) => welcome.configured.unwrap().packages,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn satellites_of_all_pods_are_told_of_what_is_published_and_newcomers_at_once() {
    let world = World::new();
    let (pod, other) = (world.pod("a").await, world.pod("b").await);
    assert_eq!(welcomed(&pod, "early").await, Some(None));
    let satellites = [
        connect(&pod, &create(&pod, "one").await).await,
        connect(&other, &create(&pod, "two").await).await,
    ];
    let lockfile = publish(&pod, &["left-pad"]).await;
    for satellite in &satellites {
        world.until(|| async { refreshed(satellite) == [lockfile] }).await;
    }
    assert_eq!(welcomed(&other, "late").await, Some(Some(lockfile)));
}

#[tokio::test(start_paused = true)]
async fn that_there_are_no_packages_any_more_is_said_with_what_a_satellite_runs() {
    let world = World::new();
    let pod = world.pod("a").await;
    let satellite = connect(&pod, &create(&pod, "one").await).await;
    publish(&pod, &["left-pad"]).await;
    world.until(|| async { !refreshed(&satellite).is_empty() }).await;
    pod.clear_packages().await.unwrap();
    let cleared = |order: &Order| match order {
        Order::Configure(configured) => configured.packages == Some(None),
        _ => false,
    };
    world.until(|| async { satellite.orders.all().iter().any(cleared) }).await;
    assert_eq!(welcomed(&pod, "late").await, Some(None));
}

#[tokio::test(start_paused = true)]
async fn a_lost_nudge_costs_a_minute_and_no_more() {
    let mut world = World::new();
    let pod = world.pod("a").await;
    world.broadcast = Arc::new(Deaf);
    let deaf = world.pod("b").await;
    let satellite = connect(&deaf, &create(&pod, "one").await).await;
    let lockfile = publish(&pod, &["left-pad"]).await;
    sleep(Duration::from_secs(61)).await;
    assert_eq!(refreshed(&satellite), [lockfile]);
}

#[tokio::test(start_paused = true)]
async fn the_same_lockfile_again_is_told_to_nobody() {
    let world = World::new();
    let pod = world.pod("a").await;
    let satellite = connect(&pod, &create(&pod, "one").await).await;
    for _ in 0..2 {
        publish(&pod, &["left-pad"]).await;
        sleep(Duration::from_secs(120)).await;
    }
    assert_eq!(refreshed(&satellite).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lockfile_that_names_a_missing_blob_is_refused_and_the_blob_is_named() {
    let world = World::new();
    let pod = world.pod("a").await;
    upload(&pod, "left-pad").await.unwrap();
    let entries = vec![entry("left-pad"), entry("missing")];
    let refused = pod.publish_packages(None, entries).await.unwrap_err();
    let PackageError::Fleet(FleetError::Invalid(faults)) = refused else { panic!("{refused}") };
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].pointer, "/entries/1/blobSha256");
    assert!(faults[0].detail.contains("missing 1.0.0"), "{}", faults[0].detail);
    assert_eq!(pod.desired_packages().await.unwrap().0.lockfile, None);
    let wanted = ["left-pad", "missing"].map(|name| entry(name).blob);
    assert_eq!(pod.missing_blobs(wanted.to_vec()).await.unwrap(), [wanted[1]]);
}

#[tokio::test(start_paused = true)]
async fn of_two_publishers_at_once_one_is_told_to_look_again() {
    let world = World::new();
    let (pod, other) = (world.pod("a").await, world.pod("b").await);
    for name in ["one", "two"] {
        upload(&pod, name).await.unwrap();
    }
    let both = futures_util::future::join(
        pod.publish_packages(None, vec![entry("one")]),
        other.publish_packages(None, vec![entry("two")]),
    );
    let (one, two) = both.await;
    let won = one.as_ref().or(two.as_ref()).unwrap().hash();
    let lost = one.clone().err().or(two.clone().err()).expect("one of them is overtaken");
    assert_eq!(lost, PackageError::Overtaken(Some(won)), "{one:?} {two:?}");
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let world = World::new();
    let pod = world.pod("a").await;
    let bytes = blob("left-pad");
    let arrives = Arrives(vec![bytes[..bytes.len() / 2].to_vec()], true);
    let refused = pod.store_blob(BlobHash::of(&bytes), Box::new(arrives)).await.unwrap_err();
    assert_eq!(refused, PackageError::Blob(BlobFault::BrokenOff("gone".into())));
    let ever = Timestamp::from_millis(i64::MAX);
    assert_eq!(world.memory.put_before(ever, None, 9).await.unwrap(), []);
    assert_eq!(pod.missing_blobs(vec![BlobHash::of(&bytes)]).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_blob_that_is_held_is_not_stored_again() {
    let world = World::new();
    let pod = world.pod("a").await;
    assert!(upload(&pod, "left-pad").await.unwrap());
    assert!(!upload(&pod, "left-pad").await.unwrap());
    let ever = Timestamp::from_millis(i64::MAX);
    assert_eq!(world.memory.put_before(ever, None, 9).await.unwrap().len(), 1);
    let loaded = pod.load_blob(entry("left-pad").blob).await.unwrap();
    assert_eq!(loaded.blob.pieces().concat(), blob("left-pad"));
}

#[tokio::test(start_paused = true)]
async fn only_so_many_blobs_are_in_memory_at_a_time() {
    let world = World::new();
    let pod = world.pod("a").await;
    upload(&pod, "left-pad").await.unwrap();
    let hash = entry("left-pad").blob;
    let mut loaded = Vec::new();
    for _ in 0..BLOBS_IN_MEMORY {
        loaded.push(pod.load_blob(hash).await.unwrap());
    }
    let wait = Duration::from_secs(10);
    assert!(timeout(wait, pod.load_blob(hash)).await.is_err(), "one too many");
    loaded.pop();
    assert!(timeout(wait, pod.load_blob(hash)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_nobody_needs_is_deleted_after_its_grace_and_nothing_else() {
    let world = World::new();
    let pod = world.pod("a").await;
    publish(&pod, &["old", "kept"]).await;
    let lockfile = publish(&pod, &["kept"]).await;
    upload(&pod, "never named").await.unwrap();
    // An upload that its pod did not live to record.
    let upload = uuid::Uuid::from_u128(7);
    let name = BlobName { hash: BlobHash::of(b"x"), upload };
    let bytes = Arc::new(Blob::new(vec![Box::from(*b"x")]));
    world.memory.put(name, bytes, pod_time(&world)).await.unwrap();
    let ever = Timestamp::from_millis(i64::MAX);
    let left = async || world.memory.put_before(ever, None, 9).await.unwrap().len();

    let grace: Duration = PACKAGE_GRACE.into();
    sleep(grace - Duration::from_secs(3_700)).await;
    assert_eq!(left().await, 4, "in their time of grace");
    sleep(Duration::from_secs(2 * 3_700)).await;
    assert_eq!(left().await, 1, "after it");
    assert!(pod.load_blob(entry("kept").blob).await.is_ok());
    assert_eq!(pod.lockfile(lockfile).await.unwrap().hash(), lockfile);
    let old = Lockfile::new(vec![entry("old"), entry("kept")]).unwrap().hash();
    assert!(pod.lockfile(old).await.is_err());
}

fn pod_time(world: &World) -> Timestamp {
    groundcontrol_core::ports::Clock::now(&*world.clock)
}
