//! `runner serve`: pages on this machine that show runs and sweeps while they train.
//!
//! The server only reads. One thread ([`table::scan`]) keeps the table of all runs up to date as long as a page shows it; the
//! pages poll ([`app`]) and get what changed since their last request. Content and charts are those of the report.

pub mod app;
pub mod http;
pub mod pages;
pub mod system;
pub mod table;
