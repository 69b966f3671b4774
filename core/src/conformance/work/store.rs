//! The cases of [`WorkStore`](crate::ports::WorkStore).

use super::bench::{
    Bench, assign, assignment, check, done, interval, name, named, remove_satellite, satellite,
    satellite_id, selected, strategy, system, work,
};
use crate::assignment::{AssignmentId, Check, Collectors, Json, System};
use crate::conformance::WorkAdapter;
use crate::conformance::runner::{Case, Fault, Seen};
use crate::ports::{AssignmentQuery, AssignmentUpdate, CheckUpdate, Dangling, Saved, SystemUpdate};

pub(in crate::conformance) fn cases() -> Vec<Case<dyn WorkAdapter>> {
    cases![
        "create" what_was_made_is_read_as_it_was_given_to_the_letter,
        "create" the_same_creation_twice_makes_one,
        "create" names_are_unique_among_their_kind,
        "update" only_what_is_named_changes,
        "update" what_is_not_there_is_not_changed,
        "whole" a_refused_change_changes_nothing,
        "list" lists_go_on_after_a_name_in_the_order_of_bytes,
        "assign" an_assignment_refers_only_to_what_is_there,
        "assign" assignments_are_listed_by_check_and_system_in_the_order_of_ids,
        "assign" a_new_target_takes_the_place_of_the_old,
        "tidy" with_a_system_or_a_check_its_assignments_go,
        "tidy" a_removed_satellite_is_taken_out,
        "policy" a_sandbox_policy_is_kept_to_the_letter_until_it_is_unset,
        "durable" what_was_made_is_there_after_a_crash,
    ]
}

async fn what_was_made_is_read_as_it_was_given_to_the_letter(bench: &Bench) -> Seen {
    work(bench, 1).await?;
    satellite(bench, 7, "eu", &[]).await?;
    let store = bench.handle(1);
    same!(store.system(system(1)?.id).await?, Some(system(1)?), "the system");
    same!(store.check(check(1)?.id).await?, Some(check(1)?), "the check");
    let targets = [named(&[7]), named(&[]), selected(Some("eu"), "a in (b, \"c d\"), !e")?];
    for (number, target) in (1..).zip(targets) {
        let new = assignment(number, 1, 1, target);
        assign(bench, new.clone()).await?;
        same!(store.assignment(new.id).await?, Some(new), "the assignment");
    }
    same!(store.system(system(2)?.id).await?, None, "a system that was not made");
    same!(store.check(check(2)?.id).await?, None, "a check that was not made");
    let other = assignment(9, 1, 1, named(&[])).id;
    same!(store.assignment(other).await?, None, "an assignment that was not made");
    Ok(())
}

async fn the_same_creation_twice_makes_one(bench: &Bench) -> Seen {
    let store = bench.handle(0);
    work(bench, 1).await?;
    assign(bench, assignment(1, 1, 1, named(&[]))).await?;
    let later = System { metadata: Json::empty_object(), ..system(1)? };
    done(store.create_system(later).await?)?;
    done(store.create_check(Check { config: Json::empty_object(), ..check(1)? }).await?)?;
    done(store.create_assignment(assignment(1, 1, 1, selected(None, "a")?)).await?)?;
    same!(store.systems(None, 9).await?, vec![system(1)?], "the systems");
    same!(store.checks(None, 9).await?, vec![check(1)?], "the checks");
    let all = AssignmentQuery { limit: 9, ..AssignmentQuery::default() };
    let expected = vec![assignment(1, 1, 1, named(&[]))];
    same!(store.assignments(&all).await?, expected, "the assignments");
    Ok(())
}

async fn names_are_unique_among_their_kind(bench: &Bench) -> Seen {
    let store = bench.handle(0);
    work(bench, 2).await?;
    let other = System { id: system(3)?.id, ..system(1)? };
    same!(store.create_system(other).await?, Saved::NameTaken, "a second system of that name");
    let other = Check { id: check(3)?.id, ..check(1)? };
    same!(store.create_check(other).await?, Saved::NameTaken, "a second check of that name");
    let update = SystemUpdate { name: Some(name("system 1")?), ..SystemUpdate::default() };
    let own = store.update_system(system(1)?.id, update.clone()).await?;
    same!(own, Saved::Done, "a system renamed to its own name");
    let taken = store.update_system(system(2)?.id, update).await?;
    same!(taken, Saved::NameTaken, "a system renamed to another's name");
    let update = CheckUpdate { name: Some(name("check 1")?), ..CheckUpdate::default() };
    let taken = store.update_check(check(2)?.id, update).await?;
    same!(taken, Saved::NameTaken, "a check renamed to another's name");
    Ok(())
}

async fn only_what_is_named_changes(bench: &Bench) -> Seen {
    let store = bench.handle(0);
    work(bench, 1).await?;
    let (id, renamed) = (system(1)?.id, name("renamed")?);
    done(store.update_system(id, SystemUpdate::default()).await?)?;
    same!(store.system(id).await?, Some(system(1)?), "after an empty change");
    let update = SystemUpdate { name: Some(renamed.clone()), metadata: None };
    done(store.update_system(id, update).await?)?;
    let expected = System { name: renamed.clone(), ..system(1)? };
    same!(bench.handle(1).system(id).await?, Some(expected), "the renamed system");
    let id = check(1)?.id;
    let update = CheckUpdate { interval: Some(interval(5)?), ..CheckUpdate::default() };
    done(store.update_check(id, update).await?)?;
    let slower = Check { interval: interval(5)?, ..check(1)? };
    same!(store.check(id).await?, Some(slower.clone()), "the check with another interval");
    let update = CheckUpdate {
        name: Some(renamed.clone()),
        strategy: Some(strategy("x")?),
        config: Some(Json::empty_object()),
        collectors: Some(Collectors::default()),
        interval: None,
    };
    done(store.update_check(id, update).await?)?;
    let expected = Check {
        name: renamed,
        strategy: strategy("x")?,
        config: Json::empty_object(),
        collectors: Collectors::default(),
        ..slower
    };
    same!(store.check(id).await?, Some(expected), "the changed check");
    Ok(())
}

async fn what_is_not_there_is_not_changed(bench: &Bench) -> Seen {
    let store = bench.handle(0);
    let gone = store.update_system(system(1)?.id, SystemUpdate::default()).await?;
    same!(gone, Saved::Gone, "a change to no system");
    let gone = store.update_check(check(1)?.id, CheckUpdate::default()).await?;
    same!(gone, Saved::Gone, "a change to no check");
    let id = assignment(1, 1, 1, named(&[])).id;
    let gone = store.update_assignment(id, AssignmentUpdate::default()).await?;
    same!(gone, Saved::Gone, "a change to no assignment");
    ensure!(!store.remove_system(system(1)?.id).await?, "true for no system");
    ensure!(!store.remove_check(check(1)?.id).await?, "true for no check");
    ensure!(!store.remove_assignment(id).await?, "true for no assignment");
    Ok(())
}

async fn a_refused_change_changes_nothing(bench: &Bench) -> Seen {
    let store = bench.handle(0);
    work(bench, 2).await?;
    let update =
        SystemUpdate { name: Some(name("system 2")?), metadata: Some(Json::empty_object()) };
    store.update_system(system(1)?.id, update).await?;
    same!(store.system(system(1)?.id).await?, Some(system(1)?), "the system");
    let made = assignment(1, 1, 1, selected(None, "a")?);
    assign(bench, made.clone()).await?;
    let update =
        AssignmentUpdate { check: Some(check(2)?.id), system: None, target: Some(named(&[5])) };
    let refused = store.update_assignment(made.id, update).await?;
    let missing = Dangling::Satellite(satellite_id(5));
    same!(refused, Saved::Dangling(missing), "an assignment to no satellite");
    same!(store.assignment(made.id).await?, Some(made), "the assignment");
    Ok(())
}

async fn lists_go_on_after_a_name_in_the_order_of_bytes(bench: &Bench) -> Seen {
    let store = bench.handle(0);
    for (number, text) in (1..).zip(["b", "Z", "é", "a", "a b"]) {
        done(store.create_system(System { name: name(text)?, ..system(number)? }).await?)?;
        done(store.create_check(Check { name: name(text)?, ..check(number)? }).await?)?;
    }
    let names = |list: Vec<System>| list.iter().map(|s| s.name.to_string()).collect::<Vec<_>>();
    same!(names(store.systems(None, 9).await?), ["Z", "a", "a b", "b", "é"], "all systems");
    let some = store.systems(Some(name("a")?), 2).await?;
    same!(names(some), ["a b", "b"], "two systems after a");
    let some = store.checks(Some(name("a")?), 2).await?;
    let some: Vec<_> = some.iter().map(|check| check.name.to_string()).collect();
    same!(some, ["a b", "b"], "two checks after a");
    Ok(())
}

async fn an_assignment_refers_only_to_what_is_there(bench: &Bench) -> Seen {
    let store = bench.handle(0);
    work(bench, 1).await?;
    satellite(bench, 7, "eu", &[]).await?;
    let cases = [
        (assignment(1, 2, 1, named(&[])), Dangling::Check),
        (assignment(1, 1, 2, named(&[])), Dangling::System),
        (assignment(1, 1, 1, named(&[9, 7, 8])), Dangling::Satellite(satellite_id(8))),
    ];
    for (new, missing) in cases {
        let refused = store.create_assignment(new.clone()).await?;
        same!(refused, Saved::Dangling(missing), "what became of the assignment");
        same!(store.assignment(new.id).await?, None, "the refused assignment");
    }
    Ok(())
}

async fn assignments_are_listed_by_check_and_system_in_the_order_of_ids(bench: &Bench) -> Seen {
    work(bench, 2).await?;
    for (number, (check, system)) in (1..).zip([(1, 1), (1, 2), (2, 1), (2, 2), (1, 1)]) {
        assign(bench, assignment(number, check, system, named(&[]))).await?;
    }
    let (one, two) = (check(1)?.id, system(1)?.id);
    let all = AssignmentQuery { limit: 9, ..AssignmentQuery::default() };
    let after = AssignmentId(super::bench::uuid(2));
    let cases = [
        (all.clone(), vec![1, 2, 3, 4, 5]),
        (AssignmentQuery { check: Some(one), ..all.clone() }, vec![1, 2, 5]),
        (AssignmentQuery { system: Some(two), ..all.clone() }, vec![1, 3, 5]),
        (AssignmentQuery { check: Some(one), system: Some(two), ..all.clone() }, vec![1, 5]),
        (AssignmentQuery { after: Some(after), limit: 2, ..all }, vec![3, 4]),
    ];
    for (query, expected) in cases {
        let found = bench.handle(0).assignments(&query).await?;
        let found: Vec<_> = found.iter().map(|assignment| assignment.id.0).collect();
        let expected: Vec<_> = expected.into_iter().map(super::bench::uuid).collect();
        same!(found, expected, "the answer to {query:?}");
    }
    Ok(())
}

async fn a_new_target_takes_the_place_of_the_old(bench: &Bench) -> Seen {
    work(bench, 1).await?;
    for number in [7, 8, 9] {
        satellite(bench, number, "eu", &[]).await?;
    }
    let mut made = assignment(1, 1, 1, named(&[7, 8]));
    assign(bench, made.clone()).await?;
    for target in [named(&[8, 9]), selected(None, "a")?, named(&[7]), selected(Some("eu"), "")?] {
        let update = AssignmentUpdate { target: Some(target.clone()), ..Default::default() };
        done(bench.handle(0).update_assignment(made.id, update).await?)?;
        made.target = target;
        same!(bench.handle(0).assignment(made.id).await?, Some(made.clone()), "the assignment");
    }
    Ok(())
}

async fn with_a_system_or_a_check_its_assignments_go(bench: &Bench) -> Seen {
    let store = bench.handle(0);
    work(bench, 2).await?;
    for (number, (check, system)) in (1..).zip([(1, 1), (1, 2), (2, 1), (2, 2)]) {
        assign(bench, assignment(number, check, system, named(&[]))).await?;
    }
    ensure!(store.remove_system(system(1)?.id).await?, "false for a system that was there");
    ensure!(store.remove_check(check(1)?.id).await?, "false for a check that was there");
    let all = AssignmentQuery { limit: 9, ..AssignmentQuery::default() };
    let left = store.assignments(&all).await?;
    same!(left, vec![assignment(4, 2, 2, named(&[]))], "the assignments that are left");
    same!(store.systems(None, 9).await?, vec![system(2)?], "the systems that are left");
    same!(store.checks(None, 9).await?, vec![check(2)?], "the checks that are left");
    ensure!(store.remove_assignment(left[0].id).await?, "false for an assignment that was there");
    same!(store.assignments(&all).await?, vec![], "the assignments in the end");
    Ok(())
}

async fn a_removed_satellite_is_taken_out(bench: &Bench) -> Seen {
    work(bench, 1).await?;
    let gone = satellite(bench, 7, "eu", &[]).await?;
    satellite(bench, 8, "eu", &[]).await?;
    assign(bench, assignment(1, 1, 1, named(&[7, 8]))).await?;
    remove_satellite(bench, gone).await?;
    let left = assignment(1, 1, 1, named(&[8]));
    same!(bench.handle(0).assignment(left.id).await?, Some(left), "the assignment");
    Ok(())
}

async fn a_sandbox_policy_is_kept_to_the_letter_until_it_is_unset(bench: &Bench) -> Seen {
    let store = bench.handle(0);
    same!(store.sandbox_policy().await?, None, "the policy before one is set");
    for text in ["{ \"network\":  true }", "{}"] {
        let policy = Some(Json::trusted(text));
        store.set_sandbox_policy(policy.clone()).await?;
        same!(bench.handle(1).sandbox_policy().await?, policy, "the policy");
    }
    store.set_sandbox_policy(None).await?;
    same!(store.sandbox_policy().await?, None, "the policy after it was unset");
    Ok(())
}

async fn what_was_made_is_there_after_a_crash(bench: &mut Bench) -> Seen {
    if !bench.can_reopen() {
        return Err(Fault::Needs("Fixture::reopened_by"));
    }
    work(bench, 2).await?;
    satellite(bench, 7, "eu", &[]).await?;
    assign(bench, assignment(1, 1, 1, named(&[7]))).await?;
    bench.handle(0).remove_check(check(2)?.id).await?;
    bench.crash().await;
    let store = bench.handle(0);
    same!(store.systems(None, 9).await?, vec![system(1)?, system(2)?], "the systems");
    same!(store.checks(None, 9).await?, vec![check(1)?], "the checks");
    let made = assignment(1, 1, 1, named(&[7]));
    same!(store.assignment(made.id).await?, Some(made), "the assignment");
    Ok(())
}
