//! `groundcontrol satellites watch`: the list as it changes.

use std::collections::BTreeMap;
use std::time::Duration;

use groundcontrol_http::dto::{CloudEvent, Satellite, Signal, Status, StreamMessage};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use uuid::Uuid;

use super::console::Console;
use super::events::note_of;
use super::printable::printable;
use super::view;
use crate::client::{Client, ClientError, EventStream, ListFilter, StreamItem};

/// Changes that come together are shown together.
const TOGETHER: Duration = Duration::from_millis(100);
/// Beside events, the whole list is read again this often: last seen moves without an event.
const READ_AGAIN: Duration = Duration::from_secs(15);
/// Ages on the screen are counted this often.
const TICK: Duration = Duration::from_secs(1);
/// More changes than this at once, and the whole list is read instead of each satellite.
const ONE_BY_ONE: usize = 20;

/// Follows until it is interrupted, or the server refuses for good.
pub(super) async fn run(
    filter: ListFilter,
    client: &Client,
    console: &mut Console,
) -> anyhow::Result<()> {
    match console.terminal().is_some() && !console.is_json() {
        true => Screen::new(filter, client, console).follow().await,
        false => follow_lines(filter, client, console).await,
    }
}

/// For programs and files: the list once, then a line for every event.
async fn follow_lines(
    filter: ListFilter,
    client: &Client,
    console: &mut Console,
) -> anyhow::Result<()> {
    let mut stream = EventStream::new(client.clone(), None);
    let mut shown: Option<BTreeMap<Uuid, Satellite>> = None;
    loop {
        let item = stream.next().await?;
        if let Some(note) = note_of(&item) {
            console.note(note)?;
        }
        match item {
            // Read after the stream is open, so that nothing falls between the two.
            StreamItem::Live { .. } => {
                let known = read(client, &filter).await?;
                if shown.is_none() {
                    write_list(&known, console)?;
                }
                shown = Some(known);
            }
            StreamItem::Message { data, .. } => {
                if let Ok(StreamMessage::Event(event)) = serde_json::from_str(&data)
                    && (is_unfiltered(&filter) || concerns(&event, shown.as_ref()))
                {
                    write_event(&event, &data, console)?;
                }
            }
            StreamItem::Stale { .. } => {}
        }
    }
}

fn write_list(known: &BTreeMap<Uuid, Satellite>, console: &mut Console) -> anyhow::Result<()> {
    if console.is_json() {
        for satellite in known.values() {
            console.json_line(&serde_json::to_string(satellite)?)?;
        }
        return Ok(());
    }
    let now = console.now();
    let rows = by_name(known).map(|satellite| view::satellite_row(satellite, now)).collect();
    console.table(view::SATELLITES, rows)?;
    Ok(())
}

fn write_event(event: &CloudEvent, data: &str, console: &mut Console) -> anyhow::Result<()> {
    match console.is_json() {
        true => console.json_line(&data.replace('\n', " "))?,
        false => console.line(printable(&view::event_line(event)))?,
    }
    Ok(())
}

/// The terminal's picture of the fleet.
struct Screen<'a> {
    filter: ListFilter,
    client: &'a Client,
    console: &'a mut Console,
    known: BTreeMap<Uuid, Satellite>,
    changed: Vec<Uuid>,
    read_at: Instant,
    latest: String,
    note: Option<String>,
}

impl<'a> Screen<'a> {
    fn new(filter: ListFilter, client: &'a Client, console: &'a mut Console) -> Self {
        Self {
            filter,
            client,
            console,
            known: BTreeMap::new(),
            changed: Vec::new(),
            read_at: Instant::now(),
            latest: String::new(),
            note: Some("connecting".to_owned()),
        }
    }

    async fn follow(mut self) -> anyhow::Result<()> {
        let mut stream = EventStream::new(self.client.clone(), None);
        let mut tick = interval_at(Instant::now() + TICK, TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.console.repaint("")?;
        loop {
            tokio::select! {
                item = stream.next() => self.take(item?).await?,
                _ = tick.tick() => {}
                () = tokio::time::sleep(TOGETHER), if !self.changed.is_empty() => {
                    self.read_changed().await?;
                }
            }
            if self.note.is_none() && self.read_at.elapsed() > READ_AGAIN {
                self.read_all().await?;
            }
            self.paint()?;
        }
    }

    async fn take(&mut self, item: StreamItem) -> anyhow::Result<()> {
        match item {
            StreamItem::Live { .. } => {
                self.note = None;
                self.read_all().await?;
            }
            StreamItem::Stale { .. } => self.note = note_of(&item),
            StreamItem::Message { data, .. } => match serde_json::from_str(&data) {
                Ok(StreamMessage::Event(event)) => {
                    self.latest = printable(&view::event_line(&event)).into_owned();
                    self.changed.push(event.contextkey);
                }
                Ok(StreamMessage::Signal(
                    Signal::StatusChanged { satellite_id, .. }
                    | Signal::ConfigChanged { satellite_id },
                )) => self.changed.push(satellite_id),
                Err(_) => {}
            },
        }
        Ok(())
    }

    async fn read_all(&mut self) -> anyhow::Result<()> {
        self.changed.clear();
        self.read_at = Instant::now();
        match read(self.client, &self.filter).await {
            Ok(known) => self.known = known,
            Err(error) if error.is_final() => return Err(error.into()),
            Err(error) => self.note = Some(printable(&error.to_string()).into_owned()),
        }
        Ok(())
    }

    /// Reads only what changed. Whether a satellite matches a filter is for the server to say.
    async fn read_changed(&mut self) -> anyhow::Result<()> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        changed.dedup();
        if changed.len() > ONE_BY_ONE || !is_unfiltered(&self.filter) {
            return self.read_all().await;
        }
        for id in changed {
            match self.client.satellite(id).await {
                Ok(satellite) => {
                    self.known.insert(id, satellite);
                }
                Err(ClientError::Refused { problem, .. }) if problem.status == 404 => {
                    self.known.remove(&id);
                }
                Err(error) if error.is_final() => return Err(error.into()),
                // The stream will notice, and read everything once it is live again.
                Err(_) => {}
            }
        }
        Ok(())
    }

    fn paint(&mut self) -> anyhow::Result<()> {
        let now = self.console.now();
        let online = self.known.values().filter(|s| is_online(s)).count();
        let head = format!(
            "{}   {online} of {} online   {}",
            self.client.endpoint(),
            self.known.len(),
            self.note.as_deref().unwrap_or("live"),
        );
        // All but the id, for which a terminal seldom has room.
        let columns = 0..view::SATELLITES.len() - 1;
        let row = |s| view::satellite_row(s, now)[columns.clone()].to_vec();
        let rows = by_name(&self.known).map(row).collect();
        let table = self.console.table_text(&view::SATELLITES[columns.clone()], rows);
        self.console.repaint(&format!("{head}\n{}\n\n{table}", self.latest))?;
        Ok(())
    }
}

async fn read(
    client: &Client,
    filter: &ListFilter,
) -> Result<BTreeMap<Uuid, Satellite>, ClientError> {
    let satellites = client.satellites(filter).await?;
    Ok(satellites.into_iter().map(|satellite| (satellite.id, satellite)).collect())
}

fn by_name(known: &BTreeMap<Uuid, Satellite>) -> impl Iterator<Item = &Satellite> {
    let mut sorted: Vec<&Satellite> = known.values().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    sorted.into_iter()
}

fn is_online(satellite: &Satellite) -> bool {
    satellite.status == Status(groundcontrol_core::connection::Status::Online)
}

fn concerns(event: &CloudEvent, shown: Option<&BTreeMap<Uuid, Satellite>>) -> bool {
    shown.is_some_and(|shown| shown.contains_key(&event.contextkey))
}

fn is_unfiltered(filter: &ListFilter) -> bool {
    let ListFilter { status, region, tags, search } = filter;
    status.is_none() && region.is_none() && tags.is_empty() && search.is_none()
}
