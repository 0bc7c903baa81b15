//! Messages about input that does not fit the data of a run.

use std::path::Path;

use anyhow::anyhow;

use crate::config::hint::Hint;
use crate::data::prepare::fitted_data::FittedData;
use crate::data::table::form::{Form, ImageSize};

/// Name of stdin as a file.
pub const STDIN: &str = "-";

/// Returns the name of a file in messages.
pub fn shown(path: &Path) -> String {
    if path == Path::new(STDIN) { "stdin".to_owned() } else { format!("`{}`", path.display()) }
}

/// Returns a size as text, such as `28×28 pixels`.
pub fn size_text(ImageSize { height, width }: ImageSize) -> String {
    format!("{width}×{height} pixels")
}

/// Returns an error about input of another kind than the training data; `what` is what the run cannot do with it.
pub(super) fn wrong_kind(data: &FittedData, what: &str, hint: &str) -> anyhow::Error {
    let trained_on = match &data.form {
        Form::Table(_) => "a table".to_owned(),
        Form::Text(_) => "texts".to_owned(),
        Form::Image(size) => format!("images of {}", size_text(*size)),
        Form::Points if matches!(data.name.as_str(), "images" | "arrays") => data.name.clone(),
        Form::Points => format!("the data set `{}`", data.name),
    };
    anyhow!("the run was trained on {trained_on}, so it cannot {what}").context(Hint(hint.to_owned()))
}

/// Hint for a run on images.
const IMAGES: &str =
    "use `--image FILE`, a file of arrays (`runner predict RUN new.npz`), or `--index N` for one of its own images";

/// Returns the hint on the input that a run on these data can predict.
pub(super) fn own_input(data: &FittedData) -> &'static str {
    match data.form {
        Form::Table(_) => "use `--csv FILE`, or `--index N` for one of its own rows",
        Form::Text(_) => "use `--text TEXT`, `--csv FILE` for many texts, or `--index N` for one of its own rows",
        Form::Image(_) => IMAGES,
        Form::Points if data.name == "images" || data.color_image_size().is_some() => IMAGES,
        Form::Points => "use a file of arrays: `runner predict RUN new.npz`, or `--index N` for one of its own rows",
    }
}
