//! The cases of [`RunSink`](crate::ports::RunSink) and [`RunStore`](crate::ports::RunStore).

use super::bench::{AT, Bench, remove_satellite, satellite, satellite_id, uuid};
use crate::assignment::{CheckId, Json, SystemId};
use crate::conformance::WorkAdapter;
use crate::conformance::runner::{Case, Fault, Seen};
use crate::ports::{LatestQuery, RunQuery};
use crate::run::{ReportedRun, Run, RunStatus, StrategyError};
use crate::time::{Millis, Timestamp};

pub(in crate::conformance) fn cases() -> Vec<Case<dyn WorkAdapter>> {
    cases![
        "record" what_was_reported_is_read_to_the_letter,
        "once" a_run_with_an_id_is_kept_once,
        "once" a_run_without_an_id_is_kept_once_for_each_time_it_was_executed,
        "runs" runs_are_listed_by_check_system_satellite_and_time,
        "runs" a_list_goes_on_after_a_run_also_among_those_of_one_time,
        "runs" runs_outlive_their_satellite,
        "runs" what_ground_control_says_itself_is_kept_beside_what_satellites_report,
        "latest" of_each_check_system_satellite_and_environment_the_last_is_the_latest,
        "latest" a_run_that_comes_late_is_not_the_latest_and_of_one_time_the_last_kept_is,
        "latest" latest_runs_are_found_by_check_system_and_satellite_page_by_page,
        "latest" what_is_pruned_is_no_latest_run,
        "prune" the_oldest_go_first_in_small_steps,
        "errors" of_what_an_agent_says_of_a_strategy_the_latest_holds,
        "together" thousands_are_kept_in_one_call,
        "durable" runs_are_there_after_a_crash,
    ]
}

fn at(millis: u64) -> Timestamp {
    AT + Millis::new(millis)
}

/// A run of satellite 7, executed and received so many milliseconds after the beginning.
fn run(millis: u64) -> Run {
    Run {
        satellite: Some(satellite_id(7)),
        source: "é (eu \"1\")".to_owned(),
        run: ReportedRun {
            check: CheckId(uuid(1)),
            system: SystemId(uuid(2)),
            environment: None,
            status: RunStatus::Healthy,
            latency_ms: None,
            result: None,
            executed_at: at(millis),
            result_id: None,
        },
        failed: None,
        received_at: at(millis),
    }
}

fn all() -> RunQuery {
    RunQuery { limit: 10_000, ..RunQuery::default() }
}

async fn found(bench: &Bench, query: RunQuery) -> Seen<Vec<i64>> {
    let runs = bench.handle(1).runs(&query).await?;
    let since = |at: Timestamp| at.as_millis() - AT.as_millis();
    Ok(runs.iter().map(|stored| since(stored.run.executed_at)).collect())
}

async fn what_was_reported_is_read_to_the_letter(bench: &Bench) -> Seen {
    let mut full = run(5);
    full.run = ReportedRun {
        environment: Some("prod 'é'".to_owned()),
        status: RunStatus::Unhealthy,
        latency_ms: Some(12.345),
        result: Some(Json::trusted("{ \"a\":  1.0 }")),
        result_id: Some("r \"1\"".to_owned()),
        ..full.run
    };
    full.failed = Some(Json::trusted("{\"field\": \"x\"}"));
    full.received_at = at(9);
    bench.handle(0).record_runs(&[full.clone(), run(1)]).await?;
    let stored = bench.handle(1).runs(&all()).await?;
    same!(stored.len(), 2, "the number of runs");
    for (stored, kept) in stored.iter().zip([full, run(1)]) {
        same!(stored.run, kept.run, "the run");
        same!(stored.failed, kept.failed, "the assertion that failed");
        let seen = (stored.satellite, stored.source.as_str(), stored.received_at);
        same!(seen, (kept.satellite, kept.source.as_str(), kept.received_at), "who and when");
    }
    Ok(())
}

async fn a_run_with_an_id_is_kept_once(bench: &Bench) -> Seen {
    let with = |millis, id: &str| {
        let mut run = run(millis);
        run.run.result_id = Some(id.to_owned());
        run
    };
    let mut other = with(3, "a");
    other.satellite = Some(satellite_id(8));
    bench.handle(0).record_runs(&[with(1, "a"), with(2, "a"), with(2, "b"), other]).await?;
    bench.handle(1).record_runs(&[with(4, "b")]).await?;
    same!(found(bench, all()).await?, [3, 2, 1], "when the runs were executed");
    Ok(())
}

async fn a_run_without_an_id_is_kept_once_for_each_time_it_was_executed(bench: &Bench) -> Seen {
    let mut elsewhere = run(1);
    elsewhere.run.environment = Some("e".to_owned());
    let mut of_another = run(1);
    of_another.run.system = SystemId(uuid(9));
    for _ in 0..2 {
        let runs = [run(1), run(2), elsewhere.clone(), of_another.clone()];
        bench.handle(0).record_runs(&runs).await?;
    }
    same!(found(bench, all()).await?, [2, 1, 1, 1], "when the runs were executed");
    Ok(())
}

async fn runs_are_listed_by_check_system_satellite_and_time(bench: &Bench) -> Seen {
    let mut runs: Vec<_> = (1..=4).map(run).collect();
    runs[1].run.check = CheckId(uuid(5));
    runs[2].run.system = SystemId(uuid(5));
    runs[3].satellite = Some(satellite_id(8));
    bench.handle(0).record_runs(&runs).await?;
    let cases = [
        (all(), vec![4, 3, 2, 1]),
        (RunQuery { check: Some(CheckId(uuid(5))), ..all() }, vec![2]),
        (RunQuery { system: Some(SystemId(uuid(5))), ..all() }, vec![3]),
        (RunQuery { satellite: Some(satellite_id(8)), ..all() }, vec![4]),
        (RunQuery { since: Some(at(2)), until: Some(at(4)), ..all() }, vec![3, 2]),
        (RunQuery { satellite: Some(satellite_id(7)), since: Some(at(2)), ..all() }, vec![3, 2]),
        (RunQuery { limit: 2, ..all() }, vec![4, 3]),
    ];
    for (query, expected) in cases {
        let name = format!("{query:?}");
        same!(found(bench, query).await?, expected, "the answer to {name}");
    }
    Ok(())
}

async fn a_list_goes_on_after_a_run_also_among_those_of_one_time(bench: &Bench) -> Seen {
    let with = |millis, id: u32| {
        let mut run = run(millis);
        run.run.result_id = Some(id.to_string());
        run
    };
    bench.handle(0).record_runs(&[with(1, 1), with(5, 2), with(5, 3), with(5, 4)]).await?;
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let query = RunQuery { after, limit: 1, ..all() };
        let page = bench.handle(0).runs(&query).await?;
        let Some(last) = page.last() else { break };
        after = Some((last.run.executed_at, last.number));
        ids.extend(last.run.result_id.clone());
        ensure!(ids.len() < 9, "the list does not end");
    }
    same!(ids.last().map(String::as_str), Some("1"), "the last one");
    ids.sort();
    same!(ids, ["1", "2", "3", "4"], "all of them");
    Ok(())
}

async fn runs_outlive_their_satellite(bench: &Bench) -> Seen {
    let id = satellite(bench, 7, "eu", &[]).await?;
    bench.handle(0).record_runs(&[run(1)]).await?;
    remove_satellite(bench, id).await?;
    same!(found(bench, all()).await?, [1], "when the runs were executed");
    Ok(())
}

/// A run of check, system and satellite of these numbers; 0 is Ground Control itself.
fn of(check: u32, system: u32, satellite: u32, millis: u64) -> Run {
    let mut made = run(millis);
    made.run.check = CheckId(uuid(check));
    made.run.system = SystemId(uuid(system));
    made.satellite = (satellite > 0).then(|| satellite_id(satellite));
    made
}

fn latest() -> LatestQuery {
    LatestQuery { limit: 10_000, ..LatestQuery::default() }
}

async fn found_latest(bench: &Bench, query: LatestQuery) -> Seen<Vec<i64>> {
    let runs = bench.handle(1).latest_runs(&query).await?;
    Ok(runs.iter().map(|stored| stored.run.executed_at.as_millis() - AT.as_millis()).collect())
}

async fn what_ground_control_says_itself_is_kept_beside_what_satellites_report(
    bench: &Bench,
) -> Seen {
    for _ in 0..2 {
        bench.handle(0).record_runs(&[of(1, 2, 0, 5), of(1, 2, 7, 5)]).await?;
    }
    let stored = bench.handle(1).runs(&all()).await?;
    let mut who: Vec<_> = stored.iter().map(|stored| stored.satellite).collect();
    who.sort();
    same!(who, [None, Some(satellite_id(7))], "who ran what is kept");
    let query = RunQuery { satellite: Some(satellite_id(7)), ..all() };
    same!(found(bench, query).await?, [5], "the runs of the satellite");
    Ok(())
}

async fn of_each_check_system_satellite_and_environment_the_last_is_the_latest(
    bench: &Bench,
) -> Seen {
    let mut elsewhere = of(1, 2, 7, 3);
    elsewhere.run.environment = Some("e".to_owned());
    let mut full = of(1, 2, 7, 9);
    full.failed = Some(Json::trusted("{\"field\": \"x\"}"));
    full.run.result = Some(Json::trusted("{ \"a\":  1.0 }"));
    let others = [of(1, 2, 8, 4), of(1, 3, 7, 5), of(2, 2, 7, 6), of(1, 2, 0, 7)];
    bench.handle(0).record_runs(&[of(1, 2, 7, 1), elsewhere, of(1, 2, 7, 8)]).await?;
    bench.handle(0).record_runs(&others).await?;
    bench.handle(0).record_runs(std::slice::from_ref(&full)).await?;
    same!(found_latest(bench, latest()).await?, [7, 9, 3, 4, 5, 6], "when they were executed");
    let stored = bench.handle(1).latest_runs(&latest()).await?;
    same!(stored.get(1).map(|one| &one.run), Some(&full.run), "the run of the satellite");
    same!(stored.get(1).map(|one| &one.failed), Some(&full.failed), "the assertion that failed");
    Ok(())
}

async fn a_run_that_comes_late_is_not_the_latest_and_of_one_time_the_last_kept_is(
    bench: &Bench,
) -> Seen {
    let with = |id: &str, millis| {
        let mut run = of(1, 2, 7, millis);
        run.run.result_id = Some(id.to_owned());
        run
    };
    bench.handle(0).record_runs(&[with("a", 5), with("b", 4)]).await?;
    bench.handle(0).record_runs(&[with("c", 3), with("a", 9)]).await?;
    let id = async || -> Seen<Option<String>> {
        let stored = bench.handle(1).latest_runs(&latest()).await?;
        same!(stored.len(), 1, "the number of latest runs");
        Ok(stored.into_iter().next().and_then(|one| one.run.result_id))
    };
    same!(id().await?.as_deref(), Some("a"), "the latest");
    bench.handle(0).record_runs(&[with("d", 5), with("e", 5)]).await?;
    same!(id().await?.as_deref(), Some("e"), "the latest of three at one time");
    // The same id for another check: what is kept under it belongs to the first.
    let mut stolen = with("e", 6);
    stolen.run.check = CheckId(uuid(9));
    bench.handle(0).record_runs(&[stolen, with("f", 6)]).await?;
    same!(id().await?.as_deref(), Some("f"), "the latest after an id was used again");
    Ok(())
}

async fn latest_runs_are_found_by_check_system_and_satellite_page_by_page(bench: &Bench) -> Seen {
    let mut runs = Vec::new();
    for (at, (check, system, satellite)) in
        [(1, 1, 0), (1, 1, 7), (1, 1, 8), (1, 2, 7), (2, 1, 7), (2, 2, 8)].into_iter().enumerate()
    {
        runs.push(of(check, system, satellite, at as u64));
    }
    runs.reverse();
    bench.handle(0).record_runs(&runs).await?;
    let (check, system) = (Some(CheckId(uuid(1))), Some(SystemId(uuid(1))));
    let satellite = Some(satellite_id(7));
    let cases = [
        (latest(), vec![0, 1, 2, 3, 4, 5]),
        (LatestQuery { check, ..latest() }, vec![0, 1, 2, 3]),
        (LatestQuery { system, ..latest() }, vec![0, 1, 2, 4]),
        (LatestQuery { satellite, ..latest() }, vec![1, 3, 4]),
        (LatestQuery { check, system, ..latest() }, vec![0, 1, 2]),
        (LatestQuery { check, system, satellite, ..latest() }, vec![1]),
        (LatestQuery { check: Some(CheckId(uuid(9))), ..latest() }, vec![]),
    ];
    for (query, expected) in cases {
        let name = format!("{query:?}");
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let query = LatestQuery { after, limit: 1, ..query.clone() };
            let page = bench.handle(1).latest_runs(&query).await?;
            let Some(last) = page.last() else { break };
            paged.push(last.run.executed_at.as_millis() - AT.as_millis());
            after = Some(last.key());
            ensure!(paged.len() < 9, "the list does not end: {name}");
        }
        same!(found_latest(bench, query).await?, expected, "the answer to {name}");
        same!(paged, expected, "the pages of {name}");
    }
    Ok(())
}

async fn what_is_pruned_is_no_latest_run(bench: &Bench) -> Seen {
    let mut elsewhere = of(1, 2, 7, 2);
    elsewhere.run.environment = Some("e".to_owned());
    let runs = [of(1, 2, 7, 1), elsewhere, of(1, 2, 0, 2), of(1, 3, 7, 3), of(1, 2, 7, 4)];
    bench.handle(0).record_runs(&runs).await?;
    same!(bench.handle(0).prune_runs(at(4), 10).await?, 4, "runs deleted");
    same!(found_latest(bench, latest()).await?, [4], "the latest runs that are left");
    Ok(())
}

async fn the_oldest_go_first_in_small_steps(bench: &Bench) -> Seen {
    let runs: Vec<_> = [4, 2, 1, 3].map(run).into();
    bench.handle(0).record_runs(&runs).await?;
    same!(bench.handle(0).prune_runs(at(4), 2).await?, 2, "runs deleted at first");
    same!(found(bench, all()).await?, [4, 3], "what is left at first");
    same!(bench.handle(0).prune_runs(at(4), 2).await?, 1, "runs deleted then");
    same!(bench.handle(0).prune_runs(at(4), 2).await?, 0, "runs deleted in the end");
    same!(found(bench, all()).await?, [4], "what is left in the end");
    Ok(())
}

async fn of_what_an_agent_says_of_a_strategy_the_latest_holds(bench: &Bench) -> Seen {
    let id = satellite(bench, 7, "eu", &[]).await?;
    let said = |number, strategy: &str, millis| StrategyError {
        satellite: satellite_id(number),
        strategy: strategy.to_owned(),
        message: format!("at {millis} 'é'"),
        at: at(millis),
    };
    let first = [said(7, "b", 1), said(7, "a", 2), said(9, "a", 3), said(7, "b", 4)];
    bench.handle(0).record_strategy_errors(&first).await?;
    bench.handle(0).record_strategy_errors(&[said(7, "a", 5)]).await?;
    let found = bench.handle(1).strategy_errors(id).await?;
    same!(found, vec![said(7, "a", 5), said(7, "b", 4)], "what it said");
    same!(bench.handle(1).strategy_errors(satellite_id(9)).await?, vec![], "of no satellite");
    remove_satellite(bench, id).await?;
    same!(bench.handle(1).strategy_errors(id).await?, vec![], "after it was removed");
    Ok(())
}

async fn thousands_are_kept_in_one_call(bench: &Bench) -> Seen {
    let runs: Vec<_> = (0..3_000).map(run).collect();
    bench.handle(0).record_runs(&runs).await?;
    bench.handle(0).record_runs(&[]).await?;
    same!(found(bench, all()).await?.len(), 3_000, "the number of runs");
    Ok(())
}

async fn runs_are_there_after_a_crash(bench: &mut Bench) -> Seen {
    if !bench.can_reopen() {
        return Err(Fault::Needs("Fixture::reopened_by"));
    }
    bench.handle(0).record_runs(&[run(1)]).await?;
    bench.crash().await;
    same!(found(bench, all()).await?, [1], "when the runs were executed");
    same!(found_latest(bench, latest()).await?, [1], "when the latest was executed");
    bench.handle(0).record_runs(&[run(1)]).await?;
    same!(found(bench, all()).await?, [1], "when they were executed, after a repetition");
    Ok(())
}
