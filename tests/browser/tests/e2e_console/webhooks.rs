//! Webhooks, as an operator sees them: made, watched, mended, ended.

use groundcontrol_testkit::server::{Agent, Site, Socket, eventually};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::receiver::{ALLOW, Receiver};
use crate::support::Stage;

/// Somebody who may do everything is signed in, and the server sends to receivers here.
async fn signed_in() -> Stage {
    let stage = Stage::with(Site::new(), ALLOW).await;
    stage.sign_in().await;
    stage
}

/// The texts of all deliveries' rows that are shown, cell by cell.
const ROWS: &str = "[...document.querySelectorAll('.deliveries tbody tr:not(.below)')]\
    .map((row) => [...row.cells].map((cell) => cell.textContent))";

/// Waits until a row has all of these words.
async fn row_says(stage: &Stage, words: &[&str]) {
    let expression = format!(
        "{ROWS}.some((row) => {}.every((word) => row.join(' ').includes(word)))",
        json!(words)
    );
    let _: bool = stage.tab.until(&format!("a delivery says {words:?}"), &expression).await;
}

async fn rows_are(stage: &Stage, count: usize) {
    let expression = format!("{ROWS}.length === {count}");
    let _: bool = stage.tab.until(&format!("{count} deliveries are shown"), &expression).await;
}

async fn received(receiver: &Receiver, count: usize) -> Vec<String> {
    eventually("the receiver is told", async || {
        let all = receiver.received();
        (all.len() >= count).then_some(all)
    })
    .await
}

#[tokio::test]
async fn a_webhook_is_made_in_a_dialog_and_its_secret_is_shown_once() {
    let stage = signed_in().await;
    let receiver = Receiver::start().await;
    stage.tab.click("nav a", "Events").await;
    stage.tab.click("nav a", "Webhooks").await;
    stage.tab.shows("Nobody is told yet").await;
    stage.tab.click("button", "Make the first webhook").await;
    stage.tab.fill("Name", "On-call").await;
    stage.tab.fill("URL", &receiver.url()).await;
    stage.tab.click("input", "Disconnected").await;
    stage.tab.click("input", "Heartbeat lost").await;
    stage.tab.fill("Only in region", "eu-north").await;
    stage.tab.fill("Only with tags", "tier in (edge, core)").await;
    stage.tab.click("button", "Make it").await;
    let secret: String = stage
        .tab
        .until("the secret is shown", "document.querySelector('dialog .secret code')?.textContent")
        .await;
    stage.site.keep_secret(&secret);
    assert!(secret.starts_with("whsec_"), "it is no signing secret");
    stage.tab.click("button", "Copy the signing secret").await;
    stage.tab.click("button", "Done").await;
    stage.tab.shows("Disconnected or Heartbeat lost").await;
    stage.tab.shows("with tags tier in (edge, core)").await;
    let kept: bool = stage
        .tab
        .eval(&format!("document.documentElement.outerHTML.includes({})", json!(secret)))
        .await;
    assert!(!kept, "the secret is still in the page");
    let listed = stage.api.get("/api/v1/webhooks").await.expect(StatusCode::OK);
    let filter = &listed["items"][0]["filter"];
    assert_eq!(filter["events"], json!(["satellite.disconnected", "satellite.heartbeat_lost"]));
    assert_eq!(filter["region"], "eu-north");
}

#[tokio::test]
async fn an_edge_of_an_agent_is_shown_as_delivered_without_a_reload() {
    let stage = signed_in().await;
    let receiver = Receiver::start().await;
    stage.webhook("On-call", &receiver.url()).await;
    let satellite = stage.make("Oslo", "eu-north").await;
    stage.open_webhook("On-call").await;
    stage.tab.shows("Nothing was delivered yet").await;
    let _: Value = stage.tab.eval("window.sameFromHereOn = true").await;
    let agent = Agent::start(&stage.site, stage.server.url(), &satellite);
    row_says(&stage, &["Delivered", "Connected", "Oslo", ":1", "200"]).await;
    agent.kill().await;
    row_says(&stage, &["Delivered", "Disconnected", "Oslo", ":2", "200"]).await;
    let newest: Vec<Vec<String>> = stage.tab.eval(ROWS).await;
    assert_eq!(newest[0][1], "DisconnectedOslo", "the newest is not first: {newest:?}");
    let same: bool = stage.tab.eval("window.sameFromHereOn === true").await;
    assert!(same, "the page was loaded anew");
    stage.tab.click(".deliveries a", "Oslo").await;
    stage.head_says("Disconnected").await;
    stage.stayed_at_home();
}

#[tokio::test]
async fn a_delivery_that_failed_shows_the_answer_and_is_sent_again_once_its_receiver_is_mended() {
    let stage = signed_in().await;
    let receiver = Receiver::start().await;
    receiver.answer(503, "we are away");
    stage.webhook("On-call", &receiver.url()).await;
    let satellite = stage.make("Oslo", "eu-north").await;
    stage.open_webhook("On-call").await;
    let _socket = Socket::connect(&stage.server, &satellite).await;
    row_says(&stage, &["Waiting", "Connected", "503"]).await;
    stage.head_begins("Failing since ").await;
    stage.tab.shows("No attempt has succeeded since").await;
    assert!(!stage.tab.is_showing("we are away").await, "the answer is shown unasked");
    stage.tab.click("button", "Details of Connected, Oslo").await;
    stage.tab.shows("we are away").await;

    receiver.answer(200, "noted");
    stage.tab.click("button", "Redeliver Connected, Oslo").await;
    row_says(&stage, &["Delivered", "Connected", "200"]).await;
    stage.tab.shows("noted").await;
    stage.head_says("Active").await;
    // What was delivered is sent again by nobody but who asks for it.
    let first = || receiver.received().iter().filter(|id| id.ends_with(":1")).count();
    let before = first();
    stage.tab.click("button", "Redeliver Connected, Oslo").await;
    eventually("it is sent again", async || (first() > before).then_some(())).await;
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_is_shown_with_the_error() {
    let stage = signed_in().await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!("http://{}/", nobody.local_addr().expect("it has an address"));
    drop(nobody);
    stage.webhook("On-call", &url).await;
    let satellite = stage.make("Oslo", "eu-north").await;
    stage.open_webhook("On-call").await;
    let _socket = Socket::connect(&stage.server, &satellite).await;
    row_says(&stage, &["Waiting", "Connected", "none"]).await;
    stage.tab.click("button", "Details of Connected").await;
    let error = "document.querySelector('.below .error')?.textContent.length > 5";
    let _: bool = stage.tab.until("the error is shown", error).await;
}

#[tokio::test]
async fn everything_since_a_time_is_sent_again() {
    let stage = signed_in().await;
    let receiver = Receiver::start().await;
    stage.webhook("On-call", &receiver.url()).await;
    let satellite = stage.make("Oslo", "eu-north").await;
    stage.open_webhook("On-call").await;
    Socket::visit(&stage.server, &stage.api, &satellite).await;
    row_says(&stage, &["Delivered", "Disconnected"]).await;
    stage.tab.click("button", "Redeliver since").await;
    stage.tab.shows("also those that the receiver took already").await;
    let since = async |value: &str| {
        let set = format!(
            "(() => {{ const field = document.querySelector('dialog input'); field.value = {}; field.dispatchEvent(new Event('input')); return field.value; }})()",
            json!(value)
        );
        let _: String = stage.tab.eval(&set).await;
        stage.tab.click("dialog button", "Redeliver them").await;
    };
    since("").await;
    let said = "document.getElementById('since-error').textContent";
    let _: String = stage.tab.until("the field says what is wrong", said).await;
    since("2020-01-01T00:00:00").await;
    stage.tab.shows("2 deliveries will be sent again.").await;
    let ids = received(&receiver, 4).await;
    assert_eq!(ids[..2], ids[2..], "others were sent again, or in another order");
    stage.tab.click("button", "Done").await;

    stage.tab.click("button", "Redeliver since").await;
    since("2120-01-01T00:00:00").await;
    stage.tab.shows("Nothing was made since then.").await;
}

#[tokio::test]
async fn a_webhook_is_paused_resumed_and_removed() {
    let stage = signed_in().await;
    let receiver = Receiver::start().await;
    let path = stage.webhook("On-call", &receiver.url()).await;
    let satellite = stage.make("Oslo", "eu-north").await;
    stage.open_webhook("On-call").await;
    stage.head_says("Active").await;
    stage.tab.click("button", "Pause").await;
    stage.tab.shows("Nothing is sent until it is resumed").await;
    stage.tab.click("button", "Pause it").await;
    stage.head_says("Paused: by an operator").await;
    let shown = stage.api.get(&path).await.expect(StatusCode::OK);
    assert_eq!(shown["pausedReason"], "operator");
    Socket::visit(&stage.server, &stage.api, &satellite).await;

    stage.tab.click("button", "Resume").await;
    stage.tab.click("button", "Resume it").await;
    stage.head_says("Active").await;
    row_says(&stage, &["Delivered", "Disconnected"]).await;
    stage.tab.click("button", "Remove").await;
    stage.tab.shows("Its receiver is told of nothing any more").await;
    stage.tab.click("button", "Remove it for good").await;
    stage.tab.shows("Nobody is told yet").await;
    assert_eq!(stage.api.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_sample_is_sent_and_what_came_of_it_is_shown() {
    let stage = signed_in().await;
    let receiver = Receiver::start().await;
    stage.webhook("On-call", &receiver.url()).await;
    stage.open_webhook("On-call").await;
    stage.tab.click("button", "Send a sample").await;
    stage.tab.shows("It took the sample.").await;
    assert!(received(&receiver, 1).await[0].starts_with("test:"));
    receiver.answer(500, "no such team");
    stage.tab.click("button", "Send another").await;
    stage.tab.shows("It answered 500 after").await;
    stage.tab.shows("no such team").await;
}

#[tokio::test]
async fn a_new_secret_is_shown_once_and_the_old_one_goes_on_as_long_as_is_said() {
    let stage = signed_in().await;
    let receiver = Receiver::start().await;
    let path = stage.webhook("On-call", &receiver.url()).await;
    stage.open_webhook("On-call").await;
    stage.tab.shows("one secret").await;
    stage.tab.click("button", "New secret").await;
    stage.tab.shows("signed with the new secret alone").await;
    let _: Value = stage
        .tab
        .eval("(() => { const choice = document.querySelector('dialog select'); choice.value = '86400'; choice.dispatchEvent(new Event('change')); })()")
        .await;
    stage.tab.shows("For 1 d requests carry a signature of each").await;
    stage.tab.click("button", "Make a new secret").await;
    let secret: String = stage
        .tab
        .until("the secret is shown", "document.querySelector('dialog .secret code')?.textContent")
        .await;
    stage.site.keep_secret(&secret);
    stage.tab.click("button", "Done").await;
    stage.tab.shows("the old one as well").await;
    let shown = stage.api.get(&path).await.expect(StatusCode::OK);
    assert_eq!(shown["secrets"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn what_is_wrong_with_a_webhook_is_said_beside_its_field() {
    let stage = signed_in().await;
    let receiver = Receiver::start().await;
    stage.webhook("On-call", &receiver.url()).await;
    stage.tab.click("nav a", "Events").await;
    stage.tab.click("nav a", "Webhooks").await;
    stage.tab.click("button", "New webhook").await;
    stage.tab.fill("Name", "On-call").await;
    stage.tab.fill("URL", "ftp://example.org").await;
    stage.tab.fill("Only with tags", "tier in (").await;
    stage.tab.click("button", "Make it").await;
    let said = async |field: &str| -> String {
        let text =
            format!("document.getElementById({})?.textContent", json!(format!("{field}-error")));
        stage.tab.until(&format!("{field} says what is wrong"), &format!("{text} || null")).await
    };
    assert!(said("url").await.contains("must begin with"));
    assert!(said("filter/tags").await.contains("at character"));
    stage.tab.fill("URL", &receiver.url()).await;
    stage.tab.fill("Only with tags", " ").await;
    stage.tab.click("button", "Make it").await;
    stage.tab.shows("It is taken.").await;
}

#[tokio::test]
async fn a_webhook_is_edited_and_what_the_form_does_not_ask_stays() {
    let stage = signed_in().await;
    let receiver = Receiver::start().await;
    let path = stage.webhook("On-call", &receiver.url()).await;
    let filter = json!({"causes": ["heartbeat_timeout"], "region": "eu-north"});
    stage.api.patch(&path, &json!({"filter": filter})).await.expect(StatusCode::OK);
    stage.open_webhook("On-call").await;
    stage.tab.shows("because of heartbeat timeout").await;
    stage.tab.click("button", "Edit").await;
    stage.tab.fill("Name", "Night shift").await;
    stage.tab.fill("Only in region", " ").await;
    stage.tab.click("input", "Removed").await;
    stage.tab.click("button", "Save").await;
    let _: bool = stage
        .tab
        .until("it has the name", "document.querySelector('h1').textContent === 'Night shift'")
        .await;
    let shown = stage.api.get(&path).await.expect(StatusCode::OK);
    assert_eq!(
        shown["filter"],
        json!({"causes": ["heartbeat_timeout"], "events": ["satellite.removed"]})
    );
}

#[tokio::test]
async fn a_webhook_whose_receiver_is_gone_is_shown_as_paused_by_the_signal_alone() {
    let stage = signed_in().await;
    let receiver = Receiver::start().await;
    receiver.answer(410, "");
    stage.webhook("On-call", &receiver.url()).await;
    let satellite = stage.make("Oslo", "eu-north").await;
    // Nothing is read again just because time goes by.
    let _: Value = stage.tab.eval("(window.setInterval = () => 0, null)").await;
    stage.tab.click("nav a", "Events").await;
    stage.tab.click("nav a", "Webhooks").await;
    stage.tab.shows("Active").await;
    let _socket = Socket::connect(&stage.server, &satellite).await;
    stage.tab.shows("the receiver wants no more").await;
}

#[tokio::test]
async fn deliveries_are_read_page_by_page_and_narrowed_by_their_state() {
    let stage = signed_in().await;
    let receiver = Receiver::start().await;
    stage.webhook("On-call", &receiver.url()).await;
    let satellite = stage.make("Oslo", "eu-north").await;
    for _ in 0..26 {
        Socket::visit(&stage.server, &stage.api, &satellite).await;
    }
    received(&receiver, 52).await;
    stage.open_webhook("On-call").await;
    rows_are(&stage, 50).await;
    stage.tab.click("button", "Show earlier").await;
    rows_are(&stage, 52).await;
    row_says(&stage, &["Connected", ":1"]).await;
    stage.tab.click("label", "Given up").await;
    stage.tab.shows("None is given up.").await;
    stage.tab.reload().await;
    stage.tab.shows("None is given up.").await;
    stage.tab.click("label", "Delivered").await;
    rows_are(&stage, 50).await;
}

#[tokio::test]
async fn the_loss_of_a_region_is_in_the_log_and_the_alert_of_a_rule_among_the_deliveries() {
    let stage = signed_in().await;
    let receiver = Receiver::start().await;
    let path = stage.webhook("On-call", &receiver.url()).await;
    stage.api.patch(&path, &json!({"alertsOnly": true})).await.expect(StatusCode::OK);
    let webhook = path.rsplit('/').next();
    let rule = json!({"name": "lost", "webhookId": webhook, "regionInstead": true});
    stage.api.post("/api/v1/rules", &rule).await.expect(StatusCode::CREATED);
    let mut sockets = Vec::new();
    for name in ["Oslo", "Bergen", "Tromsø"] {
        let satellite = stage.make(name, "eu-north").await;
        sockets.push(Socket::connect(&stage.server, &satellite).await);
    }
    stage.tab.click("nav a", "Events").await;
    stage.tab.shows("3 of 3 satellites").await;
    stage.open_webhook("On-call").await;
    stage.tab.shows("Alerts of rules").await;
    row_says(&stage, &["Delivered", "Alert firing", "eu-north"]).await;
    stage.complained_of_nothing();
}

#[tokio::test]
async fn a_page_whose_webhook_somebody_else_removes_says_so() {
    let stage = signed_in().await;
    let receiver = Receiver::start().await;
    let path = stage.webhook("On-call", &receiver.url()).await;
    stage.open_webhook("On-call").await;
    stage.head_says("Active").await;
    stage.api.delete(&path).await;
    stage.tab.shows("It was removed").await;
}

#[tokio::test]
async fn who_may_only_read_is_told_what_webhooks_take() {
    let stage = Stage::new().await;
    let (_, token) = stage.api_token("satellite.read").await;
    stage.present(&token).await;
    stage.tab.shows("Live").await;
    stage.tab.click("nav a", "Events").await;
    stage.tab.click("nav a", "Webhooks").await;
    stage.tab.shows("This token does not show webhooks").await;
    assert!(!stage.tab.is_showing("New webhook").await);
    let asked = stage.tab.requests().iter().any(|url| url.contains("/api/v1/webhooks"));
    assert!(!asked, "it asks for what it may not see");
}

#[tokio::test]
async fn a_name_and_an_answer_that_look_like_html_are_shown_as_text() {
    const NAME: &str = "<script>alert(1)</script>";
    const ANSWER: &str = "<img src=x onerror=alert(2)>";
    let stage = signed_in().await;
    let receiver = Receiver::start().await;
    receiver.answer(500, ANSWER);
    stage.webhook(NAME, &receiver.url()).await;
    let satellite = stage.make(ANSWER, "eu-north").await;
    stage.open_webhook(NAME).await;
    let _socket = Socket::connect(&stage.server, &satellite).await;
    row_says(&stage, &["500", ANSWER]).await;
    stage.tab.click("button", "Details of Connected").await;
    let shown = format!("document.querySelector('.below pre')?.textContent === {}", json!(ANSWER));
    let _: bool = stage.tab.until("the answer is shown", &shown).await;
    for button in ["Send a sample", "Edit", "Pause", "New secret", "Remove"] {
        stage.tab.click(".head-actions button", button).await;
        stage.tab.shows(NAME).await;
        stage.tab.press("Escape").await;
        let _: bool = stage.tab.until("it is closed", "!document.querySelector('dialog')").await;
    }
    let made: usize =
        stage.tab.eval("document.querySelectorAll('body script, main img').length").await;
    assert_eq!(made, 0, "a text has become an element");
    stage.stayed_at_home();
}
