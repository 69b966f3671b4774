//! The live log of events, with a stream that is made up: kinds that no agent here can cause.

use serde_json::{Value, json};

use crate::support::Stage;

/// Answers the stream itself, with these events, and never ends it.
const MADE_UP: &str = r#"
(() => {
  const real = window.fetch;
  const encoder = new TextEncoder();
  window.fetch = (url, options) => {
    if (!String(url).startsWith("/api/v1/events")) return real(url, options);
    const body = new ReadableStream({ start(controller) {
      const send = (text) => controller.enqueue(encoder.encode(text));
      send(": welcome\n\n");
      EVENTS.forEach((event, at) => send(`id: 0-${at + 1}\ndata: ${JSON.stringify(event)}\n\n`));
    } });
    return Promise.resolve(new Response(body));
  };
})()
"#;

async fn with_events(events: Value) -> Stage {
    let stage = Stage::signed_in().await;
    stage.make("Oslo", "eu-north").await;
    let source = MADE_UP.replace("EVENTS", &events.to_string());
    let script = json!({"source": source});
    stage.tab.command("Page.addScriptToEvaluateOnNewDocument", script).await;
    stage.tab.reload().await;
    stage.tab.shows("Oslo").await;
    stage.tab.click("nav a", "Events").await;
    stage
}

/// The texts of the newest row, cell by cell.
const NEWEST: &str = "[...(document.querySelector('.scroller tbody tr')?.cells ?? [])].map((cell) => cell.textContent)";

#[tokio::test]
async fn a_suspected_loss_of_a_region_is_shown_with_the_region_and_how_much_of_it() {
    let stage = with_events(json!([{
        "specversion": "1.0", "id": "region:eu-north:7", "source": "/regions/eu-north",
        "type": "fleet.region_loss_suspected", "subject": "eu-north",
        "time": "2026-01-31T12:00:00.000Z", "datacontenttype": "application/json",
        "data": {"region": "eu-north", "lost": 14, "total": 20, "share": 0.7, "windowSeconds": 120,
            "since": "2026-01-31T11:58:00.000Z"},
    }]))
    .await;
    stage.tab.shows("14 of 20 satellites").await;
    let cells: Vec<String> = stage.tab.eval(NEWEST).await;
    assert_eq!(
        cells[1..],
        ["Region loss suspected", "14 of 20 satellites", "eu-north", "lost within 2 min", "–", "–"]
    );
    stage.tab.click("button", "Region loss suspected").await;
    stage.tab.shows("No event fits the filters").await;
    stage.tab.click("button", "Region loss suspected").await;
    stage.tab.click("a", "14 of 20 satellites").await;
    let region = "document.querySelector('#region')?.value === 'eu-north'";
    let _: bool = stage.tab.until("the fleet shows the region", region).await;
}

#[tokio::test]
async fn an_event_of_a_type_that_nobody_knows_yet_is_shown_and_breaks_nothing() {
    let stage = with_events(json!([
        {"specversion": "1.0", "id": "a", "source": "/moons/1", "type": "moon.risen"},
        {"specversion": "1.0", "id": "b", "source": "/satellites/1", "type": "satellite.repainted",
            "subject": "Lima", "contextkey": "1", "time": "2026-01-31T12:00:00.000Z", "data": {}},
    ]))
    .await;
    stage.tab.shows("moon.risen").await;
    stage.tab.shows("satellite.repainted").await;
    stage.tab.click("nav a", "Fleet").await;
    stage.tab.shows("Oslo").await;
    stage.complained_of_nothing();
}
