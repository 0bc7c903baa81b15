//! Errors of the command line: unknown options and commands, with the option, the command or the setting that may be
//! meant.

use std::path::Path;

use anyhow::anyhow;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory, Parser};

use crate::cli::command_line::Cli;
use crate::cli::exit::Exit;
use crate::cli::process::invalid_arguments::explained;
use crate::cli::process::sweep_words;
use crate::cli::process::unknown_options::{other_threshold, settings_named};
use crate::cli::text::shell_words::quoted;
use crate::cli::text::terminal;
use crate::config::hint::Hint;
use crate::config::suggest;
use crate::data::arrays::array_file::is_array_file;
use crate::experiment::spec::{catalogue, overrides};

/// Parses the arguments of this process. After help or an error it ends the process.
pub(crate) fn parse_arguments() -> Cli {
    let words: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let error = match Cli::try_parse() {
        Ok(cli) => return cli,
        Err(error) => error,
    };
    let invalid = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    let used = Used::find(&words);
    let misused_sweep = sweep_words::error(&used.name, used.words);
    match error.kind() {
        ErrorKind::MissingRequiredArgument if used.new_command().is_some() => {
            let hint = Hint(format!("write `{}`", used.new_command().unwrap_or_default()));
            terminal::error(&anyhow!("{}", explained(&error, &used.name).root_cause()).context(hint));
        }
        ErrorKind::UnknownArgument => terminal::error(&used.unknown_argument(&invalid(ContextKind::InvalidArg))),
        ErrorKind::InvalidSubcommand
            if ["--help", "-h"].contains(&&*invalid(ContextKind::InvalidSubcommand))
                && used.name.ends_with(" help") =>
        {
            let above = words.iter().take_while(|word| *word != "help").map(String::as_str);
            let words = std::iter::once("runner").chain(above).chain(["--help"]);
            if let Err(help) = Cli::try_parse_from(words) {
                help.exit(); // with the help of the command above
            }
        }
        ErrorKind::InvalidSubcommand => {
            terminal::error(&used.unknown_command(&invalid(ContextKind::InvalidSubcommand)))
        }
        ErrorKind::ArgumentConflict if misused_sweep.is_some() => misused_sweep.iter().for_each(terminal::error),
        ErrorKind::ArgumentConflict if used.misspelled_command().is_some() => {
            terminal::error(&used.unknown_command(used.misspelled_command().unwrap_or_default()))
        }
        _ if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => error.exit(),
        _ => terminal::error(&explained(&error, &used.name)),
    }
    std::process::exit(i32::from(Exit::Failed.code()))
}

/// The command that was used.
struct Used<'a> {
    /// Its definition.
    command: Command,
    /// Its name with those of the commands above it: `runner plot curves`.
    name: String,
    /// The words after it.
    words: &'a [String],
}

impl Used<'_> {
    fn find(words: &[String]) -> Used<'_> {
        let mut used = Used { command: Cli::command(), name: "runner".to_owned(), words };
        used.command.build();
        while let Some(inner) = used.words.first().and_then(|word| used.command.find_subcommand(word)).cloned() {
            used.name = format!("{} {}", used.name, inner.get_name());
            used.command = inner;
            used.words = &used.words[1..];
        }
        used
    }

    /// Returns the first word if it is nearly the name of a command below this one: `tagg` in `runner runs tagg x`.
    fn misspelled_command(&self) -> Option<&str> {
        let word = self.words.first()?;
        suggest::nearest(word, self.command.get_subcommands().map(Command::get_name)).map(|_| word.as_str())
    }

    /// Returns the command that is meant if the words after `runner new` name data: `runner new churn --csv churn.csv`.
    fn new_command(&self) -> Option<String> {
        if self.name != "runner new" {
            return None;
        }
        let (mut name, mut data, mut target, mut rest) = (None, None, None, Vec::new());
        let mut words = self.words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            let (option, value) = match word.split_once('=') {
                Some((option, value)) => (option, Some(value)),
                None => (word, None),
            };
            match option.strip_prefix("--") {
                Some(option) if DATA_OPTIONS.contains(&option) => data = value.or_else(|| words.next()),
                Some("target" | "label" | "target-column") => target = value.or_else(|| words.next()),
                Some("separator") => rest.extend([word].into_iter().chain(words.next().filter(|_| value.is_none()))),
                Some(_) => rest.push(word),
                None if word == "-o" => rest.extend([word].into_iter().chain(words.next())),
                None if data.is_none() && !word.ends_with(".toml") && is_data(word) => data = Some(word),
                None => name = Some(word),
            }
        }
        let data = data?;
        let file = Path::new(data.trim_end_matches('/')).file_name()?.to_string_lossy().into_owned();
        let name = name.or_else(|| file.split('.').next().filter(|stem| !stem.is_empty())).unwrap_or("NAME");
        let is_table = catalogue::is_table(data);
        let target = target.or(is_table.then_some("COLUMN")).map(|target| ["--target", target]);
        let words = [name, if is_table { "--csv" } else { "--data" }, data];
        let words = words.into_iter().chain(target.into_iter().flatten()).chain(rest);
        Some(format!("runner new {}", words.map(quoted).collect::<Vec<_>>().join(" ")))
    }

    /// Returns the error for a table in place of an experiment, with the option `--target` if there is one.
    fn table_as_experiment(&self, option: &str) -> Option<anyhow::Error> {
        self.command.get_arguments().find(|argument| argument.get_long() == Some("set"))?;
        let error = self
            .words
            .iter()
            .filter(|word| !word.starts_with('-'))
            .find_map(|word| catalogue::not_an_experiment(word).filter(|_| catalogue::is_table(word)))?;
        let flag = format!("--{option}");
        let place = self.words.iter().position(|word| word.split('=').next() == Some(&*flag))?;
        let column = self.words[place].split_once('=').map(|(_, value)| value);
        let column = column.or_else(|| self.words.get(place + 1).map(String::as_str)).filter(|_| option == "target");
        let hint = error.hint.as_deref().unwrap_or_default();
        Some(anyhow!(error.message.clone()).context(Hint(match column {
            Some(column) => hint.replace("COLUMN", &quoted(column)),
            None => hint.to_owned(),
        })))
    }

    fn unknown_argument(&self, argument: &str) -> anyhow::Error {
        let Some(option) = argument.strip_prefix("--") else {
            if let Some(option) = self.option_for_file(argument) {
                let error = anyhow!("`{}` takes no further argument `{argument}`", self.name);
                let images = self.words.iter().filter(|word| self.option_for_file(word) == Some("--image"));
                return error.context(Hint(match images.count() {
                    0 | 1 => format!("did you mean `{option} {}`?", quoted(argument)),
                    _ => "for several images, name their directory".to_owned(),
                }));
            }
            let what = if argument.starts_with('-') { "option" } else { "further argument" };
            let writes_toml = argument == "-o" && options(&self.command).any(|own| own == "toml");
            let hint = match writes_toml {
                true => "write `--toml FILE`".to_owned(),
                false => format!("`{} --help` lists its arguments and options", self.name),
            };
            return anyhow!("`{}` takes no {what} `{argument}`", self.name).context(Hint(hint));
        };
        if let Some(error) = self.table_as_experiment(option) {
            return error;
        }
        if let Some(command) = self.new_command().filter(|_| DATA_OPTIONS.contains(&option)) {
            return anyhow!("`runner new` has no option `--{option}`").context(Hint(format!("write `{command}`")));
        }
        let own: Vec<&str> = options(&self.command).collect();
        let has = |known: &str| own.contains(&known);
        let meant: &str = match (option, self.name.as_str()) {
            ("gpu" | "cuda" | "gpus" | "accelerator", _) if has("device") => "write `--device cuda`",
            ("threshold", "runner predict" | "runner eval") => &other_threshold(&self.name, self.words, argument),
            ("num-workers" | "jobs" | "processes", _) if has("workers") => "write `--workers N`",
            ("workers" | "num-workers" | "jobs", _) if has("threads") => "write `--threads N`",
            ("csv" | "file" | "images" | "image", "runner eval") => {
                "write the file after the run: `runner eval RUN FILE`"
            }
            ("all" | "test", "runner predict") => "leave it out: `runner predict RUN` predicts all test rows",
            ("grid" | "random" | "sobol", _) if has("method") => &format!("write `--method {option}`"),
            ("output", _) if has("toml") => "write `--toml FILE`",
            ("format", "runner export") => "write `--tensorboard`, `--csv` or `--keras`",
            ("weights", "runner export") => {
                "the weights are in the run directory, as `.safetensors`: `runner show RUN` names it"
            }
            _ => "",
        };
        let meant = Some(meant.to_owned()).filter(|meant| !meant.is_empty());
        let hint = meant.or_else(|| self.setting_hint(option)).unwrap_or_else(|| {
            match (suggest::nearest(option, own.iter().copied()), commands_with(option)) {
                (Some(near), _) => format!("did you mean `--{near}`?"),
                (None, Some(commands)) => format!("leave it out: `--{option}` is an option of {commands}"),
                (None, None) => format!("`{} --help` lists its options", self.name),
            }
        });
        anyhow!("`{}` has no option `--{option}`", self.name).context(Hint(hint))
    }

    /// Returns the option of the command that takes a file of this type: `--csv` for `new.csv`.
    fn option_for_file(&self, argument: &str) -> Option<&'static str> {
        const TYPES: [(&str, &[&str]); 3] = [
            ("--csv", &[".csv", ".csv.gz", ".tsv"]),
            ("--image", &[".png", ".jpg", ".jpeg"]),
            ("--data", &[".csv", ".csv.gz", ".tsv", ".npz", ".png", ".jpg", ".jpeg"]),
        ];
        let name = argument.to_lowercase();
        let of_type = TYPES.iter().filter(|(_, endings)| endings.iter().any(|ending| name.ends_with(ending)));
        of_type.map(|(option, _)| *option).find(|option| options(&self.command).any(|own| option[2..] == *own))
    }

    /// Returns a hint on the setting of the experiment that is named like the option: `--lr 0.1`.
    fn setting_hint(&self, option: &str) -> Option<String> {
        self.command.get_arguments().find(|argument| argument.get_long() == Some("set"))?;
        let flag = format!("--{option}");
        let place = self.words.iter().position(|word| word.split('=').next() == Some(&*flag))?;
        let value = match self.words[place].split_once('=') {
            Some((_, value)) => value,
            None => self.words.get(place + 1).filter(|next| !next.starts_with("--")).map_or("VALUE", String::as_str),
        };
        let experiment =
            self.words.iter().filter(|word| !word.starts_with('-')).find_map(|word| catalogue::find(word).ok());
        let part = match option {
            "validation-split" | "val-split" | "validation-size" | "validation" => Some("validation"),
            "test-split" | "test-size" => Some("test"),
            _ => None,
        };
        if let Some(part) = part {
            let data = experiment.and_then(|source| Some(source.parse().ok()?.data.name())).unwrap_or("NAME");
            let value = if value == "VALUE" { "0.2" } else { value };
            return Some(format!("write `--set data.{data}.split.{part}={value}`"));
        }
        let number = if value.parse::<f64>().is_ok() { value } else { "5" };
        match option {
            "patience" => return Some(format!("write `--set train.early_stopping={number}`")),
            "scheduler" | "lr-scheduler" => {
                return Some("write `--set train.schedule=cosine`, or another schedule".to_owned());
            }
            "folds" | "cv" | "kfold" | "k-folds" | "n-splits" => {
                let spec = experiment.and_then(|source| source.parse().ok());
                let data = spec.as_ref().map_or("NAME", |spec| spec.data.name());
                let has_validation = spec.as_ref().is_some_and(|spec| spec.data.split().validation.is_some());
                let unset =
                    if has_validation { format!("--unset data.{data}.split.validation ") } else { String::new() };
                return Some(format!("write `{unset}--set data.{data}.split.folds={number}`"));
            }
            _ => {}
        }
        let name = match option {
            "csv" => "path".to_owned(),
            "wd" | "l2" => "weight_decay".to_owned(),
            option => option.replace('-', "_"),
        };
        let mut keys = settings_named(experiment.as_ref(), &name, value);
        if option == "csv" {
            keys.retain(|key| key == "data.csv.path");
            if keys.is_empty() {
                let file = if value == "VALUE" { "FILE".to_owned() } else { quoted(value) };
                return Some(format!("make an experiment of it: `runner new NAME --csv {file} --target COLUMN`"));
            }
        }
        let varies = options(&self.command).any(|own| own == "space");
        if let (true, true, [key, ..]) = (varies, value.contains(','), &keys[..]) {
            return Some(format!("write `--space {}`", quoted(&format!("{key}={value}"))));
        }
        let values: Vec<String> = value.split(',').map(str::to_owned).collect();
        if let ([_, _, ..], [key, ..]) = (&values[..], &keys[..])
            && values.iter().all(|number| number.parse::<f64>().is_ok())
        {
            return Some(overrides::several_values_hint(key, &values));
        }
        let written = |key: &String| format!("`--set {}`", quoted(&format!("{key}={value}")));
        match &keys[..] {
            [] => None,
            keys => Some(format!("write {}", keys.iter().map(written).collect::<Vec<_>>().join(" or "))),
        }
    }

    fn unknown_command(&self, name: &str) -> anyhow::Error {
        let synonym = match name {
            "fit" => Some("exp"),
            "evaluate" | "score" | "test" => Some("eval"),
            "history" | "log" | "logs" | "metrics" | "summary" => Some("show"),
            "init" => Some("new"),
            "ls" => Some("runs"),
            _ => None,
        };
        let known: Vec<&str> = self.command.get_subcommands().flat_map(Command::get_name_and_visible_aliases).collect();
        let own_name = self.name.trim_end_matches(" help");
        let hint = match synonym.filter(|command| known.contains(command)).or_else(|| suggest::nearest(name, known)) {
            _ if self.name == "runner" && ["load", "weights", "save"].contains(&name) => {
                "see the files of a run with `runner show RUN`, and use its weights with `runner predict` and `runner \
                 eval`, or in Python with `safetensors.torch.load_file`"
                    .to_owned()
            }
            _ if self.name == "runner" && catalogue::find(name).is_ok() => format!("train it with `runner exp {name}`"),
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("`{own_name} --help` lists the commands"),
        };
        anyhow!("`{own_name}` has no command `{name}`").context(Hint(hint))
    }
}

/// Options of `runner new` that name data, and those that newcomers try.
const DATA_OPTIONS: [&str; 8] = ["data", "csv", "images", "image", "arrays", "table", "file", "path"];

/// Returns whether a word after `runner new` names data, not an experiment.
fn is_data(word: &str) -> bool {
    catalogue::is_table(word) || is_array_file(Path::new(word)) || word.ends_with('/')
}

/// Returns the long names of the options of a command that its help lists.
fn options(command: &Command) -> impl Iterator<Item = &str> {
    command.get_arguments().filter(|argument| !argument.is_hide_set()).filter_map(clap::Arg::get_long)
}

/// Returns the first commands that have an option, as text; `None` if there are none.
fn commands_with(option: &str) -> Option<String> {
    let program = Cli::command();
    let has = |command: &&Command| options(command).any(|known| known == option);
    let names: Vec<String> =
        program.get_subcommands().filter(has).map(|command| format!("runner {}", command.get_name())).take(3).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    (!names.is_empty()).then(|| suggest::either(&names))
}
