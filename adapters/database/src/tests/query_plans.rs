//! Each statement that runs often, or over a whole fleet, uses the index that was made for it.

use groundcontrol_core::assignment::{CheckId, SystemId};
use groundcontrol_core::automation::{DeliveryState, WebhookId};
use groundcontrol_core::connection::Status;
use groundcontrol_core::ports::{
    DeliveryQuery, LatestQuery, ListQuery, QuietQuery, SecretDeliveryQuery,
};
use groundcontrol_core::run::RunKey;
use groundcontrol_core::satellite::SatelliteId;
use groundcontrol_core::time::Timestamp;
use sea_orm::Value;
use uuid::Uuid;

use super::store;
use crate::dialect::Dialect;
use crate::read::plans;
use crate::write::plans as writes;

/// What SQLite would do, a line a step.
async fn plan(sql: &str) -> Vec<String> {
    let (store, _folder) = store().await;
    let explain = format!("EXPLAIN QUERY PLAN {sql}");
    let rows = store.writing().all(explain, Vec::<Value>::new()).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index::<String>(3).unwrap()).collect()
}

/// Some step of `plan` begins with each of `steps`, and none reads a table from end to end.
#[track_caller]
fn holds(plan: &[String], steps: &[&str]) {
    for step in steps {
        assert!(plan.iter().any(|line| line.starts_with(step)), "no {step:?} in {plan:#?}");
    }
    let tables = [
        "SCAN satellite",
        "SCAN transition",
        "SCAN webhook_deliveries",
        "SCAN package",
        "SCAN b",
        "SCAN c",
        "SCAN d",
        "SCAN e",
        "SCAN l",
        "SCAN r",
        "SCAN s",
        "SCAN t",
    ];
    let full = |line: &&String| tables.iter().any(|scan| is_full_scan(line, scan));
    assert_eq!(plan.iter().find(full), None, "{plan:#?}");
}

/// The rows come in the order of an index.
#[track_caller]
fn sorts_nothing(plan: &[String]) {
    assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "{plan:#?}");
}

/// A scan of an index that the statement leaves after its first row is none of a table.
fn is_full_scan(line: &str, scan: &str) -> bool {
    let Some(rest) = line.strip_prefix(scan) else { return false };
    let is_alias = scan.len() == "SCAN x".len();
    if is_alias && !rest.is_empty() && !rest.starts_with(' ') {
        return false;
    }
    !rest.contains("USING") && !rest.contains("CONSTANT")
}

#[tokio::test]
async fn a_look_for_overdue_satellites_uses_both_indexes() {
    let steps = [
        "SEARCH satellite_connections USING INDEX satellite_connections_heard_default (last_heartbeat_at<?)",
        "SEARCH satellite_connections USING INDEX satellite_connections_heard_own (<expr><?)",
        "SEARCH c USING PRIMARY KEY (satellite_id=?)",
        "SEARCH s USING INDEX sqlite_autoindex_satellites_1 (id=?)",
    ];
    holds(&plan(&plans::overdue()).await, &steps);
}

#[tokio::test]
async fn a_look_for_overdue_satellites_sorts_only_what_it_found() {
    let plan = plan(&plans::overdue()).await;
    let sorts = plan.iter().filter(|line| line.contains("TEMP B-TREE")).count();
    assert_eq!(sorts, 1, "{plan:#?}");
}

#[tokio::test]
async fn the_next_threshold_is_the_first_of_each_index() {
    let plan = plan(&plans::next_threshold()).await;
    for index in ["satellite_connections_heard_default", "satellite_connections_heard_own"] {
        assert!(plan.iter().any(|line| line.contains(index)), "no {index} in {plan:#?}");
    }
    assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "{plan:#?}");
}

#[tokio::test]
async fn the_smallest_threshold_is_the_first_of_its_index() {
    let plan = plan(&plans::smallest_threshold()).await;
    let index = "satellite_connections_own_threshold";
    assert!(plan.iter().any(|line| line.contains(index)), "{plan:#?}");
    assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "{plan:#?}");
}

#[tokio::test]
async fn heartbeats_find_their_rows_by_primary_key() {
    let plan = plan(&writes::heartbeats(Dialect::Sqlite)).await;
    holds(&plan, &["SEARCH c USING PRIMARY KEY (satellite_id=?)"]);
}

#[tokio::test]
async fn edges_find_their_rows_by_primary_key() {
    let plan = plan(&writes::edges(Dialect::Sqlite)).await;
    holds(&plan, &["SEARCH c USING PRIMARY KEY (satellite_id=?)"]);
}

#[tokio::test]
async fn credentials_find_their_rows_by_primary_keys() {
    let steps = [
        "SEARCH c USING PRIMARY KEY (satellite_id=?)",
        "SEARCH s USING INDEX sqlite_autoindex_satellites_1 (id=?)",
        "SEARCH t USING PRIMARY KEY (satellite_id=?)",
    ];
    holds(&plan(&plans::credentials(Dialect::Sqlite)).await, &steps);
    holds(&plan(&plans::snapshots(Dialect::Sqlite)).await, &steps[..2]);
}

#[tokio::test]
async fn online_ids_come_from_both_indexes() {
    let steps = [
        "SEARCH satellite_connections USING INDEX satellite_connections_heard_default (last_heartbeat_at>?)",
        "SEARCH satellite_connections USING INDEX satellite_connections_heard_own (<expr>>?)",
    ];
    let plan = plan(&plans::online_ids(Dialect::Sqlite)).await;
    for step in steps {
        let covering = step.replace("USING INDEX", "USING COVERING INDEX");
        let used = plan.iter().any(|line| line.starts_with(step) || line.starts_with(&covering));
        assert!(used, "no {step:?} in {plan:#?}");
    }
}

#[tokio::test]
async fn expired_tokens_and_slow_hashes_have_their_indexes() {
    let expired = "SEARCH satellite_tokens USING COVERING INDEX satellite_tokens_expires_at";
    holds(&plan(plans::EXPIRED_TOKENS).await, &[expired]);
    let slow = plan(plans::SLOW_HASH).await;
    assert!(slow.iter().any(|line| line.contains("satellite_tokens_slow")), "{slow:#?}");
}

#[tokio::test]
async fn a_list_goes_through_the_names_from_where_the_last_page_ended() {
    let query = ListQuery {
        status: Some(Status::Online),
        region: Some("eu".to_owned()),
        after: Some("a".parse().unwrap()),
        limit: 10,
        ..ListQuery::default()
    };
    let (sql, _) = plans::list(Dialect::Sqlite, &query);
    let plan = plan(&sql).await;
    holds(&plan, &["SEARCH s USING INDEX satellites_region (region=? AND name>?)"]);
    assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "{plan:#?}");
    let (sql, _) = plans::list(Dialect::Sqlite, &ListQuery { region: None, ..query });
    let plan = self::plan(&sql).await;
    holds(&plan, &["SEARCH s USING INDEX sqlite_autoindex_satellites_2 (name>?)"]);
    assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "{plan:#?}");
}

/// Each filter of the latest runs, on a page that is not the first, with its index.
pub(super) fn latest_runs() -> Vec<(LatestQuery, &'static str)> {
    let (check, system) = (CheckId(Uuid::nil()), SystemId(Uuid::nil()));
    let satellite = Some(SatelliteId(Uuid::max()));
    let after = Some(RunKey { check, system, satellite, environment: String::new() });
    let all = LatestQuery { after, limit: 10, ..LatestQuery::default() };
    vec![
        (all.clone(), "check_id"),
        (LatestQuery { check: Some(check), ..all.clone() }, "check_id"),
        (LatestQuery { system: Some(system), ..all.clone() }, "system_id"),
        (LatestQuery { satellite, ..all.clone() }, "satellite_id"),
        (LatestQuery { check: Some(check), system: Some(system), ..all }, "either"),
    ]
}

#[tokio::test]
async fn latest_runs_are_read_in_the_order_of_an_index_whatever_the_filter() {
    for (query, begins_with) in latest_runs() {
        let (sql, _) = plans::latest_runs(&query);
        let plan = plan(&sql).await;
        let index = match begins_with {
            "check_id" => "PRIMARY KEY",
            "system_id" => "INDEX latest_runs_system",
            "satellite_id" => "INDEX latest_runs_satellite",
            _ => "",
        };
        let found = plan.iter().any(|line| line.starts_with("SEARCH l") && line.contains(index));
        assert!(found, "no {index} in {plan:#?}");
        holds(&plan, &["SEARCH r USING INTEGER PRIMARY KEY (rowid=?)"]);
        assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "{plan:#?}");
    }
}

#[tokio::test]
async fn a_look_for_quiet_checks_finds_what_was_run_lately_by_primary_key() {
    let query = QuietQuery { now: Timestamp::default(), after: None, limit: 10 };
    let (sql, _) = plans::quiet(&query);
    let plan = plan(&sql).await;
    let steps = ["SEARCH l USING PRIMARY KEY (check_id=? AND system_id=?)"];
    let lookups = plan.iter().filter(|line| line.starts_with(steps[0])).count();
    assert_eq!(lookups, 2, "{plan:#?}");
    assert!(!plan.iter().any(|line| line.starts_with("SCAN l")), "{plan:#?}");
}

#[tokio::test]
async fn who_is_there_to_run_a_quiet_check_is_found_by_indexes() {
    let plan = plan(&plans::assigned(Dialect::Sqlite)).await;
    let steps = [
        "SEARCH a USING INDEX assignments_",
        "SEARCH n USING COVERING INDEX assignment_satellites_assignment (assignment_id=?)",
        "SEARCH c USING PRIMARY KEY (satellite_id=?)",
    ];
    holds(&plan, &steps);
}

#[tokio::test]
async fn the_latest_run_of_each_key_is_kept_and_forgotten_by_primary_keys() {
    let kept = plan(&writes::latest_runs(Dialect::Sqlite)).await;
    holds(&kept, &["SEARCH r USING INTEGER PRIMARY KEY (rowid=?)"]);
    let forgotten = plan(&writes::forget_latest(Dialect::Sqlite)).await;
    holds(&forgotten, &["SEARCH latest_runs USING PRIMARY KEY"]);
}

#[tokio::test]
async fn webhooks_with_something_to_do_are_found_by_the_newest_event_and_the_first_delivery() {
    let plan = plan(plans::IDLE).await;
    // The webhooks themselves are few, and looked at one by one.
    assert!(plan.iter().any(|line| line == "SCAN w"), "{plan:#?}");
    let steps = ["SEARCH t", "SEARCH d USING COVERING INDEX webhook_deliveries_due (webhook_id=?)"];
    holds(&plan, &steps);
    sorts_nothing(&plan);
}

#[tokio::test]
async fn due_deliveries_come_in_the_order_of_an_index_and_look_for_those_before_them_in_another() {
    let plan = plan(plans::DUE).await;
    for index in [
        "webhook_deliveries_due (webhook_id=? AND next_at<?)",
        "webhook_deliveries_waiting (webhook_id=? AND ",
    ] {
        assert!(plan.iter().any(|line| line.contains(index)), "no {index} in {plan:#?}");
    }
    sorts_nothing(&plan);
}

#[tokio::test]
async fn what_waits_is_counted_in_an_index() {
    let plan = plan(plans::BACKLOG).await;
    holds(&plan, &["SEARCH w USING INDEX", "SEARCH d USING COVERING INDEX webhook_deliveries_"]);
}

#[tokio::test]
async fn events_of_deliveries_are_found_by_their_positions() {
    let plan = plan(&plans::events_at(Dialect::Sqlite)).await;
    holds(&plan, &["SEARCH transitions USING INTEGER PRIMARY KEY (rowid=?)"]);
}

/// Deliveries of a webhook in any state and in one, on a page that is not the first.
pub(super) fn deliveries() -> [DeliveryQuery; 2] {
    let webhook = WebhookId(Uuid::from_u128(1));
    let all = DeliveryQuery { webhook, state: None, after: Some(u64::MAX), limit: 10 };
    let dead = DeliveryQuery { state: Some(DeliveryState::Dead), ..all.clone() };
    [all, dead]
}

#[tokio::test]
async fn deliveries_are_listed_in_the_order_of_an_index_whatever_their_state() {
    for query in deliveries() {
        let plan = plan(&plans::deliveries(&query).0).await;
        let index = "INDEX webhook_deliveries_newest (webhook_id=? AND number<?)";
        holds(&plan, &[&format!("SEARCH webhook_deliveries USING {index}")]);
        sorts_nothing(&plan);
    }
}

#[tokio::test]
async fn of_old_deliveries_the_oldest_are_found_first() {
    let plan = plan(writes::PRUNE_DELIVERIES).await;
    let steps = [
        "SEARCH webhook_deliveries USING INTEGER PRIMARY KEY (rowid=?)",
        "SEARCH webhook_deliveries USING INDEX webhook_deliveries_done (attempted_at<?)",
    ];
    holds(&plan, &steps);
    sorts_nothing(&plan);
}

#[tokio::test]
async fn deliveries_of_secrets_are_listed_and_deleted_in_the_order_of_an_index() {
    let satellite = Some(SatelliteId(Uuid::nil()));
    let all = SecretDeliveryQuery { after: Some(9), limit: 10, ..SecretDeliveryQuery::default() };
    let of_one = SecretDeliveryQuery { satellite, ..all.clone() };
    for (query, step) in [
        (all, "SEARCH secret_deliveries USING INTEGER PRIMARY KEY (rowid<?)"),
        (of_one, "SEARCH secret_deliveries USING INDEX secret_deliveries_satellite"),
    ] {
        let plan = plan(&plans::secret_deliveries(&query).0).await;
        holds(&plan, &[step]);
        sorts_nothing(&plan);
    }
    let plan = plan(writes::PRUNE_SECRET_DELIVERIES).await;
    holds(&plan, &["SEARCH secret_deliveries USING COVERING INDEX secret_deliveries_at (at<?)"]);
}

#[tokio::test]
async fn packages_are_found_by_keys_and_listed_in_their_order() {
    let after = Some(SatelliteId(Uuid::nil()));
    let (states, _) = plans::sync_states(after, 10);
    for (sql, step) in [
        (plans::LOCKFILE, "SEARCH package_entries USING PRIMARY KEY (lockfile_hash=?)"),
        (&plans::held(Dialect::Sqlite), "SEARCH b USING PRIMARY KEY (sha256=?)"),
        (&states, "SEARCH package_sync_states USING PRIMARY KEY (satellite_id>?)"),
        (plans::PUT_BEFORE, "SEARCH package_blob_pieces USING INDEX"),
    ] {
        let plan = plan(sql).await;
        holds(&plan, &[step]);
        sorts_nothing(&plan);
    }
    // The lockfiles with one key are few, and sorted.
    let steps = [
        "SEARCH e USING INDEX package_entries_integrity (integrity=?)",
        "SEARCH l USING PRIMARY KEY (hash=?)",
        "SEARCH b USING PRIMARY KEY (sha256=?)",
    ];
    holds(&plan(&plans::blob_of()).await, &steps);
}
