//! A name belongs to one satellite.

use super::bench::{Bench, Pod, at, ids, list_all, new_satellite, satellite_id};
use crate::conformance::runner::{Case, Seen};
use crate::ports::{CreateOutcome, SatelliteStore, SatelliteUpdate, UpdateOutcome};

pub(super) fn cases() -> Vec<Case<dyn SatelliteStore>> {
    cases![
        "names" a_taken_name_makes_no_second_satellite,
        "names" an_update_to_a_taken_name_changes_nothing,
        "names" a_satellite_may_be_given_the_name_that_it_has,
        "names" a_name_that_was_given_up_is_free,
        "names" names_that_differ_in_any_byte_are_different,
    ]
}

async fn rename(pod: &Pod, number: u32, name: &str) -> Seen<UpdateOutcome> {
    let update = SatelliteUpdate { name: Some(name.parse()?), ..SatelliteUpdate::default() };
    Ok(pod.store.update(satellite_id(number), update).await?)
}

async fn create_named(pod: &Pod, number: u32, name: &str) -> Seen<CreateOutcome> {
    let mut new = new_satellite(number)?;
    new.satellite.name = name.parse()?;
    Ok(pod.store.create(new).await?)
}

async fn a_taken_name_makes_no_second_satellite(bench: &Bench) -> Seen {
    let pod = bench.fleet(0).await?;
    same!(create_named(&pod, 1, "one").await?, CreateOutcome::Created, "the first");
    same!(create_named(&pod, 2, "one").await?, CreateOutcome::NameTaken, "the second");
    let all = pod.store.list(&list_all(at(0))).await?;
    same!(ids(&all), vec![satellite_id(1)], "the satellites");
    ensure!(pod.store.credentials(satellite_id(2)).await?.is_none(), "credentials of nobody");
    Ok(())
}

async fn an_update_to_a_taken_name_changes_nothing(bench: &Bench) -> Seen {
    let pod = bench.fleet(2).await?;
    let before = (pod.get(1).await?, pod.get(2).await?);
    let update = SatelliteUpdate {
        name: Some(before.0.satellite.name.clone()),
        region: Some("moved".parse()?),
        own_threshold: Some(super::bench::own(77_000)),
        ..SatelliteUpdate::default()
    };
    let outcome = pod.store.update(satellite_id(2), update).await?;
    same!(outcome, UpdateOutcome::NameTaken, "the update");
    same!((pod.get(1).await?, pod.get(2).await?), before, "the satellites");
    Ok(())
}

async fn a_satellite_may_be_given_the_name_that_it_has(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    let name = pod.get(1).await?.satellite.name;
    same!(rename(&pod, 1, name.as_str()).await?, UpdateOutcome::Updated, "the same name again");
    same!(pod.get(1).await?.satellite.name, name, "the name");
    Ok(())
}

async fn a_name_that_was_given_up_is_free(bench: &Bench) -> Seen {
    let pod = bench.fleet(2).await?;
    let given_up = pod.get(1).await?.satellite.name;
    same!(rename(&pod, 1, "elsewhere").await?, UpdateOutcome::Updated, "giving it up");
    let taken = rename(&pod, 2, given_up.as_str()).await?;
    same!(taken, UpdateOutcome::Updated, "another satellite takes it");
    same!(pod.get(2).await?.satellite.name, given_up, "the other's name");
    Ok(())
}

async fn names_that_differ_in_any_byte_are_different(bench: &Bench) -> Seen {
    let pod = bench.fleet(0).await?;
    // The last two look alike: é in one code point, and e with an accent after it.
    let names = ["alpha", "Alpha", "alpha ", "\u{e9}", "e\u{301}"];
    for (number, name) in (1..).zip(names) {
        let made = create_named(&pod, number, name).await?;
        same!(made, CreateOutcome::Created, "{name:?} beside the others");
        same!(pod.get(number).await?.satellite.name.as_str(), name, "the name");
    }
    Ok(())
}
