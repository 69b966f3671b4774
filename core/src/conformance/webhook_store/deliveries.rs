//! The cases of events on their way.

use super::bench::*;
use crate::automation::{DeliveryState, Health, NoticeKind, PauseReason};
use crate::conformance::WebhookAdapter;
use crate::conformance::runner::{Case, Fault, Seen};
use crate::connection::EventKind;
use crate::ports::{
    AttemptRecord, Delivery, DeliveryQuery, NewDelivery, Redelivery, WebhookUpdate,
};
use crate::satellite::Seq;

pub(super) fn cases() -> Vec<Case<dyn WebhookAdapter>> {
    cases![
        "once" an_event_is_made_into_one_delivery,
        "in order" of_each_satellite_the_lowest_seq_is_due_and_no_other,
        "in order" those_behind_one_that_waits_wait_as_long,
        "in order" new_ones_wait_for_those_before_them,
        "in order" one_that_is_delivered_again_waits_for_those_before_it,
        "apart" each_webhook_has_deliveries_of_its_own,
        "attempts" what_was_seen_is_listed_newest_first,
        "attempts" an_attempt_counts_once,
        "attempts" a_reason_to_pause_is_kept_unless_there_is_one_already,
        "redeliver" one_or_all_since_a_time_wait_anew,
        "prune" only_what_is_done_and_old_is_deleted,
        "prune" deliveries_go_with_their_event_and_with_their_webhook,
        "durable" what_is_stored_is_there_after_a_crash,
    ]
}

async fn an_event_is_made_into_one_delivery(bench: &Bench) -> Seen {
    busy(bench, 2, 2).await?;
    let claim = claimed(bench, 1, 1).await?;
    let store = bench.handle(0);
    let events = store.events_after(None, 100).await?;
    let new = |at: usize| NewDelivery {
        cursor: events[at].cursor,
        context: events[at].recorded.place().0,
        seq: events[at].recorded.place().1,
        event: EventKind::Connected,
    };
    let first = store.enqueue_deliveries(claim, events[1].cursor, &[new(0), new(1)], at(1)).await?;
    let again = store.enqueue_deliveries(claim, events[1].cursor, &[new(0), new(1)], at(1)).await?;
    let back = store.enqueue_deliveries(claim, events[0].cursor, &[new(0)], at(1)).await?;
    same!((first, again, back), (true, false, false), "whether the cursor moved");
    let rest = [new(1), new(2), new(3)];
    store.enqueue_deliveries(claim, events[3].cursor, &rest, at(1)).await?;
    same!(listed(bench, None).await?.len(), 4, "the deliveries");
    Ok(())
}

async fn of_each_satellite_the_lowest_seq_is_due_and_no_other(bench: &Bench) -> Seen {
    busy(bench, 2, 3).await?;
    let claim = claimed(bench, 1, 5).await?;
    enqueue(bench, claim, 5).await?;
    same!(due_seqs(bench, 4).await?, [], "what is due before its time");
    same!(due_seqs(bench, 5).await?, [(1, 1), (2, 1)], "what is due");
    same!(bench.handle(0).due_deliveries(id(1), at(5), 1).await?.len(), 1, "what is due of one");
    let numbers = due(bench, 5).await?;
    record(bench, claim, &[attempt(numbers[0].0, 1, None, 5)]).await?;
    same!(due_seqs(bench, 5).await?, [(2, 1), (1, 2)], "what is due after one was delivered");
    let mut dead = attempt(numbers[1].0, 1, None, 5);
    dead.state = DeliveryState::Dead;
    record(bench, claim, &[dead]).await?;
    same!(due_seqs(bench, 5).await?, [(1, 2), (2, 2)], "what is due after one was given up");
    Ok(())
}

async fn those_behind_one_that_waits_wait_as_long(bench: &Bench) -> Seen {
    busy(bench, 2, 3).await?;
    let claim = claimed(bench, 1, 5).await?;
    enqueue(bench, claim, 5).await?;
    let numbers = due(bench, 5).await?;
    record(bench, claim, &[attempt(numbers[0].0, 1, Some(60), 5)]).await?;
    same!(due_seqs(bench, 59).await?, [(2, 1)], "what is due while one waits");
    let next: Vec<_> = listed(bench, None).await?.iter().map(|d| (d.seq.0, d.next_at)).collect();
    let late = next.iter().filter(|(_, next)| *next == Some(at(60))).count();
    same!(late, 3, "the deliveries that wait until then");
    same!(due_seqs(bench, 60).await?, [(2, 1), (1, 1)], "what is due then");
    Ok(())
}

async fn new_ones_wait_for_those_before_them(bench: &Bench) -> Seen {
    busy(bench, 1, 1).await?;
    let claim = claimed(bench, 1, 5).await?;
    enqueue(bench, claim, 5).await?;
    let number = due(bench, 5).await?[0].0;
    record(bench, claim, &[attempt(number, 1, Some(60), 5)]).await?;
    connect(bench, 1, 6).await?;
    enqueue(bench, claim, 6).await?;
    let newest = listed(bench, None).await?.remove(0);
    same!((newest.seq, newest.next_at), (Seq(2), Some(at(60))), "the new delivery's time");
    Ok(())
}

async fn one_that_is_delivered_again_waits_for_those_before_it(bench: &Bench) -> Seen {
    busy(bench, 1, 2).await?;
    let claim = claimed(bench, 1, 5).await?;
    enqueue(bench, claim, 5).await?;
    let number = due(bench, 5).await?[0].0;
    record(bench, claim, &[attempt(number, 1, Some(60), 5)]).await?;
    let second = Redelivery::One(satellite_id(1).into(), Seq(2));
    bench.handle(0).redeliver(id(1), second, at(20)).await?;
    same!(due_seqs(bench, 59).await?, [], "what is due while the first waits");
    same!(due_seqs(bench, 60).await?, [(1, 1)], "what is due then");
    Ok(())
}

async fn each_webhook_has_deliveries_of_its_own(bench: &Bench) -> Seen {
    make(bench, 2).await?;
    busy(bench, 1, 2).await?;
    let (one, other) = (claimed(bench, 1, 5).await?, claimed(bench, 2, 5).await?);
    enqueue(bench, one, 5).await?;
    enqueue(bench, other, 5).await?;
    let of_other = async || -> Seen<Vec<Delivery>> {
        let query = DeliveryQuery { webhook: id(2), state: None, after: None, limit: 10 };
        Ok(bench.handle(1).deliveries(&query).await?)
    };
    let before = of_other().await?;
    same!((listed(bench, None).await?.len(), before.len()), (2, 2), "the deliveries of each");
    let number = due(bench, 5).await?[0].0;
    record(bench, one, &[attempt(number, 1, Some(60), 5)]).await?;
    let due = bench.handle(1).due_deliveries(id(2), at(5), 10).await?;
    let due: Vec<_> = due.iter().map(|due| (due.number, due.attempts)).collect();
    same!(due, [(before[1].number, 0)], "what is due of the other while the first one's waits");
    let again = bench.handle(0).redeliver(id(1), Redelivery::Since(at(0)), at(20)).await?;
    same!(again, 2, "how many are delivered again");
    let one = Redelivery::One(satellite_id(1).into(), Seq(1));
    same!(bench.handle(0).redeliver(id(1), one, at(30)).await?, 1, "how many of one event");
    bench.handle(0).remove_webhook(id(1)).await?;
    same!(of_other().await?, before, "the other webhook's deliveries");
    Ok(())
}

async fn what_was_seen_is_listed_newest_first(bench: &Bench) -> Seen {
    busy(bench, 2, 1).await?;
    let claim = claimed(bench, 1, 5).await?;
    enqueue(bench, claim, 5).await?;
    let numbers = due(bench, 5).await?;
    let attempts = [attempt(numbers[0].0, 1, Some(60), 6), attempt(numbers[1].0, 1, None, 6)];
    same!(record(bench, claim, &attempts).await?, true, "whether it was recorded");
    let all = listed(bench, None).await?;
    let expected = |attempt: &AttemptRecord, (number, whose, seq): (u64, u32, u64)| Delivery {
        number,
        webhook: id(1),
        context: satellite_id(whose).into(),
        seq: Seq(seq),
        kind: NoticeKind::Event(EventKind::Connected),
        alert: None,
        state: attempt.state,
        attempts: 1,
        created_at: at(5),
        next_at: attempt.next_at,
        attempted_at: Some(at(6)),
        seen: attempt.seen.clone(),
    };
    same!(all[0], expected(&attempts[1], numbers[1]), "the newest delivery");
    same!(all[1], expected(&attempts[0], numbers[0]), "the one before");
    let waiting = listed(bench, Some(DeliveryState::Waiting)).await?;
    same!(waiting.len(), 1, "the deliveries that wait");
    let after = Some(all[0].number);
    let query = DeliveryQuery { webhook: id(1), state: None, after, limit: 5 };
    same!(bench.handle(0).deliveries(&query).await?, all[1..], "the deliveries after the newest");
    Ok(())
}

async fn an_attempt_counts_once(bench: &Bench) -> Seen {
    busy(bench, 1, 1).await?;
    let claim = claimed(bench, 1, 5).await?;
    enqueue(bench, claim, 5).await?;
    let number = due(bench, 5).await?[0].0;
    record(bench, claim, &[attempt(number, 1, Some(60), 5)]).await?;
    record(bench, claim, &[attempt(number, 1, None, 6)]).await?;
    let after = listed(bench, None).await?.remove(0);
    same!((after.state, after.attempts), (DeliveryState::Waiting, 1), "where it stands");
    record(bench, claim, &[attempt(number, 2, None, 60)]).await?;
    record(bench, claim, &[attempt(number, 3, Some(90), 61)]).await?;
    let after = listed(bench, None).await?.remove(0);
    same!((after.state, after.attempts), (DeliveryState::Delivered, 2), "where it stands at last");
    Ok(())
}

async fn a_reason_to_pause_is_kept_unless_there_is_one_already(bench: &Bench) -> Seen {
    make(bench, 1).await?;
    let claim = claimed(bench, 1, 5).await?;
    let store = bench.handle(0);
    let failing = Health { failing_since: Some(at(5)), paused: None };
    store.record_attempts(claim, &[], failing).await?;
    let health = async || -> Seen<Option<Health>> {
        Ok(bench.handle(1).webhook(id(1)).await?.map(|webhook| webhook.health))
    };
    same!(health().await?, Some(failing), "how it fares");
    let operator = Health { failing_since: None, paused: Some(PauseReason::Operator) };
    let update = WebhookUpdate { health: Some(operator), ..WebhookUpdate::default() };
    store.update_webhook(id(1), update).await?;
    let gone = Health { failing_since: Some(at(5)), paused: Some(PauseReason::Gone) };
    store.record_attempts(claim, &[], gone).await?;
    let expected = Health { paused: Some(PauseReason::Operator), ..gone };
    same!(health().await?, Some(expected), "how it fares once an operator paused it");
    make(bench, 2).await?;
    let claim = claimed(bench, 2, 5).await?;
    store.record_attempts(claim, &[], gone).await?;
    let other = bench.handle(1).webhook(id(2)).await?.map(|webhook| webhook.health);
    same!(other, Some(gone), "how another one fares that nobody paused");
    Ok(())
}

async fn one_or_all_since_a_time_wait_anew(bench: &Bench) -> Seen {
    busy(bench, 2, 1).await?;
    let claim = claimed(bench, 1, 5).await?;
    enqueue(bench, claim, 5).await?;
    let numbers = due(bench, 5).await?;
    let done: Vec<_> = numbers.iter().map(|one| attempt(one.0, 1, None, 5)).collect();
    record(bench, claim, &done).await?;
    connect(bench, 1, 9).await?;
    enqueue(bench, claim, 9).await?;
    let number = due(bench, 9).await?[0].0;
    record(bench, claim, &[attempt(number, 1, Some(60), 9)]).await?;
    let store = bench.handle(0);
    let one =
        store.redeliver(id(1), Redelivery::One(satellite_id(2).into(), Seq(1)), at(20)).await?;
    same!(one, 1, "the deliveries of one event");
    same!(due_seqs(bench, 20).await?, [(2, 1)], "what is due");
    let none =
        store.redeliver(id(1), Redelivery::One(satellite_id(2).into(), Seq(7)), at(20)).await?;
    same!(none, 0, "the deliveries of an event that never was");
    same!(store.redeliver(id(1), Redelivery::Since(at(6)), at(20)).await?, 1, "those since");
    same!(due_seqs(bench, 20).await?, [(2, 1), (1, 2)], "what is due after that");
    same!(store.redeliver(id(1), Redelivery::Since(at(5)), at(20)).await?, 3, "all of them");
    same!(due_seqs(bench, 20).await?, [(1, 1), (2, 1)], "what is due at last");
    let again = store.due_deliveries(id(1), at(20), 1).await?;
    same!(again[0].attempts, 0, "the attempts that count");
    Ok(())
}

async fn only_what_is_done_and_old_is_deleted(bench: &Bench) -> Seen {
    busy(bench, 3, 1).await?;
    let claim = claimed(bench, 1, 5).await?;
    enqueue(bench, claim, 5).await?;
    let numbers = due(bench, 5).await?;
    let mut dead = attempt(numbers[1].0, 1, None, 7);
    dead.state = DeliveryState::Dead;
    record(bench, claim, &[attempt(numbers[0].0, 1, None, 7), dead]).await?;
    let store = bench.handle(0);
    let prune = async |delivered, dead, limit| -> Seen<u64> {
        Ok(store.prune_deliveries(at(delivered), at(dead), limit).await?)
    };
    same!(prune(7, 7, 10).await?, 0, "what is deleted at its time");
    same!(prune(8, 7, 10).await?, 1, "what is deleted of the delivered");
    same!(prune(8, 8, 0).await?, 0, "what is deleted with a limit of none");
    same!(prune(8, 8, 10).await?, 1, "what is deleted of the dead");
    same!(prune(1_000, 1_000, 10).await?, 0, "what is deleted of those that wait");
    same!(listed(bench, None).await?.len(), 1, "what is left");
    Ok(())
}

async fn deliveries_go_with_their_event_and_with_their_webhook(bench: &Bench) -> Seen {
    busy(bench, 1, 3).await?;
    let claim = claimed(bench, 1, 5).await?;
    enqueue(bench, claim, 5).await?;
    bench.handle(0).prune_transitions(at(1), 10).await?;
    same!(listed(bench, None).await?.len(), 2, "the deliveries after their event was deleted");
    same!(due_seqs(bench, 5).await?, [(1, 2)], "what is due then");
    bench.handle(0).remove_webhook(id(1)).await?;
    same!(listed(bench, None).await?.len(), 0, "the deliveries after their webhook was removed");
    Ok(())
}

async fn what_is_stored_is_there_after_a_crash(bench: &mut Bench) -> Seen {
    if !bench.can_reopen() {
        return Err(Fault::Needs("Fixture::reopened_by"));
    }
    busy(bench, 2, 1).await?;
    let held = claimed(bench, 1, 5).await?;
    enqueue(bench, held, 5).await?;
    let number = due(bench, 5).await?[0].0;
    record(bench, held, &[attempt(number, 1, None, 5)]).await?;
    bench.crash().await;
    same!(claim(bench, 1, 6).await?, None, "a claim before the dead pod's lease ended");
    claimed(bench, 1, 20).await?;
    same!(due_seqs(bench, 20).await?, [(2, 1)], "what is due after the crash");
    same!(listed(bench, Some(DeliveryState::Delivered)).await?.len(), 1, "what was delivered");
    Ok(())
}
