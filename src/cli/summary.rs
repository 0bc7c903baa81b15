//! What is shown when a run has ended: the first, best and last epoch, test figures, what the curves say, which
//! expectations are met, and where the files are.

use crate::cli::table::Columns;
use crate::cli::text::wrapped;
use crate::cli::{comparison, expectations, figures, terminal};
use crate::experiment::run::Finished;
use crate::experiment::study::Study;
use crate::history::diagnosis::Verdict;
use crate::history::number::Number;
use crate::history::{History, Status};

/// The summary of a run.
pub fn of(study: &Study, finished: &Finished) -> String {
    let mut parts = Vec::new();
    match &finished.histories[..] {
        [history] => parts.extend(one(history)),
        histories if study.plans.len() > 1 => parts.extend(comparison::of(study, histories)),
        histories => parts.extend(several(histories)),
    }
    let interrupted = finished.histories.iter().any(|history| history.status == Status::Interrupted);
    if !interrupted {
        parts.extend(expectations::theirs(&finished.histories));
    }
    if !study.spec.expect.is_empty() && !interrupted {
        parts.push(expectations::of(&finished.histories));
    }
    parts.push(files(finished));
    parts.join("\n\n")
}

/// A lone trial: the table of epochs, the test, the reading, and what a tiny network has learned.
fn one(history: &History) -> Vec<String> {
    let mut parts = Vec::new();
    if history.history.is_empty() {
        parts.push(format!("{}: no epoch was completed", history.status.word()));
        return parts;
    }
    parts.push(epochs(history));
    if history.status != Status::Completed {
        let epochs = history.history.len();
        let s = if epochs == 1 { "" } else { "s" };
        parts.push(format!("{} after {epochs} epoch{s}", history.status.word()));
    }
    if let Some(test) = &history.test {
        let metrics: Vec<String> = test
            .metrics
            .iter()
            .map(|(name, value)| format!("test {name} {}", figures::of(name, Some(value.0))))
            .collect();
        parts.push(wrapped(&format!("{} (weights of the {} epoch)", metrics.join(", "), test.weights)));
    }
    if let Some(learned) = &history.learned {
        parts.push(learned_table(history, learned));
    }
    if let Some(diagnosis) = &history.diagnosis {
        parts.push(wrapped(&diagnosis.sentence));
    }
    parts
}

fn epochs(history: &History) -> String {
    let curves = &history.history;
    let (first, last) = (curves.epoch[0], curves.epoch[curves.len() - 1]);
    let best = history.best.as_ref().map(|best| best.epoch);
    let best_header = best.map_or("best".to_owned(), |epoch| format!("best ({epoch})"));
    let header = ["epoch".to_owned(), format!("first ({first})"), best_header, format!("last ({last})")];
    let mut table = Columns::new(header, 1..4);
    for name in curves.series.keys().filter(|name| is_metric(name)) {
        let at = |epoch: Option<usize>| figures::of(name, epoch.and_then(|epoch| curves.at(epoch, name)));
        table.row([name.clone(), at(Some(first)), at(best), at(Some(last))]);
    }
    table.text()
}

/// Several seeds: one line for each, then their mean and standard deviation.
fn several(histories: &[History]) -> Vec<String> {
    let columns = Figure::of(histories);
    let folds = histories.iter().any(|history| history.fold.is_some());
    let name = |history: &History| match history.fold {
        Some(fold) => format!("{}, fold {fold}", history.seed),
        None => history.seed.to_string(),
    };
    let mut header = vec![if folds { "seed, fold" } else { "seed" }.to_owned(), "best".to_owned()];
    header.extend(columns.iter().map(Figure::name));
    let numbers = 0..header.len();
    let mut table = Columns::new(header, numbers);
    for history in histories {
        let epoch = history.best.as_ref().map_or("–".to_owned(), |best| best.epoch.to_string());
        let mut row = vec![name(history), epoch];
        row.extend(columns.iter().map(|figure| figures::of(&figure.name(), figure.of_trial(history))));
        table.row(row);
    }
    let sound: Vec<&History> = histories.iter().filter(|history| history.status != Status::Diverged).collect();
    let mut mean = vec![format!("mean of {}", sound.len()), String::new()];
    let mut std = vec!["± std".to_owned(), String::new()];
    for figure in &columns {
        let values = sound.iter().filter_map(|history| figure.of_trial(history));
        let values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        let figures = figures::mean_and_std(&values);
        mean.push(figures::metric(figures.map(|(mean, _)| mean)));
        std.push(figures::metric(figures.map(|(_, std)| std)));
    }
    table.row(mean);
    table.row(std);
    let tested = histories.iter().find_map(|history| history.test.as_ref());
    let of_test = tested.map(|test| format!("; test with the weights of the {} epoch", test.weights));
    let note = format!("figures of the last epoch{}", of_test.unwrap_or_default());
    vec![format!("{}\n{}", table.text(), terminal::dim(&note)), readings(histories)]
}

/// A figure that trials are listed by.
enum Figure {
    /// A metric in the last epoch.
    Last(String),
    /// A metric of the test rows.
    Test(String),
}

impl Figure {
    /// The figures that these trials have: metrics of training and validation rows, then of test rows.
    fn of(histories: &[History]) -> Vec<Figure> {
        let Some(first) = histories.first() else { return Vec::new() };
        let metrics = first.history.series.keys().filter(|name| is_metric(name));
        let mut figures: Vec<Figure> = metrics.cloned().map(Figure::Last).collect();
        let tested = histories.iter().find_map(|history| history.test.as_ref());
        figures.extend(tested.iter().flat_map(|test| test.metrics.keys().cloned().map(Figure::Test)));
        figures
    }

    fn name(&self) -> String {
        match self {
            Figure::Last(metric) => metric.clone(),
            Figure::Test(metric) => format!("test {metric}"),
        }
    }

    fn of_trial(&self, history: &History) -> Option<f64> {
        match self {
            Figure::Last(metric) => history.history.at(*history.history.epoch.last()?, metric),
            Figure::Test(metric) => Some(history.test.as_ref()?.metrics.get(metric)?.0),
        }
    }
}

/// Whether a series is a loss or a metric, and not the learning rate, the time, or an observation of a layer.
fn is_metric(series: &str) -> bool {
    !matches!(series, "lr" | "seconds") && !series.contains('.')
}

/// The readings of several seeds, each verdict with how many share it.
fn readings(histories: &[History]) -> String {
    let verdicts = [
        (Verdict::Overfitting, "overfitting"),
        (Verdict::Underfitting, "underfitting"),
        (Verdict::JumpingAbout, "jumping about"),
        (Verdict::Diverged, "diverged"),
        (Verdict::Good, "good"),
    ];
    let mut lines = Vec::new();
    for (verdict, word) in verdicts {
        let shared: Vec<_> =
            histories.iter().filter_map(|h| h.diagnosis.as_ref()).filter(|d| d.verdict == verdict).collect();
        if shared.is_empty() {
            continue;
        }
        let from: Vec<usize> = shared.iter().filter_map(|diagnosis| diagnosis.overfits_from).collect();
        let since = match (from.iter().min(), from.iter().max()) {
            (Some(min), Some(max)) if min == max => format!(", from epoch {min}"),
            (Some(min), Some(max)) => format!(", from epochs {min} to {max}"),
            _ => String::new(),
        };
        lines.push(format!("{word} in {} of {} trials{since}", shared.len(), histories.len()));
    }
    let interrupted = histories.iter().filter(|history| history.status == Status::Interrupted).count();
    if interrupted > 0 {
        lines.push(format!("interrupted: {interrupted} of {} trials", histories.len()));
    }
    lines.join("\n")
}

/// The weights and predictions of a tiny network.
fn learned_table(history: &History, learned: &crate::history::Learned) -> String {
    let mut table = Columns::new(["input", "target", "output"], 1..3);
    let joined = |numbers: &[Number]| {
        numbers.iter().map(|number| figures::metric(Some(number.0))).collect::<Vec<_>>().join(", ")
    };
    for prediction in &learned.predictions {
        let plain = |numbers: &[Number]| numbers.iter().map(|n| n.0.to_string()).collect::<Vec<_>>().join(", ");
        table.row([plain(&prediction.input), plain(&prediction.target), joined(&prediction.output)]);
    }
    let mut lines = vec![table.text()];
    if history.network.parameters <= 16 {
        lines.push(String::new());
        lines.extend(learned.parameters.iter().map(|(name, values)| format!("{name}  [{}]", joined(values))));
    }
    lines.join("\n")
}

fn files(finished: &Finished) -> String {
    let folder = finished.folder.path().display();
    match &finished.histories[..] {
        [history] => format!("{folder}/\n  {0}.json, {0}.safetensors, experiment.toml", history.stem()),
        _ => format!("{folder}/\n  experiment.toml, and .json and .safetensors of each trial"),
    }
}
