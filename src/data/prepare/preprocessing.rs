//! Preprocessing of rows for a network: the columns of a table are encoded and their missing values
//! filled in ([`crate::data::table::encode`]), and features are scaled.
//!
//! Both are fitted to training rows only. The fitted preprocessing is stored with a trained network, so that new rows,
//! such as those of a file, are preprocessed in the same way.

use anyhow::{bail, ensure};
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::data::dataset::Loaded;
use crate::data::prepare::scale::{Scale, Scaler, ScalerRecord};
use crate::data::rows::Rows;
use crate::data::subsets::Training;
use crate::data::table::encode::Encoder;
use crate::data::table::form::{Form, TextForm};
use crate::data::text::vocabulary::Vocabulary;
use crate::tensor::shape::Shape;

/// Encoder and scaler, fitted to training rows.
#[derive(Debug)]
pub struct Preprocessing {
    encoder: Option<Encoder>,
    /// Vocabulary of texts whose ids are those of the source; `None` if the rows have the ids of the vocabulary, or are no
    /// texts.
    vocabulary: Option<Vocabulary>,
    pub(super) scaler: Scaler,
}

impl Preprocessing {
    /// Fits to the raw training rows.
    ///
    /// # Errors
    /// When values of a table cannot be filled in or encoded.
    pub fn fit(raw: &Training, loaded: &Loaded, scale: Scale) -> anyhow::Result<Self> {
        let encoding = loaded.form.encoding();
        let encoder = encoding.map(|encoding| encoding.fit(raw)).transpose()?;
        let vocabulary = match &loaded.form {
            Form::Text(form) => Vocabulary::fit(form, raw)?,
            Form::Points | Form::Image(_) | Form::Table(_) => None,
        };
        let scaler = match &encoder {
            Some(encoder) => {
                let features = encoder.encode_numbers(&raw.rows().features, "training")?;
                let numbers = Training(Rows { features, ..raw.rows().shallow_clone() });
                let indicators = encoding.map(|encoding| encoding.indicators());
                Scaler::fit(scale, &numbers, loaded.largest, indicators.as_deref())
            }
            None => Scaler::fit(scale, raw, loaded.largest, None),
        };
        Ok(Preprocessing { encoder, vocabulary, scaler })
    }

    /// Preprocesses raw features: `[rows, …sample]` of any kind, or `[rows, columns]` f64 of a table → `[rows,
    /// …sample]` f32. `part` is the name of the rows in messages.
    ///
    /// # Errors
    /// When a label-encoded category does not occur in the training rows, or there is not enough memory.
    pub fn features(&self, raw: Tensor, part: &str) -> anyhow::Result<Tensor> {
        match (&self.encoder, &self.vocabulary) {
            (Some(encoder), _) => {
                let numbers = encoder.encode_numbers(&raw, part)?;
                let numbers = self.scaler.of_features(&encoder.places_of_numbers()).apply(&numbers);
                encoder.add_one_hot(&raw, numbers)
            }
            (None, Some(vocabulary)) => Ok(self.scaler.apply(&vocabulary.ids(&raw))),
            (None, None) => Ok(self.scaler.apply(&raw)),
        }
    }

    /// Preprocesses the features of rows; targets and weights are unchanged.
    ///
    /// # Errors
    /// As for [`Preprocessing::features`].
    pub fn apply(&self, raw: Rows, part: &str) -> anyhow::Result<Rows> {
        Ok(Rows { features: self.features(raw.features, part)?, targets: raw.targets, weights: raw.weights })
    }
}

/// [`Preprocessing`] as it is stored in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PreprocessingRecord {
    /// Encoder of the columns of a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder: Option<Encoder>,
    /// Scaler.
    pub scaler: ScalerRecord,
}

impl Preprocessing {
    /// Converts to the form that is stored in a file.
    pub fn record(&self) -> PreprocessingRecord {
        PreprocessingRecord { encoder: self.encoder.clone(), scaler: self.scaler.record() }
    }

    /// Converts from the form that is stored in a file. The rows have the form `form` and become the shape `sample`.
    ///
    /// # Errors
    /// When the record was fitted to rows of another form.
    pub fn from_record(record: PreprocessingRecord, form: &Form, sample: &Shape) -> anyhow::Result<Preprocessing> {
        let encoder = match (record.encoder, form.encoding()) {
            (Some(encoder), Some(encoding)) => {
                let (found, wanted) = (encoding.width(), sample.elements());
                ensure!(found == wanted, "the columns become {found} features, but the network takes {wanted}");
                Some(encoder.restore(encoding)?)
            }
            (None, None) => None,
            (Some(_), None) => bail!("there is an encoder, but no table"),
            (None, Some(_)) => bail!("there is a table, but no encoder"),
        };
        Ok(Preprocessing { encoder, vocabulary: None, scaler: Scaler::from_record(&record.scaler, sample)? })
    }

    /// Returns the same preprocessing; the tensors share memory.
    pub fn shallow_clone(&self) -> Preprocessing {
        let vocabulary = self.vocabulary.as_ref().map(Vocabulary::shallow_clone);
        Preprocessing { encoder: self.encoder.clone(), vocabulary, scaler: self.scaler.shallow_clone() }
    }

    /// Returns the form of new rows and their preprocessing: texts get the ids of the vocabulary at once.
    pub fn for_new_rows(&self, form: &Form) -> (Form, Preprocessing) {
        let preprocessing = Preprocessing { vocabulary: None, ..self.shallow_clone() };
        match (form, &self.vocabulary) {
            (Form::Text(text), Some(vocabulary)) => {
                let tokens = vocabulary.tokens.clone();
                (Form::Text(Box::new(TextForm { tokens, ..(**text).clone() })), preprocessing)
            }
            _ => (form.clone(), preprocessing),
        }
    }
}
