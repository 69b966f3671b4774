//! For programs and files: the list once, then a line for every event.

use std::collections::BTreeMap;

use groundcontrol_http::dto::{CloudEvent, Satellite, StreamMessage};
use uuid::Uuid;

use super::follow::{by_name, is_unfiltered, read};
use crate::client::{Client, EventStream, ListFilter, StreamItem};
use crate::command::console::Console;
use crate::command::events::note_of;
use crate::command::printable::printable;
use crate::command::view;

/// Follows until it is interrupted, or the server refuses for good.
pub(super) async fn follow(
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
    let sorted = by_name(known).into_iter();
    let rows = sorted.map(|satellite| view::satellite_row(satellite, now)).collect();
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

fn concerns(event: &CloudEvent, shown: Option<&BTreeMap<Uuid, Satellite>>) -> bool {
    let known = |id| shown.is_some_and(|shown| shown.contains_key(&id));
    event.satellite_id().is_some_and(known)
}
