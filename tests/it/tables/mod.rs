//! User tables and texts: what the program reads, and what it rejects with which message.

mod absent_classes;
mod declared_columns;
mod descriptions;
mod formats;
mod positive_class;
mod rare_classes;
mod several_files;
mod several_tables;
mod splits;
mod table_dir;
mod texts;
mod training;
mod values;
