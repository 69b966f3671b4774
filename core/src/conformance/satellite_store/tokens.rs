//! What each change does to the tokens themselves (rule T8).

use super::bench::{Bench, Pod, at, satellite_id, sorted, token};
use super::credentials::credentials;
use crate::conformance::runner::{Case, Seen};
use crate::ports::{CredentialAction, SatelliteStore};
use crate::satellite::{HashedToken, TokenHash};

pub(super) fn cases() -> Vec<Case<dyn SatelliteStore>> {
    cases![
        "T8" an_overlap_adds_a_token_and_ends_the_others_at_its_time,
        "T8" an_overlap_lengthens_no_token_that_ends_earlier,
        "T8" a_replacement_drops_every_other_token,
        "T8" a_dropped_token_is_gone_and_others_stay,
        "T8" a_rehash_changes_one_hash_and_not_the_version,
        "T8" expired_tokens_are_found_from_their_last_moment_on,
        "T8" expired_tokens_are_no_more_than_asked_for_and_go_with_their_drop,
        "slow hashes" a_bcrypt_hash_is_noticed_until_it_is_replaced,
        "slow hashes" a_bcrypt_hash_is_stored_as_it_came,
    ]
}

fn ending(number: u32, millis: i64) -> HashedToken {
    HashedToken { expires_at: Some(at(millis)), ..token(number) }
}

async fn tokens(pod: &Pod, number: u32) -> Seen<Vec<HashedToken>> {
    let mut tokens = credentials(pod, number).await?.tokens;
    tokens.sort_by_key(|token| token.id);
    Ok(tokens)
}

async fn overlap(pod: &Pod, number: u32, new: u32, until: i64) -> Seen {
    let action = CredentialAction::Overlap { new: token(new), until: at(until) };
    let before = pod.change_credentials(number, action, None, at(0)).await?.credential_version;
    let after = pod.read(number).await?.credential_version;
    same!(after, before.next(), "the credential version");
    Ok(())
}

async fn an_overlap_adds_a_token_and_ends_the_others_at_its_time(bench: &Bench) -> Seen {
    let pod = bench.fleet(2).await?;
    overlap(&pod, 1, 11, 5_000).await?;
    same!(tokens(&pod, 1).await?, vec![ending(1, 5_000), token(11)], "the tokens");
    same!(tokens(&pod, 2).await?, vec![token(2)], "another satellite's tokens");
    Ok(())
}

async fn an_overlap_lengthens_no_token_that_ends_earlier(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    overlap(&pod, 1, 11, 5_000).await?;
    overlap(&pod, 1, 12, 9_000).await?;
    let expected = vec![ending(1, 5_000), ending(11, 9_000), token(12)];
    same!(tokens(&pod, 1).await?, expected, "the tokens after a longer overlap");
    overlap(&pod, 1, 13, 3_000).await?;
    let expected = vec![ending(1, 3_000), ending(11, 3_000), ending(12, 3_000), token(13)];
    same!(tokens(&pod, 1).await?, expected, "the tokens after a shorter overlap");
    Ok(())
}

async fn a_replacement_drops_every_other_token(bench: &Bench) -> Seen {
    let pod = bench.fleet(2).await?;
    overlap(&pod, 1, 11, 5_000).await?;
    let replaced = CredentialAction::Replace(ending(12, 60_000));
    pod.change_credentials(1, replaced, None, at(0)).await?;
    same!(tokens(&pod, 1).await?, vec![ending(12, 60_000)], "the tokens");
    same!(tokens(&pod, 2).await?, vec![token(2)], "another satellite's tokens");
    Ok(())
}

async fn a_dropped_token_is_gone_and_others_stay(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    overlap(&pod, 1, 11, 5_000).await?;
    let dropped = CredentialAction::Drop(token(1).id);
    let before = pod.change_credentials(1, dropped, None, at(5_000)).await?;
    same!(tokens(&pod, 1).await?, vec![token(11)], "the tokens");
    let version = pod.read(1).await?.credential_version;
    same!(version, before.credential_version.next(), "the credential version");
    Ok(())
}

async fn a_rehash_changes_one_hash_and_not_the_version(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    overlap(&pod, 1, 11, 5_000).await?;
    let rehash = CredentialAction::Rehash { token: token(1).id, hash: token(99).hash };
    let before = pod.change_credentials(1, rehash, None, at(1_000)).await?;
    let rehashed = HashedToken { hash: token(99).hash, ..ending(1, 5_000) };
    same!(tokens(&pod, 1).await?, vec![rehashed.clone(), token(11)], "the tokens");
    ensure!(tokens(&pod, 1).await?[0].hash == rehashed.hash, "another hash than the new one");
    same!(pod.read(1).await?, before, "what else is stored");
    Ok(())
}

async fn expired_tokens_are_found_from_their_last_moment_on(bench: &Bench) -> Seen {
    let pod = bench.fleet(3).await?;
    overlap(&pod, 1, 11, 5_000).await?;
    overlap(&pod, 2, 12, 6_000).await?;
    let (first, second) = ((satellite_id(1), token(1).id), (satellite_id(2), token(2).id));
    let looks = [(4_999, vec![]), (5_000, vec![first]), (6_000, vec![first, second])];
    for (millis, expected) in looks {
        let expired = sorted(pod.store.expired_tokens(at(millis), 100).await?);
        same!(expired, expected, "expired at {millis} ms");
    }
    Ok(())
}

async fn expired_tokens_are_no_more_than_asked_for_and_go_with_their_drop(bench: &Bench) -> Seen {
    let pod = bench.fleet(3).await?;
    for number in 1..=3 {
        overlap(&pod, number, 10 + number, 5_000).await?;
    }
    for limit in 0..=3 {
        let expired = pod.store.expired_tokens(at(9_000), limit).await?;
        same!(expired.len(), limit, "expired tokens, at most {limit}");
    }
    let dropped = CredentialAction::Drop(token(1).id);
    pod.change_credentials(1, dropped, None, at(9_000)).await?;
    pod.remove(2, 9_000).await?;
    let expired = pod.store.expired_tokens(at(9_000), 100).await?;
    same!(expired, vec![(satellite_id(3), token(3).id)], "after one drop and one removal");
    Ok(())
}

fn bcrypt() -> TokenHash {
    TokenHash::Bcrypt("$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy".to_owned())
}

async fn a_bcrypt_hash_is_noticed_until_it_is_replaced(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    same!(pod.store.has_slow_hashes().await?, false, "slow hashes among fast ones");
    let imported = HashedToken { hash: bcrypt(), ..token(11) };
    pod.change_credentials(1, CredentialAction::Replace(imported), None, at(0)).await?;
    same!(pod.store.has_slow_hashes().await?, true, "slow hashes after an import");
    let rehash = CredentialAction::Rehash { token: token(11).id, hash: token(11).hash };
    pod.change_credentials(1, rehash, None, at(1)).await?;
    same!(pod.store.has_slow_hashes().await?, false, "slow hashes after the rehash");
    Ok(())
}

async fn a_bcrypt_hash_is_stored_as_it_came(bench: &Bench) -> Seen {
    let pod = bench.fleet(0).await?;
    let mut new = super::bench::new_satellite(1)?;
    new.token.hash = bcrypt();
    pod.create(new).await?;
    ensure!(tokens(&pod, 1).await?[0].hash == bcrypt(), "another hash than the one stored");
    same!(pod.store.has_slow_hashes().await?, true, "slow hashes");
    Ok(())
}
