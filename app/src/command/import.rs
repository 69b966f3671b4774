//! `groundcontrol import …`: satellites of another system.

use std::path::PathBuf;

use anyhow::bail;
use groundcontrol_core::time::Timestamp;
use serde_json::{Value, json};

use super::console::Console;
use super::printable::printable;
use super::server::OutputArgs;
use crate::config::{self, Options};
use crate::import::{Imported, Outcome, Problem, import};
use crate::secret_url::SecretUrl;
use crate::wiring::{self, BareStore};

/// Takes over satellites of another system.
#[derive(Clone, Debug, clap::Args)]
pub struct ImportArgs {
    #[command(subcommand)]
    command: ImportCommand,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum ImportCommand {
    Checkstack(Box<CheckstackArgs>),
}

/// Takes over satellites of a Checkstack database; their agents connect with the tokens they have.
///
/// Reads id, name, region, tags, token_hash, offline_threshold_ms, version, capabilities and
/// created_at of the table satellites, and writes to the database of Ground Control. Satellites
/// that are here already keep their credentials, so that it may be run again at any time. When a
/// satellite was last heard there (last_heartbeat_at, last_connection_event) is not taken over: it
/// has never connected here. An embedded database must not be in use; of a database server, pods
/// may be running.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct CheckstackArgs {
    /// The database of Checkstack: postgres://USER:PASSWORD@HOST/DATABASE
    #[arg(long, env = "GROUNDCONTROL_IMPORT_FROM", value_name = "URL", hide_env_values = true)]
    from: SecretUrl,
    /// File with the password for it, in place of one in its URL
    #[arg(long, env = "GROUNDCONTROL_IMPORT_FROM_PASSWORD_FILE", value_name = "PATH")]
    from_password_file: Option<PathBuf>,
    /// The database of Ground Control: sqlite://PATH or postgres://USER:PASSWORD@HOST/DATABASE
    /// [default: sqlite:// and groundcontrol.db under the data folder]
    #[arg(long, env = "GROUNDCONTROL_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Option<SecretUrl>,
    /// File with the password for the database server, in place of one in its URL
    #[arg(long, env = "GROUNDCONTROL_DATABASE_PASSWORD_FILE", value_name = "PATH")]
    database_password_file: Option<PathBuf>,
    /// Folder of the embedded database [default: ./groundcontrol-data]
    #[arg(long, env = "GROUNDCONTROL_DATA_DIR", value_name = "PATH")]
    data_dir: Option<PathBuf>,
    /// Only says what would be done
    #[arg(long)]
    dry_run: bool,
    /// Takes over those that can be, where others cannot; without it, nothing is done then
    #[arg(long)]
    skip_invalid: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// Imports, and says what was done.
pub async fn run(args: ImportArgs) -> anyhow::Result<()> {
    let ImportCommand::Checkstack(args) = args.command;
    let CheckstackArgs {
        from,
        from_password_file,
        database,
        database_password_file,
        data_dir,
        dry_run,
        skip_invalid,
        output,
    } = *args;
    if !from.is_server() {
        bail!("--from {from} is not supported: give postgres://USER:PASSWORD@HOST/DATABASE");
    }
    let password = from_password_file.map(config::password).transpose()?;
    let options = Options { database, database_password_file, data_dir, ..Options::default() };
    let settings = options.resolve(None, "import")?;
    let rows = wiring::checkstack_satellites(&from, password.as_ref()).await?;
    let store = BareStore::open(&settings, dry_run).await?;
    let now = store.as_ref().map_or(Timestamp::from_millis(0), BareStore::now);
    let target = store.as_ref().map(BareStore::satellites);
    let imported = import(&rows, target, now, dry_run, skip_invalid).await;
    if let Some(store) = store {
        store.close().await;
    }
    tell(&imported?, dry_run, &mut output.console())
}

fn tell(imported: &Imported, dry_run: bool, console: &mut Console) -> anyhow::Result<()> {
    let Imported { outcomes, problems, written } = imported;
    let refused = !dry_run && !written && !problems.is_empty();
    if console.is_json() {
        let satellites: Vec<_> = outcomes.iter().map(outcome_json).collect();
        let problems: Vec<_> = problems.iter().map(problem_json).collect();
        let (dry, done) = (dry_run, *written);
        console.json(&json!({
            "dryRun": dry, "written": done, "satellites": satellites, "problems": problems
        }))?;
    } else {
        for Problem { row, why } in problems {
            console.note(printable(&format!("not taken over: {row}: {}", why.join("; "))))?;
        }
        for (satellite, outcome) in outcomes.iter().filter(|_| !refused) {
            let name = &satellite.name;
            match outcome {
                Outcome::Made => console.line(printable(&format!("+ satellite {name}")))?,
                Outcome::Changed(fields) => {
                    let line = format!("~ satellite {name}  {}", fields.join(", "));
                    console.line(printable(&line))?;
                }
                Outcome::Same => {}
            }
        }
    }
    if refused {
        let count = problems.len();
        bail!(
            "nothing was taken over: {count} of {} satellites cannot be; correct them, or take over \
             the others with --skip-invalid",
            count + outcomes.len()
        );
    }
    if !console.is_json() {
        console.line(summary(imported, dry_run))?;
    }
    Ok(())
}

fn summary(imported: &Imported, dry_run: bool) -> String {
    let count = |wanted: fn(&Outcome) -> bool| {
        imported.outcomes.iter().filter(|(_, outcome)| wanted(outcome)).count()
    };
    let made = count(|one| *one == Outcome::Made);
    let same = count(|one| *one == Outcome::Same);
    let changed = imported.outcomes.len() - made - same;
    let skipped = imported.problems.len();
    let skipped = if skipped == 0 { String::new() } else { format!(", skip {skipped}") };
    match dry_run {
        true => {
            format!("Would take over {made}, change {changed}{skipped}; {same} are the same.")
        }
        false => {
            let skipped = skipped.replace("skip", "skipped");
            format!("Took over {made}, changed {changed}{skipped}; {same} are the same.")
        }
    }
}

fn outcome_json(
    (satellite, outcome): &(groundcontrol_core::satellite::Satellite, Outcome),
) -> Value {
    let (action, fields) = match outcome {
        Outcome::Made => ("create", Vec::new()),
        Outcome::Changed(fields) => ("update", fields.clone()),
        Outcome::Same => ("none", Vec::new()),
    };
    let (id, name) = (satellite.id.to_string(), satellite.name.as_str());
    json!({"id": id, "name": name, "action": action, "fields": fields})
}

fn problem_json(Problem { row, why }: &Problem) -> Value {
    json!({"satellite": row, "why": why})
}
