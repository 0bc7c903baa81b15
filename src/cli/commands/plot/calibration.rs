//! `runner plot calibration RUN`

use indexmap::IndexMap;

use crate::cli::args::plot_args::{PlotOutput, safe_file_stem};
use crate::cli::args::runs_dir::RunsDir;
use crate::cli::commands::plot::loaded_trial::file_name_of;
use crate::cli::commands::plot::scored_rows::{self, ScoredTrial};
use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::compare::group::Group;
use crate::compare::trial::Trial;
use crate::config::hint::hinted;
use crate::experiment::plan::BASE;
use crate::experiment::predict::prediction::Prediction;
use crate::experiment::store::find::SavedTrial;
use crate::experiment::store::trial_data::Part;
use crate::plot::charts::best_first::{self, best_first};
use crate::plot::charts::scores::calibration::{self, Scored, Words};
use crate::plot::draw::page::Page;

/// Arguments of `runner plot calibration`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run that predicts classes
    #[arg(value_name = "RUN")]
    name: String,
    /// Number of bins
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(2..=100))]
    bins: u16,
    /// Part of the data: test, validation or train [default: test, else validation]
    #[arg(long, value_name = "PART")]
    rows: Option<Part>,
    /// Plot only this trial, such as `base-seed0` [default: all trials, with the mean of each variant]
    #[arg(long, value_name = "NAME")]
    trial: Option<String>,
    #[command(flatten)]
    out: RunsDir,
    #[command(flatten)]
    target: PlotOutput,
}

/// Maximum number of variants, which is the number of colors.
const MOST_VARIANTS: usize = 7;

/// Plots the calibration curve of a run.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    args.target.check()?;
    let mut trials = scored_rows::trials(&args.name, &args.out, args.trial.as_deref())?;
    let (variants, rest) = best_variants(&trials);
    trials.retain(|trial| variants.contains(&trial.history.variant));
    let scored_trials = trials.into_iter().map(|trial| ScoredTrial::new(trial, args.rows));
    let trials = scored_trials.collect::<anyhow::Result<Vec<_>>>()?;
    let first = &trials[0]; // a run has a trial
    if trials.iter().any(|trial| !trial.are_probabilities) {
        let hint = "train with a loss of probabilities, such as `cross_entropy` or `bce`";
        return Err(hinted(format!("the outputs of `{}` are not probabilities", args.name), hint));
    }
    let series: Vec<Scored> = variants.iter().map(|variant| scored(variant, &trials)).collect();
    let page = Page { notes: rest.into_iter().collect(), ..first.page("calibration", series[0].trials.len()) };
    let drawn = calibration::draw(page, &series, usize::from(args.bins), &words(first), &args.target.page());
    let kind = args.rows.map_or("calibration".to_owned(), |part| format!("calibration-{}", part.word()));
    args.target.write(drawn, &safe_file_stem(&file_name_of(&args.name, &first.trial), &kind))
}

/// Returns the names of the best variants, best first, and a sentence if others are left out.
fn best_variants(trials: &[SavedTrial]) -> (Vec<String>, Option<String>) {
    let mut by_variant: IndexMap<&str, Vec<Trial>> = IndexMap::new();
    for trial in trials {
        let one = Trial::from_history(trial.history.clone(), trial.file.clone());
        by_variant.entry(&trial.history.variant).or_default().push(one);
    }
    let groups = by_variant.into_iter().map(|(label, trials)| Group { label: label.to_owned(), trials });
    let groups = best_first(groups.collect());
    let (mut shown, mut notes) = (groups.iter().collect(), Vec::new());
    let rest = best_first::keep(&mut shown, MOST_VARIANTS, &mut notes);
    notes.iter().for_each(|note| terminal::warn(note));
    (shown.into_iter().map(|group| group.label.clone()).collect(), rest)
}

/// Returns the predictions of a variant. Its seeds predict the same rows; the validation rows of each fold are others.
fn scored(variant: &str, trials: &[ScoredTrial]) -> Scored {
    let (mut of_trials, mut folds, mut predictions) = (Vec::new(), Vec::new(), 0);
    let mut label = variant.to_owned();
    for trial in trials.iter().filter(|trial| trial.trial.history.variant == variant) {
        let (history, confidences) = (&trial.trial.history, trial.confidences());
        if variant == BASE {
            label.clone_from(&history.experiment);
        }
        let fold = history.fold.filter(|_| trial.part != Part::Test);
        if !folds.contains(&fold) {
            folds.push(fold);
            predictions += confidences.len();
        }
        of_trials.push(confidences);
    }
    Scored { label, trials: of_trials, predictions }
}

fn words(first: &ScoredTrial) -> Words {
    match first.predictions.first() {
        Some(Prediction::Class { shares, .. }) if shares.len() == 2 => {
            let class = first.classes.get(first.positive).map_or("positive", String::as_str);
            Words {
                probability: format!("predicted probability of class {class}"),
                observed: format!("Observed share of class {class}"),
            }
        }
        Some(Prediction::Labels(_)) => {
            Words { probability: "predicted probability of a label".to_owned(), observed: "Observed share".to_owned() }
        }
        _ => Words { probability: "probability of the predicted class".to_owned(), observed: "Accuracy".to_owned() },
    }
}
