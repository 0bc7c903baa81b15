//! `runner runs`

mod age;
mod formats;

use anyhow::anyhow;
use time::OffsetDateTime;

use crate::cli::args::runs_dir::RunsDir;
use crate::cli::exit::Exit;
use crate::cli::text::column_layout::{Cell, Column, Fitted};
use crate::cli::text::text_style::TextStyle;
use crate::cli::text::{number_format, terminal};
use crate::compare::direction::higher_is_better;
use crate::compare::filter::Filter;
use crate::compare::metric_name::metric_of;
use crate::compare::positive_class;
use crate::compare::run_list::{ListOptions, RunList, RunSummary, list_runs};
use crate::config::hint::Hint;
use crate::history::Status;

/// Arguments of `runner runs`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only runs of this experiment
    experiment: Option<String>,
    /// Sort by a metric such as `test.acc` or `best.val_loss` (best first), or by `seconds`, `started`, `experiment`,
    /// `device`
    /// [default: newest first]
    #[arg(long, value_name = "METRIC")]
    sort: Option<String>,
    /// Reverse the order
    #[arg(long)]
    reverse: bool,
    /// Only runs for which a condition on a metric or setting holds, such as `best.val_acc>0.96` (mean over seeds);
    /// repeatable
    #[arg(long = "filter", value_name = "CONDITION", value_parser = clap::value_parser!(Filter))]
    filters: Vec<Filter>,
    /// Show only the first N
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    top: Option<u32>,
    /// One line per variant
    #[arg(long)]
    variants: bool,
    #[command(flatten)]
    out: RunsDir,
    /// Print JSON
    #[arg(long, group = "format")]
    json: bool,
    /// Print CSV
    #[arg(long, group = "format")]
    csv: bool,
    /// Print a Markdown table
    #[arg(long, group = "format")]
    md: bool,
}

const EXAMPLES: &str = "\
Examples:
  runner runs
  runner runs overfit_mnist --sort test.acc --top 5
  runner runs --filter 'best.val_acc>0.96' --filter status=completed
  runner runs regularize_mnist --variants --sort diagnosis.val_loss_rise
  runner runs --filter train.optimizer.adam.lr=0.001 --json

For a run with variants, the variant that is best on the validation rows is shown,
even if runs are sorted by a test metric; `--variants` shows all. Metrics are means
over seeds. The epoch is in parentheses: the best one, and the one whose weights
were tested. \"stopped\" means early stopping; \"incomplete\" means that histories are
missing. A wider terminal shows more columns.";

/// Sort keys that are not metrics.
const OTHER_SORT_KEYS: [&str; 4] = ["seconds", "started", "experiment", "device"];

/// Lists past runs.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut metric_names: Vec<String> = args.filters.iter().map(|filter| filter.name.clone()).collect();
    metric_names.extend(args.sort.clone());
    metric_names.retain(|name| name.contains('.') && !OTHER_SORT_KEYS.contains(&name.as_str()));
    let mut seen = std::collections::BTreeSet::new();
    metric_names.retain(|name| seen.insert(name.clone()));
    let query = ListOptions {
        experiment: args.experiment.clone(),
        filters: args.filters.clone(),
        metrics: metric_names.clone(),
        by_variant: args.variants,
    };
    let RunList { mut runs, empty, faults, known } = list_runs(&args.out, &query)?;
    let unknown = args.filters.iter().enumerate().find(|(index, _)| !known.contains(index));
    if let (Some((_, filter)), true) = (unknown, runs.is_empty() && faults.is_empty() && empty.is_empty()) {
        let message = format!("no run has a metric or setting `{}`", filter.name);
        let hint = "use metric paths such as `best.val_acc` or settings such as `train.batch`";
        return Err(anyhow!(message).context(Hint(hint.to_owned())));
    }
    if let Some(by) = &args.sort {
        sort(&mut runs, by, &metric_names)?;
    }
    if args.reverse {
        runs.reverse();
    }
    runs.truncate(args.top.map_or(usize::MAX, |top| top as usize));
    // skip names without values, such as those of settings
    let shown: Vec<usize> =
        (0..metric_names.len()).filter(|&index| runs.iter().any(|run| run.metrics[index].is_some())).collect();
    if args.json {
        terminal::json(&formats::to_json(&runs, &metric_names));
    } else if args.csv {
        terminal::out(&formats::to_csv(&runs, &metric_names));
    } else if args.md && !runs.is_empty() {
        terminal::out(&formats::to_markdown(&columns(&runs, &metric_names, &shown, args), &labels(&runs, args)));
    } else if !runs.is_empty() {
        terminal::out(&render(&runs, &metric_names, &shown, args, TextStyle::of_output()));
    }
    if runs.is_empty() && faults.is_empty() {
        terminal::say(&match (&args.filters[..], &empty[..]) {
            ([], []) => format!("no runs in `{}`; start one with `runner exp NAME`", args.out.display()),
            ([], _) => "no run has a history yet".to_owned(),
            _ => "no run matches the filters".to_owned(),
        });
    }
    if !empty.is_empty() {
        let first = empty[0].display();
        let others = if empty.len() > 1 { format!(" and {} more", empty.len() - 1) } else { String::new() };
        terminal::say(&format!(
            "no history yet in `{first}`{others}: still training, or killed; `runner resume` continues a killed run"
        ));
    }
    faults.iter().for_each(terminal::error);
    Ok(if faults.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Sorts runs, best first; runs without the metric come last.
///
/// # Errors
/// If no run has the metric.
fn sort(runs: &mut [RunSummary], by: &str, metric_names: &[String]) -> anyhow::Result<()> {
    match by {
        "seconds" => runs.sort_by(|a, b| b.seconds.total_cmp(&a.seconds)),
        "started" => {}
        "device" => runs.sort_by(|a, b| a.device.cmp(&b.device)),
        "experiment" => runs.sort_by(|a, b| a.experiment.cmp(&b.experiment)),
        metric => {
            let index = metric_names.iter().position(|name| name == metric);
            let value = |run: &RunSummary| run.metrics[index?];
            if index.is_none() || (!runs.is_empty() && runs.iter().all(|run| value(run).is_none())) {
                let hint = "use a metric path: `test.acc`, `best.val_loss`, `diagnosis.val_loss_rise`";
                let message = format!("failed to sort: no run has a metric `{metric}`");
                return Err(anyhow!(message)
                    .context(Hint(format!("{hint}; or sort by `seconds`, `started`, `experiment`, `device`; add `--variants` if the variants have no validation rows"))));
            }
            let sign = if higher_is_better(metric_of(metric)) == Some(false) { 1.0 } else { -1.0 };
            let key = |run: &RunSummary| value(run).map_or(f64::INFINITY, |value| sign * value);
            runs.sort_by(|a, b| key(a).total_cmp(&key(b)));
        }
    }
    Ok(())
}

/// Returns the table of runs.
fn render(runs: &[RunSummary], metric_names: &[String], shown: &[usize], args: &Args, page: TextStyle) -> String {
    // one table: columns that do not fit are left out, the least important first
    let spare = columns(runs, metric_names, shown, args).into_iter().enumerate().collect();
    let fitted = Fitted { labels: labels(runs, args), groups: Vec::new(), spare, closing: None };
    fitted.tables(page).join("\n\n")
}

/// Returns the labels of the lines: experiments and variants, or the folders of the runs of one experiment.
fn labels(runs: &[RunSummary], args: &Args) -> Column {
    let folder =
        |run: &RunSummary| run.folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match (&args.experiment, args.variants) {
        (Some(_), false) => Column::words("run", runs.iter().map(folder)),
        (Some(_), true) => Column::words("variant", runs.iter().map(|run| run.variant.clone().unwrap_or_default())),
        (None, false) => Column::words("experiment", runs.iter().map(|run| run.experiment.clone())),
        (None, true) => {
            let label = |run: &RunSummary| match run.variant.as_deref() {
                None | Some("base") => run.experiment.clone(),
                Some(variant) => format!("{}/{variant}", run.experiment),
            };
            Column::words("experiment", runs.iter().map(label))
        }
    }
}

/// Returns the columns, the most important first.
fn columns(runs: &[RunSummary], metric_names: &[String], shown: &[usize], args: &Args) -> Vec<Column> {
    let numbers = |header: &str, cell: &dyn Fn(&RunSummary) -> String| {
        Column::numbers(header, runs.iter().map(|run| Cell { text: cell(run), is_best: false }))
    };
    let words = |header: &str, cell: &dyn Fn(&RunSummary) -> String| Column::words(header, runs.iter().map(cell));
    let now = OffsetDateTime::now_utc();
    let mut columns = vec![words("trials", &trials), words("status", &status)];
    for &index in shown {
        columns.push(numbers(&metric_names[index], &|run| number_format::metric(run.metrics[index])));
    }
    let is_shown = |name: &str| shown.iter().any(|&index| metric_names[index] == name);
    let best = |run: &RunSummary| run.best.as_ref().map_or("–".to_owned(), format_best);
    let test = |run: &RunSummary| run.test.as_ref().map_or("–".to_owned(), format_test);
    columns.push(words("best (epoch)", &best));
    if !runs.iter().all(|run| run.test.as_ref().is_some_and(|test| is_shown(&format!("test.{}", test.metric)))) {
        columns.push(words("test (epoch)", &test));
    }
    let threshold = |run: &RunSummary| run.test.as_ref().and_then(|test| test.threshold);
    if runs.iter().any(|run| threshold(run).is_some()) {
        columns.push(numbers("threshold", &|run| number_format::metric(threshold(run))));
    }
    let needs_positive_class = |run: &RunSummary| {
        let metrics = [run.best.as_ref().map(|best| &best.metric), run.test.as_ref().map(|test| &test.metric)];
        metrics.into_iter().flatten().any(|metric| positive_class::is_of_positive_class(metric))
    };
    if runs.iter().any(needs_positive_class)
        || shown.iter().any(|&index| positive_class::is_of_positive_class(&metric_names[index]))
    {
        columns.push(words("positive class", &|run| run.positive.clone().unwrap_or_else(|| "–".to_owned())));
    }
    columns.push(numbers("age", &|run| age::format_age(&run.started, now)));
    if args.experiment.is_some() && args.variants {
        columns.push(words("run", &|run| {
            run.folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
        }));
    }
    columns.push(numbers("time", &|run| number_format::seconds(run.seconds)));
    columns.push(words("device", &|run| run.device.clone()));
    columns
}

/// Returns the best value of the monitored metric and its epoch: `val_loss 0.1127 (16)`.
fn format_best(best: &crate::compare::run_list::BestMetric) -> String {
    let epoch = best.epoch.round();
    format!("{} {} ({epoch})", best.metric, number_format::metric(Some(best.value)))
}

/// Returns a test metric and the epoch of its weights: `acc 0.9697 (30)`.
fn format_test(test: &crate::compare::run_list::TestMetric) -> String {
    let epoch = test.epoch.map(|epoch| format!(" ({})", epoch.round())).unwrap_or_default();
    format!("{} {}{epoch}", test.metric, number_format::metric(Some(test.value)))
}

/// Returns the number of variants and of trials of each, as `4×5`; `3 of 4` if the files of a trial are missing.
fn trials(run: &RunSummary) -> String {
    match run.variants {
        _ if run.missing > 0 => format!("{} of {}", run.trials, run.trials + run.missing),
        variants if run.trials.is_multiple_of(variants) => format!("{variants}×{}", run.trials / variants),
        variants => format!("{} in {variants} variants", run.trials),
    }
}

/// Returns the status of the trials; if they differ, the worst status and its count.
fn status(run: &RunSummary) -> String {
    const WORST_FIRST: [Status; 4] = [Status::Interrupted, Status::Diverged, Status::EarlyStopped, Status::Completed];
    let word = |status: Status| match status {
        Status::Completed if run.missing > 0 => "incomplete",
        Status::Completed if run.unfinished => "unfinished",
        Status::Completed => "done",
        Status::EarlyStopped => "stopped",
        other => other.word(),
    };
    let leaks = if run.leaks { ", leaks" } else { "" };
    let ended = match &run.statuses[..] {
        [(status, _)] => word(*status).to_owned(),
        several => {
            let worst = WORST_FIRST.iter().find_map(|status| several.iter().find(|(other, _)| other == status));
            worst.map(|(status, count)| format!("{count} {}", word(*status))).unwrap_or_default()
        }
    };
    ended + leaks
}
