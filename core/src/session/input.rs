//! What can happen to a socket, and what must be done about it.

use super::ending::End;
use super::message::{Message, Reply};
use super::request::{Request, ScriptPackageSyncState};
use crate::assignment::Revision;
use crate::ports::{Authentication, Beat, Order, ResultAck, SessionRef, Welcome};
use crate::run::ReportedRun;
use crate::satellite::Token;

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// Bytes arrived, of whatever frame.
    Received {
        /// How many.
        bytes: u64,
    },
    /// A message that was understood.
    Message(Message<'a>),
    /// A text frame that is no message.
    Unreadable(Unreadable),
    /// A ping or a pong.
    Control,
    /// The peer broke the rules of the transport.
    Violation(Violation),
    /// The peer sent a close frame.
    PeerClosed,
    /// The transport broke.
    TransportLost,
    /// The gateway answered an [`Effect::Authenticate`].
    Answered(Authentication),
    /// Ground Control wants something of this socket.
    Order(Order),
    /// Nothing waits to be written, so that the answer to a request would be next. Expected while
    /// [`Session::has_request`](super::Session::has_request), harmless at any other time.
    Room,
    /// More waits to be written than may: the peer does not read.
    OutgoingFull,
    /// There are too many sockets that did not authenticate, and this is the oldest.
    Evicted,
    /// Time passed; expected at [`Session::deadline`](super::Session::deadline), harmless at
    /// any other time.
    Tick,
}

/// Why a text frame is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Its `type` is none that this version knows.
    UnknownType,
    /// It is not JSON, or a field is missing or of the wrong type.
    Malformed,
}

/// How the peer broke the rules of the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A message of more than [`Session::message_limit`](super::Session::message_limit) bytes.
    TooLarge,
    /// A binary message.
    Binary,
    /// Text that is not UTF-8.
    NotUtf8,
    /// A frame that RFC 6455 does not allow.
    BadFrame,
}

/// What must be done. Each step asks for one thing at most.
#[derive(Debug)]
pub enum Effect {
    /// Nothing.
    Nothing,
    /// Ask the gateway, and hand its answer in as [`Input::Answered`]. Until then nothing more
    /// is read from the socket.
    Authenticate(Box<Credentials>),
    /// Say `authenticated`; from now on messages may be larger.
    Welcome(Welcome),
    /// Hand a heartbeat to the gateway.
    Heartbeat(SessionRef, Beat),
    /// Hand a run to the gateway.
    Reported(SessionRef, Box<ReportedRun>),
    /// Tell the gateway which configuration the agent runs.
    Applied(SessionRef, Revision),
    /// Tell the gateway which strategy the agent lacks.
    LacksStrategy(SessionRef, Box<(String, String)>),
    /// Tell the gateway where the agent's script packages stand.
    PackagesSynced(SessionRef, Box<ScriptPackageSyncState>),
    /// Hand a request to the gateway, which answers it once, by
    /// [`Order::Answer`](crate::ports::Order::Answer).
    Request(SessionRef, Box<Request>),
    /// Answer, once for each.
    Acknowledge(Vec<ResultAck>),
    /// Answer.
    Reply(Reply),
    /// A result that does not count, as it is outside of the satellite's assignments or makes no
    /// sense: count it, log it, and answer where there is an answer.
    RefuseResult(Option<Reply>),
    /// Log that a message was dropped.
    Drop(Dropped),
    /// Send a ping.
    Ping,
    /// End the socket. Asked for exactly once.
    End(End),
}

/// What a satellite presents.
#[derive(Debug)]
pub struct Credentials {
    /// The satellite's id, as it came.
    pub client_id: String,
    /// Its token.
    pub token: Token,
    /// What the agent can do.
    pub capabilities: Option<Vec<String>>,
}

/// Why a message has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// Unknown or malformed.
    Unreadable(Unreadable),
    /// A second `authenticate`.
    Repeated,
    /// It came before the answer to `authenticate`.
    TooEarly,
    /// This server has nothing that handles it, and it is not answered.
    Unserved,
    /// A request with a text that is too long.
    TooLong,
    /// A request for which there is neither room nor an answer that says so.
    Busy,
}
