//! Two writers at once, on handles of their own: one serial order must explain what they see
//! (property P7).

use futures_util::future::{join, join_all};

use super::bench::{Bench, at, beat, close, connect, list_all, new_satellite, satellite_id, token};
use crate::conformance::runner::{Case, Seen};
use crate::connection::{Command, RevokeScope};
use crate::ports::{
    CreateOutcome, CredentialAction, EdgeWrite, Removal, SatelliteStore, WriteOutcome,
};

pub(super) fn cases() -> Vec<Case<dyn SatelliteStore>> {
    cases![
        "P7" of_two_connects_at_once_exactly_one_is_written,
        "P4" of_two_sweepers_exactly_one_records_the_silence,
        "P7" of_a_close_and_a_takeover_exactly_one_is_written,
        "P12" of_a_connect_and_a_revocation_exactly_one_is_written,
        "T7" of_a_connect_and_a_removal_exactly_one_is_written,
        "names" of_two_creations_with_one_name_exactly_one_is_made,
        "P1" one_creation_sent_twice_at_once_makes_one_satellite,
        "T2" many_batches_at_once_leave_the_latest_heartbeat,
        "T5" pods_that_renew_at_once_share_one_span,
    ]
}

/// How often a race is run, each time with a satellite of its own.
const ROUNDS: u32 = 8;

/// Exactly one of both must be applied, and the other must conflict.
fn exactly_one(one: WriteOutcome, other: WriteOutcome, round: u32) -> Seen {
    use WriteOutcome::{Applied, Conflict};
    let one_won = matches!((one, other), (Applied, Conflict) | (Conflict, Applied));
    ensure!(one_won, "{one:?} and {other:?} in round {round}");
    Ok(())
}

/// Runs two writes of one satellite at once, on two handles.
async fn race(bench: &Bench, one: &EdgeWrite, other: &EdgeWrite, round: u32) -> Seen {
    let (first, second) = (bench.pod(0), bench.pod(1));
    let (one, other) = join(first.write(one), second.write(other)).await;
    exactly_one(one?, other?, round)
}

async fn of_two_connects_at_once_exactly_one_is_written(bench: &Bench) -> Seen {
    let pod = bench.fleet(ROUNDS).await?;
    for round in 1..=ROUNDS {
        let read = pod.read(round).await?;
        let one = pod.edge(&read, &connect(&read, 1), at(1_000))?;
        let other = bench.pod(1).edge(&read, &connect(&read, 2), at(1_000))?;
        race(bench, &one, &other, round).await?;
        same!(pod.history(round).await?.len(), 1, "transitions in round {round}");
    }
    Ok(())
}

async fn of_two_sweepers_exactly_one_records_the_silence(bench: &Bench) -> Seen {
    let (pod, other) = (bench.fleet(ROUNDS).await?, bench.pod(1));
    for round in 1..=ROUNDS {
        pod.connect(round, 1_000).await?;
    }
    pod.watch(12_000).await?;
    other.watch(12_000).await?;
    for round in 1..=ROUNDS {
        let read = pod.read(round).await?;
        let writes = [
            pod.edge(&read, &Command::Sweep, at(12_000))?,
            other.edge(&read, &Command::Sweep, at(12_001))?,
        ];
        race(bench, &writes[0], &writes[1], round).await?;
        same!(pod.history(round).await?.len(), 2, "transitions in round {round}");
    }
    Ok(())
}

async fn of_a_close_and_a_takeover_exactly_one_is_written(bench: &Bench) -> Seen {
    let pod = bench.fleet(ROUNDS).await?;
    for round in 1..=ROUNDS {
        pod.connect(round, 1_000).await?;
        let read = pod.read(round).await?;
        let ended = pod.edge(&read, &close(&read), at(2_000))?;
        let taken_over = bench.pod(1).edge(&read, &connect(&read, 7), at(2_000))?;
        race(bench, &ended, &taken_over, round).await?;
    }
    Ok(())
}

async fn of_a_connect_and_a_revocation_exactly_one_is_written(bench: &Bench) -> Seen {
    let (pod, operator) = (bench.fleet(ROUNDS).await?, bench.pod(1));
    for round in 1..=ROUNDS {
        let read = pod.read(round).await?;
        let connecting = pod.edge(&read, &connect(&read, 7), at(1_000))?;
        let replaced = CredentialAction::Replace(token(1_000 + round));
        let any = Some(RevokeScope::AnyToken);
        let change = operator.credential_change(&read, replaced, any, at(1_000));
        let revoking = operator.store.change_credentials(change);
        let (connected, revoked) = join(pod.write(&connecting), revoking).await;
        exactly_one(connected?, revoked?, round)?;
    }
    Ok(())
}

async fn of_a_connect_and_a_removal_exactly_one_is_written(bench: &Bench) -> Seen {
    let (pod, operator) = (bench.fleet(ROUNDS).await?, bench.pod(1));
    for round in 1..=ROUNDS {
        let read = pod.read(round).await?;
        let connecting = pod.edge(&read, &connect(&read, 7), at(1_000))?;
        let removal = Removal { read, origin: operator.origin(), now: at(1_000) };
        let removing = operator.store.remove(removal);
        let (connected, removed) = join(pod.write(&connecting), removing).await;
        let outcomes = (connected?, removed?);
        let expected = [
            (WriteOutcome::Applied, WriteOutcome::Conflict),
            (WriteOutcome::Gone, WriteOutcome::Applied),
        ];
        ensure!(expected.contains(&outcomes), "{outcomes:?} in round {round}");
        let exists = pod.store.get(satellite_id(round)).await?.is_some();
        same!(exists, outcomes == expected[0], "whether it exists after {outcomes:?}");
        same!(pod.history(round).await?.len(), 1, "transitions in round {round}");
    }
    Ok(())
}

async fn of_two_creations_with_one_name_exactly_one_is_made(bench: &Bench) -> Seen {
    let (pod, other) = (bench.fleet(0).await?, bench.pod(1));
    for round in 1..=ROUNDS {
        let (one, mut two) = (new_satellite(round)?, new_satellite(round + 100)?);
        two.satellite.name = one.satellite.name.clone();
        let (one, two) = join(pod.store.create(one), other.store.create(two)).await;
        let outcomes = (one?, two?);
        let (made, taken) = (CreateOutcome::Created, CreateOutcome::NameTaken);
        let one_won = [(made, taken), (taken, made)].contains(&outcomes);
        ensure!(one_won, "{outcomes:?} in round {round}");
        same!(pod.store.list(&list_all(at(0))).await?.len(), round as usize, "satellites");
    }
    Ok(())
}

async fn one_creation_sent_twice_at_once_makes_one_satellite(bench: &Bench) -> Seen {
    let (pod, other) = (bench.fleet(0).await?, bench.pod(1));
    for round in 1..=ROUNDS {
        let new = new_satellite(round)?;
        let (one, two) = join(pod.store.create(new.clone()), other.store.create(new)).await;
        let outcomes = [one?, two?];
        same!(outcomes, [CreateOutcome::Created; 2], "the outcomes in round {round}");
        same!(pod.store.list(&list_all(at(0))).await?.len(), round as usize, "satellites");
    }
    Ok(())
}

async fn many_batches_at_once_leave_the_latest_heartbeat(bench: &Bench) -> Seen {
    let pod = bench.fleet(4).await?;
    for number in 1..=4 {
        pod.connect(number, 1_000).await?;
    }
    // Every batch has the satellites in another order, as two pods may have them.
    let batches = (0..12_i64).map(|batch| {
        let pod = bench.pod(batch as usize);
        let millis = 2_000 + (batch * 7 % 12) * 10;
        async move {
            let mut beats: Vec<_> = (1..=4).map(|number| beat(number, 1, millis)).collect();
            beats.rotate_left(batch as usize % 4);
            pod.store.record_heartbeats(&beats, at(9_000)).await
        }
    });
    for refused in join_all(batches).await {
        same!(refused?, Vec::<usize>::new(), "not applied");
    }
    for number in 1..=4 {
        let heard = pod.read(number).await?.record.last_heartbeat_at;
        same!(heard, Some(at(2_110)), "the heartbeat of satellite {number}");
    }
    Ok(())
}

async fn pods_that_renew_at_once_share_one_span(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    pod.store.renew_watch(&pod.name, at(0), super::bench::INTERVAL).await?;
    let renewals = (0..8).map(|number| {
        let pod = bench.pod(number);
        async move {
            let now = at(1_000 + number as i64);
            pod.store.renew_watch(&pod.name, now, super::bench::INTERVAL).await
        }
    });
    for span in join_all(renewals).await {
        same!(span?.since, at(0), "the start of the span");
    }
    let span = pod.read(1).await?.watch;
    same!(span.map(|span| (span.since, span.until)), Some((at(0), at(6_007))), "the span");
    Ok(())
}
