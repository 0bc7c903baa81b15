//! Hints of `runner new` on data that it cannot use.

use std::path::Path;

use crate::cli::text::shell_words::quoted;
use crate::config::suggest;
use crate::data::arrays::array_file::{ArrayFile, is_array_file};
use crate::data::arrays::settings::Arrays;
use crate::data::store::manifest::Manifest;
use crate::experiment::spec::catalogue::is_table;

/// Returns the command that is meant if no data are named and the name of the experiment is a file of data.
pub(super) fn meant_command(has_no_data: bool, name: &str) -> Option<String> {
    let (is_table, is_array) = (is_table(name), is_array_file(Path::new(name)));
    if !has_no_data || !(is_table || is_array) {
        return None;
    }
    let file = Path::new(name).file_name()?.to_string_lossy().into_owned();
    let (stem, data) = (quoted(file.split('.').next().unwrap_or("NAME")), quoted(name));
    Some(match is_table {
        true => format!("runner new {stem} --csv {data} --target COLUMN"),
        false => format!("runner new {stem} --data {data}"),
    })
}

/// Returns the hint for data that do not exist, or have another format.
pub(super) fn no_data(experiment: &str, data: &str) -> String {
    let ending = Path::new(data).extension().map(|ending| ending.to_string_lossy().to_lowercase());
    match ending.as_deref() {
        _ if is_table(data) => {
            let (name, data) = (quoted(experiment), quoted(data));
            format!("for a table write `runner new {name} --csv {data} --target COLUMN`")
        }
        Some("pt" | "pth" | "pkl" | "pickle" | "h5" | "mat") if Path::new(data).exists() => {
            "save the arrays in Python: `numpy.savez(\"data.npz\", x=x, y=y)`, where `x` and `y` are NumPy arrays, such as \
             `tensor.numpy()`"
                .to_owned()
        }
        _ => format!(
            "write a data set ({}), a file of arrays (`.npz`, `.safetensors`) or a directory of images",
            suggest::list(&Manifest::names().collect::<Vec<_>>())
        ),
    }
}

/// Returns how to name the arrays of a file whose names are not known; `None` if they are.
pub(super) fn names(file: &str) -> Option<String> {
    let opened = ArrayFile::open(Path::new(file)).ok()?;
    if opened.is_single() {
        let both = format!("x=numpy.load(\"{file}\"), y=numpy.load(\"y.npy\")");
        return Some(format!("save features and targets in one file in Python: `numpy.savez(\"data.npz\", {both})`"));
    }
    match &opened.names()[..] {
        _ if Arrays::are_named_in(&opened) => None,
        [x, y, ..] => {
            let load = if file.ends_with(".safetensors") { "safetensors.numpy.load_file" } else { "numpy.load" };
            Some(format!(
                "save the features as `x` and the targets as `y` in Python, such as: `file = {load}(\"{file}\"); \
                 numpy.savez(\"data.npz\", x=file[\"{x}\"], y=file[\"{y}\"])`"
            ))
        }
        _ => None,
    }
}
