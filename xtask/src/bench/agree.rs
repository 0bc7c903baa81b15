//! Whether programs that are timed do the same work: held by their rows and their curves.
//!
//! Two rules. A program that draws its numbers as ours does has to give the [`same`] curve, but for rounding, which grows
//! from epoch to epoch. One that draws in ways of its own has to give one that is [`alike`].

use serde_json::Value;

/// One thing that was looked at, in words with its figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    pub what: String,
    pub good: bool,
}

impl Check {
    pub fn new(what: impl Into<String>, good: bool) -> Self {
        Self { what: what.into(), good }
    }
}

/// Rows and curves of a training run.
#[derive(Debug, Clone, PartialEq)]
pub struct Curves {
    /// Training, validation and test rows.
    pub rows: [u64; 3],
    pub loss: Vec<f64>,
    pub acc: Vec<f64>,
    pub val_loss: Vec<f64>,
    pub val_acc: Vec<f64>,
    pub test_acc: f64,
}

/// These epochs have to be the same within [`EARLY`], while other batches or another initial weight make differences of
/// 1e-2. Rounding, which another number of threads changes, is 1e-8 there; from the fourth epoch on it grows tenfold in
/// each, to 1e-3 of a loss in the fifth.
const EARLY_EPOCHS: usize = 3;
const EARLY: f64 = 1e-5;
/// How far accuracies of the same curve may be apart in any epoch.
const ANY: f64 = 0.01;
/// How far the first loss of an alike curve may be off, as a share: Keras draws smaller initial weights.
const FIRST_LOSS: f64 = 0.3;
/// How far the last accuracies of an alike curve may be apart.
const LAST_ACC: f64 = 0.015;

impl Curves {
    /// From the lines that a peer printed: one for each epoch, and one with the rest.
    pub fn of_lines(lines: &str) -> Option<Self> {
        let lines: Vec<Value> = lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let (end, epochs) = lines.split_last()?;
        let series = |name: &str| epochs.iter().map(|epoch| epoch[name].as_f64()).collect::<Option<Vec<f64>>>();
        Self::of(&end["rows"], series, &end["test"])
    }

    /// From a history.
    pub fn of_history(history: &Value) -> Option<Self> {
        let series = |name: &str| numbers(&history["history"][name]);
        Self::of(&history["data"]["rows"], series, &history["test"])
    }

    fn of(rows: &Value, series: impl Fn(&str) -> Option<Vec<f64>>, test: &Value) -> Option<Self> {
        let rows = ["train", "validation", "test"].map(|part| rows[part].as_u64());
        let [Some(train), Some(validation), Some(tested)] = rows else { return None };
        Some(Self {
            rows: [train, validation, tested],
            loss: series("loss")?,
            acc: series("acc")?,
            val_loss: series("val_loss")?,
            val_acc: series("val_acc")?,
            test_acc: test["acc"].as_f64()?,
        })
    }
}

/// A list of numbers, if it is one.
pub fn numbers(list: &Value) -> Option<Vec<f64>> {
    list.as_array()?.iter().map(Value::as_f64).collect()
}

/// The same numbers were drawn: the curves are one, but for rounding.
pub fn same(name: &str, ours: &Curves, theirs: &Curves) -> Check {
    let early = ours.loss.len().min(EARLY_EPOCHS);
    let apart =
        |ours: &[f64], theirs: &[f64]| most(ours.iter().zip(theirs).take(early).map(|(a, b)| (b / a - 1.0).abs()));
    let loss = most([apart(&ours.loss, &theirs.loss), apart(&ours.val_loss, &theirs.val_loss)].into_iter());
    let between = |ours: &[f64], theirs: &[f64]| most(ours.iter().zip(theirs).map(|(a, b)| (b - a).abs()));
    let acc = most([between(&ours.acc, &theirs.acc), between(&ours.val_acc, &theirs.val_acc)].into_iter());
    let good = ours.rows == theirs.rows && ours.loss.len() == theirs.loss.len() && loss <= EARLY && acc <= ANY;
    let what = format!(
        "{name} draws as we do: the losses of the first {early} epochs differ by {loss:.1e} at most (allowed {EARLY:e}), \
         the accuracies of all {} by {acc:.4} (allowed {ANY}){}",
        ours.loss.len(),
        rows(ours, theirs)
    );
    Check::new(what, good)
}

/// Other numbers were drawn: the curves begin and end near each other.
pub fn alike(name: &str, ours: &Curves, theirs: &Curves) -> Check {
    let first = |curves: &Curves| curves.loss.first().copied().unwrap_or(f64::NAN);
    let last = |series: &[f64]| series.last().copied().unwrap_or(f64::NAN);
    let ratio = first(theirs) / first(ours);
    let acc = (last(&theirs.acc) - last(&ours.acc)).abs();
    let val_acc = (last(&theirs.val_acc) - last(&ours.val_acc)).abs();
    let good = ours.rows == theirs.rows
        && ours.loss.len() == theirs.loss.len()
        && (ratio - 1.0).abs() <= FIRST_LOSS
        && acc <= LAST_ACC
        && val_acc <= LAST_ACC;
    let what = format!(
        "{name} draws in a way of its own: its first loss is {ratio:.3} of ours (allowed {:.1}–{:.1}), its last training \
         and validation accuracy are {acc:.4} and {val_acc:.4} from ours (allowed {LAST_ACC}){}",
        1.0 - FIRST_LOSS,
        1.0 + FIRST_LOSS,
        rows(ours, theirs)
    );
    Check::new(what, good)
}

fn rows(ours: &Curves, theirs: &Curves) -> String {
    match ours.rows == theirs.rows {
        true => String::new(),
        false => format!("; but its rows are {:?}, ours {:?}", theirs.rows, ours.rows),
    }
}

/// NaN counts as the most.
fn most(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |most, value| if value.is_nan() || value > most { value } else { most })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curves() -> Curves {
        Curves {
            rows: [42_000, 18_000, 10_000],
            loss: vec![0.6159, 0.2651, 0.2120],
            acc: vec![0.8329, 0.9222, 0.9387],
            val_loss: vec![0.3126, 0.2402, 0.2134],
            val_acc: vec![0.9107, 0.9304, 0.9384],
            test_acc: 0.9431,
        }
    }

    #[test]
    fn a_curve_is_the_same_but_for_rounding() {
        let mut theirs = curves();
        theirs.loss[2] *= 1.0 + 1e-6;
        assert!(same("x", &curves(), &theirs).good);
        theirs.loss[1] = 0.2616;
        let check = same("x", &curves(), &theirs);
        assert!(!check.good && check.what.contains("1.3e-2"), "{check:?}");
        assert!(alike("x", &curves(), &theirs).good);
    }

    #[test]
    fn other_work_is_neither_the_same_nor_alike() {
        let spoil: [fn(&mut Curves); 5] = [
            |curves| curves.rows[0] = 60_000,
            |curves| curves.loss.truncate(2),
            |curves| curves.loss[0] = 0.9,
            |curves| curves.val_acc[2] = 0.90,
            |curves| curves.acc[2] = f64::NAN,
        ];
        for (place, spoil) in spoil.iter().enumerate() {
            let mut theirs = curves();
            spoil(&mut theirs);
            assert!(!same("x", &curves(), &theirs).good, "{place}");
            assert!(!alike("x", &curves(), &theirs).good, "{place}");
        }
    }

    #[test]
    fn curves_are_read_from_lines_and_from_a_history() {
        let lines = r#"{"epoch": 1, "loss": 0.5, "acc": 0.8, "val_loss": 0.4, "val_acc": 0.9}
{"rows": {"train": 3, "validation": 2, "test": 1}, "test": {"loss": 0.1, "acc": 0.7}}
"#;
        let of_lines = Curves::of_lines(lines).unwrap();
        assert_eq!((of_lines.rows, of_lines.loss.len(), of_lines.test_acc), ([3, 2, 1], 1, 0.7));
        let history = r#"{"data": {"rows": {"train": 3, "validation": 2, "test": 1}}, "test": {"acc": 0.7},
            "history": {"epoch": [1], "loss": [0.5], "acc": [0.8], "val_loss": [0.4], "val_acc": [0.9]}}"#;
        assert_eq!(Curves::of_history(&serde_json::from_str(history).unwrap()), Some(of_lines));
        assert_eq!(Curves::of_lines(""), None);
        assert_eq!(Curves::of_lines("{\"epoch\": 1}\n{}"), None);
    }
}
