//! What is written is read as the same, whatever it says; any text is read without a panic.

use groundcontrol_websocket::wire::{
    Assignment, AuthFailed, Authenticate, Authenticated, Collector, FromSatellite, Heartbeat,
    Opaque, RunResult, RunSecrets, RunStatus, SecretText, TelemetryAck, TelemetryBatch,
    ToSatellite,
};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

fn opaque() -> impl Strategy<Value = Opaque> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    let value = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            btree_map(any::<String>(), inner, 0..4).prop_map(serde_json::Value::from_iter),
        ]
    });
    value.prop_map(|value| Opaque::of(&value).expect("a value is JSON"))
}

fn secret() -> impl Strategy<Value = SecretText> {
    any::<String>().prop_map(SecretText::new)
}

prop_compose! {
    fn result()(
        (config_id, system_id, executed_at) in any::<(String, String, String)>(),
        status in prop::sample::select(
            vec![RunStatus::Healthy, RunStatus::Unhealthy, RunStatus::Degraded]
        ),
        quarters in any::<Option<u32>>(),
        result in prop::option::of(opaque()),
        (environment_id, result_id) in any::<(Option<String>, Option<String>)>(),
    ) -> FromSatellite<'static> {
        FromSatellite::Result(RunResult {
            config_id: config_id.into(),
            system_id: system_id.into(),
            status,
            // serde_json reads other fractions to within their last bit only.
            latency_ms: quarters.map(|quarters| f64::from(quarters) / 4.0),
            result,
            executed_at: executed_at.into(),
            environment_id,
            result_id,
        })
    }
}

fn from_satellite() -> impl Strategy<Value = FromSatellite<'static>> {
    let names = || any::<Option<Vec<String>>>();
    prop_oneof![
        (any::<String>(), secret(), names()).prop_map(|(client_id, token, capabilities)| {
            FromSatellite::Authenticate(Authenticate { client_id, token, capabilities })
        }),
        (any::<String>(), any::<u64>(), names()).prop_map(
            |(version, uptime_seconds, capabilities)| {
                let version = version.into();
                FromSatellite::Heartbeat(Heartbeat { version, uptime_seconds, capabilities })
            }
        ),
        result(),
        (any::<String>(), any::<String>(), opaque()).prop_map(|(batch_id, kind, payload)| {
            let dropped_by_group = None;
            FromSatellite::TelemetryBatch(TelemetryBatch {
                batch_id,
                kind,
                payload,
                dropped_by_group,
            })
        }),
    ]
}

prop_compose! {
    fn assignment()(
        (config_id, system_id, strategy_id) in any::<(String, String, String)>(),
        config in opaque(),
        collectors in prop::option::of(vec((any::<String>(), opaque()), 0..3)),
        interval_seconds in any::<u64>(),
        config_name in any::<Option<String>>(),
    ) -> Assignment {
        Assignment {
            config_id,
            system_id,
            strategy_id,
            config,
            collectors: collectors.map(|list| {
                list.into_iter()
                    .map(|(id, config)| Collector {
                        collector_id: id.clone(),
                        id,
                        config,
                        assertions: None,
                    })
                    .collect()
            }),
            interval_seconds,
            config_name,
            system_name: None,
            system_metadata: None,
            environments: None,
        }
    }
}

fn to_satellite() -> impl Strategy<Value = ToSatellite> {
    prop_oneof![
        any::<String>().prop_map(|reason| ToSatellite::AuthFailed(AuthFailed { reason })),
        (
            any::<String>(),
            vec(assignment(), 0..3),
            any::<Option<Option<String>>>(),
            prop::option::of(opaque()),
            any::<Option<u64>>(),
        )
            .prop_map(|(satellite_id, assignments, hash, sandbox_policy, revision)| {
                ToSatellite::Authenticated(Authenticated {
                    satellite_id,
                    assignments,
                    script_packages_lockfile_hash: hash,
                    sandbox_policy,
                    revision,
                    heartbeat_interval_ms: revision,
                })
            }),
        (any::<String>(), prop::option::of(btree_map(any::<String>(), secret(), 0..4))).prop_map(
            |(request_id, env)| ToSatellite::RunSecrets(RunSecrets {
                request_id,
                env,
                error: None
            })
        ),
        (any::<String>(), any::<u64>(), any::<bool>()).prop_map(|(batch_id, count, retryable)| {
            ToSatellite::TelemetryAck(TelemetryAck {
                batch_id,
                accepted: count,
                rejected: count,
                retryable,
            })
        }),
    ]
}

/// A failure's seed is kept beside this file, and the next run begins with it.
fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_a_satellite_writes_is_read_as_the_same(message in from_satellite()) {
        let text = message.to_text();
        prop_assert_eq!(FromSatellite::parse(&text), Ok(message));
    }

    #[test]
    fn what_the_server_writes_is_read_as_the_same(message in to_satellite()) {
        let text = message.to_text();
        prop_assert_eq!(ToSatellite::parse(&text), Ok(message));
    }

    #[test]
    fn any_text_is_read_without_a_panic_and_what_is_read_can_be_written(
        text in prop_oneof![
            any::<String>(),
            r#"\{"type":"(heartbeat|result|authenticate)",("[a-zA-Z]{1,8}":([0-9.e-]{1,6}|"[^"]{0,5}"),?){0,6}\}"#,
        ]
    ) {
        if let Ok(message) = FromSatellite::parse(&text) {
            let written = message.to_text();
            prop_assert_eq!(FromSatellite::parse(&written), Ok(message));
        }
        let _ = ToSatellite::parse(&text);
    }
}
