//! The user's own images and labels in the IDX format, such as Fashion-MNIST.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::config::check::Invalid;
use crate::config::defaults;
use crate::data::dataset::{DatasetInfo, Loaded, numbered_classes};
use crate::data::file_error::FileError;
use crate::data::rows::Rows;
use crate::data::source::data_source::{DataSource, load_error};
use crate::data::split::Split;
use crate::data::store::cache::Cache;
use crate::data::store::checksum::sha256;
use crate::data::store::download_progress::DownloadProgress;
use crate::data::store::idx::{self, Idx};
use crate::data::store::user_file::{self, setting_error};
use crate::data::table::form::{Form, ImageSize};
use crate::data::target::Target;
use crate::tensor::shape::Shape;

/// Settings of `[data.idx]`. Relative paths are relative to the experiment file; files may be compressed (`.gz`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdxFiles {
    /// Path of the training images.
    pub images: String,
    /// Path of the training labels: classes, counted from 0.
    pub labels: String,
    /// Path of the test images.
    #[serde(default)]
    pub test_images: Option<String>,
    /// Path of the test labels.
    #[serde(default)]
    pub test_labels: Option<String>,
    /// Whether an image is height · width features, or 1×height×width (channel, height, width).
    #[serde(default = "defaults::yes")]
    pub flatten: bool,
}

/// Images with their labels.
#[derive(Debug)]
pub struct LabeledImages {
    /// `[images, height, width]`.
    pub images: Idx,
    /// `[images]`.
    pub labels: Idx,
    sums: String,
}

impl LabeledImages {
    /// Reads images and labels, each given by the key of its setting and its path.
    ///
    /// # Errors
    /// When a file cannot be read, is no IDX file or has no image, or the numbers of images and labels differ.
    pub fn read(images: (&str, &str), labels: (&str, &str)) -> Result<LabeledImages, Invalid> {
        let ((image_idx, image_sum), (label_idx, label_sum)) = (read(images, 3)?, read(labels, 1)?);
        let (found, wanted) = (label_idx.shape[0], image_idx.shape[0]);
        if found != wanted {
            let message = format!("`{}` has {found} labels, but `{}` has {wanted} images", labels.1, images.1);
            let fault = Invalid::new(labels.0, format!("cannot be used: {message}"));
            return Err(fault.hint("check that both files are complete and belong together: each image needs a label"));
        }
        if image_idx.values().is_empty() {
            return Err(Invalid::new(images.0, format!("cannot be used: `{}` has no images", images.1)));
        }
        Ok(LabeledImages { images: image_idx, labels: label_idx, sums: format!("{image_sum}\n{label_sum}") })
    }

    /// Returns the size of an image.
    pub fn size(&self) -> ImageSize {
        ImageSize { height: self.images.shape[1], width: self.images.shape[2] }
    }

    /// Returns the images as rows of the shape `sample`, with their labels as classes.
    pub fn rows(&self, sample: &Shape) -> Rows {
        labeled_rows(&self.images, &self.labels, sample)
    }
}

/// Returns images as rows of the shape `sample`, with their labels as classes.
pub(super) fn labeled_rows(images: &Idx, labels: &Idx, sample: &Shape) -> Rows {
    Rows::new(
        Tensor::from_slice(images.values()).view(&sample.of_rows(labels.values().len())[..]),
        Tensor::from_slice(labels.values()).to_kind(Kind::Int64),
    )
}

/// Reads one file. Returns it with its checksum.
fn read((key, path): (&str, &str), dimensions: usize) -> Result<(Idx, String), Invalid> {
    let invalid = |fault: FileError| setting_error(key, path, fault);
    let (bytes, sum) = user_file::read(Path::new(path)).map_err(invalid)?;
    let is_numpy = bytes.starts_with(b"\x93NUMPY");
    let idx = idx::parse(bytes, dimensions).map_err(|error| match is_numpy {
        true => {
            let hint = "write the IDX format of MNIST: four bytes (0, 0, 8, dimensions), each length as a big-endian u32, then \
                        the values as unsigned bytes; in Python: `struct.pack(\">BBBB\", 0, 0, 8, a.ndim) + \
                        struct.pack(f\">{a.ndim}I\", *a.shape) + a.astype(\"uint8\").tobytes()`";
            invalid(FileError::new("is a NumPy file (`.npy`), but an IDX file is expected").hint(hint))
        }
        false => invalid(FileError::new(format!("is not an IDX file of {dimensions} dimensions: {error}"))),
    })?;
    Ok((idx, sum))
}

/// Returns the SHA-256 over the checksums of all files.
fn checksum(training: &LabeledImages, test: Option<&LabeledImages>) -> String {
    let sums: Vec<&str> = [Some(training), test].into_iter().flatten().map(|pair| pair.sums.as_str()).collect();
    sha256(sums.join("\n").as_bytes())
}

impl IdxFiles {
    fn read(&self) -> Result<(LabeledImages, Option<LabeledImages>), Invalid> {
        let training = LabeledImages::read(("images", &self.images), ("labels", &self.labels))?;
        let test = match (&self.test_images, &self.test_labels) {
            (Some(images), Some(labels)) => {
                Some(LabeledImages::read(("test_images", images), ("test_labels", labels))?)
            }
            (None, None) => None,
            (Some(_), None) => return Err(Invalid::new("test_images", "requires `test_labels`")),
            (None, Some(_)) => return Err(Invalid::new("test_labels", "requires `test_images`")),
        };
        if let Some(test) = test.as_ref().filter(|test| test.images.shape[1..] != training.images.shape[1..]) {
            let (found, wanted) = (&test.images.shape, &training.images.shape);
            let sizes =
                format!("{}×{} pixels, but those of `images` have {}×{}", found[1], found[2], wanted[1], wanted[2]);
            return Err(Invalid::new("test_images", format!("have {sizes}")));
        }
        Ok((training, test))
    }

    fn info_of(&self, training: &LabeledImages, test: Option<&LabeledImages>) -> DatasetInfo {
        let sample = training.size().sample(self.flatten);
        let labels = || [Some(training), test].into_iter().flatten().flat_map(|pair| pair.labels.values());
        let classes = labels().max().map_or(0, |largest| usize::from(*largest) + 1);
        let notes = labels().min().filter(|smallest| **smallest > 0).map(|smallest| {
            format!("class 0 has no rows: the labels are {smallest} to {}, but classes are counted from 0", classes - 1)
        });
        let rows = |pair: &LabeledImages| pair.labels.values().len();
        DatasetInfo {
            test_rows: test.map_or(0, rows),
            notes: notes.into_iter().collect(),
            ..DatasetInfo::new(sample, Target::Classes(classes), rows(training), numbered_classes(classes))
        }
    }
}

impl DataSource for IdxFiles {
    const NAME: &'static str = "idx";

    fn info(&self, _: &Split) -> Result<DatasetInfo, Invalid> {
        let (training, test) = self.read()?;
        Ok(self.info_of(&training, test.as_ref()))
    }

    fn load(&self, _: &Split, _: &Cache, _: &mut dyn DownloadProgress) -> anyhow::Result<Loaded> {
        let (training, test) = self.read().map_err(load_error::<Self>)?;
        let info = self.info_of(&training, test.as_ref());
        Ok(Loaded {
            test: test.as_ref().map(|test| test.rows(&info.sample)),
            largest: 255.0,
            ..Loaded::new(
                checksum(&training, test.as_ref()),
                info.target,
                info.classes,
                training.rows(&info.sample),
                Form::Image(training.size()),
            )
        })
    }

    fn paths_mut(&mut self) -> Vec<(&'static str, &mut String)> {
        let test = [("test_images", &mut self.test_images), ("test_labels", &mut self.test_labels)];
        let test = test.into_iter().filter_map(|(key, path)| Some((key, path.as_mut()?)));
        [("images", &mut self.images), ("labels", &mut self.labels)].into_iter().chain(test).collect()
    }

    fn checksum_of_files(&self) -> Result<Option<String>, Invalid> {
        let (training, test) = self.read()?;
        Ok(Some(checksum(&training, test.as_ref())))
    }
}
