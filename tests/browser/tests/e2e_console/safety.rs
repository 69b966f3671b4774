//! Names are text, and nothing leaves the server's origin.

use groundcontrol_testkit::server::Agent;

use crate::support::Stage;

const NAME: &str = "<script>alert(1)</script>";
const REGION: &str = "<img src=x onerror=alert(2)>";

#[tokio::test]
async fn a_name_that_looks_like_html_is_shown_as_text_everywhere() {
    let stage = Stage::signed_in().await;
    let satellite = stage.make(NAME, REGION).await;
    let _agent = Agent::start(&stage.site, stage.server.url(), &satellite);
    stage.row_says(NAME, "Online").await;
    stage.tab.shows(REGION).await;
    stage.tab.click("nav a", "Events").await;
    stage.tab.shows(NAME).await;
    stage.tab.click("a", NAME).await;
    stage.head_says("Online").await;
    for button in ["Edit", "New token", "Disable", "Remove"] {
        stage.tab.click(".head-actions button", button).await;
        stage.tab.shows(NAME).await;
        stage.tab.press("Escape").await;
        let _: bool = stage.tab.until("it is closed", "!document.querySelector('dialog')").await;
    }
    let made: usize =
        stage.tab.eval("document.querySelectorAll('body script, main img').length").await;
    assert_eq!(made, 0, "a name has become an element");
}

#[tokio::test]
async fn no_request_leaves_the_server_and_no_policy_is_broken() {
    let stage = Stage::signed_in().await;
    let satellite = stage.make("Oslo", "eu-north").await;
    let _agent = Agent::start(&stage.site, stage.server.url(), &satellite);
    stage.row_says("Oslo", "Online").await;
    stage.tab.click("a", "Oslo").await;
    stage.head_says("Online").await;
    stage.tab.click("nav a", "Events").await;
    stage.tab.shows("Oslo").await;
    stage.tab.click("nav a", "Webhooks").await;
    stage.tab.shows("Nobody is told yet").await;
    stage.stayed_at_home();
    stage.complained_of_nothing();
}
