//! A satellite that goes on sending heartbeats in the background.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::site::HEARTBEAT;
use super::socket::{Said, Socket};
use super::wait::within;

/// Often enough that a busy machine delays none beyond the threshold.
const EVERY: Duration = HEARTBEAT.checked_div(3).expect("three is not zero");

/// A socket that beats until it is stopped, or until the server ends it.
pub struct Beating {
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Finished>,
}

/// How the server ended a socket.
#[derive(Clone, Debug)]
pub struct Ended {
    /// What it said before.
    pub messages: Vec<Value>,
    /// The close code; none where the connection broke.
    pub code: Option<u16>,
}

enum Finished {
    Stopped(Box<Socket>),
    Ended(Ended),
}

impl Beating {
    /// Lets an authenticated socket beat.
    pub fn new(socket: Socket) -> Self {
        let (stop, stopped) = oneshot::channel();
        Self { stop: Some(stop), task: tokio::spawn(beat(socket, stopped)) }
    }

    /// Stops beating, and hands the socket back.
    ///
    /// # Panics
    /// Where the server had ended it.
    pub async fn stop(mut self) -> Socket {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        match (&mut self.task).await.expect("the socket's task ran") {
            Finished::Stopped(socket) => *socket,
            Finished::Ended(ended) => panic!("the server had ended the socket: {ended:?}"),
        }
    }

    /// Waits until the server ends the socket.
    pub async fn ended(mut self) -> Ended {
        let _stop = self.stop.take();
        match within("the server ends the socket", &mut self.task).await.expect("the task ran") {
            Finished::Ended(ended) => ended,
            Finished::Stopped(_) => unreachable!("nobody stopped it"),
        }
    }
}

impl Drop for Beating {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn beat(mut socket: Socket, mut stopped: oneshot::Receiver<()>) -> Finished {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut messages = Vec::new();
    loop {
        tokio::select! {
            Ok(()) = &mut stopped => return Finished::Stopped(Box::new(socket)),
            _ = ticks.tick() => socket.heartbeat().await,
            said = socket.next() => match said {
                Said::Message(said) => messages.push(said),
                Said::Closed(code) => return Finished::Ended(Ended { messages, code }),
            },
        }
    }
}
