//! What is sent, what is read of the answer, and which addresses are dialled.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use groundcontrol_core::automation::{Answer, ContentMode, SigningSecret, WebhookHeaders};
use groundcontrol_core::limits::MAX_WEBHOOK_RESPONSE;
use groundcontrol_core::ports::{OutgoingWebhook, WebhookSender as _};
use groundcontrol_core::time::Millis;
use groundcontrol_webhooks::{Targets, WebhookClient, WebhookSettings, signature};
use http::Response;
use http_body_util::Full;
use tokio::net::TcpListener;

use crate::support::{client, failed, local, local_client, receiver, request, status};

#[tokio::test]
async fn a_request_is_signed_as_standard_webhooks_says() {
    let (address, asked) = receiver(|| status(204)).await;
    let report = local_client().send(request(&format!("http://{address}/hook"))).await;
    assert_eq!((report.answer, report.seen.status), (Answer::Accepted, Some(204)));
    let (headers, body) = asked.lock().unwrap().remove(0);
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(
        (header("webhook-id"), header("webhook-timestamp")),
        ("x:1".into(), "1700000000".into())
    );
    let expected = signature(&SigningSecret::new([7; 32]), "x:1", 1_700_000_000, &body);
    assert_eq!(header("webhook-signature"), expected);
    assert_eq!(
        (header("content-type"), header("x-key")),
        ("application/json".into(), "hidden-value".into())
    );
}

#[tokio::test]
async fn attributes_of_the_binary_form_are_headers_in_printable_ascii() {
    let (address, asked) = receiver(|| status(200)).await;
    let binary =
        OutgoingWebhook { mode: ContentMode::Binary, ..request(&format!("http://{address}/")) };
    local_client().send(binary).await;
    let (headers, _) = asked.lock().unwrap().remove(0);
    assert_eq!(headers["ce-subject"], "%C3%A9%20%221%22%20100%25");
}

#[tokio::test]
async fn the_status_says_what_becomes_of_a_delivery() {
    let (address, _) = receiver(|| status(410)).await;
    let url = format!("http://{address}/");
    assert_eq!(local_client().send(request(&url)).await.answer, Answer::Gone);
    let busy = || {
        let answer = Response::builder().status(503).header("retry-after", "120");
        answer.body(Full::default()).unwrap()
    };
    let (address, _) = receiver(busy).await;
    let report = local_client().send(request(&format!("http://{address}/"))).await;
    assert_eq!(report.answer, Answer::Failed { retry_after: Some(Millis::from_secs(120)) });
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = || {
        let answer = Response::builder().status(307).header("location", "http://169.254.169.254/");
        answer.body(Full::default()).unwrap()
    };
    let (address, asked) = receiver(elsewhere).await;
    let report = local_client().send(request(&format!("http://{address}/"))).await;
    assert_eq!(report.answer, Answer::Failed { retry_after: None });
    assert_eq!((report.seen.status, asked.lock().unwrap().len()), (Some(307), 1));
}

#[tokio::test]
async fn of_an_answer_only_the_beginning_is_kept_and_nothing_secret() {
    let long = || {
        let text = format!("key hidden-value {}", "a".repeat(3 * MAX_WEBHOOK_RESPONSE));
        Response::new(Full::from(text))
    };
    let (address, _) = receiver(long).await;
    let report = local_client().send(request(&format!("http://{address}/"))).await;
    let response = report.seen.response.unwrap();
    assert!(response.len() <= MAX_WEBHOOK_RESPONSE && response.starts_with("key ••• aaa"));
}

#[tokio::test]
async fn a_receiver_that_never_answers_is_given_up_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer_within = Duration::from_millis(200);
    let settings =
        WebhookSettings { targets: local(), answer_within, ..WebhookSettings::default() };
    let report = client(settings).send(request(&format!("http://{address}/"))).await;
    assert!(failed(&report).contains("no answer in time"), "{report:?}");
}

#[tokio::test]
async fn an_address_that_is_not_public_is_refused_however_it_is_written() {
    let (address, asked) = receiver(|| status(200)).await;
    let port = address.port();
    let client = client(WebhookSettings::default());
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "0.0.0.0",
        "169.254.169.254",
        "100.64.0.1",
        "10.0.0.1",
        "[fe80::1]",
        "[fd00:ec2::254]",
    ] {
        let request = request(&format!("http://{host}:{port}/"));
        assert!(client.refuses(&request.url).is_some(), "{host}");
        let report = client.send(request).await;
        assert!(failed(&report).contains("not a public address"), "{host}: {report:?}");
    }
    assert!(asked.lock().unwrap().is_empty());
}

/// A client for which every name has the addresses that `lookup` answers for the time it is asked.
fn resolving(lookup: fn(usize) -> Vec<IpAddr>, targets: Targets) -> WebhookClient {
    let times = Arc::new(AtomicUsize::new(0));
    let settings = WebhookSettings {
        targets,
        lookup: Arc::new(move |_| {
            let found = lookup(times.fetch_add(1, Ordering::SeqCst));
            Box::pin(async move { Ok(found) })
        }),
        ..WebhookSettings::default()
    };
    client(settings)
}

#[tokio::test]
async fn a_name_that_leads_to_a_private_address_is_not_dialled() {
    let (address, asked) = receiver(|| status(200)).await;
    let lookups: [fn(usize) -> Vec<IpAddr>; 3] = [
        |_| vec!["127.0.0.1".parse().unwrap()],
        |_| vec!["::ffff:127.0.0.1".parse().unwrap()],
        |_| vec!["169.254.169.254".parse().unwrap()],
    ];
    for lookup in lookups {
        let client = resolving(lookup, Targets::default());
        let report =
            client.send(request(&format!("http://hook.example:{}/", address.port()))).await;
        assert!(failed(&report).contains("not a public address"), "{report:?}");
    }
    let itself = client(WebhookSettings::default());
    let report = itself.send(request(&format!("http://localhost:{}/", address.port()))).await;
    assert!(failed(&report).contains("not a public address"), "{report:?}");
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_the_second_time_is_judged_by_where_it_leads_then() {
    let (address, asked) = receiver(|| status(200)).await;
    let allowed = Targets::allowing(vec!["127.0.0.1/32".parse().unwrap()]);
    let rebinding = |times: usize| -> Vec<IpAddr> {
        match times {
            0 => vec!["127.0.0.1".parse().unwrap()],
            _ => vec!["127.0.0.2".parse().unwrap()],
        }
    };
    let client = resolving(rebinding, allowed);
    let url = format!("http://hook.example:{}/", address.port());
    assert_eq!(client.refuses(&url.parse().unwrap()), None, "a name says nothing by itself");
    let mut first = request(&url);
    first.headers = WebhookHeaders::default();
    assert_eq!(client.send(first).await.answer, Answer::Accepted);
    // Another port, so that no connection of the first request can be used again.
    let other = TcpListener::bind("127.0.0.2:0").await.unwrap();
    let url = format!("http://hook.example:{}/", other.local_addr().unwrap().port());
    let report = client.send(request(&url)).await;
    assert!(failed(&report).contains("127.0.0.2 is not a public address"), "{report:?}");
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn of_several_addresses_only_those_that_may_be_asked_are_dialled() {
    let (address, asked) = receiver(|| status(200)).await;
    let allowed = Targets::allowing(vec!["127.0.0.1/32".parse().unwrap()]);
    let mixed = |_: usize| -> Vec<IpAddr> {
        vec!["10.0.0.1".parse().unwrap(), "127.0.0.1".parse().unwrap()]
    };
    let client = resolving(mixed, allowed);
    let report = client.send(request(&format!("http://hook.example:{}/", address.port()))).await;
    assert_eq!(report.answer, Answer::Accepted);
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_no_url_for_a_request_is_refused() {
    let client = client(WebhookSettings::default());
    let refused = client.refuses(&"https://[::1/".parse().unwrap());
    assert!(refused.is_some_and(|why| why.contains("is no URL")));
}
