//! The cases of [`SecretSource`](crate::ports::SecretSource).

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::Fixture;
use super::runner::{Case, Fault, Seen};
use crate::limits::MAX_SECRET_VALUE;
use crate::ports::{SecretError, SecretSource};
use crate::secrets::{SecretName, SecretValue, Secrets};

/// A source of secrets under test, with the way in which others fill it.
#[async_trait]
pub trait SecretAdapter: Send + Sync {
    /// The source.
    fn source(&self) -> &dyn SecretSource;

    /// Sets a value in the way that is usual for this kind of source, or takes it away.
    async fn set_outside(&self, name: &SecretName, value: Option<&str>);
}

type Bench = Fixture<dyn SecretAdapter>;

pub(super) fn cases() -> Vec<Case<dyn SecretAdapter>> {
    cases![
        "resolve" values_are_answered_to_the_letter,
        "resolve" only_what_is_asked_for_is_answered,
        "resolve" nothing_is_answered_to_who_asks_for_nothing,
        "all or none" a_name_that_is_missing_is_the_answer,
        "as it is now" a_value_that_was_changed_outside_is_answered_as_it_is_now,
        "as it is now" a_secret_that_was_taken_away_is_missing,
        "resolve" names_that_differ_in_case_are_two,
        "resolve" hundreds_are_answered_at_once,
        "resolve" a_value_may_be_as_long_as_its_limit_and_no_longer,
        "names" all_names_are_listed_and_no_values,
        "put" what_was_put_is_answered_or_refused_as_read_only,
        "delete" what_was_deleted_is_missing_or_refused_as_read_only,
        "reseal" sealing_again_changes_no_value,
    ]
}

fn name(text: &str) -> Seen<SecretName> {
    text.parse().map_err(|why| Fault::Seen(format!("{text:?}: {why}")))
}

async fn set(bench: &Bench, text: &str, value: &str) -> Seen {
    bench.handle(0).set_outside(&name(text)?, Some(value)).await;
    Ok(())
}

async fn asked(bench: &Bench, names: &[&str]) -> Seen<Result<Secrets, SecretError>> {
    let names = names.iter().map(|text| name(text)).collect::<Seen<BTreeSet<_>>>()?;
    Ok(bench.handle(0).source().resolve(&names).await)
}

/// The value of one secret, which must be there.
async fn value(bench: &Bench, text: &str) -> Seen<String> {
    let found = asked(bench, &[text]).await??;
    let value = found.get(text).map(|value| value.expose().to_owned());
    value.ok_or_else(|| Fault::Seen(format!("no value for {text}")))
}

async fn missing(bench: &Bench, text: &str) -> Seen {
    same!(asked(bench, &[text]).await?, Err(SecretError::NotFound(name(text)?)), "the answer");
    Ok(())
}

async fn values_are_answered_to_the_letter(bench: &Bench) -> Seen {
    let values = [
        ("plain", "hush"),
        ("odd", " quote ' \" \\ é 🛰\n second line\ttab ${{ secrets.plain }} $HOME "),
        ("digits-1", "0123"),
        ("_under", "{\"json\": [1.0]}"),
        ("empty", ""),
    ];
    for (name, value) in values {
        set(bench, name, value).await?;
    }
    for (name, expected) in values {
        same!(value(bench, name).await?, expected, "the value of {name}");
    }
    Ok(())
}

async fn only_what_is_asked_for_is_answered(bench: &Bench) -> Seen {
    for name in ["a", "b", "c"] {
        set(bench, name, &format!("value {name}")).await?;
    }
    let found = asked(bench, &["c", "a"]).await??;
    let names: Vec<_> = found.keys().map(SecretName::as_str).collect();
    same!(names, ["a", "c"], "the names that were answered");
    let values: Vec<_> = found.values().map(SecretValue::expose).collect();
    same!(values, ["value a", "value c"], "their values");
    Ok(())
}

async fn nothing_is_answered_to_who_asks_for_nothing(bench: &Bench) -> Seen {
    set(bench, "a", "hush").await?;
    same!(asked(bench, &[]).await?, Ok(Secrets::new()), "the answer");
    Ok(())
}

async fn a_name_that_is_missing_is_the_answer(bench: &Bench) -> Seen {
    missing(bench, "a").await?;
    set(bench, "a", "hush").await?;
    let answer = asked(bench, &["a", "gone"]).await?;
    same!(answer, Err(SecretError::NotFound(name("gone")?)), "the answer");
    Ok(())
}

async fn a_value_that_was_changed_outside_is_answered_as_it_is_now(bench: &Bench) -> Seen {
    set(bench, "a", "before").await?;
    same!(value(bench, "a").await?, "before", "the value at first");
    set(bench, "a", "now, and longer").await?;
    same!(value(bench, "a").await?, "now, and longer", "the value then");
    Ok(())
}

async fn a_secret_that_was_taken_away_is_missing(bench: &Bench) -> Seen {
    set(bench, "a", "hush").await?;
    same!(value(bench, "a").await?, "hush", "the value");
    bench.handle(0).set_outside(&name("a")?, None).await;
    missing(bench, "a").await
}

async fn names_that_differ_in_case_are_two(bench: &Bench) -> Seen {
    set(bench, "Key", "one").await?;
    missing(bench, "KEY").await?;
    set(bench, "KEY", "two").await?;
    same!(value(bench, "Key").await?, "one", "the value of Key");
    Ok(())
}

async fn hundreds_are_answered_at_once(bench: &Bench) -> Seen {
    let names: Vec<_> = (0..250).map(|number| format!("name-{number}")).collect();
    for name in &names {
        set(bench, name, &format!("value of {name}")).await?;
    }
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let found = asked(bench, &names).await??;
    same!(found.len(), 250, "the number of values");
    let wrong = found.iter().find(|(name, value)| value.expose() != format!("value of {name}"));
    ensure!(wrong.is_none(), "the value of another for {:?}", wrong.map(|(name, _)| name));
    Ok(())
}

async fn a_value_may_be_as_long_as_its_limit_and_no_longer(bench: &Bench) -> Seen {
    let longest = "é".repeat(MAX_SECRET_VALUE / 2);
    set(bench, "a", &longest).await?;
    ensure!(value(bench, "a").await? == longest, "another value than the longest");
    let long = name("long")?;
    bench.handle(0).set_outside(&long, Some(&format!("{longest}x"))).await;
    match asked(bench, &["long"]).await? {
        Err(SecretError::Unusable { .. } | SecretError::NotFound(_)) => Ok(()),
        answer => Err(Fault::Seen(format!("an answer for a value that is too long: {answer:?}"))),
    }
}

async fn all_names_are_listed_and_no_values(bench: &Bench) -> Seen {
    let listed = async || -> Seen<Vec<String>> {
        let names = bench.handle(0).source().names().await?;
        Ok(names.iter().map(ToString::to_string).collect())
    };
    same!(listed().await?, Vec::<String>::new(), "the names in an empty source");
    for name in ["b", "C-1", "a_"] {
        set(bench, name, "hush").await?;
    }
    same!(listed().await?, ["C-1", "a_", "b"], "the names");
    Ok(())
}

async fn what_was_put_is_answered_or_refused_as_read_only(bench: &Bench) -> Seen {
    set(bench, "a", "before").await?;
    let handle = bench.handle(0);
    let source = handle.source();
    match source.put(&name("a")?, &SecretValue::new("now")).await {
        Ok(()) => {
            same!(value(bench, "a").await?, "now", "the value that was put");
            source.put(&name("new")?, &SecretValue::new("x")).await?;
            same!(value(bench, "new").await?, "x", "the value of a new one");
            let long = SecretValue::new("x".repeat(MAX_SECRET_VALUE + 1));
            let refused = source.put(&name("a")?, &long).await;
            ensure!(
                matches!(refused, Err(SecretError::Unusable { .. })),
                "{refused:?} for a value that is too long"
            );
            same!(value(bench, "a").await?, "now", "the value after one that is too long");
        }
        Err(SecretError::ReadOnly { .. }) => {
            same!(value(bench, "a").await?, "before", "the value in a source that is read-only");
        }
        Err(other) => return Err(other.into()),
    }
    Ok(())
}

async fn what_was_deleted_is_missing_or_refused_as_read_only(bench: &Bench) -> Seen {
    set(bench, "a", "hush").await?;
    set(bench, "b", "stays").await?;
    let handle = bench.handle(0);
    let source = handle.source();
    match source.delete(&name("a")?).await {
        Ok(was_there) => {
            ensure!(was_there, "false for a secret that was there");
            missing(bench, "a").await?;
            ensure!(!source.delete(&name("a")?).await?, "true for the second time");
        }
        Err(SecretError::ReadOnly { .. }) => {
            same!(value(bench, "a").await?, "hush", "the value in a source that is read-only");
        }
        Err(other) => return Err(other.into()),
    }
    same!(value(bench, "b").await?, "stays", "the value of another");
    Ok(())
}

async fn sealing_again_changes_no_value(bench: &Bench) -> Seen {
    set(bench, "a", "hush").await?;
    match bench.handle(0).source().reseal().await {
        Ok(_) | Err(SecretError::ReadOnly { .. }) => {}
        Err(other) => return Err(other.into()),
    }
    same!(value(bench, "a").await?, "hush", "the value");
    Ok(())
}
