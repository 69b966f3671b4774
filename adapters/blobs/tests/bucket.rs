//! A bucket keeps the promises of a store of blobs, as far as a server shows that speaks as much of
//! S3 as is used here.

#![allow(clippy::unwrap_used, reason = "a test that cannot play its server has failed")]

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Query, Request, State};
use axum::response::{IntoResponse, Response};
use groundcontrol_blobs::ObjectBlobs;
use groundcontrol_core::conformance::{self, Fixture, Outcome};
use groundcontrol_core::packages::{BlobHash, BlobName};
use groundcontrol_core::ports::{BlobStore, StoreError};
use http::{Method, StatusCode};
use parking_lot::Mutex;

/// A bucket's objects by their names.
type Bucket = Arc<Mutex<BTreeMap<String, Bytes>>>;

async fn answer(
    State(bucket): State<Bucket>,
    Query(query): Query<BTreeMap<String, String>>,
    request: Request,
) -> Response {
    assert!(request.headers().contains_key("authorization"), "it is signed");
    let method = request.method().clone();
    let key = request.uri().path().trim_start_matches("/bucket").trim_matches('/').to_owned();
    let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
    let mut bucket = bucket.lock();
    match method {
        Method::PUT => {
            bucket.insert(key, body);
            [("etag", "\"x\"")].into_response()
        }
        Method::GET if query.contains_key("list-type") => listed(&bucket, &query).into_response(),
        Method::GET => match bucket.get(&key) {
            Some(bytes) => {
                let modified = "Sat, 31 Jan 2026 12:00:00 GMT";
                ([("etag", "\"x\""), ("last-modified", modified)], bytes.clone()).into_response()
            }
            None => StatusCode::NOT_FOUND.into_response(),
        },
        Method::POST => {
            let text = String::from_utf8(body.to_vec()).unwrap();
            let mut deleted = String::new();
            for part in text.split("<Key>").skip(1) {
                let key = part.split("</Key>").next().unwrap();
                bucket.remove(key);
                deleted += &format!("<Deleted><Key>{key}</Key></Deleted>");
            }
            format!("<DeleteResult>{deleted}</DeleteResult>").into_response()
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

fn listed(bucket: &BTreeMap<String, Bytes>, query: &BTreeMap<String, String>) -> String {
    let prefix = query.get("prefix").map_or("", String::as_str);
    let after = query.get("start-after").map_or("", String::as_str);
    let objects = bucket.iter().filter(|(key, _)| key.starts_with(prefix) && key.as_str() > after);
    let object = |(key, bytes): (&String, &Bytes)| {
        format!(
            "<Contents><Key>{key}</Key><LastModified>2026-01-31T12:00:00.000Z</LastModified>\
             <ETag>\"x\"</ETag><Size>{}</Size></Contents>",
            bytes.len()
        )
    };
    let objects: String = objects.map(object).collect();
    format!("<ListBucketResult><IsTruncated>false</IsTruncated>{objects}</ListBucketResult>")
}

fn open(endpoint: &str) -> Arc<dyn BlobStore> {
    let environment = [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", "me"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_REGION", "here"),
        ("PATH", "/bin"),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let http = reqwest::Client::builder().use_preconfigured_tls(tls).no_proxy().build().unwrap();
    Arc::new(ObjectBlobs::bucket("bucket", "a/prefix", environment, http).unwrap())
}

async fn serve() -> (String, Bucket) {
    let bucket = Bucket::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let app = axum::Router::new().fallback(answer).with_state(bucket.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (endpoint, bucket)
}

#[tokio::test]
async fn a_bucket_is_a_blob_store() {
    let make = || async {
        let (endpoint, bucket) = serve().await;
        bucket.lock().insert("a/prefix/blobs/of-somebody-else".to_owned(), Bytes::new());
        Fixture::<dyn BlobStore>::from(open(&endpoint)).with_handle(open(&endpoint)).reopened_by(
            move || {
                let blobs = open(&endpoint);
                async { blobs }
            },
        )
    };
    let report = conformance::blob_store(make).await;
    report.assert_passed();
    assert!(report.cases().iter().all(|case| case.outcome == Outcome::Passed), "{report}");
}

#[tokio::test]
async fn objects_are_named_after_their_upload_below_the_prefix() {
    let (endpoint, bucket) = serve().await;
    let name = BlobName { hash: BlobHash::of(b"x"), upload: uuid() };
    let blob = groundcontrol_core::packages::Blob::new(vec![Box::from(*b"x")]);
    let now = groundcontrol_core::time::Timestamp::from_millis(0);
    open(&endpoint).put(name, Arc::new(blob), now).await.unwrap();
    let expected = format!("a/prefix/blobs/{name}");
    assert_eq!(bucket.lock().keys().collect::<Vec<_>>(), [&expected]);
}

#[tokio::test]
async fn a_bucket_that_is_out_of_reach_is_an_error_and_no_answer() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let refusing = axum::Router::new().fallback(|| async { StatusCode::FORBIDDEN });
    tokio::spawn(async move { axum::serve(listener, refusing).await });
    let name = BlobName { hash: BlobHash::of(b"x"), upload: uuid() };
    let error = open(&endpoint).get(name).await.unwrap_err();
    assert!(matches!(error, StoreError::RefusesWrites { .. }), "{error}");
}

fn uuid() -> uuid::Uuid {
    uuid::Uuid::from_u128(7)
}
