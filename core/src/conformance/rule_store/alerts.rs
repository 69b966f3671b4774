//! The cases of what follows from rules.

use super::bench::*;
use crate::automation::{
    Alert, AlertCall, AlertId, AlertKind, AlertStanding, AlertState, AlertSubject, DeliveryState,
    NoticeKind, Resolution,
};
use crate::conformance::RuleAdapter;
use crate::conformance::runner::{Case, Fault, Seen};
use crate::connection::{ContextId, EventKind};
use crate::ports::{AlertQuery, Due, EventCursor, RuleAdvance, RuleProgress, RuleUpdate};
use crate::satellite::{PodName, Seq};
use crate::time::Millis;

pub(super) fn cases() -> Vec<Case<dyn RuleAdapter>> {
    cases![
        "alerts" every_state_is_kept_as_it_was_written,
        "alerts" the_later_one_takes_the_place_of_the_earlier,
        "alerts" lists_go_on_after_their_last_and_can_be_of_one_standing,
        "alerts" those_whose_time_has_come_are_due_and_the_longest_first,
        "alerts" those_about_some_are_found_of_all_rules,
        "once" of_two_steps_from_the_same_version_one_is_written,
        "together" a_step_that_was_overtaken_writes_nothing,
        "together" a_step_from_before_a_rule_changed_writes_nothing,
        "once" a_notice_is_made_into_one_delivery,
        "alerts" a_delivery_of_an_alert_is_due_listed_and_repeated_like_any_other,
        "alerts" what_is_of_a_rule_or_webhook_that_is_gone_is_left_out,
        "durable" what_is_stored_is_there_after_a_crash,
    ]
}

fn of_region(of: u32, state: AlertState) -> Seen<Alert> {
    let subject = AlertSubject::Region(parsed("eu")?);
    let id = AlertId::of(rule_id(of), subject.context(), Seq(4));
    Ok(Alert { id, subject, event: EventKind::RegionLossSuspected, ..alert(of, 9, state)? })
}

async fn every_state_is_kept_as_it_was_written(bench: &Bench) -> Seen {
    make(bench, 1).await?;
    let kept = vec![
        alert(1, 1, pending(20))?,
        alert(1, 2, AlertState::Held)?,
        alert(1, 3, AlertState::Firing { at: at(6) })?,
        alert(1, 4, AlertState::Recovering { fired_at: at(6), due: at(30) })?,
        of_region(1, AlertState::Firing { at: at(7) })?,
    ];
    keep(bench, kept.clone()).await?;
    same!(alerts(bench, 1).await?, kept, "the alerts");
    Ok(())
}

async fn the_later_one_takes_the_place_of_the_earlier(bench: &Bench) -> Seen {
    make(bench, 1).await?;
    make(bench, 2).await?;
    keep(bench, vec![alert(1, 1, pending(20))?, alert(2, 1, pending(20))?]).await?;
    let later = Alert {
        id: AlertId::of(rule_id(1), context(1), Seq(7)),
        since: at(50),
        event: EventKind::Disconnected,
        ..alert(1, 1, AlertState::Firing { at: at(60) })?
    };
    keep(bench, vec![later.clone()]).await?;
    same!(alerts(bench, 1).await?, [later], "the alert of the one rule");
    same!(alerts(bench, 2).await?, [alert(2, 1, pending(20))?], "that of the other");
    let over = vec![(rule_id(1), context(1)), (rule_id(2), context(8))];
    let step = RuleAdvance { over, ..step(bench).await? };
    advance(bench, step).await?;
    same!(alerts(bench, 1).await?, [], "the alerts that are over");
    same!(alerts(bench, 2).await?.len(), 1, "those that are not");
    Ok(())
}

async fn lists_go_on_after_their_last_and_can_be_of_one_standing(bench: &Bench) -> Seen {
    make(bench, 1).await?;
    let mut kept = Vec::new();
    for about in 1..=5 {
        let alike = Alert { since: at(u64::from(about / 2)), ..alert(1, about, pending(9))? };
        kept.push(alike);
    }
    kept[3].state = AlertState::Held;
    keep(bench, kept.clone()).await?;
    let mut seen: Vec<Alert> = Vec::new();
    loop {
        let after = seen.last().map(|last| (last.since, last.subject.context()));
        let query = AlertQuery { rule: rule_id(1), standing: None, after, limit: 2 };
        let page = bench.handle(0).alerts(&query).await?;
        if page.is_empty() {
            break;
        }
        seen.extend(page);
        ensure!(seen.len() <= kept.len(), "more alerts than there are");
    }
    kept.sort_by_key(|alert| (alert.since, alert.subject.context()));
    same!(seen, kept, "the alerts, page by page");
    let standing = Some(AlertStanding::Held);
    let query = AlertQuery { rule: rule_id(1), standing, after: None, limit: 9 };
    let held = bench.handle(0).alerts(&query).await?;
    same!(held.iter().map(|alert| alert.state).collect::<Vec<_>>(), [AlertState::Held], "held");
    Ok(())
}

async fn those_whose_time_has_come_are_due_and_the_longest_first(bench: &Bench) -> Seen {
    make(bench, 1).await?;
    let kept = vec![
        alert(1, 1, pending(30))?,
        alert(1, 2, AlertState::Recovering { fired_at: at(1), due: at(20) })?,
        alert(1, 3, AlertState::Firing { at: at(1) })?,
        alert(1, 4, AlertState::Held)?,
    ];
    keep(bench, kept).await?;
    same!(due(bench, 19).await?, [], "what is due before");
    same!(due(bench, 20).await?, [context(2)], "what is due at the first time");
    same!(due(bench, 30).await?, [context(2), context(1)], "what is due at the second");
    same!(bench.handle(0).due_alerts(at(30), 1).await?.len(), 1, "what is due of one");
    Ok(())
}

async fn those_about_some_are_found_of_all_rules(bench: &Bench) -> Seen {
    make(bench, 1).await?;
    make(bench, 2).await?;
    let kept = vec![
        alert(1, 1, pending(9))?,
        alert(2, 1, pending(9))?,
        alert(1, 2, pending(9))?,
        of_region(1, pending(9))?,
    ];
    keep(bench, kept).await?;
    let about = async |contexts: &[ContextId]| -> Seen<usize> {
        Ok(bench.handle(0).alerts_about(contexts).await?.len())
    };
    same!(about(&[]).await?, 0, "those about nothing");
    same!(about(&[context(1)]).await?, 2, "those about one");
    same!(about(&[context(1), context(2), context(8)]).await?, 3, "those about three");
    let region = ContextId::of_region(&parsed("eu")?);
    same!(about(&[region]).await?, 1, "those about a region");
    Ok(())
}

async fn of_two_steps_from_the_same_version_one_is_written(bench: &Bench) -> Seen {
    make(bench, 1).await?;
    let first = RuleAdvance { kept: vec![alert(1, 1, pending(9))?], ..step(bench).await? };
    let second = RuleAdvance { kept: vec![alert(1, 2, pending(9))?], ..first.clone() };
    let one = bench.handle(0);
    let (a, b) = futures_util::join!(one.advance_rules(first), one.advance_rules(second));
    same!((a? as u8) + (b? as u8), 1, "the steps that were written");
    same!(alerts(bench, 1).await?.len(), 1, "the alerts");
    Ok(())
}

async fn a_step_that_was_overtaken_writes_nothing(bench: &Bench) -> Seen {
    make(bench, 1).await?;
    keep(bench, vec![alert(1, 1, pending(9))?]).await?;
    let stale = step(bench).await?;
    let reached = Some(EventCursor { commit: 0, position: 5 });
    advance(bench, RuleAdvance { reached, ..stale.clone() }).await?;
    let before = bench.handle(1).rule_progress().await?;
    same!(before.cursor, reached, "how far the rules were applied");
    let late = RuleAdvance {
        reached: Some(EventCursor { commit: 0, position: 9 }),
        kept: vec![alert(1, 2, pending(9))?],
        over: vec![(rule_id(1), context(1))],
        told: vec![(webhook_id(1), notice(1, 1, AlertCall::Firing)?)],
        lost: vec![region_loss("eu", 1)?],
        ..stale
    };
    same!(bench.handle(0).advance_rules(late).await?, false, "whether it was written");
    same!(bench.handle(1).rule_progress().await?, before, "how far they are applied");
    same!(alerts(bench, 1).await?, [alert(1, 1, pending(9))?], "the alerts");
    same!(deliveries(bench, 1).await?.len(), 0, "the deliveries");
    same!(bench.handle(1).region_losses(&[]).await?, [], "the regions that are lost");
    same!(bench.handle(1).events_after(None, 9).await?, [], "the events");
    let unmoved = step(bench).await?;
    advance(bench, unmoved).await?;
    let RuleProgress { version, cursor } = bench.handle(1).rule_progress().await?;
    same!((version, cursor), (before.version + 1, reached), "after a step that reached nothing");
    Ok(())
}

async fn a_step_from_before_a_rule_changed_writes_nothing(bench: &Bench) -> Seen {
    make(bench, 1).await?;
    let changes = async |number: u32| -> Seen {
        match number {
            0 => make(bench, 2).await?,
            1 => {
                let paused = RuleUpdate { active: Some(false), ..RuleUpdate::default() };
                bench.handle(1).update_rule(rule_id(1), paused).await?;
            }
            _ => drop(bench.handle(1).remove_rule(rule_id(1)).await?),
        }
        Ok(())
    };
    for number in 0..3 {
        let read = RuleAdvance { kept: vec![alert(1, 1, pending(9))?], ..step(bench).await? };
        changes(number).await?;
        let written = bench.handle(0).advance_rules(read).await?;
        same!(written, false, "whether it was written after change {number}");
    }
    Ok(())
}

async fn a_notice_is_made_into_one_delivery(bench: &Bench) -> Seen {
    make(bench, 1).await?;
    for _ in 0..2 {
        let told = vec![(webhook_id(1), notice(1, 1, AlertCall::Firing)?)];
        let step = RuleAdvance { told, ..step(bench).await? };
        advance(bench, step).await?;
    }
    same!(deliveries(bench, 1).await?.len(), 1, "the deliveries");
    Ok(())
}

async fn a_delivery_of_an_alert_is_due_listed_and_repeated_like_any_other(bench: &Bench) -> Seen {
    make(bench, 1).await?;
    let firing = notice(1, 1, AlertCall::Firing)?;
    let resolved = notice(1, 1, AlertCall::Resolved(Resolution::Removed))?;
    let told = vec![(webhook_id(1), firing.clone()), (webhook_id(1), resolved.clone())];
    let step = RuleAdvance { told, ..step(bench).await? };
    advance(bench, step).await?;
    let listed = deliveries(bench, 1).await?;
    same!(listed.len(), 2, "the deliveries");
    let kind = NoticeKind::Alert(AlertKind::Resolved);
    let newest = &listed[0];
    same!((newest.context, newest.seq), resolved.place(), "the place of the newest");
    same!((newest.kind, newest.alert.clone()), (kind, Some(resolved)), "what it is");
    same!((newest.state, newest.created_at), (DeliveryState::Waiting, at(10)), "how it stands");
    let store = bench.handle(0);
    same!(store.idle_webhooks(at(10)).await?, [webhook_id(1)], "who has something to do");
    let claim = store
        .claim_webhook(webhook_id(1), &PodName::new("pod"), at(10), Millis::from_secs(15))
        .await?;
    ensure!(claim.is_some(), "the webhook cannot be claimed");
    let due = store.due_deliveries(webhook_id(1), at(10), 9).await?;
    let due: Vec<_> = due.into_iter().map(|delivery| delivery.due).collect();
    same!(due, [Due::Alert(firing.clone())], "what is due: the first of one alert");
    let (context, seq) = firing.place();
    let again = crate::ports::Redelivery::One(context, seq);
    same!(store.redeliver(webhook_id(1), again, at(11)).await?, 1, "what waits anew");
    store.prune_transitions(at(1_000), 100).await?;
    same!(deliveries(bench, 1).await?.len(), 2, "the deliveries after all events were deleted");
    Ok(())
}

async fn what_is_of_a_rule_or_webhook_that_is_gone_is_left_out(bench: &Bench) -> Seen {
    make(bench, 1).await?;
    let step = RuleAdvance {
        kept: vec![alert(1, 1, pending(9))?, alert(5, 1, pending(9))?],
        told: vec![
            (webhook_id(5), notice(1, 2, AlertCall::Firing)?),
            (webhook_id(1), notice(1, 1, AlertCall::Firing)?),
        ],
        ..step(bench).await?
    };
    advance(bench, step).await?;
    same!(bench.handle(0).alerts_about(&[context(1)]).await?.len(), 1, "the alerts");
    same!(deliveries(bench, 1).await?.len(), 1, "the deliveries");
    Ok(())
}

async fn what_is_stored_is_there_after_a_crash(bench: &mut Bench) -> Seen {
    if !bench.can_reopen() {
        return Err(Fault::Needs("Fixture::reopened_by"));
    }
    make(bench, 1).await?;
    let step = RuleAdvance {
        reached: Some(EventCursor { commit: 0, position: 3 }),
        kept: vec![alert(1, 1, AlertState::Firing { at: at(9) })?],
        told: vec![(webhook_id(1), notice(1, 1, AlertCall::Firing)?)],
        lost: vec![region_loss("eu", 1)?],
        ..step(bench).await?
    };
    advance(bench, step).await?;
    let before = bench.handle(1).rule_progress().await?;
    bench.crash().await;
    same!(bench.handle(0).rule_progress().await?, before, "how far rules were applied");
    same!(bench.handle(0).rule(rule_id(1)).await?, Some(rule(1)?), "the rule");
    same!(alerts(bench, 1).await?.len(), 1, "the alerts");
    same!(deliveries(bench, 1).await?.len(), 1, "the deliveries");
    same!(bench.handle(0).region_losses(&[]).await?.len(), 1, "the regions that are lost");
    same!(bench.handle(0).events_after(None, 9).await?.len(), 1, "the events");
    Ok(())
}
