//! The pod's end of a connection: what the socket adapter does, without a socket.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use groundcontrol::pod::GroundControl;
use groundcontrol_core::connection::CloseReason;
use groundcontrol_core::ports::{
    Attempt, Authentication, Clock as _, Order, Outbox, SatelliteGateway as _, SessionRef,
};
use groundcontrol_core::satellite::SessionId;
use groundcontrol_core::session::{
    Effect, End, Ending, Input, Message, Reading, Session, SessionSettings,
};
use groundcontrol_core::time::{Millis, Timestamp};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::clock::PodClock;
use super::host::Host;
use super::line::{Line, ToAgent, ToPod};
use super::planted::PlantedBug;
use super::world::World;

/// The way to one socket.
struct Orders {
    queue: mpsc::UnboundedSender<Order>,
    world: Arc<World>,
}

impl Outbox for Orders {
    fn deliver(&self, order: Order) {
        let is_lost = self.world.planted == Some(PlantedBug::FencedNotTold)
            && matches!(order, Order::Fenced(_));
        if !is_lost {
            let _ = self.queue.send(order);
        }
    }
}

type Asking = Pin<Box<dyn Future<Output = Authentication> + Send>>;

/// One socket.
struct Socket {
    world: Arc<World>,
    host: Arc<Host>,
    pod: GroundControl,
    clock: Arc<PodClock>,
    line: Arc<Line>,
    settings: SessionSettings,
    session: Session,
    orders: Arc<Orders>,
    begun: Instant,
    id: SessionId,
    remote: IpAddr,
    of: Option<SessionRef>,
    asking: Option<Asking>,
}

/// Serves one connection until it ends; `number` tells it from all others of the run.
pub(super) async fn serve(
    world: Arc<World>,
    host: Arc<Host>,
    pod: GroundControl,
    clock: Arc<PodClock>,
    line: Arc<Line>,
    number: u64,
) {
    let settings = SessionSettings::default();
    let (queue, mut ordered) = mpsc::unbounded_channel();
    let mut socket = Socket {
        orders: Arc::new(Orders { queue, world: world.clone() }),
        session: Session::new(&settings, Timestamp::from_millis(0)),
        begun: Instant::now(),
        id: SessionId(Uuid::from_u128(u128::from(world.seed) << 64 | u128::from(number))),
        remote: IpAddr::from([10, (number >> 16) as u8, (number >> 8) as u8, number as u8]),
        of: None,
        asking: None,
        world,
        host,
        pod,
        clock,
        line,
        settings,
    };
    let end = loop {
        if let Some(end) = socket.turn(&mut ordered).await {
            break end;
        }
    };
    socket.end(end).await;
}

impl Socket {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0) + Millis::from(self.begun.elapsed())
    }

    /// Waits for what happens next, and does what must be done.
    async fn turn(&mut self, ordered: &mut mpsc::UnboundedReceiver<Order>) -> Option<End> {
        let deadline = self.session.deadline();
        let due = self.begun + deadline.unwrap_or_default().since(Timestamp::default()).into();
        let reading = self.session.reading(&self.settings, self.now());
        let is_asking = self.asking.is_some();
        let asking = self.asking.as_mut();
        let input = tokio::select! {
            biased;
            Some(order) = ordered.recv() => Input::Order(order),
            answer = async { match asking { Some(asking) => asking.await, None => std::future::pending().await } },
                if is_asking => {
                self.asking = None;
                Input::Answered(answer)
            }
            message = self.line.up.receive(), if reading == Reading::Now => match message {
                ToPod::Authenticate(id, token) => Input::Message(Message::Authenticate {
                    client_id: id.to_string(),
                    token,
                    capabilities: None,
                }),
                ToPod::Heartbeat => {
                    Input::Message(Message::Heartbeat { version: "1".into(), capabilities: None })
                }
                ToPod::Pong => Input::Control,
                ToPod::Close => Input::PeerClosed,
                ToPod::Reset => Input::TransportLost,
            },
            () = sleep_until(due), if deadline.is_some() => Input::Tick,
        };
        let now = self.now();
        let effect = self.session.step(&self.settings, now, input);
        self.act(effect)
    }

    fn act(&mut self, effect: Effect) -> Option<End> {
        match effect {
            Effect::Nothing
            | Effect::Drop(_)
            | Effect::Reply(_)
            | Effect::Acknowledge(_)
            | Effect::Reported(..)
            | Effect::Applied(..)
            | Effect::LacksStrategy(..)
            | Effect::PackagesSynced(..)
            | Effect::Request(..)
            | Effect::RefuseResult(_) => {}
            Effect::Authenticate(credentials) => {
                let attempt = Attempt {
                    client_id: credentials.client_id,
                    token: credentials.token,
                    capabilities: credentials.capabilities,
                    remote: self.remote,
                    session: self.id,
                    outbox: self.orders.clone(),
                };
                let pod = self.pod.clone();
                self.asking = Some(Box::pin(async move { pod.authenticate(attempt).await }));
            }
            Effect::Welcome(welcome) => {
                self.of = Some(welcome.session);
                self.host.opened(welcome.session);
                self.line.to_agent(ToAgent::Authenticated(welcome));
            }
            Effect::Heartbeat(session, beat) => {
                let stamp = self.clock.now();
                self.world.step_of(session.satellite, || {
                    format!("heartbeat of epoch {} at {}", session.epoch, self.host)
                });
                self.world.judge.received(self.host.index, session, stamp);
                self.pod.heartbeat(session, beat);
            }
            Effect::Ping => self.line.to_agent(ToAgent::Ping),
            Effect::End(end) => return Some(end),
        }
        None
    }

    async fn end(&mut self, end: End) {
        let Self { world, host, .. } = self;
        let known = end.closed.map(|(session, _)| session).or(self.of);
        if let Some(session) = known {
            world.step_of(session.satellite, || {
                format!("socket of epoch {} at {host} ends: {}", session.epoch, end.ending.name())
            });
            world.judge.socket_ended(session.satellite, session.session, end.ending);
        }
        match end.ending {
            Ending::Refused { .. } | Ending::NotAuthenticated => {
                self.line.to_agent(ToAgent::AuthFailed);
            }
            Ending::Shutdown { .. } => self.line.to_agent(ToAgent::Shutdown),
            _ => {}
        }
        self.line.to_agent(ToAgent::Close(end.ending.close_code()));
        if let Some((session, reason)) = end.closed {
            let records = self.world.planted == Some(PlantedBug::CloseOnDrain);
            let reason = match reason {
                CloseReason::Drained if records => CloseReason::ConnectionLost,
                reason => reason,
            };
            self.pod.closed(session, reason).await;
        }
        self.host.closed(self.id);
    }
}
