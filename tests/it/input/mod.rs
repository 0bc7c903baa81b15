//! Input that is refused: settings, names, numbers, flags and files.

mod bad_input;
mod run_names;
mod whole_numbers;
