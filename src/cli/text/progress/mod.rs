//! Progress of a run on the terminal: a bar or lines.

mod epoch_bar;
pub mod epoch_log;
mod live_line;
pub mod progress_bar;
mod stack_text;
mod workers_bar;
