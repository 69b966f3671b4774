//! What becomes of rows of another system.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::collections::BTreeMap;

use groundcontrol_core::connection::Origin;
use groundcontrol_core::ports::{CredentialAction, CredentialChange, SatelliteStore as _};
use groundcontrol_core::satellite::{HashedToken, PodName, SatelliteId, Token, TokenHash, TokenId};
use groundcontrol_core::time::Timestamp;
use groundcontrol_memory::MemoryStore;
use secrecy::SecretString;
use uuid::Uuid;

use groundcontrol::import::{Imported, Outcome, import, judge};
use groundcontrol::wiring::CheckstackSatellite;

const NOW: Timestamp = Timestamp::from_millis(1_000);
/// Bcrypt of some text, as bcrypt's own documentation has it.
const HASH: &str = "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";

fn row(number: u128) -> CheckstackSatellite {
    CheckstackSatellite {
        id: Uuid::from_u128(number).to_string(),
        name: Some(format!("satellite {number}")),
        region: Some("eu".to_owned()),
        tags: BTreeMap::from([("tier".to_owned(), "edge".to_owned())]),
        token_hash: Some(SecretString::from(HASH)),
        offline_threshold_ms: Some(60_000),
        version: Some("1.2".to_owned()),
        capabilities: vec!["http".to_owned()],
        created_at: Some(Timestamp::from_millis(7)),
        faults: Vec::new(),
    }
}

async fn into(store: &MemoryStore, rows: &[CheckstackSatellite]) -> Imported {
    import(rows, Some(store), NOW, false, false).await.unwrap()
}

fn outcomes(imported: &Imported) -> Vec<Outcome> {
    imported.outcomes.iter().map(|(_, outcome)| outcome.clone()).collect()
}

#[tokio::test]
async fn a_row_becomes_a_satellite_that_never_connected_with_its_id_and_hash() {
    let store = MemoryStore::new();
    let imported = into(&store, &[row(1)]).await;
    assert_eq!((outcomes(&imported), imported.written), (vec![Outcome::Made], true));
    let id = SatelliteId(Uuid::from_u128(1));
    let stored = store.get(id).await.unwrap().unwrap();
    assert_eq!(stored.satellite, imported.outcomes[0].0);
    assert_eq!(stored.record, Default::default());
    let held = store.credentials(id).await.unwrap().unwrap();
    assert_eq!(held.tokens[0].hash, TokenHash::Bcrypt(HASH.to_owned()));
}

#[tokio::test]
async fn doing_it_again_changes_what_differs_and_no_credential() {
    let store = MemoryStore::new();
    into(&store, &[row(1), row(2)]).await;
    let id = SatelliteId(Uuid::from_u128(1));
    let read = store.snapshot(id).await.unwrap().unwrap();
    let hash = TokenHash::of(&Token::for_satellite([7; 32]));
    let new = HashedToken { id: TokenId(Uuid::from_u128(9)), hash, expires_at: None };
    let action = CredentialAction::Replace(new.clone());
    let origin = Origin { pod: PodName::new("pod"), actor: None, remote_address: None };
    let change = CredentialChange { read, action, edge: None, origin, now: NOW };
    store.change_credentials(change).await.unwrap();
    assert_eq!(outcomes(&into(&store, &[row(1), row(2)]).await), [Outcome::Same, Outcome::Same]);
    let moved =
        CheckstackSatellite { region: Some("us".into()), offline_threshold_ms: None, ..row(1) };
    let changed = outcomes(&into(&store, &[moved, row(2)]).await);
    assert_eq!(changed, [Outcome::Changed(vec!["region", "offlineThreshold"]), Outcome::Same]);
    let stored = store.get(id).await.unwrap().unwrap().satellite;
    assert_eq!((stored.region.as_str(), stored.own_threshold), ("us", None));
    assert_eq!(store.credentials(id).await.unwrap().unwrap().tokens, [new]);
}

#[tokio::test]
async fn a_dry_run_writes_nothing() {
    let store = MemoryStore::new();
    let shown = import(&[row(1)], Some(&store), NOW, true, false).await.unwrap();
    assert_eq!((outcomes(&shown), shown.written), (vec![Outcome::Made], false));
    assert_eq!(store.get(SatelliteId(Uuid::from_u128(1))).await, Ok(None));
    let nowhere = import(&[row(1)], None, NOW, true, false).await.unwrap();
    assert_eq!(outcomes(&nowhere), [Outcome::Made]);
}

#[tokio::test]
async fn one_row_at_fault_keeps_all_out_unless_it_is_skipped() {
    let store = MemoryStore::new();
    let bad = CheckstackSatellite { region: Some(" ".into()), ..row(1) };
    let rows = [bad, row(2)];
    let refused = into(&store, &rows).await;
    assert_eq!((refused.problems.len(), refused.written), (1, false));
    assert_eq!(store.get(SatelliteId(Uuid::from_u128(2))).await, Ok(None));
    let skipped = import(&rows, Some(&store), NOW, false, true).await.unwrap();
    assert_eq!((outcomes(&skipped), skipped.written), (vec![Outcome::Made], true));
}

#[tokio::test]
async fn a_name_that_another_satellite_has_is_a_fault() {
    let store = MemoryStore::new();
    into(&store, &[row(1)]).await;
    let twin = |number| CheckstackSatellite { name: row(1).name, ..row(number) };
    let refused = into(&store, &[twin(2)]).await;
    let id = Uuid::from_u128(1);
    assert_eq!(refused.problems[0].why, [format!("another satellite has the name, {id}")]);
    let among_themselves = into(&MemoryStore::new(), &[twin(2), twin(3)]).await;
    assert_eq!(among_themselves.problems.len(), 1);
}

#[test]
fn everything_that_is_wrong_with_a_row_is_said() {
    let bad = CheckstackSatellite {
        id: "seven".into(),
        name: None,
        region: Some("a\u{7}".into()),
        tags: BTreeMap::from([(String::new(), String::new())]),
        token_hash: Some(SecretString::from(
            "$2b$31$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
        )),
        offline_threshold_ms: Some(1),
        faults: vec!["created_at is no point in time".into()],
        ..row(1)
    };
    let interval = groundcontrol_core::limits::HEARTBEAT_INTERVAL;
    let problem = judge(&bad, interval, NOW).unwrap_err();
    assert_eq!(problem.row, "without a name (seven)");
    let expected = [
        "created_at is no point in time",
        "the id \"seven\" is no UUID",
        "name is missing",
        "region \"a\\u{7}\" must not contain control characters (found U+0007)",
        "the tag \"\" must not be empty",
        "offline_threshold_ms 1 must be at least two heartbeat intervals (30 s), so that one lost \
         heartbeat is no outage",
        "token_hash has the cost 31; 4 to 12 are taken",
    ];
    assert_eq!(problem.why, expected);
    let plain =
        CheckstackSatellite { token_hash: Some(SecretString::from("csat_plain")), ..row(1) };
    assert_eq!(judge(&plain, interval, NOW).unwrap_err().why, ["token_hash is no bcrypt hash"]);
}
