//! Empty places on a server that the tests of a process share.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use sea_orm::{ConnectionTrait, Database, DatabaseConnection};

use crate::Server;

/// The variable that names a server to use: a URL of a database whose user may make schemas.
pub const URL_VARIABLE: &str = "GROUNDCONTROL_TEST_POSTGRES";

static SHARED: OnceLock<Shared> = OnceLock::new();
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// The server of this process.
enum Shared {
    Private(Server),
    Named(String),
}

/// An empty schema of its own, as good as a database of its own and quicker to make. It is
/// dropped with this, except on a server that is private and goes away itself.
#[derive(Debug)]
pub struct Schema {
    server: String,
    name: String,
    keep: bool,
}

impl Schema {
    /// Makes one on the shared server, which the first call starts.
    pub async fn make() -> Self {
        let shared = SHARED.get_or_init(|| match std::env::var(URL_VARIABLE) {
            Ok(url) if !url.is_empty() => Shared::Named(url),
            _ => Shared::Private(Server::fast()),
        });
        match shared {
            Shared::Private(server) => Self::make_on(&server.url(), true).await,
            Shared::Named(url) => Self::make_on(url, false).await,
        }
    }

    /// Makes one on `server`.
    pub async fn on(server: &Server) -> Self {
        Self::make_on(&server.url(), true).await
    }

    async fn make_on(server: &str, keep: bool) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("groundcontrol_test_{}_{number}", std::process::id());
        let schema = Self { server: server.to_owned(), name, keep };
        schema.run(&format!("CREATE SCHEMA {}", schema.name)).await;
        schema
    }

    /// The URL under which the schema is all that there is.
    pub fn url(&self) -> String {
        let separator = if self.server.contains('?') { '&' } else { '?' };
        format!("{}{separator}options=-csearch_path%3D{}", self.server, self.name)
    }

    /// One connection into the schema, for what a test does behind an adapter's back.
    pub async fn connect(&self) -> DatabaseConnection {
        let mut options = sea_orm::ConnectOptions::new(self.url());
        options.max_connections(1).sqlx_logging(false);
        Database::connect(options).await.expect("the server can be reached")
    }

    /// Runs statements in it.
    pub async fn run(&self, sql: &str) {
        let connection = self.connect().await;
        connection.execute_unprepared(sql).await.expect("the statements can be run");
        connection.close().await.expect("the connection can be closed");
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        let drop = format!("DROP SCHEMA {} CASCADE", self.name);
        let schema = Self { server: self.server.clone(), name: self.name.clone(), keep: true };
        // The test's own runtime cannot be waited for from here.
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime can be made").block_on(schema.run(&drop));
        });
        // A schema that stays behind is the server's operator's to remove, and no fault of a test.
        dropping.join().ok();
    }
}
