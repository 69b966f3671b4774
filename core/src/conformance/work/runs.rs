//! The cases of [`RunSink`](crate::ports::RunSink) and [`RunStore`](crate::ports::RunStore).

use super::bench::{AT, Bench, remove_satellite, satellite, satellite_id, uuid};
use crate::assignment::{CheckId, Json, SystemId};
use crate::conformance::WorkAdapter;
use crate::conformance::runner::{Case, Fault, Seen};
use crate::ports::RunQuery;
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
        satellite: satellite_id(7),
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
    other.satellite = satellite_id(8);
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
    runs[3].satellite = satellite_id(8);
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
    bench.handle(0).record_runs(&[run(1)]).await?;
    same!(found(bench, all()).await?, [1], "when the runs were executed");
    Ok(())
}
