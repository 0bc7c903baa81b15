//! Layout of text for the terminal, and the terminal itself.

pub mod column_layout;
mod epoch_bar;
pub mod epoch_log;
pub mod image;
mod live_line;
pub mod log_file;
pub mod number_format;
pub mod progress_bar;
pub mod settings;
pub mod shell_words;
pub mod table;
pub mod terminal;
pub mod text_style;
mod wrap;
