//! Input that is refused: settings, names, numbers, flags and files. Each slip ends with exit code 2 and a message that
//! names it, and leaves no file behind.

mod command_line;
mod data_files;
mod expectations;
mod experiment_files;
mod mismatched_settings;
mod run_names;
mod unknown_names;
mod whole_numbers;
mod wrong_values;
