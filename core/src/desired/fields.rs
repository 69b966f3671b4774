//! Things as fields, so that they can be compared and the difference shown.

use std::collections::BTreeMap;

use super::wanted::{CheckSpec, SatelliteSpec, SystemSpec, WantedTarget};
use crate::assignment::{Check, Collectors, Json, StrategyId, System};
use crate::satellite::{OwnThreshold, Satellite};
use crate::time::Millis;

/// What comparing needs that the core does not have.
pub trait Leaves {
    /// The leaves of `json` as pairs of path and value, such as `.ports[0]` and `443`. Two texts
    /// that mean the same have the same leaves, and no two others.
    fn of(&self, json: &Json) -> Vec<(String, String)>;
}

/// One field that changes. Its values are as people read them; what may be secret is not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Which, as `config.url`.
    pub path: String,
    /// What it was; none: it was not there.
    pub before: Option<String>,
    /// What it will be; none: it will be gone.
    pub after: Option<String>,
}

/// By path, what a thing says.
pub(super) type Fields = BTreeMap<String, String>;

/// What stands for a value that may be secret.
const HIDDEN: &str = "…";

/// Words in the last part of a path behind which a secret may be.
const SECRET: &[&str] = &["password", "passphrase", "secret", "token", "auth", "key", "credential"];

pub(super) fn difference(before: &Fields, after: &Fields) -> Vec<FieldChange> {
    let gone = before.keys().filter(|path| !after.contains_key(*path));
    let mut paths: Vec<&String> = after.keys().chain(gone).collect();
    paths.sort();
    let change = |path: &String| {
        let (was, will) = (before.get(path), after.get(path));
        let shown = |value: &String| match may_be_secret(path) {
            true => HIDDEN.to_owned(),
            false => value.clone(),
        };
        (was != will).then(|| FieldChange {
            path: path.clone(),
            before: was.map(shown),
            after: will.map(shown),
        })
    };
    paths.into_iter().filter_map(change).collect()
}

/// Whether the value at this path of free settings may be a secret.
fn may_be_secret(path: &str) -> bool {
    let free = ["config.", "metadata.", "collectors["].iter().any(|part| path.starts_with(part));
    let last = path.rsplit('.').next().unwrap_or(path).to_ascii_lowercase();
    free && SECRET.iter().any(|word| last.contains(word))
}

pub(super) fn satellite(satellite: &Satellite) -> Fields {
    let threshold = satellite.own_threshold.map(OwnThreshold::get);
    let Satellite { region, tags, .. } = satellite;
    described(&SatelliteSpec {
        region: region.clone(),
        tags: tags.clone(),
        offline_threshold: threshold,
    })
}

pub(super) fn described(spec: &SatelliteSpec) -> Fields {
    let SatelliteSpec { region, tags, offline_threshold } = spec;
    let mut fields = Fields::from([("region".to_owned(), region.to_string())]);
    let threshold = offline_threshold.filter(|span| *span > Millis::ZERO);
    fields.extend(threshold.map(|span| ("offlineThreshold".to_owned(), span.to_string())));
    let tag = |(key, value): (&String, &String)| (format!("tags.{key}"), value.clone());
    fields.extend(tags.as_map().iter().map(tag));
    fields
}

pub(super) fn system(system: &System, leaves: &dyn Leaves) -> Fields {
    free("metadata", &system.metadata, leaves).collect()
}

pub(super) fn system_spec(spec: &SystemSpec, leaves: &dyn Leaves) -> Fields {
    free("metadata", &spec.metadata, leaves).collect()
}

pub(super) fn check(check: &Check, leaves: &dyn Leaves) -> Fields {
    let interval = check.interval.seconds();
    settings(&check.strategy, &check.config, &check.collectors, interval, leaves)
}

pub(super) fn check_spec(spec: &CheckSpec, leaves: &dyn Leaves) -> Fields {
    settings(&spec.strategy, &spec.config, &spec.collectors, spec.interval.seconds(), leaves)
}

fn settings(
    strategy: &StrategyId,
    config: &Json,
    collectors: &Collectors,
    interval: u32,
    leaves: &dyn Leaves,
) -> Fields {
    let mut fields = Fields::from([
        ("strategyId".to_owned(), strategy.to_string()),
        ("intervalSeconds".to_owned(), interval.to_string()),
    ]);
    fields.extend(free("config", config, leaves));
    for (at, collector) in collectors.as_slice().iter().enumerate() {
        let place = format!("collectors[{at}]");
        fields.insert(format!("{place}.id"), collector.id.clone());
        fields.insert(format!("{place}.collectorId"), collector.collector_id.clone());
        fields.extend(free(&format!("{place}.config"), &collector.config, leaves));
        for (at, assertion) in collector.assertions.iter().enumerate() {
            let place = format!("{place}.assertions[{at}]");
            fields.insert(format!("{place}.field"), assertion.field.clone());
            fields.insert(format!("{place}.operator"), assertion.operator.clone());
            let path = assertion.json_path.clone();
            fields.extend(path.map(|path| (format!("{place}.jsonPath"), path)));
            let value = assertion.value.iter();
            let value = value.flat_map(|json| free(&format!("{place}.value"), json, leaves));
            fields.extend(value.collect::<Vec<_>>());
        }
    }
    fields
}

fn free(
    place: &str,
    json: &Json,
    leaves: &dyn Leaves,
) -> impl Iterator<Item = (String, String)> + use<> {
    let place = place.to_owned();
    leaves.of(json).into_iter().map(move |(path, value)| (format!("{place}{path}"), value))
}

pub(super) fn target(target: &WantedTarget) -> Fields {
    match target {
        WantedTarget::Satellites(names) => {
            names.iter().map(|name| (format!("satellites[{name}]"), String::new())).collect()
        }
        WantedTarget::Selected(selector) => {
            let region = selector.region.as_ref().map_or("any".to_owned(), ToString::to_string);
            let tags = selector.tags.to_string();
            let tags = if tags.is_empty() { "any".to_owned() } else { tags };
            [("selector.region", region), ("selector.tags", tags)]
                .map(|(path, value)| (path.to_owned(), value))
                .into()
        }
    }
}
