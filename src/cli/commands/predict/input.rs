//! The rows that are predicted: of the data, of a table or of a picture.

use std::path::Path;

use anyhow::anyhow;
use clap::ValueEnum;
use serde_json::{Value, json};
use tch::{Kind, Tensor};

use crate::cli::commands::eval;
use crate::cli::commands::eval::evaluated::count as count_text;
use crate::cli::text::page::Page;
use crate::cli::text::{image, number_format, terminal};
use crate::config::hint::Hint;
use crate::data::Rows;
use crate::data::image_file::{ImageFile, Invert};
use crate::data::prepare::fitted_data::FittedData;
use crate::data::table::encode::Planned;
use crate::data::table::external_table::Truth;
use crate::data::table::form::{Form, ImageSize};
use crate::experiment::predict::external_rows::{self, ExternalRows};
use crate::experiment::store::load_model::Saved;
use crate::experiment::store::trial_data::{Part, TrialData};

/// Whether a picture's dark and light are exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum WrittenInvert {
    Auto,
    Yes,
    No,
}

/// Rows as the network takes them, and what is to be told of them.
pub(super) struct Input {
    /// `[rows, …sample]` f32.
    pub(super) features: Tensor,
    pub(super) targets: Option<Tensor>,
    /// What each row is called.
    pub(super) numbers: Vec<usize>,
    /// Where they come from, for people.
    pub(super) heading: String,
    /// The same for programs.
    pub(super) origin: Value,
    /// What a lone row looks like.
    pub(super) look: Option<String>,
}

/// A row of the data.
pub(super) fn of_index(data: &TrialData, part: Part, index: usize) -> anyhow::Result<Input> {
    let (name, count) = (part.name(), eval::rows_of(data, part, "--rows")?.len());
    let last = count.saturating_sub(1);
    let (raw, Rows { features, targets, .. }) = data.row(part, index).ok_or_else(|| {
        let message = format!("there is no {name} row {index}: the run has {}", count_text(count));
        anyhow!(message).context(Hint(format!("they are counted from 0: the last one is `--index {last}`")))
    })?;
    Ok(Input {
        features,
        targets: Some(targets),
        numbers: vec![index],
        heading: format!(
            "{}: {name} row {} (of 0 to {})",
            data.name(),
            number_format::count(index),
            number_format::count(last)
        ),
        origin: json!({ "data": data.name(), "rows": name, "index": index }),
        look: look(&data.fitted, &raw.features),
    })
}

/// Each row of a table.
pub(super) fn of_table(data: &FittedData, path: &Path) -> anyhow::Result<Input> {
    let ExternalRows { table, features, targets, rows } = external_rows::table(data, path, Truth::WhereThere)?;
    let left_out = table.rows() - rows.len();
    if left_out > 0 {
        let count = count_text(left_out);
        terminal::warn(&format!("{count} of `{}` left out, as in training: values are missing", path.display()));
    }
    Ok(Input {
        features,
        targets,
        heading: format!("`{}`: {}", path.display(), count_text(rows.len())),
        numbers: rows.iter().map(|row| row + 1).collect(),
        origin: json!({ "csv": path }),
        look: None,
    })
}

/// A picture.
pub(super) fn of_picture(
    saved: &Saved,
    data: &FittedData,
    path: &Path,
    invert: Option<WrittenInvert>,
) -> anyhow::Result<Input> {
    let invert = match invert {
        None | Some(WrittenInvert::Auto) => Invert::Auto,
        Some(WrittenInvert::Yes) => Invert::Yes,
        Some(WrittenInvert::No) => Invert::No,
    };
    let (picture, raw, features) = external_rows::picture(&saved.plan, data, path, invert)?;
    let heading = format!("`{}`: {}", path.display(), what_was_done(data, &picture, invert));
    Ok(Input {
        features,
        targets: None,
        numbers: vec![0],
        heading,
        origin: json!({ "image": path, "width": picture.from.0, "height": picture.from.1,
            "padded": picture.is_padded, "inverted": picture.is_inverted }),
        look: look(data, &raw),
    })
}

/// What a picture was made into, in a line.
fn what_was_done(data: &FittedData, picture: &ImageFile, invert: Invert) -> String {
    let Form::Image(size) = data.form else { unreachable!("a picture was read for images") };
    let ImageSize { height, width } = size;
    let (from_width, from_height) = picture.from;
    let fitted = match (picture.from == (width as u32, height as u32), picture.is_padded) {
        (true, _) => format!("{width}×{height} pixels"),
        (false, false) => format!("resized from {from_width}×{from_height} to {width}×{height}"),
        (false, true) => format!("resized from {from_width}×{from_height} to {width}×{height}, with room at two sides"),
    };
    let [own, other] = match data.is_light_on_dark() {
        true => ["light on dark", "dark on light"],
        false => ["dark on light", "light on dark"],
    };
    let turned = match (picture.is_inverted, invert) {
        (true, Invert::Auto) => format!(", inverted ({other}, and `{}` is {own})", data.name),
        (true, _) => ", inverted".to_owned(),
        (false, _) => String::new(),
    };
    format!("{fitted}{turned}")
}

/// What a row looks like: an image drawn, or the columns of a table; `raw` is `[1, …]` as the source gives it.
fn look(data: &FittedData, raw: &Tensor) -> Option<String> {
    let values = Vec::<f64>::try_from(raw.to_kind(Kind::Double).flatten(0, -1)).expect("just made f64");
    match &data.form {
        Form::Image(size) => {
            let pixels: Vec<f64> = values.iter().map(|value| value / data.largest).collect();
            Some(image::drawn(&pixels, *size, terminal::greys(), terminal::width().min(80)))
        }
        Form::Table(form) => {
            let column = |(planned, value): (&Planned, &f64)| {
                let text = match planned.categories() {
                    _ if value.is_nan() => "missing".to_owned(),
                    [] => value.to_string(),
                    categories => categories[*value as usize].clone(),
                };
                format!("{} {text}", planned.name)
            };
            let columns: Vec<String> = form.encoding.columns.iter().zip(&values).map(column).collect();
            Some(Page::of_output().wrapped(&columns.join(", "), 0))
        }
        Form::Points => Some(values.iter().map(f64::to_string).collect::<Vec<_>>().join(", ")),
    }
}
