//! Saved runs as a list: [`run_list`] reads them, [`run_info`] is what is known about a run besides its histories,
//! [`run_field`] looks up its metrics, settings and other fields by name, and [`filter`] selects by them.

pub mod changes;
pub mod filter;
pub mod read_run;
pub mod run_field;
pub mod run_info;
pub mod run_list;
pub mod run_summary;
