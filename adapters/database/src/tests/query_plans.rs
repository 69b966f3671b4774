//! Each statement that runs often, or over a whole fleet, uses the index that was made for it.

use groundcontrol_core::assignment::{CheckId, SystemId};
use groundcontrol_core::connection::Status;
use groundcontrol_core::ports::{LatestQuery, ListQuery, QuietQuery};
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
    let tables =
        ["SCAN satellite", "SCAN transition", "SCAN c", "SCAN s", "SCAN t", "SCAN l", "SCAN r"];
    let full = |line: &&String| tables.iter().any(|scan| is_full_scan(line, scan));
    assert_eq!(plan.iter().find(full), None, "{plan:#?}");
}

/// A scan of an index that the statement leaves after its first row is none of a table.
fn is_full_scan(line: &str, scan: &str) -> bool {
    let Some(rest) = line.strip_prefix(scan) else { return false };
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
