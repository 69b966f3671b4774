//! From files to what is wanted, or to everything that is wrong with them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use groundcontrol_core::assignment::{
    CheckFault, Collectors, Interval, Json, Selector, TagExpression,
};
use groundcontrol_core::desired::{
    AssignmentSpec, CheckSpec, Described, Fault, SatelliteSpec, SystemSpec, Wanted, WantedTarget,
};
use groundcontrol_core::limits::{
    MAX_ASSIGNED_SATELLITES, MAX_BODY, MAX_DOCUMENTS, MAX_OFFLINE_THRESHOLD,
};
use groundcontrol_core::satellite::{Name, Tags};
use groundcontrol_core::time::Millis;
use groundcontrol_http::dto;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::{DocumentError, Faults, Place};
use super::folder::TextFile;
use super::kinds::{self, API_VERSION};
use super::schema::KINDS;
use super::yaml::{self, Document};
use crate::config::Span;

/// Documents that were understood, each for itself.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    /// What they say.
    pub wanted: Wanted,
    /// By its number, where each document was found.
    found: Vec<(Arc<str>, Document)>,
}

/// Reads the documents of some files. Where any of them is wrong, nothing but what is wrong is
/// answered. Files without documents are fine.
pub fn read(files: &[TextFile]) -> Result<Documents, Faults> {
    let (mut documents, mut faults) = (Documents::default(), Vec::new());
    for file in files {
        match yaml::documents(&file.text) {
            Ok(found) => {
                documents.found.extend(found.into_iter().map(|one| (file.name.clone(), one)));
            }
            Err((line, detail)) => {
                let place = Place { file: file.name.clone(), line };
                faults.push(DocumentError { place, field: String::new(), detail });
            }
        }
    }
    if documents.found.len() > MAX_DOCUMENTS {
        let place = Place { file: files[0].name.clone(), line: 0 };
        let count = documents.found.len();
        let detail = format!("all files have {count} documents; at most {MAX_DOCUMENTS} are read");
        return Err(Faults::new(vec![DocumentError { place, field: String::new(), detail }]));
    }
    let mut wanted = Wanted::default();
    for (number, (file, document)) in documents.found.iter().enumerate() {
        let mut reading = Reading { number, file, document, faults: &mut faults };
        reading.add_to(&mut wanted);
    }
    match faults.is_empty() {
        true => Ok(Documents { wanted, ..documents }),
        false => Err(Faults::new(faults)),
    }
}

impl Documents {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.found.len()
    }

    /// Where a document begins.
    pub fn place(&self, number: usize) -> Option<Place> {
        let (file, document) = self.found.get(number)?;
        Some(Place { file: file.clone(), line: document.line("") })
    }

    /// What is wrong with them, with files and lines.
    pub fn locate(&self, faults: Vec<Fault>) -> Faults {
        let located = faults.into_iter().filter_map(|fault| {
            let (file, document) = self.found.get(fault.document)?;
            let place = Place { file: file.clone(), line: document.line(fault.field) };
            let other = fault.other.and_then(|number| self.place(number));
            let other = other.map(|place| format!(" (see {place})")).unwrap_or_default();
            let detail = format!("{}{other}", fault.detail);
            Some(DocumentError { place, field: fault.field.to_owned(), detail })
        });
        Faults::new(located.collect())
    }
}

/// One document, and where to say what is wrong with it.
struct Reading<'a> {
    number: usize,
    file: &'a Arc<str>,
    document: &'a Document,
    faults: &'a mut Vec<DocumentError>,
}

impl Reading<'_> {
    fn add_to(&mut self, wanted: &mut Wanted) {
        let Some(kind) = self.kind() else { return };
        match kind.as_str() {
            "Satellite" => {
                if let Some(one) = self.satellite() {
                    wanted.satellites.push(one);
                }
            }
            "System" => {
                if let Some(one) = self.system() {
                    wanted.systems.push(one);
                }
            }
            "Check" => {
                if let Some(one) = self.check() {
                    wanted.checks.push(one);
                }
            }
            "Assignment" => {
                if let Some(one) = self.assignment() {
                    wanted.assignments.push(one);
                }
            }
            other => {
                self.fault("kind", format!("{other:?} is not one of {}", KINDS.join(", ")));
            }
        }
    }

    /// The document's kind, if its version is ours.
    fn kind(&mut self) -> Option<String> {
        let Value::Object(members) = &self.document.value else {
            self.fault("", "a document must be a mapping with apiVersion, kind, metadata and spec");
            return None;
        };
        match members.get("apiVersion") {
            Some(Value::String(version)) if version == API_VERSION => {}
            Some(other) => {
                self.fault("apiVersion", format!("{other} is not {API_VERSION:?}"));
                return None;
            }
            None => {
                self.fault("apiVersion", format!("is missing; it is {API_VERSION:?}"));
                return None;
            }
        }
        match members.get("kind") {
            Some(Value::String(kind)) => Some(kind.clone()),
            Some(other) => {
                self.fault("kind", format!("{other} is not one of {}", KINDS.join(", ")));
                None
            }
            None => {
                self.fault("kind", format!("is missing; it is one of {}", KINDS.join(", ")));
                None
            }
        }
    }

    fn satellite(&mut self) -> Option<Described<SatelliteSpec>> {
        let kinds::Satellite { metadata, spec, .. } = self.typed()?;
        let name = self.parsed("metadata.name", &metadata.name);
        let region = self.parsed("spec.region", &spec.region);
        let tags = self.tags(metadata.labels);
        let offline_threshold = match spec.offline_threshold {
            Some(text) => Some(self.threshold(&text)?),
            None => None,
        };
        let spec = SatelliteSpec { region: region?, tags: tags?, offline_threshold };
        Some(Described { document: self.number, name: name?, spec })
    }

    fn system(&mut self) -> Option<Described<SystemSpec>> {
        let kinds::System { metadata, spec, .. } = self.typed()?;
        let name = self.parsed("metadata.name", &metadata.name);
        let metadata = self.object("spec.metadata", spec.metadata);
        let spec = SystemSpec { metadata: metadata? };
        Some(Described { document: self.number, name: name?, spec })
    }

    fn check(&mut self) -> Option<Described<CheckSpec>> {
        let kinds::Check { metadata, spec, .. } = self.typed()?;
        let name = self.parsed("metadata.name", &metadata.name);
        let strategy = self.parsed("spec.strategyId", &spec.strategy_id);
        let interval = self.interval(spec.interval.as_deref(), spec.interval_seconds);
        let config = self.object("spec.config", spec.config);
        let collectors = self.collectors(&spec.collectors);
        let spec = CheckSpec {
            strategy: strategy?,
            config: config?,
            collectors: collectors?,
            interval: interval?,
        };
        Some(Described { document: self.number, name: name?, spec })
    }

    fn assignment(&mut self) -> Option<Described<AssignmentSpec>> {
        let kinds::Assignment { metadata, spec, .. } = self.typed()?;
        let name = self.parsed("metadata.name", &metadata.name);
        let check = self.parsed("spec.check", &spec.check);
        let system = self.parsed("spec.system", &spec.system);
        let target = match (spec.satellites, spec.selector) {
            (Some(names), None) => self.satellites(&names),
            (None, Some(selector)) => self.selector(selector),
            (Some(_), Some(_)) | (None, None) => {
                self.fault("spec", "exactly one of satellites and selector must be given");
                None
            }
        };
        let spec = AssignmentSpec { check: check?, system: system?, target: target? };
        Some(Described { document: self.number, name: name?, spec })
    }

    fn typed<T: DeserializeOwned>(&mut self) -> Option<T> {
        match serde_path_to_error::deserialize(self.document.value.clone()) {
            Ok(document) => Some(document),
            Err(error) => {
                let path = error.path().to_string();
                self.fault(if path == "." { "" } else { &path }, error.inner());
                None
            }
        }
    }

    fn tags(&mut self, labels: BTreeMap<String, String>) -> Option<Tags> {
        let tags = Tags::new(labels);
        tags.map_err(|(key, why)| {
            let field =
                key.map_or("metadata.labels".to_owned(), |k| format!("metadata.labels.{k}"));
            self.fault(&field, why);
        })
        .ok()
    }

    fn threshold(&mut self, text: &str) -> Option<Millis> {
        let Span(span) = self.parsed("spec.offlineThreshold", text)?;
        if span == Millis::ZERO || span > MAX_OFFLINE_THRESHOLD {
            self.fault("spec.offlineThreshold", "must be longer than nothing and at most 7 days");
            return None;
        }
        Some(span)
    }

    fn interval(&mut self, text: Option<&str>, seconds: Option<u64>) -> Option<Interval> {
        let (field, seconds) = match (text, seconds) {
            (None, Some(seconds)) => ("spec.intervalSeconds", seconds),
            (Some(text), None) => {
                let Span(span) = self.parsed("spec.interval", text)?;
                let whole = (span.get() % 1_000 == 0).then_some(span.get() / 1_000);
                ("spec.interval", whole.unwrap_or(0))
            }
            (Some(_), Some(_)) | (None, None) => {
                self.fault("spec", "exactly one of interval and intervalSeconds must be given");
                return None;
            }
        };
        Interval::new(seconds).map_err(|why| self.fault(field, why)).ok()
    }

    fn object(&mut self, field: &str, members: Map<String, Value>) -> Option<Json> {
        let text = Value::Object(members).to_string();
        if text.len() > MAX_BODY {
            self.fault(field, format!("has {} bytes as JSON; at most {MAX_BODY} fit", text.len()));
            return None;
        }
        Some(Json::trusted(text))
    }

    fn collectors(&mut self, list: &[dto::Collector]) -> Option<Collectors> {
        let bare = list.iter().position(|one| !one.config.is_object());
        if let Some(at) = bare {
            self.fault(&format!("spec.collectors[{at}].config"), "must be a mapping");
            return None;
        }
        let found = Collectors::new(list.iter().map(Into::into).collect());
        found.map_err(|CheckFault { pointer, detail }| self.fault(&place(&pointer), detail)).ok()
    }

    fn satellites(&mut self, names: &[String]) -> Option<WantedTarget> {
        if names.len() > MAX_ASSIGNED_SATELLITES {
            let why = format!("has {} names; at most {MAX_ASSIGNED_SATELLITES} fit", names.len());
            self.fault("spec.satellites", why);
            return None;
        }
        let mut found = BTreeSet::new();
        for (at, name) in names.iter().enumerate() {
            found.insert(self.parsed::<Name>(&format!("spec.satellites[{at}]"), name)?);
        }
        Some(WantedTarget::Satellites(found))
    }

    fn selector(&mut self, selector: dto::Selector) -> Option<WantedTarget> {
        let region = match selector.region {
            Some(text) => Some(self.parsed("spec.selector.region", &text)?),
            None => None,
        };
        let tags = selector.tags.unwrap_or_default();
        let tags: TagExpression = self.parsed("spec.selector.tags", &tags)?;
        Some(WantedTarget::Selected(Selector { region, tags }))
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, field: &str, text: &str) -> Option<T> {
        text.parse().map_err(|why| self.fault(field, why)).ok()
    }

    fn fault(&mut self, field: &str, detail: impl Display) {
        let place = Place { file: self.file.clone(), line: self.document.line(field) };
        let (field, detail) = (field.to_owned(), detail.to_string());
        self.faults.push(DocumentError { place, field, detail });
    }
}

/// From `/0/assertions/1/field` to `spec.collectors[0].assertions[1].field`.
fn place(pointer: &str) -> String {
    let steps = pointer.split('/').skip(1);
    steps.fold("spec.collectors".to_owned(), |path, step| match step.parse::<usize>() {
        Ok(at) => format!("{path}[{at}]"),
        Err(_) => format!("{path}.{step}"),
    })
}

#[cfg(test)]
mod tests;
