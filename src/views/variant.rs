//! Summary of one variant over all of its trials: diagnosis, best epoch and test metrics.

use crate::compare::comparison::main_metric;
use crate::compare::group::{Group, describe_test_weights, union};
use crate::compare::statistics::sample::Sample;
use crate::compare::trial::Trial;
use crate::history::History;
use crate::history::baseline::without_skill;
use crate::history::diagnosis::Verdict;
use crate::history::number::brief;
use crate::views::capital::capital;
use crate::views::document::badge::Badge;
use crate::views::document::block::{Block, Tile};
use crate::views::document::statistic::{mean_and_std, range, spread_note};

/// Maximum number of test metrics shown as tiles.
const TILES: usize = 4;

/// Returns the summary of one variant.
pub fn blocks(group: &Group) -> Vec<Block> {
    let mut blocks = diagnosis(group);
    blocks.extend(Some(tiles(group)).filter(|tiles| !tiles.is_empty()).map(Block::Tiles));
    blocks
}

/// Returns the diagnosis with a sentence; with several trials, the number of trials for each diagnosis.
pub fn diagnosis(group: &Group) -> Vec<Block> {
    if let [trial] = &group.trials[..] {
        let Some(diagnosis) = trial.diagnosis() else { return vec![Block::Paragraph(without_curves(trial))] };
        let word = trial.verdict().map_or("", Verdict::word);
        // The badge already shows the word.
        let sentence = diagnosis.sentence.strip_prefix(word).unwrap_or(&diagnosis.sentence);
        let sentence = capital(sentence.trim_start_matches([':', ' ']));
        return vec![Block::Diagnosis(String::new(), Vec::from_iter(badge(trial)), sentence)];
    }
    let number = |verdict| group.trials.iter().filter(|trial| trial.verdict() == Some(verdict)).count();
    let counts = Verdict::ALL.iter().map(|&verdict| (verdict, number(verdict))).filter(|(_, number)| *number > 0);
    let badges: Vec<Badge> =
        counts.map(|(verdict, number)| Badge::verdict(verdict, &format!(" in {number}"))).collect();
    let trials = group.trials.len();
    if badges.is_empty() {
        return vec![Block::Paragraph(format!("{trials} trials. {}", without_curves(&group.trials[0])))];
    }
    let first = group.trials.iter().find_map(|trial| Some((trial.name(), &trial.diagnosis()?.sentence)));
    let of_first = first.map(|(name, sentence)| Block::Note(format!("{}: {sentence}", capital(&name))));
    let counts = Block::Diagnosis(format!("Diagnosis of {trials} trials:"), badges, String::new());
    std::iter::once(counts).chain(of_first).collect()
}

/// Returns the reason why there is no diagnosis.
fn without_curves(trial: &Trial) -> String {
    let reason = match trial.history() {
        Some(history) if history.tree.is_some() => "A decision tree is fitted in one step, so it has no curves.",
        Some(history) if history.status.is_unfinished() => "It was interrupted before the end of its first epoch.",
        _ if trial.epochs() == 0 => "No epoch was recorded.",
        _ => "No loss by epoch was recorded.",
    };
    reason.to_owned()
}

/// Returns a trial's diagnosis as a badge.
pub fn badge(trial: &Trial) -> Option<Badge> {
    Badge::interrupted(trial.history()).or_else(|| Some(Badge::verdict(trial.verdict()?, "")))
}

fn tile(name: impl Into<String>, value: String, note: String) -> Tile {
    Tile { name: name.into(), value, note }
}

/// Returns the best epoch, the main test metrics, and the distance of validation and training loss.
fn tiles(group: &Group) -> Vec<Tile> {
    let mut tiles = Vec::new();
    let sample = |name: &str| Sample::from_values(&group.values(|trial| trial.metric_value(name)));
    let monitor = group.trials.iter().find_map(|trial| Some(trial.best()?.monitor.clone()));
    if let (Some(epoch), Some(monitor)) = (sample("best.epoch"), monitor) {
        let at_best = sample(&format!("best.{monitor}")).map(|sample| format!("{monitor} {}", mean_and_std(&sample)));
        tiles.push(tile("Best epoch", range(epoch.min, epoch.max, " to "), at_best.unwrap_or_default()));
    }
    let tested = union(group.trials.iter().map(Trial::tested));
    let names: Vec<String> = tested.iter().map(|metric| format!("test.{metric}")).collect();
    let main = main_metric(std::slice::from_ref(group), &names);
    // the main metric first, and the loss last unless it is the main one
    let mut ordered: Vec<&String> = names.iter().collect();
    ordered.sort_by_key(|name| if Some(*name) == main.as_ref() { 0 } else { 1 + usize::from(*name == "test.loss") });
    for name in ordered.into_iter().take(TILES) {
        let Some(sample) = sample(name) else { continue };
        let notes = [
            spread_note(&sample),
            describe_test_weights(std::slice::from_ref(group)),
            baseline(group, name).unwrap_or_default(),
        ];
        let notes: Vec<String> = notes.into_iter().filter(|words| !words.is_empty()).collect();
        tiles.push(tile(capital(&name.replacen('.', " ", 1)), brief(sample.mean), notes.join("; ")));
    }
    if names.is_empty() {
        // without test rows, show the metrics of the best epoch
        for metric in group.metrics().into_iter().filter(|metric| metric.starts_with("val_")).take(2) {
            if let Some(sample) = sample(&format!("best.{metric}")) {
                tiles.push(tile(format!("{metric} in the best epoch"), brief(sample.mean), spread_note(&sample)));
            }
        }
    }
    let of_losses = [
        ("generalization_gap", "Generalization gap", "validation loss minus training loss, in the last epoch"),
        ("val_loss_rise", "Rise of validation loss", "last epoch minus its lowest"),
    ];
    for (name, head, what) in of_losses {
        if let Some(sample) = sample(&format!("diagnosis.{name}")) {
            let note = if sample.n > 1 { spread_note(&sample) } else { what.to_owned() };
            tiles.push(tile(head, brief(sample.mean), note));
        }
    }
    tiles
}

/// Returns the test metric of a constant prediction, averaged over trials.
fn baseline(group: &Group, name: &str) -> Option<String> {
    let metric = name.strip_prefix("test.")?;
    let has_test = |history: &&History| history.baselines.as_ref().is_some_and(|baselines| baselines.test.is_some());
    let found = group.values(|trial| without_skill::metric(metric, trial.history().filter(has_test)?));
    Some(format!("constant prediction: {}", brief(Sample::from_values(&found)?.mean)))
}
