//! Runs to plot, and how their plot is drawn and written.

use crate::cli::args::plot_args::{self, PlotOutput};
use crate::cli::args::runs_dir::RunsDir;
use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::compare::find::{Found, find};
use crate::compare::group::Group;
use crate::config::hint::{hinted, in_a_line};
use crate::config::suggest;
use crate::plot::Plot;
use crate::plot::charts::best_first::best_first;

/// Names of the kinds of plots.
const KIND_NAMES: [&str; 12] = [
    "curves",
    "confusion",
    "roc",
    "pr",
    "threshold",
    "calibration",
    "gradients",
    "classes",
    "samples",
    "compare",
    "setting",
    "sweep",
];

/// Names that scikit-learn and others have for kinds of plots; of some there is none here.
const OTHER_NAMES: [(&str, Option<&str>); 3] =
    [("activations", Some("gradients")), ("feature_importance", None), ("learning_curve", Some("curves"))];

/// Runs to plot.
#[derive(Debug, clap::Args)]
pub(crate) struct Runs {
    /// Id, name or directory of a run, one of its files, an experiment (its newest finished run), RUN/VARIANT, a glob
    /// pattern, or a history of Keras, Lightning, fastai, skorch, Hugging Face or TensorBoard
    #[arg(value_name = "RUN", required = true)]
    pub(crate) runs: Vec<String>,
    #[command(flatten)]
    pub(crate) out: RunsDir,
    /// Plot only this trial, such as `base-seed0`
    #[arg(long, value_name = "NAME")]
    pub(crate) trial: Option<String>,
}

/// Plots the runs that can be read, writes the file, and warns about the others.
pub(crate) fn write_plot(
    runs: &Runs,
    target: &PlotOutput,
    kind: &str,
    draw: impl FnOnce(&[Group]) -> anyhow::Result<Plot>,
) -> anyhow::Result<Exit> {
    target.check()?;
    let Found { mut groups, faults, notes, named } = find(&runs.runs, &runs.out)?;
    // a first name that is not a run may be a misspelled kind, or a kind after an option
    let other = |name: &str| OTHER_NAMES.iter().find(|(other, _)| *other == name);
    let is_word = |name: &&String| {
        (name.chars().all(char::is_alphabetic) || other(name).is_some()) && !runs.out.join(name).exists()
    };
    let first = runs.runs.first().filter(|_| !faults.is_empty() && runs.runs.len() > 1).filter(is_word);
    if let Some(first) = first {
        let known = other(first).and_then(|(_, kind)| *kind).or_else(|| suggest::nearest(first, KIND_NAMES));
        let hint = match known {
            Some(kind) if kind == first => "put the kind of plot before all options".to_owned(),
            Some(kind) => format!("did you mean the kind of plot `{kind}`?"),
            None => format!("kinds of plots: {}", suggest::list(&KIND_NAMES)),
        };
        return Err(hinted(format!("`{first}` is neither a run nor a kind of plot"), hint));
    }
    faults.iter().for_each(|fault| terminal::warn(&format!("skipped: {}", in_a_line(fault))));
    notes.iter().for_each(|note| terminal::say(&format!("note: {note}")));
    if let Some(trial) = &runs.trial {
        groups = keep_trial(groups, trial)?;
    }
    let are_several_runs = named.windows(2).any(|pair| pair[0] != pair[1]);
    let stem = plot_args::default_file_stem(&groups, are_several_runs, kind);
    // variants of one run are ranked; several runs keep the order in which they are named
    if !are_several_runs {
        groups = best_first(groups);
    }
    for group in groups.iter_mut().filter(|group| group.leaks()) {
        group.label.push_str(" (leaks)"); // its metrics are too good
    }
    let exit = target.write(draw(&groups)?, &stem)?;
    Ok(if faults.is_empty() { exit } else { Exit::Failed })
}

/// Keeps only the trial with this name.
///
/// # Errors
/// If no group has this trial.
fn keep_trial(mut groups: Vec<Group>, name: &str) -> anyhow::Result<Vec<Group>> {
    let stem = |file: &std::path::Path| file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let wanted = name.trim_end_matches(".json").trim_end_matches(".safetensors");
    let all: Vec<String> =
        groups.iter().flat_map(|group| &group.trials).filter_map(|trial| stem(&trial.file)).collect();
    for group in &mut groups {
        group.trials.retain(|trial| stem(&trial.file).as_deref() == Some(wanted));
    }
    groups.retain(|group| !group.trials.is_empty());
    if groups.is_empty() {
        let hint = suggest::hint(wanted, all.iter().map(String::as_str));
        return Err(hinted(format!("no run has a trial `{name}`"), hint));
    }
    Ok(groups)
}
