//! Histories in JSON.

pub mod keras;
pub mod loose_json;
pub mod records;
pub mod skorch;
pub mod trainer;
