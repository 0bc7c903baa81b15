//! What runs have to show, as plain data: text, numbers and tables, without terminal codes, HTML or Markdown.
//!
//! Each view is built from histories. The terminal's summary ([`crate::cli::summary`]) and the reports in HTML and Markdown
//! ([`mod@crate::report`]) only lay it out.

pub mod capital;
pub mod classes;
pub mod comparison;
pub mod data;
pub mod document;
pub mod expectations;
#[cfg(test)]
mod fixtures;
pub mod layers;
pub mod metric_column;
pub mod metrics;
pub mod references;
pub mod settings;
pub mod summary;
pub mod title;
pub mod trials;
pub mod variant;
pub mod variants;
