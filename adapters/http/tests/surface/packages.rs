//! Script packages: publish, upload, download.

use std::sync::Arc;

use axum::body::Body;
use futures_util::stream;
use groundcontrol_core::packages::{
    Blob, BlobHash, BlobName, Entry, HeldBlob, Lockfile, SyncState, SyncStatus,
};
use groundcontrol_core::ports::{
    BlobFault, Desired, LoadedBlob, MockPackageService, PackageError, Room, StoredBlob,
};
use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};

use crate::support::*;

const PATH: &str = "/api/v1/script-packages";

/// Packages that do whatever they are asked.
pub(crate) fn willing_packages() -> MockPackageService {
    let mut packages = MockPackageService::new();
    let desired = Desired { lockfile: Some(lockfile().hash()), since: Some(at(0)) };
    packages.expect_desired_packages().returning(move || Ok((desired, Some(lockfile()))));
    packages.expect_lockfile().returning(|_| Ok(lockfile()));
    packages.expect_publish_packages().returning(|_, _| Ok(lockfile()));
    packages.expect_clear_packages().returning(|| Ok(()));
    packages.expect_missing_blobs().returning(Ok);
    packages
        .expect_store_blob()
        .returning(|_, _| Ok(StoredBlob { held: held_blob(), is_new: true }));
    packages.expect_load_blob().returning(|_| {
        let blob = Arc::new(Blob::new(vec![Box::from(*b"by"), Box::from(*b"tes")]));
        Ok(LoadedBlob { blob, room: Room::new(()) })
    });
    packages.expect_sync_states().returning(|_, _| Ok(vec![sync_state()]));
    packages.expect_sync_state().returning(|_| Ok(Some(sync_state())));
    packages
}

fn lockfile() -> Lockfile {
    let entry = Entry {
        name: "left-pad".parse().unwrap(),
        version: "1.0.0".parse().unwrap(),
        integrity: "sha512-x".parse().unwrap(),
        blob: BlobHash::of(b"bytes"),
    };
    Lockfile::new(vec![entry]).unwrap()
}

fn held_blob() -> HeldBlob {
    let name = BlobName { hash: BlobHash::of(b"bytes"), upload: id().0 };
    HeldBlob { name, bytes: 5, unpacked_bytes: 1_024, files: 1 }
}

fn sync_state() -> SyncState {
    SyncState::said(id(), Some("h"), SyncStatus::Error, Some("no room"), at(0))
}

async fn send_to(
    packages: MockPackageService,
    method: Method,
    path: &str,
    media_type: &str,
    body: Body,
) -> Answer {
    let asking = request(method, path)
        .header(AUTHORIZATION, "Bearer satellite.manage")
        .header(CONTENT_TYPE, media_type)
        .body(body)
        .unwrap();
    ask_of(services(fleet(), willing_work(), packages, willing_secrets()), asking).await
}

async fn publish(packages: MockPackageService, body: Value) -> Answer {
    send_to(packages, Method::PUT, PATH, "application/json", body.to_string().into()).await
}

fn blob_path() -> String {
    format!("{PATH}/blobs/{}", BlobHash::of(b"bytes"))
}

async fn upload(packages: MockPackageService, body: Body) -> Answer {
    send_to(packages, Method::PUT, &blob_path(), "application/gzip", body).await
}

fn entry() -> Value {
    let blob = BlobHash::of(b"bytes").to_string();
    json!({"name": "left-pad", "version": "1.0.0", "integrity": "sha512-x", "blobSha256": blob})
}

#[tokio::test]
async fn every_entry_at_fault_is_named() {
    let bad = json!({"name": "../x", "version": "", "integrity": "a\tb", "blobSha256": "0"});
    let body = json!({"expectedLockfileHash": "x", "entries": [entry(), bad]});
    let answer = publish(MockPackageService::new(), body).await;
    assert_eq!(answer.status, 422);
    let problem: Value = answer.json();
    let errors = problem["errors"].as_array().expect("errors").iter();
    let pointers: Vec<_> = errors.map(|error| error["pointer"].as_str().unwrap()).collect();
    let expected = [
        "/expectedLockfileHash",
        "/entries/1/name",
        "/entries/1/version",
        "/entries/1/integrity",
        "/entries/1/blobSha256",
    ];
    assert_eq!(pointers, expected);
}

#[tokio::test]
async fn what_is_to_be_replaced_must_be_said_even_where_it_is_nothing() {
    let answer = publish(MockPackageService::new(), json!({"entries": [entry()]})).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("/expectedLockfileHash"), "{}", answer.text());
    let body = json!({"expectedLockfileHash": null, "entries": [entry()]});
    let answer = publish(willing_packages(), body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let said: Value = answer.json();
    assert_eq!(said["lockfileHash"], lockfile().hash().to_string());
}

#[tokio::test]
async fn whoever_is_overtaken_is_told_by_what_and_what_to_do() {
    let mut packages = MockPackageService::new();
    packages
        .expect_publish_packages()
        .returning(|_, _| Err(PackageError::Overtaken(Some(lockfile().hash()))));
    let body = json!({"expectedLockfileHash": null, "entries": [entry()]});
    let answer = publish(packages, body).await;
    assert_eq!(answer.status, 409);
    let text = answer.text();
    assert!(text.contains("overtaken") && text.contains("publish again"), "{text}");
    assert!(text.contains(&lockfile().hash().to_string()), "{text}");
}

#[tokio::test]
async fn a_blob_is_passed_on_as_it_arrives() {
    let mut packages = MockPackageService::new();
    packages.expect_store_blob().return_once(|hash, mut content| {
        let read = futures_util::FutureExt::now_or_never(async {
            let mut parts = Vec::new();
            while let Some(part) = content.next().await.unwrap() {
                parts.push(part);
            }
            parts
        });
        assert_eq!(read.unwrap(), [b"by".to_vec(), b"tes".to_vec()]);
        assert_eq!(hash, BlobHash::of(b"bytes"));
        Ok(StoredBlob { held: held_blob(), is_new: false })
    });
    let parts = stream::iter([Ok::<_, std::io::Error>("by"), Ok("tes")]);
    let answer = upload(packages, Body::from_stream(parts)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["bytes"], 5);
}

#[tokio::test]
async fn an_upload_that_is_too_large_or_something_else_is_refused_unread() {
    let asking = request(Method::PUT, &blob_path())
        .header(AUTHORIZATION, "Bearer satellite.manage")
        .header(CONTENT_TYPE, "application/gzip")
        .header("content-length", "11534337")
        .body(Body::empty())
        .unwrap();
    let services = services(fleet(), willing_work(), MockPackageService::new(), willing_secrets());
    let answer = ask_of(services, asking).await;
    assert_eq!(answer.status, 413);
    assert!(answer.text().contains("11534336 bytes"), "{}", answer.text());
    let body = Body::from("{}");
    let packages = MockPackageService::new();
    let answer = send_to(packages, Method::PUT, &blob_path(), "application/json", body).await;
    assert_eq!(answer.status, 415);
}

#[tokio::test]
async fn every_fault_of_an_upload_has_its_status() {
    let expected = BlobHash::of(b"bytes");
    let faults = [
        (BlobFault::TooLarge, 413),
        (BlobFault::BrokenOff("gone".into()), 400),
        (BlobFault::TooSlow("hurry".into()), 408),
        (BlobFault::Differs { expected, found: BlobHash::of(b"") }, 422),
        (BlobFault::Bomb, 422),
        (BlobFault::Outside("../x".into()), 422),
    ];
    for (fault, status) in faults {
        let mut packages = MockPackageService::new();
        let told = fault.clone();
        packages.expect_store_blob().return_once(|_, _| Err(told.into()));
        let answer = upload(packages, Body::from("bytes")).await;
        assert_eq!(answer.status, status, "{fault}");
    }
}

#[tokio::test]
async fn a_blob_is_downloaded_to_the_letter_and_what_is_no_hash_is_not_found() {
    let asking = async |path: String| {
        send_to(willing_packages(), Method::GET, &path, "text/plain", Body::empty()).await
    };
    let answer = asking(blob_path()).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "bytes"));
    assert_eq!(answer.header("content-type"), Some("application/gzip"));
    for path in ["blobs/x", "lockfiles/x"] {
        assert_eq!(asking(format!("{PATH}/{path}")).await.status, 404, "{path}");
    }
}
