//! `runner completions SHELL`, and the answers to a shell that completes a command line.
//!
//! The script that the command prints asks the program for candidates, so that names of experiments, runs, variants and
//! settings are completed, too.

mod candidates;

use anyhow::Context;
use clap::{Arg, Command, CommandFactory};
use clap_complete::Shell;
use clap_complete::engine::ArgValueCompleter;
use clap_complete::env::{CompleteEnv, Shells};

use crate::cli::exit::Exit;
use crate::cli::text::terminal;

/// Environment variable with the name of the shell that asks for candidates.
const VARIABLE: &str = "RUNNER_COMPLETE";

/// Arguments of `runner completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Shell for which the script is printed
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  runner completions bash > ~/.local/share/bash-completion/completions/runner
  runner completions zsh > ~/.zfunc/_runner  # `fpath+=~/.zfunc` in ~/.zshrc
  runner completions fish > ~/.config/fish/completions/runner.fish
  source <(runner completions bash)            for this shell only

Commands, options, experiments, runs (ids and names), variants, devices, keys
of `--set` and metrics are completed.";

/// Prints the script that a shell needs to complete commands.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let name = args.shell.to_string();
    let shells = Shells::builtins();
    let completer = shells.completer(&name).with_context(|| format!("no completions for `{name}`"))?;
    let mut script = Vec::new();
    completer.write_registration(VARIABLE, "runner", "runner", "runner", &mut script)?;
    let script = String::from_utf8_lossy(&script);
    terminal::out(&if args.shell == Shell::Zsh { for_zsh(script.trim()) } else { script.trim().to_owned() });
    Ok(Exit::Done)
}

/// Returns the script for zsh without a blank after `KEY=`, and with candidates already at the first Tab if the script is
/// loaded as a function from `fpath`.
fn for_zsh(script: &str) -> String {
    const OTHER: &str = "[[ -n $other ]] && _describe -V 'values' other";
    const KEYS: &str = "local -a keys=(\"${(@M)other:#*=}\")\n        other=(\"${(@)other:#*=}\")\n        \
                        [[ -n $keys ]] && _describe -V 'values' keys -S ''";
    const DEFINE: &str = "compdef _clap_dynamic_completer_runner runner";
    let loaded = format!(
        "if [[ \"$funcstack[1]\" == _runner ]]; then\n    _clap_dynamic_completer_runner \"$@\"\nelse\n    {DEFINE}\nfi"
    );
    script.replace(OTHER, &format!("{KEYS}\n        {OTHER}")).replace(DEFINE, &loaded)
}

/// Prints the candidates and ends the process if a shell asks for them.
pub fn answer_shell<C: CommandFactory>() {
    CompleteEnv::with_factory(|| with_candidates(C::command()))
        .var(VARIABLE)
        .bin("runner")
        .completer("runner")
        .complete();
}

/// Adds the candidates of names to all arguments of a command and its subcommands.
fn with_candidates(command: Command) -> Command {
    let name = command.get_name().to_owned();
    command
        .mut_args(|arg| match completer(&name, &arg) {
            Some(completer) => arg.add(completer),
            None => arg,
        })
        .mut_subcommands(with_candidates)
}

/// Returns what completes the value of an argument; `None` for values that are not names.
fn completer(command: &str, arg: &Arg) -> Option<ArgValueCompleter> {
    Some(match arg.get_id().as_str() {
        "name" => match command {
            "show" => ArgValueCompleter::new(candidates::experiments_and_runs),
            "calibration" => ArgValueCompleter::new(candidates::runs),
            "samples" | "classes" => ArgValueCompleter::new(candidates::data_sets_and_runs),
            "describe" => ArgValueCompleter::new(candidates::data_sets_and_tables),
            "fetch" | "verify" | "path" => ArgValueCompleter::new(candidates::data_sets),
            _ => return None,
        },
        "data" if matches!(command, "eval" | "predict") => ArgValueCompleter::new(candidates::rows_and_files),
        "data" if command == "new" => ArgValueCompleter::new(candidates::data_sets),
        "run" | "runs" if arg.get_action().takes_values() => ArgValueCompleter::new(candidates::runs),
        "experiment" | "experiments" if command == "runs" => ArgValueCompleter::new(candidates::experiments_with_runs),
        "experiment" | "experiments" | "sweep" => ArgValueCompleter::new(candidates::experiments),
        "set" | "unset" | "space" => ArgValueCompleter::new(candidates::keys),
        "device" => ArgValueCompleter::new(candidates::devices),
        "variant" | "variants" if arg.get_action().takes_values() => ArgValueCompleter::new(candidates::variants),
        "columns" | "sort" | "filters" | "group_by" => ArgValueCompleter::new(candidates::fields),
        "metric" | "metrics" => ArgValueCompleter::new(candidates::metrics),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zsh_adds_no_blank_after_a_key_and_completes_when_the_function_is_loaded() {
        let mut script = Vec::new();
        let shells = Shells::builtins();
        shells
            .completer("zsh")
            .unwrap()
            .write_registration(VARIABLE, "runner", "runner", "runner", &mut script)
            .unwrap();
        let script = for_zsh(&String::from_utf8(script).unwrap());
        assert!(script.contains("_describe -V 'values' keys -S ''\n        [[ -n $other ]]"), "{script}");
        assert!(script.contains("_clap_dynamic_completer_runner \"$@\"\nelse\n    compdef "), "{script}");
    }
}
