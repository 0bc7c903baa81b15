//! The whole summary of a run: the verdict, the first, best and last epoch or the tables of trials or variants, test metrics
//! with the classification report, layers, references, all expectations, time and files.

use std::collections::BTreeSet;

use crate::cli::summary::trained_run::TrainedRun;
use crate::cli::summary::{classification, expectations, layers, resources, tree, trials, variants, verdict};
use crate::cli::text::table::Columns;
use crate::cli::text::text_style::TextStyle;
use crate::cli::text::{number_format, settings};
use crate::compare::metric_name::is_metric;
use crate::experiment::plan::BASE;
use crate::history::History;
use crate::network::initial_weights::InitialWeights;
use crate::views::layers::{joined, predictions};
use crate::views::variants::order::Ranked;
use crate::views::variants::{baselines, trial_status};

/// Returns the summary. `top` is the maximum number of variants in a table.
pub fn render(run: &TrainedRun, top: Option<usize>, page: TextStyle) -> String {
    let histories = &run.histories[..];
    let mut parts = vec![page.wrapped(&verdict::sentence(run, &Ranked::new(run.variants())), 2)];
    parts.extend(match histories {
        _ if run.variants.len() > 1 => variants::of(run, top, page),
        [_] => one(histories, page),
        histories => trials::of(histories, page),
    });
    parts.extend(classification::without_threshold(histories).map(|line| page.wrapped(&line, 0)));
    if run.variants.len() == 1 {
        let leak = histories.first().and_then(|history| history.data.resample.as_ref()?.leak.as_ref());
        parts.extend(leak.map(|why| page.wrapped(&format!("data leakage: {why}"), 2)));
    }
    if !run.is_interrupted() {
        parts.extend(expectations::references(histories));
        parts.extend(run.has_expectations().then(|| expectations::of(histories, run.is_part, page)));
    }
    parts.extend(initial_weights(histories).map(|line| page.wrapped(&line, 2)));
    parts.push(page.wrapped(&resources::line(run), 2));
    parts.push(files(run, page));
    parts.join("\n\n")
}

/// Returns the parts of a single trial: the table of epochs, its status, test metrics, layer statistics, what a small network
/// has learned, and the diagnosis.
fn one(histories: &[History], page: TextStyle) -> Vec<String> {
    let history = &histories[0];
    let mut parts = Vec::new();
    match history.network {
        Some(_) if !history.history.is_empty() => parts.push(epochs(history)),
        Some(_) => {}
        None => parts.extend(tree::of(history)),
    }
    parts.extend(trial_status::of_one(history));
    let has_threshold = history.test.as_ref().is_some_and(|test| test.threshold.is_some());
    // a tree's table has its test metrics, unless they are at another threshold than the other metrics
    if let Some(test) = history.test.as_ref().filter(|_| history.network.is_some() || has_threshold) {
        let metric = |name: &str, value: f64| format!("test {name} {}", number_format::of(name, Some(value)));
        let metrics: Vec<String> = test.metrics.iter().map(|(name, value)| metric(name, value.0)).collect();
        let weights = history.network.as_ref().map(|_| format!("weights of the {} epoch", test.weights));
        let threshold =
            test.threshold.as_ref().map(|at| format!("threshold {}", number_format::metric(Some(at.value))));
        let of: Vec<String> = weights.into_iter().chain(threshold).collect();
        let line = format!("{} ({})", metrics.join(", "), of.join(", "));
        let lines = [Some(line), baselines::line(&[history]), trial_status::near_zero(histories)].into_iter().flatten();
        parts.push(lines.map(|line| page.wrapped(&line, 2)).collect::<Vec<_>>().join("\n"));
    }
    if let Some(test) = &history.test {
        let of_tree = baselines::line(&[history]).filter(|_| history.network.is_none() && !has_threshold);
        parts.extend(of_tree.map(|line| page.wrapped(&line, 2)));
        parts.extend(classification::of(test, "test", &history.data, page));
    }
    parts.extend(classification::positive_class(&[history]).map(|line| page.wrapped(&line, 2)));
    parts.extend(layers::of_trials(histories, page));
    if let Some(learned) = &history.learned {
        parts.push(learned_table(history, learned));
    }
    if let Some(diagnosis) = &history.diagnosis {
        parts.push(page.wrapped(&diagnosis.sentence, 0));
    }
    parts
}

/// Returns the trained weights that the networks started from; those of a variant with its name.
fn initial_weights(histories: &[History]) -> Option<String> {
    let of = |history: &History| {
        let from = history.config.get("network")?.get("from")?.clone();
        let from = serde_json::from_value::<InitialWeights>(from).ok()?;
        let variant = if history.variant == BASE { String::new() } else { format!(" ({})", history.variant) };
        Some(format!("{}{variant}", settings::of_initial_weights(&from)))
    };
    let mut found: Vec<String> = histories.iter().filter_map(of).collect();
    found.dedup();
    (!found.is_empty()).then(|| format!("started with {}", found.join(", ")))
}

fn epochs(history: &History) -> String {
    let curves = &history.history;
    let (first, last) = (curves.epoch[0], curves.epoch[curves.len() - 1]);
    let best = history.best.as_ref().map(|best| best.epoch);
    let best_header = best.map_or("best".to_owned(), |epoch| format!("best ({epoch})"));
    let header = ["epoch".to_owned(), format!("first ({first})"), best_header, format!("last ({last})")];
    let mut table = Columns::new(header, 1..4);
    for name in curves.series.keys().filter(|name| is_metric(name)) {
        let at = |epoch: Option<usize>| number_format::of(name, epoch.and_then(|epoch| curves.at(epoch, name)));
        table.row([name.clone(), at(Some(first)), at(best), at(Some(last))]);
    }
    table.text()
}

/// Returns the predictions of a small network, and its weights if it is very small.
fn learned_table(history: &History, learned: &crate::history::Learned) -> String {
    let mut lines = vec![Columns::from(predictions(learned, "")).text()];
    if history.network.as_ref().is_some_and(|network| network.parameters <= 16) {
        lines.push(String::new());
        lines.extend(learned.parameters.iter().map(|(name, values)| format!("{name}  [{}]", joined(values))));
    }
    lines.join("\n")
}

/// Returns where the files are.
fn files(run: &TrainedRun, page: TextStyle) -> String {
    let of_trial = |history: &History| match (&history.network, &history.tree) {
        (Some(_), _) => Some("safetensors"),
        (None, Some(_)) => Some("tree.json"),
        (None, None) => None, // interrupted
    };
    let models: BTreeSet<&str> = run.histories.iter().filter_map(of_trial).collect();
    let models: Vec<&str> = std::iter::once("json").chain(models).collect();
    let files = match &run.histories[..] {
        [history] => {
            let files = models.iter().map(|ending| format!("{}.{ending}", history.stem()));
            let files = files.chain(run.plots()).chain(run.other_files());
            // errors about files that were not written come after the summary
            files.filter(|name| run.folder.join(name).exists()).collect::<Vec<_>>().join(", ")
        }
        _ => {
            let names: Vec<String> = run.other_files().into_iter().chain(run.plots()).collect();
            format!("{}, and {} of each trial", names.join(", "), of_each(&models))
        }
    };
    let inner = TextStyle { width: page.width.saturating_sub(2), ..page };
    format!("{}/\n  {}", run.folder.display(), inner.wrapped(&files, 2))
}

/// Returns the endings in words: `.json and .safetensors or .tree.json`.
fn of_each(endings: &[&str]) -> String {
    match endings {
        [history] => format!(".{history}"),
        [history, models @ ..] => format!(".{history} and .{}", models.join(" or .")),
        [] => String::new(),
    }
}
