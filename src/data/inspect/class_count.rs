//! Number of rows of a class or value.

use serde::Serialize;

/// Number of rows of a class or value.
#[derive(Clone, Debug, Serialize)]
pub struct ClassCount {
    /// Name of the class or value.
    pub class: String,
    /// Number of rows.
    pub rows: usize,
    /// Fraction of all rows.
    pub share: f64,
    /// Number of distinct rows of the class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distinct: Option<usize>,
}
