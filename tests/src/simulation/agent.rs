//! A satellite's agent: dials, authenticates, sends heartbeats, and comes back with back-off.

use std::sync::Arc;

use groundcontrol_core::limits::{
    IDLE_LIMIT, RECONNECT_FIRST, RECONNECT_JITTER_PERCENT, RECONNECT_MOST,
};
use groundcontrol_core::ports::Welcome;
use groundcontrol_core::satellite::{SatelliteId, Token};
use groundcontrol_core::time::Millis;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::dice::Dice;
use super::line::{Line, ToAgent, ToPod};
use super::process::Process;
use super::world::World;

/// An agent waits this long for the answer to `authenticate`.
const ANSWER_WITHIN: Millis = Millis::from_secs(20);
/// An agent that was refused is started again by its machine after this long, in milliseconds.
const STARTED_AGAIN: std::ops::RangeInclusive<u64> = 60_000..=90_000;

/// One agent. The one of a satellite, or its twin on the same credential.
pub(super) struct Agent {
    /// Its satellite.
    pub id: SatelliteId,
    /// Whether it is the second one on a credential.
    pub is_twin: bool,
    dice: Arc<Dice>,
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    process: Process,
    token: Token,
    wanted: bool,
    /// It sends no heartbeat until then, although it runs.
    silent: Option<Instant>,
    /// It reaches nobody until then.
    cut: Option<Instant>,
    line: Option<Arc<Line>>,
    redial: bool,
    /// Heartbeats that it sent on its present connection; none where it has none.
    beats: Option<u64>,
    last_beat: Instant,
}

/// How one connection went.
enum Went {
    Refused,
    NeverOpen,
    Open,
}

impl Agent {
    /// An agent that does not run yet; `number` tells it from all others of the run.
    pub(super) fn new(
        world: &World,
        id: SatelliteId,
        number: u64,
        is_twin: bool,
        token: Token,
    ) -> Arc<Self> {
        let state = State {
            process: Process::default(),
            token,
            wanted: true,
            silent: None,
            cut: None,
            line: None,
            redial: false,
            beats: None,
            last_beat: Instant::now(),
        };
        Arc::new(Self {
            id,
            is_twin,
            dice: Arc::new(Dice::new(world.seed, "agent", number)),
            state: Mutex::new(state),
            changed: Notify::new(),
        })
    }

    /// Starts its process.
    pub(super) fn launch(self: &Arc<Self>, world: &Arc<World>) {
        let process = Process::default();
        {
            let mut state = self.state.lock();
            (state.process, state.beats, state.line) = (process.clone(), None, None);
        }
        let live = self.clone().live(world.clone());
        tokio::spawn(process.run(live));
    }

    async fn live(self: Arc<Self>, world: Arc<World>) {
        let mut failures = 0;
        loop {
            if !self.state.lock().wanted {
                self.changed.notified().await;
                continue;
            }
            let went = self.connect(&world).await;
            (self.state.lock().beats, self.state.lock().line) = (None, None);
            match went {
                Went::Refused => {
                    let again = self.dice.span(STARTED_AGAIN);
                    let _ = timeout(again.into(), self.changed.notified()).await;
                    failures = 0;
                }
                Went::Open => failures = 0,
                Went::NeverOpen => failures += 1,
            }
            sleep(self.back_off(failures).into()).await;
        }
    }

    fn back_off(&self, failures: u32) -> Millis {
        let most = RECONNECT_FIRST.times(1_u64 << failures.min(10)).min(RECONNECT_MOST).get();
        let jitter = most * RECONNECT_JITTER_PERCENT / 100;
        self.dice.span(most - jitter..=most + jitter)
    }

    fn reaches_nobody(&self) -> bool {
        self.state.lock().cut.is_some_and(|until| until > Instant::now())
    }

    async fn connect(&self, world: &Arc<World>) -> Went {
        let number = world.next_connection();
        let line = Line::new(world.parameters.link_delay, self.dice.clone());
        let Some(host) = self.dice.pick(&world.hosts).cloned() else { return Went::NeverOpen };
        if self.reaches_nobody() || !host.dial(world, line.clone(), number) {
            return Went::NeverOpen;
        }
        let token = {
            let mut state = self.state.lock();
            (state.line, state.redial) = (Some(line.clone()), false);
            state.token.clone()
        };
        line.to_pod(ToPod::Authenticate(self.id, token));
        let welcome = timeout(ANSWER_WITHIN.into(), async {
            loop {
                match line.down.receive().await {
                    ToAgent::Authenticated(welcome) => break Ok(welcome),
                    ToAgent::AuthFailed => break Err(Went::Refused),
                    ToAgent::Close(_) | ToAgent::Reset | ToAgent::Shutdown => {
                        break Err(Went::NeverOpen);
                    }
                    ToAgent::Ping => {}
                }
            }
        });
        match welcome.await {
            Ok(Ok(welcome)) => {
                world.step_of(self.id, || {
                    format!(
                        "agent{} welcome at {host}, epoch {}",
                        self.mark(),
                        welcome.session.epoch
                    )
                });
                self.serve(world, &line, &welcome).await;
                Went::Open
            }
            Ok(Err(went)) => went,
            Err(_) => {
                line.to_pod(ToPod::Reset);
                Went::NeverOpen
            }
        }
    }

    fn mark(&self) -> &'static str {
        if self.is_twin { " (twin)" } else { "" }
    }

    /// Sends heartbeats until the connection ends.
    async fn serve(&self, world: &World, line: &Line, welcome: &Welcome) {
        let interval = welcome.heartbeat_interval;
        self.state.lock().beats = Some(0);
        let mut next = Instant::now() + self.dice.span(0..=interval.get()).into();
        let mut heard = Instant::now();
        loop {
            tokio::select! {
                biased;
                message = line.down.receive() => match message {
                    ToAgent::Ping => {
                        heard = Instant::now();
                        line.to_pod(ToPod::Pong);
                    }
                    ToAgent::Authenticated(_) => {}
                    ToAgent::AuthFailed | ToAgent::Shutdown => {
                        world.step_of(self.id, || format!("agent{} is told to stop", self.mark()));
                    }
                    ToAgent::Close(code) => {
                        let code = code.map_or(0, |code| code.0);
                        world.step_of(self.id, || format!("agent{} is closed: {code}", self.mark()));
                        return;
                    }
                    ToAgent::Reset => {
                        world.step_of(self.id, || format!("agent{} lost its connection", self.mark()));
                        return;
                    }
                },
                () = sleep_until(next) => next = self.beat(line, interval),
                () = self.changed.notified() => {
                    let (wanted, redial) = {
                        let state = self.state.lock();
                        (state.wanted, state.redial)
                    };
                    if !wanted || redial {
                        world.step_of(self.id, || format!("agent{} closes", self.mark()));
                        line.to_pod(ToPod::Close);
                        return;
                    }
                    next = next.min(Instant::now() + interval.into());
                }
                () = sleep_until(heard + IDLE_LIMIT.into()) => {
                    world.step_of(self.id, || format!("agent{} gives up its connection", self.mark()));
                    line.to_pod(ToPod::Reset);
                    return;
                }
            }
        }
    }

    /// Sends a heartbeat, unless it is silent, and answers when the next one is due.
    fn beat(&self, line: &Line, interval: Millis) -> Instant {
        let (mut state, now) = (self.state.lock(), Instant::now());
        if let Some(until) = state.silent.filter(|until| *until > now) {
            return until;
        }
        line.to_pod(ToPod::Heartbeat);
        (state.beats, state.last_beat) = (Some(state.beats.unwrap_or(0) + 1), now);
        let late = interval.get() / 20;
        now + self.dice.span(interval.get() - late..=interval.get() + late).into()
    }

    /// Gives it another token; it dials anew with it at once, or when it has to.
    pub(super) fn set_token(&self, token: Token, at_once: bool) {
        let mut state = self.state.lock();
        state.token = token;
        state.redial |= at_once;
        drop(state);
        self.changed.notify_one();
    }

    /// Whether it shall be connected at all.
    pub(super) fn want(&self, wanted: bool) {
        self.state.lock().wanted = wanted;
        self.changed.notify_one();
    }

    /// Whether it shall be connected at all.
    pub(super) fn is_wanted(&self) -> bool {
        self.state.lock().wanted
    }

    /// It closes its connection and dials anew.
    pub(super) fn redial(&self) {
        self.state.lock().redial = true;
        self.changed.notify_one();
    }

    /// It sends no heartbeat for `span` after its last.
    pub(super) fn be_silent(&self, span: Millis) {
        let mut state = self.state.lock();
        state.silent = Some(state.last_beat + span.into());
    }

    /// It reaches nobody for `span`: its connection dies, is held up, or breaks.
    pub(super) fn cut_off(&self, span: Millis) {
        let mut state = self.state.lock();
        state.cut = Some(Instant::now() + span.into());
        if let Some(line) = &state.line {
            match self.dice.number(0..=4) {
                0 => line.reset(),
                1 => line.die(false),
                2 | 3 => line.die(true),
                _ => line.hold(span),
            }
        }
    }

    /// Its process is stopped, or goes on.
    pub(super) fn pause(&self, paused: bool) {
        let process = self.state.lock().process.clone();
        if paused { process.pause() } else { process.resume() }
    }

    /// Its process is killed.
    pub(super) fn kill(&self) {
        let (process, line) = {
            let mut state = self.state.lock();
            (state.process.clone(), state.line.take())
        };
        process.kill();
        if let Some(line) = line {
            // The kernel of its machine resets the connection, unless the machine is gone too.
            if self.dice.percent(70) { line.to_pod(ToPod::Reset) } else { line.die(true) }
        }
    }

    /// It works as it should again.
    pub(super) fn heal(self: &Arc<Self>, world: &Arc<World>) {
        let (process, was_wanted) = {
            let mut state = self.state.lock();
            (state.silent, state.cut) = (None, None);
            (state.process.clone(), state.wanted)
        };
        process.resume();
        if process.is_dead() && was_wanted {
            self.launch(world);
        }
        self.changed.notify_one();
    }

    /// Whether its process was killed.
    pub(super) fn is_dead(&self) -> bool {
        self.state.lock().process.is_dead()
    }

    /// How many heartbeats it sent on its present connection; none where it has none.
    pub(super) fn beats(&self) -> Option<u64> {
        self.state.lock().beats
    }
}
