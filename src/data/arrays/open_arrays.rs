//! The files of `[data.arrays]` with the arrays that are trained on.

use std::path::Path;

use crate::config::check::Invalid;
use crate::data::arrays::array_file::{ArrayFile, listed};
use crate::data::arrays::element::Element;
use crate::data::arrays::layout::{Channels, Layout};
use crate::data::arrays::npy_header::ArrayHeader;
use crate::data::arrays::settings::{ARRAY_KEYS, Arrays, NAMES, is_file};
use crate::data::arrays::targets::{ArrayTargets, ArrayValues, TargetArray};
use crate::data::dataset::DatasetInfo;
use crate::data::rows::Rows;
use crate::data::split::Split;
use crate::data::store::checksum::sha256;
use crate::data::store::user_file::setting_error;

/// Arrays of the targets of the training, validation and test rows.
pub type TargetArrays = [Option<TargetArray>; 3];

/// Open files with the places of the arrays.
#[derive(Debug)]
pub struct OpenArrays<'a> {
    files: Vec<OpenFile<'a>>,
    /// Features and targets of the training, validation and test rows.
    parts: [Option<(Place, Place)>; 3],
    /// Shape of the rows.
    pub layout: Layout,
    /// Type of the features.
    pub element: Element,
    /// Notes about arrays that are not used.
    notes: Vec<String>,
}

/// An open file with its path and the key of its setting.
#[derive(Debug)]
struct OpenFile<'a> {
    key: &'static str,
    path: &'a str,
    file: ArrayFile,
}

/// Place of an array.
#[derive(Clone, Debug)]
struct Place {
    key: &'static str,
    file: usize,
    name: String,
    header: ArrayHeader,
}

impl<'a> OpenArrays<'a> {
    /// Opens the files and finds the arrays.
    ///
    /// # Errors
    /// When a file cannot be read, an array is missing, or the arrays do not belong together; the key is relative to the
    /// source, as for all functions here.
    pub fn open(settings: &'a Arrays) -> Result<OpenArrays<'a>, Invalid> {
        let mut files = Vec::new();
        if let Some(path) = &settings.path {
            let file = OpenFile::open("path", path)?;
            if file.file.is_single() {
                let hint = format!("write it as an array: `x = \"{path}\"`, and the targets as `y = \"y.npy\"`");
                return Err(Invalid::new("path", format!("`{path}` is a single array")).hint(hint));
            }
            files.push(file);
        }
        let mut places = [const { None }; 6];
        for (number, place) in places.iter_mut().enumerate() {
            *place = find(number, settings.stated()[number], &mut files)?;
        }
        let [x, y, x_val, y_val, x_test, y_test] = places;
        let mut parts = [(x, y), (x_val, y_val), (x_test, y_test)];
        let mut notes = Vec::new();
        for (number, part) in parts.iter_mut().enumerate() {
            let [x_key, y_key] = [ARRAY_KEYS[2 * number], ARRAY_KEYS[2 * number + 1]];
            let missing = match part {
                (Some(_), None) => y_key,
                (None, Some(_)) => x_key,
                (None, None) if number == 0 => x_key,
                _ => continue,
            };
            let archive = files.first().filter(|file| file.key == "path");
            let is_stated = settings.stated()[2 * number..2 * number + 2].iter().any(Option::is_some);
            if let (2, false, Some(archive)) = (number, is_stated, archive) {
                // test rows are often published without targets
                let found = if missing == x_key { y_key } else { x_key };
                notes.push(format!("`{found}` is not used: `{}` has no `{missing}`", archive.path));
                *part = (None, None);
                continue;
            }
            return Err(missing_array(missing, archive));
        }
        let parts = parts.map(|(x, y)| x.zip(y));
        let (x, _) = parts[0].as_ref().expect("it was just checked");
        let element = element(x)?;
        let layout = layout(x, settings.channels, element)?;
        let opened = OpenArrays { files, parts, layout, element, notes };
        opened.check(settings.channels)?;
        Ok(opened)
    }

    /// Checks that the arrays belong together.
    fn check(&self, channels: Option<Channels>) -> Result<(), Invalid> {
        let (first, _) = self.parts[0].as_ref().expect("there are training rows");
        for (x, y) in self.parts.iter().flatten() {
            let (wanted, found) = (x.header.rows(), y.header.rows());
            if wanted != found {
                let message = format!("has {found} rows, but `{}` has {wanted}", x.key);
                return Err(named(Invalid::new(y.key, message).hint("each row needs a target"), y));
            }
            if x.header.shape[1..] != first.header.shape[1..] {
                let (found, wanted) = (x.header.shape_text(), first.header.shape_text());
                return Err(named(Invalid::new(x.key, format!("has the shape {found}, but `x` has {wanted}")), x));
            }
            let (found, wanted) = (element(x)?, self.element);
            if found.largest_byte() != wanted.largest_byte() {
                let message = format!("has the type {}, but `x` has {}", found.name(), wanted.name());
                return Err(named(Invalid::new(x.key, message).hint("store both with the same type"), x));
            }
            layout(x, channels, found)?;
        }
        Ok(())
    }

    /// Describes the data set.
    pub fn info(&self, targets: &ArrayTargets) -> DatasetInfo {
        let rows = |part: usize| self.parts[part].as_ref().map_or(0, |(x, _)| x.header.rows() as usize);
        DatasetInfo {
            validation_rows: rows(1),
            test_rows: rows(2),
            notes: self.notes.clone(),
            ..DatasetInfo::new(self.layout.sample.clone(), targets.target, rows(0), targets.names.clone())
        }
    }

    /// Reads the targets of all parts, and decides what they are.
    ///
    /// # Errors
    /// When an array cannot be read, or does not fit the settings.
    pub fn targets(&mut self, settings: &Arrays) -> Result<(TargetArrays, ArrayTargets), Invalid> {
        let mut arrays = [const { None }; 3];
        for (array, part) in arrays.iter_mut().zip(self.parts.clone()) {
            let Some((_, y)) = part else { continue };
            let OpenFile { path, file, .. } = &mut self.files[y.file];
            *array = Some(file.targets(&y.name).map_err(|fault| setting_error(y.key, path, fault))?);
        }
        let given = ["y", "y_val", "y_test"].into_iter().zip(&arrays);
        let given: Vec<_> = given.filter_map(|(key, array)| Some((key, array.as_ref()?))).collect();
        let targets = ArrayTargets::new(&given, settings.task, settings.classes.as_deref())?;
        Ok((arrays, targets))
    }

    /// Returns the group of each training row, from the array that the split names; `None` without groups.
    ///
    /// # Errors
    /// When the split names columns, or the array does not have an integer for each training row.
    pub fn groups(&mut self, split: &Split) -> Result<Option<Vec<i64>>, Invalid> {
        let Some(name) = &split.group else { return split.check_no_columns().map(|()| None) };
        Split { group: None, ..split.clone() }.check_no_columns()?;
        let rows = self.parts[0].as_ref().map_or(0, |(x, _)| x.header.rows() as usize);
        let key = "split.group";
        let Some(OpenFile { path, file, .. }) = self.files.first_mut().filter(|file| file.key == "path") else {
            let message = format!("names the array `{name}`, but `path` is missing");
            return Err(Invalid::new(key, message).hint("save all arrays in one `.npz` file, and write it as `path`"));
        };
        let array = file.targets(name).map_err(|fault| setting_error(key, path, fault))?;
        match array {
            TargetArray { width: 1, values: ArrayValues::Integers(groups) } if groups.len() == rows => Ok(Some(groups)),
            _ => {
                let message = format!("must name an array with an integer for each of the {rows} rows of `x`");
                let hint = "of names in Python: `numpy.unique(names, return_inverse=True)[1]`";
                Err(Invalid::new(key, message).hint(hint))
            }
        }
    }

    /// Reads the training rows with the targets of a trained model.
    ///
    /// # Errors
    /// As for [`OpenArrays::rows`].
    pub fn training_rows(&mut self, targets: &ArrayTargets) -> Result<Rows, Invalid> {
        let (_, y) = self.parts[0].clone().expect("there are training rows");
        let OpenFile { path, file, .. } = &mut self.files[y.file];
        let array = file.targets(&y.name).map_err(|fault| setting_error(y.key, path, fault))?;
        let [rows, ..] = self.rows(&[Some(array), None, None], targets)?;
        Ok(rows.expect("there are training rows"))
    }

    /// Reads the training, validation and test rows.
    ///
    /// # Errors
    /// When an array cannot be read, or has a target that is not among `targets`.
    pub fn rows(&mut self, arrays: &TargetArrays, targets: &ArrayTargets) -> Result<[Option<Rows>; 3], Invalid> {
        let mut rows = [const { None }; 3];
        for ((rows, part), array) in rows.iter_mut().zip(self.parts.clone()).zip(arrays) {
            let (Some((x, y)), Some(array)) = (part, array) else { continue };
            let OpenFile { path, file, .. } = &mut self.files[x.file];
            let features = file.tensor(&x.name).map_err(|fault| setting_error(x.key, path, fault))?;
            let targets = targets.tensor(y.key, array).map_err(|fault| named(fault, &y))?;
            *rows = Some(Rows::new(self.layout.apply(&features), targets));
        }
        Ok(rows)
    }

    /// Returns the paths of the files, each with the key of its setting.
    pub fn paths(&self) -> Vec<(&'static str, String)> {
        self.files.iter().map(|file| (file.key, file.path.to_owned())).collect()
    }

    /// Checks that no file has changed since it was opened.
    ///
    /// # Errors
    /// The first file that has.
    pub fn check_unchanged(&self) -> Result<(), Invalid> {
        self.files.iter().try_for_each(|OpenFile { key, path, file }| {
            file.check_unchanged().map_err(|fault| setting_error(key, path, fault))
        })
    }
}

impl<'a> OpenFile<'a> {
    fn open(key: &'static str, path: &'a str) -> Result<OpenFile<'a>, Invalid> {
        let file = ArrayFile::open(Path::new(path)).map_err(|fault| setting_error(key, path, fault))?;
        Ok(OpenFile { key, path, file })
    }
}

/// Finds the array number `number` of [`ARRAY_KEYS`]. One without a stated name can be missing. Opens its file, if it has
/// its own.
fn find<'a>(number: usize, stated: Option<&'a str>, files: &mut Vec<OpenFile<'a>>) -> Result<Option<Place>, Invalid> {
    let key = ARRAY_KEYS[number];
    let (file, name) = if let Some(path) = stated.filter(|name| is_file(name)) {
        let opened = OpenFile::open(key, path)?;
        if !opened.file.is_single() {
            let hint = "write an archive as `path`, and the name of its array here";
            return Err(Invalid::new(key, format!("`{path}` is an archive, not a single array")).hint(hint));
        }
        files.push(opened);
        (files.len() - 1, path)
    } else {
        let archive = files.first().filter(|file| file.key == "path");
        let name = match (archive, stated) {
            (None, None) => return Ok(None),
            (None, Some(name)) => {
                let message = format!("names the array `{name}`, but `path` is missing");
                let hint = "add the file with the array as `path`, or name a file that ends in `.npy`";
                return Err(Invalid::new(key, message).hint(hint));
            }
            (Some(_), Some(name)) => name,
            (Some(archive), None) => match NAMES[number].iter().find(|name| archive.file.has(name)) {
                Some(name) => name,
                None => return Ok(None),
            },
        };
        (0, name)
    };
    let OpenFile { path, file: array_file, .. } = &mut files[file];
    let header = array_file.header(name).map_err(|fault| setting_error(key, path, fault))?;
    Ok(Some(Place { key, file, name: name.to_owned(), header }))
}

/// Returns the error for an array that is needed; `archive` is the file of the setting `path`.
fn missing_array(key: &'static str, archive: Option<&OpenFile>) -> Invalid {
    let Some(OpenFile { path, file, .. }) = archive else {
        let hint = match key {
            "x" | "y" => {
                "write `path = \"data.npz\"` for a file with the arrays `x` and `y`, or `x = \"x.npy\"` and `y = \"y.npy\"`"
                    .to_owned()
            }
            key => format!("add its file: `{key} = \"{key}.npy\"`"),
        };
        return Invalid::new(key, "is missing: features and targets belong together").hint(hint);
    };
    let number = ARRAY_KEYS.iter().position(|known| *known == key).expect("it is a key of an array");
    let what = if key.starts_with('x') { "features" } else { "targets" };
    let names = file.names();
    let is_usual = |name: &&String| NAMES.iter().any(|usual| usual.contains(&name.as_str()));
    let mut unused: Vec<&String> = names.iter().filter(|name| !is_usual(name)).collect();
    if key.starts_with('y') {
        unused.reverse();
    }
    let hint = match unused.first() {
        Some(example) => {
            format!("name the array of the {what}, as in `{key} = \"{example}\"`; the arrays are {}", listed(&names))
        }
        None => {
            let keys = names.iter().map(String::as_str).chain([key]);
            let arguments: Vec<String> = keys.map(|key| format!("{key}={key}")).collect();
            format!("save the {what}, too: `numpy.savez(\"data.npz\", {})`", arguments.join(", "))
        }
    };
    let message = match NAMES[number ^ 1].iter().find(|name| file.has(name)) {
        Some(other) => format!("is missing: `{path}` has the array `{other}`, but no `{key}`"),
        None => format!("is missing: `{path}` has no array `{key}`"),
    };
    Invalid::new(key, message).hint(hint)
}

/// Returns the shape of the rows of an array.
fn layout(x: &Place, channels: Option<Channels>, element: Element) -> Result<Layout, Invalid> {
    let layout = Layout::new(&x.header.shape, channels, element.largest_byte().is_some());
    layout.map_err(|fault| match &*fault.key {
        "x" => named(Invalid { key: x.key.to_owned(), ..fault }, x),
        _ => fault,
    })
}

/// Returns the type of the values of an array.
fn element(place: &Place) -> Result<Element, Invalid> {
    place.header.element.clone().map_err(|what| {
        let hint = "store numbers: `x.astype(\"float32\")` in Python";
        named(Invalid::new(place.key, format!("contains {what}")).hint(hint), place)
    })
}

/// Adds the name of the array to a fault, if it differs from the key.
fn named(fault: Invalid, place: &Place) -> Invalid {
    match place.name == place.key {
        true => fault,
        false => Invalid { message: format!("(`{}`) {}", place.name, fault.message), ..fault },
    }
}

/// Returns the SHA-256 over files, each with the key of its setting.
///
/// # Errors
/// When a file cannot be read.
pub fn checksum(files: &[(&'static str, String)]) -> Result<String, Invalid> {
    let sum = |(key, path): &(&'static str, String)| {
        ArrayFile::sha256(Path::new(path)).map_err(|fault| setting_error(key, path, fault))
    };
    let sums = files.iter().map(sum).collect::<Result<Vec<_>, _>>()?;
    Ok(if let [sum] = &sums[..] { sum.clone() } else { sha256(sums.join("\n").as_bytes()) })
}
