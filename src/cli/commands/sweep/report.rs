//! `runner sweep report`

use std::path::{Path, PathBuf};

use anyhow::{anyhow, ensure};

use crate::cli::commands::report::{Format, write};
use crate::cli::commands::sweep::table::{RankedSweep, Results};
use crate::cli::exit::Exit;
use crate::cli::text::shell_words::quoted_path;
use crate::cli::text::terminal;
use crate::config::hint::Hint;
use crate::report::sweep;
use crate::sweep::confirmation::{Confirmation, RankedBy};
use crate::sweep::results::{Overview, Ranking};

/// Arguments of `runner sweep report`.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    #[command(flatten)]
    ranked: RankedSweep,
    /// Output file; `-` writes to stdout [default: report.html in the directory of the sweep]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Returns an error if a file has the extension of another format.
fn check_is_html(output: &Path) -> anyhow::Result<()> {
    let hint = "use a name that ends in `.html`; to get a PDF, print the HTML page from a browser";
    ensure!(
        output.is_dir() || Format::of_extension(output) == Some(Format::Html),
        anyhow!("`-o {}` does not end in `.html`", output.display()).context(Hint(hint.to_owned()))
    );
    Ok(())
}

/// Writes the report of a sweep.
pub fn run(args: &ReportArgs) -> anyhow::Result<Exit> {
    args.output.as_deref().map_or(Ok(()), check_is_html)?;
    let Results { dir, record, state, metric, higher_is_better } = args.ranked.results()?;
    let name = quoted_path(dir.path());
    let ranking = Ranking::new(&record, &state.ended, higher_is_better);
    let overview = Overview::new(&record, ranking, &metric, higher_is_better);
    let by = RankedBy { metric: &metric, higher_is_better };
    let confirmation = Confirmation::read(&dir, &record, &state.ended, by)?.filter(|found| found.is_over);
    let page = || sweep::html(&dir, &state, &overview, confirmation.as_ref(), &name);
    terminal::out(&write(args.output.as_deref(), &dir.file("report.html"), page)?);
    if !state.is_over() {
        terminal::say(&state.progress(&record));
    }
    Ok(Exit::Done)
}
