//! The file beside a history, weights or a tree, held against the one of the same trial made again: byte by byte, and
//! where these differ, by how much.

use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors};
use serde::Serialize;

use crate::data::store::hashed_file;
use crate::history::number::Number;
use crate::io::bounded_file;

/// How the file that a trial has kept stands to the one made again.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "are")]
pub enum WeightDiff {
    /// The same bytes.
    Identical,
    /// Other bytes.
    Different {
        /// The first tensor that differs, where that can be told.
        tensor: Option<String>,
        /// The largest difference of a value, where all names and shapes are the same.
        largest: Option<Number>,
    },
    /// The trial has none: it was removed, or a copy of the run has lost it.
    Missing,
    /// Neither has one.
    None,
}

impl WeightDiff {
    /// Compares the file that was kept with the one made again.
    pub fn compare(then: &Path, now: &Path) -> WeightDiff {
        let read = |path: &Path| bounded_file::read(path, hashed_file::most());
        match (read(then), read(now)) {
            (Err(_), Err(_)) => WeightDiff::None,
            (Err(_), Ok(_)) => WeightDiff::Missing,
            (Ok(then), Ok(now)) if then == now => WeightDiff::Identical,
            (Ok(then), now) => {
                let (tensor, largest) = now.map(|now| different(&then, &now)).unwrap_or_default();
                WeightDiff::Different { tensor, largest: largest.map(Number) }
            }
        }
    }

    /// Whether the trial came out with the same weights, or both have none; `None` where those that it had are missing.
    pub fn is_same(&self) -> Option<bool> {
        match self {
            WeightDiff::Identical | WeightDiff::None => Some(true),
            WeightDiff::Different { .. } => Some(false),
            WeightDiff::Missing => None,
        }
    }
}

/// The first tensor that differs, and the largest difference.
fn different(then: &[u8], now: &[u8]) -> (Option<String>, Option<f64>) {
    let (Ok(then), Ok(now)) = (SafeTensors::deserialize(then), SafeTensors::deserialize(now)) else {
        return (None, None);
    };
    let mut names = then.names();
    names.sort_unstable();
    let (mut first, mut largest) = (None, Some(0.0));
    for name in names {
        let (Ok(was), is) = (then.tensor(name), now.tensor(name)) else { continue };
        let is = is.ok().filter(|is| is.shape() == was.shape() && is.dtype() == was.dtype());
        if is.as_ref().is_some_and(|is| is.data() == was.data()) {
            continue;
        }
        first.get_or_insert_with(|| name.to_owned());
        let by = is.filter(|is| is.dtype() == Dtype::F32).map(|is| by(was.data(), is.data()));
        largest = largest.zip(by).map(|(largest, by): (f64, f64)| largest.max(by));
    }
    (first, largest)
}

/// The largest difference of two values; infinite where only one is a number.
fn by(then: &[u8], now: &[u8]) -> f64 {
    let values = |bytes: &[u8]| {
        let (values, _) = bytes.as_chunks::<4>();
        values.iter().map(|value| f64::from(f32::from_le_bytes(*value))).collect::<Vec<f64>>()
    };
    let pairs = values(then).into_iter().zip(values(now));
    let differences = pairs.map(|(then, now)| match (then - now).abs() {
        _ if then == now || (then.is_nan() && now.is_nan()) => 0.0,
        difference if difference.is_nan() => f64::INFINITY,
        difference => difference,
    });
    differences.fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use safetensors::tensor::{TensorView, serialize};

    use super::*;

    fn file(weight: &[f32], bias: &[f32]) -> Vec<u8> {
        let bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let (weight, bias) = ((weight.len(), bytes(weight)), (bias.len(), bytes(bias)));
        fn view((length, bytes): &(usize, Vec<u8>)) -> TensorView<'_> {
            TensorView::new(Dtype::F32, vec![*length], bytes).unwrap()
        }
        serialize([("0.weight", view(&weight)), ("0.bias", view(&bias))], None).unwrap()
    }

    #[test]
    fn the_first_tensor_and_the_largest_difference_are_told() {
        let then = file(&[1.0, 2.0], &[0.5]);
        assert_eq!(different(&then, &file(&[1.0, 2.5], &[0.5])), (Some("0.weight".to_owned()), Some(0.5)));
        assert_eq!(different(&then, &file(&[1.0, 2.25], &[f32::NAN])).1, Some(f64::INFINITY));
        assert_eq!(different(&then, &file(&[1.0], &[0.5])), (Some("0.weight".to_owned()), None));
        assert_eq!(different(&then, b"damaged"), (None, None));
    }

    #[test]
    fn a_file_that_is_gone_is_no_agreement() {
        let folder = tempfile::tempdir().unwrap();
        let (then, now) = (folder.path().join("then"), folder.path().join("now"));
        assert_eq!(WeightDiff::compare(&then, &now), WeightDiff::None);
        std::fs::write(&now, file(&[1.0], &[])).unwrap();
        assert_eq!(WeightDiff::compare(&then, &now), WeightDiff::Missing);
        assert_eq!(WeightDiff::Missing.is_same(), None);
        std::fs::copy(&now, &then).unwrap();
        assert_eq!(WeightDiff::compare(&then, &now), WeightDiff::Identical);
        std::fs::remove_file(&now).unwrap();
        assert_eq!(WeightDiff::compare(&then, &now).is_same(), Some(false));
    }
}
