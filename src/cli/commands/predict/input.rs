//! Rows to predict: a row of the data, the rows of a table or of arrays, or an image.

use std::path::Path;

use anyhow::anyhow;
use clap::ValueEnum;
use serde_json::{Value, json};
use tch::{Kind, Tensor};

use crate::cli::args::unknown_arg::UnknownArg;
use crate::cli::commands::eval;
use crate::cli::commands::eval::evaluation::row_count;
use crate::cli::commands::predict::kept_columns;
use crate::cli::text::text_style::TextStyle;
use crate::cli::text::{image, number_format, terminal};
use crate::config::hint::Hint;
use crate::data::Rows;
use crate::data::image_file::{ImageFile, Invert};
use crate::data::prepare::fitted_data::FittedData;
use crate::data::table::Table;
use crate::data::table::encode::ColumnEncoding;
use crate::data::table::external_table::Truth;
use crate::data::table::form::{Form, ImageSize};
use crate::experiment::predict::array_rows::ArrayRows;
use crate::experiment::predict::external_rows::{self, ExternalRows};
use crate::experiment::predict::input_kind;
use crate::experiment::store::load_model::TrainedModel;
use crate::experiment::store::trial_data::{Part, TrialData};

/// Maximum number of values of a row without names that are shown.
const MOST_NUMBERS: usize = 32;

/// Whether the dark and light pixels of an image are swapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum InvertArg {
    Auto,
    Yes,
    No,
}

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

/// Returns a part of the data of the run, or one row of it.
///
/// # Errors
/// If there is no such part or row.
pub(super) fn input_from_part(data: &TrialData, part: Part, index: Option<usize>) -> anyhow::Result<Input> {
    let rows = eval::rows_of(data, part)?;
    match index {
        Some(index) => input_from_row(data, part, rows.len(), index),
        None => Ok(Input {
            features: rows.features.shallow_clone(),
            targets: Some(rows.targets.shallow_clone()),
            numbers: (0..rows.len()).collect(),
            kept: Vec::new(),
            heading: format!("{}: {} {} rows", data.name(), number_format::count(rows.len()), part.name()),
            origin: json!({ "data": data.name(), "rows": part.name() }),
            preview: None,
        }),
    }
}

/// Returns one of the `count` rows of a part of the data.
fn input_from_row(data: &TrialData, part: Part, count: usize, index: usize) -> anyhow::Result<Input> {
    let name = part.name();
    let last = count.saturating_sub(1);
    let (raw, Rows { features, targets, .. }) = data.row(part, index).ok_or_else(|| {
        let message = format!("there is no {name} row {index}: the run has {}", row_count(count));
        anyhow!(message).context(Hint(format!("rows are counted from 0: the last one is `--index {last}`")))
    })?;
    let shown = match &data.fitted.form {
        Form::Text(_) => &features, // with the ids of the vocabulary
        Form::Points | Form::Image(_) | Form::Table(_) => &raw.features,
    };
    Ok(Input {
        preview: preview(&data.fitted, shown),
        features,
        targets: Some(targets),
        numbers: vec![index],
        kept: Vec::new(),
        heading: format!(
            "{}: {name} row {} (of 0 to {})",
            data.name(),
            number_format::count(index),
            number_format::count(last)
        ),
        origin: json!({ "data": data.name(), "rows": name, "index": index }),
    })
}

/// Returns the rows of a user's table. Skips rows with missing values if training did.
pub(super) fn input_from_table(
    data: &FittedData,
    path: &Path,
    table: &Table,
    keep: &[String],
    unknown: UnknownArg,
) -> anyhow::Result<Input> {
    let ExternalRows { features, targets, rows } =
        external_rows::rows_of_table(data, path, table, Truth::Optional, unknown.policy())?;
    let shown = input_kind::shown(path);
    let skipped = table.rows() - rows.len();
    if skipped > 0 {
        let count = row_count(skipped);
        terminal::warn(&format!("{count} of {shown} skipped because of missing values, as in training"));
    }
    Ok(Input {
        features,
        targets,
        kept: kept_columns::read(keep, table, &rows, &shown)?,
        heading: format!("{shown}: {}", row_count(rows.len())),
        numbers: rows.iter().map(|row| row + 1).collect(),
        origin: json!({ "csv": path }),
        preview: None,
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
    Ok(Input {
        features: data.preprocessing.features(raw.shallow_clone(), "given")?,
        targets: arrays.targets(&saved.plan, data)?,
        numbers: (0..count).collect(),
        kept: Vec::new(),
        heading: format!("`{written}`: {}", row_count(count)),
        origin: json!({ "arrays": written }),
        preview: if count == 1 { preview(data, &raw) } else { None },
    })
}

/// Returns a text as a row.
///
/// # Errors
/// If the training data are not texts, or no token of the text is in the vocabulary.
pub(super) fn input_from_text(data: &FittedData, text: &str, unknown: UnknownArg) -> anyhow::Result<Input> {
    let features = external_rows::text(data, text, unknown.policy())?;
    Ok(Input {
        preview: preview(data, &features),
        features,
        targets: None,
        numbers: vec![0],
        kept: Vec::new(),
        heading: "the text, with `�` for unknown tokens:".to_owned(),
        origin: json!({ "text": text }),
    })
}

/// Returns an image file as a row: in grayscale, resized, and inverted if needed.
pub(super) fn input_from_image(
    saved: &TrainedModel,
    data: &FittedData,
    path: &Path,
    invert: Option<InvertArg>,
) -> anyhow::Result<Input> {
    let invert = to_invert(invert);
    let (image_file, raw, features) = external_rows::image(&saved.plan, data, path, invert)?;
    let heading = format!("`{}`: {}", path.display(), conversion(data, &image_file, invert));
    Ok(Input {
        features,
        targets: None,
        numbers: vec![0],
        kept: Vec::new(),
        heading,
        origin: json!({ "image": path, "width": image_file.from.0, "height": image_file.from.1,
            "padded": image_file.is_padded, "inverted": image_file.is_inverted }),
        preview: preview(data, &raw),
    })
}

/// Returns the image files of a directory as rows.
///
/// # Errors
/// If it has no images, or an image cannot be read.
pub(super) fn input_from_directory(
    saved: &TrainedModel,
    data: &FittedData,
    path: &Path,
    invert: Option<InvertArg>,
) -> anyhow::Result<Input> {
    let (names, features) = external_rows::image_directory(&saved.plan, data, path, to_invert(invert))?;
    let count = names.len();
    Ok(Input {
        features,
        targets: None,
        numbers: (0..count).collect(),
        heading: format!("`{}`: {} images", path.display(), number_format::count(count)),
        kept: vec![("file".to_owned(), names)],
        origin: json!({ "images": path }),
        preview: None,
    })
}

fn to_invert(invert: Option<InvertArg>) -> Invert {
    match invert {
        None | Some(InvertArg::Auto) => Invert::Auto,
        Some(InvertArg::Yes) => Invert::Yes,
        Some(InvertArg::No) => Invert::No,
    }
}

/// Returns how an image file was converted, as text.
fn conversion(data: &FittedData, image_file: &ImageFile, invert: Invert) -> String {
    let (height, width) = match (&data.form, data.info.sample.dimensions()) {
        (Form::Image(size), _) => (size.height, size.width),
        (_, &[.., height, width]) => (height as usize, width as usize),
        _ => unreachable!("image files are only read for image data"),
    };
    let (from_width, from_height) = image_file.from;
    let resized = match (image_file.from == (width as u32, height as u32), image_file.is_padded) {
        (true, _) => format!("{width}×{height} pixels"),
        (false, false) => format!("resized from {from_width}×{from_height} to {width}×{height}"),
        (false, true) => format!("resized from {from_width}×{from_height} to {width}×{height}, padded at two sides"),
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
            Some(TextStyle::of_output().wrapped(&columns.join(", "), 0))
        }
        Form::Text(form) => {
            let ids: Vec<i64> = values.iter().map(|&id| id as i64).collect();
            Some(TextStyle::of_output().wrapped(&form.text(&ids), 0))
        }
        Form::Points => {
            // the shortest text of the f32
            let numbers: Vec<String> =
                values.iter().take(MOST_NUMBERS).map(|value| (*value as f32).to_string()).collect();
            let more = match values.len().saturating_sub(MOST_NUMBERS) {
                0 => String::new(),
                more => format!(", … ({} more)", number_format::count(more)),
            };
            Some(TextStyle::of_output().wrapped(&format!("{}{more}", numbers.join(", ")), 0))
        }
    }
}
