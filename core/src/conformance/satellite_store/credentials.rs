//! The end of a credential, and of the session with it (rule T8).

use super::bench::{Bench, Pod, at, connect, satellite_id, token};
use crate::conformance::runner::{Case, Fault, Seen};
use crate::connection::{Actor, Cause, LifecycleEvent, RevokeScope};
use crate::ports::{CredentialAction, Credentials, SatelliteStore, WriteOutcome};

pub(super) fn cases() -> Vec<Case<dyn SatelliteStore>> {
    cases![
        "T8" a_replaced_token_and_the_close_of_its_session_are_one_write,
        "T8" a_satellite_is_disabled_and_its_session_closed_in_one_write,
        "T8" an_enabled_satellite_connects_with_the_token_that_it_had,
        "T8" an_overlap_that_is_over_ends_only_sessions_on_the_old_token,
        "T8" without_a_session_only_the_credential_changes,
        "T8" a_credential_version_that_moved_since_the_read_conflicts,
        "T8" an_edge_since_the_read_conflicts_and_leaves_the_credential,
        "P12" a_connect_since_the_read_conflicts_so_that_it_cannot_slip_through,
        "P1" a_change_of_credentials_written_twice_is_written_once,
        "T8" heartbeats_do_not_hinder_a_revocation,
        "P12" no_session_of_a_revoked_credential_is_heard_again,
        "T7" a_change_to_a_removed_satellite_says_so,
    ]
}

pub(super) async fn credentials(pod: &Pod, number: u32) -> Seen<Credentials> {
    let read = pod.store.credentials(satellite_id(number)).await?;
    read.ok_or_else(|| Fault::Seen(format!("no credentials of satellite {number}")))
}

const ANY: Option<RevokeScope> = Some(RevokeScope::AnyToken);

/// A connected satellite.
async fn connected(bench: &Bench) -> Seen<Pod> {
    let pod = bench.fleet(2).await?;
    pod.connect(1, 1_000).await?;
    Ok(pod)
}

/// The change must be stored as it was decided: the edge, its transition and the version.
async fn revokes(pod: &Pod, action: CredentialAction, scope: Option<RevokeScope>) -> Seen {
    let read = pod.read(1).await?;
    let what = format!("{action:?}");
    let mut change = pod.credential_change(&read, action, scope, at(2_000));
    change.origin.actor = Some(Actor("operator".to_owned()));
    let Some(edge) = change.edge.clone() else {
        return Err(Fault::Seen(format!("no session for {what} to end")));
    };
    let transition = change.transition();
    let outcome = pod.store.change_credentials(change).await?;
    same!(outcome, WriteOutcome::Applied, "{what}");
    let after = pod.read(1).await?;
    same!(after.record, edge.next, "the record after {what}");
    same!(after.credential_version, read.credential_version.next(), "the version after {what}");
    let last = pod.history(1).await?.pop();
    same!(last.as_ref().and_then(|last| last.cause), Some(Cause::Revoked), "the last cause");
    same!(last, transition, "the transition of {what}");
    Ok(())
}

async fn a_replaced_token_and_the_close_of_its_session_are_one_write(bench: &Bench) -> Seen {
    let pod = connected(bench).await?;
    revokes(&pod, CredentialAction::Replace(token(11)), ANY).await?;
    same!(credentials(&pod, 1).await?.tokens, vec![token(11)], "the tokens");
    Ok(())
}

async fn a_satellite_is_disabled_and_its_session_closed_in_one_write(bench: &Bench) -> Seen {
    let pod = connected(bench).await?;
    revokes(&pod, CredentialAction::SetEnabled(false), ANY).await?;
    same!(credentials(&pod, 1).await?.enabled, false, "enabled");
    same!(pod.get(1).await?.satellite.enabled, false, "enabled, as it is listed");
    same!(credentials(&pod, 1).await?.tokens, vec![token(1)], "the tokens");
    same!(credentials(&pod, 2).await?.enabled, true, "enabled, of another satellite");
    Ok(())
}

async fn an_enabled_satellite_connects_with_the_token_that_it_had(bench: &Bench) -> Seen {
    let pod = connected(bench).await?;
    revokes(&pod, CredentialAction::SetEnabled(false), ANY).await?;
    let before = pod.read(1).await?.credential_version;
    let enable = CredentialAction::SetEnabled(true);
    pod.change_credentials(1, enable, None, at(3_000)).await?;
    same!(pod.read(1).await?.credential_version, before.next(), "the version");
    same!(credentials(&pod, 1).await?.enabled, true, "enabled");
    pod.connect(1, 4_000).await?;
    Ok(())
}

async fn an_overlap_that_is_over_ends_only_sessions_on_the_old_token(bench: &Bench) -> Seen {
    let pod = connected(bench).await?;
    let overlap = CredentialAction::Overlap { new: token(11), until: at(1_800) };
    pod.change_credentials(1, overlap, None, at(1_500)).await?;
    same!(pod.read(1).await?.record.last_event, Some(LifecycleEvent::Connected), "in between");
    let old = token(1).id;
    let over = Some(RevokeScope::OnlyToken(old));
    revokes(&pod, CredentialAction::Drop(old), over).await?;
    same!(credentials(&pod, 1).await?.tokens, vec![token(11)], "the tokens");
    Ok(())
}

async fn without_a_session_only_the_credential_changes(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    let mut expected = pod.read(1).await?;
    let replaced = CredentialAction::Replace(token(11));
    pod.change_credentials(1, replaced, ANY, at(2_000)).await?;
    expected.credential_version = expected.credential_version.next();
    same!(pod.read(1).await?, expected, "what is stored");
    same!(pod.history(1).await?, vec![], "the history");
    Ok(())
}

/// A change decided on what was read before `between` must conflict and change nothing.
async fn conflicts<F>(bench: &Bench, between: impl FnOnce(Pod) -> F) -> Seen
where
    F: Future<Output = Seen<Pod>>,
{
    let pod = connected(bench).await?;
    let read = pod.read(1).await?;
    let replaced = CredentialAction::Replace(token(12));
    let change = pod.credential_change(&read, replaced, ANY, at(3_000));
    let pod = between(pod).await?;
    let before = (pod.read(1).await?, credentials(&pod, 1).await?.tokens);
    let outcome = pod.store.change_credentials(change).await?;
    same!(outcome, WriteOutcome::Conflict, "the change");
    let after = (pod.read(1).await?, credentials(&pod, 1).await?.tokens);
    same!(after, before, "what is stored");
    Ok(())
}

async fn a_credential_version_that_moved_since_the_read_conflicts(bench: &Bench) -> Seen {
    conflicts(bench, async |pod: Pod| {
        let overlap = CredentialAction::Overlap { new: token(11), until: at(9_000) };
        pod.change_credentials(1, overlap, None, at(2_000)).await?;
        Ok(pod)
    })
    .await
}

async fn an_edge_since_the_read_conflicts_and_leaves_the_credential(bench: &Bench) -> Seen {
    conflicts(bench, async |pod: Pod| {
        pod.close(1, 2_000).await?;
        Ok(pod)
    })
    .await
}

async fn a_connect_since_the_read_conflicts_so_that_it_cannot_slip_through(bench: &Bench) -> Seen {
    conflicts(bench, async |pod: Pod| {
        pod.record(1, |read| connect(read, 8), at(2_000)).await?;
        Ok(pod)
    })
    .await
}

async fn a_change_of_credentials_written_twice_is_written_once(bench: &Bench) -> Seen {
    let pod = connected(bench).await?;
    let read = pod.read(1).await?;
    let replaced = CredentialAction::Replace(token(11));
    let change = pod.credential_change(&read, replaced, ANY, at(2_000));
    let first = pod.store.change_credentials(change.clone()).await?;
    same!(first, WriteOutcome::Applied, "the change");
    let again = pod.store.change_credentials(change).await?;
    same!(again, WriteOutcome::Conflict, "the same change again");
    same!(pod.history(1).await?.len(), 2, "transitions");
    Ok(())
}

async fn heartbeats_do_not_hinder_a_revocation(bench: &Bench) -> Seen {
    let pod = connected(bench).await?;
    let read = pod.read(1).await?;
    let replaced = CredentialAction::Replace(token(11));
    let change = pod.credential_change(&read, replaced, ANY, at(3_000));
    ensure!(bench.pod(1).beat(1, 1, 2_000).await?, "a heartbeat that was not applied");
    let outcome = pod.store.change_credentials(change).await?;
    same!(outcome, WriteOutcome::Applied, "the change");
    Ok(())
}

async fn no_session_of_a_revoked_credential_is_heard_again(bench: &Bench) -> Seen {
    let pod = connected(bench).await?;
    let read = pod.read(1).await?;
    let late = pod.edge(&read, &connect(&read, 8), at(2_500))?;
    revokes(&pod, CredentialAction::Replace(token(11)), ANY).await?;
    let before = pod.read(1).await?;
    ensure!(!pod.beat(1, 1, 2_600).await?, "a heartbeat of the revoked session that was applied");
    same!(pod.write(&late).await?, WriteOutcome::Conflict, "a connect on the old credential");
    same!(pod.read(1).await?, before, "what is stored");
    Ok(())
}

async fn a_change_to_a_removed_satellite_says_so(bench: &Bench) -> Seen {
    let pod = connected(bench).await?;
    let read = pod.read(1).await?;
    pod.remove(1, 2_000).await?;
    for action in [CredentialAction::Replace(token(11)), CredentialAction::SetEnabled(true)] {
        let change = pod.credential_change(&read, action, ANY, at(3_000));
        let outcome = pod.store.change_credentials(change).await?;
        same!(outcome, WriteOutcome::Gone, "the change");
    }
    ensure!(pod.store.credentials(satellite_id(1)).await?.is_none(), "credentials of nobody");
    Ok(())
}
