//! Description of data sets, duplicate rows, and proposals for using a user's table.

pub mod array_section;
pub mod csv_section;
pub mod describe;
pub mod detect;
pub mod duplicates;
pub mod image_section;
pub mod leaking_columns;
pub mod problem;
pub mod proposal;
pub mod shared_rows;
pub mod text_column;
pub mod text_section;
