//! Trials that did not train all their epochs: diverged, stopped early, interrupted, not trained. And test targets that make
//! a metric explode.

use crate::history::diagnosis::Verdict;
use crate::history::{History, Status};
use crate::views::document::statistic::unbroken;
use crate::views::variants::variant::Variant;

/// The statuses of trials that did not train all their epochs.
const STATUSES: [Status; 5] =
    [Status::Diverged, Status::EarlyStopped, Status::Dropped, Status::Interrupted, Status::TimeLimit];

/// Returns how a single trial ended; `None` if it trained all epochs or its diagnosis says it.
pub fn of_one(history: &History) -> Option<String> {
    let (epoch, of) = (history.history.len(), of_epochs(history));
    match history.status {
        Status::Completed => None,
        Status::Diverged if history.diagnosis.as_ref().is_some_and(|read| read.verdict == Verdict::Diverged) => None,
        Status::Diverged => Some(format!("diverged in epoch {epoch}{of}")),
        Status::EarlyStopped => Some(format!("stopped early after epoch {epoch}{of}")),
        Status::Dropped => Some(format!("dropped after epoch {epoch}{of}")),
        Status::Interrupted if history.network.is_none() => Some("interrupted: the tree was not finished".to_owned()),
        Status::Interrupted if epoch == 0 => Some("interrupted: no epoch was completed".to_owned()),
        Status::Interrupted => Some(format!("interrupted after epoch {epoch}{of}")),
        Status::TimeLimit if history.network.is_none() => Some("time limit: the tree was not finished".to_owned()),
        Status::TimeLimit if epoch == 0 => Some("time limit: no epoch was completed".to_owned()),
        Status::TimeLimit => Some(format!("stopped by the time limit after epoch {epoch}{of}")),
    }
}

/// Returns a line for each status, with the variants that have it.
pub fn of_variants(variants: &[Variant]) -> Vec<String> {
    let named: Vec<(String, Vec<&History>)> =
        variants.iter().map(|variant| (variant.name.to_owned(), variant.trials.clone())).collect();
    let several = variants.iter().any(|variant| variant.trials.len() > 1);
    let mut lines: Vec<String> = STATUSES.iter().filter_map(|status| line(&named, *status, several)).collect();
    let absent: Vec<&str> =
        variants.iter().filter(|variant| variant.trials.is_empty()).map(|variant| variant.name).collect();
    if !absent.is_empty() {
        lines.push(format!("not trained: {}", absent.join(", ")));
    }
    lines
}

/// Returns a line for each status, with the trials of one variant that have it; the number of many trials.
pub fn of_trials(trials: &[&History]) -> Vec<String> {
    let named = by_name(trials);
    STATUSES.iter().filter_map(|status| line(&named, *status, true)).collect()
}

/// Returns the same for trials that diverged, were dropped or were interrupted.
pub fn incomplete(trials: &[&History]) -> Vec<String> {
    let (named, several) = (by_name(trials), trials.len() > 1);
    let statuses = [Status::Diverged, Status::Dropped, Status::Interrupted, Status::TimeLimit].into_iter();
    statuses.filter_map(|status| line(&named, status, several)).collect()
}

/// Returns the trials of one variant by their names; many trials together, without a name.
fn by_name<'a>(trials: &[&'a History]) -> Vec<(String, Vec<&'a History>)> {
    const NAMED: usize = 20;
    let name = |history: &History| match history.fold {
        Some(fold) => format!("seed {}, fold {fold}", history.seed),
        None => format!("seed {}", history.seed),
    };
    match trials.len() {
        ..=NAMED => trials.iter().map(|history| (name(history), vec![*history])).collect(),
        _ => vec![(String::new(), trials.to_vec())],
    }
}

/// Returns the line of a status; `None` if no trial has it.
fn line(named: &[(String, Vec<&History>)], status: Status, with_means: bool) -> Option<String> {
    let found: Vec<String> = named.iter().filter_map(|(name, trials)| ended(name, trials, status)).collect();
    let words = match status {
        Status::Diverged if with_means => "diverged (not in the means)",
        Status::Diverged => "diverged",
        Status::EarlyStopped => "stopped early",
        Status::Dropped => "dropped",
        Status::Interrupted => "interrupted",
        Status::TimeLimit => "stopped by the time limit",
        Status::Completed => "completed",
    };
    (!found.is_empty()).then(|| format!("{words}: {}", found.join(", ")))
}

/// Returns `name (epoch 12 of 60)`, or the number of its trials with this status and their epochs.
fn ended(name: &str, trials: &[&History], status: Status) -> Option<String> {
    let ended: Vec<&History> = trials.iter().filter(|history| history.status == status).copied().collect();
    let (first, all) = (ended.first()?, trials.len());
    let epochs = || ended.iter().map(|history| history.history.len());
    let (fewest, most) = (epochs().min()?, epochs().max()?);
    let of = of_epochs(first);
    let epochs = if fewest == most { format!("epoch {most}{of}") } else { format!("epochs {fewest} to {most}{of}") };
    let ended = match (ended.len(), all) {
        (_, 1) => format!("{name} ({epochs})"),
        (some, all) if name.is_empty() => format!("{some} of {all} trials ({epochs})"),
        (some, all) => format!("{name} ({some} of {all}, {epochs})"),
    };
    Some(unbroken(&ended))
}

/// Returns ` of 60`, the planned number of epochs.
fn of_epochs(history: &History) -> String {
    let planned = history.config["train"]["epochs"].as_u64();
    planned.map_or(String::new(), |epochs| format!(" of {epochs}"))
}

/// Returns a note if some test targets are so near zero that `mape` means nothing.
pub fn near_zero(histories: &[History]) -> Option<String> {
    let counted = |history: &History| Some((history.test.as_ref()?.targets_near_zero?, history.data.rows.test));
    let (near, rows) = histories.iter().filter_map(counted).max()?;
    let are = if near == 1 { "is" } else { "are" };
    (near > 0).then(|| format!("mape: {near} of {rows} test targets {are} near zero, which makes it explode"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::fixtures::{ended, history, tested};

    const LOSS: [(&str, &[f64]); 1] = [("loss", &[1.0, 0.5, 0.4])];

    fn with_blanks(notes: Vec<String>) -> Vec<String> {
        notes.iter().map(|note| note.replace('\u{a0}', " ")).collect()
    }

    #[test]
    fn each_way_of_ending_has_a_line_with_the_epochs() {
        let trial = |variant, seed, status| ended(history(variant, seed, &LOSS), status, 60);
        let histories = [
            trial("whole", 0, Status::Completed),
            trial("stopped", 0, Status::EarlyStopped),
            trial("burst", 0, Status::Diverged),
            trial("cut", 0, Status::Interrupted),
        ];
        assert_eq!(
            with_blanks(of_variants(&Variant::all(["whole", "stopped", "burst", "cut", "late"], &histories))),
            [
                "diverged: burst (epoch 3 of 60)",
                "stopped early: stopped (epoch 3 of 60)",
                "interrupted: cut (epoch 3 of 60)",
                "not trained: late"
            ]
        );
    }

    #[test]
    fn several_trials_are_counted_with_the_epochs_between_which_they_ended() {
        let histories = [
            history("a", 0, &LOSS),
            ended(history("a", 1, &LOSS), Status::Diverged, 9),
            ended(history("a", 2, &[("loss", &[1.0])]), Status::Diverged, 9),
        ];
        assert_eq!(
            with_blanks(of_variants(&Variant::all(["a"], &histories))),
            ["diverged (not in the means): a (2 of 3, epochs 1 to 3 of 9)"]
        );
        assert_eq!(
            with_blanks(of_trials(&histories.iter().collect::<Vec<_>>())),
            ["diverged (not in the means): seed 1 (epoch 3 of 9), seed 2 (epoch 1 of 9)"]
        );
        let many: Vec<History> =
            (0..30).map(|seed| ended(history("a", seed, &LOSS), Status::EarlyStopped, 9)).collect();
        assert_eq!(
            with_blanks(of_trials(&many.iter().collect::<Vec<_>>())),
            ["stopped early: 30 of 30 trials (epoch 3 of 9)"]
        );
    }

    #[test]
    fn targets_near_zero_are_counted() {
        let near = |near_zero| {
            let mut history = tested(history("base", 0, &LOSS), &[("mape", 1e9)]);
            history.test.as_mut().unwrap().targets_near_zero = near_zero;
            [history]
        };
        let note = near_zero(&near(Some(3)));
        assert_eq!(note.as_deref(), Some("mape: 3 of 111 test targets are near zero, which makes it explode"));
        assert_eq!(near_zero(&near(Some(0))), None);
        assert_eq!(near_zero(&near(None)), None);
    }
}
