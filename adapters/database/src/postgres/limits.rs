//! How long anything may take on a database server.

use std::time::Duration;

/// How long anything may take on a database server. The defaults suit a server in the same
/// building, or region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    /// Making a connection, with TLS and authentication.
    pub connect: Duration,
    /// Waiting for one of the connections that read.
    pub acquire: Duration,
    /// One statement, with its waits for locks that others hold. The server ends it then; should
    /// the server not be heard of, it is given up [`SILENCE`](Self::SILENCE) later.
    pub statement: Duration,
    /// A transaction between two of its statements: the server ends that of a pod which was
    /// stopped or cut off, so that others do not wait for its locks for longer.
    pub held: Duration,
    /// A connection that reads is closed when nobody needed it for this long.
    pub idle: Duration,
    /// A connection that reads is closed at this age, so that all move to a new server in the end.
    pub age: Duration,
    /// Bringing the schema up to date, with the wait for another pod that does.
    pub migrate: Duration,
}

impl ServerLimits {
    /// How much later than the server itself a statement is given up here.
    pub const SILENCE: Duration = Duration::from_secs(2);
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            acquire: Duration::from_secs(5),
            statement: Duration::from_secs(8),
            held: Duration::from_secs(4),
            idle: Duration::from_secs(600),
            age: Duration::from_secs(3600),
            migrate: Duration::from_secs(600),
        }
    }
}
