//! `groundcontrol rules …`: which silences last too long, and which webhook is told.

use anyhow::bail;
use groundcontrol_http::dto::{Alert, CreateRule, EventFilter, Rule, UpdateRule, Webhook};
use serde_json::json;

use super::console::Console;
use super::printable::printable;
use super::server::{OutputArgs, ServerArgs};
use super::webhooks::WantedArgs;
use crate::client::{Client, Kind as _};
use crate::config::Span;

/// Lists and manages rules: a webhook is told when something lasts, and again when it is over.
#[derive(Clone, Debug, clap::Args)]
pub struct RulesArgs {
    #[command(subcommand)]
    pub(super) command: RulesCommand,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Clone, Debug, clap::Subcommand)]
pub(super) enum RulesCommand {
    /// Lists rules
    List,
    /// Makes a rule; unless an event is named, it watches for satellites that fall silent
    Create {
        /// Its name, unique among all rules
        name: String,
        /// Who is told: a webhook, by name or id
        #[arg(long)]
        webhook: String,
        #[command(flatten)]
        wanted: WantedArgs,
        #[command(flatten)]
        times: TimesArgs,
        /// Where the loss of a region is suspected, tells of that instead of its satellites
        #[arg(long)]
        region_instead: bool,
        /// Makes it paused
        #[arg(long)]
        paused: bool,
    },
    /// Shows a rule
    Show {
        /// Name or id
        rule: String,
    },
    /// Changes a rule; any filter given replaces the whole filter
    Update {
        /// Name or id
        rule: String,
        /// A new name
        #[arg(long)]
        name: Option<String>,
        /// Another webhook, by name or id
        #[arg(long)]
        webhook: Option<String>,
        #[command(flatten)]
        wanted: WantedArgs,
        #[command(flatten)]
        times: TimesArgs,
        /// Whether the loss of a region is told instead of its satellites
        #[arg(long, value_name = "BOOL")]
        region_instead: Option<bool>,
    },
    /// Lets a rule watch no more; what it told of is told to be over
    Pause {
        /// Name or id
        rule: String,
    },
    /// Lets a rule watch for what happens from now on
    Resume {
        /// Name or id
        rule: String,
    },
    /// Lists what a rule sees that is not as it should be
    Alerts {
        /// Name or id
        rule: String,
        /// Only pending, held, firing or recovering ones
        #[arg(long)]
        state: Option<String>,
        /// At most this many
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Removes a rule; what it told of is told to be over
    Remove {
        /// Name or id
        rule: String,
        /// Does not ask
        #[arg(long)]
        yes: bool,
    },
}

/// How long.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct TimesArgs {
    /// How long it must last before the webhook is told [default: not at all]
    #[arg(long, value_name = "DURATION")]
    lasts: Option<Span>,
    /// How long it must be over before the webhook is told so; what comes back before is the same
    /// alert [default: not at all]
    #[arg(long, value_name = "DURATION")]
    steady: Option<Span>,
}

fn seconds(span: Option<Span>) -> Option<u64> {
    span.map(|span| span.0.get().div_ceil(1_000))
}

/// Does what was asked about rules.
pub async fn run(args: RulesArgs) -> anyhow::Result<()> {
    let (client, console) = (&args.server.client()?, &mut args.output.console());
    execute(args.command, client, console).await
}

pub(super) async fn execute(
    command: RulesCommand,
    client: &Client,
    console: &mut Console,
) -> anyhow::Result<()> {
    match command {
        RulesCommand::List => list(client, console).await,
        RulesCommand::Create { name, webhook, wanted, times, region_instead, paused } => {
            let body = CreateRule {
                name,
                webhook_id: client.find::<Webhook>(&webhook).await?.id,
                filter: wanted.filter(client).await?,
                lasts_seconds: seconds(times.lasts),
                steady_seconds: seconds(times.steady),
                region_instead: region_instead.then_some(true),
                active: paused.then_some(false),
            };
            made(&client.make::<Rule>(&body).await?, console)
        }
        RulesCommand::Show { rule } => {
            let rule: Rule = client.find(&rule).await?;
            show(&rule, client, console).await
        }
        RulesCommand::Update { rule, name, webhook, wanted, times, region_instead } => {
            let webhook_id = match webhook {
                Some(webhook) => Some(client.find::<Webhook>(&webhook).await?.id),
                None => None,
            };
            let body = UpdateRule {
                name,
                webhook_id,
                filter: wanted.filter(client).await?,
                lasts_seconds: seconds(times.lasts),
                steady_seconds: seconds(times.steady),
                region_instead,
                active: None,
            };
            if body == UpdateRule::default() {
                bail!("nothing to change was given");
            }
            change(&rule, &body, client, console).await
        }
        RulesCommand::Pause { rule } => set_active(&rule, false, client, console).await,
        RulesCommand::Resume { rule } => set_active(&rule, true, client, console).await,
        RulesCommand::Alerts { rule, state, limit } => {
            alerts(&rule, state, limit, client, console).await
        }
        RulesCommand::Remove { rule, yes } => remove(&rule, yes, client, console).await,
    }
}

async fn list(client: &Client, console: &mut Console) -> anyhow::Result<()> {
    let all = client.all::<Rule>().await?;
    if console.is_json() {
        return console.json(&all);
    }
    if all.is_empty() {
        console.note("There is no rule. `groundcontrol rules create` makes one.")?;
        return Ok(());
    }
    let webhooks = client.all::<Webhook>().await?;
    let row = |rule: &Rule| {
        vec![
            rule.name.clone(),
            standing(rule),
            watched(&rule.filter),
            lasting(rule),
            webhook_of(rule, &webhooks),
            rule.id.to_string(),
        ]
    };
    let header = &["NAME", "STATE", "WATCHES FOR", "LASTS", "WEBHOOK", "ID"];
    console.table(header, all.iter().map(row).collect())?;
    Ok(())
}

fn standing(rule: &Rule) -> String {
    if rule.active { "active" } else { "paused" }.to_owned()
}

fn watched(filter: &EventFilter) -> String {
    match filter.events.is_empty() {
        true => {
            let rest = super::webhooks::wanted(filter);
            rest.replacen("all", "satellite.heartbeat_lost", 1)
        }
        false => super::webhooks::wanted(filter),
    }
}

fn lasting(rule: &Rule) -> String {
    let span = |seconds| humantime::format_duration(std::time::Duration::from_secs(seconds));
    span(rule.lasts_seconds).to_string()
}

fn webhook_of(rule: &Rule, webhooks: &[Webhook]) -> String {
    let webhook = webhooks.iter().find(|webhook| webhook.id == rule.webhook_id);
    webhook.map_or_else(|| rule.webhook_id.to_string(), |webhook| webhook.name.clone())
}

fn made(rule: &Rule, console: &mut Console) -> anyhow::Result<()> {
    if console.is_json() {
        return console.json(rule);
    }
    console.line(format!("Made rule {:?} ({}).", printable(&rule.name), rule.id))?;
    Ok(())
}

async fn show(rule: &Rule, client: &Client, console: &mut Console) -> anyhow::Result<()> {
    if console.is_json() {
        return console.json(rule);
    }
    let webhooks = client.all::<Webhook>().await?;
    let steady = std::time::Duration::from_secs(rule.steady_seconds);
    let regions = if rule.region_instead { "instead of their satellites" } else { "no" };
    let lines = [
        ("name", rule.name.clone()),
        ("id", rule.id.to_string()),
        ("state", standing(rule)),
        ("watches for", watched(&rule.filter)),
        ("lasts", lasting(rule)),
        ("steady", humantime::format_duration(steady).to_string()),
        ("regions", regions.to_owned()),
        ("webhook", webhook_of(rule, &webhooks)),
        ("created", rule.created_at.to_string()),
    ];
    let rows = lines.into_iter().map(|(label, value)| vec![label.to_owned(), value]);
    console.table(&[], rows.collect())?;
    Ok(())
}

async fn change(
    wanted: &str,
    body: &UpdateRule,
    client: &Client,
    console: &mut Console,
) -> anyhow::Result<()> {
    let id = client.find::<Rule>(wanted).await?.id;
    show(&client.change::<Rule>(id, body).await?, client, console).await
}

async fn set_active(
    wanted: &str,
    active: bool,
    client: &Client,
    console: &mut Console,
) -> anyhow::Result<()> {
    let body = UpdateRule { active: Some(active), ..UpdateRule::default() };
    change(wanted, &body, client, console).await
}

async fn alerts(
    wanted: &str,
    state: Option<String>,
    limit: usize,
    client: &Client,
    console: &mut Console,
) -> anyhow::Result<()> {
    let rule: Rule = client.find(wanted).await?;
    let mut query = vec![("limit", limit.to_string())];
    query.extend(state.map(|state| ("state", state)));
    let found = client.alerts(rule.id, &query).await?;
    if console.is_json() {
        return console.json(&found);
    }
    if found.is_empty() {
        console.note("All that this rule watches for is as it should be.")?;
        return Ok(());
    }
    let row = |alert: &Alert| {
        vec![
            alert.since.to_string(),
            alert.state.to_string(),
            alert.name.clone().unwrap_or_else(|| "(the whole region)".to_owned()),
            alert.region.clone(),
            alert.event.to_string(),
            alert.fired_at.map(|at| at.to_string()).unwrap_or_default(),
            alert.due_at.map(|at| at.to_string()).unwrap_or_default(),
        ]
    };
    let header = &["SINCE", "STATE", "SATELLITE", "REGION", "EVENT", "TOLD", "DUE"];
    console.table(header, found.iter().map(row).collect())?;
    Ok(())
}

async fn remove(
    wanted: &str,
    yes: bool,
    client: &Client,
    console: &mut Console,
) -> anyhow::Result<()> {
    let rule: Rule = client.find(wanted).await?;
    let name = printable(&rule.name).into_owned();
    if !yes {
        let question =
            format!("Remove rule {name:?}? Its webhook is told that its alerts are over.");
        match console.confirm(&question)? {
            Some(true) => {}
            Some(false) => bail!("nothing was removed"),
            None => bail!("nothing was removed: pass --yes where nobody can be asked"),
        }
    }
    client.drop_one::<Rule>(rule.id()).await?;
    if console.is_json() {
        return console.json(&json!({"removed": rule.id}));
    }
    console.line(format!("Removed rule {name:?}."))?;
    Ok(())
}
