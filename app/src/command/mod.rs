//! The command line: what can be asked, and what a process answers with.
//!
//! [`run`] does what [`Cli`] says. [`serve`] and [`migrate`] are the server's side,
//! [`satellite`] the agent's; all others talk to a running server through [`crate::client`].

mod printable;
mod console;
mod token;
mod server;
mod view;
pub mod serve;
pub mod migrate;
pub mod satellite;
pub mod satellites;
mod watch;
pub mod events;
pub mod triggers;
pub mod webhooks;
pub mod rules;
pub mod work;
pub mod results;
pub mod packages;
pub mod secrets;
pub mod apply;
pub mod schema;
pub mod import;
pub mod api_tokens;
pub mod load;
pub mod demo;
#[cfg(test)]
mod tests;

pub use console::{Console, OutputFormat};
pub use printable::printable;
pub use server::{OutputArgs, ServerArgs};
pub use token::{Dash, TokenError, TokenSource};

/// Ground Control: knows, provably, which of your far-away agents are alive.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "groundcontrol", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum Command {
    Serve(Box<serve::ServeArgs>),
    Satellite(satellite::SatelliteArgs),
    Satellites(satellites::SatellitesArgs),
    Systems(work::SystemsArgs),
    Checks(work::ChecksArgs),
    Assignments(work::AssignmentsArgs),
    Results(results::ResultsArgs),
    Packages(packages::PackagesArgs),
    Secrets(secrets::SecretsArgs),
    Apply(apply::ApplyArgs),
    Schema(schema::SchemaArgs),
    Import(import::ImportArgs),
    Events(events::EventsArgs),
    Triggers(triggers::TriggersArgs),
    Webhooks(webhooks::WebhooksArgs),
    Rules(rules::RulesArgs),
    ApiTokens(api_tokens::ApiTokensArgs),
    Load(load::LoadArgs),
    Demo(demo::DemoArgs),
    Migrate(migrate::MigrateArgs),
}

/// Does what was asked; answers the exit code of a process that could do it.
pub async fn run(cli: Cli) -> anyhow::Result<u8> {
    match cli.command {
        Command::Serve(args) => serve::run(*args).await?,
        Command::Satellite(args) => return Ok(satellite::run(args).await?.code()),
        Command::Satellites(args) => satellites::run(args).await?,
        Command::Systems(args) => work::systems(args).await?,
        Command::Checks(args) => work::checks(args).await?,
        Command::Assignments(args) => work::assignments(args).await?,
        Command::Results(args) => results::run(args).await?,
        Command::Packages(args) => packages::run(args).await?,
        Command::Secrets(args) => secrets::run(args).await?,
        Command::Apply(args) => return apply::run(args).await,
        Command::Schema(args) => schema::run(args)?,
        Command::Import(args) => import::run(args).await?,
        Command::Events(args) => events::run(args).await?,
        Command::Triggers(args) => triggers::run(args).await?,
        Command::Webhooks(args) => webhooks::run(args).await?,
        Command::Rules(args) => rules::run(args).await?,
        Command::ApiTokens(args) => api_tokens::run(args).await?,
        Command::Load(args) => return load::run(args).await,
        Command::Demo(args) => return demo::run(args).await,
        Command::Migrate(args) => migrate::run(args).await?,
    }
    Ok(0)
}

/// What a failure says to a person: every cause, in one line. None for a reader of our output
/// that went away, which is no failure.
pub fn describe(error: &anyhow::Error) -> Option<String> {
    let gone = |cause: &(dyn std::error::Error + 'static)| {
        let io = cause.downcast_ref::<std::io::Error>();
        io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(gone) {
        return None;
    }
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        // Many errors repeat their cause in their own text.
        if !text.contains(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
    }
    Some(printable(&text).into_owned())
}
