//! `runner man [COMMAND…]`

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::CommandFactory;
use clap_mangen::Man;

use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::config::hint::hinted;
use crate::config::suggest;

const EXAMPLES: &str = "\
Examples:
  runner man exp | man -l -                      read the page of `runner exp`
  runner man --output ~/.local/share/man/man1    then: man runner-exp";

/// Arguments of `runner man`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Print the page of this command [default: runner]
    command: Vec<String>,
    /// Write the pages of all commands to this directory
    #[arg(short, long, value_name = "DIR", conflicts_with = "command")]
    output: Option<PathBuf>,
}

/// Prints the man page of a command of the program `C`, or writes the pages of all commands.
///
/// # Errors
///
/// If there is no such command, or if a page cannot be written.
pub fn run<C: CommandFactory>(args: &Args) -> anyhow::Result<Exit> {
    let mut program = C::command();
    program.build();
    match &args.output {
        Some(directory) => {
            std::fs::create_dir_all(directory)
                .with_context(|| format!("failed to create `{}`", directory.display()))?;
            write_pages(program, directory)?;
        }
        None => terminal::out(&page(find(program, &args.command)?)),
    }
    Ok(Exit::Done)
}

/// Writes the page of a command and the pages of its subcommands.
fn write_pages(command: clap::Command, directory: &Path) -> anyhow::Result<()> {
    for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
        write_pages(subcommand.clone(), directory)?;
    }
    let file = directory.join(Man::new(command.clone()).get_filename());
    std::fs::write(&file, page(command)).with_context(|| format!("failed to write `{}`", file.display()))
}

/// Returns the man page of a command in roff.
fn page(command: clap::Command) -> String {
    let command = command.version(env!("CARGO_PKG_VERSION"));
    let mut page = Vec::new();
    Man::new(command).source(concat!("runner ", env!("CARGO_PKG_VERSION"))).render(&mut page).expect("memory takes it");
    String::from_utf8(page).expect("clap's texts are UTF-8")
}

/// Returns the command with this path, such as `["plot", "curves"]`.
fn find(program: clap::Command, path: &[String]) -> anyhow::Result<clap::Command> {
    let mut command = program;
    for name in path {
        let Some(found) = command.find_subcommand(name) else {
            let known = command.get_subcommands().map(clap::Command::get_name);
            let hint = match command.has_subcommands() {
                true => suggest::hint(name, known),
                false => format!("use `runner man {}`", command.get_name()),
            };
            let program = command.get_bin_name().unwrap_or("runner");
            return Err(hinted(format!("`{program}` has no command `{name}`"), hint));
        };
        command = found.clone();
    }
    Ok(command)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::{find, page};
    use crate::cli::command_line::Cli;

    fn program() -> clap::Command {
        let mut program = Cli::command();
        program.build();
        program
    }

    fn path(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_page_names_every_option_of_its_command() {
        for command in program().get_subcommands().filter(|command| command.get_name() != "help") {
            let page = page(command.clone()).replace("\\-", "-");
            for heading in [".SH NAME", ".SH SYNOPSIS", ".SH OPTIONS"] {
                assert!(page.contains(heading), "{}: {heading}", command.get_name());
            }
            for option in command.get_opts().filter(|option| !option.is_hide_set()).filter_map(clap::Arg::get_long) {
                assert!(page.contains(&format!("--{option}")), "{}: --{option}", command.get_name());
            }
        }
    }

    #[test]
    fn the_page_of_a_nested_command_is_found_by_its_path() {
        let command = find(program(), &path(&["plot", "curves"])).unwrap();
        assert!(page(command).starts_with(".ie"), "roff");
        let error = find(program(), &path(&["plot", "curve"])).unwrap_err();
        assert_eq!(error.to_string(), "did you mean `curves`?");
        assert_eq!(error.root_cause().to_string(), "`runner plot` has no command `curve`");
    }
}
