//! The cases of [`RunStore::quiet_pairs`](crate::ports::RunStore::quiet_pairs).

use super::bench::{
    AT, Bench, assign, assignment, check, connect, done, interval, named, remove_satellite,
    satellite, satellite_id, selected, system, uuid, work,
};
use crate::assignment::{CheckId, SystemId};
use crate::conformance::WorkAdapter;
use crate::conformance::runner::{Case, Seen};
use crate::ports::{CheckUpdate, QuietQuery, SatelliteUpdate};
use crate::run::{QuietPair, ReportedRun, Run, RunStatus, Watchers};
use crate::satellite::{Liveness, OwnThreshold};
use crate::time::{Millis, Timestamp};

pub(in crate::conformance) fn cases() -> Vec<Case<dyn WorkAdapter>> {
    cases![
        "quiet" a_pair_is_quiet_once_its_interval_has_passed_without_a_run,
        "quiet" a_pair_counts_from_when_the_last_of_its_parts_was_made,
        "quiet" a_run_of_anybody_ends_the_quiet_of_its_pair_alone,
        "quiet" who_is_online_is_told_as_status_is,
        "quiet" of_selected_satellites_one_that_is_online_is_enough,
        "quiet" all_assignments_of_a_pair_count_together,
        "quiet" quiet_pairs_come_in_the_order_of_check_and_system_page_by_page,
    ]
}

fn at(millis: u64) -> Timestamp {
    AT + Millis::new(millis)
}

async fn quiet(bench: &Bench, millis: u64) -> Seen<Vec<QuietPair>> {
    let query = QuietQuery { now: at(millis), after: None, limit: 1_000 };
    Ok(bench.handle(1).quiet_pairs(&query).await?)
}

/// Check and system of the quiet pairs, with who could run them.
async fn pairs(bench: &Bench, millis: u64) -> Seen<Vec<(u32, u32, Watchers)>> {
    let number = |id: uuid::Uuid| (id.as_u128() >> 96) as u32;
    let short = |pair: QuietPair| (number(pair.check.0), number(pair.system.0), pair.watchers);
    Ok(quiet(bench, millis).await?.into_iter().map(short).collect())
}

fn run(check: u32, system: u32, satellite: Option<u32>, received: u64) -> Run {
    Run {
        satellite: satellite.map(satellite_id),
        source: "s".to_owned(),
        run: ReportedRun {
            check: CheckId(uuid(check)),
            system: SystemId(uuid(system)),
            environment: None,
            status: RunStatus::Healthy,
            latency_ms: None,
            result: None,
            executed_at: at(received),
            result_id: None,
        },
        failed: None,
        received_at: at(received),
    }
}

async fn a_pair_is_quiet_once_its_interval_has_passed_without_a_run(bench: &Bench) -> Seen {
    work(bench, 2).await?;
    assign(bench, assignment(1, 1, 2, named(&[]))).await?;
    same!(quiet(bench, 59_999).await?, vec![], "what is quiet too early");
    let pair = QuietPair {
        check: CheckId(uuid(1)),
        system: SystemId(uuid(2)),
        interval: interval(60)?,
        since: AT,
        watchers: Watchers::Nobody,
    };
    same!(quiet(bench, 60_000).await?, vec![pair], "what is quiet at the interval");
    let update = CheckUpdate { interval: Some(interval(90)?), ..CheckUpdate::default() };
    done(bench.handle(0).update_check(CheckId(uuid(1)), update).await?)?;
    same!(quiet(bench, 89_999).await?, vec![], "what is quiet before the new interval");
    same!(quiet(bench, 90_000).await?.len(), 1, "pairs that are quiet at the new interval");
    Ok(())
}

async fn a_pair_counts_from_when_the_last_of_its_parts_was_made(bench: &Bench) -> Seen {
    let (mut check, mut system) = (check(1)?, system(1)?);
    check.created_at = at(1_000);
    system.created_at = at(2_000);
    let mut late = assignment(1, 1, 1, named(&[]));
    late.created_at = at(3_000);
    done(bench.handle(0).create_check(check).await?)?;
    done(bench.handle(0).create_system(system).await?)?;
    assign(bench, late).await?;
    same!(quiet(bench, 62_999).await?, vec![], "what is quiet too early");
    let since: Vec<_> = quiet(bench, 63_000).await?.iter().map(|pair| pair.since).collect();
    same!(since, [at(3_000)], "since when it is quiet");
    let mut later = assignment(2, 1, 1, named(&[]));
    later.created_at = at(4_000);
    assign(bench, later).await?;
    same!(
        quiet(bench, 63_999).await?,
        vec![],
        "what is quiet before a later assignment's interval"
    );
    Ok(())
}

async fn a_run_of_anybody_ends_the_quiet_of_its_pair_alone(bench: &Bench) -> Seen {
    work(bench, 2).await?;
    for (number, system) in [(1, 1), (2, 2)] {
        assign(bench, assignment(number, 1, system, named(&[]))).await?;
    }
    bench.handle(0).record_runs(&[run(1, 1, Some(9), 30_000), run(2, 2, None, 30_000)]).await?;
    same!(pairs(bench, 60_000).await?, [(1, 2, Watchers::Nobody)], "what is quiet");
    same!(pairs(bench, 89_999).await?, [(1, 2, Watchers::Nobody)], "what is quiet later");
    let since: Vec<_> = quiet(bench, 90_000).await?.iter().map(|pair| pair.since).collect();
    same!(since, [at(30_000), AT], "since when both are quiet");
    bench.handle(0).record_runs(&[run(1, 1, None, 90_000), run(1, 2, None, 90_000)]).await?;
    same!(pairs(bench, 149_999).await?, [], "what is quiet after Ground Control said so");
    Ok(())
}

async fn who_is_online_is_told_as_status_is(bench: &Bench) -> Seen {
    let liveness = Liveness {
        heartbeat_interval: Millis::from_secs(5),
        default_threshold: Millis::from_secs(100),
    };
    bench.handle(0).set_liveness(liveness).await?;
    work(bench, 3).await?;
    for number in [7, 8, 9] {
        satellite(bench, number, "eu", &[]).await?;
    }
    let own_threshold = Some(OwnThreshold::stored(Millis::from_secs(70)));
    let update = SatelliteUpdate { own_threshold, ..SatelliteUpdate::default() };
    bench.handle(0).update(satellite_id(8), update).await?;
    connect(bench, 7, AT).await?;
    connect(bench, 8, AT).await?;
    for (number, satellite) in [(1, 7), (2, 8), (3, 9)] {
        assign(bench, assignment(number, number, 1, named(&[satellite]))).await?;
    }
    let all = |first, second| [(1, 1, first), (2, 1, second), (3, 1, Watchers::Offline)];
    use Watchers::{Offline, Online};
    same!(pairs(bench, 70_000).await?, all(Online, Online), "at the satellite's own threshold");
    same!(pairs(bench, 70_001).await?, all(Online, Offline), "after it");
    same!(pairs(bench, 100_000).await?, all(Online, Offline), "at the default threshold");
    same!(pairs(bench, 100_001).await?, all(Offline, Offline), "after it");
    remove_satellite(bench, satellite_id(9)).await?;
    let third = pairs(bench, 100_001).await?.pop();
    same!(third, Some((3, 1, Watchers::Nobody)), "the one whose satellite was removed");
    Ok(())
}

async fn of_selected_satellites_one_that_is_online_is_enough(bench: &Bench) -> Seen {
    work(bench, 3).await?;
    satellite(bench, 7, "eu", &[("tier", "edge")]).await?;
    satellite(bench, 8, "eu", &[("tier", "edge")]).await?;
    satellite(bench, 9, "us", &[]).await?;
    let targets = [selected(None, "tier")?, selected(Some("us"), "")?, selected(Some("as"), "")?];
    for (number, target) in (1..).zip(targets) {
        assign(bench, assignment(number, number, 1, target)).await?;
    }
    use Watchers::{Nobody, Offline, Online};
    let none = [(1, 1, Offline), (2, 1, Offline), (3, 1, Nobody)];
    same!(pairs(bench, 60_000).await?, none, "while all are offline");
    connect(bench, 8, at(59_000)).await?;
    let one = [(1, 1, Online), (2, 1, Offline), (3, 1, Nobody)];
    same!(pairs(bench, 60_000).await?, one, "while one is online");
    Ok(())
}

async fn all_assignments_of_a_pair_count_together(bench: &Bench) -> Seen {
    work(bench, 1).await?;
    satellite(bench, 7, "eu", &[]).await?;
    satellite(bench, 8, "us", &[]).await?;
    assign(bench, assignment(1, 1, 1, named(&[7]))).await?;
    assign(bench, assignment(2, 1, 1, selected(Some("as"), "")?)).await?;
    same!(pairs(bench, 60_000).await?, [(1, 1, Watchers::Offline)], "who is there at first");
    assign(bench, assignment(3, 1, 1, selected(Some("us"), "")?)).await?;
    connect(bench, 8, at(59_000)).await?;
    same!(pairs(bench, 60_000).await?, [(1, 1, Watchers::Online)], "who is there then");
    Ok(())
}

async fn quiet_pairs_come_in_the_order_of_check_and_system_page_by_page(bench: &Bench) -> Seen {
    work(bench, 3).await?;
    let places = [(2, 1), (1, 2), (3, 3), (1, 1), (2, 3)];
    for (number, (check, system)) in (1..).zip(places) {
        assign(bench, assignment(number, check, system, named(&[]))).await?;
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let query = QuietQuery { now: at(60_000), after, limit: 2 };
        let page = bench.handle(1).quiet_pairs(&query).await?;
        let Some(last) = page.last() else { break };
        after = Some((last.check, last.system));
        seen.extend(page.iter().map(|pair| (pair.check.0, pair.system.0)));
        ensure!(seen.len() < 9, "the list does not end");
    }
    let expected = [(1, 1), (1, 2), (2, 1), (2, 3), (3, 3)].map(|(a, b)| (uuid(a), uuid(b)));
    same!(seen, expected, "check and system of the pairs");
    Ok(())
}
