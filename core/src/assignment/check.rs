//! How something is checked.

use std::collections::BTreeSet;
use std::fmt;

use super::{CheckId, Json};
use crate::desired::Manager;
use crate::limits;
use crate::satellite::{Name, TextError, text};
use crate::time::{Millis, Timestamp};

/// A way to check a system. To the server, its configuration is opaque.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its id, on the wire `configId`.
    pub id: CheckId,
    /// Unique among all checks.
    pub name: Name,
    /// How an agent connects to the system.
    pub strategy: StrategyId,
    /// The strategy's settings: one JSON object.
    pub config: Json,
    /// What to look at once connected.
    pub collectors: Collectors,
    /// From run to run.
    pub interval: Interval,
    /// What made it and keeps it; none: a person, or a program that did not say.
    pub managed_by: Option<Manager>,
    /// When it was made, store time.
    pub created_at: Timestamp,
}

/// The name of a strategy: 1–200 characters. Agents may know others than the server does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StrategyId(Box<str>);

/// Seconds from run to run: 1 to 86,400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval(u32);

/// An interval beyond its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number of seconds from 1 to {}", limits::MAX_INTERVAL_SECONDS)]
pub struct InvalidInterval;

/// The collectors of one check: at most 100, each with an id that no other of them has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collectors(Vec<Collector>);

/// One thing to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector {
    /// The entry's id, unique in its check.
    pub id: String,
    /// What kind of collector it is.
    pub collector_id: String,
    /// Its settings: one JSON object.
    pub config: Json,
    /// What must be true of what it finds.
    pub assertions: Vec<Assertion>,
}

/// What must be true of one field of what a collector finds. Judged when a result arrives, so
/// that an operator which this version does not know fails there, and says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// The field.
    pub field: String,
    /// Where in the field, RFC 9535.
    pub json_path: Option<String>,
    /// How it is compared.
    pub operator: String,
    /// With what.
    pub value: Option<Json>,
}

/// Where a list of collectors breaks a limit, as a JSON pointer below it, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckFault {
    /// The place: `/0/collectorId`.
    pub pointer: String,
    /// What is wrong with it.
    pub detail: String,
}

impl Collectors {
    /// `list`, if it keeps its limits.
    pub fn new(list: Vec<Collector>) -> Result<Self, CheckFault> {
        if list.len() > limits::MAX_COLLECTORS {
            let (count, most) = (list.len(), limits::MAX_COLLECTORS);
            return Err(fault(String::new(), TextError::TooMany { count, most }));
        }
        let mut seen = BTreeSet::new();
        for (at, collector) in list.iter().enumerate() {
            check_collector(at, collector)?;
            if !seen.insert(collector.id.as_str()) {
                let detail = format!("{:?} is the id of another collector too", collector.id);
                return Err(fault(format!("/{at}/id"), detail));
            }
        }
        Ok(Self(list))
    }

    /// The collectors in order.
    pub fn as_slice(&self) -> &[Collector] {
        &self.0
    }

    /// The collector that `name` means: the one whose entry id it is, or else the first whose
    /// collector id it is.
    pub fn find(&self, name: &str) -> Option<&Collector> {
        let by_entry = self.0.iter().find(|collector| collector.id == name);
        by_entry.or_else(|| self.0.iter().find(|collector| collector.collector_id == name))
    }
}

fn check_collector(at: usize, collector: &Collector) -> Result<(), CheckFault> {
    let named = [("id", &collector.id), ("collectorId", &collector.collector_id)];
    for (name, value) in named {
        text::check(value, limits::MAX_NAME_CHARS)
            .map_err(|why| fault(format!("/{at}/{name}"), why))?;
    }
    if collector.assertions.len() > limits::MAX_ASSERTIONS {
        let (count, most) = (collector.assertions.len(), limits::MAX_ASSERTIONS);
        let pointer = format!("/{at}/assertions");
        return Err(fault(pointer, TextError::TooMany { count, most }));
    }
    for (number, assertion) in collector.assertions.iter().enumerate() {
        let place = format!("/{at}/assertions/{number}");
        for (name, value) in [("field", &assertion.field), ("operator", &assertion.operator)] {
            text::check(value, limits::MAX_NAME_CHARS)
                .map_err(|why| fault(format!("{place}/{name}"), why))?;
        }
        let path = assertion.json_path.as_deref().unwrap_or("$");
        text::check(path, limits::MAX_JSON_PATH_CHARS)
            .map_err(|why| fault(format!("{place}/jsonPath"), why))?;
    }
    Ok(())
}

fn fault(pointer: String, detail: impl fmt::Display) -> CheckFault {
    CheckFault { pointer, detail: detail.to_string() }
}

impl Interval {
    /// An interval of `seconds`.
    ///
    /// ```
    /// use groundcontrol_core::assignment::Interval;
    /// assert!(Interval::new(86_400).is_ok());
    /// assert!(Interval::new(0).is_err() && Interval::new(86_401).is_err());
    /// ```
    pub fn new(seconds: u64) -> Result<Self, InvalidInterval> {
        match u32::try_from(seconds) {
            Ok(seconds) if (1..=limits::MAX_INTERVAL_SECONDS).contains(&seconds) => {
                Ok(Self(seconds))
            }
            _ => Err(InvalidInterval),
        }
    }

    /// In seconds.
    pub const fn seconds(self) -> u32 {
        self.0
    }

    /// In milliseconds.
    pub const fn millis(self) -> Millis {
        Millis::from_secs(self.0 as u64)
    }
}

impl StrategyId {
    /// The text as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for StrategyId {
    type Err = TextError;
    fn from_str(text: &str) -> Result<Self, TextError> {
        text::check(text, limits::MAX_NAME_CHARS)?;
        Ok(Self(text.into()))
    }
}

impl fmt::Display for StrategyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collector(id: &str, collector_id: &str) -> Collector {
        Collector {
            id: id.to_owned(),
            collector_id: collector_id.to_owned(),
            config: Json::empty_object(),
            assertions: Vec::new(),
        }
    }

    #[test]
    fn two_collectors_with_one_id_are_refused_at_the_second() {
        let twice = vec![collector("a", "x"), collector("a", "y")];
        let fault = Collectors::new(twice).unwrap_err();
        assert_eq!(fault.pointer, "/1/id");
    }

    #[test]
    fn a_faulty_field_is_named_by_its_place() {
        let mut bad = collector("a", "x");
        bad.assertions.push(Assertion {
            field: "body".into(),
            json_path: None,
            operator: " ".into(),
            value: None,
        });
        let fault = Collectors::new(vec![collector("b", "x"), bad]).unwrap_err();
        assert_eq!(fault.pointer, "/1/assertions/0/operator");
    }

    #[test]
    fn an_entry_id_goes_before_a_collector_id() {
        let list = Collectors::new(vec![collector("a", "b"), collector("b", "c")]).unwrap();
        assert_eq!(list.find("b").map(|found| found.id.as_str()), Some("b"));
        assert_eq!(list.find("c").map(|found| found.id.as_str()), Some("b"));
        assert_eq!(list.find("d"), None);
    }

    #[test]
    fn the_number_of_collectors_is_limited() {
        let many = |count: usize| (0..count).map(|n| collector(&n.to_string(), "x")).collect();
        assert!(Collectors::new(many(limits::MAX_COLLECTORS)).is_ok());
        assert!(Collectors::new(many(limits::MAX_COLLECTORS + 1)).is_err());
    }

    #[test]
    fn the_number_of_assertions_is_limited() {
        let with = |count: usize| {
            let assertion = Assertion {
                field: "body".into(),
                json_path: None,
                operator: "exists".into(),
                value: None,
            };
            Collectors::new(vec![Collector {
                assertions: vec![assertion; count],
                ..collector("a", "x")
            }])
        };
        assert!(with(limits::MAX_ASSERTIONS - 1).is_ok());
        assert!(with(limits::MAX_ASSERTIONS).is_ok());
        assert_eq!(with(limits::MAX_ASSERTIONS + 1).unwrap_err().pointer, "/0/assertions");
    }

    #[test]
    fn an_interval_is_as_long_in_milliseconds_as_in_seconds() {
        assert_eq!(Interval::new(90).unwrap().millis(), Millis::from_secs(90));
    }

    #[test]
    fn a_strategy_is_shown_as_it_was_given() {
        let strategy: StrategyId = "healthcheck-http.http".parse().unwrap();
        assert_eq!(strategy.as_str(), "healthcheck-http.http");
        assert_eq!(strategy.to_string(), "healthcheck-http.http");
        assert!(" ".parse::<StrategyId>().is_err());
    }
}
