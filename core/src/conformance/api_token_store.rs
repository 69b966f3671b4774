//! The cases of [`ApiTokenStore`].

use uuid::Uuid;

use super::Fixture;
use super::runner::{Case, Fault, Seen};
use crate::ports::{ApiToken, ApiTokenId, ApiTokenStore, NewApiToken, Scope};
use crate::satellite::{Token, TokenHash};
use crate::time::Timestamp;

type Bench = Fixture<dyn ApiTokenStore>;

pub(super) fn cases() -> Vec<Case<dyn ApiTokenStore>> {
    cases![
        "put" a_token_is_found_by_its_hash_as_it_was_put,
        "find" an_unknown_hash_finds_nothing,
        "find" an_expired_token_is_still_found_so_that_the_caller_can_refuse_it,
        "put" the_same_id_twice_is_one_token_and_the_later_holds,
        "list" tokens_are_listed_oldest_first,
        "delete" a_deleted_token_is_nowhere_and_others_stay,
        "delete" deleting_what_is_not_there_answers_false,
        "put" other_handles_see_what_was_put,
        "durable" what_was_put_and_deleted_is_so_after_a_crash,
    ]
}

async fn a_token_is_found_by_its_hash_as_it_was_put(bench: &Bench) -> Seen {
    let store = bench.handle(0);
    let mut new = token(1);
    new.token.name = "quote ' \" % emoji 🛰".to_owned();
    new.token.scopes = Scope::ALL.to_vec();
    new.token.expires_at = Some(Timestamp::from_millis(i64::from(u32::MAX)));
    for put in [&new, &token(2)] {
        store.put(put.clone()).await?;
    }
    same!(store.find(&new.hash).await?, Some(new.token), "the token");
    Ok(())
}

async fn an_unknown_hash_finds_nothing(bench: &Bench) -> Seen {
    let store = bench.handle(0);
    same!(store.find(&token(1).hash).await?, None, "in an empty store");
    store.put(token(1)).await?;
    same!(store.find(&token(2).hash).await?, None, "beside another token");
    Ok(())
}

async fn an_expired_token_is_still_found_so_that_the_caller_can_refuse_it(bench: &Bench) -> Seen {
    let store = bench.handle(0);
    let mut new = token(1);
    new.token.expires_at = Some(Timestamp::from_millis(1));
    store.put(new.clone()).await?;
    same!(store.find(&new.hash).await?, Some(new.token), "the expired token");
    Ok(())
}

async fn the_same_id_twice_is_one_token_and_the_later_holds(bench: &Bench) -> Seen {
    let store = bench.handle(0);
    let first = token(1);
    let mut later = token(2);
    later.token.id = first.token.id;
    later.token.scopes = vec![Scope::Admin];
    store.put(first.clone()).await?;
    store.put(later.clone()).await?;
    same!(store.find(&first.hash).await?, None, "by the hash that was replaced");
    let found = store.find(&later.hash).await?.map(|token| (token.id, token.name, token.scopes));
    let expected = (later.token.id, later.token.name, later.token.scopes);
    same!(found, Some(expected), "by the later hash");
    same!(store.list().await?.len(), 1, "the number of tokens");
    Ok(())
}

async fn tokens_are_listed_oldest_first(bench: &Bench) -> Seen {
    let store = bench.handle(0);
    for number in [3, 1, 2] {
        store.put(token(number)).await?;
    }
    let expected: Vec<_> = [1, 2, 3].map(|number| token(number).token).into();
    same!(store.list().await?, expected, "the list");
    Ok(())
}

async fn a_deleted_token_is_nowhere_and_others_stay(bench: &Bench) -> Seen {
    let store = bench.handle(0);
    for number in [1, 2] {
        store.put(token(number)).await?;
    }
    ensure!(store.delete(token(1).token.id).await?, "false for a token that was there");
    same!(store.find(&token(1).hash).await?, None, "the deleted token");
    same!(store.list().await?, vec![token(2).token], "the list");
    Ok(())
}

async fn deleting_what_is_not_there_answers_false(bench: &Bench) -> Seen {
    let store = bench.handle(0);
    store.put(token(1)).await?;
    ensure!(!store.delete(token(2).token.id).await?, "true for an unknown token");
    store.delete(token(1).token.id).await?;
    ensure!(!store.delete(token(1).token.id).await?, "true for the second time");
    Ok(())
}

async fn other_handles_see_what_was_put(bench: &Bench) -> Seen {
    bench.handle(0).put(token(1)).await?;
    same!(bench.handle(1).find(&token(1).hash).await?, Some(token(1).token), "the token");
    Ok(())
}

async fn what_was_put_and_deleted_is_so_after_a_crash(bench: &mut Bench) -> Seen {
    if !bench.can_reopen() {
        return Err(Fault::Needs("Fixture::reopened_by"));
    }
    for number in [1, 2] {
        bench.handle(0).put(token(number)).await?;
    }
    bench.handle(0).delete(token(1).token.id).await?;
    bench.crash().await;
    same!(bench.handle(0).list().await?, vec![token(2).token], "the list");
    same!(bench.handle(0).find(&token(2).hash).await?, Some(token(2).token), "the token");
    Ok(())
}

/// Token `number`, made at millisecond `number`.
fn token(number: u8) -> NewApiToken {
    NewApiToken {
        token: ApiToken {
            id: ApiTokenId(Uuid::from_u128(u128::from(200 - number))),
            name: format!("token {number}"),
            scopes: vec![Scope::SatelliteRead],
            created_at: Timestamp::from_millis(i64::from(number)),
            expires_at: None,
        },
        hash: TokenHash::of(&Token::for_api([number; 32])),
    }
}
