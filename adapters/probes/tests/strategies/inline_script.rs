//! `healthcheck-script.inline-script`, where this machine has a JavaScript runtime.

use std::path::PathBuf;

use groundcontrol_probes::{Probes, Report, Settings};
use serde_json::{Value, json};

use crate::support::{check, entry, found, message, probes};

const INLINE: &str = "healthcheck-script.inline-script";

/// None where there is no runtime: then the check is unsupported, which another test shows.
async fn inline(script: &str, timeout: u64) -> Option<Report> {
    probes().supports("script", [INLINE]).ok()?;
    let its = json!({"script": script, "timeout": timeout});
    Some(probes().run(&check("script", json!({}), vec![entry("e1", INLINE, its)])).await)
}

#[tokio::test]
async fn what_a_module_exports_or_returns_is_its_result() {
    for (script, expected) in [
        ("export default {success: true, message: 'm', value: 4.5}", json!([true, "m", 4.5])),
        (
            "export default () => ({success: true, value: context.config.timeout})",
            json!([true, null, 10_000.0]),
        ),
        ("export default false", json!([false, "the check failed", null])),
        ("return 7", json!([true, null, 7.0])),
        ("console.log('printed')", json!([true, "printed\n", null])),
        ("throw new Error('broken')", json!([false, "broken", null])),
        (
            "import {defineHealthCheck} from '@checkstack/healthcheck';\nexport default defineHealthCheck({success: false, message: 'down'})",
            json!([false, "down", null]),
        ),
    ] {
        let Some(report) = inline(script, 10_000).await else { return };
        let found = found(&report);
        let mut seen = json!([found["success"], found["message"], found["value"]]);
        if seen[1].is_null() && !report.healthy {
            seen[1] = found["error"].clone();
        }
        assert_eq!(seen, expected, "{script}: {}", report.result);
        assert_eq!(Value::from(report.healthy), expected[0], "{script}");
    }
}

#[tokio::test]
async fn a_module_that_never_ends_is_ended() {
    let Some(report) = inline("while (true) {}", 1_000).await else { return };
    assert_eq!(found(&report)["timedOut"], true, "{}", report.result);
    let Some(report) = inline("return 1", 999).await else { return };
    assert!(message(&report).contains("1,000 to 60,000"), "{}", message(&report));
}

#[tokio::test]
async fn where_there_is_no_runtime_the_program_that_was_named_is_missed() {
    let settings =
        Settings { javascript: Some(PathBuf::from("/nowhere/bun")), ..Settings::default() };
    let probes = Probes::new(settings).unwrap();
    let its = json!({"script": "return 1"});
    let report = probes.run(&check("script", json!({}), vec![entry("e1", INLINE, its)])).await;
    assert!(message(&report).contains("could not start /nowhere/bun"), "{}", message(&report));
}
