//! Invalid input: settings, names, numbers, flags and files. Each error ends with exit code 2 and a message that names
//! the mistake, and leaves no files.

mod command_line;
mod data_files;
mod defaults;
mod expectations;
mod experiment_files;
mod extends;
mod first_mistakes;
mod integers;
mod mismatched_settings;
mod run_names;
mod unknown_names;
mod wrong_values;
