//! `runner-engine`: what `runner` becomes for all that needs tensors.

use std::process::ExitCode;

fn main() -> ExitCode {
    runner::cli::engine::main()
}
