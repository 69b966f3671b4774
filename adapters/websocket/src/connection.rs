//! The task of one socket: it feeds the session machine and does what that asks for.

use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use groundcontrol_core::connection::Fence;
use groundcontrol_core::ports::{Attempt, Authentication, Order, ResultAck, Room};
use groundcontrol_core::satellite::SessionId;
use groundcontrol_core::session::{
    Answer, Credentials, Dropped, Effect, End, Input, Message, Reading, Reply, Session, Unreadable,
};
use groundcontrol_core::time::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep};
use tokio_tungstenite::tungstenite::Message as Frame;
use uuid::Uuid;

use super::closing::{Closing, record_lost};
use super::mailbox::Mailbox;
use super::sockets::Shared;
use super::translate::text_of;
use super::transport::{NotSent, Received, Transport, ping};
use super::waiting::Ticket;
use super::wire::FromSatellite;

/// Messages that one socket may have handled before others have their turn.
const MESSAGES_A_TURN: usize = 64;

/// One socket.
pub(crate) struct Connection<S: AsyncRead + AsyncWrite + Unpin> {
    pub(crate) shared: Arc<Shared>,
    pub(crate) transport: Transport<S>,
    session: Session,
    mailbox: Arc<Mailbox>,
    seat: Option<Ticket>,
    stage: Stage,
    /// For as long as a blob waits to be written.
    room: Option<Room>,
    remote: IpAddr,
}

/// What the task is at. What is rare is in a box, so that a quiet socket does not carry it.
enum Stage {
    Talking,
    Asking(Pin<Box<dyn Future<Output = Authentication> + Send>>),
    Closing(Box<Closing>),
}

/// Drives a socket to its end.
#[expect(clippy::manual_async_fn, reason = "an async fn holds its argument twice")]
pub(crate) fn run<S: AsyncRead + AsyncWrite + Unpin>(
    mut connection: Connection<S>,
) -> impl Future<Output = ()> {
    async move {
        let mut timer = pin!(tokio::time::sleep_until(connection.first_due()));
        poll_fn(|cx| connection.poll(cx, timer.as_mut())).await;
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(crate) fn new(shared: Arc<Shared>, stream: S, part: &[u8], remote: IpAddr) -> Self {
        let settings = &shared.settings;
        let now = shared.now();
        let session = Session::new(&settings.session, now);
        let mailbox = Arc::new(Mailbox::new(settings.outgoing_messages));
        let seat = Some(shared.waiting.enter(mailbox.clone()));
        let transport = Transport::new(stream, part, session.message_limit(&settings.session));
        shared.opened();
        let stage = Stage::Talking;
        Self { shared, transport, session, mailbox, seat, stage, room: None, remote }
    }

    fn poll(&mut self, cx: &mut Context<'_>, mut timer: Pin<&mut Sleep>) -> Poll<()> {
        loop {
            let now = self.shared.now();
            if let Stage::Closing(closing) = &mut self.stage {
                if let Poll::Ready(displaced) = closing.poll(cx, &mut self.transport, now) {
                    if let Some(session) = displaced {
                        self.shared.gateway.displaced(session, self.remote);
                    }
                    return Poll::Ready(());
                }
                let Some(until) = closing.until() else { return Poll::Pending };
                if self.wait(cx, timer.as_mut(), until).is_pending() {
                    return Poll::Pending;
                }
                continue;
            }
            let evicted = self.take_orders(cx, now);
            self.poll_answer(cx, now);
            self.poll_flush(cx, now);
            self.tick(cx, now);
            let more = self.poll_messages(cx, now);
            self.look_for_requests(cx, now);
            if evicted {
                self.step(cx, now, Input::Evicted);
            }
            if matches!(self.stage, Stage::Closing(_)) {
                continue;
            }
            if more {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let Some(due) = self.due(now) else { return Poll::Pending };
            if self.wait(cx, timer.as_mut(), due).is_pending() {
                return Poll::Pending;
            }
        }
    }

    fn first_due(&self) -> Instant {
        let now = self.shared.now();
        self.shared.instant(self.session.deadline().unwrap_or(now))
    }

    /// Ready once it is `due`.
    fn wait(&self, cx: &mut Context<'_>, mut timer: Pin<&mut Sleep>, due: Timestamp) -> Poll<()> {
        let due = self.shared.instant(due);
        // A timer that fires early costs less than one that is moved with every message.
        if due < timer.deadline() || timer.is_elapsed() {
            timer.as_mut().reset(due);
        }
        timer.poll(cx)
    }

    /// When something must be done even if nothing happens.
    fn due(&self, now: Timestamp) -> Option<Timestamp> {
        let resumes = match self.session.reading(&self.shared.settings.session, now) {
            Reading::At(at) => Some(at),
            Reading::Now | Reading::Not => None,
        };
        [self.session.deadline(), resumes, self.stalled_at()].into_iter().flatten().min()
    }

    fn stalled_at(&self) -> Option<Timestamp> {
        self.transport.stalled_since().map(|since| since + self.shared.settings.stalled_after)
    }

    /// Answers whether the socket is to give way to newer ones. What it has said by now is heard
    /// first: in a storm of honest satellites many wait to be read, and none because it is silent.
    fn take_orders(&mut self, cx: &mut Context<'_>, now: Timestamp) -> bool {
        let post = self.mailbox.take(cx.waker());
        for order in post.orders {
            let displaced = match order {
                Order::Fenced(Fence::Superseded) => self.session.session(),
                Order::Fenced(_)
                | Order::Shutdown { .. }
                | Order::Drain
                | Order::Threshold(_)
                | Order::Configure(_)
                | Order::RefreshPackages(_)
                | Order::SandboxPolicy(_)
                | Order::Acknowledge(_)
                | Order::Answer(_) => None,
            };
            self.step(cx, now, Input::Order(order));
            if let (Some(session), Stage::Closing(closing)) = (displaced, &mut self.stage) {
                closing.displace(session);
            }
        }
        if post.overflowed {
            self.step(cx, now, Input::OutgoingFull);
        }
        post.evicted
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>, now: Timestamp) {
        let Stage::Asking(asking) = &mut self.stage else { return };
        if let Poll::Ready(answer) = asking.as_mut().poll(cx) {
            self.stage = Stage::Talking;
            self.step(cx, now, Input::Answered(answer));
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>, now: Timestamp) {
        match self.transport.poll_flush(cx, now) {
            Poll::Ready(Err(NotSent::Lost)) => self.step(cx, now, Input::TransportLost),
            Poll::Ready(Err(NotSent::Full)) => self.step(cx, now, Input::OutgoingFull),
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        self.give_room();
        if self.stalled_at().is_some_and(|at| now >= at) {
            self.step(cx, now, Input::OutgoingFull);
        }
    }

    fn tick(&mut self, cx: &mut Context<'_>, now: Timestamp) {
        if self.session.deadline().is_some_and(|at| now >= at) {
            self.step(cx, now, Input::Tick);
        }
    }

    /// Handles messages while there are some and the budget allows; true when there may be more
    /// and only this turn is over.
    fn poll_messages(&mut self, cx: &mut Context<'_>, now: Timestamp) -> bool {
        for _ in 0..MESSAGES_A_TURN {
            if self.session.reading(&self.shared.settings.session, now) != Reading::Now {
                return false;
            }
            let (received, bytes, out_of_turn) = self.transport.poll_read(cx, now);
            if bytes > 0 {
                self.step(cx, now, Input::Received { bytes: bytes as u64 });
            }
            match received {
                Poll::Ready(Received::Text(text)) => self.text(cx, now, &text),
                Poll::Ready(Received::Control) => self.step(cx, now, Input::Control),
                Poll::Ready(Received::Violation(v)) => self.step(cx, now, Input::Violation(v)),
                Poll::Ready(Received::PeerClosed) => self.step(cx, now, Input::PeerClosed),
                Poll::Ready(Received::Lost) => self.step(cx, now, Input::TransportLost),
                Poll::Pending => return out_of_turn,
            }
        }
        true
    }

    /// Hands on what was asked for, while the peer takes what it is told.
    fn look_for_requests(&mut self, cx: &mut Context<'_>, now: Timestamp) {
        while self.session.has_request() && self.transport.stalled_since().is_none() {
            self.step(cx, now, Input::Room);
        }
    }

    fn text(&mut self, cx: &mut Context<'_>, now: Timestamp, text: &str) {
        match FromSatellite::parse(text) {
            Ok(message) => {
                self.shared.meters.message(&message);
                let kind = message.kind();
                let effect = self.decide(now, Input::Message(Message::from(message)));
                match &effect {
                    Effect::Drop(why) => self.log_dropped(*why, &kind, text.len()),
                    Effect::RefuseResult(_) => self.log_refused(text.len()),
                    _ => {}
                }
                self.act(cx, now, effect);
            }
            Err(error) => {
                let why = Unreadable::from(&error);
                match why {
                    Unreadable::UnknownType => self.shared.meters.unknown.increment(1),
                    Unreadable::Malformed => self.shared.meters.malformed.increment(1),
                }
                self.log_dropped(Dropped::Unreadable(why), &error, text.len());
                self.step(cx, now, Input::Unreadable(why));
            }
        }
    }

    fn step(&mut self, cx: &mut Context<'_>, now: Timestamp, input: Input<'_>) {
        let effect = self.decide(now, input);
        self.act(cx, now, effect);
    }

    fn decide(&mut self, now: Timestamp, input: Input<'_>) -> Effect {
        self.session.step(&self.shared.settings.session, now, input)
    }

    fn act(&mut self, cx: &mut Context<'_>, now: Timestamp, effect: Effect) {
        match effect {
            Effect::Nothing | Effect::Drop(_) => {}
            Effect::Authenticate(credentials) => {
                self.ask(*credentials);
                self.poll_answer(cx, now);
            }
            Effect::Welcome(welcome) => {
                let limit = self.session.message_limit(&self.shared.settings.session);
                self.transport.limit_messages(limit);
                self.reply(cx, now, Reply::Authenticated(welcome));
            }
            Effect::Heartbeat(session, beat) => self.shared.gateway.heartbeat(session, beat),
            Effect::Reported(session, run) => self.shared.gateway.reported(session, *run),
            Effect::Applied(session, revision) => self.shared.gateway.applied(session, revision),
            Effect::LacksStrategy(session, said) => {
                let (strategy, message) = *said;
                self.shared.gateway.lacks_strategy(session, strategy, message);
            }
            Effect::PackagesSynced(session, state) => {
                self.shared.gateway.packages_synced(session, *state);
            }
            Effect::Request(session, request) => {
                if let Some(answer) = self.shared.gateway.request(session, *request) {
                    self.step(cx, now, Input::Order(Order::Answer(Box::new(answer))));
                }
            }
            Effect::Acknowledge(acks) => {
                for ResultAck { result_id, refused: reason } in acks {
                    let accepted = reason.is_none();
                    self.reply(cx, now, Reply::ResultAck { result_id, accepted, reason });
                }
            }
            Effect::Reply(reply) => self.reply(cx, now, reply),
            Effect::RefuseResult(reply) => {
                self.shared.meters.unauthorised_results.increment(1);
                if let Some(reply) = reply {
                    self.reply(cx, now, reply);
                }
            }
            Effect::Ping => self.send(cx, now, ping()),
            Effect::End(end) => self.end(cx, now, end),
        }
    }

    fn ask(&mut self, credentials: Credentials) {
        self.leave_seat();
        let attempt = Attempt {
            client_id: credentials.client_id,
            token: credentials.token,
            capabilities: credentials.capabilities,
            remote: self.remote,
            session: SessionId(Uuid::new_v4()),
            outbox: self.mailbox.clone(),
        };
        let gateway = self.shared.gateway.clone();
        self.stage = Stage::Asking(Box::pin(async move { gateway.authenticate(attempt).await }));
    }

    fn reply(&mut self, cx: &mut Context<'_>, now: Timestamp, reply: Reply) {
        if let Reply::Answer(Answer::ScriptPackageBlob { blob: Some(loaded), .. }) = &reply {
            self.room = Some(loaded.room.clone());
        }
        self.send(cx, now, Frame::Text(text_of(reply)));
        self.give_room();
    }

    /// Others may load a blob, once the last one was written.
    fn give_room(&mut self) {
        if self.room.is_some() && self.transport.stalled_since().is_none() {
            self.room = None;
        }
    }

    fn send(&mut self, cx: &mut Context<'_>, now: Timestamp, message: Frame) {
        match self.transport.send(cx, now, &self.shared.settings, message) {
            Ok(()) => {}
            Err(NotSent::Full) => self.step(cx, now, Input::OutgoingFull),
            Err(NotSent::Lost) => self.step(cx, now, Input::TransportLost),
        }
    }

    fn end(&mut self, cx: &mut Context<'_>, now: Timestamp, end: End) {
        self.leave_seat();
        self.mailbox.shut();
        self.shared.meters.closed(end.ending);
        tracing::debug!(
            remote = %self.remote,
            session = end.closed.map(|(session, _)| tracing::field::display(session.session)),
            why = end.ending.name(),
            "socket ends"
        );
        let closing = Closing::begin(cx, &self.shared, &mut self.transport, now, end);
        self.stage = Stage::Closing(Box::new(closing));
    }

    fn leave_seat(&mut self) {
        if let Some(seat) = self.seat.take() {
            self.shared.waiting.leave(&seat);
        }
    }

    fn log_dropped(&self, why: Dropped, what: &dyn std::fmt::Display, bytes: usize) {
        let satellite = self.session.session().map(|session| session.satellite);
        tracing::debug!(
            remote = %self.remote,
            satellite = satellite.map(tracing::field::display),
            %what,
            bytes,
            ?why,
            "message dropped"
        );
    }

    fn log_refused(&self, bytes: usize) {
        let satellite = self.session.session().map(|session| session.satellite);
        tracing::debug!(
            satellite = satellite.map(tracing::field::display),
            bytes,
            "a result that does not count was refused"
        );
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Drop for Connection<S> {
    /// Also runs when the task panics: then nobody else tells that the session is over.
    fn drop(&mut self) {
        self.leave_seat();
        self.mailbox.shut();
        if let Some(session) = self.session.session() {
            record_lost(&self.shared, session);
        }
        self.shared.closed();
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use groundcontrol_core::connection::CloseReason;
    use groundcontrol_core::ports::{Beat, SatelliteGateway, SessionRef};
    use tokio::net::TcpStream;

    use super::*;
    use crate::{SatelliteSockets, SocketSettings};

    struct Nobody;

    #[async_trait]
    impl SatelliteGateway for Nobody {
        async fn authenticate(&self, _: Attempt) -> Authentication {
            Authentication::Unavailable
        }
        fn heartbeat(&self, _: SessionRef, _: Beat) {}
        async fn closed(&self, _: SessionRef, _: CloseReason) {}
        fn displaced(&self, _: SessionRef, _: IpAddr) {}
    }

    #[tokio::test]
    async fn the_task_of_a_socket_is_small() {
        let sockets = SatelliteSockets::new(Arc::new(Nobody), SocketSettings::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let local = [127, 0, 0, 1].into();
        let task = run(Connection::new(sockets.shared().clone(), stream, &[], local));
        let bytes = size_of_val(&task);
        println!(
            "task {bytes} bytes: transport {}, session {}, timer {}",
            size_of::<Transport<TcpStream>>(),
            size_of::<Session>(),
            size_of::<Sleep>()
        );
        assert!(bytes <= 768, "{bytes} bytes for every socket");
    }
}
