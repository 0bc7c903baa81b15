//! Features of prepared rows on the device: f32, or bytes that become f32 when they are used.

use std::ops::Range;

use tch::{Device, Kind, Tensor};

use crate::data::prepare::scale::Scaler;

/// Features of rows, `[rows, …sample]`. Bytes take a quarter of the memory, and give the same values as rows that are
/// scaled before training.
#[derive(Debug)]
pub struct Features {
    values: Tensor,
    /// Scaling of bytes; `None` for f32.
    scaler: Option<Scaler>,
}

impl Features {
    /// Returns features that are scaled already; other types become f32.
    pub fn new(values: &Tensor) -> Features {
        Features { values: values.to_kind(Kind::Float).contiguous(), scaler: None }
    }

    /// Returns bytes that are scaled when they are used.
    pub fn from_bytes(bytes: &Tensor, scaler: &Scaler) -> Features {
        Features { values: bytes.shallow_clone(), scaler: Some(scaler.to(bytes.device())) }
    }

    /// Returns the features of all parts, one after the other.
    pub fn join(parts: &[&Features]) -> Features {
        let all: Vec<Tensor> = parts.iter().map(|part| part.all()).collect(); // each part can have its own scaling
        Features { values: Tensor::cat(&all, 0), scaler: None }
    }

    /// Returns the shape of a row.
    pub fn sample(&self) -> Vec<i64> {
        self.values.size().split_off(1)
    }

    /// Returns the device.
    pub fn device(&self) -> Device {
        self.values.device()
    }

    /// Returns the values if they are f32.
    pub fn floats(&self) -> Option<&Tensor> {
        self.scaler.is_none().then_some(&self.values)
    }

    /// Returns bytes on the CPU and the number by which all of them are divided; `None` if they are f32, or if each
    /// feature is scaled differently.
    pub fn bytes_and_divisor(&self) -> Option<(&Tensor, f32)> {
        let divisor = self.scaler.as_ref()?.divisor()?;
        let is_raw = self.values.kind() == Kind::Uint8 && self.device() == Device::Cpu && self.values.is_contiguous();
        is_raw.then_some((&self.values, divisor as f32))
    }

    /// Returns the features of all rows, f32.
    pub fn all(&self) -> Tensor {
        self.scaled(self.values.shallow_clone())
    }

    /// Returns the features of a range of rows, f32.
    pub fn range(&self, rows: &Range<usize>) -> Tensor {
        self.scaled(self.values.narrow(0, rows.start as i64, rows.len() as i64))
    }

    /// Returns the features of the rows `numbers`, `[count]` int64: `[count, …sample]` f32.
    pub fn select(&self, numbers: &Tensor) -> Tensor {
        self.scaled(self.values.index_select(0, numbers))
    }

    /// Returns the same features; the tensors share memory.
    pub fn shallow_clone(&self) -> Features {
        let scaler = self.scaler.as_ref().map(Scaler::shallow_clone);
        Features { values: self.values.shallow_clone(), scaler }
    }

    fn scaled(&self, values: Tensor) -> Tensor {
        match &self.scaler {
            Some(scaler) => scaler.apply(&values),
            None => values,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::prepare::scale::Scale;
    use crate::data::rows::Rows;
    use crate::data::subsets::Training;

    #[test]
    fn bytes_give_the_bits_of_rows_that_are_scaled_before() {
        let bytes: Vec<u8> = (0..600_u32).map(|index| (index * index % 256) as u8).collect();
        let bytes = Tensor::from_slice(&bytes).view([100, 2, 3]);
        let training =
            Training::from(Rows::new(bytes.shallow_clone(), Tensor::zeros([100], (Kind::Int64, Device::Cpu))));
        let numbers = Tensor::from_slice(&[99_i64, 0, 7, 7]);
        for scale in [Scale::None, Scale::Unit, Scale::Standard, Scale::MinMax] {
            let scaler = Scaler::fit(scale, &training, 255.0, None);
            let wanted = scaler.apply(&bytes);
            let features = Features::from_bytes(&bytes, &scaler);
            for (found, wanted) in [
                (features.all(), wanted.shallow_clone()),
                (features.range(&(20..31)), wanted.narrow(0, 20, 11)),
                (features.select(&numbers), wanted.index_select(0, &numbers)),
            ] {
                assert_eq!(found.kind(), Kind::Float);
                assert!(found.equal(&wanted), "{scale:?}");
            }
        }
    }
}
