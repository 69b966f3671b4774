//! The cases of [`AssignmentSource`](crate::ports::AssignmentSource).

use std::sync::Arc;

use super::bench::{
    Bench, assign, assignment, check, done, interval, named, satellite, satellite_id, selected,
    system, tags, work,
};
use crate::assignment::{AssignmentId, Configuration};
use crate::conformance::WorkAdapter;
use crate::conformance::runner::{Case, Seen};
use crate::ports::{AssignmentUpdate, CheckUpdate, SatelliteUpdate};
use crate::satellite::SatelliteId;

pub(in crate::conformance) fn cases() -> Vec<Case<dyn WorkAdapter>> {
    cases![
        "configurations" without_work_every_satellite_runs_nothing,
        "configurations" a_satellite_runs_what_names_it_and_what_selects_it,
        "configurations" answers_come_in_the_order_of_the_question,
        "configurations" what_is_run_is_what_was_made_to_the_letter,
        "configurations" one_satellite_is_answered_as_many_are,
        "current" a_selector_follows_the_fleet,
        "current" a_changed_check_target_or_removal_shows_at_once,
        "together" thousands_are_answered_in_one_call,
    ]
}

async fn run_by(bench: &Bench, ids: &[SatelliteId]) -> Seen<Vec<Vec<u32>>> {
    let found = bench.handle(0).configurations(ids).await?;
    Ok(found.iter().map(|configuration| checks(configuration)).collect())
}

fn checks(configuration: &Configuration) -> Vec<u32> {
    configuration.assigned().iter().map(|one| (one.check.id.0.as_u128() >> 96) as u32).collect()
}

async fn without_work_every_satellite_runs_nothing(bench: &Bench) -> Seen {
    let known = satellite(bench, 7, "eu", &[]).await?;
    same!(run_by(bench, &[known, satellite_id(8)]).await?, [vec![], vec![]], "what they run");
    same!(run_by(bench, &[]).await?.len(), 0, "answers to no question");
    Ok(())
}

async fn a_satellite_runs_what_names_it_and_what_selects_it(bench: &Bench) -> Seen {
    work(bench, 4).await?;
    for (number, region, labels) in [
        (7, "eu", &[("tier", "edge")][..]),
        (8, "us", &[("tier", "core"), ("lab", "")]),
        (9, "eu", &[]),
    ] {
        satellite(bench, number, region, labels).await?;
    }
    let targets = [
        named(&[7, 9]),
        selected(Some("eu"), "")?,
        selected(None, "tier in (edge, core), !lab")?,
        selected(None, "lab")?,
    ];
    for (number, target) in (1..).zip(targets) {
        assign(bench, assignment(number, number, 1, target)).await?;
    }
    // The same pair by another way is run once.
    assign(bench, assignment(9, 1, 1, selected(Some("eu"), "")?)).await?;
    let ids = [7, 8, 9, 10].map(satellite_id);
    let expected = [vec![1, 2, 3], vec![4], vec![1, 2], vec![]];
    same!(run_by(bench, &ids).await?, expected, "the checks that they run");
    Ok(())
}

async fn answers_come_in_the_order_of_the_question(bench: &Bench) -> Seen {
    work(bench, 2).await?;
    satellite(bench, 7, "eu", &[]).await?;
    satellite(bench, 8, "eu", &[]).await?;
    assign(bench, assignment(1, 1, 1, named(&[7]))).await?;
    assign(bench, assignment(2, 2, 1, named(&[8]))).await?;
    let ids = [8, 9, 7, 8].map(satellite_id);
    same!(run_by(bench, &ids).await?, [vec![2], vec![], vec![1], vec![2]], "the answers");
    Ok(())
}

async fn what_is_run_is_what_was_made_to_the_letter(bench: &Bench) -> Seen {
    work(bench, 1).await?;
    let id = satellite(bench, 7, "eu", &[]).await?;
    assign(bench, assignment(1, 1, 1, selected(None, "")?)).await?;
    let found = bench.handle(1).configuration(id).await?;
    same!(found.assigned().len(), 1, "the number of pairs");
    same!(*found.assigned()[0].check, check(1)?, "the check");
    same!(*found.assigned()[0].system, system(1)?, "the system");
    Ok(())
}

async fn one_satellite_is_answered_as_many_are(bench: &Bench) -> Seen {
    work(bench, 1).await?;
    assign(bench, assignment(1, 1, 1, selected(None, "lab")?)).await?;
    for (number, labels) in [(7, &[("lab", "")][..]), (8, &[])] {
        let id = satellite(bench, number, "eu", labels).await?;
        let many = bench.handle(0).configurations(&[id]).await?;
        same!(Some(&bench.handle(0).configuration(id).await?), many.first(), "what it runs");
    }
    let nobody = bench.handle(0).configuration(satellite_id(9)).await?;
    same!(*nobody, Configuration::default(), "what an unknown satellite runs");
    Ok(())
}

async fn a_selector_follows_the_fleet(bench: &Bench) -> Seen {
    work(bench, 1).await?;
    let id = satellite(bench, 7, "eu", &[]).await?;
    assign(bench, assignment(1, 1, 1, selected(Some("eu"), "lab")?)).await?;
    same!(run_by(bench, &[id]).await?, [vec![]], "what it runs without the tag");
    let tag = |labels| SatelliteUpdate { tags: Some(labels), ..SatelliteUpdate::default() };
    bench.handle(0).update(id, tag(tags(&[("lab", "1")])?)).await?;
    same!(run_by(bench, &[id]).await?, [vec![1]], "what it runs with the tag");
    let update = SatelliteUpdate { region: "us".parse().ok(), ..SatelliteUpdate::default() };
    bench.handle(0).update(id, update).await?;
    same!(run_by(bench, &[id]).await?, [vec![]], "what it runs elsewhere");
    Ok(())
}

async fn a_changed_check_target_or_removal_shows_at_once(bench: &Bench) -> Seen {
    let (store, other) = (bench.handle(0), bench.handle(1));
    work(bench, 2).await?;
    let id = satellite(bench, 7, "eu", &[]).await?;
    assign(bench, assignment(1, 1, 1, named(&[7]))).await?;
    let before = other.configuration(id).await?;
    let update = CheckUpdate { interval: Some(interval(5)?), ..CheckUpdate::default() };
    done(store.update_check(check(1)?.id, update).await?)?;
    let after = other.configuration(id).await?;
    ensure!(before.fingerprint() != after.fingerprint(), "the same configuration as before");
    same!(after.assigned()[0].check.interval, interval(5)?, "the interval");
    let update = AssignmentUpdate { check: Some(check(2)?.id), ..AssignmentUpdate::default() };
    done(store.update_assignment(AssignmentId(super::bench::uuid(1)), update).await?)?;
    same!(checks(&*other.configuration(id).await?), [2], "the checks");
    store.remove_system(system(1)?.id).await?;
    same!(checks(&*other.configuration(id).await?), [0; 0], "the checks without a system");
    Ok(())
}

async fn thousands_are_answered_in_one_call(bench: &Bench) -> Seen {
    work(bench, 1).await?;
    let known = satellite(bench, 7, "eu", &[]).await?;
    assign(bench, assignment(1, 1, 1, selected(None, "")?)).await?;
    let mut ids: Vec<_> = (1_000..6_000).map(satellite_id).collect();
    ids.extend([known, known]);
    let found = bench.handle(0).configurations(&ids).await?;
    same!(found.len(), ids.len(), "the number of answers");
    let (last, before) = (&found[ids.len() - 1], &found[ids.len() - 2]);
    same!(checks(last), [1], "the last answer");
    ensure!(Arc::ptr_eq(last, before), "two copies of one configuration");
    Ok(())
}
