//! `runner sweep table` and `runner sweep best`: the configurations, best first.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use crate::cli::args::run_args::parse_positive;
use crate::cli::args::sweeps_dir::NamedSweep;
use crate::cli::commands::sweep::ranking_text::{self, TOP};
use crate::cli::commands::sweep::status::say_what_is_missing;
use crate::cli::exit::Exit;
use crate::cli::text::shell_words::quoted_path;
use crate::cli::text::terminal;
use crate::cli::text::text_style::TextStyle;
use crate::compare::direction::higher_is_better;
use crate::compare::metric_name::metric_of;
use crate::config::hint::Hint;
use crate::history::metric_path::canonical;
use crate::io::{atomic_write, bounded_file};
use crate::sweep::confirmation::{Confirmation, RankedBy};
use crate::sweep::dir::SweepDir;
use crate::sweep::dir::state::SweepState;
use crate::sweep::record::SweepRecord;
use crate::sweep::results::{Ranking, csv, metric_values, notes};

/// Which sweep, and by which metric its configurations are ranked.
#[derive(Debug, clap::Args)]
pub(crate) struct RankedSweep {
    #[command(flatten)]
    sweep: NamedSweep,
    /// Rank by another metric of training or validation rows [default: the metric of the sweep]
    #[arg(long, value_name = "METRIC")]
    metric: Option<String>,
}

/// Arguments of `runner sweep table`.
#[derive(Debug, clap::Args)]
pub struct TableArgs {
    #[command(flatten)]
    ranked: RankedSweep,
    /// Number of configurations, best first [default: 10]
    #[arg(long, value_name = "N", value_parser = parse_positive, allow_negative_numbers = true)]
    top: Option<usize>,
    /// Print all configurations as CSV
    #[arg(long)]
    csv: bool,
}

/// Arguments of `runner sweep best`.
#[derive(Debug, clap::Args)]
pub struct BestArgs {
    #[command(flatten)]
    ranked: RankedSweep,
    /// Write an experiment file with the settings of the best configuration
    #[arg(long, value_name = "FILE")]
    toml: Option<PathBuf>,
}

/// The results of a sweep, for one metric.
pub(crate) struct Results {
    /// Its directory.
    pub(crate) dir: SweepDir,
    /// Its record.
    pub(crate) record: SweepRecord,
    /// Its state, with the values of the metric.
    pub(crate) state: SweepState,
    /// Path of the metric.
    pub(crate) metric: String,
    /// Whether a higher value is better.
    pub(crate) higher_is_better: bool,
}

impl RankedSweep {
    /// Returns the sweep in this directory, ranked by its own metric.
    pub(crate) fn in_directory(directory: &Path) -> RankedSweep {
        RankedSweep { sweep: NamedSweep::in_directory(directory), metric: None }
    }

    /// Reads the results.
    ///
    /// # Errors
    /// When there is no such sweep, or it cannot be ranked by the metric.
    pub(crate) fn results(&self) -> anyhow::Result<Results> {
        let (dir, record, mut state) = self.sweep.read()?;
        let (mut metric, mut higher) = (record.metric.clone(), record.higher_is_better);
        if let Some(other) = self.metric.as_deref().map(canonical).filter(|other| *other != record.metric) {
            if other.starts_with("test.") {
                return Err(anyhow!("`{other}` is a metric of test rows, which must not choose a configuration")
                    .context(Hint("rank by a metric of validation rows, such as `best.val_loss`".to_owned())));
            }
            metric_values::replace(&dir, &mut state.ended, &other)?;
            higher = higher_is_better(metric_of(&other)).with_context(|| {
                format!("`--metric` must have a direction, but neither a higher nor a lower `{other}` is better")
            })?;
            metric = other;
        }
        Ok(Results { dir, record, state, metric, higher_is_better: higher })
    }
}

/// Prints the configurations, best first.
pub fn run(args: &TableArgs) -> anyhow::Result<Exit> {
    let Results { dir, record, state, metric, higher_is_better } = args.ranked.results()?;
    let ranking = Ranking::new(&record, &state.ended, higher_is_better);
    let (shown, page) = ((args.top.unwrap_or(TOP), "--top"), TextStyle::of_output());
    terminal::out(&match args.csv {
        true => csv::table(&record, &ranking, &metric),
        false => ranking_text::table(&record, &ranking, &metric, shown, page),
    });
    say_what_is_missing(&dir, &record, &state);
    Ok(Exit::Done)
}

/// First words of the experiment files that `sweep best` writes.
const FIRST_WORDS: &str = "# Configuration";

/// Returns an error if the file exists and was not written by `sweep best`.
fn check_free(path: &Path) -> anyhow::Result<()> {
    match bounded_file::beginning(path, FIRST_WORDS.len() as u64) {
        Ok(there) if there.is_empty() || there == FIRST_WORDS.as_bytes() => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(anyhow::Error::new(error).context(format!("failed to read `{}`", path.display()))),
        Ok(_) => {
            let hint = Hint("write to another file, or remove it".to_owned());
            Err(anyhow!("`{}` exists and was not written by `runner sweep best`", path.display()).context(hint))
        }
    }
}

/// Prints the best configuration, or writes its experiment file.
pub fn run_best(args: &BestArgs) -> anyhow::Result<Exit> {
    let Results { dir, record, state, metric, higher_is_better } = args.ranked.results()?;
    let ranking = Ranking::new(&record, &state.ended, higher_is_better);
    let Some(best) = ranking.best() else {
        let hint = format!("see `runner sweep status {}`", dir.path().display());
        return Err(anyhow!("no configuration has all of its trials").context(Hint(hint)));
    };
    if let Some(file) = &args.toml {
        check_free(file)?;
        let name = &best.configuration.name;
        let text = record.experiment_of(name)?;
        let about = format!("{FIRST_WORDS} {name} of the sweep {}\n", dir.path().display());
        atomic_write::write_whole(file, (about + &text).as_bytes())?;
        let line = ranking_text::best_line(&record, best, &metric);
        terminal::say(&format!("wrote `{}` with configuration {line}", file.display()));
        return Ok(Exit::Done);
    }
    let page = TextStyle::of_output();
    terminal::out(&page.wrapped(&ranking_text::best_line(&record, best, &metric), 2));
    for key in &record.settings {
        if let Some(value) = best.configuration.set.get(key) {
            terminal::out(&format!("  {key} = {value}"));
        }
    }
    notes::notes(&record, &ranking).iter().for_each(|note| terminal::say(&format!("note: {note}")));
    let by = RankedBy { metric: &metric, higher_is_better };
    match Confirmation::read(&dir, &record, &state.ended, by)?.filter(|found| found.is_over) {
        Some(found) => terminal::say(&format!("on fresh seeds: {}", found.conclusion())),
        None if state.is_over() => {
            let shown = quoted_path(dir.path());
            terminal::say(&format!("compare the best on fresh seeds with `runner sweep confirm {shown}`"));
        }
        None => {}
    }
    say_what_is_missing(&dir, &record, &state);
    Ok(Exit::Done)
}
