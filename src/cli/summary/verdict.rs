//! The verdict: one sentence about what happened in a run.

use std::collections::BTreeSet;

use crate::cli::summary::trained_run::TrainedRun;
use crate::cli::text::number_format;
use crate::compare::statistics::sample::Sample;
use crate::history::baseline::cautions;
use crate::history::baseline::without_skill::{self, WITHOUT_SKILL};
use crate::history::diagnosis::{Diagnosis, Verdict};
use crate::history::{History, Status};
use crate::views::variants::order::Ranked;
use crate::views::variants::trial_status;
use crate::views::variants::variant::Variant;

/// Returns the sentence: `overfit_mnist: overfitting from epoch 9; best val_acc 0.9710 at epoch 8`.
pub fn sentence(run: &TrainedRun, ranked: &Ranked) -> String {
    let clauses = match &run.histories[..] {
        _ if run.variants.len() > 1 => of_variants(ranked),
        [history] => of_trial(history),
        histories => cautions(&run.trials()).into_iter().chain(of_trials(histories)).collect(),
    };
    let has_ended = |history: &&History| !matches!(history.status, Status::Interrupted | Status::TimeLimit);
    let ended = run.histories.iter().filter(has_ended).count();
    let missing = run.planned.map(|planned| format!("{ended} of {planned} trials have ended"));
    let clauses: Vec<String> = clauses.into_iter().chain(missing.filter(|_| run.histories.len() > 1)).collect();
    format!("{}: {}", run.name, clauses.join("; "))
}

/// Returns what happened in one trial. A model that is no better than a constant prediction is no good fit.
fn of_trial(history: &History) -> Vec<String> {
    let caution = cautions(&[history]);
    let is_said = |diagnosis: &&Diagnosis| caution.is_empty() || diagnosis.verdict != Verdict::Good;
    let findings = || {
        let found =
            history.diagnosis.as_ref().filter(is_said).map(|diagnosis| findings(diagnosis, has_validation(history)))?;
        let advice =
            if improves_to_the_end(history) { ", still improving at the last epoch: train longer" } else { "" };
        Some(format!("{found}{advice}"))
    };
    let happened = match (history.status, &history.tree) {
        (Status::Dropped | Status::Interrupted | Status::TimeLimit, _) => trial_status::of_one(history),
        (Status::Diverged, _) => {
            Some(format!("diverged in epoch {}: {}", history.history.len(), against_divergence(history)))
        }
        (_, Some(tree)) => Some(number_format::tree_size(tree.leaves, tree.depth)),
        (Status::EarlyStopped, _) => {
            Some([findings(), trial_status::of_one(history)].into_iter().flatten().collect::<Vec<_>>().join("; "))
        }
        (Status::Completed, _) if history.diagnosis.is_some() => findings(),
        (Status::Completed, _) => Some(format!("trained for {}", epochs(history.history.len()))),
    };
    let chance = against_chance(history).filter(|_| !caution.iter().any(|caution| caution.contains("than chance")));
    let best = history.best.as_ref().filter(|_| history.network.is_some()).and_then(|best| {
        let value = number_format::of(&best.monitor, Some(history.history.at(best.epoch, &best.monitor)?));
        let last = if history.history.epoch.last() == Some(&best.epoch) { ", the last" } else { "" };
        Some(format!("best {} {value} at epoch {}{last}", best.monitor, best.epoch))
    });
    caution.into_iter().chain(happened).chain(best).chain(chance).collect()
}

/// Returns what to change if a training diverged.
fn against_divergence(history: &History) -> &'static str {
    let data = &history.config["data"][&history.data.name];
    match history.data.name.as_str() {
        "csv" | "arrays" if matches!(data["scale"].as_str(), None | Some("none")) => {
            "the features are not scaled; write `scale = \"standard\"`, or try a smaller learning rate"
        }
        _ => "try a smaller learning rate",
    }
}

/// Returns the monitored metric of the test rows with its value without skill: `test ap 0.2265, by chance 0.0455`; `None` if it has
/// no such value.
fn against_chance(history: &History) -> Option<String> {
    let monitor = history.best.as_ref()?.monitor.strip_prefix("val_")?;
    let chance = WITHOUT_SKILL.contains(&monitor).then(|| without_skill::metric(monitor, history))??;
    let found = history.test.as_ref()?.metrics.get(monitor)?;
    let [found, chance] = [found.0, chance].map(|value| number_format::of(monitor, Some(value)));
    Some(format!("test {monitor} {found}, by chance {chance}"))
}

/// Returns whether a good fit or an underfitting one is best on the validation rows in the last epoch, and more epochs would
/// change it: the learning rate did not fall to almost 0.
fn improves_to_the_end(history: &History) -> bool {
    let best = history.best.as_ref().filter(|best| best.monitor.starts_with("val_")).map(|best| best.epoch);
    let is_last = best.is_some() && history.history.epoch.last().copied() == best;
    is_last
        && history.history.len() > 1
        && matches!(history.verdict(), Some(Verdict::Good | Verdict::Underfitting))
        && !history.history.ends_with_small_lr()
}

fn epochs(count: usize) -> String {
    if count == 1 { "1 epoch".to_owned() } else { format!("{count} epochs") }
}

/// Returns the labels of a diagnosis: `overfitting from epoch 9 and unstable`.
fn findings(diagnosis: &Diagnosis, has_validation: bool) -> String {
    let verdicts = match &diagnosis.findings[..] {
        [] => &[diagnosis.verdict][..],
        findings => findings,
    };
    let word = |verdict: &Verdict| match (verdict, diagnosis.overfits_from) {
        (Verdict::Overfitting, Some(epoch)) => format!("overfitting from epoch {epoch}"),
        (verdict, _) => label(*verdict, has_validation).to_owned(),
    };
    verdicts.iter().map(word).collect::<Vec<_>>().join(" and ")
}

/// Returns whether a trial has validation rows.
fn has_validation(history: &History) -> bool {
    history.history.metric("val_loss").is_some()
}

/// Returns a verdict in words. Without validation rows, a good fit is one of the training rows only.
fn label(verdict: Verdict, has_validation: bool) -> &'static str {
    match (verdict, has_validation) {
        (Verdict::Good, true) => "good fit",
        (Verdict::Good, false) => "good fit of the training rows (no validation rows)",
        (verdict, _) => verdict.word(),
    }
}

/// Returns the diagnoses of several trials of one variant, with their numbers, and the mean of the best values.
fn of_trials(histories: &[History]) -> Vec<String> {
    let all = histories.len();
    let seeds: BTreeSet<i64> = histories.iter().map(|history| history.seed).collect();
    let unit = match histories.iter().any(|history| history.fold.is_some()) {
        true if seeds.len() > 1 => "trials",
        true => "folds",
        false => "seeds",
    };
    let count = |verdict: Verdict| histories.iter().filter(|history| history.verdict() == Some(verdict)).count();
    let mut found: Vec<(Verdict, usize)> = Verdict::ALL.map(|verdict| (verdict, count(verdict))).to_vec();
    found.retain(|(_, count)| *count > 0);
    let has_validation = histories.iter().any(has_validation);
    found.sort_by_key(|(_, count)| std::cmp::Reverse(*count)); // stable
    let found = found.iter().enumerate().map(|(place, (verdict, count))| {
        let unit = if place == 0 { format!(" {unit}") } else { String::new() };
        format!("{} in {count} of {all}{unit}", label(*verdict, has_validation))
    });
    let found: Vec<String> = found.collect();
    let happened = if found.is_empty() { format!("{all} {unit} trained") } else { found.join(", ") };
    let improving = histories.iter().filter(|history| improves_to_the_end(history)).count();
    let advice = (2 * improving > all)
        .then(|| format!("still improving at the last epoch in {improving} of {all}: train longer"));
    let unfinished = [Status::Dropped, Status::Interrupted, Status::TimeLimit].map(|status| {
        let count = histories.iter().filter(|history| history.status == status).count();
        (count > 0).then(|| format!("{count} {}", status.word()))
    });
    [Some(happened), advice].into_iter().chain(unfinished).chain([best_of_trials(histories)]).flatten().collect()
}

/// Returns the mean of the best values: `best val_loss 0.1234 ±0.0050 at epochs 3 to 5`.
fn best_of_trials(histories: &[History]) -> Option<String> {
    let bests: Vec<_> = histories.iter().filter_map(|history| Some((history, history.best.as_ref()?))).collect();
    let monitor = bests.iter().find(|(history, _)| history.network.is_some()).map(|(_, best)| best.monitor.as_str())?;
    let values: Vec<f64> = bests.iter().filter_map(|(history, best)| history.history.at(best.epoch, monitor)).collect();
    let sample = Sample::from_values(&values)?;
    let std = sample.std.map(|std| format!(" ±{}", number_format::spread(Some(sample.mean), Some(std))));
    let value = format!("{}{}", number_format::of(monitor, Some(sample.mean)), std.unwrap_or_default());
    let epochs = || bests.iter().map(|(_, best)| best.epoch);
    let at = match (epochs().min()?, epochs().max()?) {
        (first, last) if first == last => format!("at epoch {first}"),
        (first, last) => format!("at epochs {first} to {last}"),
    };
    Some(format!("best {monitor} {value} {at}"))
}

/// Maximum number of variants that are named together.
const NAMED: usize = 3;

/// Returns the best of several variants, and those that did not end as planned.
fn of_variants(ranked: &Ranked) -> Vec<String> {
    let variants = || ranked.variants.iter();
    let named = |what: &str, names: Vec<&str>| match names.len() {
        0 => None,
        1..=NAMED => Some(format!("{what}: {}", names.join(", "))),
        count => Some(format!("{count} {what}")),
    };
    let with = |status: Status| {
        let found = variants().filter(|variant| variant.trials.iter().any(|history| history.status == status));
        named(status.word(), found.map(|variant| variant.name).collect())
    };
    let absent = variants().filter(|variant| variant.trials.is_empty()).map(|variant| variant.name);
    let others = [
        with(Status::Diverged),
        with(Status::Interrupted),
        with(Status::TimeLimit),
        named("not trained", absent.collect()),
    ];
    std::iter::once(best_variant(ranked)).chain(others.into_iter().flatten()).collect()
}

fn best_variant(ranked: &Ranked) -> String {
    let all = ranked.variants.len();
    let (Some((best, value)), Some(by)) = (ranked.best(), &ranked.by) else { return format!("{all} variants") };
    let (metric, value) = (by.name(), by.text(Some(value)));
    let complete: Vec<&Variant> = ranked.variants.iter().filter(|variant| variant.is_complete()).collect();
    let shown = |variant: &Variant| ranked.value(variant).map(|value| by.text(Some(value)));
    let equal = complete.iter().filter(|variant| shown(variant).as_ref() == Some(&value));
    let equal: Vec<&str> = equal.map(|variant| variant.name).collect();
    match &equal[..] {
        [_] => {
            let next = complete.get(1).and_then(|next| Some(format!(" (next: {} {})", next.name, shown(next)?)));
            let epoch = match &best.trials[..] {
                [one] if one.network.is_some() => one.kept_epoch().map(|epoch| format!(" at epoch {epoch}")),
                _ => None,
            };
            let (epoch, next) = (epoch.unwrap_or_default(), next.unwrap_or_default());
            format!("{} is the best of {all} variants, {metric} {value}{epoch}{next}", best.name)
        }
        equal if equal.len() == complete.len() => format!("all {} variants have {metric} {value}", equal.len()),
        equal if equal.len() > NAMED => format!("{} of {all} variants share the best {metric}, {value}", equal.len()),
        equal => format!("{} are the best of {all} variants, {metric} {value}", equal.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixtures::{HistoryFixture, history, run};
    use crate::history::number::Number;

    fn shown(variants: &[&str], histories: &[HistoryFixture]) -> String {
        let histories: Vec<History> = histories.iter().map(|fixture| fixture.0.clone()).collect();
        let run = run(variants, &histories);
        sentence(&run, &Ranked::new(run.variants()))
    }

    fn trial(variant: &str, seed: i64, end: f64) -> HistoryFixture {
        let mut trial = history(variant, seed, &[("loss", &[0.9, 0.2, 0.1]), ("val_loss", &[0.9, 0.3, end])]);
        let best = trial.0.best.as_mut().unwrap();
        (best.epoch, best.monitor) = (if end < 0.3 { 3 } else { 2 }, "val_loss".to_owned());
        trial.0.config["train"]["keep"] = "best".into();
        trial
    }

    #[test]
    fn one_trial_has_its_diagnosis_and_its_best_epoch() {
        assert_eq!(
            shown(&["base"], &[trial("base", 0, 0.2)]),
            "idea: good fit, still improving at the last epoch: train longer; best val_loss 0.2000 at epoch 3, the last"
        );
        let mut overfits = trial("base", 0, 0.8);
        let diagnosis = overfits.0.diagnosis.as_mut().unwrap();
        (diagnosis.verdict, diagnosis.overfits_from) = (Verdict::Overfitting, Some(3));
        diagnosis.findings = vec![Verdict::Overfitting, Verdict::Unstable];
        assert_eq!(
            shown(&["base"], &[overfits]),
            "idea: overfitting from epoch 3 and unstable; best val_loss 0.3000 at epoch 2"
        );
        let cut = trial("base", 0, 0.2).ended(Status::Interrupted, 60);
        assert_eq!(
            shown(&["base"], &[cut]),
            "idea: interrupted after epoch 3 of 60; best val_loss 0.2000 at epoch 3, the last"
        );
    }

    #[test]
    fn a_good_fit_needs_validation_rows_and_more_epochs_a_learning_rate() {
        let training = history("base", 0, &[("loss", &[0.9, 0.2, 0.1])]);
        let said = shown(&["base"], &[training]);
        assert!(said.starts_with("idea: good fit of the training rows (no validation rows)"), "{said}");
        let mut slow = trial("base", 0, 0.2);
        slow.0.history.series.insert("lr".to_owned(), [1e-3, 5e-4, 1e-5].map(Number).to_vec());
        assert_eq!(shown(&["base"], &[slow]), "idea: good fit; best val_loss 0.2000 at epoch 3, the last");
    }

    #[test]
    fn several_trials_are_counted_by_diagnosis() {
        let mut trials = [trial("base", 0, 0.2), trial("base", 1, 0.25), trial("base", 2, 0.8)];
        trials[2].0.diagnosis.as_mut().unwrap().verdict = Verdict::Overfitting;
        assert_eq!(
            shown(&["base"], &trials),
            "idea: good fit in 2 of 3 seeds, overfitting in 1 of 3; still improving at the last epoch in 2 of 3: train \
             longer; best val_loss 0.2500 ±0.0500 at epochs 2 to 3"
        );
    }

    #[test]
    fn the_best_variant_is_named_with_the_next_and_the_number_of_others() {
        let trials = [trial("a", 0, 0.25), trial("b", 0, 0.2), trial("c", 0, 0.1).ended(Status::Diverged, 3)];
        assert_eq!(
            shown(&["a", "b", "c", "late"], &trials),
            "idea: b is the best of 4 variants, val_loss 0.2000 at epoch 3 (next: a 0.2500); diverged: c; not trained: late"
        );
        let equal = [trial("a", 0, 0.25), trial("b", 0, 0.25)];
        assert_eq!(shown(&["a", "b"], &equal), "idea: all 2 variants have val_loss 0.2500");
        let two = [trial("a", 0, 0.25), trial("b", 0, 0.25), trial("c", 0, 0.29)];
        assert_eq!(shown(&["a", "b", "c"], &two), "idea: a, b are the best of 3 variants, val_loss 0.2500");
    }
}
