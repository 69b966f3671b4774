//! What the page tells its readers to run.

/// One fenced block of commands.
pub(crate) struct Block {
    /// In their order; what goes on behind a `\` is one.
    pub(crate) commands: Vec<String>,
    /// What their output must contain.
    pub(crate) shows: Vec<String>,
}

/// The `sh` blocks of a page.
pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        if line != "```sh" {
            continue;
        }
        let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let joined = body.join("\n").replace("\\\n", " ");
        let commands = joined.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned);
        let mut shows = Vec::new();
        while let Some(shown) = lines.peek().and_then(|line| line.strip_prefix("<!-- shows: ")) {
            shows.push(shown.trim_end_matches(" -->").to_owned());
            lines.next();
        }
        blocks.push(Block { commands: commands.collect(), shows });
    }
    blocks
}

/// Whether a command stays until it is stopped.
pub(crate) fn stays(command: &str) -> bool {
    let agent = command.starts_with("groundcontrol satellite ");
    let streams = ["curl -fsSN", "satellites watch", "groundcontrol events"];
    let server = ["-- serve", "groundcontrol serve"].iter().any(|serve| command.ends_with(serve));
    agent || server || streams.iter().any(|stream| command.contains(stream))
}
