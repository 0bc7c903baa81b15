//! The program `runner`: parses the command line and calls the library.

#[cfg(not(whole_front))]
fn main() -> std::process::ExitCode {
    runner::cli::process::front::main()
}

/// Platforms where the linker cannot leave out libtorch: one program does everything.
#[cfg(whole_front)]
fn main() {
    runner::cli::process::engine::main()
}
