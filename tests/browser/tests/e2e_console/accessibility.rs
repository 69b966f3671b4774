//! Everybody can use it: names, labels, headings, landmarks, contrast, focus. In each theme, on each page.

use groundcontrol_testbrowser::{Look, Tab};
use groundcontrol_testkit::server::{Agent, Site, Socket};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::receiver::{ALLOW, Receiver};
use crate::support::Stage;

const CHECKS: &str = include_str!("accessibility.js");

/// What can be used must have a name for those who hear the page.
const USABLE: &[&str] = &[
    "button",
    "checkbox",
    "combobox",
    "dialog",
    "link",
    "radio",
    "searchbox",
    "tab",
    "table",
    "textbox",
];

/// Presses of the tab key that reach the end of any page here.
const TABS: usize = 70;

/// What is focused, and whether one can see that.
const FOCUSED: &str = r#"
(() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const shown = one.matches(".segments input") ? one.nextElementSibling : one;
  const style = getComputedStyle(shown);
  const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  const box = shown.getBoundingClientRect();
  window.order ??= [...document.querySelectorAll("*")];
  const inside = box.bottom > 0 && box.top < innerHeight;
  return { what: `${one.tagName} ${one.getAttribute("aria-label") ?? one.textContent.slice(0, 30)}`, ring, inside };
})()
"#;

async fn faults(tab: &Tab, page: &str) -> Vec<String> {
    let mut found: Vec<String> = tab.eval(CHECKS).await;
    found.extend(nameless(tab).await);
    found.into_iter().map(|fault| format!("{page}: {fault}")).collect()
}

/// What the browser tells a screen reader of, without a name.
async fn nameless(tab: &Tab) -> Vec<String> {
    let tree = tab.command("Accessibility.getFullAXTree", json!({})).await;
    let nodes = tree["nodes"].as_array().expect("a tree has nodes");
    assert!(nodes.len() > 10, "{nodes:?}");
    let text = |value: &Value| value["value"].as_str().unwrap_or_default().to_owned();
    nodes
        .iter()
        .filter(|node| node["ignored"] != true)
        .filter(|node| USABLE.contains(&text(&node["role"]).as_str()))
        .filter(|node| text(&node["name"]).trim().is_empty())
        .map(|node| format!("a {} has no name", text(&node["role"])))
        .collect()
}

/// Both themes, and a narrow screen.
async fn faults_everywhere(tab: &Tab, page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (width, dark) in [(1280, false), (1280, true), (390, false)] {
        tab.look(Look { width, height: 800, dark }).await;
        let _: Value = tab.eval("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(null))))").await;
        found.extend(faults(tab, &format!("{page}, {width} px, dark: {dark}")).await);
        let wide: bool = tab.eval("document.documentElement.scrollWidth > innerWidth").await;
        if wide {
            found.push(format!("{page}, {width} px: it is wider than the screen"));
        }
    }
    tab.look(Look { width: 1280, height: 800, dark: false }).await;
    found
}

#[tokio::test]
async fn no_page_has_a_fault_that_a_program_can_find() {
    let stage = Stage::new().await;
    let tab = &stage.tab;
    tab.shows("API token").await;
    let mut found = faults_everywhere(tab, "sign-in").await;
    stage.present("gcapi_wrong").await;
    tab.shows("unknown, revoked").await;
    found.extend(faults_everywhere(tab, "refused sign-in").await);
    stage.sign_in().await;
    tab.shows("No satellites yet").await;
    found.extend(faults_everywhere(tab, "empty fleet").await);

    let oslo = stage.make("Oslo", "eu-north").await;
    let lima = stage.make("Lima", "sa-west").await;
    stage.make("Cairo", "af-east").await;
    let gone = stage.make("Quito", "sa-west").await;
    let agent = Agent::start(&stage.site, stage.server.url(), &oslo);
    let silent = Agent::start(&stage.site, stage.server.url(), &lima);
    Socket::visit(&stage.server, &stage.api, &gone).await;
    stage.row_says("Lima", "Online").await;
    silent.halt();
    stage.row_says("Lima", "Lost").await;
    stage.row_says("Oslo", "Online").await;
    found.extend(faults_everywhere(tab, "fleet").await);

    tab.click("button", "New satellite").await;
    found.extend(faults_everywhere(tab, "new satellite").await);
    tab.fill("Name", "Hanoi").await;
    tab.fill("Region", "ap-south").await;
    tab.click("button", "Make it").await;
    stage.shown_once().await;
    found.extend(faults_everywhere(tab, "token").await);
    tab.click("button", "Done").await;

    tab.click("a", "Lima").await;
    stage.head_says("Lost").await;
    tab.shows("heartbeat timeout").await;
    found.extend(faults_everywhere(tab, "satellite").await);
    for button in ["Edit", "New token", "Remove"] {
        tab.click(".head-actions button", button).await;
        found.extend(faults_everywhere(tab, button).await);
        tab.press("Escape").await;
        let _: bool = tab.until("it is closed", "!document.querySelector('dialog')").await;
    }
    tab.click("nav a", "Events").await;
    tab.shows("Oslo").await;
    found.extend(faults_everywhere(tab, "events").await);
    drop(agent);
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test]
async fn no_view_of_webhooks_has_a_fault_that_a_program_can_find() {
    let stage = Stage::with(Site::new(), ALLOW).await;
    let tab = &stage.tab;
    stage.sign_in().await;
    tab.click("nav a", "Events").await;
    tab.click("nav a", "Webhooks").await;
    tab.shows("Nobody is told yet").await;
    let mut found = faults_everywhere(tab, "no webhooks").await;
    let receiver = Receiver::start().await;
    tab.click("button", "New webhook").await;
    tab.fill("Name", "On-call").await;
    tab.fill("URL", "nowhere").await;
    tab.click("button", "Make it").await;
    tab.shows("must begin with").await;
    found.extend(faults_everywhere(tab, "new webhook").await);
    tab.fill("URL", &receiver.url()).await;
    tab.click("button", "Make it").await;
    tab.shows("whsec_").await;
    found.extend(faults_everywhere(tab, "secret").await);
    tab.click("button", "Done").await;

    let paused = stage.webhook("Chat", &receiver.at("chat")).await;
    stage.api.patch(&paused, &json!({"active": false})).await.expect(StatusCode::OK);
    let oslo = stage.make("Oslo", "eu-north").await;
    Socket::visit(&stage.server, &stage.api, &oslo).await;
    stage.open_webhook("On-call").await;
    tab.shows("Delivered").await;
    receiver.answer(503, "away");
    let _socket = Socket::connect(&stage.server, &oslo).await;
    stage.head_begins("Failing").await;
    tab.click("button", "Details").await;
    found.extend(faults_everywhere(tab, "webhook").await);
    for button in ["Send a sample", "Edit", "Pause", "New secret", "Remove", "Redeliver since"] {
        tab.click("button", button).await;
        let _: bool =
            tab.until("nothing is under way", "!document.querySelector('dialog .spinner')").await;
        found.extend(faults_everywhere(tab, button).await);
        tab.press("Escape").await;
        let _: bool = tab.until("it is closed", "!document.querySelector('dialog')").await;
    }
    tab.click(".crumbs a", "Webhooks").await;
    tab.shows("by an operator").await;
    found.extend(faults_everywhere(tab, "webhooks").await);
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test]
async fn the_tab_key_goes_through_a_page_and_one_sees_where() {
    let stage = Stage::signed_in().await;
    stage.make("Oslo", "eu-north").await;
    stage.tab.shows("Oslo").await;
    let walked = walk(&stage.tab).await;
    assert!(walked[0].contains("Skip to the content"), "{walked:?}");
    for stop in ["Fleet", "Events", "Theme", "Sign out", "New satellite", "Oslo"] {
        assert!(walked.iter().any(|what| what.contains(stop)), "{stop} is not among {walked:#?}");
    }
    stage.webhook("On-call", "https://example.org/").await;
    stage.tab.click("nav a", "Events").await;
    stage.tab.click("nav a", "Webhooks").await;
    stage.tab.shows("On-call").await;
    let walked = walk(&stage.tab).await;
    for stop in ["Live log", "Webhooks", "New webhook", "On-call"] {
        assert!(walked.iter().any(|what| what.contains(stop)), "{stop} is not among {walked:#?}");
    }
    stage.tab.click("nav a", "Fleet").await;
    stage.tab.click("a", "Oslo").await;
    stage.tab.shows("History").await;
    let walked = walk(&stage.tab).await;
    for stop in ["Copy the id", "Edit", "New token", "Disable", "Remove"] {
        assert!(walked.iter().any(|what| what.contains(stop)), "{stop} is not among {walked:#?}");
    }
}

/// Everything that the tab key reaches, from the beginning of the page to its end.
async fn walk(tab: &Tab) -> Vec<String> {
    let _: Value = tab.eval("(document.activeElement.blur(), document.body.setAttribute('tabindex', -1), document.body.focus(), document.body.removeAttribute('tabindex'), null)").await;
    let mut walked = Vec::new();
    for _ in 0..TABS {
        tab.press("Tab").await;
        let focused: Value = tab.eval(FOCUSED).await;
        if focused.is_null() {
            break;
        }
        let what = focused["what"].as_str().unwrap_or_default().to_owned();
        assert_eq!(focused["ring"], true, "one does not see that {what} is focused");
        assert_eq!(focused["inside"], true, "{what} is focused out of sight");
        walked.push(what);
    }
    assert!(walked.len() < TABS, "the tab key is caught: {walked:#?}");
    walked
}

#[tokio::test]
async fn a_dialog_takes_the_focus_keeps_it_and_gives_it_back() {
    let stage = Stage::signed_in().await;
    stage.make("Oslo", "eu-north").await;
    stage.tab.shows("Oslo").await;
    stage.tab.click("button", "New satellite").await;
    let inside = "document.querySelector('dialog')?.contains(document.activeElement)";
    let _: bool = stage.tab.until("the dialog has the focus", inside).await;
    let first: String = stage.tab.eval("document.activeElement.name").await;
    assert_eq!(first, "name");
    stage.tab.press("Escape").await;
    let back = "document.activeElement.textContent === 'New satellite'";
    let _: bool = stage.tab.until("the focus is back on the button", back).await;
}

#[tokio::test]
async fn what_happens_is_told_to_those_who_do_not_see_it() {
    let stage = Stage::signed_in().await;
    let roles: Vec<String> = stage
        .tab
        .eval("[...document.querySelectorAll('.live, .stale')].map((one) => one.getAttribute('role'))")
        .await;
    assert_eq!(roles, ["status", "alert"]);
    stage.make("Oslo", "eu-north").await;
    stage.tab.click("a", "Oslo").await;
    stage.tab.click("button", "Edit").await;
    stage.tab.fill("Region", "eu-west").await;
    stage.tab.click("button", "Save").await;
    let _: bool = stage
        .tab
        .until("it is said", "document.getElementById('said').textContent === 'Saved'")
        .await;
}
