//! What is understood of documents, and what is said of those that are not.

use super::*;

fn file(text: &str) -> TextFile {
    TextFile { name: "fleet.yaml".into(), text: text.to_owned() }
}

/// What is said of a document of this kind with these lines below it.
fn said(text: &str) -> Vec<String> {
    match read(&[file(text)]) {
        Ok(documents) => panic!("{} documents were understood", documents.count()),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

fn document(kind: &str, rest: &str) -> String {
    format!("apiVersion: groundcontrol.dev/v1\nkind: {kind}\n{rest}")
}

#[test]
fn the_four_kinds_are_understood() {
    let text = include_str!("../../../deploy/gitops/fleet.yaml");
    let documents = read(&[file(text)]).unwrap();
    let Wanted { satellites, systems, checks, assignments } = &documents.wanted;
    let counts = [satellites.len(), systems.len(), checks.len(), assignments.len()];
    assert_eq!(counts, [2, 1, 1, 2]);
    assert_eq!(checks[0].spec.interval.seconds(), 60);
    assert_eq!(satellites[0].spec.offline_threshold, Some(Millis::from_secs(90)));
}

#[test]
fn files_that_say_nothing_are_fine() {
    let files = [file(""), file("# nothing yet\n"), file("---\n---\n# a\n")];
    let documents = read(&files).unwrap();
    assert_eq!(documents.count(), 0);
    assert!(documents.wanted.is_empty());
}

#[test]
fn an_unknown_field_is_named_with_its_line() {
    let text = document("Satellite", "metadata: {name: Lima}\nspec:\n  region: sa\n  regoin: x\n");
    let said = said(&text);
    assert_eq!(said.len(), 1);
    assert!(
        said[0].starts_with("fleet.yaml:6: spec.regoin: unknown field `regoin`, expected"),
        "{said:?}"
    );
}

#[test]
fn an_unknown_kind_or_version_is_named_with_its_line() {
    let unknown = "fleet.yaml:2: kind: \"Sattelite\" is not one of Satellite, System, Check, \
                   Assignment";
    assert_eq!(said(&document("Sattelite", "")), [unknown]);
    let version = said("# one\n---\nkind: Check\napiVersion: groundcontrol.dev/v2\n");
    let expected =
        "fleet.yaml:4: apiVersion: \"groundcontrol.dev/v2\" is not \"groundcontrol.dev/v1\"";
    assert_eq!(version, [expected]);
    assert!(said("kind: Check\n")[0].contains("apiVersion: is missing"));
    assert!(said("- a\n")[0].starts_with("fleet.yaml:1: a document must be a mapping"));
}

#[test]
fn what_breaks_a_limit_is_named_with_its_line() {
    let satellite = |rest: &str| said(&document("Satellite", rest)).remove(0);
    let name = satellite("metadata: {name: ''}\nspec: {region: sa}\n");
    assert_eq!(name, "fleet.yaml:3: metadata.name: must not be empty");
    let missing = satellite("metadata: {name: Lima}\nspec: {}\n");
    assert_eq!(missing, "fleet.yaml:4: spec: missing field `region`");
    let label = satellite("metadata:\n  name: Lima\n  labels:\n    tier: 1\nspec: {region: sa}\n");
    assert!(label.starts_with("fleet.yaml:6: metadata.labels.tier: invalid type"), "{label}");
    let span = satellite("metadata: {name: L}\nspec:\n  region: sa\n  offlineThreshold: soon\n");
    assert!(span.starts_with("fleet.yaml:6: spec.offlineThreshold:"), "{span}");
}

#[test]
fn a_check_has_one_interval_and_sound_collectors() {
    let check = |rest: &str| {
        said(&document(
            "Check",
            &format!("metadata: {{name: web}}\nspec:\n  strategyId: s\n{rest}"),
        ))
        .remove(0)
    };
    assert!(check("").contains("exactly one of interval and intervalSeconds"));
    let half = check("  interval: 1500ms\n");
    assert_eq!(
        half,
        "fleet.yaml:6: spec.interval: must be a whole number of seconds from 1 to 86400"
    );
    let twice = "  interval: 1m\n  collectors:\n    - {id: a, collectorId: x, config: {}}\n    \
                 - {id: a, collectorId: x, config: {}}\n";
    let said = check(twice);
    assert!(said.starts_with("fleet.yaml:9: spec.collectors[1].id: \"a\" is the id"), "{said}");
    let bare = check("  interval: 1m\n  collectors: [{id: a, collectorId: x, config: 1}]\n");
    assert!(bare.contains("spec.collectors[0].config: must be a mapping"), "{bare}");
}

#[test]
fn an_assignment_says_exactly_one_way_who_it_is_for() {
    let assignment = |rest: &str| {
        let head = "metadata: {name: a}\nspec:\n  check: web\n  system: shop\n";
        said(&document("Assignment", &format!("{head}{rest}"))).remove(0)
    };
    let both = assignment("  satellites: [Lima]\n  selector: {}\n");
    for said in [assignment(""), both] {
        assert!(said.contains("exactly one of satellites and selector"), "{said}");
    }
    let expression = assignment("  selector:\n    tags: 'tier in edge'\n");
    assert!(
        expression.starts_with("fleet.yaml:8: spec.selector.tags: at character 9"),
        "{expression}"
    );
}

#[test]
fn every_broken_document_is_named_in_the_order_of_the_places() {
    let broken = document("Satellite", "metadata: {name: a}\nspec: {}\n");
    let files = [
        TextFile { name: "b.yaml".into(), text: format!("{broken}---\n{broken}") },
        TextFile { name: "a.yaml".into(), text: "a: [".into() },
    ];
    let faults = read(&files).unwrap_err();
    let places: Vec<_> = faults.iter().map(|fault| fault.place.to_string()).collect();
    assert_eq!(places.len(), 3, "{faults}");
    assert!(places[0].starts_with("a.yaml:"));
    assert_eq!(places[1..], ["b.yaml:4", "b.yaml:9"]);
}

#[test]
fn what_is_wrong_beside_other_documents_names_both() {
    let text = [
        document("System", "metadata: {name: shop}\n"),
        document("System", "metadata: {name: shop}\n"),
    ];
    let documents = read(&[file(&text.join("---\n"))]).unwrap();
    let present = groundcontrol_core::desired::Present::default();
    let leaves = &crate::gitops::JsonLeaves;
    let faults = groundcontrol_core::desired::plan(&documents.wanted, &present, false, leaves);
    let located = documents.locate(faults.unwrap_err()).to_string();
    let expected = "fleet.yaml:7: metadata.name: another system is called \"shop\", too (see \
                    fleet.yaml:1)";
    assert_eq!(located, expected);
}
