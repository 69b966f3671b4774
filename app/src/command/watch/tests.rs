//! What keys do, and what is drawn.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use groundcontrol_core::connection::Status as CoreStatus;
use groundcontrol_core::time::Timestamp;
use groundcontrol_http::dto::{Satellite, Transition};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::{Value, json};
use uuid::Uuid;

use super::draw::draw;
use super::follow::Known;
use super::picture::{Answer, History, Picture};

/// 2026-01-31T12:00:00Z
const NOW: Timestamp = Timestamp::from_millis(1_769_860_800_000);

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn satellite(number: u128, name: &str, more: &Value) -> Satellite {
    let mut satellite = json!({
        "id": id(number), "name": name, "region": "eu-central", "tags": {}, "capabilities": [],
        "enabled": true, "status": "offline", "createdAt": "2026-01-01T00:00:00.000Z"
    });
    satellite.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(satellite).unwrap()
}

fn online() -> Value {
    json!({
        "status": "online", "version": "1.4.0", "lastEvent": "connected",
        "lastEventAt": "2026-01-31T10:55:00.000Z", "lastSeenAt": "2026-01-31T11:59:57.000Z"
    })
}

fn lost() -> Value {
    json!({
        "lastEvent": "heartbeat_lost", "lastEventAt": "2026-01-31T11:58:00.000Z",
        "lastSeenAt": "2026-01-31T11:57:00.000Z", "region": "af-east", "tags": {"tier": "edge"}
    })
}

fn knowing(satellites: impl IntoIterator<Item = Satellite>) -> Known {
    let satellites = satellites.into_iter().map(|one| (one.id, one)).collect();
    Known { satellites, ..Known::default() }
}

fn three() -> Known {
    let hostile = json!({"version": "\u{1b}[2J", "region": "\u{202e}x"});
    knowing([
        satellite(3, "Nairobi", &lost()),
        satellite(1, "Berlin", &online()),
        satellite(2, "Lima <script>", &hostile),
    ])
}

fn showing(known: &Known) -> Picture {
    let mut picture = Picture::default();
    picture.fit(3);
    picture.update(known);
    picture
}

fn press(picture: &mut Picture, code: KeyCode) -> Answer {
    picture.press(KeyEvent::new(code, KeyModifiers::NONE))
}

fn type_in(picture: &mut Picture, text: &str) {
    for c in text.chars() {
        press(picture, KeyCode::Char(c));
    }
}

fn names(picture: &Picture) -> Vec<&str> {
    picture.rows.iter().map(|row| row.name.as_str()).collect()
}

fn drawn(picture: &mut Picture, columns: u16, rows: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| draw(picture, "http://127.0.0.1:8080", NOW, frame)).unwrap();
    terminal.backend().to_string()
}

#[test]
fn the_list_says_who_is_online_and_nothing_hostile_reaches_the_terminal() {
    let mut known = three();
    known.latest.push_front("12:00  satellite.heartbeat_lost  Nairobi".to_owned());
    insta::assert_snapshot!("list", drawn(&mut showing(&known), 110, 8));
}

#[test]
fn the_details_show_one_satellite_with_its_history() {
    let mut picture = showing(&three());
    press(&mut picture, KeyCode::Down);
    press(&mut picture, KeyCode::Down);
    assert_eq!(press(&mut picture, KeyCode::Enter), Answer::ReadHistory(id(3)));
    let transition: Transition = serde_json::from_value(json!({
        "id": format!("{}:7", id(3)), "satelliteId": id(3), "seq": 7, "epoch": 2,
        "event": "heartbeat_lost", "cause": "heartbeat_timeout", "pod": "p",
        "occurredAt": "2026-01-31T11:58:00.000Z", "previous": null, "next": null
    }))
    .unwrap();
    picture.details.as_mut().unwrap().history = History::Read(vec![transition]);
    insta::assert_snapshot!("details", drawn(&mut picture, 110, 20));
}

#[test]
fn a_narrow_and_low_terminal_shows_what_fits() {
    insta::assert_snapshot!("narrow", drawn(&mut showing(&three()), 40, 5));
    for (columns, rows) in [(1, 1), (3, 2), (200, 3)] {
        drawn(&mut showing(&three()), columns, rows);
    }
}

#[test]
fn what_is_stale_says_why() {
    let known = Known { stale: Some("-- stale: no answer".to_owned()), ..three() };
    assert!(drawn(&mut showing(&known), 110, 8).contains("-- stale: no answer"));
}

#[test]
fn an_empty_fleet_says_how_to_begin() {
    let text = drawn(&mut showing(&Known::default()), 110, 8);
    assert!(text.contains("groundcontrol satellites create"), "{text}");
}

#[test]
fn a_search_finds_by_name_region_and_tag() {
    for (search, found) in [("LIM", "Lima <script>"), ("af-", "Nairobi"), ("tier=ed", "Nairobi")] {
        let mut picture = showing(&three());
        type_in(&mut picture, &format!("/{search}"));
        picture.update(&three());
        assert_eq!(names(&picture), [found]);
    }
}

#[test]
fn letters_of_a_search_are_no_commands_and_escape_forgets_it() {
    let mut picture = showing(&three());
    type_in(&mut picture, "/qs");
    assert_eq!((picture.search.as_str(), picture.status), ("qs", None));
    press(&mut picture, KeyCode::Backspace);
    press(&mut picture, KeyCode::Enter);
    assert_eq!((picture.search.as_str(), picture.is_typing), ("q", false));
    press(&mut picture, KeyCode::Esc);
    assert_eq!(picture.search, "");
}

#[test]
fn a_status_narrows_the_list_to_offline_then_online_then_not_at_all() {
    let mut picture = showing(&three());
    let mut next = || {
        press(&mut picture, KeyCode::Char('s'));
        picture.update(&three());
        (picture.status, picture.rows.len())
    };
    let turns = [next(), next(), next()];
    let (offline, online) = (Some(CoreStatus::Offline), Some(CoreStatus::Online));
    assert_eq!(turns, [(offline, 2), (online, 1), (None, 3)]);
}

#[test]
fn the_selection_stays_on_its_satellite_while_the_list_changes() {
    let mut picture = showing(&three());
    press(&mut picture, KeyCode::Down);
    assert_eq!(picture.selected, Some(id(2)));
    let mut known = three();
    known.satellites.insert(id(9), satellite(9, "Aachen", &online()));
    picture.update(&known);
    assert_eq!((picture.selected, picture.place()), (Some(id(2)), Some(2)));
}

#[test]
fn the_selection_moves_on_when_its_satellite_is_removed() {
    let mut picture = showing(&three());
    press(&mut picture, KeyCode::End);
    press(&mut picture, KeyCode::Enter);
    let mut known = three();
    known.satellites.remove(&id(3));
    picture.update(&known);
    assert!(picture.details.is_none());
    assert!(picture.place().is_some());
}

#[test]
fn the_screen_follows_the_selection_to_both_ends() {
    let fleet =
        knowing((0..100).map(|number| satellite(number, &format!("s{number:02}"), &online())));
    let mut picture = showing(&fleet);
    picture.fit(10);
    let mut seen = |code| {
        press(&mut picture, code);
        (picture.place().unwrap(), picture.top)
    };
    assert_eq!(seen(KeyCode::PageDown), (10, 1));
    assert_eq!(seen(KeyCode::Up), (9, 1));
    assert_eq!(seen(KeyCode::End), (99, 90));
    assert_eq!(seen(KeyCode::Down), (99, 90));
    assert_eq!(seen(KeyCode::PageUp), (89, 89));
    assert_eq!(seen(KeyCode::Home), (0, 0));
    assert_eq!(seen(KeyCode::Up), (0, 0));
}

#[test]
fn the_details_follow_the_selection() {
    let mut picture = showing(&three());
    press(&mut picture, KeyCode::Enter);
    assert_eq!(press(&mut picture, KeyCode::Down), Answer::ReadHistory(id(2)));
    assert_eq!(press(&mut picture, KeyCode::Enter), Answer::Draw);
    assert!(picture.details.is_none());
}

#[test]
fn only_q_and_control_c_quit() {
    let mut picture = showing(&three());
    assert_eq!(press(&mut picture, KeyCode::Esc), Answer::Draw);
    assert_eq!(press(&mut picture, KeyCode::Char('q')), Answer::Quit);
    let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    type_in(&mut picture, "/");
    assert_eq!(picture.press(interrupt), Answer::Quit);
}
