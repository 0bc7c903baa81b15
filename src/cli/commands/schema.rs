//! `runner schema`

use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::history::History;

/// Prints the JSON Schema of a history.
pub fn run() -> anyhow::Result<Exit> {
    terminal::json(&schemars::schema_for!(History));
    Ok(Exit::Done)
}
