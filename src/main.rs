//! `runner`: parse, dispatch, exit; all else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    // where the linker cannot leave libtorch out, there is nothing that a second program would save
    #[cfg(whole_front)]
    return runner::cli::engine::main();
    #[cfg(not(whole_front))]
    runner::cli::front::main()
}
