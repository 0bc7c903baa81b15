//! Compares the weights or the tree of a trial with its reproduction: byte by byte, and if they differ, by how much.

use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors};
use serde::Serialize;

use crate::data::store::hashed_file;
use crate::history::number::Number;
use crate::io::bounded_file;

/// Difference between the stored file of a trial and the reproduced one.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "are")]
pub enum WeightDiff {
    /// The bytes are the same.
    Identical,
    /// The bytes differ.
    Different {
        /// Name of the first tensor that differs, if the files can be read.
        tensor: Option<String>,
        /// Largest absolute difference of two values, if all names and shapes are the same.
        largest: Option<Number>,
    },
    /// The original file of weights is damaged: cut off or changed.
    Damaged {
        /// Size of the original file in bytes.
        bytes: usize,
        /// Size of the reproduced file in bytes.
        wanted: usize,
    },
    /// The original file is missing: removed, or lost in a copy of the run.
    Missing,
    /// Neither file exists.
    None,
}

impl WeightDiff {
    /// Compares the stored file with the reproduced one.
    pub fn compare(then: &Path, now: &Path) -> WeightDiff {
        let read = |path: &Path| bounded_file::read(path, hashed_file::max_bytes());
        match (read(then), read(now)) {
            (Err(_), Err(_)) => WeightDiff::None,
            (Err(_), Ok(_)) => WeightDiff::Missing,
            (Ok(then), Ok(now)) if then == now => WeightDiff::Identical,
            (Ok(then), Ok(now))
                if SafeTensors::deserialize(&then).is_err() && SafeTensors::deserialize(&now).is_ok() =>
            {
                WeightDiff::Damaged { bytes: then.len(), wanted: now.len() }
            }
            (Ok(then), now) => {
                let (tensor, largest) = now.map(|now| compare_tensors(&then, &now)).unwrap_or_default();
                WeightDiff::Different { tensor, largest: largest.map(Number) }
            }
        }
    }

    /// Whether both are the same, or both are missing; `None` if the original is missing or damaged.
    pub fn is_same(&self) -> Option<bool> {
        match self {
            WeightDiff::Identical | WeightDiff::None => Some(true),
            WeightDiff::Different { .. } => Some(false),
            WeightDiff::Missing | WeightDiff::Damaged { .. } => None,
        }
    }
}

/// Returns the first tensor that differs and the largest difference.
fn compare_tensors(then: &[u8], now: &[u8]) -> (Option<String>, Option<f64>) {
    let (Ok(then), Ok(now)) = (SafeTensors::deserialize(then), SafeTensors::deserialize(now)) else {
        return (None, None);
    };
    let mut names = then.names();
    names.sort_unstable();
    let (mut first, mut largest) = (None, Some(0.0));
    for name in names {
        let (Ok(original), reproduced) = (then.tensor(name), now.tensor(name)) else { continue };
        let reproduced = reproduced
            .ok()
            .filter(|reproduced| reproduced.shape() == original.shape() && reproduced.dtype() == original.dtype());
        if reproduced.as_ref().is_some_and(|reproduced| reproduced.data() == original.data()) {
            continue;
        }
        first.get_or_insert_with(|| name.to_owned());
        let by = reproduced
            .filter(|reproduced| reproduced.dtype() == Dtype::F32)
            .map(|reproduced| largest_difference(original.data(), reproduced.data()));
        largest = largest.zip(by).map(|(largest, by): (f64, f64)| largest.max(by));
    }
    (first, largest)
}

/// Returns the largest difference of two values; infinite if only one of them is a number.
fn largest_difference(then: &[u8], now: &[u8]) -> f64 {
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
        assert_eq!(compare_tensors(&then, &file(&[1.0, 2.5], &[0.5])), (Some("0.weight".to_owned()), Some(0.5)));
        assert_eq!(compare_tensors(&then, &file(&[1.0, 2.25], &[f32::NAN])).1, Some(f64::INFINITY));
        assert_eq!(compare_tensors(&then, &file(&[1.0], &[0.5])), (Some("0.weight".to_owned()), None));
        assert_eq!(compare_tensors(&then, b"damaged"), (None, None));
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
