//! Tables of named columns: how they are read from CSV, which columns are used, and how they become features and targets.

mod blocks;
pub mod byte_table;
pub mod column;
pub mod column_roles;
pub mod columns;
pub mod csv_table;
pub mod csv_text;
pub mod encode;
pub mod external_table;
pub mod form;
pub mod reading;
pub mod recognize;
pub mod target_kind;
pub mod values;

pub use crate::data::table::column::Column;
pub use crate::data::table::csv_table::Table;
