//! Output options of commands that train.

use std::path::Path;

use crate::cli::args::run_args::parse_positive;
use crate::cli::summary::trained_run::TrainedRun;
use crate::cli::summary::{full, short};
use crate::cli::text::terminal;
use crate::cli::text::text_style::TextStyle;
use crate::config::hint::hinted;

/// Checks that an output file does not have the name of an experiment file, which it would overwrite.
///
/// # Errors
/// If it ends in `.toml`.
pub(crate) fn check_is_no_experiment(file: &Path) -> anyhow::Result<()> {
    if file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml")) {
        let message = format!("`{}` has the name of an experiment file", file.display());
        return Err(hinted(message, "write to another file"));
    }
    Ok(())
}

/// What is printed about a run.
#[derive(Clone, Debug, clap::Args)]
pub struct OutputArgs {
    /// Print errors only
    #[arg(long, short)]
    pub quiet: bool,
    /// Print all tables, expectations and layers at the end
    #[arg(long, short, conflicts_with_all = ["quiet", "json"])]
    pub verbose: bool,
    /// Number of variants in the summary, best first [default: 10, all with `--verbose`]
    #[arg(long, value_name = "N", value_parser = parse_positive, allow_negative_numbers = true)]
    pub top: Option<usize>,
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

    /// Returns the summary of a run.
    pub fn summary(&self, run: &TrainedRun) -> String {
        let page = TextStyle::of_output();
        match self.verbose {
            true => full::render(run, self.top, page),
            false => short::render(run, self.top.unwrap_or(short::TOP), page),
        }
    }
}
