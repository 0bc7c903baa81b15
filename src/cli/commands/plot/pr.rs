//! `runner plot pr RUN…`

use anyhow::anyhow;

use crate::cli::args::plot_args::{PlotOutput, safe_file_stem};
use crate::cli::commands::plot::calibration::subtitle;
use crate::cli::commands::plot::draw_runs::{Runs, write_plot};
use crate::cli::commands::plot::loaded_trial::file_name_of;
use crate::cli::commands::plot::scored_rows::Selection;
use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::config::hint::Hint;
use crate::experiment::store::trial_data::Part;
use crate::plot::charts::scores::class_pr::{self, ClassScores};
use crate::plot::charts::scores::roc_pr;
use crate::plot::draw::page::Page;

/// Arguments of `runner plot pr`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    runs: Runs,
    /// Plot one curve per class (one-vs-rest), for one run with several classes or labels
    #[arg(long)]
    pub(super) by_class: bool,
    /// Part of the data for `--by-class`: test, validation or train [default: test, else validation]
    #[arg(long, value_name = "PART", requires = "by_class")]
    rows: Option<Part>,
    #[command(flatten)]
    target: PlotOutput,
}

/// Plots the recorded precision–recall curves of runs with two classes.
pub(super) fn plot_recorded(Args { runs, target, .. }: &Args) -> anyhow::Result<Exit> {
    write_plot(runs, target, "pr", |groups| roc_pr::draw(groups, roc_pr::Kind::PrecisionRecall, &target.page()))
}

/// Predicts the rows of a run, and plots the precision–recall curve of each class.
pub fn plot_by_class(args: &Args) -> anyhow::Result<Exit> {
    args.target.check()?;
    let [name] = &args.runs.runs[..] else {
        let hint = Hint("plot one run after the other".to_owned());
        return Err(anyhow!("`--by-class` plots one run, found {}", args.runs.runs.len()).context(hint));
    };
    let trial = args.runs.trial.as_deref();
    let selection = Selection { run: name, out: &args.runs.out, trial, rows: args.rows };
    let mut trials = selection.trials()?;
    let Some(first) = trials.first() else { return Err(anyhow!("`{name}` has no trial")) };
    let (variant, all) = (first.history.variant.clone(), trials.len());
    trials.retain(|trial| trial.history.variant == variant);
    if trials.len() < all {
        terminal::warn(&format!("plotting only the variant `{variant}`; name another one as `{name}/VARIANT`"));
    }
    let trials = selection.predict(trials)?;
    let first = &trials[0];
    let mut classes: Vec<ClassScores> =
        first.classes.iter().map(|name| ClassScores { name: name.clone(), trials: Vec::new() }).collect();
    for trial in &trials {
        classes.iter_mut().zip(trial.by_class()).for_each(|(class, scores)| class.trials.push(scores));
    }
    let history = &first.trial.history;
    let title = history.config.get("title").and_then(|title| title.as_str()).unwrap_or(&history.experiment);
    let page = Page {
        title: format!("{title} – precision–recall curves by class"),
        subtitle: subtitle(first, trials.len()),
        notes: vec!["Each class against all others, the lowest average precision (AP) first.".to_owned()],
        ..Page::default()
    };
    let drawn = class_pr::draw(page, &classes, &args.target.page())?;
    drawn.notes.iter().for_each(|note| terminal::warn(note));
    args.target.write(drawn.svg, &safe_file_stem(&file_name_of(name, &first.trial), "pr-by-class"))?;
    Ok(Exit::Done)
}
