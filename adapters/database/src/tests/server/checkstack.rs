//! Reading the database of somebody else.

use groundcontrol_testpostgres::Schema;

use crate::{CheckstackSatellite, checkstack_satellites};

async fn read(schema: &Schema) -> Result<Vec<CheckstackSatellite>, String> {
    checkstack_satellites(&schema.url(), None).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_table_of_any_version_is_read_in_the_order_of_its_ids() {
    let schema = Schema::make().await;
    schema
        .run(
            "CREATE TABLE satellites (id uuid PRIMARY KEY, name text, region varchar(9), \
             tags jsonb, token_hash text, last_heartbeat_at timestamptz, version text, \
             last_connection_event text, offline_threshold_ms integer, capabilities text[], \
             created_at timestamp);
             INSERT INTO satellites VALUES
             ('00000000-0000-0000-0000-000000000002', 'b', 'eu', NULL, '$2b$10$x', NULL, NULL, \
              NULL, NULL, NULL, NULL),
             ('00000000-0000-0000-0000-000000000001', 'a', 'eu', '{\"k\": \"v\"}', '$2b$10$x', \
              now(), '1.0', 'connected', 45000, '{http,tcp}', '2026-01-31 12:00:00')",
        )
        .await;
    let rows = read(&schema).await.unwrap();
    let names: Vec<_> = rows.iter().map(|row| row.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["a", "b"]);
    let (full, bare) = (&rows[0], &rows[1]);
    assert_eq!((full.tags["k"].as_str(), full.offline_threshold_ms), ("v", Some(45_000)));
    assert_eq!(full.capabilities, ["http", "tcp"]);
    assert_eq!(full.created_at.unwrap().as_millis(), 1_769_860_800_000);
    assert_eq!((full.hash(), &full.faults), (Some("$2b$10$x"), &Vec::new()));
    assert_eq!((bare.created_at, bare.offline_threshold_ms, bare.tags.len()), (None, None, 0));
}

#[tokio::test]
async fn columns_that_a_table_lacks_are_merely_absent() {
    let schema = Schema::make().await;
    schema.run("CREATE TABLE satellites (id text, name text); INSERT INTO satellites VALUES ('x', 'a')").await;
    let rows = read(&schema).await.unwrap();
    assert_eq!((rows[0].id.as_str(), &rows[0].region, rows[0].hash()), ("x", &None, None));
}

#[tokio::test]
async fn a_database_without_the_table_is_named_so() {
    let schema = Schema::make().await;
    let refused = read(&schema).await.unwrap_err();
    let expected = "could not read the table satellites of Checkstack: relation \"satellites\" \
                    does not exist";
    assert_eq!(refused, expected);
}
