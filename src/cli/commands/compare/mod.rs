//! `runner compare A B …`
//!
//! Without `--all` the comparison fits one screen: a legend (`screen`), the settings that differ with the main metrics
//! (`summary`), the differences, and the cautions. `--all` adds the tables of all settings and metrics, and the curves.
//! The notes and errors come from `crate::compare`: cautions from `caution`, runs that cannot be found or read from
//! `find`, unknown metrics and baselines from `comparison`.

mod cautions;
mod curves;
mod differences;
pub(super) mod formats;
mod overview;
mod screen;
mod settings;
mod single;
mod summary;
mod table;

use indexmap::IndexSet;

use crate::cli::args::runs_dir::RunsDir;
use crate::cli::commands::compare::screen::Screen;
use crate::cli::exit::Exit;
use crate::cli::text::shell_words::quoted;
use crate::cli::text::terminal;
use crate::cli::text::text_style::TextStyle;
use crate::compare::comparison::{CompareOptions, Comparison, compare};
use crate::compare::find::{Found, find};
use crate::compare::group::Group;
use crate::compare::metric_name::metric_of;
use crate::compare::statistics::Test;
use crate::compare::trial::Axis;
use crate::config::suggest;

/// Arguments of `runner compare`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Experiments (their newest finished runs), ids, names or directories of runs, histories, RUN/VARIANT, quoted glob
    /// patterns, or histories of Keras, Lightning, fastai, skorch, Hugging Face or TensorBoard
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
    /// Show everything: all runs, settings, metrics, curves and cautions
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

/// Number of metrics that a message lists.
const MAX_SHARED: usize = 8;

/// Number of lines that a comparison has at most without `--all`.
const MAX_LINES: usize = 60;

const EXAMPLES: &str = "\
Examples:
  runner compare overfit_mnist mnist_dropout
  runner compare regularize_mnist                      its variants
  runner compare regularize_mnist/baseline regularize_mnist/dropout
  runner compare runs/digits_mlp/2026-* --metric acc
  runner compare overfit_mnist keras_history.json lightning_logs/version_0
  runner compare 'old/*/base-*.json' mnist_dropout --baseline mnist_dropout

Trials that differ only by seed and fold form a group; its metrics are means
over them. If groups have the same seeds, their trials are compared in pairs
(paired test).";

/// Compares runs.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let Found { groups, faults, notes, named } = find(&args.runs, &args.out)?;
    // `--baseline` may repeat a name of the command line, or be a label
    let label_of = |name: &String| named.iter().position(|other| other == name).map(|i| groups[i].label.clone());
    let baseline = args.baseline.as_ref().map(|name| label_of(name).unwrap_or_else(|| name.clone()));
    let options = CompareOptions { baseline, metrics: args.metrics.clone(), test: args.test };
    let comparison = compare(&groups, &options)?;
    let missing = if args.metrics.is_empty() { Vec::new() } else { missing(&groups, &comparison) };
    let lone = if let [_] = &groups[..] { Some(named[0].as_str()) } else { None };
    if args.json {
        terminal::json(&formats::to_json(&groups, &comparison, args.all));
    } else if args.csv {
        terminal::out(&formats::to_csv(&groups, &comparison));
        comparison.cautions.iter().for_each(|caution| terminal::say(&format!("caution: {caution}")));
    } else if args.md {
        terminal::out(&formats::to_markdown(&groups, &comparison, args.all));
    } else {
        let screen = Screen::new(groups, comparison, args.all, args.baseline.is_some());
        terminal::out(&render(&screen, args, TextStyle::of_output()));
    }
    notes.iter().for_each(|note| terminal::say(&format!("note: {note}")));
    missing.iter().for_each(|missing| terminal::warn(missing));
    faults.iter().for_each(terminal::error);
    match (lone, faults.is_empty()) {
        (Some(lone), true) => {
            terminal::say(&format!(
                "only one run: name a second to compare it with: `runner compare {} RUN`; `runner runs` lists all runs",
                quoted(lone)
            ));
        }
        (Some(lone), false) => terminal::say(&format!("no other run could be read: showing only {lone}")),
        (None, _) => {}
    }
    Ok(if faults.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Returns a sentence for each metric of `--metric` that some of the runs do not have.
fn missing(groups: &[Group], comparison: &Comparison) -> Vec<String> {
    let sentence = |(metric, without): (&str, Vec<usize>)| {
        let labels: Vec<&str> = without.iter().map(|&place| groups[place].label.as_str()).collect();
        let has = if labels.len() == 1 { "has" } else { "have" };
        let everywhere =
            comparison.metrics.iter().filter(|other| (0..groups.len()).all(|place| other.value(place).is_some()));
        let shared: IndexSet<&str> = everywhere.map(|metric| metric_of(&metric.name)).collect();
        let shared: Vec<&str> = shared.into_iter().take(MAX_SHARED).collect();
        let instead =
            if shared.is_empty() { String::new() } else { format!("; all runs have {}", suggest::list(&shared)) };
        format!("{} {has} no `{metric}`{instead}", suggest::list(&labels))
    };
    comparison.missing().into_iter().map(sentence).collect()
}

fn render(screen: &Screen, args: &Args, page: TextStyle) -> String {
    let groups = &screen.groups;
    let mut parts = vec![screen.legend(page)];
    parts.push(if groups.len() > 1 { summary::render(screen, page) } else { single::render(screen, page) });
    if screen.all {
        parts.push(overview::render(groups, page));
        parts.extend(settings::render(groups, page));
        parts.extend(table::render(groups, &screen.comparison, page));
        parts.extend(curves::render(groups, &screen.comparison, args.x, page));
    }
    let cautions = cautions::render(screen, page);
    if groups.len() > 1 {
        let taken: usize = parts.iter().chain(&cautions).map(|part| part.lines().count() + 1).sum();
        parts.extend(differences::render(screen, MAX_LINES.saturating_sub(taken), page));
    }
    parts.extend(cautions);
    parts.join("\n\n")
}
