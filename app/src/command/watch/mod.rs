//! `groundcontrol satellites watch`: the list as it changes.

mod lines;
mod screen;
mod picture;
mod draw;
mod follow;
#[cfg(test)]
mod tests;

use super::console::Console;
use crate::client::{Client, ListFilter};

/// Follows until it is interrupted, or the server refuses for good: on a terminal as a screen
/// that takes keys, else line by line.
pub(super) async fn run(
    filter: ListFilter,
    client: &Client,
    console: &mut Console,
) -> anyhow::Result<()> {
    match console.terminal().is_some() && !console.is_json() {
        true => screen::show(filter, client, || console.now()).await,
        false => lines::follow(filter, client, console).await,
    }
}
