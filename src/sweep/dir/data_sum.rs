//! The checksum of each data set of a sweep, in `data/`: created once by the first worker that has loaded it.

use std::io::Result;

use serde::{Deserialize, Serialize};

use crate::data::source::DataSpec;
use crate::data::store::checksum::sha256;
use crate::io::bounded_file;
use crate::sweep::dir::SweepDir;
use crate::sweep::dir::create_once::{create_once, retry_stale};

/// A data set as the sweep uses it.
#[derive(Debug, Serialize, Deserialize)]
struct DataSum {
    /// Name of the data set.
    name: String,
    /// SHA-256 of its files.
    sha256: String,
}

/// Returns the checksum of the data with these settings in the sweep; `None` if no worker has loaded it yet.
pub fn known(dir: &SweepDir, data: &DataSpec) -> Option<String> {
    const LONGEST: u64 = 65_536;
    let path = dir.file("data").join(file_name(data));
    let text = retry_stale(|| bounded_file::read(&path, LONGEST)).ok()?;
    Some(serde_json::from_slice::<DataSum>(&text).ok()?.sha256)
}

/// Records the checksum of the data with these settings, unless another worker has. Returns the recorded one.
///
/// # Errors
/// When the file cannot be written.
pub fn record(dir: &SweepDir, data: &DataSpec, sum: &str) -> Result<String> {
    let found = DataSum { name: data.name().to_owned(), sha256: sum.to_owned() };
    create_once(&dir.file("data").join(file_name(data)), &serde_json::to_vec(&found)?)?;
    Ok(known(dir, data).unwrap_or_else(|| sum.to_owned()))
}

/// Name of the file for data with these settings.
pub fn file_name(data: &DataSpec) -> String {
    let settings = serde_json::to_vec(data).unwrap_or_default();
    format!("{}-{}.json", data.name(), &sha256(&settings)[..8])
}
