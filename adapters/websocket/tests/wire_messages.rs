//! Every message of the protocol, what other versions make of it, and what is no message.

use groundcontrol_websocket::wire::{FromSatellite, Opaque, ParseError, SecretText, ToSatellite};
use serde_json::Value;

const ASSIGNMENT: &str = r#"{"configId":"c1","systemId":"s1","strategyId":"healthcheck-http.http",
    "config":{"timeout":5000},"collectors":[{"id":"e1","collectorId":"healthcheck-http.request",
    "config":{"url":"https://example.org"},"assertions":[{"field":"statusCode","operator":"equals",
    "value":200},{"field":"body","jsonPath":"$.ok","operator":"isTrue"}]}],"intervalSeconds":60,
    "configName":"Site","systemName":"Shop","systemMetadata":{"tier":1},
    "environments":[{"id":"v1","name":"prod","fields":{"zone":"a"}}]}"#;

fn from_satellite() -> Vec<&'static str> {
    vec![
        r#"{"type":"authenticate","clientId":"6f2c","token":"csat_x","capabilities":["http"]}"#,
        r#"{"type":"heartbeat","version":"1.4.0","uptimeSeconds":12,"capabilities":["a","b"]}"#,
        r#"{"type":"result","configId":"c","systemId":"s","status":"degraded","latencyMs":12.5,
            "result":{"status":"degraded","metadata":{"connected":true}},
            "executedAt":"2026-01-31T12:00:00.000Z","environmentId":"v1","resultId":"r1"}"#,
        r#"{"type":"strategy_error","strategyId":"x","message":"no such strategy"}"#,
        r#"{"type":"script_package_sync_state","lockfileHash":null,"status":"error",
            "errorMessage":"disk full"}"#,
        r#"{"type":"request_script_package_manifest","lockfileHash":"h"}"#,
        r#"{"type":"request_script_package_blob","integrity":"sha512-x"}"#,
        r#"{"type":"request_run_secrets","requestId":"q","configId":"c","collectorId":"e",
            "runId":"r"}"#,
        r#"{"type":"request_config_secrets","requestId":"q","configId":"c","runId":"r"}"#,
        r#"{"type":"telemetry_batch","batchId":"b","kind":"otel","payload":[1,{"a":2}],
            "droppedByGroup":{"cpu":3.0}}"#,
        r#"{"type":"capability_status","kind":"otel","payload":{"ok":true}}"#,
        r#"{"type":"capability_secret_request","requestId":"q","kind":"otel","payload":"p"}"#,
        r#"{"type":"config_applied","revision":15}"#,
    ]
}

fn to_satellite() -> Vec<String> {
    let mut fixtures: Vec<String> = [
        r#"{"type":"auth_failed","reason":"Invalid client ID or token"}"#,
        r#"{"type":"shutdown","reason":"Satellite was removed"}"#,
        r#"{"type":"refresh_script_packages","lockfileHash":"h"}"#,
        r#"{"type":"script_package_manifest","lockfileHash":"h","entries":[{"name":"n",
            "version":"1.0.0","integrity":"sha512-x","blobSha256":"ab"}]}"#,
        r#"{"type":"script_package_blob","integrity":"sha512-x","data":null}"#,
        r#"{"type":"run_secrets","requestId":"q","env":{"PASSWORD":"p"}}"#,
        r#"{"type":"config_secrets","requestId":"q","strategy":{"auth.password":"p"},
            "collectors":{"e1":{"targets[0].token":"t"}}}"#,
        r#"{"type":"sandbox_policy","policy":{"network":"deny"}}"#,
        r#"{"type":"telemetry_ack","batchId":"b","accepted":1,"rejected":0,"retryable":false}"#,
        r#"{"type":"capability_config","kind":"otel","payload":{}}"#,
        r#"{"type":"capability_secret_response","requestId":"q","error":"no"}"#,
        r#"{"type":"result_ack","resultId":"r1","accepted":false,"reason":"no"}"#,
    ]
    .map(str::to_owned)
    .into();
    fixtures.push(format!(
        r#"{{"type":"authenticated","satelliteId":"6f2c","assignments":[{ASSIGNMENT}],
            "scriptPackagesLockfileHash":null,"sandboxPolicy":{{"network":"deny"}},"revision":3,
            "heartbeatIntervalMs":15000}}"#
    ));
    fixtures.push(format!(
        r#"{{"type":"config_updated","assignments":[{ASSIGNMENT}],
            "scriptPackagesLockfileHash":"h","revision":4}}"#
    ));
    fixtures
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).expect("valid JSON")
}

#[test]
fn every_message_of_a_satellite_is_read_and_written_without_loss() {
    let mut kinds = Vec::new();
    for text in from_satellite() {
        let message = FromSatellite::parse(text).expect(text);
        assert_eq!(value(&message.to_text()), value(text));
        kinds.push(message.kind());
    }
    assert_eq!(kinds, FromSatellite::KINDS);
}

#[test]
fn every_message_to_a_satellite_is_read_and_written_without_loss() {
    let mut kinds = Vec::new();
    for text in to_satellite() {
        let message = ToSatellite::parse(&text).expect(&text);
        assert_eq!(value(&message.to_text()), value(&text));
        kinds.push(message.kind());
    }
    let mut expected = ToSatellite::KINDS.to_vec();
    kinds.sort_unstable();
    expected.sort_unstable();
    assert_eq!(kinds, expected);
}

#[test]
fn fields_that_this_version_does_not_know_are_ignored() {
    for text in from_satellite() {
        let extended = text.replacen('{', r#"{"addedLater":{"deep":[1,2]},"#, 1);
        let (message, same) = (FromSatellite::parse(&extended), FromSatellite::parse(text));
        assert_eq!(message.expect(&extended), same.expect(text));
    }
    for text in to_satellite() {
        let extended = text.replacen('{', r#"{"addedLater":null,"#, 1);
        let (message, same) = (ToSatellite::parse(&extended), ToSatellite::parse(&text));
        assert_eq!(message.expect(&extended), same.expect(&text));
    }
}

#[test]
fn optional_fields_may_be_absent() {
    for text in [
        r#"{"type":"authenticate","clientId":"6f2c","token":"csat_x"}"#,
        r#"{"type":"heartbeat","version":"1","uptimeSeconds":0}"#,
        r#"{"type":"result","configId":"c","systemId":"s","status":"healthy","executedAt":"now"}"#,
        r#"{"type":"script_package_sync_state","lockfileHash":"h","status":"ready"}"#,
        r#"{"type":"telemetry_batch","batchId":"b","kind":"k","payload":null}"#,
    ] {
        let message = FromSatellite::parse(text).expect(text);
        assert_eq!(value(&message.to_text()), value(text));
    }
    for text in [
        r#"{"type":"authenticated","satelliteId":"6f2c","assignments":[]}"#,
        r#"{"type":"config_updated","assignments":[{"configId":"c","systemId":"s",
            "strategyId":"x","config":{},"intervalSeconds":60}]}"#,
        r#"{"type":"script_package_manifest","lockfileHash":"h","entries":[]}"#,
        r#"{"type":"run_secrets","requestId":"q","error":"no"}"#,
        r#"{"type":"capability_secret_response","requestId":"q"}"#,
        r#"{"type":"result_ack","resultId":"r","accepted":true}"#,
    ] {
        let message = ToSatellite::parse(text).expect(text);
        assert_eq!(value(&message.to_text()), value(text));
    }
}

#[test]
fn a_null_in_an_optional_field_reads_as_absent() {
    let text = r#"{"type":"result","configId":"c","systemId":"s","status":"healthy",
        "executedAt":"now","environmentId":null,"latencyMs":null,"resultId":null}"#;
    let FromSatellite::Result(result) = FromSatellite::parse(text).expect(text) else { panic!() };
    assert_eq!((result.environment_id, result.latency_ms, result.result_id), (None, None, None));
}

#[test]
fn a_null_in_an_opaque_field_is_kept() {
    let text = r#"{"type":"capability_secret_response","requestId":"q","payload":null}"#;
    assert_eq!(ToSatellite::parse(text).expect(text).to_text(), text);
}

#[test]
fn a_lockfile_that_is_absent_is_told_from_one_that_is_null() {
    let read = |text| match ToSatellite::parse(text).expect(text) {
        ToSatellite::ConfigUpdated(update) => update.script_packages_lockfile_hash,
        other => panic!("{other:?}"),
    };
    assert_eq!(read(r#"{"type":"config_updated","assignments":[]}"#), None);
    assert_eq!(
        read(r#"{"type":"config_updated","assignments":[],"scriptPackagesLockfileHash":null}"#),
        Some(None)
    );
}

#[test]
fn whole_numbers_may_be_written_with_a_point() {
    let revision = |number: &str| {
        let text = format!(r#"{{"type":"config_applied","revision":{number}}}"#);
        match FromSatellite::parse(&text) {
            Ok(FromSatellite::ConfigApplied(applied)) => Some(applied.revision),
            _ => None,
        }
    };
    assert_eq!(revision("15"), Some(15));
    assert_eq!(revision("15.0"), Some(15));
    assert_eq!(revision("1.5e1"), Some(15));
    for refused in ["15.5", "-1", "-1.0", "1e300", "\"15\"", "null", "true"] {
        assert_eq!(revision(refused), None, "{refused}");
    }
}

#[test]
fn a_fraction_of_the_uptime_is_cut() {
    let text = r#"{"type":"heartbeat","version":"1","uptimeSeconds":12.9}"#;
    let FromSatellite::Heartbeat(beat) = FromSatellite::parse(text).expect(text) else { panic!() };
    assert_eq!(beat.uptime_seconds, 12);
}

#[test]
fn an_unknown_type_is_told_from_what_is_no_message() {
    let error = |text: &str| FromSatellite::parse(text).expect_err(text);
    assert_eq!(error(r#"{"type":"later","x":1}"#), ParseError::UnknownType("later".into()));
    let long = format!(r#"{{"type":"{}"}}"#, "é".repeat(1_000));
    assert_eq!(error(&long), ParseError::UnknownType("é".repeat(64)));
    for text in ["", "hello", "[]", "{}", "null", r#"{"type":1}"#, r#"{"type":"heartbeat""#] {
        assert!(matches!(error(text), ParseError::NoMessage { .. }), "{text}");
    }
    // What the server says is not what it understands.
    assert_eq!(
        error(r#"{"type":"auth_failed","reason":""}"#),
        ParseError::UnknownType("auth_failed".into())
    );
}

#[test]
fn missing_and_wrong_typed_fields_are_malformed() {
    for text in [
        r#"{"type":"heartbeat"}"#,
        r#"{"type":"heartbeat","version":1,"uptimeSeconds":1}"#,
        r#"{"type":"heartbeat","version":"1","uptimeSeconds":"1"}"#,
        r#"{"type":"heartbeat","version":"1","uptimeSeconds":-1}"#,
        r#"{"type":"heartbeat","version":"1","uptimeSeconds":1,"capabilities":{}}"#,
        r#"{"type":"heartbeat","version":"1","version":"2","uptimeSeconds":1}"#,
        r#"{"type":"authenticate","clientId":"6f2c"}"#,
        r#"{"type":"authenticate","clientId":null,"token":"x"}"#,
        r#"{"type":"result","configId":"c","systemId":"s","status":"fine","executedAt":"now"}"#,
    ] {
        let error = FromSatellite::parse(text).expect_err(text);
        assert!(matches!(error, ParseError::Malformed { .. }), "{text}: {error}");
    }
}

#[test]
fn errors_name_the_place_and_never_the_content() {
    let text = r#"{"type":"authenticate","clientId":"6f2c","token":["csat_secret"]}"#;
    let error = FromSatellite::parse(text).expect_err(text);
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("secret") && !shown.contains("6f2c"), "{shown}");
    assert_eq!(
        error.to_string(),
        "message of type authenticate with a missing or wrong-typed field (line 1, column 49)"
    );
}

#[test]
fn tokens_and_secrets_and_opaque_values_cannot_be_printed() {
    let shown = |text: &str| format!("{:?}", FromSatellite::parse(text).expect(text));
    let authenticate = shown(r#"{"type":"authenticate","clientId":"6f2c","token":"csat_hush"}"#);
    assert!(!authenticate.contains("hush"), "{authenticate}");
    let status = shown(r#"{"type":"capability_status","kind":"k","payload":{"p":"hush"}}"#);
    assert!(!status.contains("hush"), "{status}");
    let secrets = r#"{"type":"run_secrets","requestId":"q","env":{"PASSWORD":"hush"}}"#;
    let secrets = format!("{:?}", ToSatellite::parse(secrets).expect(secrets));
    assert!(!secrets.contains("hush"), "{secrets}");
}

#[test]
fn nul_is_kept_and_a_lone_surrogate_is_malformed_except_where_text_is_only_kept() {
    let beat = |version: &str| {
        format!(r#"{{"type":"heartbeat","version":"{version}","uptimeSeconds":1}}"#)
    };
    let text = beat(r"1\u0000");
    let FromSatellite::Heartbeat(nul) = FromSatellite::parse(&text).expect(&text) else { panic!() };
    assert_eq!(nul.version, "1\0");
    for lone in [r"\ud800", r"\udc00", r"\ud800x"] {
        assert!(matches!(FromSatellite::parse(&beat(lone)), Err(ParseError::Malformed { .. })));
    }
    assert!(FromSatellite::parse(r#"{"type":"heart\ud800beat"}"#).is_err());
    let kept = r#"{"type":"capability_status","kind":"k","payload":"\ud800"}"#;
    let message = FromSatellite::parse(kept).expect(kept);
    assert_eq!(message.to_text(), kept);
}

#[test]
fn deep_nesting_neither_overflows_the_stack_nor_gets_into_a_typed_field() {
    let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
    let opaque = format!(r#"{{"type":"capability_status","kind":"k","payload":{deep}}}"#);
    let FromSatellite::CapabilityStatus(kept) = FromSatellite::parse(&opaque).expect("kept as is")
    else {
        panic!()
    };
    assert_eq!(kept.payload.get().len(), deep.len());
    assert!(serde_json::from_str::<Value>(kept.payload.get()).is_err());

    let typed =
        format!(r#"{{"type":"heartbeat","version":"1","uptimeSeconds":1,"capabilities":{deep}}}"#);
    assert!(matches!(FromSatellite::parse(&typed), Err(ParseError::Malformed { .. })));
    let open = format!(r#"{{"type":"heartbeat","x":{}"#, "{\"a\":".repeat(1_000_000));
    assert!(matches!(FromSatellite::parse(&open), Err(ParseError::NoMessage { .. })));
    assert!(FromSatellite::parse(&deep).is_err());
}

#[test]
fn opaque_values_stay_the_text_they_came_as() {
    let text = r#"{ "b":1.0,  "a":1e2, "a":12345678901234567890123 }"#;
    assert_eq!(Opaque::new(text).expect(text).get(), text);
    assert!(Opaque::new("{} {}").is_err());
}

#[test]
fn secrets_are_equal_exactly_when_their_texts_are() {
    let secret = |text: &str| SecretText::new(text);
    assert_eq!(secret("abc"), secret("abc"));
    assert_ne!(secret("abc"), secret("abd"));
    assert_ne!(secret("abc"), secret("ab"));
}
