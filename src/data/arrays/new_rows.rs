//! Arrays of new rows for a trained model: features, and targets if they are known.

use std::path::Path;

use anyhow::anyhow;
use tch::Tensor;

use crate::config::hint::{Hint, with_hint};
use crate::data::arrays::array_file::{ArrayFile, listed};
use crate::data::arrays::element::Element;
use crate::data::arrays::npy_header::ArrayHeader;
use crate::data::arrays::settings::{Arrays, NAMES, is_file};
use crate::data::arrays::targets::TargetArray;
use crate::data::file_error::FileError;

/// Places of training, test and validation features in [`NAMES`], in the order in which new rows are looked up.
const PLACES: [usize; 3] = [0, 4, 2];

const SAVE: &str = "save the features as `x`: `numpy.savez(\"new.npz\", x=x)`";

/// Features and targets of new rows, with the shape and type of the file.
#[derive(Debug)]
pub struct NewRows {
    /// Features.
    pub x: NewArray<Tensor>,
    /// Targets, if the file has them.
    pub y: Option<NewArray<TargetArray>>,
}

/// An array with its names.
#[derive(Debug)]
pub struct NewArray<T> {
    /// File and name in messages, such as ``in `new.npz`, array `x` ``.
    pub shown: String,
    /// Values.
    pub values: T,
    /// Shape.
    pub shape: Vec<i64>,
    /// Type of the values.
    pub element: Element,
}

/// Place of an array in an open file.
struct Place<'a> {
    path: &'a str,
    file: ArrayFile,
    name: String,
}

impl NewRows {
    /// Reads the arrays of a file, or of a `.npy` file of features and one of targets: `x.npy,y.npy`. `own` are the settings
    /// of the run's own arrays, whose names come first.
    ///
    /// # Errors
    /// When a file cannot be read, has no features, or its arrays have different numbers of rows.
    pub fn read(written: &str, own: Option<&Arrays>) -> anyhow::Result<NewRows> {
        let (mut x, mut y) = match written.split_once(',') {
            Some((x, y)) => (single(x.trim())?, Some(single(y.trim())?)),
            None => find(written, own)?,
        };
        let x = x.read("store numbers: `x.astype(\"float32\")` in Python", |file, name| file.tensor(name))?;
        let hint = "store numbers: classes as `numpy.unique(y, return_inverse=True)[1]` in Python";
        let y = y.as_mut().map(|y| y.read(hint, |file, name| file.targets(name))).transpose()?;
        let rows = |shape: &[i64]| shape.first().copied().unwrap_or(0);
        if rows(&x.shape) == 0 {
            let hint = "save an array with a row for each example: `x[None]` adds the dimension of the rows";
            return Err(anyhow!("{} has no rows", x.shown).context(Hint(hint.to_owned())));
        }
        if let Some(y) = y.as_ref().filter(|y| rows(&y.shape) != rows(&x.shape)) {
            let message = format!("{} has {} rows, but the features have {}", y.shown, rows(&y.shape), rows(&x.shape));
            return Err(anyhow!(message).context(Hint("save a target for each row, or no targets".to_owned())));
        }
        Ok(NewRows { x, y })
    }
}

impl Place<'_> {
    /// Reads an array; `hint` is how to store numbers.
    fn read<T>(
        &mut self,
        hint: &str,
        read: impl FnOnce(&mut ArrayFile, &str) -> Result<T, FileError>,
    ) -> anyhow::Result<NewArray<T>> {
        let Place { path, file, name } = self;
        let shown = match file.is_single() {
            true => format!("`{path}`"),
            false => format!("in `{path}`, array `{name}`"),
        };
        let ArrayHeader { shape, element, .. } = file.header(name).map_err(|fault| error(path, fault))?;
        let element = element.map_err(|what| anyhow!("{shown} contains {what}").context(Hint(hint.to_owned())))?;
        let values = read(file, name).map_err(|fault| error(path, fault))?;
        Ok(NewArray { shown, values, shape, element })
    }
}

/// Returns the error of a file. Its message names the array already, if it is about one.
fn error(path: &str, fault: FileError) -> anyhow::Error {
    let message = match fault.message.starts_with("array `") {
        true => format!("in `{path}`, {}", fault.message),
        false => format!("`{path}` {}", fault.message),
    };
    with_hint(anyhow!(message), fault.hint)
}

/// Opens a file of one array.
fn single(path: &str) -> anyhow::Result<Place<'_>> {
    let file = ArrayFile::open(Path::new(path)).map_err(|fault| error(path, fault))?;
    if !file.is_single() {
        let hint = "name the archive alone: `new.npz`, with the arrays `x` and `y`";
        return Err(error(path, FileError::new("is an archive, not a single array").hint(hint)));
    }
    Ok(Place { path, file, name: path.to_owned() })
}

/// Opens a file and finds the features and, if it has them, the targets.
fn find<'a>(path: &'a str, own: Option<&Arrays>) -> anyhow::Result<(Place<'a>, Option<Place<'a>>)> {
    let open = || ArrayFile::open(Path::new(path)).map_err(|fault| error(path, fault));
    let file = open()?;
    if file.is_single() {
        return Ok((Place { path, file, name: path.to_owned() }, None));
    }
    let stated = |name: fn(&Arrays) -> &Option<String>| own.and_then(|own| name(own).as_deref());
    let (own_x, own_y) = (stated(|own| &own.x), stated(|own| &own.y));
    let named = |stated: Option<&str>, place: usize| {
        let stated = stated.filter(|name| !is_file(name) && file.has(name)).map(str::to_owned);
        stated.or_else(|| NAMES[place].iter().find(|name| file.has(name)).map(|name| (*name).to_owned()))
    };
    let pairs = PLACES.map(|place| {
        let (own_x, own_y) = if place == 0 { (own_x, own_y) } else { (None, None) };
        (named(own_x, place), named(own_y, place + 1))
    });
    let names = file.names();
    let found = pairs.into_iter().find_map(|(x, y)| Some((x?, y)));
    let (x, y) = match (found, &names[..]) {
        (Some(found), _) => found,
        (None, [only]) if !NAMES[1].contains(&only.as_str()) => (only.clone(), None),
        (None, []) => return Err(error(path, FileError::new("has no arrays").hint(SAVE))),
        (None, names) => {
            let arrays = if names.len() == 1 { "array" } else { "arrays" };
            let message = format!("has the {arrays} {}, but no `x`", listed(names));
            return Err(error(path, FileError::new(message).hint(SAVE)));
        }
    };
    let y = y.map(|name| open().map(|file| Place { path, file, name })).transpose()?;
    Ok((Place { path, file, name: x }, y))
}
