//! Rows of the user's arrays for a trained network: features of the same shape and type, and targets if they are known.

use std::path::Path;

use anyhow::anyhow;
use tch::Tensor;

use crate::config::hint::{Hint, with_hint};
use crate::data::arrays::array_file::is_array_file;
use crate::data::arrays::layout::Channels;
use crate::data::arrays::new_rows::{NewArray, NewRows};
use crate::data::arrays::settings::Arrays;
use crate::data::arrays::targets::{ArrayTargets, TargetArray};
use crate::data::prepare::fitted_data::FittedData;
use crate::data::prepare::scale::Scale;
use crate::data::rows::Rows;
use crate::data::source::Source;
use crate::data::table::form::Form;
use crate::data::target::Target;
use crate::experiment::plan::Plan;
use crate::experiment::predict::input_kind::{own_input, size_text, wrong_kind};

/// Rows of the user's arrays, as they are in the file.
#[derive(Debug)]
pub struct ArrayRows(NewRows);

/// Returns whether a name is that of a file of arrays, or of a `.npy` file of features and one of targets.
pub fn are_array_files(written: &str) -> bool {
    written.split(',').all(|path| is_array_file(Path::new(path.trim())))
}

/// Returns whether rows of a file are arrays: by the name, or because the run was trained on arrays.
pub fn are_arrays(plan: &Plan, written: &str) -> bool {
    own_arrays(plan).is_some() || are_array_files(written)
}

/// Returns the settings of the run's own arrays.
fn own_arrays(plan: &Plan) -> Option<&Arrays> {
    match &plan.spec.data.source {
        Source::Arrays(settings) => Some(settings),
        _ => None,
    }
}

impl ArrayRows {
    /// Reads the arrays of a file, or of a `.npy` file of features and one of targets.
    ///
    /// # Errors
    /// When the run was trained on a table or on texts, or a file cannot be read or has no features.
    pub fn read(plan: &Plan, data: &FittedData, written: &str) -> anyhow::Result<ArrayRows> {
        if matches!(data.form, Form::Table(_) | Form::Text(_)) {
            return Err(wrong_kind(data, "read arrays", own_input(data)));
        }
        NewRows::read(written, own_arrays(plan)).map(ArrayRows)
    }

    /// Returns the features before preprocessing, `[rows, …sample]`, u8 or f32.
    ///
    /// # Errors
    /// When they do not have the shape, the type or the range of the run's own.
    pub fn features(&self, plan: &Plan, data: &FittedData) -> anyhow::Result<Tensor> {
        let x = &self.0.x;
        let features = fit_shape(x, plan, data).ok_or_else(|| shape_error(x, plan, data))?;
        check_type(x, plan, data)?;
        Ok(features)
    }

    /// Returns the targets as in [`Rows`], if the file has them.
    ///
    /// # Errors
    /// When one is not among the targets of the run.
    pub fn targets(&self, plan: &Plan, data: &FittedData) -> anyhow::Result<Option<Tensor>> {
        let Some(y) = &self.0.y else { return Ok(None) };
        let own = own_arrays(plan);
        if own.is_none() && y.values.width == 1 && !matches!(data.info.target, Target::Values(_)) {
            return labels(y, plan, data).map(Some);
        }
        let targets =
            ArrayTargets::of_model(plan.info.target, &data.classes, own.is_none_or(|own| own.classes.is_some()));
        let tensor = targets.tensor("y", &y.values);
        Ok(Some(tensor.map_err(|fault| with_hint(anyhow!("{} {}", y.shown, fault.message), fault.hint))?))
    }

    /// Returns preprocessed rows with their targets.
    ///
    /// # Errors
    /// As for [`ArrayRows::features`] and [`ArrayRows::targets`], and when the file has no targets.
    pub fn with_targets(&self, plan: &Plan, data: &FittedData, written: &str) -> anyhow::Result<Rows> {
        let features = self.features(plan, data)?;
        let targets = self.targets(plan, data)?.ok_or_else(|| {
            let hint = match written.to_lowercase().ends_with(".npy") {
                true => format!("add their file: `runner eval RUN {written},y.npy`"),
                false => "save the targets, too: `numpy.savez(\"new.npz\", x=x, y=y)`".to_owned(),
            };
            let hint = format!("{hint}; without targets, use `runner predict RUN {written}`");
            anyhow!("`{written}` has no targets (`y`)").context(Hint(hint))
        })?;
        data.preprocessing.apply(Rows::new(features, targets), "given")
    }
}

/// Returns the targets of class numbers, for images that are not the user's arrays.
fn labels(y: &NewArray<TargetArray>, plan: &Plan, data: &FittedData) -> anyhow::Result<Tensor> {
    let count_from_0 = || Hint("count classes from 0".to_owned());
    let numbers = y.values.integers().map_err(|row| {
        anyhow!("{} has a fraction in row {row}, but classes are integers", y.shown).context(count_from_0())
    })?;
    if let Some(row) = numbers.iter().position(|&number| number < 0) {
        let message =
            format!("{} has the class {} in row {row}, which is not a class of the run", y.shown, numbers[row]);
        return Err(anyhow!(message).context(count_from_0()));
    }
    plan.spec.data.targets_of_classes(&Tensor::from_slice(&numbers), data.classes.len()).map_err(|class| {
        anyhow!("{} has the class {class}, which is not a class of the run", y.shown).context(count_from_0())
    })
}

/// Returns features with the shape of the run's rows. Channels and images are put into their order, and dimensions of
/// length 1 do not matter; `None` if the shape is another one.
fn fit_shape(x: &NewArray<Tensor>, plan: &Plan, data: &FittedData) -> Option<Tensor> {
    let sample = plan.info.sample.dimensions();
    let row = x.shape.get(1..).unwrap_or_default();
    let shape: Vec<i64> = x.shape.iter().take(1).chain(sample).copied().collect();
    let is_own_last = own_arrays(plan).is_some_and(|own| own.channels == Some(Channels::Last));
    let is_last =
        matches!((row, sample), ([h, w, c], [channels, height, width]) if [c, h, w] == [channels, height, width]);
    let is_image_file = matches!(plan.spec.data.source, Source::Images(_));
    if is_last && (is_own_last || is_image_file && row != sample) {
        return Some(x.values.permute([0, 3, 1, 2]).contiguous());
    }
    let long = |dimensions: &[i64]| dimensions.iter().copied().filter(|&length| length > 1).collect::<Vec<_>>();
    let is_flat_image = match &data.form {
        Form::Image(size) => {
            let image = [size.height as i64, size.width as i64];
            let is_image = |dimensions: &[i64]| long(dimensions) == long(&image);
            let is_flat = |dimensions: &[i64]| dimensions == [image[0] * image[1]];
            (is_image(row) || is_flat(row)) && (is_image(sample) || is_flat(sample))
        }
        Form::Points | Form::Table(_) | Form::Text(_) => false,
    };
    (long(row) == long(sample) || is_flat_image).then(|| x.values.view(&shape[..]))
}

/// Returns the error of features with another shape.
fn shape_error(x: &NewArray<Tensor>, plan: &Plan, data: &FittedData) -> anyhow::Error {
    let sample = &plan.info.sample;
    let (row, wanted) = (x.shape.get(1..).unwrap_or_default(), sample.dimensions());
    let by = |lengths: &[i64]| lengths.iter().map(i64::to_string).collect::<Vec<_>>().join("×");
    let found = if row.is_empty() { "1".to_owned() } else { by(row) };
    let (takes, own) = match &data.form {
        Form::Image(size) => (format!("images of {}", size_text(*size)), vec![size.height as i64, size.width as i64]),
        Form::Points | Form::Table(_) | Form::Text(_) => (sample.to_string(), wanted.to_vec()),
    };
    let hint = match (row, wanted) {
        _ if x.shape == wanted || x.shape == own => {
            "`x[None]` adds the dimension of the rows to a single one".to_owned()
        }
        ([h, w, c], [channels, height, width]) if [c, h, w] == [channels, height, width] => {
            "put the channels first: `x.transpose(0, 3, 1, 2)`".to_owned()
        }
        _ => format!("save `x` with the shape (rows, {})", by(&own).replace('×', ", ")),
    };
    anyhow!("{} has rows of the shape {found}, but the network takes {takes}", x.shown).context(Hint(hint))
}

/// Checks that features are bytes exactly if those of the run are, with the same largest value: `scale = "unit"` divides
/// bytes by it, and other numbers of the same rows would have another range.
fn check_type(x: &NewArray<Tensor>, plan: &Plan, data: &FittedData) -> anyhow::Result<()> {
    let of_older_run = (plan.spec.data.scale() == Scale::Unit).then_some(true);
    let Some(has_bytes) = data.has_bytes.or(of_older_run) else { return Ok(()) };
    let is_same = match x.element.largest_byte() {
        None => !has_bytes,
        Some(1) => has_bytes && data.largest == 1.0,
        Some(_) => has_bytes && data.largest > 1.0,
    };
    let found = x.values.max().double_value(&[]);
    if is_same && has_bytes && found > data.largest {
        let message = format!("{} has values up to {found}, but those of the run are 0 to {}", x.shown, data.largest);
        let hint = "scale the values to the range that the run was trained on";
        return Err(anyhow!(message).context(Hint(hint.to_owned())));
    }
    if is_same {
        return Ok(());
    }
    let own = match (own_arrays(plan), has_bytes) {
        (Some(_), true) if data.largest == 1.0 => "the run's own `x` has the type bool".to_owned(),
        (Some(_), true) => "the run's own `x` has the type uint8".to_owned(),
        (Some(_), false) => "the run's own `x` does not have bytes".to_owned(),
        (None, true) => format!("the run's own rows have the type uint8 (0 to {})", data.largest),
        (None, false) => "the run's own rows are not bytes".to_owned(),
    };
    let hint = match has_bytes {
        true if data.largest == 1.0 => "store it as `x.astype(\"bool\")`".to_owned(),
        true if x.element.is_float() && found <= 1.0 => {
            format!("store it as `(x * {}).round().astype(\"uint8\")`", data.largest)
        }
        true => format!("store values from 0 to {} as `x.astype(\"uint8\")`", data.largest),
        false => "store `x` with the type and the range of values that the run was trained on".to_owned(),
    };
    Err(anyhow!("{} has the type {}, but {own}", x.shown, x.element.name()).context(Hint(hint)))
}
