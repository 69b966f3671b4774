//! `groundcontrol systems|checks|assignments …`: what satellites run.

use anyhow::{Context as _, bail};
use groundcontrol_http::dto::{
    Assignment, Check, CreateAssignment, CreateCheck, CreateSystem, Opaque, Selector, System,
    UpdateAssignment, UpdateCheck, UpdateSystem,
};
use serde_json::json;
use uuid::Uuid;

use super::console::Console;
use super::printable::printable;
use super::server::{OutputArgs, ServerArgs};
use crate::client::{Client, Kind};
use crate::config::Span;

/// Lists and manages systems: what is checked.
#[derive(Clone, Debug, clap::Args)]
pub struct SystemsArgs {
    #[command(subcommand)]
    pub(super) command: SystemsCommand,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Clone, Debug, clap::Subcommand)]
pub(super) enum SystemsCommand {
    /// Lists systems
    List,
    /// Makes a system
    Create {
        /// Its name, unique among all systems
        name: String,
        /// What is to be known about it: a JSON object, or @FILE
        #[arg(long, value_name = "JSON")]
        metadata: Option<String>,
    },
    /// Shows a system
    Show {
        /// Name or id
        system: String,
    },
    /// Changes a system
    Update {
        /// Name or id
        system: String,
        /// A new name
        #[arg(long)]
        name: Option<String>,
        /// In place of what was known: a JSON object, or @FILE
        #[arg(long, value_name = "JSON")]
        metadata: Option<String>,
    },
    /// Removes a system with its assignments
    Remove {
        /// Name or id
        system: String,
        /// Does not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Lists and manages checks: how something is checked.
#[derive(Clone, Debug, clap::Args)]
pub struct ChecksArgs {
    #[command(subcommand)]
    pub(super) command: ChecksCommand,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Clone, Debug, clap::Subcommand)]
pub(super) enum ChecksCommand {
    /// Lists checks
    List,
    /// Makes a check
    Create {
        /// Its name, unique among all checks
        name: String,
        /// How an agent connects, such as healthcheck-http.http
        #[arg(long)]
        strategy: String,
        /// From run to run
        #[arg(long, value_name = "DURATION")]
        interval: Span,
        /// The strategy's settings: a JSON object, or @FILE
        #[arg(long, value_name = "JSON")]
        config: Option<String>,
        /// What to look at: a JSON array, or @FILE
        #[arg(long, value_name = "JSON")]
        collectors: Option<String>,
    },
    /// Shows a check
    Show {
        /// Name or id
        check: String,
    },
    /// Changes a check
    Update {
        /// Name or id
        check: String,
        /// A new name
        #[arg(long)]
        name: Option<String>,
        /// Another strategy
        #[arg(long)]
        strategy: Option<String>,
        /// Another interval
        #[arg(long, value_name = "DURATION")]
        interval: Option<Span>,
        /// In place of the old settings: a JSON object, or @FILE
        #[arg(long, value_name = "JSON")]
        config: Option<String>,
        /// In place of all old ones: a JSON array, or @FILE
        #[arg(long, value_name = "JSON")]
        collectors: Option<String>,
    },
    /// Removes a check with its assignments
    Remove {
        /// Name or id
        check: String,
        /// Does not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Lists and manages assignments: which satellites run which check against which system.
#[derive(Clone, Debug, clap::Args)]
pub struct AssignmentsArgs {
    #[command(subcommand)]
    pub(super) command: AssignmentsCommand,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Clone, Debug, clap::Subcommand)]
pub(super) enum AssignmentsCommand {
    /// Lists assignments
    List,
    /// Makes an assignment
    Create {
        /// The check, by name or id
        #[arg(long)]
        check: String,
        /// The system, by name or id
        #[arg(long)]
        system: String,
        #[command(flatten)]
        target: TargetArgs,
    },
    /// Shows an assignment
    Show {
        /// Its id
        assignment: Uuid,
    },
    /// Gives an assignment to other satellites
    Update {
        /// Its id
        assignment: Uuid,
        #[command(flatten)]
        target: TargetArgs,
    },
    /// Removes an assignment
    Remove {
        /// Its id
        assignment: Uuid,
        /// Does not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Which satellites: some by name, or whoever is selected.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct TargetArgs {
    /// A satellite, by name or id; may be repeated
    #[arg(long = "satellite", value_name = "SATELLITE", conflicts_with_all = ["region", "tags", "all"])]
    satellites: Vec<String>,
    /// Whoever is in this region
    #[arg(long)]
    region: Option<String>,
    /// Whoever has these tags, such as 'tier in (edge, core), !lab'
    #[arg(long, value_name = "EXPRESSION")]
    tags: Option<String>,
    /// All satellites
    #[arg(long, conflicts_with_all = ["region", "tags"])]
    all: bool,
}

/// Does what was asked about systems.
pub async fn systems(args: SystemsArgs) -> anyhow::Result<()> {
    execute_systems(args.command, &args.server.client()?, &mut args.output.console()).await
}

pub(super) async fn execute_systems(
    command: SystemsCommand,
    client: &Client,
    console: &mut Console,
) -> anyhow::Result<()> {
    match command {
        SystemsCommand::List => list::<System>(client, console).await,
        SystemsCommand::Create { name, metadata } => {
            let metadata = opaque(metadata.as_deref(), "--metadata")?;
            let body = CreateSystem { name, metadata, managed_by: None };
            let made: System = client.make(&body).await?;
            tell("Made", &made, console)
        }
        SystemsCommand::Show { system } => show::<System>(&system, client, console).await,
        SystemsCommand::Update { system, name, metadata } => {
            let id = client.find::<System>(&system).await?.id;
            let body = UpdateSystem { name, metadata: opaque(metadata.as_deref(), "--metadata")? };
            tell("Changed", &client.change::<System>(id, &body).await?, console)
        }
        SystemsCommand::Remove { system, yes } => {
            remove::<System>(&system, yes, client, console).await
        }
    }
}

/// Does what was asked about checks.
pub async fn checks(args: ChecksArgs) -> anyhow::Result<()> {
    execute_checks(args.command, &args.server.client()?, &mut args.output.console()).await
}

pub(super) async fn execute_checks(
    command: ChecksCommand,
    client: &Client,
    console: &mut Console,
) -> anyhow::Result<()> {
    match command {
        ChecksCommand::List => list::<Check>(client, console).await,
        ChecksCommand::Create { name, strategy, interval, config, collectors } => {
            let body = CreateCheck {
                name,
                strategy_id: strategy,
                config: opaque(config.as_deref(), "--config")?,
                collectors: parsed(collectors.as_deref(), "--collectors")?.unwrap_or_default(),
                interval_seconds: seconds(interval)?,
                managed_by: None,
            };
            tell("Made", &client.make::<Check>(&body).await?, console)
        }
        ChecksCommand::Show { check } => show::<Check>(&check, client, console).await,
        ChecksCommand::Update { check, name, strategy, interval, config, collectors } => {
            let id = client.find::<Check>(&check).await?.id;
            let body = UpdateCheck {
                name,
                strategy_id: strategy,
                config: opaque(config.as_deref(), "--config")?,
                collectors: parsed(collectors.as_deref(), "--collectors")?,
                interval_seconds: interval.map(seconds).transpose()?,
            };
            tell("Changed", &client.change::<Check>(id, &body).await?, console)
        }
        ChecksCommand::Remove { check, yes } => remove::<Check>(&check, yes, client, console).await,
    }
}

/// Does what was asked about assignments.
pub async fn assignments(args: AssignmentsArgs) -> anyhow::Result<()> {
    execute_assignments(args.command, &args.server.client()?, &mut args.output.console()).await
}

pub(super) async fn execute_assignments(
    command: AssignmentsCommand,
    client: &Client,
    console: &mut Console,
) -> anyhow::Result<()> {
    match command {
        AssignmentsCommand::List => list::<Assignment>(client, console).await,
        AssignmentsCommand::Create { check, system, target } => {
            let (satellite_ids, selector) = chosen(target, client).await?;
            let body = CreateAssignment {
                check_id: client.find::<Check>(&check).await?.id,
                system_id: client.find::<System>(&system).await?.id,
                satellite_ids,
                selector,
                managed_by: None,
            };
            tell("Made", &client.make::<Assignment>(&body).await?, console)
        }
        AssignmentsCommand::Show { assignment } => {
            show::<Assignment>(&assignment.to_string(), client, console).await
        }
        AssignmentsCommand::Update { assignment, target } => {
            let (satellite_ids, selector) = chosen(target, client).await?;
            let body = UpdateAssignment { satellite_ids, selector, ..UpdateAssignment::default() };
            tell("Changed", &client.change::<Assignment>(assignment, &body).await?, console)
        }
        AssignmentsCommand::Remove { assignment, yes } => {
            remove::<Assignment>(&assignment.to_string(), yes, client, console).await
        }
    }
}

/// How a kind of thing is shown to people.
trait Shown: Kind {
    const HEADER: &'static [&'static str];

    fn row(&self) -> Vec<String>;
}

impl Shown for System {
    const HEADER: &'static [&'static str] = &["NAME", "METADATA", "CREATED", "ID"];

    fn row(&self) -> Vec<String> {
        let metadata = self.metadata.get().to_owned();
        vec![self.name.clone(), metadata, self.created_at.to_string(), self.id.to_string()]
    }
}

impl Shown for Check {
    const HEADER: &'static [&'static str] = &["NAME", "STRATEGY", "INTERVAL", "COLLECTORS", "ID"];

    fn row(&self) -> Vec<String> {
        let collectors: Vec<_> = self.collectors.iter().map(|one| one.id.clone()).collect();
        vec![
            self.name.clone(),
            self.strategy_id.clone(),
            format!("{} s", self.interval_seconds),
            collectors.join(", "),
            self.id.to_string(),
        ]
    }
}

impl Shown for Assignment {
    const HEADER: &'static [&'static str] = &["CHECK", "SYSTEM", "SATELLITES", "ID"];

    fn row(&self) -> Vec<String> {
        let satellites = match (&self.satellite_ids, &self.selector) {
            (Some(ids), _) if ids.len() == 1 => ids[0].to_string(),
            (Some(ids), _) => format!("{} satellites", ids.len()),
            (None, Some(Selector { region: None, tags: None })) => "all".to_owned(),
            (None, Some(Selector { region, tags })) => {
                let region = region.iter().map(|region| format!("region {region}"));
                region.chain(tags.clone()).collect::<Vec<_>>().join("; ")
            }
            (None, None) => String::new(),
        };
        let (check, system) = (self.check_id.to_string(), self.system_id.to_string());
        vec![check, system, satellites, self.id.to_string()]
    }
}

async fn list<T: Shown>(client: &Client, console: &mut Console) -> anyhow::Result<()> {
    let all = client.all::<T>().await?;
    if console.is_json() {
        return console.json(&all);
    }
    console.table(T::HEADER, all.iter().map(T::row).collect())?;
    Ok(())
}

async fn show<T: Shown>(
    wanted: &str,
    client: &Client,
    console: &mut Console,
) -> anyhow::Result<()> {
    let found = client.find::<T>(wanted).await?;
    if console.is_json() {
        return console.json(&found);
    }
    console.table(T::HEADER, vec![found.row()])?;
    Ok(())
}

fn tell<T: Shown>(done: &str, one: &T, console: &mut Console) -> anyhow::Result<()> {
    if console.is_json() {
        return console.json(one);
    }
    console.line(format!("{done} {}.", named(one)))?;
    Ok(())
}

async fn remove<T: Shown>(
    wanted: &str,
    yes: bool,
    client: &Client,
    console: &mut Console,
) -> anyhow::Result<()> {
    let found = client.find::<T>(wanted).await?;
    let named = named(&found);
    if !yes {
        match console.confirm(&format!("Remove {named} for good?"))? {
            Some(true) => {}
            Some(false) => bail!("nothing was removed"),
            None => bail!("nothing was removed: pass --yes where nobody can be asked"),
        }
    }
    client.drop_one::<T>(found.id()).await?;
    if console.is_json() {
        return console.json(&json!({"removed": found.id()}));
    }
    console.line(format!("Removed {named}."))?;
    Ok(())
}

fn named<T: Kind>(one: &T) -> String {
    match one.name() {
        Some(name) => format!("{} {:?} ({})", T::WHAT, printable(name), one.id()),
        None => format!("{} {}", T::WHAT, one.id()),
    }
}

async fn chosen(
    target: TargetArgs,
    client: &Client,
) -> anyhow::Result<(Option<Vec<Uuid>>, Option<Selector>)> {
    let TargetArgs { satellites, region, tags, all } = target;
    if satellites.is_empty() {
        if region.is_none() && tags.is_none() && !all {
            bail!("say which satellites: --satellite, --region, --tags or --all");
        }
        return Ok((None, Some(Selector { region, tags })));
    }
    let mut ids = Vec::with_capacity(satellites.len());
    for wanted in satellites {
        ids.push(client.find_satellite(&wanted).await?.id);
    }
    Ok((Some(ids), None))
}

/// JSON from the command line, or from the file that is named after an `@`.
fn text(given: Option<&str>) -> anyhow::Result<Option<String>> {
    let Some(given) = given else { return Ok(None) };
    let Some(path) = given.strip_prefix('@') else { return Ok(Some(given.to_owned())) };
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    Ok(Some(text))
}

fn opaque(given: Option<&str>, flag: &str) -> anyhow::Result<Option<Opaque>> {
    let text = text(given)?;
    let parse = |text: String| Opaque::new(&text).with_context(|| format!("{flag} is no JSON"));
    text.map(parse).transpose()
}

fn parsed<T: serde::de::DeserializeOwned>(
    given: Option<&str>,
    flag: &str,
) -> anyhow::Result<Option<T>> {
    let text = text(given)?;
    let parse = |text: String| {
        serde_json::from_str(&text).with_context(|| format!("{flag} is not as it must be"))
    };
    text.map(parse).transpose()
}

fn seconds(interval: Span) -> anyhow::Result<u64> {
    match interval.0.get() % 1_000 {
        0 => Ok(interval.0.get() / 1_000),
        _ => bail!("--interval takes whole seconds, such as 30s or 5m"),
    }
}
