//! A socket says who it is: limits, credential, rule T1.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use groundcontrol_core::assignment::Configured;
use groundcontrol_core::connection::{Command, Fence, LifecycleEvent, Origin};
use groundcontrol_core::limits::WRITE_ATTEMPTS;
use groundcontrol_core::ports::{
    Attempt, Authentication, CredentialAction, CredentialChange, Credentials, Guard, Nudge,
    SessionRef, StoreError, StoreResult, Welcome, WriteOutcome, recorded_address,
};
use groundcontrol_core::satellite::{
    Epoch, ReportedAgent, SatelliteId, Token, TokenHash, TokenId, decoy_hash,
};
use metrics::counter;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tracing::{debug, info, warn};

use crate::pod::{Applied, Pod};

/// The one answer to an unknown id and a wrong token.
const REFUSED: Authentication = Authentication::Refused { reason: "Invalid client ID or token" };

/// Between two attempts while the store is away.
const RETRY: Duration = Duration::from_millis(250);

/// Verifies bcrypt hashes off the async threads, few at a time.
pub struct SlowHashes {
    at_once: Arc<Semaphore>,
    decoy: Arc<OnceLock<Option<String>>>,
}

/// Bcrypt verifications at once; each takes a core for some 50 ms.
const SLOW_AT_ONCE: usize = 2;
/// The cost factor of the decoy, that of the hashes that are imported.
const DECOY_COST: u32 = 10;

/// Who a socket turned out to be.
struct Verified {
    credentials: Credentials,
    token: TokenId,
    slow: bool,
}

impl Default for SlowHashes {
    fn default() -> Self {
        Self { at_once: Arc::new(Semaphore::new(SLOW_AT_ONCE)), decoy: Arc::default() }
    }
}

impl SlowHashes {
    async fn matches(&self, token: &Token, hash: String) -> bool {
        let token = token.clone();
        self.run(move || bcrypt::verify(token.expose(), &hash).unwrap_or(false)).await
    }

    /// Costs what [`matches`](Self::matches) costs, and proves nothing.
    async fn spend(&self, token: &Token) {
        let (token, decoy) = (token.clone(), self.decoy.clone());
        self.run(move || {
            let hash = decoy.get_or_init(|| bcrypt::hash("decoy", DECOY_COST).ok());
            hash.as_ref().is_some_and(|hash| bcrypt::verify(token.expose(), hash).unwrap_or(false))
        })
        .await;
    }

    async fn run(&self, work: impl FnOnce() -> bool + Send + 'static) -> bool {
        let Ok(permit) = self.at_once.clone().acquire_owned().await else { return false };
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        done.await.unwrap_or(false)
    }
}

impl Pod {
    /// Rule T1 from the socket's side. What it answers is durable.
    pub(crate) async fn authenticate(self: &Arc<Self>, attempt: Attempt) -> Authentication {
        if self.phase.is_draining() {
            return Authentication::Unavailable;
        }
        let client = attempt.client_id.parse().ok();
        if self.attempts.exhausted(client, attempt.remote, self.now()) {
            counter!("groundcontrol_authentications_total", "outcome" => "limited").increment(1);
            debug!(remote = %attempt.remote, "too many failed authentications; refused unseen");
            return REFUSED;
        }
        let entering = self.enter(&attempt, client);
        let waiting = timeout(self.timing.authenticate_store.into(), entering);
        let (outcome, answer) = match waiting.await {
            Ok(Ok(answer @ Authentication::Accepted(_))) => ("accepted", answer),
            Ok(Ok(answer @ Authentication::Refused { .. })) => {
                self.attempts.failed(client, attempt.remote, self.now());
                info!(remote = %attempt.remote, client = ?client, "authentication refused");
                ("refused", answer)
            }
            Ok(Ok(answer @ Authentication::Fight)) => ("fight", answer),
            Ok(Ok(answer @ Authentication::Unavailable)) => ("unavailable", answer),
            Ok(Err(error)) => {
                warn!(%error, "an authentication was put off (close 1013)");
                ("unavailable", Authentication::Unavailable)
            }
            Err(_) => {
                warn!("an authentication was put off: the store is too slow (close 1013)");
                ("unavailable", Authentication::Unavailable)
            }
        };
        counter!("groundcontrol_authentications_total", "outcome" => outcome).increment(1);
        answer
    }

    async fn enter(
        self: &Arc<Self>,
        attempt: &Attempt,
        client: Option<SatelliteId>,
    ) -> StoreResult<Authentication> {
        let credentials = match client {
            Some(id) => self.credentials_once_possible(id).await?,
            None => None,
        };
        match self.verify(credentials, &attempt.token).await? {
            Some(verified) => self.connect(attempt, verified).await,
            None => Ok(REFUSED),
        }
    }

    /// What is stored of a satellite, asked for again and again while the store is away: an agent
    /// that waits here comes back sooner than one that dials again. Only this first look is
    /// repeated. Behind it a connect may have been recorded, and superseded since; whoever looked
    /// again then would take over from the newer connection (P2).
    async fn credentials_once_possible(
        &self,
        satellite: SatelliteId,
    ) -> StoreResult<Option<Credentials>> {
        loop {
            match self.store.credentials(satellite).await {
                Err(away @ StoreError::Unavailable { .. }) if !self.phase.is_draining() => {
                    debug!(error = %away, "an authentication waits for the store");
                    sleep(RETRY).await;
                }
                settled => return settled,
            }
        }
    }

    /// Costs the same for an unknown id and a wrong token, also where hashes are slow.
    async fn verify(
        &self,
        credentials: Option<Credentials>,
        token: &Token,
    ) -> StoreResult<Option<Verified>> {
        let Some(credentials) = credentials else {
            let _ = decoy_hash().matches(token);
            self.spend_as_slow(token).await?;
            return Ok(None);
        };
        let now = self.now();
        let usable = || credentials.tokens.iter().filter(|held| held.is_valid_at(now));
        let fast = usable()
            .fold(None, |found, held| if held.hash.matches(token) { Some(held.id) } else { found });
        let (mut found, mut slow, mut spent) = (fast, false, false);
        if found.is_none() {
            for held in usable() {
                if let TokenHash::Bcrypt(hash) = &held.hash {
                    spent = true;
                    if self.slow_hashes.matches(token, hash.clone()).await {
                        (found, slow) = (Some(held.id), true);
                    }
                }
            }
            if !spent {
                self.spend_as_slow(token).await?;
            }
        }
        let found = found.filter(|_| credentials.enabled);
        Ok(found.map(|token| Verified { credentials, token, slow }))
    }

    async fn spend_as_slow(&self, token: &Token) -> StoreResult<()> {
        if self.store.has_slow_hashes().await? {
            self.slow_hashes.spend(token).await;
        }
        Ok(())
    }

    async fn connect(
        self: &Arc<Self>,
        attempt: &Attempt,
        verified: Verified,
    ) -> StoreResult<Authentication> {
        let Verified { credentials, token, slow } = verified;
        let snapshot = credentials.snapshot;
        let (satellite, threshold) = (snapshot.satellite, snapshot.threshold());
        let seen_epoch = snapshot.record.epoch;
        let takes_over = snapshot.record.last_event == Some(LifecycleEvent::Connected);
        if takes_over && self.fights.refuses(satellite, self.now()) {
            debug!(%satellite, remote = %attempt.remote, "refused while two agents fight");
            return Ok(Authentication::Fight);
        }
        let work = self.work_of(satellite).await?;
        let command = Command::Connect {
            session: attempt.session,
            token,
            seen_epoch,
            credential_version: snapshot.credential_version,
        };
        let origin =
            Origin { remote_address: Some(recorded_address(attempt.remote)), ..self.origin() };
        let applied =
            self.apply(satellite, Some(snapshot), &command, Guard::Credential, &origin).await?;
        let epoch = match applied {
            Applied::Recorded(_, epoch) | Applied::Unchanged(_, epoch) => epoch,
            Applied::Fenced(Fence::Gone) => return Ok(REFUSED),
            Applied::Fenced(Fence::Superseded | Fence::Closed)
            | Applied::Rejected(_)
            | Applied::Beat => return Ok(Authentication::Unavailable),
        };
        let told = work.as_ref().map(|work| work.configured.clone());
        let session = self.seat(attempt, satellite, epoch, credentials.agent, told.clone());
        let sandbox_policy = self.seated(satellite, work);
        // Other packages may be desired since; from now on the session hears of it.
        let packages = self.packages_told();
        let configured = told.map(|told| Configured { packages, ..told });
        if slow {
            self.spawn(self.clone().rehash(satellite, token, attempt.token.clone()));
        }
        let heartbeat_interval = self.liveness.heartbeat_interval;
        Ok(Authentication::Accepted(Welcome {
            session,
            heartbeat_interval,
            threshold,
            configured,
            sandbox_policy,
        }))
    }

    /// A socket that was alive was taken over. Where that happens again and again, one credential
    /// is in use twice: from then on the newest is refused for a while (close 4429).
    pub(crate) fn count_takeover(&self, satellite: SatelliteId, epoch: Epoch, remote: IpAddr) {
        let Some(noticed) = self.fights.displaced(satellite, epoch, remote, self.now()) else {
            return;
        };
        counter!("groundcontrol_credential_fights_total").increment(1);
        let remotes = noticed.remotes.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ");
        warn!(
            %satellite,
            remotes,
            refused_for = %noticed.refused_for,
            "two agents use one credential and keep taking over from each other; one stays, the \
             other is refused for a while. Give each agent a satellite of its own, or stop one"
        );
    }

    /// Enters the recorded session among this pod's sockets and tells the others.
    fn seat(
        self: &Arc<Self>,
        attempt: &Attempt,
        satellite: SatelliteId,
        epoch: Epoch,
        known: ReportedAgent,
        configured: Option<Configured>,
    ) -> SessionRef {
        let session = SessionRef { satellite, epoch, session: attempt.session };
        let agent = self.interned(known.updated(None, attempt.capabilities.as_deref()));
        self.sessions.enter(session, attempt.outbox.clone(), agent.clone(), configured);
        if *agent != known {
            self.spawn(self.clone().store_agent(satellite, agent));
        }
        self.broadcast.send(Nudge::Connected { satellite, epoch });
        session
    }

    /// Replaces an imported bcrypt hash by the fast form, now that the token is known.
    async fn rehash(self: Arc<Self>, satellite: SatelliteId, id: TokenId, token: Token) {
        for _ in 0..WRITE_ATTEMPTS {
            let Ok(Some(read)) = self.store.snapshot(satellite).await else { return };
            let action = CredentialAction::Rehash { token: id, hash: TokenHash::of(&token) };
            let (origin, now) = (self.origin(), self.now());
            let change = CredentialChange { read, action, edge: None, origin, now };
            match self.store.change_credentials(change).await {
                Ok(WriteOutcome::Conflict) => {}
                Ok(_) => return,
                Err(error) => {
                    warn!(%error, %satellite, "a bcrypt hash could not be replaced; later then");
                    return;
                }
            }
        }
    }
}
