//! The document is whole, and says what the server does.

use std::collections::BTreeSet;

use groundcontrol_http::dto::{
    BatchGet, CreateApiToken, CreateSatellite, RotateToken, Scope, UpdateSatellite,
};
use serde_json::{Value, json};

use crate::schema::*;
use crate::support::*;

async fn document() -> Value {
    get(fleet(), "/openapi.json").await.json()
}

fn operations(document: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            found.push((format!("{} {path}", method.to_uppercase()), operation));
        }
    }
    assert!(found.len() > 15, "{found:?}");
    found
}

/// Calls `see` with every object in `value`.
fn visit<'a>(value: &'a Value, see: &mut impl FnMut(&'a serde_json::Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            see(object);
            object.values().for_each(|value| visit(value, see));
        }
        Value::Array(items) => items.iter().for_each(|value| visit(value, see)),
        _ => {}
    }
}

#[tokio::test]
async fn it_is_openapi_3_1_with_a_title_and_a_version() {
    let document = document().await;
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["title"], "Ground Control");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let document = document().await;
    let mut references = 0;
    visit(&document, &mut |object| {
        if object.contains_key("$ref") {
            references += 1;
            resolve(&document, &Value::Object(object.clone())).as_object().unwrap();
        }
    });
    assert!(references > 50, "{references}");
}

#[tokio::test]
async fn every_operation_has_a_name_of_its_own_a_summary_and_a_known_tag() {
    let document = document().await;
    let tags: BTreeSet<&str> =
        document["tags"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap()).collect();
    let mut names = BTreeSet::new();
    for (route, operation) in operations(&document) {
        assert!(names.insert(operation["operationId"].as_str().unwrap()), "{route}");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{route}");
        assert!(tags.contains(operation["tags"][0].as_str().unwrap()), "{route}");
    }
}

#[tokio::test]
async fn every_operation_says_how_it_fails_and_guarded_ones_how_to_get_in() {
    let document = document().await;
    for (route, operation) in operations(&document) {
        let answers = operation["responses"].as_object().unwrap();
        let expected: &[&str] = match operation["security"].as_array().unwrap().is_empty() {
            true => &["500"],
            false => &["401", "403", "500", "503"],
        };
        for status in expected {
            assert!(answers.contains_key(*status), "{route} {status}");
        }
        for (status, answer) in answers {
            let answer = resolve(&document, answer);
            assert!(!answer["description"].as_str().unwrap().is_empty(), "{route} {status}");
            if status.starts_with(['4', '5']) {
                let schema = &answer["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/Problem", "{route} {status}");
            }
        }
        if operation.get("requestBody").is_some() {
            for status in ["400", "413", "415", "422"] {
                assert!(answers.contains_key(status), "{route} {status}");
            }
        }
    }
}

#[tokio::test]
async fn every_parameter_of_a_path_is_described_and_no_other() {
    let document = document().await;
    for (route, operation) in operations(&document) {
        let described: Vec<&str> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        let in_path: Vec<&str> =
            route.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        assert_eq!(described, in_path, "{route}");
    }
}

#[tokio::test]
async fn every_described_query_parameter_is_taken() {
    let document = document().await;
    for (route, operation) in operations(&document) {
        let path = route.split_once(' ').unwrap().1.replace("{id}", ID);
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] != "query" {
                continue;
            }
            let name = parameter["name"].as_str().unwrap();
            let answer = get(willing(), &format!("{path}?{name}=0")).await;
            assert!(!answer.text().contains("is not a known parameter"), "{route} {name}");
        }
    }
}

#[tokio::test]
async fn the_example_of_every_body_is_taken() {
    let document = document().await;
    let mut examples = 0;
    for (route, operation) in operations(&document) {
        let Some(body) = operation.get("requestBody") else { continue };
        let schema = &body["content"]["application/json"]["schema"];
        if schema.is_null() {
            continue;
        }
        let example = &resolve(&document, schema)["example"];
        let (method, path) = route.split_once(' ').unwrap();
        let path = path.replace("{id}", ID).replace("{name}", "a");
        let method = method.parse().unwrap();
        let answer = send(willing(), method, &path, &example.to_string()).await;
        assert!(answer.status.is_success(), "{route} {example}: {}", answer.text());
        examples += 1;
    }
    assert_eq!(examples, 22);
}

/// Every request as a client in Rust writes it, with every field set.
fn full_requests() -> [(&'static str, &'static str, String, Value); 5] {
    let text = || "a".to_owned();
    let tags = || std::collections::BTreeMap::from([(text(), text())]);
    let one = format!("/api/v1/satellites/{ID}");
    let create = CreateSatellite {
        name: text(),
        region: text(),
        tags: tags(),
        offline_threshold_ms: Some(60_000),
        managed_by: Some(groundcontrol_core::desired::Manager::GitOps.into()),
    };
    let update = UpdateSatellite {
        name: Some(text()),
        region: Some(text()),
        tags: Some(tags()),
        offline_threshold_ms: Some(None),
        enabled: Some(true),
    };
    let token = CreateApiToken {
        name: text(),
        scopes: vec![Scope(groundcontrol_core::ports::Scope::Admin)],
        expires_at: Some(groundcontrol_http::dto::Instant(at(0))),
    };
    let rotate = RotateToken { overlap_seconds: Some(60) };
    let batch = BatchGet { ids: vec![id().0] };
    [
        ("CreateSatellite", "POST", "/api/v1/satellites".into(), json!(create)),
        ("UpdateSatellite", "PATCH", one.clone(), json!(update)),
        ("RotateToken", "POST", format!("{one}/rotate-token"), json!(rotate)),
        ("BatchGet", "POST", "/api/v1/connections/batch-get".into(), json!(batch)),
        ("CreateApiToken", "POST", "/api/v1/api-tokens".into(), json!(token)),
    ]
}

#[tokio::test]
async fn every_field_of_every_request_type_is_described_and_taken() {
    let document = document().await;
    for (schema, method, path, body) in full_requests() {
        let schema = &document["components"]["schemas"][schema];
        assert_eq!(schema["additionalProperties"], false, "{schema}");
        let described: BTreeSet<&String> =
            schema["properties"].as_object().unwrap().keys().collect();
        let written: BTreeSet<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(described, written);
        let answer = send(willing(), method.parse().unwrap(), &path, &body.to_string()).await;
        assert!(answer.status.is_success(), "{path} {body}: {}", answer.text());
    }
}
