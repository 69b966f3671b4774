//! A page that cannot hear the server says so, and since when.

use groundcontrol_testkit::server::Site;
use serde_json::json;

use crate::support::Stage;

#[tokio::test]
async fn a_page_whose_server_is_gone_says_since_when_and_catches_up_when_it_is_back() {
    let stage = Stage::at(Site::with_lasting_port()).await;
    stage.sign_in().await;
    stage.make("Oslo", "eu-north").await;
    stage.row_says("Oslo", "Never connected").await;
    let Stage { site, server, tab, .. } = stage;
    server.kill().await;
    tab.shows("Not up to date since ").await;
    let badge: String = tab.eval("document.querySelector('.live').textContent").await;
    let time = badge.strip_prefix("Stale since ").expect("the badge says since when");
    assert_eq!(time.split(':').count(), 3, "{badge}");
    assert!(tab.is_showing("Oslo").await, "what was known is still shown");

    let server = site.serve().await;
    let api = site.api(&server);
    api.post("/api/v1/satellites", &json!({"name": "Bergen", "region": "eu-north"})).await;
    tab.shows("Bergen").await;
    let _: bool = tab.until("the banner is gone", "document.querySelector('.stale').hidden").await;
    tab.shows("Live").await;
}

#[tokio::test]
async fn a_server_that_falls_silent_is_noticed_though_the_connection_stands() {
    let stage = Stage::signed_in().await;
    // The watchdog looks at the page's clock: it is set ahead, beyond the silence that is allowed.
    stage.server.halt();
    let _: serde_json::Value = stage
        .tab
        .eval("(() => { const real = Date.now; Date.now = () => real() + 60_000; return true; })()")
        .await;
    stage.tab.shows("Not up to date since ").await;
    stage.server.resume();
    stage.tab.shows("Live").await;
}
