//! The training, validation and test images of the settings, and their classes.

use std::path::Path;

use tch::Tensor;

use crate::config::check::Invalid;
use crate::config::suggest;
use crate::data::images::listing::{self, Entry, Listing};
use crate::data::images::settings::Images;
use crate::data::rows::Rows;
use crate::data::store::user_file::setting_error;

/// Keys of the training, validation and test images.
pub(super) const KEYS: [&str; 3] = ["path", "validation", "test"];

/// Images with the key of their setting.
#[derive(Debug)]
pub(super) struct Part {
    /// Key of the setting.
    pub key: &'static str,
    /// The images.
    pub listing: Listing,
    /// Class of each image.
    pub classes: Vec<usize>,
}

impl Part {
    /// Returns a line for a checksum.
    pub fn line(&self, entry: &Entry, of_file: &str) -> String {
        format!("{} {} {} {of_file}\n", self.key, self.listing.classes[entry.class], entry.path)
    }

    /// Returns the rows of these pixels.
    pub fn rows(&self, pixels: Tensor) -> Rows {
        let classes: Vec<i64> = self.classes.iter().map(|&class| class as i64).collect();
        Rows::new(pixels, Tensor::from_slice(&classes))
    }
}

/// Lists the training, validation and test images.
pub(super) fn list(settings: &Images) -> Result<[Option<Listing>; 3], Invalid> {
    let path = Path::new(&settings.path);
    let parts = match (&settings.validation, &settings.test) {
        (None, None) => listing::parts_of(path),
        _ => None,
    };
    let stated = |path: &Option<String>| path.as_ref().map(Into::into);
    let parts = parts.unwrap_or_else(|| [Some(path.to_owned()), stated(&settings.validation), stated(&settings.test)]);
    let mut listings = [const { None }; 3];
    for ((listing, path), key) in listings.iter_mut().zip(parts).zip(KEYS) {
        *listing = path.map(|path| list_path(settings, key, &path)).transpose()?;
    }
    Ok(listings)
}

/// Lists the images of a directory or CSV file; `key` is that of its setting.
pub(super) fn list_path(settings: &Images, key: &'static str, path: &Path) -> Result<Listing, Invalid> {
    let listing = if path.is_file() { Listing::of_manifest(path, settings) } else { Listing::of_folder(path) };
    listing.map_err(|fault| setting_error(key, path, fault))
}

/// Returns the classes: those of the setting, which must be those of the training images, or all in ascending order.
pub(super) fn classes(settings: &Images, training: &Listing) -> Result<Vec<String>, Invalid> {
    let found = &training.classes;
    if let [class] = &found[..] {
        let inner = training.folder.join(class);
        let folder = training.folder.display();
        let message =
            format!("cannot be used: `{folder}` has images of only one class, `{class}`, but at least two are needed");
        let fault = Invalid::new("path", message);
        let has_classes =
            !settings.path.ends_with(".csv") && Listing::of_folder(&inner).is_ok_and(|l| l.classes.len() > 1);
        return Err(match has_classes {
            true => fault.hint(format!("did you mean `{}`, which has several class directories?", inner.display())),
            false => fault.hint("add a directory with images of another class"),
        });
    }
    let Some(stated) = &settings.classes else { return Ok(found.clone()) };
    if let Some(unknown) = stated.iter().find(|name| !found.contains(name)) {
        let message = format!("names `{unknown}`, but the training images have no such class");
        return Err(Invalid::new("classes", message).hint(suggest::hint(unknown, found.iter().map(String::as_str))));
    }
    if let Some(left_out) = found.iter().find(|name| !stated.contains(name)) {
        let message = format!("does not name `{left_out}`, a class of the training images");
        return Err(Invalid::new("classes", message).hint("name all classes in their order"));
    }
    match stated.len() == found.len() {
        true => Ok(stated.clone()),
        false => Err(Invalid::new("classes", "names a class twice")),
    }
}
