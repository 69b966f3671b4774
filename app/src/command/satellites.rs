//! `groundcontrol satellites …`: what an operator does with satellites.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::ArgGroup;
use groundcontrol_http::dto::{
    CreateSatellite, CreatedSatellite, RotateToken, Satellite, Status, UpdateSatellite,
};
use serde_json::json;

use super::console::Console;
use super::printable::printable;
use super::server::{OutputArgs, ServerArgs};
use super::token::TokenFile;
use super::{view, watch};
use crate::client::{Client, ListFilter};
use crate::config::Span;

/// Recorded edges that `show` shows.
const HISTORY: usize = 10;

/// Lists and manages satellites.
#[derive(Clone, Debug, clap::Args)]
pub struct SatellitesArgs {
    #[command(subcommand)]
    pub(super) command: SatellitesCommand,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Clone, Debug, clap::Subcommand)]
pub(super) enum SatellitesCommand {
    /// Lists satellites with their status
    List(FilterArgs),
    /// Makes a satellite; its token is shown this once
    Create(CreateArgs),
    /// Shows one satellite and its latest history
    Show {
        /// Name, id, or the first eight characters of the id
        satellite: String,
    },
    /// Says why a satellite is online or offline, and what would change that
    Explain {
        /// Name, id, or the first eight characters of the id
        satellite: String,
    },
    /// Changes a satellite
    Set(SetArgs),
    /// Gives a satellite a new token; it is shown this once
    RotateToken(RotateArgs),
    /// Removes a satellite for good
    Remove {
        /// Name, id, or the first eight characters of the id
        satellite: String,
        /// Does not ask
        #[arg(long)]
        yes: bool,
    },
    /// Shows the list as it changes
    Watch(FilterArgs),
}

/// Which satellites.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct FilterArgs {
    /// Only online or only offline ones
    #[arg(long, value_parser = status, value_name = "STATUS")]
    status: Option<Status>,
    /// Only those in this region
    #[arg(long)]
    region: Option<String>,
    /// Only those with this tag, as key:value; may be repeated
    #[arg(long = "tag", value_parser = filter_tag, value_name = "KEY:VALUE")]
    tags: Vec<(String, String)>,
    /// Only those whose name or region contains this, or whose id begins with it
    #[arg(long)]
    search: Option<String>,
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct CreateArgs {
    /// Its name, unique among all satellites
    name: String,
    /// Where it runs
    #[arg(long)]
    region: String,
    /// A label, as key=value; may be repeated
    #[arg(long = "tag", value_parser = new_tag, value_name = "KEY=VALUE")]
    tags: Vec<(String, String)>,
    /// How long it may be silent before it counts as offline [default: the server's]
    #[arg(long, value_name = "DURATION")]
    offline_threshold: Option<Span>,
    /// Writes the token to this new file instead of showing it
    #[arg(long, value_name = "FILE")]
    save_token: Option<PathBuf>,
}

#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
#[command(group(ArgGroup::new("change").required(true).multiple(true)))]
pub(super) struct SetArgs {
    /// Name, id, or the first eight characters of the id
    satellite: String,
    /// A new name
    #[arg(long, group = "change")]
    name: Option<String>,
    /// A new region
    #[arg(long, group = "change")]
    region: Option<String>,
    /// A label, as key=value, in place of all old ones; may be repeated
    #[arg(long = "tag", group = "change", value_parser = new_tag, value_name = "KEY=VALUE")]
    tags: Vec<(String, String)>,
    /// Removes all labels
    #[arg(long, group = "change", conflicts_with = "tags")]
    no_tags: bool,
    /// How long it may be silent before it counts as offline; `default` for the server's
    #[arg(long, group = "change", value_parser = threshold, value_name = "DURATION")]
    offline_threshold: Option<Threshold>,
    /// Lets it connect again
    #[arg(long, group = "change")]
    enable: bool,
    /// Shuts it down, and refuses it until it is enabled
    #[arg(long, group = "change", conflicts_with = "enable")]
    disable: bool,
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct RotateArgs {
    /// Name, id, or the first eight characters of the id
    satellite: String,
    /// For how long the old token works beside the new one [default: it stops at once]
    #[arg(long, value_name = "DURATION")]
    overlap: Option<Span>,
    /// Writes the token to this new file instead of showing it
    #[arg(long, value_name = "FILE")]
    save_token: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Threshold(Option<u64>);

impl FilterArgs {
    pub(super) fn filter(self) -> ListFilter {
        let Self { status, region, tags, search } = self;
        ListFilter { status, region, tags, search }
    }
}

/// Does what was asked and writes the result.
pub async fn run(args: SatellitesArgs) -> anyhow::Result<()> {
    let SatellitesArgs { command, server, output } = args;
    execute(command, &server.client()?, &mut output.console()).await
}

pub(super) async fn execute(
    command: SatellitesCommand,
    client: &Client,
    console: &mut Console,
) -> anyhow::Result<()> {
    match command {
        SatellitesCommand::List(filter) => list(filter, client, console).await,
        SatellitesCommand::Create(args) => create(args, client, console).await,
        SatellitesCommand::Show { satellite } => show(&satellite, client, console).await,
        SatellitesCommand::Explain { satellite } => explain(&satellite, client, console).await,
        SatellitesCommand::Set(args) => set(args, client, console).await,
        SatellitesCommand::RotateToken(args) => rotate(args, client, console).await,
        SatellitesCommand::Remove { satellite, yes } => {
            remove(&satellite, yes, client, console).await
        }
        SatellitesCommand::Watch(filter) => watch::run(filter.filter(), client, console).await,
    }
}

async fn list(args: FilterArgs, client: &Client, console: &mut Console) -> anyhow::Result<()> {
    let satellites = client.satellites(&args.filter()).await?;
    if console.is_json() {
        return console.json(&satellites);
    }
    if satellites.is_empty() {
        console.note("No satellite matches. `groundcontrol satellites create` makes one.")?;
        return Ok(());
    }
    let now = console.now();
    let rows = satellites.iter().map(|satellite| view::satellite_row(satellite, now)).collect();
    console.table(view::SATELLITES, rows)?;
    Ok(())
}

async fn create(args: CreateArgs, client: &Client, console: &mut Console) -> anyhow::Result<()> {
    let CreateArgs { name, region, tags, offline_threshold, save_token } = args;
    let request = CreateSatellite {
        name,
        region,
        tags: tags.into_iter().collect(),
        offline_threshold_ms: offline_threshold.map(|span| span.0.get()),
        managed_by: None,
    };
    let mut file = save_token.as_deref().map(TokenFile::create).transpose()?;
    let made = client.create_satellite(&request).await?;
    file.as_mut().map(|file| file.save(made.token.expose())).transpose()?;
    hand_over("Made", &made, save_token.as_deref(), client, console)
}

async fn show(wanted: &str, client: &Client, console: &mut Console) -> anyhow::Result<()> {
    let satellite = client.find_satellite(wanted).await?;
    let transitions = client.transitions(satellite.id, HISTORY).await?;
    if console.is_json() {
        return console.json(&json!({"satellite": satellite, "transitions": transitions}));
    }
    let details = view::satellite_details(&satellite, console.now());
    console.table(&[], details)?;
    if !transitions.is_empty() {
        console.line("")?;
        let rows = transitions.iter().map(view::transition_row).collect();
        console.table(view::TRANSITIONS, rows)?;
    }
    Ok(())
}

async fn explain(wanted: &str, client: &Client, console: &mut Console) -> anyhow::Result<()> {
    let satellite = client.find_satellite(wanted).await?;
    let explanation = client.explain(satellite.id).await?;
    if console.is_json() {
        return console.json(&explanation);
    }
    for line in view::explanation_lines(&explanation) {
        console.line(printable(&line))?;
    }
    let edges = explanation.edges.iter().take(HISTORY);
    let rows: Vec<_> = edges.map(|edge| view::transition_row(&edge.transition)).collect();
    if !rows.is_empty() {
        console.line("")?;
        console.table(view::TRANSITIONS, rows)?;
    }
    Ok(())
}

async fn set(args: SetArgs, client: &Client, console: &mut Console) -> anyhow::Result<()> {
    let satellite = client.find_satellite(&args.satellite).await?;
    let tags = (args.no_tags || !args.tags.is_empty()).then(|| args.tags.into_iter().collect());
    let request = UpdateSatellite {
        name: args.name,
        region: args.region,
        tags,
        offline_threshold_ms: args.offline_threshold.map(|Threshold(millis)| millis),
        enabled: match (args.enable, args.disable) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            (false, false) => None,
        },
    };
    let changed = client.update_satellite(satellite.id, &request).await?;
    if console.is_json() {
        return console.json(&changed);
    }
    let details = view::satellite_details(&changed, console.now());
    console.table(&[], details)?;
    Ok(())
}

async fn rotate(args: RotateArgs, client: &Client, console: &mut Console) -> anyhow::Result<()> {
    let satellite = client.find_satellite(&args.satellite).await?;
    let request = RotateToken { overlap_seconds: args.overlap.map(whole_seconds).transpose()? };
    let save = args.save_token.as_deref();
    let mut file = save.map(TokenFile::create).transpose()?;
    let made = client.rotate_token(satellite.id, &request).await?;
    file.as_mut().map(|file| file.save(made.token.expose())).transpose()?;
    hand_over("Made a new token for", &made, save, client, console)
}

async fn remove(
    wanted: &str,
    yes: bool,
    client: &Client,
    console: &mut Console,
) -> anyhow::Result<()> {
    let satellite = client.find_satellite(wanted).await?;
    let named = named(&satellite);
    if !yes {
        let question = format!("Remove {named} for good? Its agent is shut down.");
        match console.confirm(&question)? {
            Some(true) => {}
            Some(false) => bail!("nothing was removed"),
            None => bail!("nothing was removed: pass --yes where nobody can be asked"),
        }
    }
    client.remove_satellite(satellite.id).await?;
    if console.is_json() {
        return console.json(&json!({"removed": satellite.id}));
    }
    console.line(format!("Removed {named}."))?;
    Ok(())
}

fn hand_over(
    done: &str,
    made: &CreatedSatellite,
    saved: Option<&Path>,
    client: &Client,
    console: &mut Console,
) -> anyhow::Result<()> {
    let satellite = &made.satellite;
    if console.is_json() {
        return match saved {
            Some(path) => console.json(&json!({"satellite": satellite, "tokenFile": path})),
            None => console.json(&json!({"satellite": satellite, "token": made.token.expose()})),
        };
    }
    console.line(format!("{done} {}.", named(satellite)))?;
    let file = match saved {
        Some(path) => {
            let path = printable(&path.to_string_lossy()).into_owned();
            console.line(format!("Its token is in {path}."))?;
            path
        }
        None => {
            console.line("Its token, which is shown this once:")?;
            console.line(format!("\n    {}\n", printable(made.token.expose())))?;
            "FILE".to_owned()
        }
    };
    let (url, id) = (client.endpoint(), satellite.id);
    console.line("Where it runs, with the token in a file that only its owner can read:")?;
    console.line(format!(
        "\n    groundcontrol satellite --url {url} --client-id {id} --token-file {file}"
    ))?;
    Ok(())
}

fn named(satellite: &Satellite) -> String {
    format!("satellite {:?} ({})", printable(&satellite.name), satellite.id)
}

fn status(text: &str) -> Result<Status, String> {
    serde_json::from_value(json!(text)).map_err(|error| error.to_string())
}

fn filter_tag(text: &str) -> Result<(String, String), &'static str> {
    tag(text, ':').ok_or("write it as key:value")
}

fn new_tag(text: &str) -> Result<(String, String), &'static str> {
    tag(text, '=').ok_or("write it as key=value")
}

fn tag(text: &str, separator: char) -> Option<(String, String)> {
    text.split_once(separator).map(|(key, value)| (key.to_owned(), value.to_owned()))
}

fn threshold(text: &str) -> Result<Threshold, humantime::DurationError> {
    match text {
        "default" => Ok(Threshold(None)),
        text => text.parse::<Span>().map(|span| Threshold(Some(span.0.get()))),
    }
}

fn whole_seconds(span: Span) -> anyhow::Result<u64> {
    match span.0.get() % 1_000 {
        0 => Ok(span.0.get() / 1_000),
        _ => bail!("--overlap takes whole seconds, such as 90s or 1h"),
    }
}
