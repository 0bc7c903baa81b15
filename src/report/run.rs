//! Summary of one variant over all of its trials: diagnosis, best epoch and test metrics.

use crate::compare::comparison::main_figure;
use crate::compare::group::{Group, tested_with, union};
use crate::compare::statistics::sample::Sample;
use crate::compare::trial::Trial;
use crate::history::Status;
use crate::history::diagnosis::Verdict;
use crate::history::number::{brief, spread};
use crate::report::markup::{paragraph, text};

/// Maximum number of test metrics shown as tiles.
const TILES: usize = 4;

/// Returns the summary of one variant.
pub fn html(group: &Group) -> String {
    let mut parts = vec![reading(group)];
    let tiles = tiles(group);
    if !tiles.is_empty() {
        let tiles: String = tiles
            .iter()
            .map(|(name, figure, aside)| {
                format!("<div><dt>{}</dt><dd>{}<small>{}</small></dd></div>", text(name), text(figure), text(aside))
            })
            .collect();
        parts.push(format!("<dl class=\"tiles\">{tiles}</dl>"));
    }
    parts.join("\n")
}

/// Returns the diagnosis as a badge with a sentence; with several trials, the number of trials for each diagnosis.
fn reading(group: &Group) -> String {
    match &group.trials[..] {
        [trial] => match trial.diagnosis() {
            Some(diagnosis) => {
                let word = trial.verdict().map_or("", Verdict::word);
                // The badge already shows the word.
                let sentence = diagnosis.sentence.strip_prefix(word).unwrap_or(&diagnosis.sentence);
                let sentence = sentence.trim_start_matches([':', ' ']);
                format!("<p class=\"reading\">{} {}</p>", badge(trial), text(&capital(sentence)))
            }
            None => paragraph(&without_curves(trial)),
        },
        trials => {
            let counts = Verdict::ALL.iter().filter_map(|&verdict| {
                let number = trials.iter().filter(|trial| trial.verdict() == Some(verdict)).count();
                (number > 0).then(|| {
                    format!("<span class=\"verdict {}\">{} in {number}</span>", class(verdict), verdict.word())
                })
            });
            let counts: Vec<String> = counts.collect();
            if counts.is_empty() {
                return paragraph(&format!("{} trials. {}", trials.len(), without_curves(&trials[0])));
            }
            let typical = trials.iter().find_map(|trial| Some((trial.name(), &trial.diagnosis()?.sentence)));
            let of_first = typical.map(|(name, sentence)| format!("{}: {}", text(&capital(&name)), text(sentence)));
            format!(
                "<p class=\"reading\">What the curves of {} trials show: {}</p>\n<p class=\"note\">{}</p>",
                trials.len(),
                counts.join(" "),
                of_first.unwrap_or_default()
            )
        }
    }
}

/// Returns the reason why there is no diagnosis.
fn without_curves(trial: &Trial) -> String {
    match trial.history() {
        Some(history) if history.tree.is_some() => {
            "A decision tree is fitted at once, so there are no curves to read.".to_owned()
        }
        Some(history) if history.status == Status::Interrupted => {
            "It was stopped before its first epoch had ended.".to_owned()
        }
        _ if trial.epochs() == 0 => "There is no epoch to read.".to_owned(),
        _ => "There is no loss by epoch to read.".to_owned(),
    }
}

/// Returns a trial's diagnosis as a badge.
pub fn badge(trial: &Trial) -> String {
    let interrupted = trial.history().is_some_and(|history| history.status == Status::Interrupted);
    match trial.verdict() {
        _ if interrupted => "<span class=\"verdict interrupted\">interrupted</span>".to_owned(),
        Some(verdict) => format!("<span class=\"verdict {}\">{}</span>", class(verdict), verdict.word()),
        None => String::new(),
    }
}

/// Returns the CSS class for a diagnosis.
pub fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Underfitting => "underfitting",
        Verdict::Good => "good",
        Verdict::Overfitting => "overfitting",
        Verdict::Diverged => "diverged",
        Verdict::Unstable => "unstable",
    }
}

fn capital(sentence: &str) -> String {
    let mut characters = sentence.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// Returns the tiles: name, value and note.
fn tiles(group: &Group) -> Vec<(String, String, String)> {
    let mut tiles = Vec::new();
    let sample = |name: &str| Sample::of(&group.values(|trial| trial.figure(name)));
    let monitor = group.trials.iter().find_map(|trial| Some(trial.best()?.monitor.clone()));
    if let (Some(epoch), Some(monitor)) = (sample("best.epoch"), monitor) {
        let at_best =
            sample(&format!("best.{monitor}")).map_or(String::new(), |sample| format!("{monitor} {}", shown(&sample)));
        let figure = match epoch.n {
            1 => epoch.mean.to_string(),
            _ if epoch.min == epoch.max => epoch.mean.to_string(),
            _ => format!("{} to {}", epoch.min, epoch.max),
        };
        tiles.push(("Best epoch".to_owned(), figure, at_best));
    }
    let tested = union(group.trials.iter().map(Trial::tested));
    let names: Vec<String> = tested.iter().map(|metric| format!("test.{metric}")).collect();
    let main = main_figure(std::slice::from_ref(group), &names);
    let mut ordered: Vec<&String> = main.iter().collect();
    ordered.extend(names.iter().filter(|name| Some(*name) != main.as_ref() && *name != "test.loss"));
    ordered.extend(names.iter().filter(|name| *name == "test.loss" && Some(*name) != main.as_ref()));
    let tested: Vec<&String> = ordered.into_iter().filter(|name| names.contains(name)).take(TILES).collect();
    for name in &tested {
        if let Some(sample) = sample(name) {
            let of =
                [aside(&sample), tested_with(std::slice::from_ref(group)), baseline(group, name).unwrap_or_default()];
            let of: Vec<String> = of.into_iter().filter(|words| !words.is_empty()).collect();
            tiles.push((capital(&name.replacen('.', " ", 1)), brief(sample.mean), of.join("; ")));
        }
    }
    if tested.is_empty() {
        // without test rows, show the metrics of the best epoch
        for metric in group.metrics().into_iter().filter(|metric| metric.starts_with("val_")).take(2) {
            if let Some(sample) = sample(&format!("best.{metric}")) {
                tiles.push((format!("{metric} in the best epoch"), brief(sample.mean), aside(&sample)));
            }
        }
    }
    let of_losses = [
        ("generalization_gap", "Generalization gap", "validation loss minus training loss, in the last epoch"),
        ("val_loss_rise", "Rise of validation loss", "last epoch minus its lowest"),
    ];
    for (name, head, what) in of_losses {
        if let Some(sample) = sample(&format!("diagnosis.{name}")) {
            let aside = if sample.n > 1 { aside(&sample) } else { what.to_owned() };
            tiles.push((head.to_owned(), brief(sample.mean), aside));
        }
    }
    tiles
}

/// Returns the test metric of a constant prediction, averaged over trials.
fn baseline(group: &Group, name: &str) -> Option<String> {
    let metric = name.strip_prefix("test.")?;
    let found = group.values(|trial| trial.history()?.baselines.as_ref()?.test.as_ref()?.metric(metric));
    let sample = Sample::of(&found)?;
    Some(format!("constant prediction: {}", brief(sample.mean)))
}

/// Returns the mean, with the standard deviation if there are several values.
pub fn shown(sample: &Sample) -> String {
    match sample.std {
        Some(std) => format!("{} ± {}", brief(sample.mean), spread(Some(sample.mean), Some(std))),
        None => brief(sample.mean),
    }
}

/// Returns the note beside a mean: standard deviation and confidence interval.
fn aside(sample: &Sample) -> String {
    let interval = sample
        .interval
        .map(|interval| format!(", 95\u{a0}% interval {} to {}", brief(interval.low), brief(interval.high)));
    match sample.std {
        Some(std) => {
            format!("± {} over {}{}", spread(Some(sample.mean), Some(std)), sample.n, interval.unwrap_or_default())
        }
        None => String::new(),
    }
}
