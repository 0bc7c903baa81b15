//! Built-in images of handwritten digits, 8×8 pixels with values 0–16 (UCI, as in scikit-learn's `load_digits`).

use std::io::Read;

use anyhow::{Context, ensure};
use flate2::read::GzDecoder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::config::check::Invalid;
use crate::config::defaults;
use crate::config::values::variant_name;
use crate::data::dataset::{DatasetInfo, Loaded, numbered_classes};
use crate::data::rows::Rows;
use crate::data::source::data_source::DataSource;
use crate::data::split::Split;
use crate::data::store::cache::Cache;
use crate::data::store::checksum::sha256;
use crate::data::store::download_progress::DownloadProgress;
use crate::data::table::byte_table;
use crate::data::table::form::{Form, ImageSize};
use crate::data::target::Target;

const MANIFEST: &str = "
title    = 'Digits: images of handwritten digits, 8×8'
rows     = '1,797'
features = '8×8 pixels, 0–16'
target   = '10 classes'
license  = 'CC BY 4.0'
citation = 'E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998'
";

const CSV_GZ: &[u8] = include_bytes!("../embedded/digits.csv.gz");
const ROWS: usize = 1797;
const SIDE: usize = 8;
const SIZE: ImageSize = ImageSize { height: SIDE, width: SIDE };

/// Settings of `[data.digits]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Digits {
    /// Whether an image is 64 features, or 1×8×8 (channel, height, width).
    #[serde(default = "defaults::yes")]
    pub flatten: bool,
    /// Yes-or-no labels to predict instead of the digit.
    #[serde(default)]
    pub labels: Option<Vec<Property>>,
}

/// Property of a digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Property {
    /// 0, 2, 4, 6, 8.
    Even,
    /// 1, 3, 5, 7, 9.
    Odd,
    /// 5, 6, 7, 8, 9.
    #[serde(rename = "at_least_5")]
    AtLeast5,
    /// 2, 3, 5, 7.
    Prime,
}

impl Property {
    fn holds(self, digit: i64) -> bool {
        match self {
            Property::Even => digit % 2 == 0,
            Property::Odd => digit % 2 == 1,
            Property::AtLeast5 => digit >= 5,
            Property::Prime => matches!(digit, 2 | 3 | 5 | 7),
        }
    }
}

impl Digits {
    /// Returns the names of the labels, or of the digits.
    fn names(&self) -> Vec<String> {
        match &self.labels {
            Some(labels) => labels.iter().map(variant_name).collect(),
            None => numbered_classes(10),
        }
    }

    fn target(&self) -> Target {
        self.labels.as_ref().map_or(Target::Classes(10), |labels| Target::Labels(labels.len()))
    }

    /// Converts digits, `[rows]` int64, to targets. Returns them with their names.
    fn labels_of(&self, digits: &Tensor) -> (Tensor, Vec<String>) {
        let Some(labels) = &self.labels else {
            return (digits.shallow_clone(), self.names());
        };
        let digits: Vec<i64> = Vec::try_from(digits).expect("digits are int64");
        let holds = |digit: i64| labels.iter().map(move |label| f32::from(u8::from(label.holds(digit))));
        let targets: Vec<f32> = digits.into_iter().flat_map(holds).collect();
        (Tensor::from_slice(&targets).view([-1, labels.len() as i64]), self.names())
    }
}

impl DataSource for Digits {
    const NAME: &'static str = "digits";
    const MANIFEST: Option<&'static str> = Some(MANIFEST);

    fn info(&self, _: &Split) -> Result<DatasetInfo, Invalid> {
        Ok(DatasetInfo::new(SIZE.sample(self.flatten), self.target(), ROWS, self.names()))
    }

    fn load(&self, _: &Split, _: &Cache, _: &mut dyn DownloadProgress) -> anyhow::Result<Loaded> {
        let mut csv = Vec::new();
        GzDecoder::new(CSV_GZ).read_to_end(&mut csv).context("failed to unpack the embedded digits")?;
        let table = byte_table::read_bytes(csv, false).context("failed to read the embedded digits")?;
        ensure!(
            (table.rows, table.columns) == (ROWS, SIDE * SIDE + 1),
            "the embedded digits have {} rows and {} columns",
            table.rows,
            table.columns
        );
        let values = Tensor::from_slice(&table.values).view([ROWS as i64, -1]);
        let shape = SIZE.sample(self.flatten).of_rows(ROWS);
        let (targets, classes) = self.labels_of(&values.select(1, (SIDE * SIDE) as i64).to_kind(Kind::Int64));
        Ok(Loaded {
            largest: 16.0,
            ..Loaded::new(
                sha256(CSV_GZ),
                self.target(),
                classes,
                Rows::new(values.narrow(1, 0, (SIDE * SIDE) as i64).reshape(&shape[..]), targets),
                Form::Image(SIZE),
            )
        })
    }

    fn check(&self) -> Result<(), Invalid> {
        let labels = self.labels.as_deref().unwrap_or_default();
        if self.labels.is_some() && labels.is_empty() {
            return Err(Invalid::new("labels", "is empty").hint("remove `labels` to predict the digit"));
        }
        match labels.iter().enumerate().find(|(number, label)| labels[..*number].contains(label)) {
            Some((_, label)) => Err(Invalid::new("labels", format!("lists `{}` twice", variant_name(label)))),
            None => Ok(()),
        }
    }

    fn label_count(&self, _classes: usize) -> usize {
        10 // digits, even if the targets are `labels`
    }

    fn targets(&self, classes: &Tensor) -> Tensor {
        self.labels_of(classes).0
    }
}
