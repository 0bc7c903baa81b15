//! `runner schema [history|experiment]`

use clap::ValueEnum;

use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::experiment::spec::json_schema::json_schema;
use crate::history::History;

const EXAMPLES: &str = "\
Example:
  runner schema experiment > experiment.schema.json

Editors use the schema to complete and check TOML files.";

/// Arguments of `runner schema`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What the schema describes
    #[arg(value_enum, value_name = "KIND", default_value = "history")]
    file: File,
}

/// A kind of file that has a schema.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum File {
    /// The history of a trial, JSON
    History,
    /// An experiment file, TOML
    Experiment,
}

/// Prints the JSON Schema of a kind of file.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    match args.file {
        File::History => terminal::json(&schemars::schema_for!(History)),
        File::Experiment => terminal::json(&json_schema()),
    }
    Ok(Exit::Done)
}
