//! What each command prints, apart from those that train or read runs.

mod data;
mod doctor;
mod help;
mod lessons;
mod list_and_show;
pub mod printed;
mod schema;
