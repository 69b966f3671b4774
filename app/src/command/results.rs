//! `groundcontrol results …`: what satellites report.

use groundcontrol_http::dto::{Check, Opaque, Run, System};
use serde_json::Value;

use super::console::Console;
use super::server::{OutputArgs, ServerArgs};
use crate::client::Client;

/// Lists what satellites reported.
#[derive(Clone, Debug, clap::Args)]
pub struct ResultsArgs {
    #[command(subcommand)]
    pub(super) command: ResultsCommand,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Clone, Debug, clap::Subcommand)]
pub(super) enum ResultsCommand {
    /// Lists results, newest first
    List {
        #[command(flatten)]
        of: Of,
        /// Only those executed at this time or later (RFC 3339)
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Only those executed before this time (RFC 3339)
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        /// At most this many
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Lists the last result of each check, system and satellite. The source ground-control says
    /// that no assigned satellite was online
    Latest {
        #[command(flatten)]
        of: Of,
    },
}

/// What results are of.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Of {
    /// Only those of this system, by name or id
    #[arg(long)]
    system: Option<String>,
    /// Only those of this check, by name or id
    #[arg(long)]
    check: Option<String>,
    /// Only those of this satellite, by name or id
    #[arg(long)]
    satellite: Option<String>,
}

/// Does what was asked about results.
pub async fn run(args: ResultsArgs) -> anyhow::Result<()> {
    execute(args.command, &args.server.client()?, &mut args.output.console()).await
}

pub(super) async fn execute(
    command: ResultsCommand,
    client: &Client,
    console: &mut Console,
) -> anyhow::Result<()> {
    let found = match command {
        ResultsCommand::List { of, since, until, limit } => {
            let mut query = of.query(client).await?;
            query.push(("limit", limit.to_string()));
            query.extend(since.map(|since| ("since", since)));
            query.extend(until.map(|until| ("until", until)));
            client.results(&query).await?
        }
        ResultsCommand::Latest { of } => client.latest_results(&of.query(client).await?).await?,
    };
    show(console, &found)
}

impl Of {
    async fn query(&self, client: &Client) -> anyhow::Result<Vec<(&'static str, String)>> {
        let mut query = Vec::new();
        if let Some(wanted) = &self.system {
            query.push(("systemId", client.find::<System>(wanted).await?.id.to_string()));
        }
        if let Some(wanted) = &self.check {
            query.push(("configId", client.find::<Check>(wanted).await?.id.to_string()));
        }
        if let Some(wanted) = &self.satellite {
            query.push(("satelliteId", client.find_satellite(wanted).await?.id.to_string()));
        }
        Ok(query)
    }
}

/// Shows results.
fn show(console: &mut Console, found: &[Run]) -> anyhow::Result<()> {
    if console.is_json() {
        return console.json(&found);
    }
    let row = |run: &Run| {
        vec![
            run.executed_at.to_string(),
            run.status.to_string(),
            run.latency_ms.map(|latency| format!("{latency} ms")).unwrap_or_default(),
            run.source.clone(),
            detail(run),
            run.config_id.to_string(),
            run.system_id.to_string(),
        ]
    };
    let header = &["EXECUTED", "STATUS", "LATENCY", "SOURCE", "DETAIL", "CHECK", "SYSTEM"];
    console.table(header, found.iter().map(row).collect())?;
    Ok(())
}

/// Why a result is as it is: the assertion that failed, else what the result says of itself.
fn detail(run: &Run) -> String {
    let read = |json: &Opaque| serde_json::from_str::<Value>(json.get()).unwrap_or_default();
    if let Some(failed) = run.failed_assertion.as_ref().map(read) {
        let text = |field: &str| match &failed[field] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let (field, operator) = (text("field"), text("operator"));
        let judged =
            format!("{field} {operator} {}, but it is {}", text("expected"), text("actual"));
        return match failed.get("reason").and_then(Value::as_str) {
            Some(reason) => format!("{field} {operator}: {reason}"),
            None => judged,
        };
    }
    let result = run.result.as_ref().map(read).unwrap_or_default();
    let said = result["message"].as_str().or_else(|| result["metadata"]["error"].as_str());
    said.unwrap_or_default().to_owned()
}
