//! MNIST: 60,000 training and 10,000 test images of handwritten digits, 28×28 (LeCun, Cortes, Burges).

use anyhow::{Context, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::data::prepare::scale::Scale;
use crate::data::source::idx;
use crate::data::split::Split;
use crate::data::store::cache::Cache;
use crate::data::store::fetch::Watch;
use crate::data::store::manifest::Manifest;
use crate::data::table::byte_table;
use crate::data::table::form::{Form, ImageSize};
use crate::data::{Card, Loaded, Rows, Target};
use crate::tensor::shape::Shape;

const SIDE: usize = 28;
const PIXELS: usize = SIDE * SIDE;

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
    pub(super) fn card(&self) -> Card {
        let sample = if self.flatten { Shape::from([784]) } else { Shape::from([1, 28, 28]) };
        Card {
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

/// Rebuilds the IDX files of images and labels from a table of rows: the label, then 784 pixels.
///
/// # Errors
/// When the table is another's.
pub fn idx_from_csv(csv: Vec<u8>) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    let table = byte_table::read_bytes(csv, true)?;
    ensure!(table.columns == PIXELS + 1, "expected a label and {PIXELS} pixels, found {} columns", table.columns);
    let mut images = Vec::with_capacity(table.rows * PIXELS);
    let mut labels = Vec::with_capacity(table.rows);
    for row in table.values.chunks_exact(PIXELS + 1) {
        labels.push(row[0]);
        images.extend(&row[1..]);
    }
    Ok((idx::write(&[table.rows, SIDE, SIDE], &images), idx::write(&[table.rows], &labels)))
}
