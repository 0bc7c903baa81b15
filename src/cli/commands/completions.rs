//! `runner completions SHELL`

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::exit::Exit;
use crate::cli::text::terminal;

/// Arguments of `runner completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  runner completions bash > ~/.local/share/bash-completion/completions/runner")]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// Prints the shell completions of command `C`.
pub fn run<C: CommandFactory>(args: &Args) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut C::command(), "runner", &mut script);
    terminal::out(&String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}
