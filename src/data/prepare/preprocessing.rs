//! What is done to a source's rows before a network sees them: a table's columns are encoded, and features scaled.
//!
//! Both are fitted to training rows, and to no others; what was fitted is kept, so that any other rows, such as those
//! of a file that is given to a trained network, go through the same.

use anyhow::{bail, ensure};
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::data::dataset::Loaded;
use crate::data::prepare::scale::{Scale, Scaler, ScalerRecord};
use crate::data::rows::Rows;
use crate::data::subsets::Training;
use crate::data::table::encode::Encoder;
use crate::data::table::form::Form;
use crate::tensor::shape::Shape;

/// An encoding and a scale that were fitted to training rows.
#[derive(Debug)]
pub struct Preprocessing {
    encoder: Option<Encoder>,
    scaler: Scaler,
}

impl Preprocessing {
    /// Fits to the raw training rows of what a source gave, and gives these back as a network takes them.
    ///
    /// # Errors
    /// When a table's values cannot be filled in or encoded.
    pub fn fit(raw: Training, loaded: &Loaded, scale: Scale) -> anyhow::Result<(Self, Training)> {
        let encoding = loaded.form.encoding();
        let encoder = encoding.map(|encoding| encoding.fit(&raw)).transpose()?;
        let Rows { features, targets, weights } = raw.0;
        let features = encoded(encoder.as_ref(), features, "training")?;
        let training = Training(Rows { features, targets, weights });
        let indicators = encoding.map(|encoding| encoding.indicators());
        let scaler = Scaler::fit(scale, &training, loaded.largest, indicators.as_deref());
        let Training(rows) = training;
        let training = Training(Rows { features: scaler.apply(&rows.features), ..rows });
        Ok((Preprocessing { encoder, scaler }, training))
    }

    /// Raw features as a network takes them: `[rows, …sample]` of any kind, or of a table `[rows, columns]` f64 →
    /// `[rows, …sample]` f32. `part` is what messages call the rows.
    ///
    /// # Errors
    /// When a category that is encoded by its place occurs in none of the training rows.
    pub fn features(&self, raw: Tensor, part: &str) -> anyhow::Result<Tensor> {
        Ok(self.scaler.apply(&encoded(self.encoder.as_ref(), raw, part)?))
    }

    /// The same for rows with their targets, which stay as they are.
    ///
    /// # Errors
    /// As for [`Preprocessing::features`].
    pub fn apply(&self, raw: Rows, part: &str) -> anyhow::Result<Rows> {
        Ok(Rows { features: self.features(raw.features, part)?, targets: raw.targets, weights: raw.weights })
    }
}

/// What was fitted, as a file holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PreprocessingRecord {
    /// The encoder of a table's columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder: Option<Encoder>,
    /// The scale.
    pub scaler: ScalerRecord,
}

impl Preprocessing {
    /// What was fitted, as a file holds it.
    pub fn record(&self) -> PreprocessingRecord {
        PreprocessingRecord { encoder: self.encoder.clone(), scaler: self.scaler.record() }
    }

    /// What a file holds, fitted to rows of this form, which are of the shape `sample` for the network.
    ///
    /// # Errors
    /// When it was fitted to rows of another form.
    pub fn of_record(record: PreprocessingRecord, form: &Form, sample: &Shape) -> anyhow::Result<Preprocessing> {
        let encoder = match (record.encoder, form.encoding()) {
            (Some(encoder), Some(encoding)) => {
                let (found, wanted) = (encoding.width(), sample.elements());
                ensure!(found == wanted, "the columns become {found} features, and the network takes {wanted}");
                Some(encoder.restore(encoding)?)
            }
            (None, None) => None,
            (Some(_), None) => bail!("there is an encoder, and no table"),
            (None, Some(_)) => bail!("there is a table, and no encoder"),
        };
        Ok(Preprocessing { encoder, scaler: Scaler::of_record(&record.scaler, sample)? })
    }

    /// The same, in the same memory.
    pub fn shallow_clone(&self) -> Preprocessing {
        Preprocessing { encoder: self.encoder.clone(), scaler: self.scaler.shallow_clone() }
    }
}

fn encoded(encoder: Option<&Encoder>, raw: Tensor, part: &str) -> anyhow::Result<Tensor> {
    match encoder {
        Some(encoder) => encoder.encode(&raw, part),
        None => Ok(raw),
    }
}
