//! `groundcontrol results …`: what satellites report.

use groundcontrol_http::dto::{Check, Run, System};

use super::server::{OutputArgs, ServerArgs};

/// Lists what satellites reported.
#[derive(Clone, Debug, clap::Args)]
pub struct ResultsArgs {
    #[command(subcommand)]
    command: ResultsCommand,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Clone, Debug, clap::Subcommand)]
pub(super) enum ResultsCommand {
    /// Lists results, newest first
    List {
        /// Only those of this system, by name or id
        #[arg(long)]
        system: Option<String>,
        /// Only those of this check, by name or id
        #[arg(long)]
        check: Option<String>,
        /// Only those of this satellite, by name or id
        #[arg(long)]
        satellite: Option<String>,
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
}

/// Does what was asked about results.
pub async fn run(args: ResultsArgs) -> anyhow::Result<()> {
    let (client, console) = (&args.server.client()?, &mut args.output.console());
    let ResultsCommand::List { system, check, satellite, since, until, limit } = args.command;
    let mut query = vec![("limit", limit.to_string())];
    if let Some(wanted) = system {
        query.push(("systemId", client.find::<System>(&wanted).await?.id.to_string()));
    }
    if let Some(wanted) = check {
        query.push(("configId", client.find::<Check>(&wanted).await?.id.to_string()));
    }
    if let Some(wanted) = satellite {
        query.push(("satelliteId", client.find_satellite(&wanted).await?.id.to_string()));
    }
    query.extend(since.map(|since| ("since", since)));
    query.extend(until.map(|until| ("until", until)));
    let found = client.results(&query).await?;
    if console.is_json() {
        return console.json(&found);
    }
    let row = |run: &Run| {
        vec![
            run.executed_at.to_string(),
            run.status.to_string(),
            run.latency_ms.map(|latency| format!("{latency} ms")).unwrap_or_default(),
            run.source.clone(),
            run.config_id.to_string(),
            run.system_id.to_string(),
        ]
    };
    let header = &["EXECUTED", "STATUS", "LATENCY", "SOURCE", "CHECK", "SYSTEM"];
    console.table(header, found.iter().map(row).collect())?;
    Ok(())
}
