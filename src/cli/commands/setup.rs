//! `runner setup`: a command of the Python package, which starts this program for all others.

use anyhow::anyhow;

use crate::cli::exit::Exit;
use crate::config::hint::Hint;

/// Arguments of `runner setup`, those of the Python package.
#[derive(Debug, clap::Args)]
#[command(after_help = ABOUT)]
pub struct Args {
    /// Without CUDA (0.5 GB) [default: with CUDA if an NVIDIA driver is found]
    #[arg(long, conflicts_with = "cuda")]
    cpu: bool,
    /// With CUDA (3 GB)
    #[arg(long)]
    cuda: bool,
    /// Download it again
    #[arg(long)]
    force: bool,
}

const ABOUT: &str = "\
This command is part of the Python package: `pip install` its wheel, and
`runner setup` downloads libtorch into your cache. It is not needed if the
Python environment has torch 2.11.0, or if `LIBTORCH` names a libtorch.

If you built `runner` with cargo, it already has a libtorch, and you do not
need this command. `runner doctor` shows which libtorch is used.";

/// Says that this program is not that of the Python package.
///
/// # Errors
/// Always.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let options = [(args.cpu, " --cpu"), (args.cuda, " --cuda"), (args.force, " --force")];
    let options: String = options.iter().filter(|(is_set, _)| *is_set).map(|(_, option)| *option).collect();
    let hint = format!(
        "install the wheel with pip, and run its `runner setup{options}`; in a clone, `cargo xtask setup` downloads libtorch"
    );
    Err(anyhow!("`runner setup` is a command of the Python package, and this program is not part of it")
        .context(Hint(hint)))
}
