//! Which secrets a place gets, and which it does not.

use std::sync::Arc;

use uuid::Uuid;

use super::*;
use crate::assignment::{
    Assigned, Check, CheckId, Collector, Collectors, Configuration, Interval, Json, System,
    SystemId, Value,
};
use crate::limits::{MAX_SECRET_ANSWER, MAX_SECRET_NAMES, MAX_SECRET_REFERENCES};
use crate::time::Timestamp;

const ID: &str = "00000000-0000-0000-0000-000000000001";
const OTHER: &str = "00000000-0000-0000-0000-000000000002";

/// Check 1 with these collectors: entry id, collector id, settings.
fn told(collectors: &[(&str, &str, &str)]) -> Configuration {
    let (id, created_at) = (Uuid::from_u128(1), Timestamp::from_millis(0));
    let collector = |(id, collector_id, config): &(&str, &str, &str)| Collector {
        id: (*id).to_owned(),
        collector_id: (*collector_id).to_owned(),
        config: Json::trusted(*config),
        assertions: Vec::new(),
    };
    let check = Check {
        id: CheckId(id),
        name: "c".parse().unwrap(),
        strategy: "s".parse().unwrap(),
        config: Json::trusted("strategy"),
        collectors: Collectors::new(collectors.iter().map(collector).collect()).unwrap(),
        interval: Interval::new(60).unwrap(),
        managed_by: None,
        created_at,
    };
    let metadata = Json::empty_object();
    let system = System {
        id: SystemId(id),
        name: "s".parse().unwrap(),
        metadata,
        managed_by: None,
        created_at,
    };
    Configuration::new(vec![Assigned { check: Arc::new(check), system: Arc::new(system) }])
}

fn object(members: &[(&str, Value)]) -> Value {
    Value::Object(members.iter().map(|(name, v)| ((*name).to_owned(), v.clone())).collect())
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn secrets(values: &[(&str, &str)]) -> Secrets {
    values.iter().map(|(name, v)| (name.parse().unwrap(), SecretValue::new(*v))).collect()
}

fn names(names: &std::collections::BTreeSet<SecretName>) -> Vec<&str> {
    names.iter().map(SecretName::as_str).collect()
}

/// The place of collector `k`, whose environment is `env`.
fn run_place(env: &Value) -> Result<RunPlace, PlaceError> {
    let settings = object(&[("secretEnv", env.clone())]);
    RunPlace::find(Some(&told(&[("k", "script", "{}")])), ID, "k", &|_| Some(settings.clone()))
}

#[test]
fn an_environment_gets_the_secrets_that_it_names_and_keeps_the_rest_of_its_texts() {
    let env = object(&[("A", text("Bearer ${{ secrets.key }}.")), ("B", text("plain"))]);
    let place = run_place(&env).unwrap();
    assert_eq!(names(place.names()), ["key"]);
    let values = place.compose(&secrets(&[("key", "hush"), ("other", "x")])).unwrap();
    let expected = secrets_of(&[("A", "Bearer hush."), ("B", "plain")]);
    assert_eq!(values, expected);
}

fn secrets_of(values: &[(&str, &str)]) -> Values {
    values.iter().map(|(name, v)| ((*name).to_owned(), SecretValue::new(*v))).collect()
}

#[test]
fn a_value_is_no_template_again() {
    let place = run_place(&object(&[("A", text("${{ secrets.a }}"))])).unwrap();
    let values = place.compose(&secrets(&[("a", "${{ secrets.b }}"), ("b", "no")])).unwrap();
    assert_eq!(values["A"].expose(), "${{ secrets.b }}");
}

#[test]
fn a_collector_is_found_by_its_entry_and_then_by_what_it_is() {
    let told = told(&[("a", "script", "one"), ("script", "other", "two")]);
    let read = |json: &Json| {
        let env = object(&[("A", text(json.as_str()))]);
        Some(object(&[("secretEnv", env)]))
    };
    let text_of = |collector: &str| {
        let place = RunPlace::find(Some(&told), ID, collector, &read).unwrap();
        place.compose(&Secrets::new()).unwrap()["A"].expose().to_owned()
    };
    assert_eq!(["a", "script", "other"].map(text_of), ["one", "two", "two"]);
}

#[test]
fn a_place_that_is_not_the_satellites_gets_nothing() {
    let told = told(&[("k", "script", "{}")]);
    let read = |_: &Json| Some(object(&[]));
    for (told, config) in [(None, ID), (Some(&told), OTHER), (Some(&told), "no id")] {
        let run = RunPlace::find(told, config, "k", &read).unwrap_err().to_string();
        assert_eq!(
            run,
            format!("No assignment \"{config}\" for this satellite; cannot deliver secrets.")
        );
        let inside = ConfigPlace::find(told, config, &read).unwrap_err().to_string();
        let says = "cannot deliver config secrets.";
        assert_eq!(inside, format!("No assignment \"{config}\" for this satellite; {says}"));
    }
    let unknown = RunPlace::find(Some(&told), ID, "x", &read).unwrap_err().to_string();
    assert_eq!(unknown, format!("Collector \"x\" not found in assignment \"{ID}\"."));
}

#[test]
fn what_is_no_object_of_texts_declares_nothing() {
    let odd = [
        Value::Null,
        text("${{ secrets.a }}"),
        Value::Array(vec![text("${{ secrets.a }}")]),
        object(&[("A", text("${{ secrets.a }}")), ("B", Value::Number(1.0))]),
        object(&[]),
    ];
    for env in odd {
        let error = run_place(&env).unwrap_err().to_string();
        assert_eq!(error, "Collector \"k\" declares no secretEnv; nothing to resolve.");
    }
}

#[test]
fn a_secret_that_is_missing_is_named() {
    let place = run_place(&object(&[("A", text("${{ secrets.gone }}"))])).unwrap();
    let error = place.compose(&Secrets::new()).unwrap_err();
    assert_eq!(error.to_string(), "Secret not found: gone");
    let long = format!("${{{{ secrets.{} }}}}", "x".repeat(1_000));
    let error = run_place(&object(&[("A", text(&long))])).unwrap_err().to_string();
    assert_eq!(error, format!("Secret not found: {}", "x".repeat(128)));
}

#[test]
fn a_configuration_gets_its_texts_by_their_paths_but_no_environments() {
    let told = told(&[("a", "script", "collector"), ("b", "script", "plain")]);
    let read = |json: &Json| {
        let reference = text("u:${{ secrets.x }}");
        Some(match json.as_str() {
            "strategy" => object(&[("auth", object(&[("password", reference)])), ("n", text("1"))]),
            "collector" => {
                let targets = Value::Array(vec![object(&[("token", text("${{ secrets.y }}"))])]);
                let env = object(&[("A", text("${{ secrets.z }}"))]);
                object(&[("targets", targets), ("secretEnv", env)])
            }
            _ => object(&[("a", text("plain"))]),
        })
    };
    let place = ConfigPlace::find(Some(&told), ID, &read).unwrap();
    assert_eq!(names(place.names()), ["x", "y"]);
    let values = place.compose(&secrets(&[("x", "1"), ("y", "2"), ("z", "3")])).unwrap();
    assert_eq!(values.strategy, secrets_of(&[("auth.password", "u:1")]));
    assert_eq!(values.collectors.len(), 1);
    assert_eq!(values.collectors["a"], secrets_of(&[("targets[0].token", "2")]));
}

#[test]
fn a_thousand_references_in_one_text_are_all_replaced() {
    let template = "${{ secrets.a }},".repeat(1_000);
    let place = run_place(&object(&[("A", text(&template))])).unwrap();
    let values = place.compose(&secrets(&[("a", "hush")])).unwrap();
    assert_eq!(values["A"].expose(), "hush,".repeat(1_000));
}

#[test]
fn what_is_beyond_a_limit_is_refused_before_anything_is_made() {
    let many = "${{ secrets.a }}".repeat(MAX_SECRET_REFERENCES + 1);
    let error = run_place(&object(&[("A", text(&many))])).unwrap_err();
    assert_eq!(error, PlaceError::TooManyReferences);
    let different = |count: usize| -> String {
        (0..count).map(|number| format!("${{{{ secrets.n{number} }}}}")).collect()
    };
    assert!(run_place(&object(&[("A", text(&different(MAX_SECRET_NAMES)))])).is_ok());
    let error = run_place(&object(&[("A", text(&different(MAX_SECRET_NAMES + 1)))])).unwrap_err();
    assert_eq!(error, PlaceError::TooManyNames);
    let half = "x".repeat(MAX_SECRET_ANSWER / 2);
    let compose = |template: &str| {
        let env = object(&[("A", text("${{ secrets.a }}")), ("B", text(template))]);
        run_place(&env).unwrap().compose(&secrets(&[("a", &half)])).map(drop)
    };
    assert_eq!(compose("${{ secrets.a }}"), Ok(()));
    assert_eq!(compose("${{ secrets.a }}."), Err(PlaceError::TooLarge));
}
