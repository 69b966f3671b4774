//! `groundcontrol webhooks …`: who is told of events over HTTP.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use groundcontrol_http::dto::{
    CreateWebhook, CreatedWebhook, Delivery, EventFilter, Redeliver, RotateSecret, UpdateWebhook,
    Webhook,
};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::console::Console;
use super::printable::printable;
use super::server::{OutputArgs, ServerArgs};
use crate::client::{Client, Kind as _};
use crate::config::Span;

/// Lists and manages webhooks: who is told of events over HTTP.
#[derive(Clone, Debug, clap::Args)]
pub struct WebhooksArgs {
    #[command(subcommand)]
    pub(super) command: WebhooksCommand,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Clone, Debug, clap::Subcommand)]
pub(super) enum WebhooksCommand {
    /// Lists webhooks
    List,
    /// Makes a webhook; its signing secret is shown this once
    Create {
        /// Its name, unique among all webhooks
        name: String,
        /// The URL that requests go to
        #[arg(long, value_name = "URL")]
        receiver: String,
        #[command(flatten)]
        wanted: WantedArgs,
        #[command(flatten)]
        request: RequestArgs,
        /// Tells it of what rules make of events, and of no event by itself
        #[arg(long)]
        alerts_only: bool,
        /// Makes it paused
        #[arg(long)]
        paused: bool,
    },
    /// Shows a webhook
    Show {
        /// Name or id
        webhook: String,
    },
    /// Changes a webhook; any filter given replaces the whole filter
    Update {
        /// Name or id
        webhook: String,
        /// A new name
        #[arg(long)]
        name: Option<String>,
        /// Another URL that requests go to
        #[arg(long, value_name = "URL")]
        receiver: Option<String>,
        #[command(flatten)]
        wanted: WantedArgs,
        #[command(flatten)]
        request: RequestArgs,
        /// Whether it is told of what rules make of events, and of no event by itself
        #[arg(long, value_name = "BOOL")]
        alerts_only: Option<bool>,
    },
    /// Stops deliveries until the webhook is resumed
    Pause {
        /// Name or id
        webhook: String,
    },
    /// Delivers again, from where it was paused
    Resume {
        /// Name or id
        webhook: String,
    },
    /// Gives a webhook a new signing secret; it is shown this once
    RotateSecret {
        /// Name or id
        webhook: String,
        /// For how long the old secrets sign beside the new one [default: not at all]
        #[arg(long, value_name = "DURATION")]
        overlap: Option<Span>,
    },
    /// Sends a sample and says what came of it
    Test {
        /// Name or id
        webhook: String,
    },
    /// Lists deliveries, newest first
    Deliveries {
        /// Name or id
        webhook: String,
        /// Only waiting, delivered or dead ones
        #[arg(long)]
        state: Option<String>,
        /// At most this many
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Delivers again: one event, or all since a time
    Redeliver {
        /// Name or id
        webhook: String,
        /// The event's id, as `deliveries` shows it
        #[arg(long, required_unless_present = "since", conflicts_with = "since")]
        event: Option<String>,
        /// All that became deliveries at this time or later (RFC 3339)
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
    },
    /// Removes a webhook with its deliveries
    Remove {
        /// Name or id
        webhook: String,
        /// Does not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Which events.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct WantedArgs {
    /// Only this event, such as satellite.heartbeat_lost; may be repeated
    #[arg(long = "event-type", value_name = "TYPE")]
    events: Vec<String>,
    /// Only of this satellite, by name or id; may be repeated
    #[arg(long = "satellite", value_name = "SATELLITE")]
    satellites: Vec<String>,
    /// Only of satellites in this region
    #[arg(long)]
    region: Option<String>,
    /// Only of satellites with these tags, such as 'tier in (edge, core), !lab'
    #[arg(long, value_name = "EXPRESSION")]
    tags: Option<String>,
    /// Only with this cause, such as connection_lost; may be repeated
    #[arg(long = "cause", value_name = "CAUSE")]
    causes: Vec<String>,
}

/// What requests are like.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct RequestArgs {
    /// A header, as NAME=@FILE or NAME=VALUE, in place of all old ones; may be repeated
    #[arg(long = "header", value_name = "NAME=VALUE")]
    headers: Vec<String>,
    /// structured (the whole event is the body) or binary (the payload is)
    #[arg(long)]
    mode: Option<String>,
}

impl WantedArgs {
    /// The filter; none where nothing is asked.
    pub(super) async fn filter(self, client: &Client) -> anyhow::Result<Option<EventFilter>> {
        let Self { events, satellites, region, tags, causes } = self;
        let mut satellite_ids = Vec::new();
        for wanted in &satellites {
            satellite_ids.push(client.find_satellite(wanted).await?.id);
        }
        let filter = EventFilter {
            events: words(&events, "--event-type")?,
            satellite_ids,
            region,
            tags,
            causes: words(&causes, "--cause")?,
        };
        Ok((filter != EventFilter::default()).then_some(filter))
    }
}

impl RequestArgs {
    fn headers(&self) -> anyhow::Result<Option<BTreeMap<String, String>>> {
        let mut headers = BTreeMap::new();
        for text in &self.headers {
            let (name, value) = text.split_once('=').context("--header takes NAME=VALUE")?;
            let value = match value.strip_prefix('@') {
                Some(file) => std::fs::read_to_string(file)
                    .with_context(|| format!("--header: cannot read {file}"))?
                    .trim_end()
                    .to_owned(),
                None => value.to_owned(),
            };
            headers.insert(name.to_owned(), value);
        }
        Ok((!headers.is_empty()).then_some(headers))
    }
}

/// Names of the API as it writes them.
fn words<T: DeserializeOwned>(texts: &[String], flag: &str) -> anyhow::Result<Vec<T>> {
    let read = |text: &String| serde_json::from_value(json!(text)).with_context(|| flag.to_owned());
    texts.iter().map(read).collect()
}

fn word<T: DeserializeOwned>(text: Option<&String>, flag: &str) -> anyhow::Result<Option<T>> {
    Ok(words(text.map(std::slice::from_ref).unwrap_or_default(), flag)?.pop())
}

/// Does what was asked about webhooks.
pub async fn run(args: WebhooksArgs) -> anyhow::Result<()> {
    let (client, console) = (&args.server.client()?, &mut args.output.console());
    execute(args.command, client, console).await
}

pub(super) async fn execute(
    command: WebhooksCommand,
    client: &Client,
    console: &mut Console,
) -> anyhow::Result<()> {
    match command {
        WebhooksCommand::List => list(client, console).await,
        WebhooksCommand::Create { name, receiver, wanted, request, alerts_only, paused } => {
            let body = CreateWebhook {
                name,
                url: receiver,
                filter: wanted.filter(client).await?,
                headers: request.headers()?.unwrap_or_default(),
                mode: word(request.mode.as_ref(), "--mode")?,
                alerts_only: alerts_only.then_some(true),
                active: paused.then_some(false),
            };
            hand_over("Made", &client.create_webhook(&body).await?, console)
        }
        WebhooksCommand::Show { webhook } => show(&client.find(&webhook).await?, console),
        WebhooksCommand::Update { webhook, name, receiver: url, wanted, request, alerts_only } => {
            let filter = wanted.filter(client).await?;
            let headers = request.headers()?;
            let mode = word(request.mode.as_ref(), "--mode")?;
            let active = None;
            let body = UpdateWebhook { name, url, filter, headers, mode, alerts_only, active };
            if body == UpdateWebhook::default() {
                bail!("nothing to change was given");
            }
            change(&webhook, &body, client, console).await
        }
        WebhooksCommand::Pause { webhook } => set_active(&webhook, false, client, console).await,
        WebhooksCommand::Resume { webhook } => set_active(&webhook, true, client, console).await,
        WebhooksCommand::RotateSecret { webhook, overlap } => {
            let id = client.find::<Webhook>(&webhook).await?.id;
            let overlap_seconds = overlap.map(|span| span.0.get().div_ceil(1_000));
            let made = client.rotate_webhook_secret(id, &RotateSecret { overlap_seconds }).await?;
            hand_over("Made a new secret for", &made, console)
        }
        WebhooksCommand::Test { webhook } => test(&webhook, client, console).await,
        WebhooksCommand::Deliveries { webhook, state, limit } => {
            deliveries(&webhook, state, limit, client, console).await
        }
        WebhooksCommand::Redeliver { webhook, event, since } => {
            redeliver(&webhook, event, since, client, console).await
        }
        WebhooksCommand::Remove { webhook, yes } => remove(&webhook, yes, client, console).await,
    }
}

async fn list(client: &Client, console: &mut Console) -> anyhow::Result<()> {
    let all = client.all::<Webhook>().await?;
    if console.is_json() {
        return console.json(&all);
    }
    if all.is_empty() {
        console.note("There is no webhook. `groundcontrol webhooks create` makes one.")?;
        return Ok(());
    }
    let row = |webhook: &Webhook| {
        vec![
            webhook.name.clone(),
            standing(webhook),
            webhook.url.clone(),
            told(webhook),
            webhook.id.to_string(),
        ]
    };
    console.table(&["NAME", "STATE", "URL", "EVENTS", "ID"], all.iter().map(row).collect())?;
    Ok(())
}

fn standing(webhook: &Webhook) -> String {
    match (webhook.paused_reason, webhook.failing_since) {
        (Some(reason), _) => format!("paused ({reason})"),
        (None, Some(since)) => format!("failing since {since}"),
        (None, None) => "active".to_owned(),
    }
}

fn told(webhook: &Webhook) -> String {
    match webhook.alerts_only {
        true => "of alerts only".to_owned(),
        false => wanted(&webhook.filter),
    }
}

pub(super) fn wanted(filter: &EventFilter) -> String {
    let events: Vec<_> = filter.events.iter().map(ToString::to_string).collect();
    let mut parts = vec![if events.is_empty() { "all".to_owned() } else { events.join(", ") }];
    if !filter.satellite_ids.is_empty() {
        parts.push(format!("of {} satellites", filter.satellite_ids.len()));
    }
    parts.extend(filter.region.as_ref().map(|region| format!("in {region}")));
    parts.extend(filter.tags.as_ref().map(|tags| format!("tagged {tags}")));
    if !filter.causes.is_empty() {
        let causes: Vec<_> = filter.causes.iter().map(ToString::to_string).collect();
        parts.push(format!("because of {}", causes.join(", ")));
    }
    parts.join(" ")
}

fn show(webhook: &Webhook, console: &mut Console) -> anyhow::Result<()> {
    if console.is_json() {
        return console.json(webhook);
    }
    let secrets: Vec<_> = webhook
        .secrets
        .iter()
        .map(|secret| secret.expires_at.map_or("in force".to_owned(), |at| format!("until {at}")))
        .collect();
    let lines = [
        ("name", webhook.name.clone()),
        ("id", webhook.id.to_string()),
        ("url", webhook.url.clone()),
        ("state", standing(webhook)),
        ("events", told(webhook)),
        ("headers", webhook.header_names.join(", ")),
        ("mode", webhook.mode.to_string()),
        ("secrets", secrets.join(", ")),
        ("created", webhook.created_at.to_string()),
    ];
    let said = lines.into_iter().filter(|(_, value)| !value.is_empty());
    console.table(&[], said.map(|(label, value)| vec![label.to_owned(), value]).collect())?;
    Ok(())
}

async fn change(
    wanted: &str,
    body: &UpdateWebhook,
    client: &Client,
    console: &mut Console,
) -> anyhow::Result<()> {
    let id = client.find::<Webhook>(wanted).await?.id;
    show(&client.change::<Webhook>(id, body).await?, console)
}

async fn set_active(
    wanted: &str,
    active: bool,
    client: &Client,
    console: &mut Console,
) -> anyhow::Result<()> {
    let body = UpdateWebhook { active: Some(active), ..UpdateWebhook::default() };
    change(wanted, &body, client, console).await
}

fn hand_over(done: &str, made: &CreatedWebhook, console: &mut Console) -> anyhow::Result<()> {
    let secret = made.secret.expose();
    if console.is_json() {
        return console.json(&json!({"webhook": made.webhook, "secret": secret}));
    }
    let name = printable(&made.webhook.name);
    console.line(format!("{done} webhook {name:?} ({}).", made.webhook.id))?;
    console.line("Its signing secret, which is shown this once:")?;
    console.line(format!("\n    {}", printable(secret)))?;
    Ok(())
}

async fn test(wanted: &str, client: &Client, console: &mut Console) -> anyhow::Result<()> {
    let webhook: Webhook = client.find(wanted).await?;
    let report = client.test_webhook(webhook.id).await?;
    if console.is_json() {
        console.json(&report)?;
    } else {
        let status = report.seen.status.map_or("no answer".to_owned(), |s| format!("status {s}"));
        console.line(format!("{status} after {} ms", report.seen.latency_ms))?;
        for text in [&report.seen.error, &report.seen.response].into_iter().flatten() {
            console.line(printable(text))?;
        }
    }
    if !report.accepted {
        bail!("the receiver did not take the sample");
    }
    Ok(())
}

async fn deliveries(
    wanted: &str,
    state: Option<String>,
    limit: usize,
    client: &Client,
    console: &mut Console,
) -> anyhow::Result<()> {
    let webhook: Webhook = client.find(wanted).await?;
    let mut query = vec![("limit", limit.to_string())];
    query.extend(state.map(|state| ("state", state)));
    let found = client.deliveries(webhook.id, &query).await?;
    if console.is_json() {
        return console.json(&found);
    }
    let row = |delivery: &Delivery| {
        let last = delivery.last.as_ref();
        let status = last.and_then(|seen| seen.status).map(|status| status.to_string());
        vec![
            delivery.created_at.to_string(),
            delivery.event.to_string(),
            delivery.state.to_string(),
            delivery.attempts.to_string(),
            status.or_else(|| last?.error.clone()).unwrap_or_default(),
            last.map(|seen| format!("{} ms", seen.latency_ms)).unwrap_or_default(),
            delivery.next_at.map(|at| at.to_string()).unwrap_or_default(),
            delivery.event_id.clone(),
        ]
    };
    let header =
        &["CREATED", "EVENT", "STATE", "ATTEMPTS", "ANSWER", "LATENCY", "NEXT ATTEMPT", "ID"];
    console.table(header, found.iter().map(row).collect())?;
    Ok(())
}

async fn redeliver(
    wanted: &str,
    event_id: Option<String>,
    since: Option<String>,
    client: &Client,
    console: &mut Console,
) -> anyhow::Result<()> {
    let webhook: Webhook = client.find(wanted).await?;
    let since = word(since.as_ref(), "--since")?;
    let deliveries = client.redeliver(webhook.id, &Redeliver { event_id, since }).await?;
    if console.is_json() {
        return console.json(&json!({"deliveries": deliveries}));
    }
    console.line(format!("{deliveries} deliveries are made again."))?;
    Ok(())
}

async fn remove(
    wanted: &str,
    yes: bool,
    client: &Client,
    console: &mut Console,
) -> anyhow::Result<()> {
    let webhook: Webhook = client.find(wanted).await?;
    let name = printable(&webhook.name).into_owned();
    if !yes {
        match console.confirm(&format!("Remove webhook {name:?} with its deliveries?"))? {
            Some(true) => {}
            Some(false) => bail!("nothing was removed"),
            None => bail!("nothing was removed: pass --yes where nobody can be asked"),
        }
    }
    client.drop_one::<Webhook>(webhook.id()).await?;
    if console.is_json() {
        return console.json(&json!({"removed": webhook.id}));
    }
    console.line(format!("Removed webhook {name:?}."))?;
    Ok(())
}
