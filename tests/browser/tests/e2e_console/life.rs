//! A satellite's life, as an operator sees it.

use groundcontrol_testkit::server::Agent;
use serde_json::Value;

use crate::support::Stage;

/// How the agent's process ends once it was told to stop for good.
const SHUT_DOWN: Option<i32> = Some(4);

#[tokio::test]
async fn a_satellite_is_made_its_agent_connects_and_dies_and_the_page_shows_each_without_a_reload()
{
    let stage = Stage::signed_in().await;
    let _: Value = stage.tab.eval("window.sameFromHereOn = true").await;
    stage.tab.click("button", "New satellite").await;
    stage.tab.fill("Name", "Reykjavik").await;
    stage.tab.fill("Region", "eu-north").await;
    stage.tab.fill("Tags", "env=prod").await;
    stage.tab.click("button", "Make it").await;
    let satellite = stage.shown_once().await;
    stage.tab.shows("Waiting for its agent to connect").await;

    let agent = Agent::start(&stage.site, stage.server.url(), &satellite);
    stage.tab.shows("Reykjavik is online").await;
    stage.tab.click("button", "Done").await;
    stage.row_says("Reykjavik", "Online").await;
    agent.kill().await;
    stage.row_says("Reykjavik", "Disconnected").await;
    let same: bool = stage.tab.eval("window.sameFromHereOn === true").await;
    assert!(same, "the page was loaded anew");
    let kept = stage.api.satellite(&satellite.id).await;
    assert_eq!(kept["tags"], serde_json::json!({"env": "prod"}));
}

#[tokio::test]
async fn the_commands_of_a_new_satellite_name_its_id_its_token_and_this_server() {
    let stage = Stage::signed_in().await;
    stage.tab.click("button", "New satellite").await;
    stage.tab.fill("Name", "Quito 2").await;
    stage.tab.fill("Region", "sa-west").await;
    stage.tab.press("Enter").await;
    let satellite = stage.shown_once().await;
    for way in ["Shell", "systemd", "Docker", "Kubernetes"] {
        stage.tab.click("[role=tab]", way).await;
        let shown: String =
            stage.tab.eval("document.querySelector('dialog pre').textContent").await;
        for part in [satellite.id.as_str(), &satellite.token, stage.server.url()] {
            assert!(shown.contains(part), "{way} lacks {part}:\n{shown}");
        }
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_new_satellite_is_said_beside_its_field() {
    let stage = Stage::signed_in().await;
    stage.make("Oslo", "eu-north").await;
    stage.tab.click("button", "New satellite").await;
    stage.tab.fill("Name", "Oslo").await;
    stage.tab.fill("Region", "eu-north").await;
    stage.tab.click("button", "Make it").await;
    stage.tab.shows("It is taken.").await;
    stage.tab.fill("Name", "Bergen").await;
    stage.tab.fill("Offline after", "1e9").await;
    stage.tab.click("button", "Make it").await;
    let said = "document.getElementById('offlineThresholdMs-error').textContent";
    let _: String = stage.tab.until("the field says what is wrong", said).await;
    stage.tab.press("Escape").await;
    let _: bool = stage.tab.until("Escape closes it", "!document.querySelector('dialog')").await;
}

#[tokio::test]
async fn a_silent_satellite_is_shown_as_lost_with_the_reason_and_on_the_timeline() {
    let stage = Stage::signed_in().await;
    let satellite = stage.make("Nairobi", "af-east").await;
    let agent = Agent::start(&stage.site, stage.server.url(), &satellite);
    stage.row_says("Nairobi", "Online").await;
    stage.tab.click("a", "Nairobi").await;
    stage.head_says("Online").await;

    agent.halt();
    stage.head_says("Lost").await;
    stage.tab.shows("Heartbeat lost").await;
    let _: bool = stage
        .tab
        .until(
            "the timeline shows the loss",
            "Boolean(document.querySelector('.timeline .band.lost'))",
        )
        .await;
    let why = "document.querySelector('.why .summary-line')?.textContent.length > 20";
    let _: bool = stage.tab.until("it is said why", why).await;
    agent.resume();
    stage.head_says("Online").await;
}

#[tokio::test]
async fn a_new_token_ends_the_old_one_and_the_dialog_sees_the_agent_come_back() {
    let stage = Stage::signed_in().await;
    let satellite = stage.make("Lima", "sa-west").await;
    let agent = Agent::start(&stage.site, stage.server.url(), &satellite);
    stage.row_says("Lima", "Online").await;
    stage.tab.click("a", "Lima").await;
    stage.tab.click("button", "New token").await;
    stage.tab.shows("stops working at once. Its connection is shut down").await;
    stage.tab.click("button", "Make a new token").await;
    let renewed = stage.shown_once().await;
    assert_eq!(renewed.id, satellite.id);
    assert_ne!(renewed.token, satellite.token);
    assert_eq!(agent.ended().await, SHUT_DOWN);

    let _agent = Agent::start(&stage.site, stage.server.url(), &renewed);
    stage.tab.shows("Lima is online").await;
}

#[tokio::test]
async fn a_satellite_is_edited_disabled_and_enabled() {
    let stage = Stage::signed_in().await;
    let satellite = stage.make("Hanoi", "ap-south").await;
    stage.tab.click("a", "Hanoi").await;
    stage.tab.click("button", "Edit").await;
    stage.tab.fill("Name", "Hanoi 2").await;
    stage.tab.fill("Tags", "tier=edge\nlab").await;
    stage.tab.fill("Offline after", "90").await;
    stage.tab.click("button", "Save").await;
    stage.tab.shows("tier=edge").await;
    let changed = stage.api.satellite(&satellite.id).await;
    assert_eq!(changed["name"], "Hanoi 2");
    assert_eq!(changed["tags"], serde_json::json!({"tier": "edge", "lab": ""}));
    assert_eq!(changed["offlineThresholdMs"], 90_000);

    stage.tab.click("button", "Disable").await;
    stage.tab.shows("It is refused until it is enabled again").await;
    stage.tab.click("button", "Disable it").await;
    stage.head_says("Never connected, disabled").await;
    stage.tab.click("button", "Enable").await;
    stage.tab.click("button", "Enable it").await;
    stage.head_says("Never connected").await;
}

#[tokio::test]
async fn a_satellite_is_removed_only_by_its_name() {
    let stage = Stage::signed_in().await;
    stage.make("Accra", "af-west").await;
    stage.tab.click("a", "Accra").await;
    stage.tab.click("button", "Remove").await;
    stage.tab.fill("Type its name to go on", "Akkra").await;
    stage.tab.click("button", "Remove it for good").await;
    stage.tab.shows("It must be “Accra”.").await;
    stage.tab.fill("Type its name to go on", "Accra").await;
    stage.tab.click("button", "Remove it for good").await;
    stage.tab.shows("No satellites yet").await;
}

#[tokio::test]
async fn a_page_whose_satellite_somebody_else_removes_says_so() {
    let stage = Stage::signed_in().await;
    let satellite = stage.make("Perth", "ap-south").await;
    stage.tab.click("a", "Perth").await;
    stage.head_says("Never connected").await;
    stage.api.delete(&format!("/api/v1/satellites/{}", satellite.id)).await;
    stage.tab.shows("It was removed").await;
}

#[tokio::test]
async fn events_are_shown_as_they_happen_and_wait_while_paused() {
    let stage = Stage::signed_in().await;
    let satellite = stage.make("Tokyo", "ap-northeast").await;
    stage.tab.click("nav a", "Events").await;
    stage.tab.shows("Nothing has happened yet").await;
    let agent = Agent::start(&stage.site, stage.server.url(), &satellite);
    stage.tab.shows("authenticated").await;
    stage.tab.click("button", "Pause").await;
    agent.kill().await;
    stage.tab.shows("Paused. 1 event came since.").await;
    assert!(!stage.tab.is_showing("connection lost").await);
    stage.tab.click("button", "Resume").await;
    stage.tab.shows("connection lost").await;
    stage.tab.fill("Search", "nobody").await;
    stage.tab.shows("No event fits the filters").await;
}
