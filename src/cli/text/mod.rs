//! Layout of text for the terminal, and the terminal itself.

pub mod column;
pub mod column_layout;
pub mod image;
pub mod log_file;
pub mod number_format;
pub mod progress;
pub mod settings;
pub mod shell_words;
pub mod table;
pub mod terminal;
pub mod text_style;
mod wrap;
