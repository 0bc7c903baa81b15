//! Rows of a file of the user's own, for a network that was trained on others: a table with the same columns, or a pair
//! of files with images of the same size and their labels.

use std::path::Path;

use anyhow::anyhow;
use tch::Tensor;

use crate::config::hint::{Hint, told};
use crate::data::Rows;
use crate::data::image_file::{self, ImageFile, Invert};
use crate::data::prepare::fitted_data::FittedData;
use crate::data::source::csv;
use crate::data::source::idx_files::Pair;
use crate::data::table::Table;
use crate::data::table::csv_text::TableFault;
use crate::data::table::external_table::{ExternalTable, Truth};
use crate::data::table::form::{Form, ImageSize};
use crate::experiment::plan::Plan;
use crate::io::separator;

/// A table of the same form, and its rows as the network takes them.
#[derive(Debug)]
pub struct ExternalRows {
    /// The table.
    pub table: Table,
    /// `[rows, …sample]` f32.
    pub features: Tensor,
    /// What is known to be true of them, as in [`ExternalTable`].
    pub targets: Option<Tensor>,
    /// The number of each row in the table.
    pub rows: Vec<usize>,
}

/// Rows of a file, or of a pair of files, with their targets; and how many rows were left out for missing values.
///
/// # Errors
/// When the file is of another form than the data that the network was trained on.
pub fn rows(plan: &Plan, data: &FittedData, written: &str) -> anyhow::Result<(Rows, usize)> {
    match &data.form {
        Form::Points => Err(no_rows_of_ones_own(data)),
        Form::Table(_) => {
            let ExternalRows { table, features, targets, rows } = table(data, Path::new(written), Truth::Required)?;
            let left_out = table.rows() - rows.len();
            Ok((Rows::new(features, targets.expect("they are required")), left_out))
        }
        Form::Image(size) => Ok((images(plan, data, *size, written)?, 0)),
    }
}

/// A table with the columns of the data that the network was trained on.
///
/// # Errors
/// When these are no table, or the file is of another form.
pub fn table(data: &FittedData, path: &Path, truth: Truth) -> anyhow::Result<ExternalRows> {
    let form = match &data.form {
        Form::Table(form) => form,
        Form::Points => return Err(no_rows_of_ones_own(data)),
        Form::Image(size) => {
            let message = format!("`{}` holds images of {}, and no table", data.name, shown(*size));
            return Err(anyhow!(message).context(Hint("`--image` takes a picture".to_owned())));
        }
    };
    let fault = |fault: TableFault| {
        let hint = fault.hint.map(|hint| match hint.split_once(" Then say") {
            Some((question, _)) => {
                format!("{question} The run's own table is separated by `{}`", separator::shown(form.reading.separator))
            }
            None => hint,
        });
        of_file(path, TableFault { hint, ..fault })
    };
    let (table, _) = csv::read(path, &form.reading).map_err(fault)?;
    let ExternalTable { features, targets, rows } = form.read(&table, &data.classes, truth).map_err(fault)?;
    let features = data.preprocessing.features(features, &format!("`{}`", path.display()))?;
    Ok(ExternalRows { table, features, targets, rows })
}

/// A picture as the network takes images: read, and `[1, …sample]` f32 raw and prepared.
///
/// # Errors
/// When the data are no images, or the file is no picture.
pub fn picture(
    plan: &Plan,
    data: &FittedData,
    path: &Path,
    invert: Invert,
) -> anyhow::Result<(ImageFile, Tensor, Tensor)> {
    let Form::Image(size) = data.form else {
        let hint = match data.form {
            Form::Table(_) => "`--csv` takes a table",
            Form::Points | Form::Image(_) => "`--index` names a row",
        };
        return Err(anyhow!("`{}` holds no images", data.name).context(Hint(hint.to_owned())));
    };
    let picture =
        image_file::read(path, size, invert, data.is_light_on_dark()).map_err(|fault| of_file(path, fault))?;
    let largest = data.largest;
    let values: Vec<f32> =
        picture.pixels.iter().map(|&grey| (f64::from(grey) / 255.0 * largest).round() as f32).collect();
    let raw = Tensor::from_slice(&values).view(&sample(plan, 1)[..]);
    let features = data.preprocessing.features(raw.shallow_clone(), "given")?;
    Ok((picture, raw, features))
}

/// A size in words.
pub fn shown(ImageSize { height, width }: ImageSize) -> String {
    format!("{width}×{height} pixels")
}

fn images(plan: &Plan, data: &FittedData, size: ImageSize, written: &str) -> anyhow::Result<Rows> {
    let Some((images, labels)) = written.split_once(',') else {
        let hint = "name both files: `--data images-idx3-ubyte,labels-idx1-ubyte`";
        return Err(anyhow!("images need labels: `{written}` is one file").context(Hint(hint.to_owned())));
    };
    let pair = Pair::read(("--data", images.trim()), ("--data", labels.trim())).map_err(told)?;
    if pair.size() != size {
        return Err(anyhow!(
            "`{images}` holds images of {}, and the network takes {}",
            shown(pair.size()),
            shown(size)
        ));
    }
    let Rows { features, targets, .. } = pair.rows(&plan.card.sample);
    let targets = plan.spec.data.targets_of_classes(&targets, data.classes.len()).map_err(|class| {
        anyhow!("`{labels}` holds the label {class}, which is no class of the run")
            .context(Hint("classes are counted from 0".to_owned()))
    })?;
    data.preprocessing.apply(Rows::new(features, targets), "given")
}

/// A fault of a file, with its hint.
fn of_file(path: &Path, fault: TableFault) -> anyhow::Error {
    let error = anyhow!("`{}` {}", path.display(), fault.message);
    match fault.hint {
        Some(hint) => error.context(Hint(hint)),
        None => error,
    }
}

/// The shape of so many rows.
fn sample(plan: &Plan, rows: i64) -> Vec<i64> {
    std::iter::once(rows).chain(plan.card.sample.dimensions().iter().copied()).collect()
}

fn no_rows_of_ones_own(data: &FittedData) -> anyhow::Error {
    let hint = "its rows are named as `train`, `validation` or `test`";
    anyhow!("`{}` takes no rows from a file", data.name).context(Hint(hint.to_owned()))
}
