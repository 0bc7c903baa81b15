//! The space of a sweep: the settings that differ between configurations, and their values.

pub mod build;
pub mod configurations;
pub mod domain;
mod domain_form;
mod domain_schema;
mod domain_text;
pub mod entry;
pub mod formula;
pub mod keys;
pub mod origin;
pub mod widen;
