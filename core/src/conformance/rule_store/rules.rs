//! The cases of rules themselves.

use super::bench::*;
use crate::automation::{AlertState, EventFilter, Rule};
use crate::conformance::RuleAdapter;
use crate::conformance::runner::{Case, Seen};
use crate::limits::MAX_RULES;
use crate::ports::{RuleAdvance, RuleSaved, RuleUpdate};
use crate::satellite::Name;
use crate::time::Millis;

pub(super) fn cases() -> Vec<Case<dyn RuleAdapter>> {
    cases![
        "rules" a_rule_is_kept_as_it_was_made,
        "rules" a_change_is_made_whole_or_not_at_all,
        "rules" names_are_unique_and_order_the_list,
        "rules" a_rule_needs_its_webhook,
        "rules" no_more_rules_are_made_than_the_limit,
        "rules" a_paused_rule_has_its_alerts_looked_at_at_once,
        "rules" a_removed_rule_stays_for_its_alerts_and_frees_its_name,
    ]
}

async fn a_rule_is_kept_as_it_was_made(bench: &Bench) -> Seen {
    make(bench, 1).await?;
    let plain = Rule { active: false, filter: EventFilter::default(), ..rule(2)? };
    bench.handle(0).create_rule(plain.clone()).await?;
    same!(bench.handle(1).rule(rule_id(1)).await?, Some(rule(1)?), "the rule");
    same!(bench.handle(1).rule(rule_id(2)).await?, Some(plain), "the plain rule");
    same!(bench.handle(1).rule(rule_id(3)).await?, None, "a rule that was never made");
    same!(bench.handle(1).all_rules().await?.len(), 2, "all rules");
    let again = bench.handle(0).create_rule(rule(1)?).await?;
    same!(again, RuleSaved::Done, "what became of making it twice");
    Ok(())
}

async fn a_change_is_made_whole_or_not_at_all(bench: &Bench) -> Seen {
    make(bench, 1).await?;
    make_webhook(bench, 2).await?;
    let update = RuleUpdate {
        name: Some(parsed("other")?),
        active: Some(false),
        filter: Some(EventFilter { region: Some(parsed("us")?), ..EventFilter::default() }),
        lasts: Some(Millis::ZERO),
        steady: Some(Millis::from_secs(1)),
        region_instead: Some(false),
        webhook: Some(webhook_id(2)),
    };
    let changed = bench.handle(0).update_rule(rule_id(1), update.clone()).await?;
    same!(changed, RuleSaved::Done, "what became of the change");
    let expected = Rule {
        name: parsed("other")?,
        active: false,
        filter: update.filter.clone().unwrap_or_default(),
        lasts: Millis::ZERO,
        steady: Millis::from_secs(1),
        region_instead: false,
        webhook: webhook_id(2),
        ..rule(1)?
    };
    same!(bench.handle(1).rule(rule_id(1)).await?, Some(expected.clone()), "the rule");
    bench.handle(0).update_rule(rule_id(1), RuleUpdate::default()).await?;
    same!(bench.handle(1).rule(rule_id(1)).await?, Some(expected.clone()), "the rule left alone");
    let nowhere = RuleUpdate { webhook: Some(webhook_id(9)), ..update };
    let refused = bench.handle(0).update_rule(rule_id(1), nowhere).await?;
    same!(refused, RuleSaved::NoWebhook, "what became of a webhook that is none");
    same!(bench.handle(1).rule(rule_id(1)).await?, Some(expected), "the rule after that");
    let gone = bench.handle(0).update_rule(rule_id(9), RuleUpdate::default()).await?;
    same!(gone, RuleSaved::Gone, "what became of a change to nothing");
    Ok(())
}

async fn names_are_unique_and_order_the_list(bench: &Bench) -> Seen {
    for number in [3, 1, 2] {
        make(bench, number).await?;
    }
    let names = async |after: Option<&str>, limit| -> Seen<Vec<String>> {
        let after = after.map(parsed::<Name>).transpose()?;
        let found = bench.handle(1).rules(after, limit).await?;
        Ok(found.iter().map(|rule| rule.name.to_string()).collect())
    };
    same!(names(None, 2).await?, ["rule 1", "rule 2"], "the first names");
    same!(names(Some("rule 2"), 2).await?, ["rule 3"], "the names after");
    let double = Rule { id: rule_id(4), ..rule(1)? };
    let made = bench.handle(0).create_rule(double).await?;
    same!(made, RuleSaved::NameTaken, "what became of a name's double");
    let update = RuleUpdate { name: Some(parsed("rule 1")?), ..RuleUpdate::default() };
    let changed = bench.handle(0).update_rule(rule_id(2), update.clone()).await?;
    same!(changed, RuleSaved::NameTaken, "what became of a name that is taken");
    let same = bench.handle(0).update_rule(rule_id(1), update).await?;
    same!(same, RuleSaved::Done, "what became of its own name");
    Ok(())
}

async fn a_rule_needs_its_webhook(bench: &Bench) -> Seen {
    let made = bench.handle(0).create_rule(rule(1)?).await?;
    same!(made, RuleSaved::NoWebhook, "what became of a rule without a webhook");
    make(bench, 1).await?;
    keep(bench, vec![alert(1, 1, pending(9))?]).await?;
    bench.handle(0).remove_webhook(webhook_id(1)).await?;
    same!(bench.handle(1).all_rules().await?, [], "the rules after their webhook was removed");
    same!(due(bench, 9).await?, [], "what is due then");
    Ok(())
}

async fn no_more_rules_are_made_than_the_limit(bench: &Bench) -> Seen {
    let most = u32::try_from(MAX_RULES).unwrap_or(u32::MAX);
    for number in 1..=most {
        make(bench, number).await?;
    }
    let one_more = bench.handle(0).create_rule(rule(most + 1)?).await?;
    same!(one_more, RuleSaved::TooMany, "what became of one more");
    bench.handle(0).remove_rule(rule_id(1)).await?;
    make(bench, most + 1).await
}

async fn a_paused_rule_has_its_alerts_looked_at_at_once(bench: &Bench) -> Seen {
    make(bench, 1).await?;
    make(bench, 2).await?;
    let firing = AlertState::Firing { at: at(5) };
    let stored = vec![alert(1, 1, firing)?, alert(1, 2, pending(500))?, alert(2, 1, firing)?];
    keep(bench, stored.clone()).await?;
    same!(due(bench, 20).await?, [], "what is due");
    let paused = RuleUpdate { active: Some(false), ..RuleUpdate::default() };
    bench.handle(0).update_rule(rule_id(1), paused).await?;
    let mut found = due(bench, 20).await?;
    found.sort();
    let mut expected = vec![context(1), context(2)];
    expected.sort();
    same!(found, expected, "what is due once the rule is paused");
    same!(alerts(bench, 1).await?, stored[..2], "its alerts, which are as they were");
    keep(bench, stored[..2].to_vec()).await?;
    same!(due(bench, 20).await?, [], "what is due after somebody looked");
    Ok(())
}

async fn a_removed_rule_stays_for_its_alerts_and_frees_its_name(bench: &Bench) -> Seen {
    make(bench, 1).await?;
    keep(bench, vec![alert(1, 1, AlertState::Firing { at: at(5) })?]).await?;
    let removed = bench.handle(0).remove_rule(rule_id(1)).await?;
    let again = bench.handle(0).remove_rule(rule_id(1)).await?;
    same!((removed, again), (true, false), "what became of two removals");
    same!(bench.handle(1).rule(rule_id(1)).await?, None, "the rule");
    same!(bench.handle(1).rules(None, 10).await?, [], "the list");
    let expected = Rule { removed: true, ..rule(1)? };
    same!(bench.handle(1).all_rules().await?, [expected], "all rules");
    same!(due(bench, 0).await?, [context(1)], "what is due");
    let gone = bench.handle(0).update_rule(rule_id(1), RuleUpdate::default()).await?;
    same!(gone, RuleSaved::Gone, "what became of a change to it");
    let successor = Rule { name: rule(1)?.name, ..rule(2)? };
    same!(bench.handle(0).create_rule(successor.clone()).await?, RuleSaved::Done, "its name");
    let last = RuleAdvance { over: vec![(rule_id(1), context(1))], ..step(bench).await? };
    advance(bench, last).await?;
    same!(bench.handle(1).all_rules().await?, vec![successor], "all rules at last");
    bench.handle(0).remove_rule(rule_id(2)).await?;
    same!(bench.handle(1).all_rules().await?, [], "after one without alerts was removed");
    Ok(())
}
