//! `groundcontrol events`: follows what happens.

use groundcontrol_http::dto::StreamMessage;
use serde_json::value::RawValue;

use super::console::Console;
use super::printable::printable;
use super::server::{OutputArgs, ServerArgs};
use super::view;
use crate::client::{EventStream, StreamItem};

/// Follows events as they are recorded; connects again and resumes when the stream breaks.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
With --output json every line is an object: {\"id\": …, \"data\": …} with the event or signal in \
data, and the id to resume after; signals have none.")]
pub struct EventsArgs {
    /// Begins after the event with this id [default: from now on]
    #[arg(long, value_name = "ID")]
    since: Option<String>,
    /// Shows signals too: hints to look again, not resumable
    #[arg(long)]
    signals: bool,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Follows until it is interrupted, or the server refuses for good.
pub async fn run(args: EventsArgs) -> anyhow::Result<()> {
    let mut stream = EventStream::new(args.server.client()?, args.since);
    follow(&mut stream, args.signals, &mut args.output.console()).await
}

pub(super) async fn follow(
    stream: &mut EventStream,
    signals: bool,
    console: &mut Console,
) -> anyhow::Result<()> {
    loop {
        let item = stream.next().await?;
        write(&item, signals, console)?;
    }
}

/// What goes beside the events when the stream opens or breaks.
pub(super) fn note_of(item: &StreamItem) -> Option<String> {
    match item {
        StreamItem::Message { .. } => None,
        StreamItem::Live { after: None } => Some("-- live: events from now on".to_owned()),
        StreamItem::Live { after: Some(id) } => {
            Some(format!("-- live: events after {}", printable(id)))
        }
        StreamItem::Stale { why, retry_in, resumes } => Some(format!(
            "-- stale: {}; trying again in {} s{}",
            printable(why),
            retry_in.as_secs_f32().ceil(),
            if *resumes {
                ", and no event will be missed"
            } else {
                "; what happens until then is not shown"
            },
        )),
    }
}

fn write(item: &StreamItem, signals: bool, console: &mut Console) -> anyhow::Result<()> {
    let StreamItem::Message { id, data } = item else {
        if let Some(note) = note_of(item) {
            console.note(note)?;
        }
        return Ok(());
    };
    if id.is_none() && !signals {
        return Ok(());
    }
    if console.is_json() {
        console.json_line(&json_line(id.as_deref(), data)?)?;
        return Ok(());
    }
    let line = match serde_json::from_str(data) {
        Ok(StreamMessage::Event(event)) => view::event_line(&event),
        Ok(StreamMessage::Signal(signal)) => view::signal_line(&signal, console.now()),
        // Of a newer server.
        Err(_) => data.clone(),
    };
    // The id, to resume after with --since.
    let id = id.as_deref().unwrap_or("-");
    console.line(printable(&format!("{id:<8}  {line}")))?;
    Ok(())
}

fn json_line(id: Option<&str>, data: &str) -> serde_json::Result<String> {
    #[derive(serde::Serialize)]
    struct Line<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
        data: &'a RawValue,
    }
    let data = data.replace('\n', " ");
    serde_json::to_string(&Line { id, data: serde_json::from_str(&data)? })
}
