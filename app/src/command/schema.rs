//! `groundcontrol schema`.

use anyhow::Context as _;

use super::console::{Console, OutputFormat};
use crate::gitops::{KINDS, schema};

/// Writes the JSON Schema of the documents that `apply` takes, for editors and checks.
#[derive(Clone, Debug, clap::Args)]
pub struct SchemaArgs {
    /// Satellite, System, Check or Assignment [default: any of them]
    #[arg(value_parser = KINDS, ignore_case = true)]
    pub kind: Option<String>,
}

/// Writes the schema.
pub fn run(args: SchemaArgs) -> anyhow::Result<()> {
    let given = args.kind.as_deref();
    let kind = given.and_then(|kind| KINDS.iter().find(|one| one.eq_ignore_ascii_case(kind)));
    let schema = schema(kind.copied()).context("there is no such kind of document")?;
    Console::of_process(OutputFormat::Json).json(&schema)
}
