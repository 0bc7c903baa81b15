//! `runner-engine`: what `runner` becomes for all that needs tensors.

fn main() {
    runner::cli::process::engine::main()
}
