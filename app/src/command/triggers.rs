//! `groundcontrol triggers`: what automations can start from.

use groundcontrol_http::dto::Trigger;

use super::server::{OutputArgs, ServerArgs};

/// Lists what automations can start from; `--output json` has the JSON Schema of each payload
#[derive(Clone, Debug, clap::Args)]
pub struct TriggersArgs {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Lists the triggers.
pub async fn run(args: TriggersArgs) -> anyhow::Result<()> {
    let (client, console) = (&args.server.client()?, &mut args.output.console());
    let triggers = client.triggers().await?;
    if console.is_json() {
        return console.json(&triggers);
    }
    let row = |trigger: &Trigger| {
        vec![
            trigger.id.to_string(),
            trigger.display_name.clone(),
            trigger.category.clone(),
            trigger.context_key.clone(),
            trigger.description.clone(),
        ]
    };
    let header = &["TRIGGER", "NAME", "CATEGORY", "CONTEXT KEY", "WHEN"];
    console.table(header, triggers.iter().map(row).collect())?;
    Ok(())
}
