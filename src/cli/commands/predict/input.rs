//! Rows to predict: a row of the data, the rows of a table or of arrays, or an image.

use std::path::Path;

use serde_json::{Value, json};
use tch::{Kind, Tensor};

use crate::cli::commands::eval;
use crate::cli::commands::predict::kept_columns;
use crate::cli::text::text_style::wrapped;
use crate::cli::text::{image, number_format, terminal};
use crate::config::hint::hinted;
use crate::data::Rows;
use crate::data::image_file::{ImageFile, Invert};
use crate::data::prepare::fitted_data::FittedData;
use crate::data::table::Table;
use crate::data::table::encode::ColumnEncoding;
use crate::data::table::external_table::{Truth, Unknown};
use crate::data::table::form::{Form, ImageSize};
use crate::experiment::predict::array_rows::ArrayRows;
use crate::experiment::predict::external_rows::{self, ExternalRows};
use crate::experiment::predict::input_kind;
use crate::experiment::store::load_model::TrainedModel;
use crate::experiment::store::trial_data::{Part, TrialData};

/// Maximum number of values of a row without names that are shown.
const MOST_NUMBERS: usize = 32;

/// Rows to predict, as the network takes them, and their description.
pub(super) struct Input {
    /// Features, `[rows, …sample]` f32.
    pub(super) features: Tensor,
    /// Targets, if they are known.
    pub(super) targets: Option<Tensor>,
    /// Number of each row in its source.
    pub(super) numbers: Vec<usize>,
    /// Columns that are copied to the output: name, and value of each row.
    pub(super) kept: Vec<(String, Vec<String>)>,
    /// Where the rows come from, as text.
    pub(super) heading: String,
    /// Where the rows come from, as JSON.
    pub(super) origin: Value,
    /// Drawing or columns of a single row.
    pub(super) preview: Option<String>,
}

impl Input {
    /// Returns rows that are numbered from 0.
    fn new(features: Tensor, targets: Option<Tensor>, heading: String, origin: Value) -> Input {
        let numbers = (0..features.size()[0] as usize).collect();
        Input { features, targets, numbers, kept: Vec::new(), heading, origin, preview: None }
    }
}

/// Returns a part of the data of the run, or one row of it.
///
/// # Errors
/// If there is no such part or row.
pub(super) fn input_from_part(data: &TrialData, part: Part, index: Option<usize>) -> anyhow::Result<Input> {
    let rows = eval::rows_of(data, part)?;
    if let Some(index) = index {
        return input_from_row(data, part, rows.len(), index);
    }
    let heading = format!("{}: {} {} rows", data.name(), number_format::count(rows.len()), part.name());
    let origin = json!({ "data": data.name(), "rows": part.name() });
    Ok(Input::new(rows.features.shallow_clone(), Some(rows.targets.shallow_clone()), heading, origin))
}

/// Returns one of the `count` rows of a part of the data.
fn input_from_row(data: &TrialData, part: Part, count: usize, index: usize) -> anyhow::Result<Input> {
    let name = part.name();
    let last = count.saturating_sub(1);
    let (raw, Rows { features, targets, .. }) = data.row(part, index).ok_or_else(|| {
        let message = format!("there is no {name} row {index}: the run has {}", number_format::counted(count, "row"));
        hinted(message, format!("rows are counted from 0: the last one is `--index {last}`"))
    })?;
    let shown = match &data.fitted.form {
        Form::Text(_) => &features, // with the ids of the vocabulary
        Form::Points | Form::Image(_) | Form::Table(_) => &raw.features,
    };
    let preview = preview(&data.fitted, shown);
    let [shown_index, last] = [index, last].map(number_format::count);
    let heading = format!("{}: {name} row {shown_index} (of 0 to {last})", data.name());
    let origin = json!({ "data": data.name(), "rows": name, "index": index });
    Ok(Input { numbers: vec![index], preview, ..Input::new(features, Some(targets), heading, origin) })
}

/// Returns the rows of a user's table. Skips rows with missing values if training did.
pub(super) fn input_from_table(
    data: &FittedData,
    path: &Path,
    table: &Table,
    keep: &[String],
    unknown: Unknown,
) -> anyhow::Result<Input> {
    let ExternalRows { features, targets, rows } =
        external_rows::rows_of_table(data, path, table, Truth::Optional, unknown)?;
    let shown = input_kind::shown(path);
    let skipped = table.rows() - rows.len();
    if skipped > 0 {
        let count = number_format::counted(skipped, "row");
        terminal::warn(&format!("{count} of {shown} skipped because of missing values, as in training"));
    }
    let heading = format!("{shown}: {}", number_format::counted(rows.len(), "row"));
    Ok(Input {
        kept: kept_columns::read(keep, table, &rows, &shown)?,
        numbers: rows.iter().map(|row| row + 1).collect(),
        ..Input::new(features, targets, heading, json!({ "csv": path }))
    })
}

/// Returns the rows of a user's arrays.
///
/// # Errors
/// If they do not have the shape and type of the training data.
pub(super) fn input_from_arrays(
    saved: &TrainedModel,
    data: &FittedData,
    written: &str,
    arrays: &ArrayRows,
) -> anyhow::Result<Input> {
    let raw = arrays.features(&saved.plan, data)?;
    let count = raw.size()[0] as usize;
    let features = data.preprocessing.features(raw.shallow_clone(), "given")?;
    let targets = arrays.targets(&saved.plan, data)?;
    let heading = format!("`{written}`: {}", number_format::counted(count, "row"));
    let preview = if count == 1 { preview(data, &raw) } else { None };
    Ok(Input { preview, ..Input::new(features, targets, heading, json!({ "arrays": written })) })
}

/// Returns a text as a row.
///
/// # Errors
/// If the training data are not texts, or no token of the text is in the vocabulary.
pub(super) fn input_from_text(data: &FittedData, text: &str, unknown: Unknown) -> anyhow::Result<Input> {
    let features = external_rows::text(data, text, unknown)?;
    let preview = preview(data, &features);
    let heading = "the text, with `�` for unknown tokens:".to_owned();
    Ok(Input { preview, ..Input::new(features, None, heading, json!({ "text": text })) })
}

/// Returns an image file as a row: in grayscale, resized, and inverted if needed.
pub(super) fn input_from_image(
    saved: &TrainedModel,
    data: &FittedData,
    path: &Path,
    invert: Invert,
) -> anyhow::Result<Input> {
    let (image_file, raw, features) = external_rows::image(&saved.plan, data, path, invert)?;
    let heading = format!("`{}`: {}", path.display(), conversion(data, &image_file, invert));
    let origin = json!({ "image": path, "width": image_file.from.0, "height": image_file.from.1,
        "padded": image_file.is_padded, "inverted": image_file.is_inverted });
    Ok(Input { preview: preview(data, &raw), ..Input::new(features, None, heading, origin) })
}

/// Returns the image files of a directory as rows.
///
/// # Errors
/// If it has no images, or an image cannot be read.
pub(super) fn input_from_directory(
    saved: &TrainedModel,
    data: &FittedData,
    path: &Path,
    invert: Invert,
) -> anyhow::Result<Input> {
    let (names, features) = external_rows::image_directory(&saved.plan, data, path, invert)?;
    let heading = format!("`{}`: {} images", path.display(), number_format::count(names.len()));
    let kept = vec![("file".to_owned(), names)];
    Ok(Input { kept, ..Input::new(features, None, heading, json!({ "images": path })) })
}

/// Returns how an image file was converted, as text.
fn conversion(data: &FittedData, image_file: &ImageFile, invert: Invert) -> String {
    let (height, width) = match (&data.form, data.info.sample.dimensions()) {
        (Form::Image(size), _) => (size.height, size.width),
        (_, &[.., height, width]) => (height as usize, width as usize),
        _ => unreachable!("image files are only read for image data"),
    };
    let (from_width, from_height) = image_file.from;
    let padded = if image_file.is_padded { ", padded at two sides" } else { "" };
    let resized = match image_file.from == (width as u32, height as u32) {
        true => format!("{width}×{height} pixels"),
        false => format!("resized from {from_width}×{from_height} to {width}×{height}{padded}"),
    };
    let [own, other] = match data.is_light_on_dark() {
        true => ["light on dark", "dark on light"],
        false => ["dark on light", "light on dark"],
    };
    let inverted = match (image_file.is_inverted, invert) {
        (true, Invert::Auto) => format!(", inverted ({other}, and `{}` is {own})", data.name),
        (true, _) => ", inverted".to_owned(),
        (false, _) => String::new(),
    };
    format!("{resized}{inverted}")
}

/// Returns a drawing of an image, or the columns of a table row as text. `raw` is `[1, …]`, before preprocessing.
fn preview(data: &FittedData, raw: &Tensor) -> Option<String> {
    let values =
        Vec::<f64>::try_from(raw.to_kind(Kind::Double).flatten(0, -1)).expect("the tensor was converted to f64");
    let drawn = |pixels: &[f64], size: ImageSize| {
        let pixels: Vec<f64> = pixels.iter().map(|value| value / data.largest).collect();
        Some(image::drawn(&pixels, size, terminal::greys(), terminal::width().min(80)))
    };
    if let Some(size) = data.color_image_size() {
        let plane = values.len() / 3;
        let level = |pixel| 0.299 * values[pixel] + 0.587 * values[plane + pixel] + 0.114 * values[2 * plane + pixel];
        return drawn(&(0..plane).map(level).collect::<Vec<_>>(), size);
    }
    match &data.form {
        Form::Image(size) => drawn(&values, *size),
        Form::Table(form) => {
            let column = |(planned, value): (&ColumnEncoding, &f64)| {
                let text = match planned.categories() {
                    _ if value.is_nan() => "missing".to_owned(),
                    [] => value.to_string(),
                    categories => categories[*value as usize].clone(),
                };
                format!("{} {text}", planned.name)
            };
            let columns: Vec<String> = form.encoding.columns.iter().zip(&values).map(column).collect();
            Some(wrapped(&columns.join(", ")))
        }
        Form::Text(form) => {
            let ids: Vec<i64> = values.iter().map(|&id| id as i64).collect();
            Some(wrapped(&form.text(&ids)))
        }
        Form::Points => {
            // the shortest text of the f32
            let numbers: Vec<String> =
                values.iter().take(MOST_NUMBERS).map(|value| (*value as f32).to_string()).collect();
            let more = match values.len().saturating_sub(MOST_NUMBERS) {
                0 => String::new(),
                more => format!(", … ({} more)", number_format::count(more)),
            };
            Some(wrapped(&format!("{}{more}", numbers.join(", "))))
        }
    }
}
