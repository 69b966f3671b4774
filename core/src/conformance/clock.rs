//! The cases of [`Clock`].

use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;

use super::Fixture;
use super::runner::{Case, Seen};
use crate::limits::FLUSH_BOUND;
use crate::ports::Clock;
use crate::time::{Millis, Timestamp};

type Bench = Fixture<dyn Clock>;

pub(super) fn cases() -> Vec<Case<dyn Clock>> {
    cases![
        "P11" it_never_runs_backwards,
        "P11" threads_agree_on_what_is_past,
        "P11" its_error_leaves_settle_under_half_a_second,
    ]
}

const READS: usize = 20_000;

async fn it_never_runs_backwards(bench: &Bench) -> Seen {
    let clock = bench.handle(0);
    let mut last = clock.now();
    for _ in 0..READS {
        let now = clock.now();
        ensure!(now >= last, "{now} after {last}");
        last = now;
    }
    Ok(())
}

async fn threads_agree_on_what_is_past(bench: &Bench) -> Seen {
    let newest = AtomicI64::new(i64::MIN);
    let look = || {
        let clock = bench.handle(0);
        (0..READS).find_map(|_| {
            let past = newest.load(Ordering::SeqCst);
            let now = clock.now().as_millis();
            newest.fetch_max(now, Ordering::SeqCst);
            (now < past).then_some((now, past))
        })
    };
    let seen = thread::scope(|scope| {
        let threads = [scope.spawn(look), scope.spawn(look), scope.spawn(look)];
        threads.map(|thread| thread.join().ok())
    });
    for outcome in seen {
        let Some(outcome) = outcome else {
            return Err(super::runner::Fault::Seen("a panic in a thread".to_owned()));
        };
        if let Some((now, past)) = outcome {
            let at = Timestamp::from_millis;
            ensure!(false, "{} read after another thread had read {}", at(now), at(past));
        }
    }
    Ok(())
}

async fn its_error_leaves_settle_under_half_a_second(bench: &Bench) -> Seen {
    let error = bench.handle(0).error();
    let settle = FLUSH_BOUND + error.times(2);
    ensure!(settle < Millis::new(500), "an error of {error}, so that settle is {settle}");
    Ok(())
}
