//! Output options of commands that train.

use crate::cli::text::terminal;

/// What is printed about a run.
#[derive(Clone, Debug, clap::Args)]
pub struct OutputArgs {
    /// Print errors only
    #[arg(long, short)]
    pub quiet: bool,
    /// Print the histories as JSON instead of the summary
    #[arg(long)]
    pub json: bool,
    /// Exit with code 1 if an expectation is missed or none was checked
    #[arg(long)]
    pub strict: bool,
    /// Whether each JSON value is printed on one line, because the command runs several experiments.
    #[arg(skip)]
    pub json_lines: bool,
}

impl OutputArgs {
    /// Prints the results of a run as JSON.
    pub fn print(&self, results: &serde_json::Value) {
        if self.json_lines { terminal::out(&results.to_string()) } else { terminal::json(results) }
    }
}
