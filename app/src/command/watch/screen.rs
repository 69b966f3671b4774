//! The terminal: keys and what is known go in, frames come out.

use std::time::Duration;

use anyhow::Context as _;
use crossterm::event::{Event, EventStream as Keys, KeyEventKind};
use futures_util::StreamExt as _;
use groundcontrol_core::time::Timestamp;
use groundcontrol_http::dto::Transition;
use ratatui::DefaultTerminal;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

use super::draw::draw;
use super::follow::{Follower, Shared};
use super::picture::{Answer, History, Picture};
use crate::client::{Client, ClientError, ListFilter};
use crate::command::printable::printable;

/// Ages on the screen are counted this often.
const TICK: Duration = Duration::from_secs(1);
/// Edges of a satellite that are shown.
const HISTORY: usize = 20;
/// Histories that wait to be shown: what is asked for is for one satellite at a time.
const WAITING: usize = 4;

type Read = (Uuid, Result<Vec<Transition>, ClientError>);

/// Shows the fleet until a person quits, or the server refuses for good.
pub(super) async fn show(
    filter: ListFilter,
    client: &Client,
    now: impl Fn() -> Timestamp,
) -> anyhow::Result<()> {
    let shared = Shared::default();
    let follower = Follower::new(filter, client.clone(), shared.clone());
    let mut following = tokio::spawn(follower.follow());
    let mut terminal = ratatui::try_init().context("cannot take over the terminal")?;
    let ended = Screen::new(client, shared).run(&mut terminal, &mut following, now).await;
    ratatui::restore();
    following.abort();
    ended
}

struct Screen<'a> {
    client: &'a Client,
    shared: Shared,
    picture: Picture,
    histories: (mpsc::Sender<Read>, mpsc::Receiver<Read>),
}

impl<'a> Screen<'a> {
    fn new(client: &'a Client, shared: Shared) -> Self {
        Self { client, shared, picture: Picture::default(), histories: mpsc::channel(WAITING) }
    }

    async fn run(
        mut self,
        terminal: &mut DefaultTerminal,
        following: &mut JoinHandle<anyhow::Result<()>>,
        now: impl Fn() -> Timestamp,
    ) -> anyhow::Result<()> {
        let mut keys = Keys::new();
        let mut asked_to_stop = signal(SignalKind::terminate())?;
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let server = self.client.endpoint().to_string();
        loop {
            self.picture.update(&self.shared.known.lock());
            terminal.draw(|frame| draw(&mut self.picture, &server, now(), frame))?;
            tokio::select! {
                key = keys.next() => match key {
                    Some(key) => if self.take_key(key?) { return Ok(()) },
                    None => return Ok(()),
                },
                Some(read) = self.histories.1.recv() => self.take_history(read),
                () = self.shared.changed.notified() => self.read_history(),
                _ = tick.tick() => {}
                _ = asked_to_stop.recv() => return Ok(()),
                ended = &mut *following => return ended.context("the watch broke off")?,
            }
        }
    }

    /// Whether it was the last key.
    fn take_key(&mut self, event: Event) -> bool {
        let Event::Key(key) = event else { return false };
        if key.kind == KeyEventKind::Release {
            return false;
        }
        match self.picture.press(key) {
            Answer::Draw => {}
            Answer::ReadHistory(_) => self.read_history(),
            Answer::Quit => return true,
        }
        false
    }

    /// Reads the history of the satellite that is shown in full, beside the screen.
    fn read_history(&self) {
        let Some(id) = self.picture.details.as_ref().map(|details| details.satellite) else {
            return;
        };
        let (client, answers) = (self.client.clone(), self.histories.0.clone());
        tokio::spawn(async move {
            let read = client.transitions(id, HISTORY).await;
            // The screen is gone where nobody listens.
            let _ = answers.send((id, read)).await;
        });
    }

    fn take_history(&mut self, (id, read): Read) {
        let shown = self.picture.details.as_mut().filter(|details| details.satellite == id);
        if let Some(details) = shown {
            details.history = match read {
                Ok(transitions) => History::Read(transitions),
                Err(error) => History::Failed(printable(&error.to_string()).into_owned()),
            };
        }
    }
}
