//! What the cases share: numbered satellites, systems, checks and assignments.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::assignment::{
    Assertion, Assignment, AssignmentId, Check, CheckId, Collector, Collectors, Interval, Json,
    Selector, System, SystemId, Target,
};
use crate::conformance::runner::{Fault, Seen};
use crate::conformance::{Fixture, WorkAdapter};
use crate::connection::{Command, Decision, Origin, decide};
use crate::desired::Manager;
use crate::ports::{CreateOutcome, EdgeWrite, Guard, NewSatellite, Removal, Saved, WriteOutcome};
use crate::satellite::{
    HashedToken, Name, PodName, Region, ReportedAgent, Satellite, SatelliteId, SessionId, Tags,
    Token, TokenHash, TokenId,
};
use crate::time::{Millis, Timestamp};

pub(super) type Bench = Fixture<dyn WorkAdapter>;

pub(in crate::conformance) const AT: Timestamp = Timestamp::from_millis(1_800_000_000_000);

pub(super) fn uuid(number: u32) -> Uuid {
    Uuid::from_u128(u128::from(number) << 96 | 0x77)
}

pub(in crate::conformance) fn satellite_id(number: u32) -> SatelliteId {
    SatelliteId(uuid(number))
}

pub(super) fn name(text: &str) -> Seen<Name> {
    text.parse().map_err(|why| Fault::Seen(format!("{text:?} is no name: {why}")))
}

fn region(text: &str) -> Seen<Region> {
    text.parse().map_err(|why| Fault::Seen(format!("{text:?} is no region: {why}")))
}

pub(super) fn tags(pairs: &[(&str, &str)]) -> Seen<Tags> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    let map: BTreeMap<_, _> = pairs.iter().map(owned).collect();
    Tags::new(map).map_err(|why| Fault::Seen(format!("{pairs:?} are no tags: {why:?}")))
}

/// Makes satellite `number`, in a region, with tags.
pub(in crate::conformance) async fn satellite(
    bench: &Bench,
    number: u32,
    place: &str,
    labels: &[(&str, &str)],
) -> Seen<SatelliteId> {
    let mut random = [0; 32];
    random[..4].copy_from_slice(&number.to_be_bytes());
    let satellite = Satellite {
        id: satellite_id(number),
        name: name(&format!("satellite {number}"))?,
        region: region(place)?,
        tags: tags(labels)?,
        own_threshold: None,
        enabled: true,
        agent: ReportedAgent::default(),
        managed_by: None,
        created_at: AT,
    };
    let token = HashedToken {
        id: TokenId(uuid(number)),
        hash: TokenHash::of(&Token::for_satellite(random)),
        expires_at: None,
    };
    let made = bench.handle(0).create(NewSatellite { satellite, token }).await?;
    same!(made, CreateOutcome::Created, "what became of a new satellite");
    Ok(satellite_id(number))
}

/// Connects a satellite.
pub(super) async fn connect(bench: &Bench, number: u32, now: Timestamp) -> Seen {
    let Some(read) = bench.handle(0).snapshot(satellite_id(number)).await? else {
        return Err(Fault::Seen("no snapshot of a satellite that was made".to_owned()));
    };
    let command = Command::Connect {
        session: SessionId(uuid(number)),
        token: TokenId(uuid(number)),
        seen_epoch: read.record.epoch,
        credential_version: read.credential_version,
    };
    let change = match decide(&read.record, &command, &read.context(now, Millis::ZERO)) {
        Decision::Record(change) => change,
        other => return Err(Fault::Seen(format!("{other:?} of a satellite that connects"))),
    };
    let origin = Origin { pod: PodName::new("pod"), actor: None, remote_address: None };
    let write = EdgeWrite { read, change, guard: Guard::Credential, origin, now };
    let outcomes = bench.handle(0).record_edges(vec![write]).await?;
    same!(outcomes, [WriteOutcome::Applied], "what became of the connect");
    Ok(())
}

/// Removes a satellite.
pub(in crate::conformance) async fn remove_satellite(bench: &Bench, id: SatelliteId) -> Seen {
    let Some(read) = bench.handle(0).snapshot(id).await? else {
        return Err(Fault::Seen("no snapshot of a satellite that was made".to_owned()));
    };
    let origin = Origin { pod: PodName::new("pod"), actor: None, remote_address: None };
    let removed = bench.handle(0).remove(Removal { read, origin, now: AT }).await?;
    same!(removed, WriteOutcome::Applied, "what became of the removal");
    Ok(())
}

pub(super) fn system(number: u32) -> Seen<System> {
    Ok(System {
        id: SystemId(uuid(number)),
        name: name(&format!("system {number}"))?,
        metadata: Json::trusted(format!("{{ \"number\":  {number}.0, \"é\": \"'\\\"\" }}")),
        managed_by: manager(number),
        created_at: AT,
    })
}

pub(super) fn check(number: u32) -> Seen<Check> {
    let assertion = Assertion {
        field: "body".to_owned(),
        json_path: Some("$['a b'][0]".to_owned()),
        operator: "equals".to_owned(),
        value: Some(Json::trusted("1.50")),
    };
    let bare = Assertion {
        json_path: None,
        operator: "exists".to_owned(),
        value: None,
        ..assertion.clone()
    };
    let collector = Collector {
        id: "first".to_owned(),
        collector_id: "healthcheck-http.request".to_owned(),
        config: Json::trusted("{\"z\":1, \"a\" : 1e3}"),
        assertions: vec![assertion, bare],
    };
    let plain = Collector { id: "second".to_owned(), assertions: Vec::new(), ..collector.clone() };
    Ok(Check {
        id: CheckId(uuid(number)),
        name: name(&format!("check {number}"))?,
        strategy: strategy("healthcheck-http.http")?,
        config: Json::trusted("{ \"port\": 443, \"big\": 12345678901234567890.10 }"),
        collectors: Collectors::new(vec![collector, plain])
            .map_err(|fault| Fault::Seen(format!("{fault:?}")))?,
        interval: interval(60)?,
        managed_by: manager(number),
        created_at: AT,
    })
}

/// Every second thing is kept by GitOps.
fn manager(number: u32) -> Option<Manager> {
    number.is_multiple_of(2).then_some(Manager::GitOps)
}

pub(super) fn strategy(text: &str) -> Seen<crate::assignment::StrategyId> {
    text.parse().map_err(|why| Fault::Seen(format!("{text:?} is no strategy: {why}")))
}

pub(super) fn interval(seconds: u64) -> Seen<Interval> {
    Interval::new(seconds).map_err(|why| Fault::Seen(why.to_string()))
}

pub(super) fn assignment(number: u32, check: u32, system: u32, target: Target) -> Assignment {
    Assignment {
        id: AssignmentId(uuid(number)),
        check: CheckId(uuid(check)),
        system: SystemId(uuid(system)),
        target,
        managed_by: manager(number),
        created_at: AT,
    }
}

pub(super) fn named(numbers: &[u32]) -> Target {
    Target::Satellites(numbers.iter().map(|number| satellite_id(*number)).collect())
}

pub(super) fn selected(place: Option<&str>, tags: &str) -> Seen<Target> {
    let tags = tags.parse().map_err(|why| Fault::Seen(format!("{tags:?}: {why}")))?;
    Ok(Target::Selected(Selector { region: place.map(region).transpose()?, tags }))
}

/// Makes systems and checks 1 to `count`.
pub(super) async fn work(bench: &Bench, count: u32) -> Seen {
    for number in 1..=count {
        done(bench.handle(0).create_system(system(number)?).await?)?;
        done(bench.handle(0).create_check(check(number)?).await?)?;
    }
    Ok(())
}

/// Makes an assignment.
pub(super) async fn assign(bench: &Bench, new: Assignment) -> Seen {
    done(bench.handle(0).create_assignment(new).await?)
}

pub(super) fn done(saved: Saved) -> Seen {
    same!(saved, Saved::Done, "what became of a change");
    Ok(())
}
