//! Converts the epochs of other programs to epochs counted from 1, and handles logs whose epochs go back.
//!
//! Some programs count from 0 and some from 1. If 0 is among the epochs, they are counted from 0. For a log that starts
//! later, as of a resumed run, the format must tell. Fractions, as of Hugging Face's `Trainer`, are completed epochs: 0.5
//! and 1.0 are both in epoch 1.
//!
//! If the epochs go back to the first epoch or before it, the file contains another run. If they go back to a later epoch,
//! the run was resumed from a checkpoint, and the earlier values from that epoch on are invalid.

use std::collections::{BTreeMap, HashSet};

/// Upper limit of epochs and steps. Integers in f64 are exact up to here.
const MOST: f64 = 1e15;

/// Maximum distance of an integer epoch from an integer.
const NEAR: f64 = 1e-6;

/// How a program counts epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// From 0, always: the program of this name does.
    FromZero(&'static str),
    /// From 0 if 0 is among the epochs, otherwise as written.
    AsWritten,
    /// As the number of completed epochs, possibly a fraction: 0 is before training.
    Done,
}

/// The conversion of written numbers to epochs counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbering {
    /// Adds this offset.
    Whole(u64),
    /// Rounds up the number of completed epochs.
    Fractions,
}

impl Numbering {
    /// Returns the conversion for the epochs of a log.
    pub fn detect(written: impl IntoIterator<Item = f64>, counting: Counting) -> Numbering {
        let (mut has_zero, mut has_fraction) = (false, false);
        for epoch in written {
            has_zero |= epoch.abs() < NEAR;
            has_fraction |= (epoch - epoch.round()).abs() >= NEAR;
        }
        match counting {
            Counting::Done => Numbering::Fractions,
            _ if has_fraction => Numbering::Fractions,
            Counting::FromZero(_) => Numbering::Whole(1),
            Counting::AsWritten => Numbering::Whole(u64::from(has_zero)),
        }
    }

    /// Returns the epoch of a written number, or `None` if it is before the first epoch or invalid.
    pub fn epoch(self, written: f64) -> Option<usize> {
        let number = match self {
            Numbering::Whole(shift) => written.round() + shift as f64,
            Numbering::Fractions => (written - NEAR).ceil(),
        };
        (1.0..MOST).contains(&number).then_some(number as usize)
    }

    /// Returns the notes on the epochs of a log.
    pub fn notes(self, written: impl IntoIterator<Item = f64>, counting: Counting) -> Vec<String> {
        let (mut notes, mut fraction, mut lowest) = (Vec::new(), None, f64::INFINITY);
        for epoch in written {
            fraction = fraction.or(Some(epoch).filter(|epoch| epoch.fract() != 0.0));
            lowest = if self.epoch(epoch).is_some() { lowest.min(epoch) } else { lowest };
        }
        if let Some(fraction) = fraction.filter(|_| self == Numbering::Fractions) {
            notes.push(format!(
                "its epochs are fractions, such as {fraction}: they are rounded up, and the last value of each epoch is used"
            ));
        }
        if let Some(first) = self.epoch(lowest).filter(|first| *first > 1) {
            notes.push(match (counting, self) {
                (Counting::FromZero(program), Numbering::Whole(_)) => {
                    format!("its first epoch is {first}: it is written as {lowest}, and {program} counts from 0")
                }
                (Counting::FromZero(_) | Counting::AsWritten | Counting::Done, _) => {
                    format!("its first epoch is {first}")
                }
            });
        }
        notes
    }

    /// Returns the offset of steps: a program that counts epochs from 0 also counts steps from 0.
    pub fn step_offset(self) -> u64 {
        match self {
            Numbering::Whole(shift) => shift,
            Numbering::Fractions => 0,
        }
    }
}

/// Returns the number if it is a valid epoch: an integer or fraction of at least 0.
pub fn valid(number: f64) -> Option<f64> {
    (0.0..MOST).contains(&number).then_some(number)
}

/// Returns whether epochs are counted from 1, judged by the last step of each epoch: with 10 steps per epoch, epoch 1 ends
/// at step 10 and epoch 2 at step 20. If epochs and steps are counted from 0, epoch 1 ends at step 19.
pub fn epochs_start_at_one(last_steps: &BTreeMap<u64, u64>) -> bool {
    let is_multiple = |shift: u64| {
        let mut sizes = last_steps.iter().map(|(epoch, step)| {
            let (epoch, step) = (epoch.checked_add(shift)?, step.checked_add(shift)?);
            (epoch > 0 && step > 0 && step % epoch == 0).then(|| step / epoch)
        });
        let first = sizes.next().flatten();
        first.is_some() && sizes.all(|size| size == first)
    };
    is_multiple(0) && !is_multiple(1)
}

/// The epoch of a row of a log.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Row {
    /// This epoch, as written.
    Epoch(f64),
    /// None: the row belongs to the next row that has one.
    BeforeNext,
    /// Logged after training: the row belongs to the rows above.
    AfterAll,
}

/// Returns which rows belong to the last run, and a note on the others. `place` names a row.
pub fn select_last_run(rows: &[Row], place: impl Fn(usize) -> String) -> (Vec<bool>, Option<String>) {
    let epoch_of = |(at, row): (usize, &Row)| if let Row::Epoch(epoch) = row { Some((at, *epoch)) } else { None };
    let known: Vec<(usize, f64)> = rows.iter().enumerate().filter_map(epoch_of).collect();
    let breaks = known.windows(2).filter(|pair| pair[1].1 < pair[0].1).count();
    if breaks == 0 {
        return (vec![true; rows.len()], None);
    }
    if is_in_another_order(&known, breaks) {
        let note = "its rows are not in the order of epochs; no epoch occurs twice, so they are read as one run";
        return (vec![true; rows.len()], Some(note.to_owned()));
    }
    let (mut run, mut note) = (Vec::<(usize, f64)>::new(), None);
    for &(at, epoch) in &known {
        let last = run.last().map(|(_, last)| *last);
        if let Some(last) = last.filter(|last| epoch < *last) {
            run.truncate(run.partition_point(|(_, earlier)| *earlier < epoch));
            let what = match run.is_empty() {
                true => "another run starts there, and the rows above it are skipped".to_owned(),
                false => format!("the run was resumed there, and earlier values from epoch {epoch} on are skipped"),
            };
            note = Some(format!("epochs go back from {last} to {epoch} in {}: {what}", place(at)));
        }
        run.push((at, epoch));
    }
    (kept(rows, run), note)
}

/// Returns whether the rows are sorted by something else: the epochs go back more than once, and no epoch occurs twice.
fn is_in_another_order(known: &[(usize, f64)], breaks: usize) -> bool {
    let mut epochs: Vec<u64> = known.iter().map(|(_, epoch)| epoch.to_bits()).collect();
    epochs.dedup();
    let is_once = epochs.iter().collect::<HashSet<_>>().len() == epochs.len();
    is_once && (breaks > 1 || epochs.len() == 2 && known.len() == 2)
}

/// Returns which rows belong to a run.
fn kept(rows: &[Row], run: Vec<(usize, f64)>) -> Vec<bool> {
    let mut kept = vec![false; rows.len()];
    run.into_iter().for_each(|(at, _)| kept[at] = true);
    let mut next = true; // for rows after the last row with an epoch
    for at in (0..rows.len()).rev() {
        match rows[at] {
            Row::BeforeNext => kept[at] = next,
            Row::Epoch(_) => next = kept[at],
            Row::AfterAll => {}
        }
    }
    let mut before = true;
    for at in 0..rows.len() {
        match rows[at] {
            Row::AfterAll => kept[at] = before,
            Row::Epoch(_) => before = kept[at],
            Row::BeforeNext => {}
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the indexes of the rows that are kept, and the note.
    fn kept_of(epochs: &[f64]) -> (Vec<usize>, String) {
        let rows: Vec<Row> = epochs.iter().map(|epoch| Row::Epoch(*epoch)).collect();
        let (kept, note) = select_last_run(&rows, |row| format!("line {}", row + 2));
        (kept.iter().enumerate().filter_map(|(at, is_kept)| is_kept.then_some(at)).collect(), note.unwrap_or_default())
    }

    #[test]
    fn numbers_become_epochs_from_1() {
        let numbered = |written: &[f64], counting| -> Vec<Option<usize>> {
            let numbering = Numbering::detect(written.iter().copied(), counting);
            written.iter().map(|epoch| numbering.epoch(*epoch)).collect()
        };
        assert_eq!(numbered(&[0.0, 1.0], Counting::AsWritten), [Some(1), Some(2)]);
        assert_eq!(numbered(&[5.0, 6.0], Counting::AsWritten), [Some(5), Some(6)]);
        assert_eq!(numbered(&[5.0, 6.0], Counting::FromZero("Keras")), [Some(6), Some(7)]);
        let fractions = [0.0, 0.25, 1.0, 1.000_000_1, 1.01, 2.97];
        let epochs = [None, Some(1), Some(1), Some(1), Some(2), Some(3)];
        assert_eq!(numbered(&fractions, Counting::AsWritten), epochs);
        assert_eq!(numbered(&[0.0, 1.0, 2.0], Counting::Done), [None, Some(1), Some(2)]);
        for bad in [f64::NAN, f64::INFINITY, 1e300, -3.0] {
            assert_eq!(Numbering::Whole(1).epoch(bad), None);
            assert_eq!(Numbering::Fractions.epoch(bad), None);
        }
    }

    #[test]
    fn steps_tell_whether_epochs_are_counted_from_0() {
        let from_one = |pairs: &[(u64, u64)]| epochs_start_at_one(&pairs.iter().copied().collect());
        assert!(from_one(&[(1, 10), (2, 20)]));
        assert!(from_one(&[(5, 50)]));
        assert!(!from_one(&[(1, 19), (2, 29)]), "Lightning, resumed");
        assert!(!from_one(&[(35, 359), (36, 369)]));
        assert!(!from_one(&[(1, 1)]) && !from_one(&[]) && !from_one(&[(u64::MAX, 1)]));
    }

    #[test]
    fn going_back_to_the_first_epoch_is_another_run() {
        let (kept, note) = kept_of(&[1.0, 2.0, 3.0, 1.0, 2.0]);
        assert_eq!(kept, [3, 4]);
        assert_eq!(
            note,
            "epochs go back from 3 to 1 in line 5: another run starts there, and the rows above it are skipped"
        );
        assert_eq!(kept_of(&[1.0, 2.0, 1.0, 2.0, 3.0, 0.0, 1.0]).0, [5, 6]);
    }

    #[test]
    fn going_back_to_a_later_epoch_is_a_resumed_run() {
        let (kept, note) = kept_of(&[0.0, 1.0, 2.0, 3.0, 2.0, 3.0]);
        assert_eq!(kept, [0, 1, 4, 5]);
        assert!(note.contains("from 3 to 2 in line 6: the run was resumed there"), "{note}");
    }

    #[test]
    fn rows_in_another_order_are_one_run() {
        for epochs in [&[3.0, 2.0, 1.0][..], &[2.0, 4.0, 1.0, 3.0, 0.0], &[2.0, 1.0]] {
            let (kept, note) = kept_of(epochs);
            assert_eq!(kept.len(), epochs.len());
            assert!(note.contains("not in the order"), "{note}");
        }
        assert_eq!(kept_of(&[1.0, 1.0, 2.0, 2.0]), (vec![0, 1, 2, 3], String::new()));
    }

    #[test]
    fn rows_without_an_epoch_follow_their_neighbors() {
        let rows = [
            Row::BeforeNext,
            Row::Epoch(0.0),
            Row::Epoch(1.0),
            Row::AfterAll,
            Row::BeforeNext,
            Row::Epoch(0.0),
            Row::AfterAll,
            Row::BeforeNext,
        ];
        let (kept, _) = select_last_run(&rows, |row| row.to_string());
        assert_eq!(kept, [false, false, false, false, true, true, true, true]);
    }
}
