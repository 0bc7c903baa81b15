//! Rows of a user's file for a trained network: a table with the same columns, or images of the same size with their
//! labels.

use std::path::Path;

use anyhow::anyhow;
use tch::Tensor;

use crate::config::check::Invalid;
use crate::config::hint::{Hint, into_error, with_hint};
use crate::data::Rows;
use crate::data::file_error::FileError;
use crate::data::image_file::{self, ImageFile, Invert};
use crate::data::images::convert;
use crate::data::images::image_set::ImageSet;
use crate::data::images::listing::images_in;
use crate::data::images::settings::{ColorMode, Images, PixelFormat, Resize};
use crate::data::prepare::fitted_data::FittedData;
use crate::data::source::Source;
use crate::data::source::idx_files::LabeledImages;
use crate::data::store::cache::Cache;
use crate::data::store::user_file;
use crate::data::table::Table;
use crate::data::table::encode::Missing;
use crate::data::table::external_table::{ExternalTable, Truth, Unknown};
use crate::data::table::field_format::TextColumns;
use crate::data::table::form::{Form, ImageSize, TableForm, TextForm};
use crate::data::table::recognize::missing::not_filled_in;
use crate::data::text::text_file;
use crate::experiment::plan::Plan;
use crate::experiment::predict::array_rows::{self, ArrayRows};
use crate::experiment::predict::input_kind::{STDIN, own_input, shown, size_text, wrong_kind};
use crate::io::separator;

/// Rows of a table as network input.
#[derive(Debug)]
pub struct ExternalRows {
    /// `[rows, …sample]` f32.
    pub features: Tensor,
    /// Targets, if known, as in [`ExternalTable`].
    pub targets: Option<Tensor>,
    /// Index of each row in the table.
    pub rows: Vec<usize>,
}

/// Reads rows with targets from a table, a file of arrays, a directory of images or a pair of IDX files. Also returns the number of rows that were left out
/// because of missing values. `unknown` is what to do with categories that the training table does not have.
///
/// # Errors
/// When the file does not have the columns or size of the training data.
pub fn rows(plan: &Plan, data: &FittedData, written: &str, unknown: Unknown) -> anyhow::Result<(Rows, usize)> {
    if array_rows::are_arrays(plan, written) {
        return Ok((ArrayRows::read(plan, data, written)?.with_targets(plan, data, written)?, 0));
    }
    if let Source::Images(settings) = &plan.spec.data.source {
        return Ok((read_image_files(data, settings, written)?, 0));
    }
    match &data.form {
        Form::Points => Err(wrong_kind(data, "evaluate rows of a file", "evaluate its own rows: `test`")),
        Form::Table(_) | Form::Text(_) => {
            let path = Path::new(written);
            let table = read_table(data, path, None, &[])?;
            let ExternalRows { features, targets, rows } = rows_of_table(data, path, &table, Truth::Required, unknown)?;
            let left_out = table.rows() - rows.len();
            Ok((Rows::new(features, targets.expect("they are required")), left_out))
        }
        Form::Image(size) => Ok((read_images(plan, data, *size, written)?, 0)),
    }
}

/// Reads a table for a network that was trained on a table. `-` is stdin. `separator` replaces that of the run's own
/// table; the columns `keep` are read as text, unless the network uses them.
///
/// # Errors
/// When the training data are not a table, or the file cannot be read.
pub fn read_table(data: &FittedData, path: &Path, separator: Option<char>, keep: &[String]) -> anyhow::Result<Table> {
    let form = table_form(data)?;
    let mut reading = form.reading.clone();
    reading.separator = separator.unwrap_or(reading.separator);
    if let TextColumns::Named(names) = &mut reading.text {
        let is_text = |name: &String| matches!(&data.form, Form::Text(form) if form.text == *name);
        let is_used = |name: &&String| {
            is_text(name)
                || form.target.names.contains(*name)
                || form.encoding.columns.iter().any(|column| column.name == **name)
        };
        names.extend(keep.iter().filter(|name| !is_used(name)).cloned());
    }
    let file = if path == Path::new(STDIN) { Path::new("/dev/stdin") } else { path };
    let mut wanted: Vec<String> = form.encoding.columns.iter().map(|column| column.name.clone()).collect();
    if let Form::Text(form) = &data.form {
        wanted.push(form.text.clone());
    }
    wanted.extend(form.target.names.iter().chain(keep).cloned());
    let table = text_file::read(file, &reading, Some(&wanted)).map_err(|fault| {
        let hint = fault.hint.map(|hint| match hint.split_once(" Then write") {
            Some((question, _)) => {
                let own = separator::shown(form.reading.separator);
                format!("{question} Use `--separator`; the run's own table is separated by `{own}`")
            }
            None => hint,
        });
        file_error(path, FileError { hint, ..fault })
    })?;
    Ok(table.0)
}

/// Returns the rows of a table with the columns of the training data.
///
/// # Errors
/// When the table has other columns or values.
pub fn rows_of_table(
    data: &FittedData,
    path: &Path,
    table: &Table,
    truth: Truth,
    unknown: Unknown,
) -> anyhow::Result<ExternalRows> {
    let read = table_form(data)?.read(table, &data.classes, truth, unknown);
    let ExternalTable { mut features, targets, rows } = read.map_err(|fault| file_error(path, fault))?;
    if let Form::Text(form) = &data.form {
        features = form.read(table, unknown).map_err(|fault| file_error(path, fault))?;
    }
    let features = data.preprocessing.features(features, &shown(path))?;
    Ok(ExternalRows { features, targets, rows })
}

/// Returns why rows of a table with targets are left out, as it follows "skipped 2 of 9 rows of FILE".
///
/// # Errors
/// When the training data are not a table.
pub fn why_left_out(data: &FittedData) -> anyhow::Result<String> {
    let form = table_form(data)?;
    Ok(match form.encoding.missing {
        Missing::Error | Missing::Drop => " because of missing values, as in training".to_owned(),
        Missing::Mean | Missing::MostFrequent => {
            let targets: Vec<&str> = form.target.names.iter().map(String::as_str).collect();
            format!(": {}", not_filled_in(&targets))
        }
    })
}

/// Returns the form of the training data.
///
/// # Errors
/// When they are not a table.
fn table_form(data: &FittedData) -> anyhow::Result<&TableForm> {
    match &data.form {
        Form::Table(form) => Ok(form),
        Form::Text(form) => Ok(&form.table),
        Form::Points | Form::Image(_) => Err(wrong_kind(data, "predict a table", own_input(data))),
    }
}

/// Reads the images of a directory with a directory for each class, or of a CSV file with their paths and labels.
fn read_image_files(data: &FittedData, settings: &Images, written: &str) -> anyhow::Result<Rows> {
    let settings = Images { path: written.to_owned(), validation: None, test: None, root: None, ..settings.clone() };
    let to_error = |fault: Invalid| {
        let error = match fault.message.strip_prefix("cannot be used: ") {
            Some(message) => anyhow!("{message}"), // which names the file
            None => anyhow!("`{written}` {}", fault.message),
        };
        with_hint(error, user_file::hint_on_command_line(fault.hint))
    };
    let images = ImageSet::of_model(&settings, &data.classes).map_err(to_error)?;
    let [rows, ..] = images.rows(&Cache::for_user(), &mut |_, _| ()).map_err(to_error)?.rows;
    data.preprocessing.apply(rows.expect("the images are training images"), "given")
}

/// Reads the images of a directory as network input. Returns their file names and `[images, …sample]` f32.
///
/// # Errors
/// As for [`image()`], and when the directory has no images.
pub fn image_directory(
    plan: &Plan,
    data: &FittedData,
    directory: &Path,
    invert: Invert,
) -> anyhow::Result<(Vec<String>, Tensor)> {
    let names = images_in(directory).map_err(|fault| file_error(directory, fault))?;
    let features = names.iter().map(|name| Ok(image(plan, data, &directory.join(name), invert)?.2));
    let features = features.collect::<anyhow::Result<Vec<_>>>()?;
    Ok((names, Tensor::cat(&features, 0)))
}

/// Returns a text as network input, `[1, length]` f32.
///
/// # Errors
/// When the training data are not texts, or the text has no token of the vocabulary and `unknown` does not allow it.
pub fn text(data: &FittedData, text: &str, unknown: Unknown) -> anyhow::Result<Tensor> {
    let Form::Text(form) = &data.form else { return Err(wrong_kind(data, "predict a text", own_input(data))) };
    let ids = form.ids(std::iter::once(text));
    if unknown != Unknown::Ignore && !TextForm::has_known(&ids.get(0)) {
        let hint = Hint("use `--unknown ignore` to predict it nevertheless".to_owned());
        return Err(anyhow!("the text has no token of the vocabulary: `{text}`").context(hint));
    }
    data.preprocessing.features(ids, "given")
}

/// Reads an image file as network input; returns the image and `[1, …sample]` f32, raw and preprocessed.
///
/// # Errors
/// When the training data are not images, or the file is not an image.
pub fn image(
    plan: &Plan,
    data: &FittedData,
    path: &Path,
    invert: Invert,
) -> anyhow::Result<(ImageFile, Tensor, Tensor)> {
    let format = match &plan.spec.data.source {
        Source::Images(settings) => Some(settings.pixel_format(None).map_err(into_error)?),
        _ => data.color_image_size().map(|size| PixelFormat { size, colors: ColorMode::Rgb, resize: Resize::Crop }),
    };
    let (image, raw) = if let Some(format) = format {
        let image = convert::read(path, &format, invert == Invert::Yes).map_err(|fault| file_error(path, fault))?;
        let raw = Tensor::from_slice(&image.pixels);
        (image, raw)
    } else {
        let Form::Image(size) = data.form else { return Err(wrong_kind(data, "predict an image", own_input(data))) };
        if let Some(smallest) = data.smallest {
            let message =
                format!("cannot convert an image: the run's own images have values below 0, such as {smallest:.4}");
            let hint = "select a row of the data with `--index`, or store the images of the experiment as bytes (0 to 255) \
                        and set `scale`, so that images are scaled like its own rows";
            return Err(anyhow!(message).context(Hint(hint.to_owned())));
        }
        let image =
            image_file::read(path, size, invert, data.is_light_on_dark()).map_err(|fault| file_error(path, fault))?;
        let value = |&grey: &u8| {
            let value = f64::from(grey) / 255.0 * data.largest;
            if data.has_bytes == Some(false) { value as f32 } else { value.round() as f32 }
        };
        let values: Vec<f32> = image.pixels.iter().map(value).collect();
        (image, Tensor::from_slice(&values))
    };
    let raw = raw.view(&batch_shape(plan, 1)[..]);
    let features = data.preprocessing.features(raw.shallow_clone(), "given")?;
    Ok((image, raw, features))
}

fn read_images(plan: &Plan, data: &FittedData, size: ImageSize, written: &str) -> anyhow::Result<Rows> {
    let Some((images, labels)) = written.split_once(',') else {
        let hint = "name two files in the IDX format, images and labels: `runner eval RUN \
                    images-idx3-ubyte,labels-idx1-ubyte`";
        if !Path::new(written).exists() {
            return Err(anyhow!("`{written}` does not exist").context(Hint(format!("check the path, or {hint}"))));
        }
        return Err(wrong_kind(data, &format!("be evaluated on the single file `{written}`"), hint));
    };
    let to_error = |fault: Invalid| {
        let message = match fault.message.strip_prefix("cannot be used: ") {
            Some(message) => message.to_owned(), // which names the file
            None => format!("`{written}`: {}", fault.message),
        };
        with_hint(anyhow!(message), user_file::hint_on_command_line(fault.hint))
    };
    let pair = LabeledImages::read(("images", images.trim()), ("labels", labels.trim())).map_err(to_error)?;
    if pair.size() != size {
        return Err(anyhow!(
            "`{images}` contains images of {}, but the network takes {}",
            size_text(pair.size()),
            size_text(size)
        ));
    }
    let Rows { features, targets, .. } = pair.rows(&plan.info.sample);
    let targets = plan.spec.data.targets_of_classes(&targets, data.classes.len()).map_err(|class| {
        anyhow!("`{labels}` contains the label {class}, which is not a class of the run")
            .context(Hint("count classes from 0".to_owned()))
    })?;
    data.preprocessing.apply(Rows::new(features, targets), "given")
}

/// Returns an error about a file, with its hint.
fn file_error(path: &Path, fault: FileError) -> anyhow::Error {
    user_file::file_error(&shown(path), fault)
}

/// Shape of a tensor with this number of rows.
fn batch_shape(plan: &Plan, rows: i64) -> Vec<i64> {
    std::iter::once(rows).chain(plan.info.sample.dimensions().iter().copied()).collect()
}
