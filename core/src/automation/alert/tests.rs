//! An alert's course, by examples and at random.

use proptest::prelude::*;

use super::*;
use crate::automation::rule::tests::rule;
use crate::time::Millis;

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1_000)
}

fn time(second: i64) -> AlertInput {
    AlertInput::Time { now: at(second), region_lost: false }
}

/// Fires after a minute, is over after half a minute.
fn damped() -> Rule {
    Rule { lasts: Millis::from_secs(60), steady: Millis::from_secs(30), ..rule() }
}

fn course(rule: &Rule, inputs: &[AlertInput]) -> (Option<AlertState>, Vec<AlertCall>) {
    let (mut state, mut calls) = (None, Vec::new());
    for input in inputs {
        let step = after(rule, state, *input);
        state = step.next;
        calls.extend(step.call);
    }
    (state, calls)
}

#[test]
fn what_is_over_before_it_lasted_is_told_to_nobody() {
    let inputs = [AlertInput::Broke { at: at(0) }, time(59), AlertInput::Back { at: at(59) }];
    assert_eq!(course(&damped(), &inputs), (None, vec![]));
}

#[test]
fn what_lasts_is_told_once_and_told_again_when_it_is_over_for_long_enough() {
    let broke = AlertInput::Broke { at: at(0) };
    let (state, calls) = course(&damped(), &[broke, time(60), time(61), broke]);
    assert_eq!(calls, [AlertCall::Firing]);
    assert_eq!(state, Some(AlertState::Firing { at: at(60) }));
    let back = AlertInput::Back { at: at(100) };
    let (state, calls) = course(&damped(), &[broke, time(60), back, time(129), back, time(130)]);
    assert_eq!(state, None);
    assert_eq!(calls, [AlertCall::Firing, AlertCall::Resolved(Resolution::Recovered)]);
}

#[test]
fn flapping_within_the_steady_time_is_one_alert() {
    let mut inputs = vec![AlertInput::Broke { at: at(0) }, time(60)];
    for round in 0..10 {
        let start = 100 + round * 20;
        let (back, broke) =
            (AlertInput::Back { at: at(start) }, AlertInput::Broke { at: at(start + 10) });
        inputs.extend([back, time(start + 9), broke]);
    }
    let (state, calls) = course(&damped(), &inputs);
    assert_eq!(calls, [AlertCall::Firing]);
    assert_eq!(state, Some(AlertState::Firing { at: at(60) }));
}

#[test]
fn without_a_steady_time_it_is_over_at_once() {
    let rule = Rule { lasts: Millis::ZERO, ..rule() };
    let inputs = [AlertInput::Broke { at: at(0) }, time(0), AlertInput::Back { at: at(1) }];
    let calls = [AlertCall::Firing, AlertCall::Resolved(Resolution::Recovered)];
    assert_eq!(course(&rule, &inputs), (None, calls.to_vec()));
}

#[test]
fn a_rule_that_tells_of_regions_instead_holds_what_is_lost_with_its_region() {
    let rule = Rule { region_instead: true, ..damped() };
    let lost = AlertInput::Time { now: at(60), region_lost: true };
    let broke = AlertInput::Broke { at: at(0) };
    assert_eq!(course(&rule, &[broke, lost]), (Some(AlertState::Held), vec![]));
    assert_eq!(course(&rule, &[broke, lost, AlertInput::Back { at: at(70) }]), (None, vec![]));
    let released = AlertInput::Released { now: at(90) };
    let (_, calls) = course(&rule, &[broke, lost, released, time(90)]);
    assert_eq!(calls, [AlertCall::Firing]);
    assert_eq!(course(&damped(), &[broke, lost]).1, [AlertCall::Firing]);
}

#[test]
fn a_removed_satellite_and_a_rule_that_ended_leave_nobody_waiting() {
    let broke = AlertInput::Broke { at: at(0) };
    let removed = |inputs: &[AlertInput]| course(&damped(), inputs).1;
    assert_eq!(removed(&[broke, AlertInput::Removed]), []);
    let resolved = AlertCall::Resolved(Resolution::Removed);
    assert_eq!(removed(&[broke, time(60), AlertInput::Removed]), [AlertCall::Firing, resolved]);
    let firing = Some(AlertState::Firing { at: at(60) });
    for ended in [Rule { active: false, ..rule() }, Rule { removed: true, ..rule() }] {
        let call = Some(AlertCall::Resolved(Resolution::RuleEnded));
        assert_eq!(after(&ended, firing, time(61)), AlertStep { next: None, call });
        assert_eq!(after(&ended, None, broke), AlertStep::NONE);
    }
}

#[test]
fn an_alert_that_begins_anew_is_another_one() {
    let of = |seq| AlertId::of(RuleId(uuid::Uuid::nil()), ContextId(uuid::Uuid::nil()), Seq(seq));
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}

fn input() -> impl Strategy<Value = AlertInput> {
    let second = || (0..400_i64).prop_map(at);
    prop_oneof![
        second().prop_map(|at| AlertInput::Broke { at }),
        second().prop_map(|at| AlertInput::Back { at }),
        Just(AlertInput::Removed),
        (second(), any::<bool>())
            .prop_map(|(now, region_lost)| AlertInput::Time { now, region_lost }),
        second().prop_map(|now| AlertInput::Released { now }),
    ]
}

proptest! {
    #[test]
    fn calls_alternate_and_begin_with_firing(
        inputs in prop::collection::vec(input(), 0..60), instead: bool,
    ) {
        let rule = Rule { region_instead: instead, ..damped() };
        let (state, calls) = course(&rule, &inputs);
        for (at, call) in calls.iter().enumerate() {
            prop_assert_eq!(*call == AlertCall::Firing, at % 2 == 0);
        }
        let open = state.is_some_and(|state| state.fired_at().is_some());
        prop_assert_eq!(open, calls.len() % 2 == 1);
    }

    #[test]
    fn an_input_that_comes_twice_does_what_it_does_once(
        inputs in prop::collection::vec(input(), 0..20), last in input(),
    ) {
        let (state, _) = course(&damped(), &inputs);
        let once = after(&damped(), state, last);
        let twice = after(&damped(), once.next, last);
        // A loss that is told again after the alert is over is a loss of its own, and what was
        // released is due at once.
        if !matches!(last, AlertInput::Removed | AlertInput::Released { .. }) {
            prop_assert_eq!(twice.next, once.next);
            prop_assert_eq!(twice.call, None);
        }
    }

    #[test]
    fn a_state_survives_its_parts(inputs in prop::collection::vec(input(), 0..20)) {
        if let (Some(state), _) = course(&damped(), &inputs) {
            let parts = AlertState::of_parts(state.standing(), state.fired_at(), state.due());
            prop_assert_eq!(parts, Some(state));
        }
    }
}
