//! Rules end to end: what lasts is told to a real receiver once, and that it is over, whatever
//! becomes of the pod meanwhile; and the loss of a region.

use std::time::Duration;

use groundcontrol_testkit::server::{Api, Beating, EventStream, Server, Site, Socket, eventually};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::webhooks::{ALLOW, Received, Receiver, make, site};

/// Makes a rule that tells a webhook of alerts only; answers its path and the webhook's secret.
async fn make_rule(site: &Site, api: &Api, receiver: &Receiver, more: Value) -> (String, String) {
    let body = json!({"name": "on call", "url": receiver.url(), "alertsOnly": true});
    let (webhook, secret) = make(site, api, &body).await;
    let id = webhook.rsplit('/').next().expect("an id");
    let mut body = json!({"name": "lost", "webhookId": id});
    body.as_object_mut().expect("an object").extend(more.as_object().cloned().expect("an object"));
    let made = api.post("/api/v1/rules", &body).await.expect(StatusCode::CREATED);
    (format!("/api/v1/rules/{}", made["id"].as_str().expect("an id")), secret)
}

async fn alerts(api: &Api, rule: &str) -> Vec<Value> {
    let listed = api.get(&format!("{rule}/alerts")).await.expect(StatusCode::OK);
    listed["items"].as_array().cloned().expect("a list")
}

fn told(request: &Received) -> (String, String) {
    let event = request.event();
    let text = |field: &Value| field.as_str().expect("text").to_owned();
    (text(&event["type"]), text(&event["subject"]))
}

#[tokio::test]
async fn a_silence_that_lasts_is_told_once_although_the_pod_is_killed_while_it_waits() {
    let (site, server, api) = site().await;
    let receiver = Receiver::start().await;
    let (rule, secret) = make_rule(&site, &api, &receiver, json!({"lastsSeconds": 6})).await;
    let satellite = api.create(&site).await;
    let socket = Socket::connect(&server, &satellite).await;
    let pending = eventually("an alert is pending", async || {
        let alerts = alerts(&api, &rule).await;
        alerts.into_iter().next()
    })
    .await;
    assert_eq!(
        (&pending["state"], &pending["satelliteId"]),
        (&json!("pending"), &json!(satellite.id))
    );
    assert!(receiver.all().is_empty(), "it did not last yet");
    server.kill().await;
    drop(socket);
    let server = site.serve_with(ALLOW).await;
    let firing = receiver.received(1).await.remove(0);
    assert!(firing.is_signed_by(&secret));
    assert_eq!(told(&firing).0, "alert.firing");
    let data = firing.event()["data"].clone();
    assert_eq!((&data["since"], &data["rule"]), (&pending["since"], &json!("lost")));

    let _beating = Beating::new(Socket::connect(&server, &satellite).await);
    let resolved = receiver.received(2).await.remove(1);
    assert_eq!(told(&resolved).0, "alert.resolved");
    let over = resolved.event()["data"].clone();
    assert_eq!((&over["alertId"], &over["resolution"]), (&data["alertId"], &json!("recovered")));
    assert_eq!(alerts(&site.api(&server), &rule).await, Vec::<Value>::new());
    assert_eq!(receiver.all().len(), 2, "of events themselves nothing is told");
}

#[tokio::test]
async fn the_loss_of_a_region_is_told_instead_of_each_of_its_satellites() {
    let (site, server, api) = site().await;
    let receiver = Receiver::start().await;
    let more = json!({"lastsSeconds": 2, "regionInstead": true});
    let (rule, _) = make_rule(&site, &api, &receiver, more).await;
    let mut stream = EventStream::open(&api, None).await;
    let mut sockets = Vec::new();
    for _ in 0..4 {
        let satellite = api.create(&site).await;
        sockets.push(Socket::connect(&server, &satellite).await);
    }
    let loss = loop {
        let event = stream.event().await;
        if event.kind() == "fleet.region_loss_suspected" {
            break event.data;
        }
    };
    let region = loss["data"]["region"].as_str().expect("a region").to_owned();
    assert_eq!((&loss["contextkey"], &loss["subject"]), (&json!(region), &json!(region)));
    assert!(loss["data"]["lost"].as_u64() >= Some(3), "{loss}");
    let first = receiver.received(1).await.remove(0);
    assert_eq!(told(&first), ("alert.firing".to_owned(), region.clone()));
    eventually("all satellites are held", async || {
        let all = alerts(&api, &rule).await;
        (all.iter().filter(|alert| alert["state"] == "held").count() == 4).then_some(())
    })
    .await;
    let _beating: Vec<Beating> = sockets.into_iter().map(Beating::new).collect();
    let second = receiver.received(2).await.remove(1);
    assert_eq!(told(&second), ("alert.resolved".to_owned(), region));
    assert_eq!(receiver.all().len(), 2);
}

#[tokio::test]
async fn all_events_reach_a_subject_of_nats_and_none_is_missed_while_it_is_away() {
    let mut nats = groundcontrol_testnats::Server::start_new();
    let site = Site::new();
    let events = format!("{}/fleet.events", nats.url());
    let server: Server = site.serve_with(&["--events", &events]).await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let mut heard = subscribe(&nats.url()).await;
    Socket::visit(&server, &api, &satellite).await;
    let ids = |seqs: [u64; 2]| seqs.map(|seq| format!("{}:{seq}", satellite.id));
    assert_eq!([heard.next().await, heard.next().await], ids([1, 2]));
    nats.stop(groundcontrol_testnats::Stop::Fast);
    Socket::visit(&server, &api, &satellite).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    nats.start();
    let mut heard = subscribe(&nats.url()).await;
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let id = heard.next().await;
        if !seen.contains(&id) {
            seen.push(id);
        }
    }
    assert_eq!(seen, ids([3, 4]));
}

/// Somebody who hears the subject.
struct Heard(
    async_nats::Subscriber,
    #[expect(dead_code, reason = "keeps the connection")] async_nats::Client,
);

async fn subscribe(url: &str) -> Heard {
    let client = eventually("NATS answers", async || async_nats::connect(url).await.ok()).await;
    let subscriber = client.subscribe("fleet.events").await.expect("a subscription");
    // Once nobody's refusal is back, the server knows of the subscription.
    let nobody = client.request("nobody", "".into()).await;
    assert!(nobody.is_err(), "nobody answers");
    Heard(subscriber, client)
}

impl Heard {
    /// The id of the next event.
    async fn next(&mut self) -> String {
        use futures_util::StreamExt as _;
        let next = tokio::time::timeout(Duration::from_secs(60), self.0.next()).await;
        let message = next.expect("an event comes").expect("the subscription goes on");
        let event: Value = serde_json::from_slice(&message.payload).expect("a CloudEvent");
        event["id"].as_str().expect("an id").to_owned()
    }
}
