//! Settings of `[data.images]`.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::Invalid;
use crate::config::defaults;
use crate::data::table::form::{Form, ImageSize};
use crate::tensor::shape::Shape;

/// Maximum height and width of an image as network input.
const LARGEST_SIDE: usize = 4096;

/// Settings of `[data.images]`. Relative paths are relative to the experiment file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Images {
    /// Directory with a subdirectory of PNG and JPEG files for each class, as torchvision's `ImageFolder` reads it, or a
    /// CSV file with the path and the label of each image. If the directory has `train` with `val` (`valid`, `validation`)
    /// or `test` instead of classes, these are the training, validation and test images.
    pub path: String,
    /// Directory or CSV file of the validation images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<String>,
    /// Directory or CSV file of the test images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<String>,
    /// Height and width in pixels that all images are resized to: `64`, or `[48, 64]` for height 48 and width 64. Required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Sides>,
    /// Colors: `rgb` gives 3×height×width, `grayscale` gives 1×height×width.
    #[serde(default)]
    pub color_mode: ColorMode,
    /// Handling of images whose proportions differ from those of `size`.
    #[serde(default)]
    pub resize: Resize,
    /// Names of the classes, in order; by default, all names in ascending order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<Vec<String>>,
    /// Column of a CSV file with the paths of the images.
    #[serde(default = "path_column", skip_serializing_if = "is_path_column")]
    pub path_column: String,
    /// Column of a CSV file with the classes of the images.
    #[serde(default = "label_column", skip_serializing_if = "is_label_column")]
    pub label_column: String,
    /// Directory that the paths in a CSV file are relative to; by default, the directory of the CSV file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// Whether the resized pixels are kept in the data cache (`~/.cache/runner/images`), so that the next run starts sooner.
    /// They are read again from the images if a file was added, removed or changed.
    #[serde(default = "defaults::yes", skip_serializing_if = "is_yes")]
    pub cache: bool,
}

fn path_column() -> String {
    "path".to_owned()
}

fn is_path_column(name: &str) -> bool {
    name == path_column()
}

fn label_column() -> String {
    "label".to_owned()
}

fn is_label_column(name: &str) -> bool {
    name == label_column()
}

fn is_yes(value: &bool) -> bool {
    *value
}

/// Height and width in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a number of pixels, or `[height, width]`")]
pub enum Sides {
    /// Height and width are equal.
    Square(usize),
    /// Height and width.
    HeightWidth([usize; 2]),
}

/// Colors of images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColorMode {
    /// Red, green and blue; transparency is ignored.
    #[default]
    Rgb,
    /// Gray levels: 0.299 red + 0.587 green + 0.114 blue.
    Grayscale,
}

/// Handling of images whose proportions differ from those of the network input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resize {
    /// Resize with the proportions kept, then crop the center, as torchvision's `Resize(64)` with `CenterCrop(64)`.
    #[default]
    Crop,
    /// Resize without keeping the proportions, as torchvision's `Resize((64, 64))` and Keras by default.
    Stretch,
}

/// Size and colors that images are converted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelFormat {
    /// Height and width.
    pub size: ImageSize,
    /// Colors.
    pub colors: ColorMode,
    /// Handling of other proportions.
    pub resize: Resize,
}

impl PixelFormat {
    /// Returns the number of values of an image.
    pub fn values(&self) -> usize {
        self.channels() * self.size.height * self.size.width
    }

    /// Returns the number of channels: 3 or 1.
    pub fn channels(&self) -> usize {
        match self.colors {
            ColorMode::Rgb => 3,
            ColorMode::Grayscale => 1,
        }
    }

    /// Returns the shape of an image: channels, height, width.
    pub fn sample(&self) -> Shape {
        Shape::from([self.channels() as i64, self.size.height as i64, self.size.width as i64])
    }

    /// Returns the form of a row.
    pub fn form(&self) -> Form {
        match self.colors {
            ColorMode::Rgb => Form::Points,
            ColorMode::Grayscale => Form::Image(self.size),
        }
    }
}

impl Images {
    /// Returns the default settings for a directory or CSV file.
    pub fn of_path(path: &str) -> Images {
        serde_json::from_value(serde_json::json!({ "path": path })).expect("all other settings have defaults")
    }

    /// Returns the size and colors that images are converted to. `example` is an image of the data set, for the hint.
    ///
    /// # Errors
    /// When the size is missing or out of its range; the key is relative to the source.
    pub fn pixel_format(&self, example: Option<&Path>) -> Result<PixelFormat, Invalid> {
        let (height, width) = match self.size {
            Some(Sides::Square(side)) => (side, side),
            Some(Sides::HeightWidth([height, width])) => (height, width),
            None => {
                let found = example.and_then(|path| Some((path.file_name()?, image::image_dimensions(path).ok()?)));
                let found = found.map(|(name, (width, height))| {
                    format!("; `{}` has {width}×{height} pixels", name.to_string_lossy())
                });
                let hint = format!("write `size = 64` for images of 64×64 pixels{}", found.unwrap_or_default());
                return Err(Invalid::new("size", "is missing: all images need the same size").hint(hint));
            }
        };
        if let Some(side) = [height, width].into_iter().find(|side| !(1..=LARGEST_SIDE).contains(side)) {
            return Err(Invalid::new("size", format!("must be between 1 and {LARGEST_SIDE} pixels, found {side}")));
        }
        Ok(PixelFormat { size: ImageSize { height, width }, colors: self.color_mode, resize: self.resize })
    }

    /// Returns the paths of directories and files, each with the key of its setting.
    pub fn paths_mut(&mut self) -> Vec<(&'static str, &mut String)> {
        let others = [("validation", &mut self.validation), ("test", &mut self.test), ("root", &mut self.root)];
        let others = others.into_iter().filter_map(|(key, path)| Some((key, path.as_mut()?)));
        [("path", &mut self.path)].into_iter().chain(others).collect()
    }
}
