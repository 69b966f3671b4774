//! From assignments to configurations.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::*;
use crate::satellite::{SatelliteId, Tags};
use crate::time::Timestamp;

fn system(id: u128) -> System {
    System {
        id: SystemId(Uuid::from_u128(id)),
        name: format!("system {id}").parse().unwrap(),
        metadata: Json::empty_object(),
        managed_by: None,
        created_at: Timestamp::from_millis(0),
    }
}

fn check(id: u128) -> Check {
    Check {
        id: CheckId(Uuid::from_u128(id)),
        name: format!("check {id}").parse().unwrap(),
        strategy: "healthcheck-http.http".parse().unwrap(),
        config: Json::empty_object(),
        collectors: Collectors::default(),
        interval: Interval::new(60).unwrap(),
        managed_by: None,
        created_at: Timestamp::from_millis(0),
    }
}

fn assignment(id: u128, check: u128, system: u128, target: Target) -> Assignment {
    Assignment {
        id: AssignmentId(Uuid::from_u128(id)),
        check: CheckId(Uuid::from_u128(check)),
        system: SystemId(Uuid::from_u128(system)),
        target,
        managed_by: None,
        created_at: Timestamp::from_millis(0),
    }
}

fn named(ids: &[u128]) -> Target {
    Target::Satellites(ids.iter().map(|id| SatelliteId(Uuid::from_u128(*id))).collect())
}

fn selected(tags: &str) -> Target {
    Target::Selected(Selector { region: None, tags: tags.parse().unwrap() })
}

fn place(id: u128, tags: &[(&str, &str)]) -> Place {
    let tags: BTreeMap<_, _> =
        tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Place {
        satellite: SatelliteId(Uuid::from_u128(id)),
        region: "eu".parse().unwrap(),
        tags: Tags::new(tags).unwrap(),
    }
}

fn pairs(configuration: &Configuration) -> Vec<(u128, u128)> {
    let pair = |one: &Assigned| (one.check.id.0.as_u128(), one.system.id.0.as_u128());
    configuration.assigned().iter().map(pair).collect()
}

#[test]
fn a_satellite_runs_what_names_it_and_what_selects_it_each_pair_once() {
    let assignments = vec![
        assignment(1, 2, 1, named(&[7, 8])),
        assignment(2, 1, 1, selected("lab")),
        assignment(3, 2, 1, selected("lab")),
    ];
    let catalogue = Catalogue::new(vec![system(1)], vec![check(1), check(2)], assignments);
    let found = catalogue.configurations(&[place(7, &[("lab", "")]), place(8, &[]), place(9, &[])]);
    let found: Vec<_> = found.iter().map(|configuration| pairs(configuration)).collect();
    assert_eq!(found, [vec![(1, 1), (2, 1)], vec![(2, 1)], vec![]]);
}

#[test]
fn satellites_that_run_the_same_share_one_configuration() {
    let assignments = vec![assignment(1, 1, 1, selected(""))];
    let catalogue = Catalogue::new(vec![system(1)], vec![check(1)], assignments);
    let found = catalogue.configurations(&[place(7, &[]), place(8, &[])]);
    assert!(Arc::ptr_eq(&found[0], &found[1]));
    let first = found[0].rendered(|assigned| assigned.len().to_string().into());
    assert_eq!(first, "1");
    assert_eq!(found[1].rendered(|_| panic!("rendered twice")), "1");
}

#[test]
fn an_assignment_whose_check_is_gone_assigns_nothing() {
    let assignments = vec![assignment(1, 1, 1, selected(""))];
    let catalogue = Catalogue::new(vec![system(1)], vec![], assignments);
    assert_eq!(*catalogue.configurations(&[place(7, &[])])[0], Configuration::default());
}

#[test]
fn a_pair_is_found_and_a_foreign_one_is_not() {
    let assigned = |c, s| Assigned { check: Arc::new(check(c)), system: Arc::new(system(s)) };
    let configuration = Configuration::new(vec![assigned(2, 1), assigned(1, 2), assigned(1, 1)]);
    let id = Uuid::from_u128;
    let find = |c, s| configuration.find(CheckId(id(c)), SystemId(id(s))).is_some();
    assert!(find(1, 2) && find(2, 1) && !find(2, 2) && !find(3, 1));
    assert!(configuration.of_check(CheckId(id(2))).is_some());
    assert!(configuration.of_check(CheckId(id(3))).is_none());
}

#[test]
fn whatever_a_satellite_is_told_is_in_the_fingerprint() {
    let of = |check: Check, system: System| {
        Configuration::new(vec![Assigned { check: Arc::new(check), system: Arc::new(system) }])
            .fingerprint()
    };
    let collector = |assertions| Collector {
        id: "a".into(),
        collector_id: "b".into(),
        config: Json::empty_object(),
        assertions,
    };
    let assertion = |json_path: Option<&str>| Assertion {
        field: "f".into(),
        json_path: json_path.map(str::to_owned),
        operator: "exists".into(),
        value: None,
    };
    let with = |list| Collectors::new(list).unwrap();
    let checks = [
        check(1),
        Check { name: "other".parse().unwrap(), ..check(1) },
        Check { strategy: "other".parse().unwrap(), ..check(1) },
        Check { config: Json::trusted("{ }"), ..check(1) },
        Check { interval: Interval::new(61).unwrap(), ..check(1) },
        Check { collectors: with(vec![collector(vec![])]), ..check(1) },
        Check { collectors: with(vec![collector(vec![assertion(None)])]), ..check(1) },
        Check { collectors: with(vec![collector(vec![assertion(Some("$"))])]), ..check(1) },
    ];
    let systems = [
        System { name: "other".parse().unwrap(), ..system(1) },
        System { metadata: Json::trusted("{\"a\":1}"), ..system(1) },
    ];
    let mut all: Vec<_> = checks.into_iter().map(|check| of(check, system(1))).collect();
    all.extend(systems.into_iter().map(|system| of(check(1), system)));
    let distinct: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), all.len());
}

#[test]
fn a_fingerprint_survives_being_stored() {
    let fingerprint = Fingerprint::of_nothing();
    assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
    let digits = |text: &str, times: usize| text.repeat(times).parse::<Fingerprint>();
    assert_eq!(digits("ab", 32).map(|read| read.to_string()), Ok("ab".repeat(32)));
    for (text, times) in [("é", 32), ("+a", 32), ("ab", 31), ("ab", 33), ("", 0)] {
        assert_eq!(digits(text, times), Err(NotAFingerprint), "{times} times {text:?}");
    }
}

#[test]
fn a_configuration_is_printed_as_its_size_and_its_fingerprint() {
    let assigned = Assigned { check: Arc::new(check(1)), system: Arc::new(system(1)) };
    let some = Configuration::new(vec![assigned]);
    let fingerprint = some.fingerprint();
    assert_eq!(format!("{some:?}"), format!("Configuration(1 assigned, {fingerprint})"));
    assert_eq!(format!("{fingerprint:?}"), fingerprint.to_string());
}

#[test]
fn configurations_are_the_same_when_they_say_the_same() {
    let of = |id| Assigned { check: Arc::new(check(id)), system: Arc::new(system(1)) };
    assert_eq!(Configuration::new(vec![of(1), of(2)]), Configuration::new(vec![of(2), of(1)]));
    assert_ne!(Configuration::new(vec![of(1)]), Configuration::new(vec![of(2)]));
}

#[test]
fn a_revision_grows_with_every_change_and_only_then() {
    let nothing = StoredRevision::default();
    assert_eq!(nothing.revised(&Configuration::default()), Revised::Same(Revision(0)));
    let assigned = Assigned { check: Arc::new(check(1)), system: Arc::new(system(1)) };
    let some = Configuration::new(vec![assigned]);
    assert_eq!(nothing.revised(&some), Revised::Next(Revision(1)));
    let stored =
        StoredRevision { revision: Revision(4), fingerprint: some.fingerprint(), applied: None };
    assert_eq!(stored.revised(&some), Revised::Same(Revision(4)));
    assert_eq!(stored.revised(&Configuration::default()), Revised::Next(Revision(5)));
    assert_eq!(stored.revision.to_string(), "4");
}
