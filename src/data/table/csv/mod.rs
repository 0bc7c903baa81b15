//! Reading CSV: the check of a text, and its fields as numbers or as text.

pub(super) mod blocks;
pub mod csv_text;
pub(crate) mod text_fields;
