//! Any images and labels in the IDX format, such as Fashion-MNIST's.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::config::check::Invalid;
use crate::data::dataset::{DatasetInfo, Loaded};
use crate::data::prepare::scale::Scale;
use crate::data::rows::Rows;
use crate::data::source::idx::{self, Idx};
use crate::data::source::user_file;
use crate::data::split::Split;
use crate::data::store::checksum::sha256;
use crate::data::table::form::{Form, ImageSize};
use crate::data::target::Target;
use crate::tensor::shape::Shape;

/// `[data.idx]`. Relative paths are relative to the experiment file; files may be compressed (`.gz`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdxFiles {
    /// The images to train on.
    pub images: String,
    /// Their labels: classes from 0 on.
    pub labels: String,
    /// The images to test on.
    #[serde(default)]
    pub test_images: Option<String>,
    /// Their labels.
    #[serde(default)]
    pub test_labels: Option<String>,
    /// Which of the rows to train on are held out.
    #[serde(default)]
    pub split: Option<Split>,
    /// How pixels are scaled; `unit` divides by 255.
    #[serde(default)]
    pub scale: Scale,
    /// Whether an image is one row of values, or 1×height×width (channel, height, width).
    #[serde(default = "yes")]
    pub flatten: bool,
}

fn yes() -> bool {
    true
}

/// Images with their labels.
#[derive(Debug)]
pub struct Pair {
    /// `[images, height, width]`.
    pub images: Idx,
    /// `[images]`.
    pub labels: Idx,
    sums: String,
}

impl Pair {
    /// Reads images and labels, each named by the key of the setting that has its path.
    ///
    /// # Errors
    /// When a file cannot be read, is no IDX file, or holds no image, or not as many labels as images.
    pub fn read(images: (&str, &str), labels: (&str, &str)) -> Result<Pair, Invalid> {
        let ((image_idx, image_sum), (label_idx, label_sum)) = (read(images, 3)?, read(labels, 1)?);
        let (found, wanted) = (label_idx.shape[0], image_idx.shape[0]);
        if found != wanted {
            let message = format!("`{}` holds {found} labels, and `{}` {wanted} images", labels.1, images.1);
            let fault = Invalid::new(labels.0, format!("cannot be used: {message}"));
            return Err(fault.hint("each image needs a label: is one of the files cut short, or of another data set?"));
        }
        if image_idx.values().is_empty() {
            return Err(Invalid::new(images.0, format!("cannot be used: `{}` holds no image", images.1)));
        }
        Ok(Pair { images: image_idx, labels: label_idx, sums: format!("{image_sum}\n{label_sum}") })
    }

    /// How many pixels an image has.
    pub fn size(&self) -> ImageSize {
        ImageSize { height: self.images.shape[1], width: self.images.shape[2] }
    }

    /// The images as rows of this shape, with their labels as classes.
    pub fn rows(&self, sample: &Shape) -> Rows {
        let mut shape = vec![self.labels.values().len() as i64];
        shape.extend(sample.dimensions());
        Rows::new(
            Tensor::from_slice(self.images.values()).view(&shape[..]),
            Tensor::from_slice(self.labels.values()).to_kind(Kind::Int64),
        )
    }
}

/// One file, and its checksum.
fn read((key, path): (&str, &str), dimensions: usize) -> Result<(Idx, String), Invalid> {
    let told = |message: String, hint: Option<String>| Invalid {
        hint,
        ..Invalid::new(key, format!("cannot be used: `{path}` {message}"))
    };
    let (bytes, sum) = user_file::read(Path::new(path)).map_err(|fault| told(fault.message, fault.hint))?;
    let is_numpy = bytes.starts_with(b"\x93NUMPY");
    let idx = idx::parse(bytes, dimensions).map_err(|error| match is_numpy {
        true => {
            let hint = "IDX is the format of MNIST: four bytes (0, 0, 8, dimensions), each length as a big-endian u32, then \
                        the values as unsigned bytes; in Python: `struct.pack(\">BBBB\", 0, 0, 8, a.ndim) + \
                        struct.pack(f\">{a.ndim}I\", *a.shape) + a.astype(\"uint8\").tobytes()`";
            told("is a file of NumPy (`.npy`), and IDX files are read".to_owned(), Some(hint.to_owned()))
        }
        false => told(format!("is not an IDX file of {dimensions} dimensions: {error}"), None),
    })?;
    Ok((idx, sum))
}

/// SHA-256 over the checksums of all files.
fn sum_of(training: &Pair, test: Option<&Pair>) -> String {
    let sums: Vec<&str> = [Some(training), test].into_iter().flatten().map(|pair| pair.sums.as_str()).collect();
    sha256(sums.join("\n").as_bytes())
}

impl IdxFiles {
    fn read(&self) -> Result<(Pair, Option<Pair>), Invalid> {
        let training = Pair::read(("images", &self.images), ("labels", &self.labels))?;
        let test = match (&self.test_images, &self.test_labels) {
            (Some(images), Some(labels)) => Some(Pair::read(("test_images", images), ("test_labels", labels))?),
            (None, None) => None,
            (Some(_), None) => return Err(Invalid::new("test_images", "needs `test_labels` beside it")),
            (None, Some(_)) => return Err(Invalid::new("test_labels", "needs `test_images` beside it")),
        };
        if let Some(test) = test.as_ref().filter(|test| test.images.shape[1..] != training.images.shape[1..]) {
            let (found, wanted) = (&test.images.shape, &training.images.shape);
            let sizes = format!("{}×{} pixels, and those of `images` {}×{}", found[1], found[2], wanted[1], wanted[2]);
            return Err(Invalid::new("test_images", format!("have {sizes}")));
        }
        Ok((training, test))
    }

    fn card_of(&self, training: &Pair, test: Option<&Pair>) -> DatasetInfo {
        let ImageSize { height, width } = training.size();
        let (height, width) = (height as i64, width as i64);
        let sample = if self.flatten { Shape::from([height * width]) } else { Shape::from([1, height, width]) };
        let labels = || [Some(training), test].into_iter().flatten().flat_map(|pair| pair.labels.values());
        let classes = labels().max().map_or(0, |largest| usize::from(*largest) + 1);
        let notes = labels().min().filter(|smallest| **smallest > 0).map(|smallest| {
            format!("class 0 has no row: the labels are {smallest} to {}, and classes are counted from 0", classes - 1)
        });
        let rows = |pair: &Pair| pair.labels.values().len();
        DatasetInfo {
            sample,
            target: Target::Classes(classes),
            rows: rows(training),
            test_rows: test.map_or(0, rows),
            classes: (0..classes).map(|class| class.to_string()).collect(),
            notes: notes.into_iter().collect(),
        }
    }

    pub(super) fn card(&self) -> Result<DatasetInfo, Invalid> {
        let (training, test) = self.read()?;
        Ok(self.card_of(&training, test.as_ref()))
    }

    /// The checksum of all files.
    pub(super) fn checksum(&self) -> Result<String, Invalid> {
        let (training, test) = self.read()?;
        Ok(sum_of(&training, test.as_ref()))
    }

    pub(super) fn load(&self) -> Result<Loaded, Invalid> {
        let (training, test) = self.read()?;
        let card = self.card_of(&training, test.as_ref());
        Ok(Loaded {
            sha256: sum_of(&training, test.as_ref()),
            target: card.target,
            classes: (0..card.target.outputs()).map(|class| class.to_string()).collect(),
            rows: training.rows(&card.sample),
            test: test.as_ref().map(|test| test.rows(&card.sample)),
            largest: 255.0,
            form: Form::Image(training.size()),
        })
    }
}
