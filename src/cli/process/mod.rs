//! The two programs, `runner` and `runner-engine`: what happens before and after a command.

pub mod dispatch;
pub mod engine;
pub mod front;
mod invalid_arguments;
mod sweep_words;
mod unknown_options;
mod usage_errors;
