//! Pictures of the console for the documentation. Made in every run, in the target folder; with
//! `GROUNDCONTROL_SCREENSHOTS=refresh` they take the place of those in the tree.

use std::path::PathBuf;

use groundcontrol_testbrowser::Look;
use groundcontrol_testkit::server::{Agent, Api, Beating, Satellite, Site, Socket, eventually};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::receiver::{ALLOW, Receiver};
use crate::support::Stage;

/// The largest picture in the tree, in bytes.
const LARGEST: usize = 150_000;
const WIDTH: u32 = 1180;
const HEIGHT: u32 = 720;

const FLEET: &[(&str, &str, &str)] = &[
    ("Accra", "af-west", "edge"),
    ("Bergen", "eu-north", "edge"),
    ("Boston", "us-east", "core"),
    ("Cape Town", "af-south", "edge"),
    ("Dublin", "eu-west", "core"),
    ("Frankfurt 1", "eu-central", "core"),
    ("Frankfurt 2", "eu-central", "core"),
    ("Hanoi", "ap-south", "edge"),
    ("Lima", "sa-west", "edge"),
    ("Madrid", "eu-west", "edge"),
    ("Nairobi", "af-east", "edge"),
    ("Reykjavik", "eu-north", "core"),
    ("Seattle", "us-west", "core"),
    ("Tokyo", "ap-northeast", "core"),
];
/// No name of a host stands in a picture.
const POD: &[&str] = &["--pod", "pod-1"];
/// Whose receiver is away.
const FAILING: &str = "Status page";
/// Who never connected, who left, and who is silent.
const NEVER: &str = "Madrid";
const LEFT: &str = "Hanoi";
const SILENT: &str = "Nairobi";
/// How long ago the silent one came and went, in minutes: up, down, up, down …
const PAST: &[i64] = &[55, 41, 38, 17, 14];

#[tokio::test]
async fn the_pages_make_good_pictures() {
    let site = Site::with_lasting_port();
    let fleet = past(&site).await;
    let stage = Stage::with(site, &[POD, ALLOW].concat()).await;
    let receivers = told(&stage).await;
    let (_agents, silent) = present(&stage, &fleet).await;
    fails_later(&stage, &fleet, &receivers[1]).await;
    stage.sign_in().await;
    stage.row_says(SILENT, "Lost").await;
    stage.row_says("Tokyo", "Online").await;
    for (theme, dark) in [("light", false), ("dark", true)] {
        stage.tab.look(Look { width: WIDTH, height: HEIGHT, dark }).await;
        let _: Value = stage.tab.eval("location.hash = '#/fleet'").await;
        stage.row_says("Tokyo", "Online").await;
        stage.tab.shows(&format!("{}\nAll", FLEET.len())).await;
        stage.tab.point_at(".brand", "Ground Control").await;
        take(&stage, &format!("fleet-{theme}")).await;

        stage.tab.click("a", SILENT).await;
        stage.head_says("Lost").await;
        stage.tab.shows("heartbeat timeout").await;
        let drawn = "document.querySelectorAll('.timeline .edge').length > 4";
        let _: bool = stage.tab.until("the timeline is drawn", drawn).await;
        take(&stage, &format!("satellite-{theme}")).await;

        stage.open_webhook(FAILING).await;
        stage.head_begins("Failing").await;
        take(&stage, &format!("webhook-{theme}")).await;
        stage.tab.click(".crumbs a", "Webhooks").await;
        stage.tab.shows("since").await;
        take(&stage, &format!("webhooks-{theme}")).await;

        stage.tab.click("nav a", "Fleet").await;
        stage.tab.click("button", "New satellite").await;
        stage.tab.fill("Name", &format!("Vienna {theme}")).await;
        stage.tab.fill("Region", "eu-central").await;
        stage.tab.click("button", "Make it").await;
        let satellite = stage.shown_once().await;
        take(&stage, &format!("new-satellite-{theme}")).await;
        stage.tab.click("button", "Done").await;
        let path = format!("/api/v1/satellites/{}", satellite.id);
        assert_eq!(stage.api.delete(&path).await.status, StatusCode::NO_CONTENT);
    }
    stage.tab.look(Look { width: 390, height: 844, dark: false }).await;
    stage.row_says("Tokyo", "Online").await;
    stage.tab.shows(&format!("{}\nAll", FLEET.len())).await;
    take(&stage, "fleet-narrow").await;
    silent.resume();
}

/// Makes webhooks, whose receivers take what they are told.
async fn told(stage: &Stage) -> Vec<Receiver> {
    let mut receivers = Vec::new();
    for (name, path, more) in [
        (
            "On-call",
            "on-call",
            json!({"filter": {"events": ["satellite.disconnected", "satellite.heartbeat_lost"]}}),
        ),
        (FAILING, "status-page", json!({"filter": {"tags": "env=prod, tier in (core, edge)"}})),
        ("Data lake", "events", json!({"mode": "binary"})),
        (
            "Chat of the night shift",
            "chat",
            json!({"filter": {"region": "af-east"}, "active": false}),
        ),
    ] {
        let receiver = Receiver::start().await;
        let path = stage.webhook(name, &receiver.at(path)).await;
        stage.api.patch(&path, &more).await.expect(StatusCode::OK);
        receivers.push(receiver);
    }
    receivers
}

/// Makes the fleet, and lets the silent one come and go in the hour before now: the server is started
/// with its clock set back, again and again.
async fn past(site: &Site) -> Vec<Satellite> {
    let clock = site.folder().join("wall-clock");
    let mut fleet = Vec::new();
    for (step, minutes) in PAST.iter().enumerate() {
        std::fs::write(&clock, (-minutes * 60_000).to_string()).expect("a file can be written");
        let set_back = ["--test-wall-clock", &clock.display().to_string()];
        let server = site.serve_with(&[POD, &set_back].concat()).await;
        let api = site.api(&server);
        if fleet.is_empty() {
            for (name, region, tier) in FLEET {
                fleet.push(make(&api, name, region, tier).await);
            }
        }
        let satellite = fleet.iter().find(|one| one.name == SILENT).expect("it was made");
        // Up at even steps, and left so; down at odd ones.
        let socket = Socket::connect(&server, satellite).await;
        if step % 2 == 1 {
            socket.close().await;
        }
        server.stop().await;
    }
    std::fs::remove_file(&clock).expect("the file is there");
    fleet
}

/// One receiver took what happened so far, and then takes no more.
async fn fails_later(stage: &Stage, fleet: &[Satellite], receiver: &Receiver) {
    eventually("the receiver is told", async || {
        (receiver.received().len() > FLEET.len() - 2).then_some(())
    })
    .await;
    receiver.answer(503, "upstream is not reachable\n");
    let left = fleet.iter().find(|one| one.name == LEFT).expect("it was made");
    Socket::visit(&stage.server, &stage.api, left).await;
}

async fn make(api: &Api, name: &str, region: &str, tier: &str) -> Satellite {
    let wanted = json!({"name": name, "region": region, "tags": {"env": "prod", "tier": tier}});
    Satellite::read(&api.post("/api/v1/satellites", &wanted).await.expect(StatusCode::CREATED))
}

/// Lets everybody be what they shall be in the pictures.
async fn present(stage: &Stage, fleet: &[Satellite]) -> (Vec<Beating>, Agent) {
    let mut beating = Vec::new();
    let mut silent = None;
    for satellite in fleet {
        match satellite.name.as_str() {
            NEVER => {}
            LEFT => Socket::visit(&stage.server, &stage.api, satellite).await,
            SILENT => silent = Some(Agent::start(&stage.site, stage.server.url(), satellite)),
            _ => beating.push(Beating::new(Socket::connect(&stage.server, satellite).await)),
        }
    }
    let silent = silent.expect("one is silent");
    let id = &fleet.iter().find(|one| one.name == SILENT).expect("it was made").id;
    eventually("the agent is online", async || {
        (stage.api.status(id).await == "online").then_some(())
    })
    .await;
    silent.halt();
    (beating, silent)
}

async fn take(stage: &Stage, name: &str) {
    // No pointer over a row, no caret, nothing that still moves.
    let _: Value = stage.tab.eval("document.activeElement?.blur()").await;
    let _: Value = stage
        .tab
        .eval("Promise.all(document.getAnimations().filter((one) => one.effect.getTiming().iterations !== Infinity).map((one) => one.finished)).then(() => null)")
        .await;
    let picture = stage.tab.picture().await;
    assert!(picture.len() < LARGEST, "{name} has {} bytes", picture.len());
    let made = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(made.join(format!("{name}.png")), &picture).expect("a file can be written");
    if std::env::var("GROUNDCONTROL_SCREENSHOTS").is_ok_and(|wish| wish == "refresh") {
        let tree = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("screenshots");
        std::fs::create_dir_all(&tree).expect("the folder can be made");
        std::fs::write(tree.join(format!("{name}.png")), &picture).expect("a file can be written");
    }
}

/// The words above a picture in the README must not outlive it.
#[test]
fn the_pictures_in_the_tree_are_small() {
    let tree = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("screenshots");
    let pictures: Vec<_> =
        std::fs::read_dir(tree).expect("the folder is there").map(Result::unwrap).collect();
    assert!(pictures.len() >= 11, "{pictures:?}");
    for picture in pictures {
        let bytes = picture.metadata().expect("it can be looked at").len();
        assert!(bytes < LARGEST as u64, "{:?} has {bytes} bytes", picture.path());
    }
}
