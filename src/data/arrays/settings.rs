//! Settings of `[data.arrays]`: the file and the names of its arrays.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::data::arrays::array_file::ArrayFile;
use crate::data::arrays::layout::Channels;
use crate::data::table::target_kind::TargetKind;

/// Settings of `[data.arrays]`. An array has a row for each example. A name that ends in `.npy` is a file of its own;
/// relative paths are relative to the experiment file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Arrays {
    /// Path of a `.npz` or `.safetensors` file.
    pub path: Option<String>,
    /// Array of the features, or path of a `.npy` file; by default `x`, else `x_train`.
    pub x: Option<String>,
    /// Array of the targets; by default `y`, else `y_train`. Integers are classes, unless `task` is set; other numbers
    /// are values (regression).
    pub y: Option<String>,
    /// Array of the features of the validation rows; by default `x_val`, if the file has it.
    pub x_val: Option<String>,
    /// Array of the targets of the validation rows; by default `y_val`.
    pub y_val: Option<String>,
    /// Array of the features of the test rows; by default `x_test`, if the file has it.
    pub x_test: Option<String>,
    /// Array of the targets of the test rows; by default `y_test`.
    pub y_test: Option<String>,
    /// Position of the channels of images: `first` as in PyTorch, or `last` as in Keras. Grayscale images without
    /// channels become 1×height×width. By default, rows keep their shape.
    pub channels: Option<Channels>,
    /// Kind of the target.
    pub task: Option<TargetKind>,
    /// Names of the classes 0, 1, 2, …, or of the labels. By default, the integers in the array.
    pub classes: Option<Vec<String>>,
}

/// Keys of the arrays.
pub const ARRAY_KEYS: [&str; 6] = ["x", "y", "x_val", "y_val", "x_test", "y_test"];

/// Names of each array in an archive, in the order in which they are looked up.
pub(super) const NAMES: [&[&str]; 6] = [
    &["x", "x_train", "X", "X_train", "images", "train_images", "features", "data"],
    &["y", "y_train", "Y", "Y_train", "labels", "train_labels", "targets", "target"],
    &["x_val", "X_val", "val_images"],
    &["y_val", "Y_val", "val_labels"],
    &["x_test", "X_test", "test_images"],
    &["y_test", "Y_test", "test_labels"],
];

/// Returns whether the name of an array is the path of a file.
pub fn is_file(name: &str) -> bool {
    name.to_lowercase().ends_with(".npy")
}

impl Arrays {
    /// Returns the settings of the arrays in one file, or in a `.npy` file of features and one of targets: `x.npy,y.npy`.
    pub fn of_files(paths: &str) -> Arrays {
        let own = |path: &str| Some(path.trim().to_owned());
        match paths.split_once(',') {
            Some((x, y)) => Arrays { x: own(x), y: own(y), ..Arrays::default() },
            None if is_file(paths) => Arrays { x: own(paths), ..Arrays::default() },
            None => Arrays { path: own(paths), ..Arrays::default() },
        }
    }

    /// Returns whether a file has arrays of features and targets with the usual names, and validation rows with both or
    /// neither.
    pub fn are_named_in(file: &ArrayFile) -> bool {
        let [x, y, x_val, y_val, ..] = NAMES.map(|names| names.iter().any(|name| file.has(name)));
        x && y && x_val == y_val
    }

    /// Returns the stated name of each array, in the order of [`ARRAY_KEYS`].
    pub(super) fn stated(&self) -> [Option<&str>; 6] {
        [&self.x, &self.y, &self.x_val, &self.y_val, &self.x_test, &self.y_test].map(Option::as_deref)
    }

    /// Returns the paths of the files, each with the key of its setting.
    pub fn paths_mut(&mut self) -> Vec<(&'static str, &mut String)> {
        let arrays = [&mut self.x, &mut self.y, &mut self.x_val, &mut self.y_val, &mut self.x_test, &mut self.y_test];
        let files = ARRAY_KEYS.into_iter().zip(arrays);
        let files = files.filter_map(|(key, name)| Some((key, name.as_mut().filter(|name| is_file(name))?)));
        self.path.as_mut().map(|path| ("path", path)).into_iter().chain(files).collect()
    }
}
