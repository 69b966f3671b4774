//! A directory keeps the promises of a store of blobs.

#![allow(clippy::unwrap_used, reason = "a test that cannot open its store has failed")]

use std::sync::Arc;
use std::time::Duration;

use groundcontrol_blobs::ObjectBlobs;
use groundcontrol_core::conformance::{self, Fixture, Outcome};
use groundcontrol_core::ports::BlobStore;

#[tokio::test]
async fn a_directory_is_a_blob_store() {
    let make = || async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/by/it");
        let open =
            move || -> Arc<dyn BlobStore> { Arc::new(ObjectBlobs::directory(&path).unwrap()) };
        Fixture::<dyn BlobStore>::from(open())
            .with_handle(open())
            .reopened_by(move || {
                let blobs = open();
                async { blobs }
            })
            .giving_up_after(|| tokio::time::sleep(Duration::from_secs(60)))
            .keeping(folder)
    };
    let report = conformance::blob_store(make).await;
    report.assert_passed();
    assert!(report.cases().iter().all(|case| case.outcome == Outcome::Passed), "{report}");
}

#[test]
fn what_is_no_directory_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = ObjectBlobs::directory(file.path()).unwrap_err().to_string();
    assert!(error.contains(&file.path().display().to_string()), "{error}");
}
