//! What satellites shall run, as it goes over the wire. What many share is made into text once.

use std::fmt::Write as _;

use groundcontrol_core::assignment::{self as core, Assigned, Configured, Json};
use groundcontrol_core::ports::Welcome;

use crate::wire::{Assertion, Assignment, Collector, Opaque};

/// `authenticated` for an accepted satellite.
pub(crate) fn authenticated(welcome: &Welcome) -> String {
    let Welcome { session, heartbeat_interval, configured, sandbox_policy, .. } = welcome;
    let assignments = configured.as_ref().map_or("[]", rendered);
    let (id, interval) = (session.satellite, heartbeat_interval.get());
    let mut text = format!(
        r#"{{"type":"authenticated","satelliteId":"{id}","assignments":{assignments},"heartbeatIntervalMs":{interval}"#
    );
    if let Some(configured) = configured {
        add(&mut text, "revision", &configured.revision.to_string());
        add_packages(&mut text, configured);
    }
    if let Some(policy) = sandbox_policy {
        add(&mut text, "sandboxPolicy", policy.as_str());
    }
    text.push('}');
    text
}

/// `config_updated` with what a satellite runs from now on.
pub(crate) fn config_updated(configured: &Configured) -> String {
    let (assignments, revision) = (rendered(configured), configured.revision);
    let mut text =
        format!(r#"{{"type":"config_updated","assignments":{assignments},"revision":{revision}"#);
    add_packages(&mut text, configured);
    text.push('}');
    text
}

/// `sandbox_policy`.
pub(crate) fn sandbox_policy(policy: &Json) -> String {
    format!(r#"{{"type":"sandbox_policy","policy":{}}}"#, policy.as_str())
}

fn add(text: &mut String, name: &str, json: &str) {
    // Writing to a string does not fail.
    let _ = write!(text, r#","{name}":{json}"#);
}

/// A hash needs no escaping.
fn add_packages(text: &mut String, configured: &Configured) {
    match configured.packages {
        None => {}
        Some(None) => add(text, "scriptPackagesLockfileHash", "null"),
        Some(Some(lockfile)) => {
            add(text, "scriptPackagesLockfileHash", &format!("\"{lockfile}\""));
        }
    }
}

fn rendered(configured: &Configured) -> &str {
    configured.configuration.rendered(|assigned| {
        let assignments: Vec<_> = assigned.iter().filter_map(assignment).collect();
        serde_json::to_string(&assignments).unwrap_or_else(|_| "[]".to_owned()).into()
    })
}

/// None where what was promised to be JSON is not.
fn assignment(Assigned { check, system }: &Assigned) -> Option<Assignment> {
    let collectors: Option<Vec<_>> = check.collectors.as_slice().iter().map(collector).collect();
    Some(Assignment {
        config_id: check.id.to_string(),
        system_id: system.id.to_string(),
        strategy_id: check.strategy.to_string(),
        config: opaque(&check.config)?,
        collectors: Some(collectors?).filter(|list| !list.is_empty()),
        interval_seconds: check.interval.seconds().into(),
        config_name: Some(check.name.to_string()),
        system_name: Some(system.name.to_string()),
        system_metadata: Some(opaque(&system.metadata)?),
        environments: None,
    })
}

fn collector(collector: &core::Collector) -> Option<Collector> {
    let assertions: Option<Vec<_>> = collector.assertions.iter().map(assertion).collect();
    Some(Collector {
        id: collector.id.clone(),
        collector_id: collector.collector_id.clone(),
        config: opaque(&collector.config)?,
        assertions: Some(assertions?).filter(|list| !list.is_empty()),
    })
}

fn assertion(assertion: &core::Assertion) -> Option<Assertion> {
    let value = match &assertion.value {
        Some(value) => Some(opaque(value)?),
        None => None,
    };
    Some(Assertion {
        field: assertion.field.clone(),
        json_path: assertion.json_path.clone(),
        operator: assertion.operator.clone(),
        value,
    })
}

fn opaque(json: &Json) -> Option<Opaque> {
    let opaque = Opaque::new(json.as_str());
    if let Err(error) = &opaque {
        tracing::error!(%error, "a stored configuration holds no JSON; it is left out");
    }
    opaque.ok()
}

#[cfg(test)]
mod tests {
    use groundcontrol_core::assignment::{
        Check, CheckId, Collectors, Configuration, Interval, Revision, System, SystemId,
    };
    use groundcontrol_core::packages::LockfileHash;
    use groundcontrol_core::ports::SessionRef;
    use groundcontrol_core::satellite::{Epoch, SatelliteId, SessionId};
    use groundcontrol_core::time::{Millis, Timestamp};
    use uuid::Uuid;

    use super::*;
    use crate::wire::ToSatellite;

    const ID: Uuid = Uuid::from_u128(7);

    fn configured() -> Configured {
        let assertion = core::Assertion {
            field: "statusCode".into(),
            json_path: None,
            operator: "equals".into(),
            value: Some(Json::trusted("200.0")),
        };
        let collector = core::Collector {
            id: "a \"quoted\" id".into(),
            collector_id: "request".into(),
            config: Json::trusted("{ \"url\": \"http://x\" }"),
            assertions: vec![assertion],
        };
        let check = Check {
            id: CheckId(ID),
            name: "check".parse().unwrap(),
            strategy: "http".parse().unwrap(),
            config: Json::empty_object(),
            collectors: Collectors::new(vec![collector]).unwrap(),
            interval: Interval::new(60).unwrap(),
            managed_by: None,
            created_at: Timestamp::from_millis(0),
        };
        let system = System {
            id: SystemId(ID),
            name: "system".parse().unwrap(),
            metadata: Json::trusted("{\"a\": 1}"),
            managed_by: None,
            created_at: Timestamp::from_millis(0),
        };
        let assigned = Assigned { check: check.into(), system: system.into() };
        Configured {
            configuration: Configuration::new(vec![assigned]).into(),
            revision: Revision(3),
            packages: Some(Some(LockfileHash::of(b""))),
        }
    }

    #[test]
    fn an_accepted_satellite_is_told_all_that_it_shall_run() {
        let welcome = Welcome {
            session: SessionRef {
                satellite: SatelliteId(ID),
                epoch: Epoch(1),
                session: SessionId(ID),
            },
            heartbeat_interval: Millis::from_secs(15),
            threshold: Millis::from_secs(45),
            configured: Some(configured()),
            sandbox_policy: Some(Json::trusted("{\"network\": true}")),
        };
        let said = ToSatellite::parse(&authenticated(&welcome)).expect("a message");
        let ToSatellite::Authenticated(said) = said else { panic!("{said:?}") };
        assert_eq!((said.revision, said.heartbeat_interval_ms), (Some(3), Some(15_000)));
        assert_eq!(said.sandbox_policy.as_ref().unwrap().get(), "{\"network\": true}");
        let [assignment] = &said.assignments[..] else { panic!("{said:?}") };
        assert_eq!(assignment.config_id, ID.to_string());
        assert_eq!(assignment.system_metadata.as_ref().unwrap().get(), "{\"a\": 1}");
        let collector = &assignment.collectors.as_ref().unwrap()[0];
        assert_eq!(collector.id, "a \"quoted\" id");
        assert_eq!(collector.config.get(), "{ \"url\": \"http://x\" }");
        let assertion = &collector.assertions.as_ref().unwrap()[0];
        assert_eq!(assertion.value.as_ref().unwrap().get(), "200.0");
    }

    #[test]
    fn a_server_that_gives_no_work_names_no_revision() {
        let session =
            SessionRef { satellite: SatelliteId(ID), epoch: Epoch(1), session: SessionId(ID) };
        let welcome = Welcome {
            session,
            heartbeat_interval: Millis::from_secs(15),
            threshold: Millis::from_secs(45),
            configured: None,
            sandbox_policy: None,
        };
        let said = ToSatellite::parse(&authenticated(&welcome)).expect("a message");
        let ToSatellite::Authenticated(said) = said else { panic!("{said:?}") };
        assert_eq!((said.revision, said.assignments.len()), (None, 0));
        assert_eq!(said.sandbox_policy, None);
        assert_eq!(said.script_packages_lockfile_hash, None);
    }

    #[test]
    fn that_there_are_no_packages_is_told_from_saying_nothing_of_them() {
        let told = |packages| {
            let text = config_updated(&Configured { packages, ..configured() });
            let ToSatellite::ConfigUpdated(said) = ToSatellite::parse(&text).unwrap() else {
                panic!("{text}")
            };
            said.script_packages_lockfile_hash
        };
        assert_eq!(told(None), None);
        assert_eq!(told(Some(None)), Some(None));
    }

    #[test]
    fn a_push_replaces_the_whole_and_a_policy_goes_to_the_letter() {
        let said = ToSatellite::parse(&config_updated(&configured())).expect("a message");
        let ToSatellite::ConfigUpdated(said) = said else { panic!("{said:?}") };
        assert_eq!((said.revision, said.assignments.len()), (Some(3), 1));
        let lockfile = LockfileHash::of(b"").to_string();
        assert_eq!(said.script_packages_lockfile_hash, Some(Some(lockfile)));
        let said = ToSatellite::parse(&sandbox_policy(&Json::trusted("{ }"))).expect("a message");
        let ToSatellite::SandboxPolicy(said) = said else { panic!("{said:?}") };
        assert_eq!(said.policy.get(), "{ }");
    }
}
