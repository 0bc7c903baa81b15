//! Handwritten digits of 8×8 pixels, values 0–16 (UCI, as scikit-learn's `load_digits` ships them), in the binary.

use std::io::Read;

use anyhow::{Context, ensure};
use flate2::read::GzDecoder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::data::cache::sha256;
use crate::data::scale::Scale;
use crate::data::split::Split;
use crate::data::{Card, Loaded, Rows, Target, table};
use crate::shape::Shape;

const CSV_GZ: &[u8] = include_bytes!("../embedded/digits.csv.gz");
const ROWS: usize = 1797;
const SIDE: usize = 8;

/// `[data.digits]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Digits {
    /// Which rows are held out.
    #[serde(default)]
    pub split: Option<Split>,
    /// How pixels are scaled; `unit` divides by 16.
    #[serde(default)]
    pub scale: Scale,
    /// Whether an image is one row of 64 values, or 1×8×8 (channel, height, width).
    #[serde(default = "yes")]
    pub flatten: bool,
}

fn yes() -> bool {
    true
}

impl Default for Digits {
    fn default() -> Self {
        Digits { split: None, scale: Scale::None, flatten: true }
    }
}

impl Digits {
    pub(super) fn card(&self) -> Card {
        let sample = if self.flatten { Shape::from([64]) } else { Shape::from([1, 8, 8]) };
        Card { sample, target: Target::Classes(10), rows: ROWS, test_rows: 0 }
    }

    pub(super) fn load(&self) -> anyhow::Result<Loaded> {
        let mut csv = Vec::new();
        GzDecoder::new(CSV_GZ).read_to_end(&mut csv).context("failed to unpack the embedded digits")?;
        let table = table::read_bytes(csv, false).context("failed to read the embedded digits")?;
        ensure!(
            (table.rows, table.columns) == (ROWS, SIDE * SIDE + 1),
            "the embedded digits have {} rows and {} columns",
            table.rows,
            table.columns
        );
        let values = Tensor::from_slice(&table.values).view([ROWS as i64, -1]);
        let mut shape = vec![ROWS as i64];
        shape.extend(self.card().sample.dimensions());
        Ok(Loaded {
            sha256: sha256(CSV_GZ),
            target: Target::Classes(10),
            classes: (0..10).map(|digit| digit.to_string()).collect(),
            rows: Rows {
                features: values.narrow(1, 0, (SIDE * SIDE) as i64).reshape(&shape[..]),
                targets: values.select(1, (SIDE * SIDE) as i64).to_kind(Kind::Int64),
            },
            test: None,
            largest: 16.0,
        })
    }
}
