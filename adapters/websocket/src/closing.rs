//! The end of one socket: say so, put it on record, let go.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use groundcontrol_core::connection::CloseReason;
use groundcontrol_core::ports::SessionRef;
use groundcontrol_core::session::{End, Ending};
use groundcontrol_core::time::{Millis, Timestamp};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::Message as Frame;

use super::sockets::Shared;
use super::translate::text_of;
use super::transport::{Farewell, Transport};

/// What is left to do at the end of a socket. The record is not kept waiting by a peer that does
/// not answer, nor the peer by the record.
pub(crate) struct Closing {
    recording: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    talking: Talking,
    until: Timestamp,
    displaced: Option<SessionRef>,
}

enum Talking {
    /// What was said last is being written.
    Writing {
        then: After,
    },
    /// The peer is heard out.
    ShuttingDown(Farewell),
    Done,
}

#[derive(Clone, Copy)]
enum After {
    /// The peer does not know yet that the socket ends.
    HearOut,
    /// The peer sent the first close frame: nothing more comes.
    LetGo,
}

impl Closing {
    pub(crate) fn begin<S: AsyncRead + AsyncWrite + Unpin>(
        cx: &mut Context<'_>,
        shared: &Arc<Shared>,
        transport: &mut Transport<S>,
        now: Timestamp,
        end: End,
    ) -> Self {
        Self {
            talking: say(cx, shared, transport, now, end.ending),
            recording: end.closed.map(|(session, reason)| record(shared, session, reason)),
            until: now + patience(shared, end.ending),
            displaced: None,
        }
    }

    /// A newer session took over from this one.
    pub(crate) fn displace(&mut self, session: SessionRef) {
        self.displaced = Some(session);
    }

    /// Ready when the end is on record, and the peer was told or ran out of time. Answers the
    /// session from which a newer one took over although its peer was alive.
    pub(crate) fn poll<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        transport: &mut Transport<S>,
        now: Timestamp,
    ) -> Poll<Option<SessionRef>> {
        if let Some(recording) = &mut self.recording
            && recording.as_mut().poll(cx).is_ready()
        {
            self.recording = None;
        }
        self.talk(cx, transport, now);
        if now >= self.until && !matches!(self.talking, Talking::Done) {
            self.talking = Talking::Done;
            self.displaced = None;
        }
        match (&self.recording, &self.talking) {
            (None, Talking::Done) => Poll::Ready(self.displaced.take()),
            (Some(_), _) | (None, Talking::Writing { .. } | Talking::ShuttingDown(_)) => {
                Poll::Pending
            }
        }
    }

    /// When the peer runs out of time; none once it does not matter.
    pub(crate) fn until(&self) -> Option<Timestamp> {
        match self.talking {
            Talking::Writing { .. } | Talking::ShuttingDown(_) => Some(self.until),
            Talking::Done => None,
        }
    }

    fn talk<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        transport: &mut Transport<S>,
        now: Timestamp,
    ) {
        if let Talking::Writing { then } = self.talking {
            self.talking = match (transport.poll_flush(cx, now), then) {
                (Poll::Pending, _) => return,
                (Poll::Ready(Ok(())), After::HearOut) => Talking::ShuttingDown(Farewell::default()),
                (Poll::Ready(Ok(())), After::LetGo) | (Poll::Ready(Err(_)), _) => Talking::Done,
            };
        }
        if let Talking::ShuttingDown(farewell) = &mut self.talking
            && transport.poll_shutdown(cx, farewell).is_ready()
        {
            if !farewell.answered {
                self.displaced = None;
            }
            self.talking = Talking::Done;
        }
    }
}

/// Says what is to be said, as far as the socket takes it at once.
fn say<S: AsyncRead + AsyncWrite + Unpin>(
    cx: &mut Context<'_>,
    shared: &Shared,
    transport: &mut Transport<S>,
    now: Timestamp,
    ending: Ending,
) -> Talking {
    if let Some(farewell) = ending.farewell() {
        let text = text_of(farewell);
        if transport.send(cx, now, &shared.settings, Frame::Text(text)).is_err() {
            return Talking::Done;
        }
    }
    let Some(code) = ending.close_code() else {
        if ending == Ending::PeerClosed {
            transport.echo_close(now);
            return Talking::Writing { then: After::LetGo };
        }
        return Talking::Done;
    };
    let at_once = ending == Ending::SlowConsumer;
    match transport.send_close(cx, now, code, ending.name(), at_once) {
        Ok(()) => Talking::Writing { then: After::HearOut },
        Err(_) => Talking::Done,
    }
}

/// How long the peer is heard out. One that never spoke is not: a crowd of those must not hold
/// on to their sockets.
fn patience(shared: &Shared, ending: Ending) -> Millis {
    match ending {
        Ending::NoAuthenticate => Millis::ZERO,
        Ending::PeerClosed
        | Ending::TransportLost
        | Ending::Idle
        | Ending::TooLarge
        | Ending::Binary
        | Ending::NotUtf8
        | Ending::BadFrame
        | Ending::SlowConsumer
        | Ending::Shutdown { .. }
        | Ending::Fenced(_)
        | Ending::Drained
        | Ending::NotAuthenticated
        | Ending::Refused { .. }
        | Ending::Fight
        | Ending::Unavailable => shared.settings.closing_within,
    }
}

fn record(
    shared: &Arc<Shared>,
    session: SessionRef,
    reason: CloseReason,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let gateway = shared.gateway.clone();
    Box::pin(async move { gateway.closed(session, reason).await })
}

/// Records the end of a session whose task did not live to do it. Does nothing where no runtime
/// is left.
pub(crate) fn record_lost(shared: &Arc<Shared>, session: SessionRef) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        tracing::error!(session = %session.session, "the task of a socket failed");
        runtime.spawn(record(shared, session, CloseReason::ConnectionLost));
    }
}
