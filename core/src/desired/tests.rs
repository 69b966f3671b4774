//! What follows from documents beside what is there.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::*;
use crate::assignment::{
    Assignment, AssignmentId, Check, CheckId, Collectors, Interval, Json, Selector, System,
    SystemId, Target,
};
use crate::satellite::{Name, OwnThreshold, ReportedAgent, Satellite, SatelliteId, Tags};
use crate::time::{Millis, Timestamp};

/// Takes each word of a text `path=value` for a leaf.
struct Words;

impl Leaves for Words {
    fn of(&self, json: &Json) -> Vec<(String, String)> {
        let pair = |word: &str| word.split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned()));
        json.as_str().split(' ').filter_map(pair).collect()
    }
}

const MADE: Timestamp = Timestamp::from_millis(0);
const OURS: Option<Manager> = Some(Manager::GitOps);

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn satellite(id: u128, called: &str, managed_by: Option<Manager>) -> Satellite {
    Satellite {
        id: SatelliteId(Uuid::from_u128(id)),
        name: name(called),
        region: "eu".parse().unwrap(),
        tags: Tags::default(),
        own_threshold: None,
        enabled: true,
        agent: ReportedAgent::default(),
        managed_by,
        created_at: MADE,
    }
}

fn system(id: u128, called: &str, managed_by: Option<Manager>) -> System {
    let id = SystemId(Uuid::from_u128(id));
    System { id, name: name(called), metadata: Json::trusted(""), managed_by, created_at: MADE }
}

fn check(id: u128, called: &str, managed_by: Option<Manager>) -> Check {
    Check {
        id: CheckId(Uuid::from_u128(id)),
        name: name(called),
        strategy: "http".parse().unwrap(),
        config: Json::trusted(".url=a .password=b"),
        collectors: Collectors::default(),
        interval: Interval::new(60).unwrap(),
        managed_by,
        created_at: MADE,
    }
}

/// Assignment `id` of check 1 and system 1.
fn assignment(id: u128, target: Target, managed_by: Option<Manager>) -> Assignment {
    Assignment {
        id: AssignmentId(Uuid::from_u128(id)),
        check: CheckId(Uuid::from_u128(1)),
        system: SystemId(Uuid::from_u128(1)),
        target,
        managed_by,
        created_at: MADE,
    }
}

fn region(text: &str) -> Selector {
    Selector { region: Some(text.parse().unwrap()), ..Selector::default() }
}

fn described<T>(document: usize, called: &str, spec: T) -> Described<T> {
    Described { document, name: name(called), spec }
}

fn in_region(text: &str) -> SatelliteSpec {
    let region = text.parse().unwrap();
    SatelliteSpec { region, tags: Tags::default(), offline_threshold: None }
}

fn check_spec(config: &str) -> CheckSpec {
    CheckSpec {
        strategy: "http".parse().unwrap(),
        config: Json::trusted(config),
        collectors: Collectors::default(),
        interval: Interval::new(60).unwrap(),
    }
}

fn assigned(target: WantedTarget) -> AssignmentSpec {
    AssignmentSpec { check: name("web"), system: name("shop"), target }
}

/// A check `web`, a system `shop`, and these assignments.
fn work(assignments: Vec<Assignment>, managed_by: Option<Manager>) -> Present {
    Present {
        systems: vec![system(1, "shop", managed_by)],
        checks: vec![check(1, "web", managed_by)],
        assignments,
        ..Present::default()
    }
}

fn shown(plan: &Plan) -> Vec<String> {
    let fields = |change: &Change| {
        let one = |field: &FieldChange| {
            let text = |value: &Option<String>| value.clone().unwrap_or("-".to_owned());
            format!(" {}:{}>{}", field.path, text(&field.before), text(&field.after))
        };
        change.fields.iter().map(one).collect::<String>()
    };
    let line = |change: &Change| {
        format!("{} {} {}{}", change.step.action().sign(), change.kind, change.name, fields(change))
    };
    plan.changes.iter().map(line).collect()
}

fn planned(wanted: &Wanted, present: &Present, prune: bool) -> Plan {
    plan(wanted, present, prune, &Words).unwrap()
}

#[test]
fn what_is_not_there_is_made_and_what_it_refers_to_before_it() {
    let target = WantedTarget::Satellites(BTreeSet::from([name("Lima")]));
    let wanted = Wanted {
        satellites: vec![described(3, "Lima", in_region("sa"))],
        systems: vec![described(2, "shop", SystemSpec { metadata: Json::trusted("") })],
        checks: vec![described(1, "web", check_spec(""))],
        assignments: vec![described(0, "web of shop", assigned(target))],
    };
    let plan = planned(&wanted, &Present::default(), false);
    let lines = ["+ satellite Lima", "+ system shop", "+ check web", "+ assignment web of shop"];
    assert_eq!(shown(&plan), lines);
    let marked = |change: &Change| match &change.step {
        Step::CreateSatellite(request) => request.managed_by == OURS,
        Step::CreateSystem(request) => request.managed_by == OURS,
        Step::CreateCheck(request) => request.managed_by == OURS,
        _ => true,
    };
    assert!(plan.changes.iter().all(marked), "what is made is marked");
    let made = Names {
        satellites: BTreeMap::from([(name("Lima"), SatelliteId(Uuid::from_u128(7)))]),
        systems: BTreeMap::from([(name("shop"), SystemId(Uuid::from_u128(8)))]),
        checks: BTreeMap::from([(name("web"), CheckId(Uuid::from_u128(9)))]),
    };
    let request = made.request(&wanted.assignments[0].spec).unwrap();
    assert_eq!((request.check.0.as_u128(), request.managed_by), (9, OURS));
    assert_eq!(Names::default().request(&wanted.assignments[0].spec), None);
}

#[test]
fn what_is_there_already_is_adopted_by_its_name_and_changed_where_it_differs() {
    let present = Present { checks: vec![check(1, "web", None)], ..Present::default() };
    let spec = |config: &str| Wanted {
        checks: vec![described(0, "web", check_spec(config))],
        ..Wanted::default()
    };
    assert_eq!(planned(&spec(".url=a .password=b"), &present, true), Plan::default());
    let changed = planned(&spec(".url=c .password=d .new=1"), &present, true);
    let fields = "config.new:->1 config.password:…>… config.url:a>c";
    assert_eq!(shown(&changed), [format!("~ check web {fields}")]);
}

#[test]
fn a_satellite_is_changed_in_what_documents_say_of_it_and_in_nothing_else() {
    let mut there = satellite(1, "Lima", None);
    there.own_threshold = OwnThreshold::stored(Millis::from_secs(60));
    there.enabled = false;
    let present = Present { satellites: vec![there], ..Present::default() };
    let tags = Tags::new([("tier".to_owned(), "edge".to_owned())].into()).unwrap();
    let spec = SatelliteSpec { tags, ..in_region("sa") };
    let wanted = Wanted { satellites: vec![described(0, "Lima", spec)], ..Wanted::default() };
    let plan = planned(&wanted, &present, false);
    let fields = "offlineThreshold:1 min>- region:eu>sa tags.tier:->edge";
    assert_eq!(shown(&plan), [format!("~ satellite Lima {fields}")]);
    let Step::UpdateSatellite(_, patch) = &plan.changes[0].step else { panic!("no update") };
    assert_eq!((patch.enabled, patch.offline_threshold), (None, Some(None)));
}

#[test]
fn a_threshold_that_stays_is_not_set_again_and_the_shortest_that_is_set_comes_first() {
    let mut kept = satellite(1, "a", None);
    kept.own_threshold = OwnThreshold::stored(Millis::from_secs(1));
    let present = Present { satellites: vec![kept], ..Present::default() };
    let with = |seconds: Option<u64>| SatelliteSpec {
        offline_threshold: seconds.map(Millis::from_secs),
        ..in_region("sa")
    };
    let wanted = Wanted {
        satellites: vec![
            described(0, "a", with(Some(1))),
            described(1, "b", with(None)),
            described(2, "c", with(Some(90))),
            described(3, "d", with(Some(60))),
        ],
        ..Wanted::default()
    };
    let plan = planned(&wanted, &present, false);
    let order: Vec<_> = plan.changes.iter().map(|change| change.name.as_str()).collect();
    assert_eq!(order, ["d", "c", "a", "b"]);
    let Step::UpdateSatellite(_, patch) = &plan.changes[2].step else { panic!("no update") };
    assert_eq!(patch.offline_threshold, None);
}

#[test]
fn an_assignment_is_matched_by_check_and_system_and_first_by_what_it_says() {
    let there = vec![
        assignment(1, Target::Selected(region("eu")), None),
        assignment(2, Target::Selected(region("us")), OURS),
    ];
    let wanted = |texts: &[&str]| Wanted {
        assignments: texts
            .iter()
            .enumerate()
            .map(|(at, text)| described(at, text, assigned(WantedTarget::Selected(region(text)))))
            .collect(),
        ..Wanted::default()
    };
    let present = work(there, None);
    assert_eq!(planned(&wanted(&["eu", "us"]), &present, true), Plan::default());
    let moved = planned(&wanted(&["asia", "eu"]), &present, true);
    assert_eq!(shown(&moved), ["~ assignment asia selector.region:us>asia"]);
    let one = planned(&wanted(&["eu"]), &present, true);
    assert_eq!(shown(&one), ["- assignment web of shop"]);
    let third = planned(&wanted(&["eu", "us", "asia"]), &present, true);
    assert_eq!(shown(&third), ["+ assignment asia"]);
}

#[test]
fn only_what_documents_made_is_removed_and_assignments_before_what_they_refer_to() {
    let mut present = work(vec![assignment(1, Target::Selected(region("eu")), OURS)], OURS);
    present.satellites = vec![satellite(1, "Lima", OURS), satellite(2, "Quito", None)];
    present.checks.push(check(2, "by hand", None));
    let wanted =
        Wanted { satellites: vec![described(0, "Quito", in_region("eu"))], ..Wanted::default() };
    assert_eq!(planned(&wanted, &present, false), Plan::default());
    let plan = planned(&wanted, &present, true);
    let lines = ["- assignment web of shop", "- check web", "- system shop", "- satellite Lima"];
    assert_eq!(shown(&plan), lines);
    assert_eq!(plan.kept, []);
}

#[test]
fn no_documents_at_all_remove_nothing() {
    let present = work(Vec::new(), OURS);
    assert_eq!(planned(&Wanted::default(), &present, true), Plan::default());
}

#[test]
fn what_others_need_is_kept_and_the_reason_told() {
    let mut present = work(vec![assignment(1, Target::Selected(region("eu")), None)], OURS);
    present.checks.push(check(2, "other", OURS));
    present.satellites = vec![satellite(1, "Lima", OURS)];
    let target = WantedTarget::Satellites(BTreeSet::from([name("Lima")]));
    let spec = AssignmentSpec { check: name("other"), ..assigned(target) };
    let wanted = Wanted { assignments: vec![described(0, "mine", spec)], ..Wanted::default() };
    let plan = planned(&wanted, &present, true);
    assert_eq!(shown(&plan), ["+ assignment mine"]);
    let kept: Vec<_> = plan.kept.iter().map(|kept| (kept.name.as_str(), kept.why)).collect();
    let (referred, needed) =
        ("a document refers to it", "an assignment needs it that was not made from documents");
    let expected = [("web", needed), ("other", referred), ("shop", referred), ("Lima", referred)];
    assert_eq!(kept, expected);
}

#[test]
fn every_fault_is_named_with_its_document_and_field_and_nothing_is_planned() {
    let target = WantedTarget::Satellites(BTreeSet::from([name("Lima")]));
    let wanted = Wanted {
        systems: vec![
            described(0, "twice", SystemSpec { metadata: Json::trusted("") }),
            described(1, "twice", SystemSpec { metadata: Json::trusted("") }),
        ],
        assignments: vec![
            described(2, "a", assigned(target.clone())),
            described(3, "b", assigned(target)),
        ],
        ..Wanted::default()
    };
    let faults = plan(&wanted, &Present::default(), true, &Words).unwrap_err();
    let seen: Vec<_> = faults.iter().map(|one| (one.document, one.field, one.other)).collect();
    let expected = [
        (1, "metadata.name", Some(0)),
        (3, "spec", Some(2)),
        (2, "spec.check", None),
        (2, "spec.system", None),
        (2, "spec.satellites", None),
        (3, "spec.check", None),
        (3, "spec.system", None),
        (3, "spec.satellites", None),
    ];
    assert_eq!(seen, expected);
    let text = "there is no check \"web\", neither in the documents nor on the server";
    assert_eq!(faults[2].detail, text);
}

#[test]
fn what_was_planned_and_done_leaves_nothing_to_do() {
    let wanted = Wanted {
        satellites: vec![described(0, "Lima", in_region("eu"))],
        checks: vec![described(1, "web", check_spec(".url=a .password=b"))],
        ..Wanted::default()
    };
    let done = Present {
        satellites: vec![satellite(1, "Lima", OURS)],
        checks: vec![check(1, "web", OURS)],
        ..Present::default()
    };
    assert_eq!(planned(&wanted, &done, true), Plan::default());
}
