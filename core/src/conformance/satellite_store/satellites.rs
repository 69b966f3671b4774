//! Making, reading and describing satellites.

use std::collections::BTreeMap;

use super::bench::{ALL, Bench, at, ids, new_satellite, own, satellite_id, sorted, token};
use crate::conformance::runner::{Case, Fault, Seen};
use crate::connection::ConnectionRecord;
use crate::desired::Manager;
use crate::ports::{
    CreateOutcome, CredentialAction, NewSatellite, Removal, SatelliteStore, SatelliteUpdate,
    UpdateOutcome, WriteOutcome,
};
use crate::satellite::{ReportedAgent, Tags};

pub(super) fn cases() -> Vec<Case<dyn SatelliteStore>> {
    cases![
        "create" a_created_satellite_reads_back_as_it_was_made,
        "R1" a_new_satellite_has_an_empty_record,
        "create" creating_the_same_satellite_again_changes_nothing,
        "get_many" those_that_exist_are_read_each_once,
        "get_many" any_number_of_ids_may_be_asked_for,
        "update" an_update_changes_what_it_names_and_nothing_else,
        "update" an_update_of_nothing_changes_nothing,
        "record_agent" what_an_agent_says_of_itself_is_stored,
        "gone" an_unknown_satellite_is_nowhere_and_nothing_makes_it,
        "probe" a_store_that_works_says_so,
    ]
}

/// A satellite with everything set, in texts that need quoting somewhere.
fn elaborate() -> Seen<NewSatellite> {
    let mut new = new_satellite(1)?;
    let satellite = &mut new.satellite;
    satellite.name = "Köln \"1\" – 'é' 100%_\\ 🛰 {}".parse()?;
    satellite.region = "eu;west--/*".parse()?;
    satellite.tags = tags(&[("env", "prod"), ("k\"'", "v\\\",}{"), ("empty", "")])?;
    satellite.own_threshold = own(61_234);
    satellite.agent =
        ReportedAgent { version: Some("1.2.3-β".into()), capabilities: vec!["a,b".into()] };
    satellite.created_at = at(123);
    satellite.enabled = false;
    satellite.managed_by = Some(Manager::GitOps);
    new.token.expires_at = Some(at(456));
    Ok(new)
}

fn tags(pairs: &[(&str, &str)]) -> Seen<Tags> {
    let map: BTreeMap<_, _> =
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Tags::new(map).map_err(|(_, error)| Fault::from(error))
}

async fn a_created_satellite_reads_back_as_it_was_made(bench: &Bench) -> Seen {
    let pod = bench.fleet(0).await?;
    let new = elaborate()?;
    pod.create(new.clone()).await?;
    same!(pod.get(1).await?.satellite, new.satellite, "the satellite");
    let Some(credentials) = pod.store.credentials(new.satellite.id).await? else {
        return Err(Fault::Seen("no credentials".to_owned()));
    };
    same!(credentials.tokens, vec![new.token], "its tokens");
    same!(credentials.enabled, false, "enabled");
    same!(credentials.agent, new.satellite.agent, "its agent");
    let snapshot = pod.read(1).await?;
    same!(credentials.snapshot, snapshot, "the snapshot read with the credentials");
    same!(snapshot.name, new.satellite.name, "the snapshot's name");
    same!(snapshot.region, new.satellite.region, "the snapshot's region");
    same!(snapshot.own_threshold, new.satellite.own_threshold, "the snapshot's own threshold");
    Ok(())
}

async fn a_new_satellite_has_an_empty_record(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    same!(pod.read(1).await?.record, ConnectionRecord::default(), "the record");
    same!(pod.history(1).await?, vec![], "the history");
    Ok(())
}

async fn creating_the_same_satellite_again_changes_nothing(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    pod.connect(1, 100).await?;
    let moved = SatelliteUpdate { region: Some("moved".parse()?), ..SatelliteUpdate::default() };
    pod.store.update(satellite_id(1), moved).await?;
    let replaced = CredentialAction::Replace(token(99));
    pod.change_credentials(1, replaced, None, at(200)).await?;
    let before = (pod.get(1).await?, pod.read(1).await?);
    let again = pod.store.create(new_satellite(1)?).await?;
    same!(again, CreateOutcome::Created, "the same creation again");
    same!((pod.get(1).await?, pod.read(1).await?), before, "the satellite");
    let credentials = pod.store.credentials(satellite_id(1)).await?;
    same!(credentials.map(|read| read.tokens), Some(vec![token(99)]), "its tokens");
    Ok(())
}

async fn those_that_exist_are_read_each_once(bench: &Bench) -> Seen {
    let pod = bench.fleet(4).await?;
    let asked = [3, 1, 99, 3].map(satellite_id);
    let read = pod.store.get_many(&asked).await?;
    same!(sorted(ids(&read)), vec![satellite_id(1), satellite_id(3)], "the ids");
    for stored in read {
        same!(pod.store.get(stored.satellite.id).await?, Some(stored), "one read alone");
    }
    same!(pod.store.get_many(&[]).await?, vec![], "none");
    Ok(())
}

async fn any_number_of_ids_may_be_asked_for(bench: &Bench) -> Seen {
    let pod = bench.fleet(2).await?;
    let mut asked: Vec<_> = (1_000..41_000).map(satellite_id).collect();
    asked.insert(100, satellite_id(2));
    asked.push(satellite_id(1));
    let read = pod.store.get_many(&asked).await?;
    same!(sorted(ids(&read)), vec![satellite_id(1), satellite_id(2)], "the ids");
    Ok(())
}

async fn an_update_changes_what_it_names_and_nothing_else(bench: &Bench) -> Seen {
    let pod = bench.fleet(2).await?;
    pod.connect(1, 100).await?;
    let (mut expected, other) = (pod.get(1).await?, pod.get(2).await?);
    let updates = [
        SatelliteUpdate { name: Some("renamed".parse()?), ..SatelliteUpdate::default() },
        SatelliteUpdate { region: Some("moved".parse()?), ..SatelliteUpdate::default() },
        SatelliteUpdate { tags: Some(tags(&[("a", "1")])?), ..SatelliteUpdate::default() },
        SatelliteUpdate { tags: Some(tags(&[("b", "2")])?), ..SatelliteUpdate::default() },
        SatelliteUpdate { own_threshold: Some(own(60_000)), ..SatelliteUpdate::default() },
        SatelliteUpdate { own_threshold: Some(None), ..SatelliteUpdate::default() },
    ];
    for update in updates {
        let what = format!("{update:?}");
        let SatelliteUpdate { name, region, tags, own_threshold } = update.clone();
        let satellite = &mut expected.satellite;
        satellite.name = name.unwrap_or(satellite.name.clone());
        satellite.region = region.unwrap_or(satellite.region.clone());
        satellite.tags = tags.unwrap_or(satellite.tags.clone());
        satellite.own_threshold = own_threshold.unwrap_or(satellite.own_threshold);
        expected.threshold = pod.read(2).await?.default_threshold;
        if let Some(own) = satellite.own_threshold {
            expected.threshold = own.get();
        }
        let outcome = pod.store.update(satellite_id(1), update).await?;
        same!(outcome, UpdateOutcome::Updated, "{what}");
        same!(pod.get(1).await?, expected, "after {what}");
        same!(pod.get(2).await?, other, "another satellite after {what}");
    }
    Ok(())
}

async fn an_update_of_nothing_changes_nothing(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    let before = pod.get(1).await?;
    let outcome = pod.store.update(satellite_id(1), SatelliteUpdate::default()).await?;
    same!(outcome, UpdateOutcome::Updated, "an empty update");
    same!(pod.get(1).await?, before, "the satellite");
    Ok(())
}

async fn what_an_agent_says_of_itself_is_stored(bench: &Bench) -> Seen {
    let pod = bench.fleet(2).await?;
    let agent = ReportedAgent {
        version: Some("2.0 \"x\"".into()),
        capabilities: vec!["otel,metrics".into(), "[\"quoted\"]".into(), "é".into()],
    };
    pod.store.record_agent(satellite_id(1), agent.clone()).await?;
    same!(pod.get(1).await?.satellite.agent, agent, "the agent");
    let credentials = pod.store.credentials(satellite_id(1)).await?;
    same!(credentials.map(|read| read.agent), Some(agent), "the agent read with the credentials");
    same!(pod.get(2).await?.satellite.agent, ReportedAgent::default(), "another's agent");
    let nothing = ReportedAgent::default();
    pod.store.record_agent(satellite_id(1), nothing.clone()).await?;
    same!(pod.get(1).await?.satellite.agent, nothing, "an agent that says nothing any more");
    Ok(())
}

async fn an_unknown_satellite_is_nowhere_and_nothing_makes_it(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    let unknown = satellite_id(2);
    let mut read = pod.read(1).await?;
    read.satellite = unknown;
    let store = &pod.store;
    same!(store.get(unknown).await?, None, "get");
    same!(store.snapshot(unknown).await?, None, "snapshot");
    ensure!(store.credentials(unknown).await?.is_none(), "credentials of nobody");
    same!(store.transitions(unknown, None, ALL).await?, vec![], "transitions");
    let renamed = SatelliteUpdate { name: Some("new".parse()?), ..SatelliteUpdate::default() };
    same!(store.update(unknown, renamed).await?, UpdateOutcome::Gone, "update");
    store.record_agent(unknown, ReportedAgent::default()).await?;
    let connect = pod.edge(&read, &super::bench::connect(&read, 1), at(1))?;
    same!(pod.write(&connect).await?, WriteOutcome::Gone, "a connect");
    same!(pod.beat(2, 0, 1).await?, false, "whether a heartbeat was applied");
    let replaced = CredentialAction::Replace(token(2));
    let change = pod.credential_change(&read, replaced, None, at(1));
    same!(store.change_credentials(change).await?, WriteOutcome::Gone, "a rotation");
    let removal = Removal { read, origin: pod.origin(), now: at(1) };
    same!(store.remove(removal).await?, WriteOutcome::Gone, "a removal");
    same!(ids(&store.list(&super::bench::list_all(at(1))).await?), vec![satellite_id(1)], "all");
    same!(store.events_after(None, ALL).await?, vec![], "events");
    Ok(())
}

async fn a_store_that_works_says_so(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    for millis in [0, 1, 1] {
        pod.store.probe(at(millis)).await?;
    }
    same!(ids(&pod.store.list(&super::bench::list_all(at(0))).await?).len(), 1, "satellites");
    Ok(())
}
