//! The images of a CSV file with a path and a label in each row.

use std::path::Path;

use crate::config::suggest;
use crate::data::file_error::FileError;
use crate::data::images::listing::{Entry, Listing, is_image};
use crate::data::images::settings::Images;
use crate::data::store::user_file;
use crate::data::table::column::Column;
use crate::data::table::csv_table::Table;
use crate::data::table::field_format::{FieldFormat, TextColumns};

impl Listing {
    /// Lists the images of a CSV file, in its order. The labels in ascending order are the classes.
    ///
    /// # Errors
    /// When the file cannot be read, a column is missing, or an image does not exist; the message follows the path.
    pub fn of_manifest(file: &Path, settings: &Images) -> Result<Listing, FileError> {
        let columns = [&settings.path_column, &settings.label_column].map(String::clone);
        let format = FieldFormat {
            text: TextColumns::Named(columns.to_vec()),
            missing_values: Some(vec![String::new()]),
            ..FieldFormat::new(',')
        };
        let (bytes, _) = user_file::read_table(file)?;
        let table = Table::read(&bytes, &format)?;
        let [paths, labels] =
            [("path_column", &columns[0]), ("label_column", &columns[1])].map(|(key, name)| find(&table, key, name));
        let (paths, labels) = (paths?, labels?);
        let folder = match &settings.root {
            Some(root) => root.into(),
            None => file.parent().unwrap_or(Path::new("")).to_owned(),
        };
        let (names, places) = paths.categories();
        let (classes, of_rows) = labels.categories();
        let mut entries = Vec::with_capacity(places.len());
        for (row, (path, class)) in places.iter().zip(&of_rows).enumerate() {
            let missing = |column: &str| {
                FileError::new(format!("has no value for `{column}` in {}", table.place(row))).hint("remove the row")
            };
            let path = names[path.ok_or_else(|| missing(&columns[0]))?].clone();
            let class = class.ok_or_else(|| missing(&columns[1]))?;
            let fault = |what: &str| FileError::new(format!("names `{path}` in {}, which {what}", table.place(row)));
            if !folder.join(&path).is_file() {
                let base = folder.display();
                return Err(fault("does not exist")
                    .hint(format!("paths are relative to `{base}`; `root = \"DIRECTORY\"` sets another directory")));
            }
            if !is_image(&path) {
                return Err(fault("is not a PNG or JPEG file").hint("images end in `.png`, `.jpg` or `.jpeg`"));
            }
            entries.push(Entry { path, class });
        }
        Ok(Listing { folder, classes, entries, other_files: (0, None) })
    }
}

/// Returns a column of a CSV file; `key` is the setting with its name.
fn find<'t>(table: &'t Table, key: &str, name: &str) -> Result<&'t Column, FileError> {
    table.column(name).ok_or_else(|| {
        let names: Vec<&str> = table.names().collect();
        FileError::new(format!("has no column `{name}`"))
            .hint(format!("write `{key} = \"…\"`; its columns are {}", suggest::list(&names)))
    })
}
