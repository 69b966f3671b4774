//! Entry point: parses the command line, runs it, and says what went wrong.

use std::process::ExitCode;

use clap::Parser as _;
use groundcontrol::command::{self, Cli};

/// Gives memory back after a storm of connections, which the system's allocator hardly does.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match command::run(Cli::parse()).await {
        Ok(code) => ExitCode::from(code),
        Err(error) => match command::describe(&error) {
            Some(text) => {
                eprintln!("error: {text}");
                ExitCode::FAILURE
            }
            None => ExitCode::SUCCESS,
        },
    }
}
