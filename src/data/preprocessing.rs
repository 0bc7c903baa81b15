//! What is done to a source's rows before a network sees them: a table's columns are encoded, and features scaled.
//!
//! Both are fitted to training rows, and to no others; what was fitted is kept, so that any other rows, such as those
//! of a file that is given to a trained network, go through the same.

use tch::Tensor;

use crate::data::encode::Encoder;
use crate::data::scale::{Scale, Scaler};
use crate::data::{Loaded, Rows, Training};

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

fn encoded(encoder: Option<&Encoder>, raw: Tensor, part: &str) -> anyhow::Result<Tensor> {
    match encoder {
        Some(encoder) => encoder.encode(&raw, part),
        None => Ok(raw),
    }
}
