//! How often a class or value occurs.

use serde::Serialize;

/// How often a class or value occurs.
#[derive(Clone, Debug, Serialize)]
pub struct ClassCount {
    /// Its name.
    pub class: String,
    /// How many rows.
    pub rows: usize,
    /// Their share of all.
    pub share: f64,
    /// Of a class, how many of its rows differ from each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distinct: Option<usize>,
}
