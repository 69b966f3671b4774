//! The cases of webhooks, and of who works for them.

use super::bench::*;
use crate::automation::{
    ContentMode, EventFilter, Health, KeptSecret, PauseReason, SigningSecret, Webhook,
    WebhookHeaders,
};
use crate::conformance::WebhookAdapter;
use crate::conformance::runner::{Case, Seen};
use crate::connection::{Cause, EventKind};
use crate::limits::MAX_WEBHOOKS;
use crate::ports::{Backlog, WebhookSaved, WebhookUpdate};
use crate::satellite::{Name, PodName};

pub(super) fn cases() -> Vec<Case<dyn WebhookAdapter>> {
    cases![
        "webhooks" a_webhook_is_read_to_the_letter,
        "webhooks" a_change_is_made_whole_or_not_at_all,
        "webhooks" names_are_unique_and_order_the_list,
        "webhooks" no_more_webhooks_are_made_than_the_limit,
        "cursor" a_webhook_begins_with_what_happens_after_it_was_made,
        "cursor" a_webhook_that_is_told_of_alerts_alone_has_no_event_to_look_at,
        "cursor" only_webhooks_with_something_to_do_are_idle,
        "cursor" a_backlog_says_how_far_a_webhook_came_and_how_many_wait,
        "fenced" a_webhook_is_claimed_once_until_its_lease_ends,
        "fenced" of_several_pods_at_once_one_gets_the_claim,
        "fenced" a_claim_that_was_lost_writes_nothing,
        "fenced" a_paused_webhook_is_not_claimed,
    ]
}

async fn a_webhook_is_read_to_the_letter(bench: &Bench) -> Seen {
    let full = Webhook {
        filter: EventFilter {
            events: [EventKind::Connected, EventKind::Removed].into(),
            satellites: [satellite_id(1)].into(),
            region: Some(parsed("eu 'é'")?),
            tags: parsed("tier in (edge, core), !lab")?,
            causes: [Cause::TookOver].into(),
        },
        mode: ContentMode::Binary,
        secrets: vec![
            KeptSecret { secret: SigningSecret::new([1; 32]), expires_at: None },
            KeptSecret { secret: SigningSecret::new([2; 32]), expires_at: Some(at(5)) },
        ],
        health: Health { failing_since: Some(at(3)), paused: Some(PauseReason::Gone) },
        ..webhook(1)?
    };
    bench.handle(0).create_webhook(full.clone()).await?;
    make(bench, 2).await?;
    same!(bench.handle(1).webhook(id(1)).await?, Some(full), "the webhook");
    same!(bench.handle(1).webhook(id(2)).await?, Some(webhook(2)?), "the other webhook");
    same!(bench.handle(1).webhook(id(3)).await?, None, "a webhook that was never made");
    Ok(())
}

async fn a_change_is_made_whole_or_not_at_all(bench: &Bench) -> Seen {
    make(bench, 1).await?;
    bench.handle(0).update_webhook(id(1), WebhookUpdate::default()).await?;
    same!(bench.handle(1).webhook(id(1)).await?, Some(webhook(1)?), "the webhook left alone");
    let health = Health { failing_since: None, paused: Some(PauseReason::Operator) };
    let update = WebhookUpdate {
        name: Some(parsed("other")?),
        url: Some(parsed("http://example.org")?),
        filter: Some(EventFilter { region: Some(parsed("us")?), ..EventFilter::default() }),
        headers: Some(WebhookHeaders::default()),
        mode: Some(ContentMode::Binary),
        alerts_only: Some(true),
        secrets: Some(Vec::new()),
        health: Some(health),
    };
    let changed = bench.handle(0).update_webhook(id(1), update.clone()).await?;
    same!(changed, WebhookSaved::Done, "what became of the change");
    let expected = Webhook {
        name: parsed("other")?,
        url: parsed("http://example.org")?,
        filter: update.filter.clone().unwrap_or_default(),
        headers: WebhookHeaders::default(),
        mode: ContentMode::Binary,
        alerts_only: true,
        secrets: Vec::new(),
        health,
        ..webhook(1)?
    };
    same!(bench.handle(1).webhook(id(1)).await?, Some(expected.clone()), "the webhook");
    bench.handle(0).update_webhook(id(1), WebhookUpdate::default()).await?;
    same!(bench.handle(1).webhook(id(1)).await?, Some(expected), "the other left alone");
    let gone = bench.handle(0).update_webhook(id(9), update).await?;
    same!(gone, WebhookSaved::Gone, "what became of a change to nothing");
    Ok(())
}

async fn names_are_unique_and_order_the_list(bench: &Bench) -> Seen {
    for number in [3, 1, 2] {
        make(bench, number).await?;
    }
    let names = async |after: Option<&str>, limit| -> Seen<Vec<String>> {
        let after = after.map(parsed::<Name>).transpose()?;
        let found = bench.handle(1).webhooks(after, limit).await?;
        Ok(found.iter().map(|webhook| webhook.name.to_string()).collect())
    };
    same!(names(None, 2).await?, ["webhook 1", "webhook 2"], "the first names");
    same!(names(Some("webhook 2"), 2).await?, ["webhook 3"], "the names after");
    let name = Some(parsed("Webhook 3")?);
    bench.handle(0).update_webhook(id(3), WebhookUpdate { name, ..Default::default() }).await?;
    same!(names(None, 2).await?, ["Webhook 3", "webhook 1"], "the first names by their bytes");
    let double = Webhook { id: id(4), ..webhook(1)? };
    let made = bench.handle(0).create_webhook(double).await?;
    same!(made, WebhookSaved::NameTaken, "what became of a name's double");
    let name = Some(parsed("webhook 1")?);
    let update = WebhookUpdate { name, ..WebhookUpdate::default() };
    let changed = bench.handle(0).update_webhook(id(2), update).await?;
    same!(changed, WebhookSaved::NameTaken, "what became of a name that is taken");
    let removed = bench.handle(0).remove_webhook(id(1)).await?;
    let again = bench.handle(0).remove_webhook(id(1)).await?;
    same!((removed, again), (true, false), "what became of two removals");
    make(bench, 1).await
}

async fn no_more_webhooks_are_made_than_the_limit(bench: &Bench) -> Seen {
    let most = u32::try_from(MAX_WEBHOOKS).unwrap_or(u32::MAX);
    for number in 1..=most {
        make(bench, number).await?;
    }
    let one_more = bench.handle(0).create_webhook(webhook(most + 1)?).await?;
    same!(one_more, WebhookSaved::TooMany, "what became of one more");
    bench.handle(0).remove_webhook(id(1)).await?;
    make(bench, most + 1).await
}

async fn a_webhook_begins_with_what_happens_after_it_was_made(bench: &Bench) -> Seen {
    satellite(bench, 1).await?;
    connect(bench, 1, 0).await?;
    make(bench, 1).await?;
    same!(bench.handle(1).idle_webhooks(at(0)).await?, [], "who has something to do");
    connect(bench, 1, 1).await?;
    same!(bench.handle(1).idle_webhooks(at(1)).await?, [id(1)], "who has something to do");
    let claim = claimed(bench, 1, 1).await?;
    same!(enqueue(bench, claim, 1).await?, true, "whether deliveries were made");
    same!(due_seqs(bench, 1).await?, [(1, 2)], "what is due");
    Ok(())
}

async fn a_webhook_that_is_told_of_alerts_alone_has_no_event_to_look_at(bench: &Bench) -> Seen {
    satellite(bench, 1).await?;
    make(bench, 1).await?;
    let alone =
        |alerts_only| WebhookUpdate { alerts_only: Some(alerts_only), ..WebhookUpdate::default() };
    bench.handle(0).update_webhook(id(1), alone(true)).await?;
    connect(bench, 1, 0).await?;
    same!(bench.handle(1).idle_webhooks(at(0)).await?, [], "who has something to do");
    bench.handle(0).update_webhook(id(1), alone(false)).await?;
    same!(bench.handle(1).idle_webhooks(at(0)).await?, [], "who has something to do after that");
    connect(bench, 1, 1).await?;
    bench.handle(0).update_webhook(id(1), alone(false)).await?;
    same!(bench.handle(1).idle_webhooks(at(1)).await?, [id(1)], "who has a later event to look at");
    Ok(())
}

async fn only_webhooks_with_something_to_do_are_idle(bench: &Bench) -> Seen {
    busy(bench, 1, 1).await?;
    let idle = async |second| -> Seen<usize> {
        Ok(bench.handle(0).idle_webhooks(at(second)).await?.len())
    };
    same!(idle(1).await?, 1, "the webhooks with an event to look at");
    let claim = claimed(bench, 1, 1).await?;
    same!(idle(1).await?, 0, "the webhooks that nobody works for");
    enqueue(bench, claim, 1).await?;
    bench.handle(0).release_claim(claim).await?;
    same!(idle(1).await?, 1, "the webhooks with a delivery");
    let claim = claimed(bench, 1, 1).await?;
    let number = due(bench, 1).await?[0].0;
    record(bench, claim, &[attempt(number, 1, Some(60), 1)]).await?;
    bench.handle(0).release_claim(claim).await?;
    same!((idle(59).await?, idle(60).await?), (0, 1), "the webhooks before and at its time");
    Ok(())
}

async fn a_backlog_says_how_far_a_webhook_came_and_how_many_wait(bench: &Bench) -> Seen {
    make(bench, 2).await?;
    busy(bench, 2, 2).await?;
    let backlog = async |number| -> Seen<Option<Backlog>> {
        Ok(bench.handle(1).webhook_backlog(id(number)).await?)
    };
    let events = bench.handle(0).events_after(None, 10).await?;
    same!(backlog(1).await?, Some(Backlog { cursor: None, waiting: 0 }), "the backlog at first");
    let claim = claimed(bench, 1, 5).await?;
    enqueue(bench, claim, 5).await?;
    let number = due(bench, 5).await?[0].0;
    record(bench, claim, &[attempt(number, 1, None, 5)]).await?;
    let cursor = events.last().map(|event| event.cursor);
    same!(backlog(1).await?, Some(Backlog { cursor, waiting: 3 }), "the backlog then");
    same!(backlog(2).await?, Some(Backlog { cursor: None, waiting: 0 }), "that of the other");
    same!(backlog(3).await?, None, "the backlog of nothing");
    Ok(())
}

async fn a_webhook_is_claimed_once_until_its_lease_ends(bench: &Bench) -> Seen {
    make(bench, 1).await?;
    let first = claimed(bench, 1, 0).await?;
    same!(claim(bench, 1, 14).await?, None, "a claim during the lease");
    same!(bench.handle(0).renew_claim(first, at(10), LEASE).await?, true, "a renewal");
    same!(claim(bench, 1, 24).await?, None, "a claim during the renewed lease");
    let second = claimed(bench, 1, 25).await?;
    same!(bench.handle(0).renew_claim(first, at(26), LEASE).await?, false, "a renewal too late");
    bench.handle(0).release_claim(first).await?;
    same!(claim(bench, 1, 26).await?, None, "a claim after a release that is none");
    bench.handle(0).release_claim(second).await?;
    let third = claimed(bench, 1, 26).await?;
    same!(third == second, false, "whether two claims are the same");
    same!(claim(bench, 9, 0).await?, None, "a claim of nothing");
    Ok(())
}

async fn of_several_pods_at_once_one_gets_the_claim(bench: &Bench) -> Seen {
    make(bench, 1).await?;
    let claims = (0..6).map(async |number| {
        let pod = PodName::new(&format!("pod {number}"));
        bench.handle(number).claim_webhook(id(1), &pod, at(0), LEASE).await
    });
    let claims = futures_util::future::try_join_all(claims).await?;
    same!(claims.into_iter().flatten().count(), 1, "the claims");
    Ok(())
}

async fn a_claim_that_was_lost_writes_nothing(bench: &Bench) -> Seen {
    busy(bench, 1, 1).await?;
    let old = claimed(bench, 1, 0).await?;
    let new = claimed(bench, 1, 20).await?;
    same!(enqueue(bench, old, 20).await?, false, "whether the old claim made deliveries");
    same!(listed(bench, None).await?.len(), 0, "the deliveries");
    same!(enqueue(bench, new, 20).await?, true, "whether the new claim made deliveries");
    let number = due(bench, 20).await?[0].0;
    same!(record(bench, old, &[attempt(number, 1, None, 20)]).await?, false, "what it recorded");
    same!(due(bench, 20).await?.len(), 1, "what is still due");
    Ok(())
}

async fn a_paused_webhook_is_not_claimed(bench: &Bench) -> Seen {
    busy(bench, 1, 1).await?;
    let health = |paused| {
        let health = Some(Health { failing_since: None, paused });
        WebhookUpdate { health, ..WebhookUpdate::default() }
    };
    bench.handle(0).update_webhook(id(1), health(Some(PauseReason::Operator))).await?;
    same!(bench.handle(0).idle_webhooks(at(1)).await?, [], "who has something to do");
    same!(claim(bench, 1, 1).await?, None, "a claim of a paused webhook");
    bench.handle(0).update_webhook(id(1), health(None)).await?;
    claimed(bench, 1, 1).await.map(drop)
}
