//! Checks of settings, shorthands, hints and suggestions for misspelled names.

pub mod check;
pub mod hint;
pub mod shorthand;
pub mod suggest;
