//! MNIST: 60,000 training and 10,000 test images of handwritten digits, 28×28 (LeCun, Cortes, Burges).

use anyhow::{Context, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::data::dataset::{DatasetInfo, Loaded};
use crate::data::prepare::scale::Scale;
use crate::data::rows::Rows;
use crate::data::source::idx;
use crate::data::source::mnist_csv::SIDE;
use crate::data::split::Split;
use crate::data::store::cache::Cache;
use crate::data::store::fetch::Watch;
use crate::data::store::manifest::Manifest;
use crate::data::table::form::{Form, ImageSize};
use crate::data::target::Target;
use crate::tensor::shape::Shape;

/// `[data.mnist]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mnist {
    /// Which of the 60,000 rows are held out for validation.
    #[serde(default)]
    pub split: Option<Split>,
    /// How pixels are scaled; `unit` divides by 255.
    #[serde(default)]
    pub scale: Scale,
    /// Whether an image is one row of 784 values, or 1×28×28 (channel, height, width).
    #[serde(default = "yes")]
    pub flatten: bool,
}

fn yes() -> bool {
    true
}

impl Default for Mnist {
    fn default() -> Self {
        Mnist { split: None, scale: Scale::None, flatten: true }
    }
}

/// The names of the classes.
fn digits() -> Vec<String> {
    (0..10).map(|digit| digit.to_string()).collect()
}

impl Mnist {
    pub(super) fn card(&self) -> DatasetInfo {
        let sample = if self.flatten { Shape::from([784]) } else { Shape::from([1, 28, 28]) };
        DatasetInfo {
            sample,
            target: Target::Classes(10),
            rows: 60_000,
            test_rows: 10_000,
            classes: digits(),
            notes: Vec::new(),
        }
    }

    pub(super) fn load(&self, cache: &Cache, watch: &mut dyn Watch) -> anyhow::Result<Loaded> {
        let manifest = Manifest::named("mnist").expect("mnist has a manifest");
        let mut files = cache.load(&manifest, watch)?.into_iter();
        let mut part = |rows: usize| -> anyhow::Result<Rows> {
            let images = files.next().context("a file of images is missing in the manifest")?;
            let labels = files.next().context("a file of labels is missing in the manifest")?;
            self.rows(images, labels, rows)
        };
        Ok(Loaded {
            sha256: manifest.sha256(),
            target: Target::Classes(10),
            classes: digits(),
            rows: part(60_000)?,
            test: Some(part(10_000)?),
            largest: 255.0,
            form: Form::Image(ImageSize { height: SIDE, width: SIDE }),
        })
    }

    fn rows(&self, images: Vec<u8>, labels: Vec<u8>, rows: usize) -> anyhow::Result<Rows> {
        let (images, labels) = (idx::parse(images, 3)?, idx::parse(labels, 1)?);
        ensure!(
            images.shape == [rows, SIDE, SIDE] && labels.shape == [rows],
            "expected {rows} images of {SIDE}×{SIDE}, found {:?} and {:?}",
            images.shape,
            labels.shape
        );
        let mut shape = vec![rows as i64];
        shape.extend(self.card().sample.dimensions());
        Ok(Rows::new(
            Tensor::from_slice(images.values()).view(&shape[..]),
            Tensor::from_slice(labels.values()).to_kind(Kind::Int64),
        ))
    }
}
