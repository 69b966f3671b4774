//! Prefixes on a server that the tests of a process share.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::Server;

/// The variable that names a server to use: a URL whose user may do everything, with JetStream.
pub const URL_VARIABLE: &str = "GROUNDCONTROL_TEST_NATS";

static SHARED: OnceLock<Shared> = OnceLock::new();
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// The server of this process.
enum Shared {
    Private(Server),
    Named(String),
}

/// A server, and a prefix there that nobody else uses.
#[derive(Clone, Debug)]
pub struct Place {
    /// The server's URL.
    pub url: String,
    /// The prefix.
    pub prefix: String,
}

impl Place {
    /// One on the shared server, which the first call starts.
    pub fn make() -> Self {
        let shared = SHARED.get_or_init(|| match std::env::var(URL_VARIABLE) {
            Ok(url) if !url.is_empty() => Shared::Named(url),
            _ => Shared::Private(Server::start_new()),
        });
        match shared {
            Shared::Private(server) => Self::on(&server.url()),
            Shared::Named(url) => Self::on(url),
        }
    }

    /// One on the server at `url`.
    pub fn on(url: &str) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let prefix = format!("test-{}-{since}-{number}", std::process::id());
        Self { url: url.to_owned(), prefix }
    }
}
