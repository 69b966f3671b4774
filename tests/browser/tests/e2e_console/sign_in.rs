//! Who gets in, and for how long.

use groundcontrol_testkit::server::Site;
use reqwest::StatusCode;

use crate::support::Stage;

#[tokio::test]
async fn a_token_signs_in_and_stays_where_no_script_can_read_it() {
    let stage = Stage::signed_in().await;
    stage.tab.shows("No satellites yet").await;
    let readable: String = stage
        .tab
        .eval("document.cookie + JSON.stringify({...localStorage, ...sessionStorage})")
        .await;
    assert_eq!(readable, "{}");
    stage.tab.reload().await;
    stage.tab.shows("No satellites yet").await;
}

#[tokio::test]
async fn a_wrong_token_is_refused_beside_its_field() {
    let stage = Stage::new().await;
    stage.present("gcapi_wrong").await;
    stage.tab.shows("It is unknown, revoked or expired.").await;
    let marked: bool =
        stage.tab.eval("document.activeElement.getAttribute('aria-invalid') === 'true'").await;
    assert!(marked, "the field is not marked as wrong, or not focused");
}

#[tokio::test]
async fn a_revoked_token_ends_the_session_and_the_page_says_so() {
    let stage = Stage::new().await;
    let (id, token) = stage.api_token("admin").await;
    stage.make("Oslo", "eu-north").await;
    stage.present(&token).await;
    stage.row_says("Oslo", "Never connected").await;

    let revoked = stage.api.delete(&format!("/api/v1/api-tokens/{id}")).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT);
    stage.tab.click("a", "Oslo").await;
    stage.tab.shows("Your session is over").await;
    assert!(!stage.tab.is_showing("Oslo").await);
    stage.sign_in().await;
}

#[tokio::test]
async fn signing_out_forgets_the_token() {
    let stage = Stage::signed_in().await;
    stage.tab.click("button", "Sign out").await;
    stage.tab.shows("API token").await;
    stage.tab.reload().await;
    stage.tab.shows("API token").await;
    assert!(!stage.tab.is_showing("Fleet").await);
}

#[tokio::test]
async fn who_may_only_read_is_offered_nothing_else() {
    let stage = Stage::new().await;
    let (_, token) = stage.api_token("satellite.read").await;
    stage.make("Oslo", "eu-north").await;
    stage.present(&token).await;
    stage.row_says("Oslo", "Never connected").await;
    assert!(!stage.tab.is_showing("New satellite").await);
    stage.tab.click("a", "Oslo").await;
    stage.tab.shows("History").await;
    assert!(!stage.tab.is_showing("Remove").await);
}

#[tokio::test]
async fn without_a_server_the_page_says_so_and_tries_again_when_asked() {
    let stage = Stage::at(Site::with_lasting_port()).await;
    stage.sign_in().await;
    let Stage { site, server, tab, .. } = stage;
    // The browser has the page; the server behind it is gone.
    tab.command("Network.setBlockedURLs", serde_json::json!({"urls": ["*/api/v1/session"]})).await;
    tab.reload().await;
    tab.shows("Ground Control does not answer").await;
    tab.command("Network.setBlockedURLs", serde_json::json!({"urls": []})).await;
    tab.click("button", "Try again").await;
    tab.shows("No satellites yet").await;
    drop((site, server));
}
