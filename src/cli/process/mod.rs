//! The two programs, `runner` and `runner-engine`: what happens before and after a command.

pub mod dispatch;
pub mod engine;
pub mod front;
mod invalid_arguments;
mod settings_named;
mod sweep_words;
mod threshold_hint;
mod usage_errors;
