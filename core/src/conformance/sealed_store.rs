//! The cases of [`SealedStore`](crate::ports::SealedStore).

use std::collections::BTreeSet;

use super::Fixture;
use super::runner::{Case, Fault, Seen};
use crate::ports::{SealedSecret, SealedStore};
use crate::secrets::SecretName;

type Bench = Fixture<dyn SealedStore>;

pub(super) fn cases() -> Vec<Case<dyn SealedStore>> {
    cases![
        "put" what_was_put_is_read_to_the_letter,
        "put" of_two_of_one_name_the_later_is_kept,
        "sealed" only_what_is_asked_for_is_read,
        "names" all_names_are_listed,
        "delete" what_was_deleted_is_gone_and_others_stay,
        "otherwise" what_is_sealed_under_other_keys_is_found,
        "conditional" only_what_is_as_it_was_read_is_replaced,
        "durable" secrets_are_there_after_a_crash,
    ]
}

fn name(text: &str) -> Seen<SecretName> {
    text.parse().map_err(|why| Fault::Seen(format!("{text:?}: {why}")))
}

fn secret(text: &str, key: &str, sealed: &str) -> Seen<SealedSecret> {
    Ok(SealedSecret { name: name(text)?, key_id: key.to_owned(), sealed: sealed.to_owned() })
}

async fn read(bench: &Bench, names: &[&str]) -> Seen<Vec<SealedSecret>> {
    let names = names.iter().map(|text| name(text)).collect::<Seen<BTreeSet<_>>>()?;
    let mut found = bench.handle(1).sealed(&names).await?;
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

async fn what_was_put_is_read_to_the_letter(bench: &Bench) -> Seen {
    let kept = secret("a", "key 'é' 1", "AbC+/=\"")?;
    same!(read(bench, &["a"]).await?, vec![], "in an empty store");
    bench.handle(0).put_sealed(kept.clone()).await?;
    same!(read(bench, &["a"]).await?, vec![kept], "the secret");
    Ok(())
}

async fn of_two_of_one_name_the_later_is_kept(bench: &Bench) -> Seen {
    bench.handle(0).put_sealed(secret("a", "1", "x")?).await?;
    bench.handle(1).put_sealed(secret("a", "2", "y")?).await?;
    same!(read(bench, &["a"]).await?, vec![secret("a", "2", "y")?], "the secret");
    Ok(())
}

async fn only_what_is_asked_for_is_read(bench: &Bench) -> Seen {
    for name in ["a", "b", "c", "A"] {
        bench.handle(0).put_sealed(secret(name, "1", name)?).await?;
    }
    let expected = vec![secret("a", "1", "a")?, secret("c", "1", "c")?];
    same!(read(bench, &["c", "a", "d"]).await?, expected, "the secrets");
    same!(read(bench, &[]).await?, vec![], "those of no name");
    Ok(())
}

async fn all_names_are_listed(bench: &Bench) -> Seen {
    for name in ["b", "C", "a"] {
        bench.handle(0).put_sealed(secret(name, "1", "x")?).await?;
    }
    let names = bench.handle(1).sealed_names().await?;
    let names: Vec<_> = names.iter().map(SecretName::as_str).collect();
    same!(names, ["C", "a", "b"], "the names");
    Ok(())
}

async fn what_was_deleted_is_gone_and_others_stay(bench: &Bench) -> Seen {
    for name in ["a", "b"] {
        bench.handle(0).put_sealed(secret(name, "1", "x")?).await?;
    }
    ensure!(bench.handle(1).delete_sealed(&name("a")?).await?, "false for one that was there");
    ensure!(!bench.handle(0).delete_sealed(&name("a")?).await?, "true for the second time");
    same!(read(bench, &["a", "b"]).await?, vec![secret("b", "1", "x")?], "what is left");
    Ok(())
}

async fn what_is_sealed_under_other_keys_is_found(bench: &Bench) -> Seen {
    for (name, key) in [("a", "1"), ("b", "2"), ("c", "3"), ("d", "2")] {
        bench.handle(0).put_sealed(secret(name, key, "x")?).await?;
    }
    let found = bench.handle(1).sealed_otherwise("2", 10).await?;
    let names: BTreeSet<_> = found.iter().map(|secret| secret.name.as_str()).collect();
    same!(names, BTreeSet::from(["a", "c"]), "the secrets");
    same!(bench.handle(0).sealed_otherwise("2", 1).await?.len(), 1, "the number of one");
    Ok(())
}

async fn only_what_is_as_it_was_read_is_replaced(bench: &Bench) -> Seen {
    let (first, then) = (secret("a", "1", "x")?, secret("a", "2", "y")?);
    bench.handle(0).put_sealed(first.clone()).await?;
    ensure!(bench.handle(1).replace_sealed(&first, then.clone()).await?, "it was as it was read");
    let late = secret("a", "3", "z")?;
    ensure!(!bench.handle(0).replace_sealed(&first, late).await?, "another was there by then");
    same!(read(bench, &["a"]).await?, vec![then.clone()], "the secret");
    let under_the_same_key = secret("a", "2", "w")?;
    bench.handle(0).put_sealed(under_the_same_key.clone()).await?;
    ensure!(!bench.handle(0).replace_sealed(&then, first.clone()).await?, "it was set by then");
    same!(read(bench, &["a"]).await?, vec![under_the_same_key], "the secret that was set");
    bench.handle(0).put_sealed(then.clone()).await?;
    bench.handle(0).delete_sealed(&name("a")?).await?;
    ensure!(!bench.handle(0).replace_sealed(&then, first).await?, "it was deleted by then");
    same!(read(bench, &["a"]).await?, vec![], "a deleted secret");
    Ok(())
}

async fn secrets_are_there_after_a_crash(bench: &mut Bench) -> Seen {
    if !bench.can_reopen() {
        return Err(Fault::Needs("Fixture::reopened_by"));
    }
    for name in ["a", "b"] {
        bench.handle(0).put_sealed(secret(name, "1", "x")?).await?;
    }
    bench.handle(0).delete_sealed(&name("b")?).await?;
    bench.crash().await;
    same!(read(bench, &["a", "b"]).await?, vec![secret("a", "1", "x")?], "the secrets");
    Ok(())
}
