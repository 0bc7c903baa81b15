//! The pages: the table, runs and sweeps.

pub mod live_run;
pub mod run_page;
pub mod shell;
pub mod sweep_page;
pub mod table_page;
