//! `runner`: parse, dispatch, exit; all else is in the library.

#[cfg(not(whole_front))]
fn main() -> std::process::ExitCode {
    runner::cli::process::front::main()
}

/// Where the linker cannot leave libtorch out, a second program would save nothing.
#[cfg(whole_front)]
fn main() {
    runner::cli::process::engine::main()
}
