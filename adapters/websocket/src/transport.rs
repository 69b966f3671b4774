//! One socket as messages: tungstenite's protocol over any stream, with bounds on what waits.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use groundcontrol_core::session::{CloseCode, Violation};
use groundcontrol_core::time::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding;
use tokio_tungstenite::tungstenite::protocol::{
    CloseFrame, Role, WebSocketConfig, WebSocketContext,
};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message, Utf8Bytes};

use super::frames::FrameTracker;
use super::settings::SocketSettings;

/// What one socket reads at a time, and holds while it is quiet.
const READ_BUFFER: usize = 512;
/// Bytes that one socket may read before others have their turn.
const READ_TURN: usize = 64 * 1024;

/// A socket. The stream is asked without a layer between: a waker is that of the socket's task.
pub(crate) struct Transport<S> {
    io: S,
    context: WebSocketContext,
    frames: FrameTracker,
    outgoing: Outgoing,
    message_limit: usize,
    /// The buffers have grown beyond what a quiet socket needs.
    bloated: bool,
}

/// What waits to be written, behind what the context still holds.
#[derive(Default)]
struct Outgoing {
    queue: VecDeque<Message>,
    bytes: usize,
    /// Since when the peer takes nothing; none: nothing waits.
    stalled_since: Option<Timestamp>,
}

/// Something that came.
pub(crate) enum Received {
    Text(Utf8Bytes),
    Control,
    Violation(Violation),
    PeerClosed,
    Lost,
}

/// How far the end of a stream has come.
#[derive(Default)]
pub(crate) struct Farewell {
    said: bool,
    /// The peer said something after it was told, or ended the stream in order: it is alive.
    pub(crate) answered: bool,
}

/// Why a message is not sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotSent {
    /// More waits than may.
    Full,
    /// The transport broke.
    Lost,
}

/// What a call of the context did to the stream.
#[derive(Default)]
struct Traffic {
    read: usize,
    wrote: bool,
    write_blocked: bool,
    out_of_turn: bool,
    began_large: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Transport<S> {
    /// A socket right after the upgrade, of which `part` was read already.
    pub(crate) fn new(io: S, part: &[u8], message_limit: usize) -> Self {
        let mut frames = FrameTracker::default();
        let bloated = frames.advance(part, READ_BUFFER) || part.len() > READ_BUFFER;
        let config = Some(config(message_limit));
        let context = if part.is_empty() {
            WebSocketContext::new(Role::Server, config)
        } else {
            WebSocketContext::from_partially_read(part.to_vec(), Role::Server, config)
        };
        Self { io, context, frames, outgoing: Outgoing::default(), message_limit, bloated }
    }

    /// From now on takes messages of up to `limit` bytes.
    pub(crate) fn limit_messages(&mut self, limit: usize) {
        self.message_limit = limit;
        self.context.set_config(|settings| *settings = config(limit));
        self.bloated = true;
    }

    /// Reads one message. The bytes that came, of whatever frame, and whether there may be more
    /// although this says pending.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        now: Timestamp,
    ) -> (Poll<Received>, usize, bool) {
        let (read, traffic) = self.with_context(cx, now, |context, stream| context.read(stream));
        let received = match read {
            Ok(message) => Poll::Ready(received(message)),
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                if !traffic.out_of_turn {
                    self.give_back();
                }
                Poll::Pending
            }
            Err(error) => Poll::Ready(failed(&error)),
        };
        (received, traffic.read, traffic.out_of_turn)
    }

    /// Sends a message, or lets it wait behind others.
    pub(crate) fn send(
        &mut self,
        cx: &mut Context<'_>,
        now: Timestamp,
        settings: &SocketSettings,
        message: Message,
    ) -> Result<(), NotSent> {
        if self.outgoing.stalled_since.is_none() {
            return self.write(cx, now, message);
        }
        let (count, bytes) = (self.outgoing.queue.len() + 1, self.outgoing.bytes + message.len());
        if count > settings.outgoing_messages || bytes > settings.outgoing_bytes {
            return Err(NotSent::Full);
        }
        self.outgoing.bytes = bytes;
        self.outgoing.queue.push_back(message);
        Ok(())
    }

    /// Sends a close frame behind what waits; `at_once`: in its place.
    pub(crate) fn send_close(
        &mut self,
        cx: &mut Context<'_>,
        now: Timestamp,
        code: CloseCode,
        reason: &'static str,
        at_once: bool,
    ) -> Result<(), NotSent> {
        if at_once {
            self.outgoing.queue = VecDeque::new();
        }
        let code = coding::CloseCode::from(code.0);
        let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
        let message = Message::Close(Some(frame));
        if self.outgoing.stalled_since.is_none() {
            return self.write(cx, now, message);
        }
        self.outgoing.queue.push_back(message);
        Ok(())
    }

    /// Writes what waits.
    pub(crate) fn poll_flush(
        &mut self,
        cx: &mut Context<'_>,
        now: Timestamp,
    ) -> Poll<Result<(), NotSent>> {
        while self.outgoing.stalled_since.is_some() {
            let (flushed, _) = self.with_context(cx, now, |context, stream| context.flush(stream));
            match flushed {
                Ok(()) | Err(Error::ConnectionClosed) => {}
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                    return Poll::Pending;
                }
                Err(_) => return Poll::Ready(Err(NotSent::Lost)),
            }
            self.outgoing.stalled_since = None;
            let Some(message) = self.outgoing.queue.pop_front() else {
                self.outgoing = Outgoing::default();
                break;
            };
            self.outgoing.bytes = self.outgoing.bytes.saturating_sub(message.len());
            if let Err(error) = self.write(cx, now, message) {
                return Poll::Ready(Err(error));
            }
            // Others may wait behind it even if it went out at once.
            self.outgoing.stalled_since.get_or_insert(now);
        }
        Poll::Ready(Ok(()))
    }

    /// Writes the answer to the peer's close frame, which the context holds.
    pub(crate) fn echo_close(&mut self, now: Timestamp) {
        self.outgoing = Outgoing { stalled_since: Some(now), ..Outgoing::default() };
    }

    /// Since when the peer takes nothing of what waits; none: nothing waits.
    pub(crate) const fn stalled_since(&self) -> Option<Timestamp> {
        self.outgoing.stalled_since
    }

    /// Tells the peer that nothing follows, then throws away what it still says until it is
    /// silent too: closing while something is unread would take back what was just sent.
    pub(crate) fn poll_shutdown(
        &mut self,
        cx: &mut Context<'_>,
        progress: &mut Farewell,
    ) -> Poll<()> {
        if !progress.said {
            let _ = ready!(Pin::new(&mut self.io).poll_shutdown(cx));
            progress.said = true;
        }
        let mut scratch = [0; READ_BUFFER];
        for _ in 0..READ_TURN / READ_BUFFER {
            let mut buffer = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => progress.answered = true,
                Ok(()) => {
                    progress.answered = true;
                    return Poll::Ready(());
                }
                Err(_) => return Poll::Ready(()),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn write(
        &mut self,
        cx: &mut Context<'_>,
        now: Timestamp,
        message: Message,
    ) -> Result<(), NotSent> {
        self.bloated |= message.len() > READ_BUFFER;
        let (written, _) = self.with_context(cx, now, |context, stream| {
            context.write(stream, message)?;
            context.flush(stream)
        });
        match written {
            Ok(()) | Err(Error::ConnectionClosed) => Ok(()),
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(Error::WriteBufferFull(_)) => Err(NotSent::Full),
            Err(_) => Err(NotSent::Lost),
        }
    }

    fn with_context<T>(
        &mut self,
        cx: &mut Context<'_>,
        now: Timestamp,
        call: impl FnOnce(&mut WebSocketContext, &mut Blocking<'_, '_, S>) -> T,
    ) -> (T, Traffic) {
        let mut stream = Blocking {
            io: &mut self.io,
            cx,
            frames: &mut self.frames,
            traffic: Traffic::default(),
        };
        let result = call(&mut self.context, &mut stream);
        let traffic = stream.traffic;
        self.bloated |= traffic.began_large;
        if traffic.write_blocked {
            let since = &mut self.outgoing.stalled_since;
            *since = if traffic.wrote { Some(now) } else { since.or(Some(now)) };
        }
        (result, traffic)
    }

    /// Gives back what large messages needed, as soon as no part of a message is held.
    fn give_back(&mut self) {
        let quiet = self.outgoing.stalled_since.is_none() && self.frames.is_between_messages();
        if self.bloated && quiet {
            self.context = WebSocketContext::new(Role::Server, Some(config(self.message_limit)));
            self.bloated = false;
        }
    }
}

fn config(message_limit: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_CONTEXT_BUFFER)
        .max_message_size(Some(message_limit))
        .max_frame_size(Some(message_limit))
}

/// What the context may hold of unwritten frames: one message, as what waits behind it is held
/// by [`Outgoing`], and the pongs that were written after it.
const MAX_CONTEXT_BUFFER: usize = groundcontrol_core::limits::OUTGOING_BYTES;

fn received(message: Message) -> Received {
    match message {
        Message::Text(text) => Received::Text(text),
        Message::Binary(_) => Received::Violation(Violation::Binary),
        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Received::Control,
        Message::Close(_) => Received::PeerClosed,
    }
}

fn failed(error: &Error) -> Received {
    match error {
        Error::Capacity(_) => Received::Violation(Violation::TooLarge),
        Error::Utf8(_) => Received::Violation(Violation::NotUtf8),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Received::Lost,
        Error::Protocol(_) => Received::Violation(Violation::BadFrame),
        _ => Received::Lost,
    }
}

/// An empty ping.
pub(crate) const fn ping() -> Message {
    Message::Ping(Bytes::new())
}

/// A stream that says `WouldBlock` where the task must wait, as tungstenite expects it.
struct Blocking<'a, 'c, S> {
    io: &'a mut S,
    cx: &'a mut Context<'c>,
    frames: &'a mut FrameTracker,
    traffic: Traffic,
}

impl<S: AsyncRead + Unpin> Read for Blocking<'_, '_, S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.traffic.read >= READ_TURN {
            self.traffic.out_of_turn = true;
            return Err(ErrorKind::WouldBlock.into());
        }
        let mut buffer = ReadBuf::new(into);
        match Pin::new(&mut *self.io).poll_read(self.cx, &mut buffer) {
            Poll::Ready(read) => {
                read?;
                let read = buffer.filled();
                self.traffic.began_large |= self.frames.advance(read, READ_BUFFER);
                self.traffic.read += read.len();
                Ok(read.len())
            }
            Poll::Pending => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

impl<S: AsyncWrite + Unpin> Write for Blocking<'_, '_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match Pin::new(&mut *self.io).poll_write(self.cx, bytes) {
            Poll::Ready(written) => {
                self.traffic.wrote = true;
                written
            }
            Poll::Pending => {
                self.traffic.write_blocked = true;
                Err(ErrorKind::WouldBlock.into())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match Pin::new(&mut *self.io).poll_flush(self.cx) {
            Poll::Ready(flushed) => flushed,
            Poll::Pending => {
                self.traffic.write_blocked = true;
                Err(ErrorKind::WouldBlock.into())
            }
        }
    }
}
