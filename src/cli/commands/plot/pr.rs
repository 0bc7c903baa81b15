//! `runner plot pr RUN…`

use crate::cli::args::plot_args::{PlotOutput, safe_file_stem};
use crate::cli::commands::plot::draw_runs::{Runs, write_plot};
use crate::cli::commands::plot::loaded_trial::file_name_of;
use crate::cli::commands::plot::scored_rows::{self, ScoredTrial};
use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::config::hint::hinted;
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
        let message = format!("`--by-class` plots one run, found {}", args.runs.runs.len());
        return Err(hinted(message, "plot one run after the other"));
    };
    let mut trials = scored_rows::trials(name, &args.runs.out, args.runs.trial.as_deref())?;
    let (variant, all) = (trials[0].history.variant.clone(), trials.len()); // a run has a trial
    trials.retain(|trial| trial.history.variant == variant);
    if trials.len() < all {
        terminal::warn(&format!("plotting only the variant `{variant}`; name another one as `{name}/VARIANT`"));
    }
    let scored_trials = trials.into_iter().map(|trial| ScoredTrial::new(trial, args.rows));
    let trials = scored_trials.collect::<anyhow::Result<Vec<_>>>()?;
    let first = &trials[0];
    let mut classes: Vec<ClassScores> =
        first.classes.iter().map(|name| ClassScores { name: name.clone(), trials: Vec::new() }).collect();
    for trial in &trials {
        classes.iter_mut().zip(trial.by_class()).for_each(|(class, scores)| class.trials.push(scores));
    }
    let page = Page {
        notes: vec!["Each class against all others, the lowest average precision (AP) first.".to_owned()],
        ..first.page("precision–recall curves by class", trials.len())
    };
    let drawn = class_pr::draw(page, &classes, &args.target.page())?;
    args.target.write(drawn, &safe_file_stem(&file_name_of(name, &first.trial), "pr-by-class"))
}
