//! The table of the fleet: with many satellites, and with changes under the pointer.

use groundcontrol_testkit::server::{Site, Socket};
use sea_orm::{ConnectionTrait as _, Database};
use serde_json::{Value, json};

use crate::support::{Stage, row};

const MANY: usize = 10_000;
/// Rows that a screen can show, and some more.
const ROWS_AT_MOST: usize = 60;

/// What the store holds once so many satellites were made that never connected. Over the API that would
/// take most of a minute.
const MAKE: &str = r#"
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < MANY)
INSERT INTO satellites (id, name, region, tags, capabilities, created_at)
SELECT randomblob(16), printf('Satellite %05d', i),
    CASE i % 4 WHEN 0 THEN 'eu-north' WHEN 1 THEN 'eu-west' WHEN 2 THEN 'us-east' ELSE 'ap-south' END,
    printf('{"rack":"%d"}', i % 40), '[]', 1770000000000
FROM n;
INSERT INTO satellite_connections (satellite_id) SELECT id FROM satellites;
"#;

/// A site whose store holds [`MANY`] satellites.
async fn crowded() -> Site {
    let site = Site::new();
    site.serve().await.stop().await;
    let file = format!("sqlite://{}", site.data().join("groundcontrol.db").display());
    let store = Database::connect(file).await.expect("the store can be opened");
    let statement = MAKE.replace("MANY", &MANY.to_string());
    store.execute_unprepared(&statement).await.expect("satellites can be made");
    store.close().await.expect("the store can be closed");
    site
}

async fn note(stage: &Stage, text: &str) {
    let expression =
        format!("document.querySelector('.table-note')?.textContent === {}", json!(text));
    let _: bool = stage.tab.until(&format!("the table says {text:?}"), &expression).await;
}

#[tokio::test]
async fn ten_thousand_satellites_are_shown_searched_and_scrolled_with_few_rows() {
    let stage = Stage::at(crowded().await).await;
    stage.sign_in().await;
    note(&stage, "10,000 satellites").await;

    stage.tab.reload().await;
    let first: f64 = stage
        .tab
        .until(
            "there are rows",
            "document.querySelector('.fleet-table tbody:not(.space) tr') && performance.now()",
        )
        .await;
    note(&stage, "10,000 satellites").await;
    let all: f64 = stage.tab.eval("performance.now()").await;
    println!("first rows after {first:.0} ms, all {MANY} after {all:.0} ms");
    let rows = "document.querySelectorAll('.fleet-table tbody:not(.space) tr').length";
    let shown: usize = stage.tab.eval(rows).await;
    assert!(shown < ROWS_AT_MOST, "{shown} rows");
    let counted: String = stage
        .tab
        .eval("document.querySelector('.fleet-table').getAttribute('aria-rowcount')")
        .await;
    assert_eq!(counted, "10001");

    let _: Value = stage.tab.eval("document.querySelector('.scroller').scrollTop = 1e9").await;
    stage.tab.shows("Satellite 09999").await;
    let shown: usize = stage.tab.eval(rows).await;
    assert!(shown < ROWS_AT_MOST, "{shown} rows");
    stage.tab.fill("Search", "te 0777").await;
    note(&stage, "10 of 10,000 satellites").await;
    stage.tab.fill("Tag", "rack=10").await;
    note(&stage, "1 of 10,000 satellites").await;
    stage.tab.shows("Satellite 07770").await;
    stage.tab.click("button", "Clear filters").await;
    note(&stage, "10,000 satellites").await;
    stage.tab.click(".regions button", "eu-north").await;
    note(&stage, "2,500 of 10,000 satellites").await;

    let scrolled: f64 = stage.tab.eval(SCROLL).await;
    println!("a frame while scrolling took {scrolled:.1} ms on average");
}

/// Scrolls a hundred frames, and answers how long one took on average.
const SCROLL: &str = r#"
new Promise((done) => {
  const scroller = document.querySelector(".scroller");
  const begun = performance.now();
  let frame = 0;
  const step = () => {
    scroller.scrollTop += 700;
    frame += 1;
    if (frame === 100) done((performance.now() - begun) / frame);
    else requestAnimationFrame(step);
  };
  step();
})
"#;

#[tokio::test]
async fn filters_are_kept_in_the_address() {
    let stage = Stage::signed_in().await;
    stage.make("Oslo", "eu-north").await;
    stage.make("Lima", "sa-west").await;
    stage.tab.shows("Lima").await;
    stage.tab.fill("Search", "osl").await;
    note(&stage, "1 of 2 satellites").await;
    stage.tab.reload().await;
    note(&stage, "1 of 2 satellites").await;
    stage.tab.click(".counts button", "0Online").await;
    stage.tab.shows("None fits the filters").await;
}

#[tokio::test]
async fn an_edge_is_shown_in_moments() {
    let stage = Stage::signed_in().await;
    let satellite = stage.make("Oslo", "eu-north").await;
    stage.row_says("Oslo", "Never connected").await;
    let watch = format!(
        "window.seen = new Promise((done) => new MutationObserver((_, self) => {{
           if ({}?.querySelector('.standing').textContent !== 'Online') return;
           self.disconnect(); done(Date.now());
         }}).observe(document.querySelector('.fleet-table'), {{ subtree: true, childList: true }})); true",
        row("Oslo")
    );
    let _: bool = stage.tab.eval(&watch).await;
    let socket = Socket::connect(&stage.server, &satellite).await;
    let seen: f64 = stage.tab.eval("window.seen").await;
    let edge = stage.api.transitions(&satellite.id).await;
    let expression = format!("Date.parse({})", edge[0]["occurredAt"]);
    let recorded: f64 = stage.tab.eval(&expression).await;
    println!("an edge was in the browser {:.0} ms after it was recorded", seen - recorded);
    assert!(seen - recorded < 5_000.0, "it took {} ms", seen - recorded);
    socket.close().await;
}

#[tokio::test]
async fn rows_keep_their_places_under_the_pointer_and_say_what_they_are_at_once() {
    let stage = Stage::signed_in().await;
    let one = stage.make("Berlin", "eu-central").await;
    stage.make("Accra", "af-west").await;
    stage.make("Cairo", "af-east").await;
    stage.tab.shows("Cairo").await;
    stage.tab.click("thead button", "Status").await;
    let order = "[...document.querySelectorAll('.fleet-table tbody:not(.space) a')].map((one) => one.textContent).join()";
    let before: String = stage.tab.eval(order).await;
    assert_eq!(before, "Accra,Berlin,Cairo");
    stage.tab.point_at("a", "Cairo").await;
    let _: bool = stage
        .tab
        .until("the pointer is there", "Boolean(document.querySelector('tr:hover'))")
        .await;

    let socket = Socket::connect(&stage.server, &one).await;
    stage.row_says("Berlin", "Online").await;
    stage.tab.shows("Rows have changed places").await;
    assert_eq!(stage.tab.eval::<String>(order).await, before);
    stage.tab.click("button", "Rows have changed places").await;
    let sorted = format!("{order} === 'Accra,Cairo,Berlin'");
    let _: bool = stage.tab.until("rows are in order again", &sorted).await;
    socket.close().await;
}
