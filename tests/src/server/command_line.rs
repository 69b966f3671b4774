//! The command line that talks to a server.

use super::binary::binary;
use super::process::{self, Exited, Server};
use super::site::ADMIN_TOKEN;

/// Runs a command against `server`, with a token that may do everything.
pub async fn command_line(server: &Server, arguments: &[&str]) -> Exited {
    let mut command = process::command(&binary());
    command.env("GROUNDCONTROL_URL", server.url()).env("GROUNDCONTROL_API_TOKEN", ADMIN_TOKEN);
    command.args(arguments);
    process::run(command).await
}
