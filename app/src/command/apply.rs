//! `groundcontrol apply`: makes a server as documents say.

use std::path::PathBuf;

use anyhow::bail;
use groundcontrol_core::desired::{Action, Change, FieldChange, Kept, Kind, Plan, plan};
use serde_json::{Value, json};

use super::console::Console;
use super::printable::printable;
use super::server::{OutputArgs, ServerArgs};
use crate::client::Client;
use crate::gitops::{Documents, Faults, Folder, JsonLeaves, Server as _, perform, read};

/// The exit code of `--exit-code` where there was something to change.
const CHANGES: u8 = 2;

/// Makes satellites, systems, checks and assignments as YAML documents say.
///
/// What is there already is found by its name and changed where it differs; an assignment is found
/// by its check and system. A document says everything that documents can say: a field that is
/// absent has its default. Where any document is wrong, nothing is changed at all. Where the server
/// refuses one of the changes, those before it stay, and applying again goes on.
///
/// A satellite that is made has a token that nobody knows: `groundcontrol satellites rotate-token`
/// makes one to be handed to its agent.
#[derive(Clone, Debug, clap::Args)]
pub struct ApplyArgs {
    /// A file, or a folder whose files *.yaml and *.yml are read; may be repeated
    #[arg(short, long = "file", required = true, value_name = "PATH")]
    pub(super) files: Vec<PathBuf>,
    /// Removes what documents made and none of these documents describes; nothing else, and
    /// nothing at all where there is no document
    #[arg(long)]
    pub(super) prune: bool,
    /// Only says what would be done
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Exits with 2 where something was changed, or would be, and with 0 only where nothing was
    #[arg(long)]
    pub(super) exit_code: bool,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// What is applied, and how.
pub(super) struct Wish {
    pub(super) files: Vec<PathBuf>,
    pub(super) prune: bool,
    pub(super) dry_run: bool,
}

/// Applies, and answers the exit code.
pub async fn run(args: ApplyArgs) -> anyhow::Result<u8> {
    let wish = Wish::of(&args);
    let changed = execute(wish, &args.server.client()?, &mut args.output.console()).await?;
    Ok(if changed && args.exit_code { CHANGES } else { 0 })
}

impl Wish {
    pub(super) fn of(args: &ApplyArgs) -> Self {
        Self { files: args.files.clone(), prune: args.prune, dry_run: args.dry_run }
    }
}

/// Applies; whether there was something to change.
pub(super) async fn execute(
    wish: Wish,
    client: &Client,
    console: &mut Console,
) -> anyhow::Result<bool> {
    let mut files = Vec::new();
    for path in &wish.files {
        files.extend(Folder::new(path).read()?);
    }
    let documents = match read(&files) {
        Ok(documents) => documents,
        Err(faults) => return refuse(&faults, console),
    };
    let present = client.present().await?;
    let planned = match plan(&documents.wanted, &present, wish.prune, &JsonLeaves) {
        Ok(planned) => planned,
        Err(faults) => return refuse(&documents.locate(faults), console),
    };
    let is_json = console.is_json();
    if wish.dry_run {
        for change in planned.changes.iter().filter(|_| !is_json) {
            console.line(line(change))?;
        }
    } else {
        let told = |change: &Change| -> anyhow::Result<()> {
            if !is_json {
                console.line(line(change))?;
            }
            Ok(())
        };
        perform(&planned, &present, client, told).await?;
    }
    summarise(&planned, &documents, wish.dry_run, console)?;
    Ok(!planned.changes.is_empty())
}

/// Says everything that is wrong with the documents.
fn refuse(faults: &Faults, console: &mut Console) -> anyhow::Result<bool> {
    for fault in faults.iter() {
        console.note(printable(&fault.to_string()))?;
    }
    match faults.count() {
        1 => bail!("nothing was changed: a document is wrong"),
        count => bail!("nothing was changed: {count} things are wrong with the documents"),
    }
}

/// A change as a line.
fn line(change: &Change) -> String {
    let Change { kind, name, fields, step, .. } = change;
    let fields: Vec<_> = fields.iter().map(field).collect();
    let line = format!("{} {kind} {name}  {}", step.action().sign(), fields.join(", "));
    printable(line.trim_end()).into_owned()
}

fn field(change: &FieldChange) -> String {
    let FieldChange { path, before, after } = change;
    match (before.as_deref(), after.as_deref()) {
        (Some(before), Some(after)) => format!("{path}: {before} → {after}"),
        (None, Some("")) => format!("+{path}"),
        (None, Some(after)) => format!("+{path}: {after}"),
        (Some(_) | None, None) => format!("-{path}"),
    }
}

fn summarise(
    planned: &Plan,
    documents: &Documents,
    dry_run: bool,
    console: &mut Console,
) -> anyhow::Result<()> {
    let Plan { changes, kept } = planned;
    if console.is_json() {
        let changes: Vec<_> = changes.iter().map(|change| change_json(change, documents)).collect();
        let kept: Vec<_> = kept.iter().map(kept_json).collect();
        return console.json(&json!({"dryRun": dry_run, "changes": changes, "kept": kept}));
    }
    for Kept { kind, name, why } in kept {
        console.note(printable(&format!("kept {kind} {name}: {why}")))?;
    }
    let count = |action| changes.iter().filter(|one| one.step.action() == action).count();
    let [made, changed, removed] = [Action::Create, Action::Update, Action::Remove].map(count);
    console.line(match (changes.is_empty(), dry_run) {
        (true, _) => format!("Nothing to do: all is as {} documents say.", documents.count()),
        (false, true) => {
            format!("Would make {made}, change {changed} and remove {removed}; nothing was done.")
        }
        (false, false) => format!("Made {made}, changed {changed}, removed {removed}."),
    })?;
    let is_new = |one: &Change| one.kind == Kind::Satellite && one.step.action() == Action::Create;
    if !dry_run && changes.iter().any(is_new) {
        console.note(
            "Nobody knows the tokens of new satellites: `groundcontrol satellites rotate-token \
             NAME` makes one.",
        )?;
    }
    Ok(())
}

fn change_json(change: &Change, documents: &Documents) -> Value {
    let Change { kind, name, document, fields, step } = change;
    let field = |one: &FieldChange| {
        let mut shown = json!({"path": one.path});
        for (name, value) in [("before", &one.before), ("after", &one.after)] {
            if let Some(value) = value {
                shown[name] = value.as_str().into();
            }
        }
        shown
    };
    let fields: Vec<_> = fields.iter().map(field).collect();
    let mut shown = json!({
        "action": step.action().name(), "kind": kind.name(), "name": name, "fields": fields
    });
    if let Some(place) = document.and_then(|number| documents.place(number)) {
        shown["document"] = place.to_string().into();
    }
    shown
}

fn kept_json(Kept { kind, name, why }: &Kept) -> Value {
    json!({"kind": kind.name(), "name": name, "why": why})
}
