//! What lies between the connection and the work: configurations and answers come in, results and
//! requests go out. It outlives connections.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use groundcontrol_websocket::wire::{
    Assignment, ConfigApplied, ConfigSecrets, FromSatellite, RequestConfigSecrets,
    RequestRunSecrets, RequestScriptPackageBlob, RequestScriptPackageManifest, RunSecrets,
    ScriptPackageBlob, ScriptPackageManifest, ScriptPackageSyncState, StrategyError,
};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::outbox::{Bounds, Outbox};

/// Results that are kept while there is no connection.
pub(crate) const BOUNDS: Bounds = Bounds { results: 10_000, bytes: 256 * 1024 * 1024 };

/// What a satellite is to run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Orders {
    pub(crate) assignments: Vec<Assignment>,
    pub(crate) revision: Option<u64>,
    /// The lockfile of its script packages, or none; absent where the server does not say.
    pub(crate) packages: Option<Option<String>>,
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// The server did not say a thing.
    #[error("no answer within {} s; is this agent connected?", .0.as_secs())]
    TimedOut(Duration),
    /// The server answered what was not asked.
    #[error("the answer is to another question")]
    Another,
}

/// A message on its way out.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) text: String,
    /// Of a result.
    id: Option<String>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Desk {
    state: Mutex<State>,
    /// Something can be sent that could not before.
    ready: Notify,
    orders: watch::Sender<Option<Orders>>,
    packages: watch::Sender<Option<Option<String>>>,
    /// Whether it was said that sandbox policies are not enforced.
    policy_told: AtomicBool,
    began: Instant,
}

#[derive(Debug)]
struct State {
    connected: bool,
    outbox: Outbox,
    notes: VecDeque<Note>,
    /// The note that was given to the connection last, until it was sent.
    leaving: Option<Note>,
    questions: HashMap<String, Question>,
    /// Where the packages stand, as the message that says so.
    packages: Option<String>,
}

/// A message that is no result.
#[derive(Debug)]
enum Note {
    /// Means something to this connection alone.
    Applied(u64),
    /// Is told once, on this connection or the next.
    StrategyError(String),
    /// The question with this id.
    Ask(String),
    /// Where the packages stand; told to each connection.
    Packages,
}

#[derive(Debug)]
struct Question {
    text: String,
    answer: oneshot::Sender<Answer>,
}

#[derive(Debug)]
enum Answer {
    Run(RunSecrets),
    Config(ConfigSecrets),
    Manifest(ScriptPackageManifest),
    Blob(ScriptPackageBlob),
}

/// Forgets a question when whoever asked it does.
struct Asked<'a>(&'a Desk, String);

impl Desk {
    pub(crate) fn new() -> Self {
        let state = State {
            connected: false,
            outbox: Outbox::new(BOUNDS),
            notes: VecDeque::new(),
            leaving: None,
            questions: HashMap::new(),
            packages: None,
        };
        let (orders, packages) = (watch::channel(None).0, watch::channel(None).0);
        let (state, ready) = (Mutex::new(state), Notify::new());
        let policy_told = AtomicBool::new(false);
        Self { state, ready, orders, packages, policy_told, began: Instant::now() }
    }

    /// The time of the machines without a clock: since the agent began.
    pub(crate) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// When that will be.
    pub(crate) fn at(&self, time: Duration) -> Instant {
        self.began + time
    }
}

/// For the connection.
impl Desk {
    /// The server says what scripts may do. What a policy means is between an operator and the
    /// agent it was written for, so this one does not pretend: it says once that it enforces none.
    pub(crate) fn sandbox_policy(&self) {
        if !self.policy_told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "the server sent a sandbox policy, which this agent does not enforce: scripts run \
                 with the rights of this process"
            );
        }
    }

    /// The server accepted this satellite, and says what to run. One that numbers its
    /// configurations acknowledges results as well.
    pub(crate) fn connected(&self, orders: Orders) {
        let mut state = self.state.lock();
        state.connected = true;
        state.outbox.connected(orders.revision.is_some());
        let open: Vec<Note> = state.questions.keys().cloned().map(Note::Ask).collect();
        state.notes.extend(open);
        if state.packages.is_some() {
            state.notes.push_back(Note::Packages);
        }
        let (waiting, dropped) = (state.outbox.len(), state.outbox.take_dropped());
        drop(state);
        if dropped > 0 {
            tracing::warn!(dropped, "there were more results than are kept; the oldest are lost");
        }
        if waiting > 0 {
            tracing::info!(waiting, "sending results that were kept");
        }
        self.configure(orders);
        self.ready.notify_one();
    }

    /// The server says what to run from now on.
    pub(crate) fn configure(&self, orders: Orders) {
        if let Some(lockfile) = orders.packages.clone() {
            self.want_packages(lockfile);
        }
        self.orders.send_replace(Some(orders));
    }

    /// The server says which lockfile is in force; none: no packages are installed.
    pub(crate) fn want_packages(&self, lockfile: Option<String>) {
        let wanted = Some(lockfile);
        self.packages.send_if_modified(|known| {
            let differs = *known != wanted;
            known.clone_from(&wanted);
            differs
        });
    }

    /// The next message to send; waits until there is one. Give it back with
    /// [`sent`](Self::sent), or say [`lost`](Self::lost).
    pub(crate) async fn next(&self) -> Outgoing {
        loop {
            let resend = {
                let mut state = self.state.lock();
                if let Some(outgoing) = state.next(self.now()) {
                    return outgoing;
                }
                state.outbox.next_resend()
            };
            match resend {
                None => self.ready.notified().await,
                Some(at) => tokio::select! {
                    () = self.ready.notified() => {}
                    () = sleep_until(self.at(at)) => {}
                },
            }
        }
    }

    /// The connection took it.
    pub(crate) fn sent(&self, outgoing: &Outgoing) {
        let mut state = self.state.lock();
        match &outgoing.id {
            Some(id) => state.outbox.sent(id),
            None => state.leaving = None,
        }
    }

    /// The server has this result, or refused it for good.
    pub(crate) fn settled(&self, id: &str) {
        self.state.lock().outbox.settle(id);
        self.ready.notify_one();
    }

    /// Answers a question. One that nobody waits for any more changes nothing.
    pub(crate) fn run_secrets(&self, answer: RunSecrets) {
        let id = answer.request_id.clone();
        self.answer(&id, Answer::Run(answer));
    }

    /// Answers a question. One that nobody waits for any more changes nothing.
    pub(crate) fn config_secrets(&self, answer: ConfigSecrets) {
        let id = answer.request_id.clone();
        self.answer(&id, Answer::Config(answer));
    }

    /// Answers a question. One that nobody waits for any more changes nothing.
    pub(crate) fn manifest(&self, answer: ScriptPackageManifest) {
        let id = manifest_id(&answer.lockfile_hash);
        self.answer(&id, Answer::Manifest(answer));
    }

    /// Answers a question. One that nobody waits for any more changes nothing.
    pub(crate) fn blob(&self, answer: ScriptPackageBlob) {
        let id = blob_id(&answer.integrity);
        self.answer(&id, Answer::Blob(answer));
    }

    /// The connection is gone. What only concerned it goes, too.
    pub(crate) fn lost(&self) {
        let mut state = self.state.lock();
        state.connected = false;
        let leaving = state.leaving.take();
        state.notes.extend(leaving);
        state.notes.retain(|note| matches!(note, Note::StrategyError(_)));
    }

    fn answer(&self, id: &str, answer: Answer) {
        match self.state.lock().questions.remove(id) {
            Some(question) => drop(question.answer.send(answer)),
            None => tracing::debug!("an answer that nobody waits for"),
        }
    }
}

/// For the work.
impl Desk {
    /// Tells of new orders as they come.
    pub(crate) fn orders(&self) -> watch::Receiver<Option<Orders>> {
        self.orders.subscribe()
    }

    /// What is run now is what this revision says.
    pub(crate) fn applied(&self, revision: u64) {
        self.note(Note::Applied(revision));
    }

    /// This agent lacks a strategy.
    pub(crate) fn strategy_error(&self, strategy_id: String, message: String) {
        let error = StrategyError { strategy_id, message };
        self.note(Note::StrategyError(FromSatellite::StrategyError(error).to_text()));
    }

    /// A result, to be kept until the server has it.
    pub(crate) fn result(&self, id: String, text: String) {
        self.state.lock().outbox.push(id, text);
        self.ready.notify_one();
    }

    /// The environment of secrets of one of a configuration's collectors.
    pub(crate) async fn ask_run_secrets(
        &self,
        request: RequestRunSecrets,
        patience: Duration,
    ) -> Result<RunSecrets, NoAnswer> {
        let id = request.request_id.clone();
        let text = FromSatellite::RequestRunSecrets(request).to_text();
        match self.ask(id, text, patience).await? {
            Answer::Run(secrets) => Ok(secrets),
            _ => Err(NoAnswer::Another),
        }
    }

    /// The secrets that a configuration refers to.
    pub(crate) async fn ask_config_secrets(
        &self,
        request: RequestConfigSecrets,
        patience: Duration,
    ) -> Result<ConfigSecrets, NoAnswer> {
        let id = request.request_id.clone();
        let text = FromSatellite::RequestConfigSecrets(request).to_text();
        match self.ask(id, text, patience).await? {
            Answer::Config(secrets) => Ok(secrets),
            _ => Err(NoAnswer::Another),
        }
    }

    /// Tells of the packages that are wanted, as that changes.
    pub(crate) fn packages(&self) -> watch::Receiver<Option<Option<String>>> {
        self.packages.subscribe()
    }

    /// The packages of a lockfile.
    pub(crate) async fn ask_manifest(
        &self,
        lockfile_hash: String,
        patience: Duration,
    ) -> Result<ScriptPackageManifest, NoAnswer> {
        let id = manifest_id(&lockfile_hash);
        let request = RequestScriptPackageManifest { lockfile_hash };
        let text = FromSatellite::RequestScriptPackageManifest(request).to_text();
        match self.ask(id, text, patience).await? {
            Answer::Manifest(manifest) => Ok(manifest),
            _ => Err(NoAnswer::Another),
        }
    }

    /// The blob with this key.
    pub(crate) async fn ask_blob(
        &self,
        integrity: String,
        patience: Duration,
    ) -> Result<ScriptPackageBlob, NoAnswer> {
        let id = blob_id(&integrity);
        let request = RequestScriptPackageBlob { integrity };
        let text = FromSatellite::RequestScriptPackageBlob(request).to_text();
        match self.ask(id, text, patience).await? {
            Answer::Blob(blob) => Ok(blob),
            _ => Err(NoAnswer::Another),
        }
    }

    /// Where the packages stand.
    pub(crate) fn sync_state(&self, state: ScriptPackageSyncState) {
        let text = FromSatellite::ScriptPackageSyncState(state).to_text();
        self.state.lock().packages = Some(text);
        self.note(Note::Packages);
    }

    async fn ask(&self, id: String, text: String, patience: Duration) -> Result<Answer, NoAnswer> {
        let (answer, answered) = oneshot::channel();
        let asked = Asked(self, id.clone());
        {
            let mut state = self.state.lock();
            state.questions.insert(id.clone(), Question { text, answer });
            if state.connected {
                state.notes.push_back(Note::Ask(id));
            }
        }
        self.ready.notify_one();
        let answer = timeout(patience, answered).await;
        drop(asked);
        answer.ok().and_then(Result::ok).ok_or(NoAnswer::TimedOut(patience))
    }

    fn note(&self, note: Note) {
        let mut state = self.state.lock();
        if state.connected || matches!(note, Note::StrategyError(_)) {
            state.notes.push_back(note);
        }
        drop(state);
        self.ready.notify_one();
    }
}

impl State {
    fn next(&mut self, now: Duration) -> Option<Outgoing> {
        while let Some(note) = self.notes.pop_front() {
            let text = match &note {
                Note::Applied(revision) => {
                    FromSatellite::ConfigApplied(ConfigApplied { revision: *revision }).to_text()
                }
                Note::StrategyError(text) => text.clone(),
                Note::Ask(id) => match self.questions.get(id) {
                    Some(question) => question.text.clone(),
                    None => continue,
                },
                Note::Packages => match &self.packages {
                    Some(text) => text.clone(),
                    None => continue,
                },
            };
            self.leaving = Some(note);
            return Some(Outgoing { text, id: None });
        }
        let (id, text) = self.outbox.next(now)?;
        Some(Outgoing { text, id: Some(id) })
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.0.state.lock().questions.remove(&self.1);
    }
}

fn manifest_id(lockfile: &str) -> String {
    format!("manifest {lockfile}")
}

fn blob_id(integrity: &str) -> String {
    format!("blob {integrity}")
}
