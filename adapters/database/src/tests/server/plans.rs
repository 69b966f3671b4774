//! Each statement that runs often, or over a whole fleet, uses the index that was made for it:
//! asked of PostgreSQL with a fleet of twenty thousand, as statements are prepared.

use groundcontrol_core::connection::Status;
use groundcontrol_core::ports::{ListQuery, QuietQuery};
use groundcontrol_core::time::Timestamp;
use groundcontrol_testpostgres::Schema;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use tokio::sync::OnceCell;

use super::open;
use crate::dialect::Dialect;
use crate::read::plans;
use crate::write::plans as writes;

static FLEET: OnceCell<Schema> = OnceCell::const_new();

/// All connected, a tenth with a threshold of their own, each with a token and two transitions.
const FILL: &str = "INSERT INTO satellites (id, name, region, tags, capabilities, created_at) \
    SELECT gen_random_uuid(), 'satellite ' || n, 'eu', '{}', '[]', 0 FROM generate_series(1, 20000) n; \
    INSERT INTO satellite_connections (satellite_id, epoch, seq, last_heartbeat_at, last_event, \
    offline_threshold_ms, last_event_at, last_cause) \
    SELECT id, 1, 1, 1700000000000 + row_number() OVER (), 'connected', \
    CASE WHEN row_number() OVER () % 10 = 0 THEN 60000 END, 0, 'authenticated' FROM satellites; \
    INSERT INTO satellite_tokens (satellite_id, token_id, hash) \
    SELECT id, id, 'sha256:' || id FROM satellites; \
    INSERT INTO transitions (satellite_id, seq, epoch, event, occurred_at, pod, name, region) \
    SELECT id, seq, 1, 'connected', 1700000000000 + seq, 'pod', name, region \
    FROM satellites, generate_series(1, 2) AS seq; \
    INSERT INTO systems (id, name, metadata, created_at) \
    SELECT gen_random_uuid(), 'system ' || n, '{}', 0 FROM generate_series(1, 20) n; \
    INSERT INTO checks (id, name, strategy_id, config, collectors, interval_seconds, created_at) \
    SELECT gen_random_uuid(), 'check ' || n, 's', '{}', '[]', 60, 0 FROM generate_series(1, 20) n; \
    INSERT INTO assignments (id, check_id, system_id, created_at) \
    SELECT gen_random_uuid(), c.id, s.id, 0 FROM checks c, systems s; \
    INSERT INTO assignment_satellites (satellite_id, assignment_id) \
    SELECT s.id, a.id FROM (SELECT id FROM satellites LIMIT 100) s, assignments a; \
    INSERT INTO runs (satellite_id, repetition, source, check_id, system_id, status, executed_at, \
    received_at) SELECT n.satellite_id, 'at ' || a.id, 's', a.check_id, a.system_id, 'healthy', 0, 0 \
    FROM assignment_satellites n JOIN assignments a ON a.id = n.assignment_id; \
    INSERT INTO latest_runs SELECT check_id, system_id, satellite_id, '', number, 0, 0 FROM runs; \
    ANALYZE";

/// A connection to the fleet, as those of the store are.
async fn fleet() -> DatabaseConnection {
    let schema = FLEET.get_or_init(|| async {
        let schema = Schema::make().await;
        open(&schema.url()).await.close().await;
        schema.run(FILL).await;
        schema
    });
    let connection = schema.await.connect().await;
    connection.execute_unprepared("SET plan_cache_mode = force_generic_plan").await.unwrap();
    connection
}

/// What PostgreSQL would do, a line a step, without knowing any parameter.
async fn plan(sql: &str) -> Vec<String> {
    let connection = fleet().await;
    let parameters = (1..).take_while(|n| sql.contains(&format!("${n}"))).count();
    let execute = match parameters {
        0 => "EXPLAIN EXECUTE asked".to_owned(),
        n => format!("EXPLAIN EXECUTE asked({})", vec!["NULL"; n].join(", ")),
    };
    connection.execute_unprepared(&format!("PREPARE asked AS {sql}")).await.unwrap();
    let explain = Statement::from_string(connection.get_database_backend(), execute);
    let rows = connection.query_all_raw(explain).await.unwrap();
    let lines = rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap());
    lines.map(|line| line.trim_start_matches([' ', '-', '>']).to_owned()).collect()
}

/// Some step uses each of `indexes`, and none reads a table of the fleet from end to end.
#[track_caller]
fn holds(plan: &[String], indexes: &[&str]) {
    for index in indexes {
        let used = |line: &&String| {
            line.contains(&format!("using {index} on ")) || line.contains(&format!("on {index} "))
        };
        assert!(plan.iter().any(|line| used(&line)), "no {index} in {plan:#?}");
    }
    let tables = [
        "satellites",
        "satellite_connections",
        "satellite_tokens",
        "transitions",
        "runs",
        "latest_runs",
    ];
    let full = |line: &&String| {
        tables.iter().any(|table| line.starts_with(&format!("Seq Scan on {table}")))
    };
    assert_eq!(plan.iter().find(full), None, "{plan:#?}");
}

/// The name of a step: what stands before its costs.
fn step(line: &str) -> &str {
    line.split_once("  (").map_or("", |(step, _)| step)
}

fn sorts(plan: &[String]) -> usize {
    let sorts = plan.iter().filter(|line| ["Sort", "Incremental Sort"].contains(&step(line)));
    sorts.count()
}

#[tokio::test]
async fn a_look_for_overdue_satellites_uses_both_indexes_and_sorts_only_what_it_found() {
    let plan = plan(&plans::overdue()).await;
    let indexes = [
        "satellite_connections_heard_default",
        "satellite_connections_heard_own",
        "satellite_connections_pkey",
        "satellites_pkey",
    ];
    holds(&plan, &indexes);
    // One of what was found by the default threshold, and one of all that was found.
    assert!(sorts(&plan) <= 2, "{plan:#?}");
}

#[tokio::test]
async fn the_next_threshold_is_the_first_of_each_index() {
    let plan = plan(&plans::next_threshold()).await;
    holds(&plan, &["satellite_connections_heard_default", "satellite_connections_heard_own"]);
    assert_eq!(sorts(&plan), 0, "{plan:#?}");
}

#[tokio::test]
async fn the_smallest_threshold_is_the_first_of_its_index() {
    let plan = plan(&plans::smallest_threshold()).await;
    holds(&plan, &["satellite_connections_own_threshold"]);
    assert_eq!(sorts(&plan), 0, "{plan:#?}");
}

#[tokio::test]
async fn heartbeats_and_edges_find_their_rows_by_primary_key_in_the_order_of_ids() {
    for sql in [writes::heartbeats(Dialect::Postgres), writes::edges(Dialect::Postgres)] {
        let plan = plan(&sql).await;
        holds(&plan, &["satellite_connections_pkey"]);
        // A nested loop takes the rows as they come, and they come sorted.
        assert!(plan.iter().any(|line| line.starts_with("Nested Loop")), "{plan:#?}");
        assert!(!plan.iter().any(|line| line.starts_with("Hash Join")), "{plan:#?}");
    }
}

#[tokio::test]
async fn records_are_locked_by_primary_key() {
    let sql = Dialect::Postgres.lock_records().unwrap();
    holds(&plan(sql).await, &["satellite_connections_pkey"]);
}

#[tokio::test]
async fn credentials_find_their_rows_by_primary_keys() {
    let indexes = ["satellite_connections_pkey", "satellites_pkey", "satellite_tokens_pkey"];
    holds(&plan(&plans::credentials(Dialect::Postgres)).await, &indexes);
    holds(&plan(&plans::snapshots(Dialect::Postgres)).await, &indexes[..2]);
}

#[tokio::test]
async fn expired_tokens_and_slow_hashes_have_their_indexes() {
    holds(&plan(plans::EXPIRED_TOKENS).await, &["satellite_tokens_expires_at"]);
    holds(&plan(plans::SLOW_HASH).await, &["satellite_tokens_slow"]);
}

#[tokio::test]
async fn events_are_read_in_their_order_from_the_cursor_on() {
    let plan = plan(&plans::events_after()).await;
    holds(&plan, &["transitions_pkey"]);
    assert_eq!(sorts(&plan), 0, "{plan:#?}");
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
    let (sql, _) = plans::list(Dialect::Postgres, &query);
    let plan = plan(&sql).await;
    let by_name = ["satellites_name_key", "satellites_region"];
    let used = |index: &str| plan.iter().any(|line| line.contains(index));
    assert!(by_name.into_iter().any(used), "{plan:#?}");
    assert_eq!(sorts(&plan), 0, "{plan:#?}");
}

/// The latest runs are found by an index of theirs: each begins with other columns of the key, and
/// where two of these are known it is the same which one is used.
#[track_caller]
fn uses_latest_runs(plan: &[String]) {
    let used = |line: &&String| line.contains("using latest_runs_");
    assert!(plan.iter().any(|line| used(&line)), "no index of latest_runs in {plan:#?}");
    holds(plan, &[]);
}

#[tokio::test]
async fn latest_runs_are_read_in_the_order_of_an_index_whatever_the_filter() {
    for (query, begins_with) in super::super::query_plans::latest_runs() {
        let (sql, _) = plans::latest_runs(&query);
        let plan = plan(&sql).await;
        match begins_with {
            "check_id" => holds(&plan, &["latest_runs_pkey", "runs_pkey"]),
            "system_id" => holds(&plan, &["latest_runs_system", "runs_pkey"]),
            "satellite_id" => holds(&plan, &["latest_runs_satellite", "runs_pkey"]),
            _ => uses_latest_runs(&plan),
        }
        assert_eq!(sorts(&plan), 0, "{plan:#?}");
    }
}

#[tokio::test]
async fn a_look_for_quiet_checks_reads_no_latest_run_that_it_does_not_need() {
    let query = QuietQuery { now: Timestamp::default(), after: None, limit: 1_000 };
    let (sql, _) = plans::quiet(&query);
    uses_latest_runs(&plan(&sql).await);
    let plan = plan(&plans::assigned(Dialect::Postgres)).await;
    holds(&plan, &["assignment_satellites_assignment", "satellite_connections_pkey"]);
}

#[tokio::test]
async fn the_latest_run_of_each_key_is_kept_and_forgotten_by_primary_keys() {
    holds(&plan(&writes::latest_runs(Dialect::Postgres)).await, &["runs_pkey"]);
    uses_latest_runs(&plan(&writes::forget_latest(Dialect::Postgres)).await);
}
