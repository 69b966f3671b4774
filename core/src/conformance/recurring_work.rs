//! The cases of [`RecurringWork`].

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future;

use super::Fixture;
use super::runner::{Case, Fault, Seen, give_way};
use crate::ports::{Job, JobName, RecurringWork, Run, Turn};
use crate::time::Millis;

type Bench = Fixture<dyn RecurringWork>;

pub(super) fn cases() -> Vec<Case<dyn RecurringWork>> {
    cases![
        "due" a_job_that_is_new_is_due_at_once,
        "due" after_a_run_the_job_is_due_its_interval_after_the_claim_for_every_member,
        "due" a_run_that_took_longer_than_the_interval_is_followed_by_one_run_at_once,
        "due" jobs_do_not_wait_for_one_another,
        "one at a time" while_a_lease_lasts_nobody_else_is_given_the_job,
        "one at a time" of_many_that_claim_at_once_one_is_given_the_run,
        "one at a time" members_that_compete_for_every_run_never_work_at_the_same_time,
        "one at a time" a_renewed_lease_outlasts_the_first,
        "redelivered" a_run_whose_member_died_is_given_to_another_when_its_lease_lapses,
        "redelivered" a_run_that_was_redelivered_is_held_like_any_other,
        "fenced" who_lost_a_run_can_neither_renew_nor_finish_it,
        "fenced" a_lease_that_lapsed_and_that_nobody_took_can_be_renewed_and_finished,
        "fenced" a_finished_run_can_neither_be_renewed_nor_finished_again,
        "durable" a_lease_outlives_a_crash_and_lapses_then_too,
        "durable" what_was_finished_before_a_crash_is_not_due_before_its_time,
    ]
}

const SWEEP: JobName = JobName::new("sweep");
/// The longest name, with every kind of character.
const LONGEST: JobName =
    JobName::new("a-job-with-the-longest-name-0123456789-0123456789-0123456789-012");

/// A lease or interval that does not end while a case runs.
const LONG: Millis = Millis::from_secs(3_600);
/// A lease or interval that a case waits for.
const SHORT: Millis = Millis::new(300);
/// An interval that a case waits for several times, and that two steps of a case never take.
const LESS: Millis = Millis::from_secs(2);
/// What a remaining span may differ by from what was asked for, on the slowest machine.
const SLACK: Millis = Millis::from_secs(60);
/// A case waits no longer than this for a turn at a time.
const LOOK: Millis = Millis::new(50);
/// Members that compete, and the runs that they do between them.
const MEMBERS: usize = 4;
const RUNS: usize = 20;

fn job(every: Millis) -> Job {
    Job { name: SWEEP, every }
}

async fn a_job_that_is_new_is_due_at_once(bench: &Bench) -> Seen {
    for name in [SWEEP, LONGEST] {
        let run = claimed(bench, 0, Job { name, every: LONG }, LONG).await?;
        same!(run.job, Job { name, every: LONG }, "the job of the run");
    }
    Ok(())
}

async fn after_a_run_the_job_is_due_its_interval_after_the_claim_for_every_member(
    bench: &Bench,
) -> Seen {
    let run = claimed(bench, 0, job(LONG), LONG).await?;
    bench.pass(SHORT).await?;
    ensure!(bench.handle(0).finish(run).await?, "false for a run that is held");
    for member in 0..2 {
        let wait = refused(bench, member, job(LONG)).await?;
        // Clocks tick in milliseconds, on both ends of the interval.
        let most = Millis::new(LONG.get() - SHORT.get() + 2);
        ensure!(wait <= most, "{wait} to wait, {SHORT} after the claim of a run every {LONG}");
        ensure!(wait + SLACK >= most, "{wait} to wait, {SHORT} after the claim, every {LONG}");
    }
    let brief = Job { name: LONGEST, every: SHORT };
    let run = claimed(bench, 0, brief, LONG).await?;
    bench.handle(0).finish(run).await?;
    let run = in_turn(bench, 1, brief, LONG).await?;
    same!(run.job, brief, "the job of the next run");
    Ok(())
}

async fn a_run_that_took_longer_than_the_interval_is_followed_by_one_run_at_once(
    bench: &Bench,
) -> Seen {
    let run = claimed(bench, 0, job(LESS), LONG).await?;
    bench.pass(LESS.times(4)).await?;
    bench.handle(0).finish(run).await?;
    let next = claimed(bench, 1, job(LESS), LONG).await?;
    bench.handle(1).finish(next).await?;
    let wait = refused(bench, 0, job(LESS)).await?;
    ensure!(wait <= LESS, "{wait} to wait after a run every {LESS}");
    Ok(())
}

async fn jobs_do_not_wait_for_one_another(bench: &Bench) -> Seen {
    let other = Job { name: LONGEST, every: LONG };
    let held = claimed(bench, 0, job(LONG), LONG).await?;
    let beside = claimed(bench, 0, other, LONG).await?;
    ensure!(bench.handle(0).finish(beside).await?, "false for one of two runs of a member");
    refused(bench, 1, other).await?;
    ensure!(bench.handle(0).renew(&held, LONG).await?, "false for the other of two runs");
    Ok(())
}

async fn while_a_lease_lasts_nobody_else_is_given_the_job(bench: &Bench) -> Seen {
    claimed(bench, 0, job(SHORT), LONG).await?;
    // Its interval is over, its lease is not.
    bench.pass(SHORT.times(2)).await?;
    for member in 0..2 {
        let wait = refused(bench, member, job(SHORT)).await?;
        ensure!(wait <= LONG, "{wait} to wait for a lease of {LONG}");
        ensure!(wait + SLACK >= LONG, "only {wait} to wait for a lease of {LONG}");
    }
    Ok(())
}

async fn of_many_that_claim_at_once_one_is_given_the_run(bench: &Bench) -> Seen {
    let claims = (0..16).map(|member| {
        let handle = bench.handle(member);
        async move { handle.claim(job(LONG), LONG).await }
    });
    let turns = future::try_join_all(claims).await?;
    let given = turns.iter().filter(|turn| matches!(turn, Turn::Yours(_))).count();
    same!(given, 1, "the number of members that were given one run");
    Ok(())
}

async fn members_that_compete_for_every_run_never_work_at_the_same_time(bench: &Bench) -> Seen {
    let (working, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let often = job(Millis::new(5));
    let member = |number: usize| {
        let (working, done) = (&working, &done);
        async move {
            while done.load(Ordering::SeqCst) < RUNS {
                let run = in_turn(bench, number, often, LONG).await?;
                let others = working.fetch_add(1, Ordering::SeqCst);
                ensure!(others == 0, "{others} others at work while one had the run");
                give_way().await;
                bench.pass(Millis::new(1)).await?;
                working.fetch_sub(1, Ordering::SeqCst);
                done.fetch_add(1, Ordering::SeqCst);
                ensure!(bench.handle(number).finish(run).await?, "false for a run that is held");
            }
            Ok(())
        }
    };
    future::try_join_all((0..MEMBERS).map(member)).await.map(drop)
}

async fn a_renewed_lease_outlasts_the_first(bench: &Bench) -> Seen {
    let run = claimed(bench, 0, job(SHORT), SHORT).await?;
    for _ in 0..2 {
        ensure!(bench.handle(0).renew(&run, LONG).await?, "false for a run that is held");
    }
    bench.pass(SHORT.times(2)).await?;
    let wait = refused(bench, 1, job(SHORT)).await?;
    ensure!(wait + SLACK >= LONG, "only {wait} to wait for a lease renewed for {LONG}");
    ensure!(bench.handle(0).finish(run).await?, "false for a run that is held");
    claimed(bench, 1, job(SHORT), LONG).await.map(drop)
}

async fn a_run_whose_member_died_is_given_to_another_when_its_lease_lapses(bench: &Bench) -> Seen {
    claimed(bench, 0, job(LONG), SHORT).await?;
    // Its interval is far from over, but the run was never done.
    let claims = [in_turn(bench, 1, job(LONG), LONG), in_turn(bench, 2, job(LONG), LONG)];
    let [one, other] = claims.map(Box::pin);
    let (_, waits) = future::select(one, other).await.factor_first();
    drop(waits);
    refused(bench, 1, job(LONG)).await.map(drop)
}

async fn a_run_that_was_redelivered_is_held_like_any_other(bench: &Bench) -> Seen {
    claimed(bench, 0, job(LONG), SHORT).await?;
    let again = in_turn(bench, 1, job(LONG), LONG).await?;
    let wait = refused(bench, 0, job(LONG)).await?;
    ensure!(wait + SLACK >= LONG, "only {wait} to wait for a lease of {LONG}");
    ensure!(bench.handle(1).finish(again).await?, "false for a run that is held");
    let wait = refused(bench, 0, job(LONG)).await?;
    ensure!(wait + SLACK >= LONG, "only {wait} to wait after a run every {LONG}");
    Ok(())
}

async fn who_lost_a_run_can_neither_renew_nor_finish_it(bench: &Bench) -> Seen {
    let lost = claimed(bench, 0, job(LONG), SHORT).await?;
    let held = in_turn(bench, 1, job(LONG), LONG).await?;
    ensure!(!bench.handle(0).renew(&lost, SHORT).await?, "a run renewed that another has");
    ensure!(!bench.handle(0).finish(lost).await?, "a run finished that another has");
    let wait = refused(bench, 0, job(LONG)).await?;
    ensure!(wait + SLACK >= LONG, "only {wait} to wait for a lease of {LONG}");
    ensure!(bench.handle(1).renew(&held, LONG).await?, "false for a run that is held");
    ensure!(bench.handle(1).finish(held).await?, "false for a run that is held");
    Ok(())
}

async fn a_lease_that_lapsed_and_that_nobody_took_can_be_renewed_and_finished(
    bench: &Bench,
) -> Seen {
    let run = claimed(bench, 0, job(LONG), SHORT).await?;
    bench.pass(SHORT.times(2)).await?;
    ensure!(bench.handle(0).renew(&run, SHORT).await?, "lost, though nobody else claimed it");
    bench.pass(SHORT.times(2)).await?;
    ensure!(bench.handle(0).finish(run).await?, "lost, though nobody else claimed it");
    refused(bench, 1, job(LONG)).await.map(drop)
}

async fn a_finished_run_can_neither_be_renewed_nor_finished_again(bench: &Bench) -> Seen {
    let run = claimed(bench, 0, job(LONG), LONG).await?;
    bench.handle(0).finish(run.clone()).await?;
    ensure!(!bench.handle(0).renew(&run, SHORT).await?, "a finished run was renewed");
    ensure!(!bench.handle(0).finish(run).await?, "a finished run was finished again");
    let wait = refused(bench, 1, job(LONG)).await?;
    ensure!(wait + SLACK >= LONG, "only {wait} to wait after a run every {LONG}");
    Ok(())
}

async fn a_lease_outlives_a_crash_and_lapses_then_too(bench: &mut Bench) -> Seen {
    let brief = Job { name: LONGEST, every: LONG };
    claimed(bench, 0, job(LONG), LONG).await?;
    claimed(bench, 0, brief, SHORT).await?;
    crash(bench).await?;
    let wait = refused(bench, 0, job(LONG)).await?;
    ensure!(wait + SLACK >= LONG, "only {wait} to wait for a lease of {LONG}");
    in_turn(bench, 0, brief, LONG).await.map(drop)
}

async fn what_was_finished_before_a_crash_is_not_due_before_its_time(bench: &mut Bench) -> Seen {
    let brief = Job { name: LONGEST, every: SHORT };
    for job in [job(LONG), brief] {
        let run = claimed(bench, 0, job, LONG).await?;
        bench.handle(0).finish(run).await?;
    }
    crash(bench).await?;
    let wait = refused(bench, 0, job(LONG)).await?;
    ensure!(wait + SLACK >= LONG, "only {wait} to wait after a run every {LONG}");
    in_turn(bench, 0, brief, LONG).await.map(drop)
}

async fn crash(bench: &mut Bench) -> Seen {
    if !bench.can_reopen() {
        return Err(Fault::Needs("Fixture::reopened_by"));
    }
    bench.crash().await;
    Ok(())
}

/// Claims a run that is due.
async fn claimed(bench: &Bench, member: usize, job: Job, lease: Millis) -> Seen<Run> {
    match bench.handle(member).claim(job, lease).await? {
        Turn::Yours(run) => Ok(run),
        Turn::NotBefore(wait) => {
            Err(Fault::Seen(format!("{wait} to wait for a run of {} that is due", job.name)))
        }
    }
}

/// Claims a run that is not due or held; answers how long it is said to take.
async fn refused(bench: &Bench, member: usize, job: Job) -> Seen<Millis> {
    match bench.handle(member).claim(job, LONG).await? {
        Turn::NotBefore(wait) => {
            ensure!(wait > Millis::ZERO, "nothing to wait for, and no run");
            Ok(wait)
        }
        Turn::Yours(_) => {
            Err(Fault::Seen(format!("a run of {} that is not due, or held", job.name)))
        }
    }
}

/// Waits for a turn as long as it takes.
async fn in_turn(bench: &Bench, member: usize, job: Job, lease: Millis) -> Seen<Run> {
    loop {
        match bench.handle(member).claim(job, lease).await? {
            Turn::Yours(run) => return Ok(run),
            Turn::NotBefore(wait) => bench.pass(wait.min(LOOK).max(Millis::new(1))).await?,
        }
    }
}
