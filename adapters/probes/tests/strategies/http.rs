//! `healthcheck-http.http` against a hyper server.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{check, entry, found, message, probes, run};

/// Answers with what it was asked, at `/echo`, or with the status that the path names.
async fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service_fn(answer));
            tokio::spawn(connection);
        }
    });
    address
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let respond = |status: u16, body: Vec<u8>| {
        Response::builder().status(status).body(Full::from(body)).unwrap()
    };
    Ok(match path.trim_start_matches('/') {
        "echo" => {
            let method = request.method().to_string();
            let headers = request.headers().clone();
            let header = headers.get("x-key").map(|key| key.to_str().unwrap().to_owned());
            let body = request.into_body().collect().await.unwrap().to_bytes();
            let body = String::from_utf8_lossy(&body).into_owned();
            let seen = json!({"method": method, "key": header, "body": body});
            respond(200, seen.to_string().into_bytes())
        }
        "long" => respond(200, vec![b'x'; 300 * 1024]),
        "endless" => respond(200, vec![b'x'; 17 * 1024 * 1024]),
        "moved" => {
            let mut moved = respond(302, vec![]);
            moved.headers_mut().insert("location", "/204".parse().unwrap());
            moved
        }
        "never" => std::future::pending().await,
        status => respond(status.parse().unwrap(), b"body".to_vec()),
    })
}

async fn request(address: SocketAddr, path: &str, mut more: Value) -> groundcontrol_probes::Report {
    more["url"] = format!("http://{address}{path}").into();
    run("healthcheck-http.http", json!({}), "healthcheck-http.request", more).await
}

#[tokio::test]
async fn a_request_reports_what_came_back() {
    let report = request(serve().await, "/200", json!({})).await;
    let found = found(&report);
    assert!(report.healthy, "{}", report.result);
    assert_eq!(found["_collectorId"], "healthcheck-http.request");
    assert_eq!(found["statusCode"], 200);
    assert_eq!(found["statusText"], "OK");
    assert_eq!(found["body"], "body");
    assert_eq!(found["bodyLength"], 4);
    assert_eq!(found["success"], true);
    assert!(found["responseTimeMs"].as_f64().unwrap() > 0.0);
    assert_eq!(report.result["metadata"]["connected"], true);
}

#[tokio::test]
async fn method_headers_and_body_are_sent() {
    let more = json!({
        "method": "PUT",
        "headers": [{"name": "X-Key", "value": "k"}],
        "body": "hello",
    });
    let report = request(serve().await, "/echo", more).await;
    let body = found(&report)["body"].as_str().unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(body).unwrap(),
        json!({"method": "PUT", "key": "k", "body": "hello"})
    );
}

#[tokio::test]
async fn an_answer_of_500_is_a_finding_and_no_failure() {
    let report = request(serve().await, "/500", json!({})).await;
    assert!(report.healthy);
    assert_eq!(found(&report)["statusCode"], 500);
    assert_eq!(found(&report)["success"], false);
}

#[tokio::test]
async fn a_redirection_is_followed() {
    let report = request(serve().await, "/moved", json!({})).await;
    assert_eq!(found(&report)["statusCode"], 204);
}

#[tokio::test]
async fn a_check_without_collectors_is_one_request_of_its_own_url() {
    let url = format!("http://{}/200", serve().await);
    let report = probes().run(&check("http", json!({"url": url}), vec![])).await;
    let found = &report.result["metadata"]["collectors"]["request"];
    assert_eq!(found["_collectorId"], "healthcheck-http.request");
    assert_eq!(found["statusCode"], 200);
}

#[tokio::test]
async fn a_long_body_is_cut_and_counted() {
    let report = request(serve().await, "/long", json!({})).await;
    let found = found(&report);
    assert_eq!(found["bodyLength"], 300 * 1024);
    assert_eq!(found["body"].as_str().unwrap().len(), 256 * 1024);
    assert_eq!(found["bodyTruncated"], true);
}

#[tokio::test]
async fn a_body_beyond_all_measure_is_a_failure() {
    let report = request(serve().await, "/endless", json!({})).await;
    assert!(message(&report).contains("longer than 16777216 bytes"), "{}", message(&report));
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_in_time() {
    let began = Instant::now();
    let report = request(serve().await, "/never", json!({"timeout": 200})).await;
    assert!(!report.healthy);
    assert!(message(&report).contains("took longer than 200 ms"), "{}", message(&report));
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn nobody_there_is_a_failure_with_its_cause() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let report = request(address, "/", json!({})).await;
    assert!(!report.healthy);
    assert!(message(&report).to_lowercase().contains("refused"), "{}", message(&report));
}

#[tokio::test]
async fn settings_that_make_no_request_are_refused_by_name() {
    let address = serve().await;
    for (more, word) in [
        (json!({"method": "BREW"}), "method"),
        (json!({"headers": [{"name": "a b", "value": ""}]}), "headers[0].name"),
        (json!({"headers": [{"name": "a", "value": "x\ny"}]}), "headers[0].value"),
        (json!({"timeout": 1}), "timeout"),
    ] {
        let report = request(address, "/200", more).await;
        assert!(!report.healthy);
        assert!(message(&report).contains(word), "{word}: {}", message(&report));
    }
    for url in ["", "no url", "file:///etc/passwd", "ftp://127.0.0.1/"] {
        let report = run("http", json!({}), "request", json!({"url": url})).await;
        assert!(message(&report).contains("url: "), "{}", message(&report));
    }
}

#[tokio::test]
async fn what_was_filled_in_as_a_secret_comes_back_hidden() {
    let address = serve().await;
    let url = format!("http://{address}/echo");
    let config = json!({"url": url, "headers": [{"name": "x-key", "value": "hush-hush"}]});
    let mut check = check("http", json!({}), vec![entry("e1", "request", config)]);
    check.hidden = vec![SecretString::from("hush-hush")];
    let report = probes().run(&check).await;
    let body = found(&report)["body"].as_str().unwrap();
    assert!(body.contains(r#""key":"***""#), "{body}");
    assert!(!report.result.to_string().contains("hush"));
}
