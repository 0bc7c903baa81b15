//! Checks and default values of settings, the user's defaults, shorthands, hints and suggestions for misspelled names.

pub mod check;
pub mod class_names;
pub mod defaults;
pub mod hint;
pub mod no_lists;
pub mod shorthand;
pub mod suggest;
pub mod texts;
pub mod values;
