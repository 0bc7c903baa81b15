//! Tables with named columns: reading CSV, selecting columns, and converting them to features and targets.

pub mod byte_table;
pub mod column;
pub mod column_roles;
pub mod columns;
pub mod csv;
pub mod csv_table;
pub mod embedded_table;
pub mod encode;
pub mod external_table;
pub mod field_format;
pub mod form;
pub mod recognize;
pub mod split_columns;
pub mod target_kind;
pub mod values;

pub use crate::data::table::column::Column;
pub use crate::data::table::csv_table::Table;
