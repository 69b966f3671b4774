//! `groundcontrol migrate`.

use std::io::Write as _;
use std::path::PathBuf;

use crate::config::Options;
use crate::secret_url::SecretUrl;
use crate::wiring;

/// Brings the database to this version's schema, or says what would be done.
#[derive(Clone, Debug, clap::Args)]
pub struct MigrateArgs {
    /// The database: sqlite://PATH or postgres://USER:PASSWORD@HOST/DATABASE
    /// [default: sqlite:// and groundcontrol.db under the data folder]
    #[arg(long, env = "GROUNDCONTROL_DATABASE", value_name = "URL", hide_env_values = true)]
    pub database: Option<SecretUrl>,
    /// File with the password for the database server, in place of one in its URL
    #[arg(long, env = "GROUNDCONTROL_DATABASE_PASSWORD_FILE", value_name = "PATH")]
    pub database_password_file: Option<PathBuf>,
    /// Folder of the embedded database [default: ./groundcontrol-data]
    #[arg(long, env = "GROUNDCONTROL_DATA_DIR", value_name = "PATH")]
    pub data_dir: Option<PathBuf>,
    /// Only says which steps are pending
    #[arg(long)]
    pub status: bool,
}

/// Migrates and says what was done.
pub async fn run(args: MigrateArgs) -> anyhow::Result<()> {
    let MigrateArgs { database, database_password_file, data_dir, status } = args;
    let options = Options { database, database_password_file, data_dir, ..Options::default() };
    let settings = options.resolve(None, "migrate")?;
    let steps = wiring::migrate(&settings, status).await?;
    let mut out = std::io::stdout().lock();
    let done = if status { "pending" } else { "applied" };
    for step in &steps {
        writeln!(out, "{done}: {step}")?;
    }
    if steps.is_empty() {
        writeln!(out, "{} is up to date", settings.database)?;
    }
    Ok(())
}
