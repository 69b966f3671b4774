//! The server, the three satellites, and what is seen of them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use groundcontrol_core::connection::EventKind;
use groundcontrol_core::satellite::Token;
use groundcontrol_http::dto::{CreateSatellite, StreamMessage};
use tempfile::TempDir;
use tokio::io::{BufReader, Lines};
use tokio::process::ChildStdout;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::child::{Child, Launcher};
use super::expected::{Expected, Seen, fault};
use super::proxy::Proxy;
use crate::agent::{Endpoint, client_config};
use crate::client::{Client, EventStream, ListFilter, StreamItem};
use crate::command::console::Console;
use crate::command::printable::printable;
use crate::command::token::TokenFile;
use crate::command::view;

/// The time for a process to be ready.
const READY: Duration = Duration::from_secs(30);
/// The time for the server to drain.
const DRAINED: Duration = Duration::from_secs(20);

/// Everything that runs for the demo.
pub(super) struct Stage {
    console: Console,
    launcher: Launcher,
    server: Child,
    _output: Lines<BufReader<ChildStdout>>,
    client: Client,
    events: EventStream,
    pub(super) actors: Vec<Actor>,
    folder: TempDir,
}

/// One satellite.
pub(super) struct Actor {
    pub(super) name: &'static str,
    id: Uuid,
    pub(super) process: Child,
    expected: &'static [Expected],
    seen: Vec<Seen>,
}

impl Stage {
    /// Starts a server on a temporary database and a free port.
    pub(super) async fn open(executable: PathBuf, console: Console) -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("groundcontrol-demo-")
            .context("could not make a temporary folder")?;
        let launcher = Launcher::new(executable, folder.path());
        let mut random = [0; 32];
        getrandom::fill(&mut random).context("the system gives no random numbers")?;
        let token = Token::for_api(random);
        let data = folder.path().join("data");
        let flags = [
            "serve",
            "--listen=127.0.0.1:0",
            "--heartbeat-interval=1s",
            "--offline-threshold=3s",
            &format!("--data-dir={}", data.display()),
        ];
        let admin = ("GROUNDCONTROL_ADMIN_TOKEN", token.expose());
        let mut server = launcher.start("Server", flags, Some(admin))?;
        let (url, output) = server.announced("Ground Control listens on ", READY).await?;
        let endpoint = Endpoint::parse(&url, false)?;
        let client = Client::new(endpoint, &client_config(false, None)?, Some(token))?;
        let events = EventStream::new(client.clone(), None);
        let mut stage = Self {
            console,
            launcher,
            server,
            _output: output,
            client,
            events,
            actors: Vec::new(),
            folder,
        };
        // The stream is open before anything can happen, so that it misses nothing.
        let deadline = Instant::now() + READY;
        while !matches!(stage.next_item(deadline).await?, Some(StreamItem::Live { .. })) {
            anyhow::ensure!(Instant::now() < deadline, "the server's event stream did not open");
        }
        Ok(stage)
    }

    /// Makes a satellite and starts its agent, which reaches the server directly or through
    /// `network`.
    pub(super) async fn enter(
        &mut self,
        name: &'static str,
        region: &str,
        expected: &'static [Expected],
        network: Option<&Proxy>,
    ) -> anyhow::Result<()> {
        let request = CreateSatellite {
            name: name.to_owned(),
            region: region.to_owned(),
            ..CreateSatellite::default()
        };
        let made = self.client.create_satellite(&request).await?;
        let file = self.folder.path().join(format!("{name}.token"));
        TokenFile::create(&file)?.save(made.token.expose())?;
        let url = network.map_or_else(
            || self.client.endpoint().to_string(),
            |proxy| format!("http://{}", proxy.address()),
        );
        let id = made.satellite.id;
        let flags = [
            "satellite".to_owned(),
            format!("--url={url}"),
            format!("--client-id={id}"),
            format!("--token-file={}", file.display()),
        ];
        let process = self.launcher.start(name, flags, None)?;
        self.actors.push(Actor { name, id, process, expected, seen: Vec::new() });
        Ok(())
    }

    /// The address that the server listens on.
    pub(super) fn server_address(&self) -> anyhow::Result<SocketAddr> {
        let (host, port) = self.client.endpoint().address();
        Ok(SocketAddr::new(host.parse()?, port))
    }

    /// The folder with the logs.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The server's URL.
    pub(super) fn url(&self) -> String {
        self.client.endpoint().to_string()
    }

    /// Tells the audience something.
    pub(super) fn say(&mut self, text: &str) -> anyhow::Result<()> {
        self.console.line(text)?;
        Ok(())
    }

    /// Shows events for so long.
    pub(super) async fn pass(&mut self, time: Duration) -> anyhow::Result<()> {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.show_next(until).await?;
        }
        Ok(())
    }

    /// Shows events until every satellite has shown `edges` edges, or its last, or until `within`
    /// is over; whether all have.
    pub(super) async fn until_all(
        &mut self,
        edges: usize,
        within: Duration,
    ) -> anyhow::Result<bool> {
        let until = Instant::now() + within;
        while self.actors.iter().any(|actor| actor.seen.len() < edges) {
            if Instant::now() >= until {
                return Ok(false);
            }
            self.show_next(until).await?;
        }
        Ok(true)
    }

    /// Shows events until the satellite numbered `actor` has shown as many edges as `edges`, or
    /// until `within` is over; whether it has.
    pub(super) async fn until(
        &mut self,
        actor: usize,
        edges: usize,
        within: Duration,
    ) -> anyhow::Result<bool> {
        let until = Instant::now() + within;
        while self.actors[actor].seen.len() < edges {
            if Instant::now() >= until {
                return Ok(false);
            }
            self.show_next(until).await?;
        }
        Ok(true)
    }

    async fn show_next(&mut self, until: Instant) -> anyhow::Result<()> {
        let Some(StreamItem::Message { data, .. }) = self.next_item(until).await? else {
            return Ok(());
        };
        let Ok(StreamMessage::Event(event)) = serde_json::from_str(&data) else { return Ok(()) };
        let seen = Seen { event: event.kind.0, cause: event.cause.map(|cause| cause.0) };
        if let Some(actor) =
            self.actors.iter_mut().find(|actor| Some(actor.id) == event.satellite_id())
        {
            actor.seen.push(seen);
        }
        self.console.line(format!("   event  {}", printable(&view::event_line(&event))))?;
        Ok(())
    }

    async fn next_item(&mut self, until: Instant) -> anyhow::Result<Option<StreamItem>> {
        match timeout_at(until, self.events.next()).await {
            Ok(item) => Ok(Some(item?)),
            Err(_) => Ok(None),
        }
    }

    /// Shows the list of satellites as the server has it.
    pub(super) async fn show_table(&mut self) -> anyhow::Result<()> {
        let satellites = self.client.satellites(&ListFilter::default()).await?;
        let now = self.console.now();
        let columns = 0..5;
        let rows = satellites.iter().map(|s| view::satellite_row(s, now)[columns.clone()].to_vec());
        let table = self.console.table_text(&view::SATELLITES[columns.clone()], rows.collect());
        let indented: Vec<String> = table.lines().map(|line| format!("   {line}")).collect();
        self.console.line(format!("\n{}\n", indented.join("\n")))?;
        Ok(())
    }

    /// What was not as it should be: edges on the stream, and whether the history says the same.
    pub(super) async fn faults(&mut self) -> anyhow::Result<Vec<String>> {
        let mut faults = Vec::new();
        for actor in &self.actors {
            faults.extend(fault(actor.name, actor.expected, &actor.seen));
            let mut history = self.client.transitions(actor.id, 100).await?;
            history.reverse();
            let recorded = history.iter().map(|transition| Seen {
                event: transition.event.map_or(EventKind::Removed, |edge| EventKind::of(edge.0)),
                cause: transition.cause.map(|cause| cause.0),
            });
            if !recorded.eq(actor.seen.iter().copied()) {
                faults.push(format!("{}: its history differs from its events", actor.name));
            }
        }
        Ok(faults)
    }

    /// Ends the demo but leaves its logs where they are.
    pub(super) fn keep_logs(self) -> anyhow::Result<()> {
        let Self { mut console, folder, .. } = self;
        console.line(format!("» The logs stay in {}.", folder.keep().display()))?;
        Ok(())
    }

    /// Stops what still runs. Processes that do not stop are killed.
    pub(super) async fn close(mut self) -> anyhow::Result<()> {
        for actor in &mut self.actors {
            if actor.process.id().is_some() {
                actor.process.kill().await?;
            }
        }
        let status = self.server.stop(DRAINED).await?;
        anyhow::ensure!(
            status.success(),
            "the server ended with {status}:\n{}",
            self.server.log_tail()
        );
        Ok(())
    }
}
