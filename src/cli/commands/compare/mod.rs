//! `runner compare A B …`
//!
//! This folder formats the comparison. The notes and errors come from `crate::compare`: cautions from `caution`, runs that
//! cannot be found or read from `find`, unknown metrics and baselines from `comparison`.

mod chart;
mod curves;
mod differences;
pub(super) mod formats;
mod overview;
mod settings;
mod table;

use anyhow::anyhow;

use crate::cli::args::runs_dir::RunsDir;
use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::cli::text::text_style::TextStyle;
use crate::compare::comparison::{CompareOptions, Comparison, compare};
use crate::compare::find::{Found, find};
use crate::compare::group::Group;
use crate::compare::statistics::Test;
use crate::compare::trial::Axis;
use crate::config::hint::Hint;

/// Arguments of `runner compare`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Experiments (their newest runs), run directories, histories, RUN/VARIANT, quoted glob patterns, or histories of
    /// Keras, Lightning, skorch, Hugging Face and TensorBoard
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<String>,
    /// Run that the others are compared with [default: the first]
    #[arg(long, value_name = "RUN")]
    baseline: Option<String>,
    /// Metric to test: `acc` (on the test rows, if there are any), `best.val_loss`, `test.report.macro.f1`, …; repeatable
    #[arg(long = "metric", value_name = "METRIC")]
    metrics: Vec<String>,
    /// Statistical test
    #[arg(long, value_enum, default_value_t)]
    test: Test,
    /// Unit of the x axis
    #[arg(long, value_enum, default_value_t)]
    x: Axis,
    /// Show all settings, not only those that differ
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    out: RunsDir,
    /// Print JSON
    #[arg(long, group = "format")]
    json: bool,
    /// Print CSV: one line per metric and run
    #[arg(long, group = "format")]
    csv: bool,
    /// Print Markdown tables
    #[arg(long, group = "format")]
    md: bool,
}

const EXAMPLES: &str = "\
Examples:
  runner compare overfit_mnist mnist_dropout
  runner compare regularize_mnist                      its variants
  runner compare regularize_mnist/baseline regularize_mnist/dropout
  runner compare runs/digits_mlp/2026-* --metric acc
  runner compare overfit_mnist keras_history.json lightning_logs/version_0
  runner compare 'seeds/*/base-seed*.json' overfit_mnist --baseline overfit_mnist

Trials that differ only by seed and fold form a group; its metrics are means over
them. Groups with the same seeds are compared in pairs.";

/// Compares runs.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let Found { groups, faults, notes, named } = find(&args.runs, &args.out)?;
    if groups.len() < 2 && faults.is_empty() {
        let message = format!("`{}` is the only run: there is nothing to compare it with", groups[0].label);
        let hint = "name a second run: `runner runs` lists past runs";
        return Err(anyhow!(message).context(Hint(hint.to_owned())));
    }
    // `--baseline` may repeat a name of the command line, or be a label
    let label_of = |name: &String| named.iter().position(|other| other == name).map(|i| groups[i].label.clone());
    let baseline = args.baseline.as_ref().map(|name| label_of(name).unwrap_or_else(|| name.clone()));
    let options = CompareOptions { baseline, metrics: args.metrics.clone(), test: args.test };
    let comparison = compare(&groups, &options)?;
    if args.json {
        terminal::json(&formats::to_json(&groups, &comparison, args.all));
    } else if args.csv {
        terminal::out(&formats::to_csv(&groups, &comparison));
        comparison.cautions.iter().for_each(|caution| terminal::say(&format!("caution: {caution}")));
    } else if args.md {
        terminal::out(&formats::to_markdown(&groups, &comparison, args.all));
    } else {
        terminal::out(&render(&groups, &comparison, args, TextStyle::of_output()));
    }
    notes.iter().for_each(|note| terminal::say(&format!("note: {note}")));
    faults.iter().for_each(terminal::error);
    if groups.len() == 1 {
        terminal::say(&format!("no other run could be read: showing only {}", groups[0].label));
    }
    Ok(if faults.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Returns the comparison as text: overview, settings, metrics, curves, cautions, and tested differences.
fn render(groups: &[Group], comparison: &Comparison, args: &Args, page: TextStyle) -> String {
    let mut parts = vec![overview::render(groups, comparison.baseline, page)];
    parts.extend(settings::render(groups, args.all, page));
    parts.extend(table::render(groups, comparison, page));
    parts.extend(curves::render(groups, comparison, args.x, page));
    if !comparison.cautions.is_empty() {
        let cautions = comparison.cautions.iter().map(|caution| page.wrapped(&format!("caution: {caution}"), 2));
        parts.push(cautions.collect::<Vec<_>>().join("\n"));
    }
    if groups.len() > 1 {
        parts.extend(differences::render(groups, comparison, page));
    }
    parts.join("\n\n")
}
