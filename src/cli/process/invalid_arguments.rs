//! Errors of clap about values and arguments of the command line, as messages of runner.

use std::error::Error as _;

use anyhow::anyhow;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::config::hint::Hint;
use crate::config::suggest;

/// Separates the hint from the message in the errors of value parsers.
const HINT: &str = "\nhint: ";

/// Options that are required by another option, which the message names instead of the command.
const REQUIRING: [(&str, &str); 2] = [("`--dry-run`", "--all"), ("`--by-class`", "--rows")];

/// Returns the error of the command `name` as a message with a hint.
pub(super) fn explained(error: &clap::Error, name: &str) -> anyhow::Error {
    let about = |kind| texts(error, kind).into_iter().next().unwrap_or_default();
    let (argument, value) = (argument_name(&about(ContextKind::InvalidArg)), about(ContextKind::InvalidValue));
    let help = format!("see `{name} --help`");
    match error.kind() {
        ErrorKind::ValueValidation => {
            let reason = error.source().map(plain_words).unwrap_or_default();
            let invalid = |reason: &str| anyhow!("invalid value `{value}` for `{argument}`: {reason}");
            match reason.split_once(HINT) {
                Some((reason, hint)) => invalid(reason).context(Hint(hint.to_owned())),
                None => invalid(&reason),
            }
        }
        ErrorKind::InvalidValue if value.is_empty() => {
            let message = anyhow!("`{argument}` needs a value");
            let allowed = texts(error, ContextKind::ValidValue);
            message.context(Hint(match &allowed[..] {
                [] => format!("write `{}`", about(ContextKind::InvalidArg).replace(['<', '>'], "")),
                allowed => format!("use {}", either(allowed)),
            }))
        }
        ErrorKind::InvalidValue => {
            let allowed = texts(error, ContextKind::ValidValue);
            let near = suggest::nearest(&value, allowed.iter().map(String::as_str));
            anyhow!("invalid value `{value}` for `{argument}`").context(Hint(match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("use {}", either(&allowed)),
            }))
        }
        ErrorKind::ArgumentConflict if name == "runner runs" && !about(ContextKind::InvalidSubcommand).is_empty() => {
            let second = about(ContextKind::InvalidSubcommand);
            anyhow!("`{name}` takes one experiment, or a command and its arguments, found a second name: `{second}`")
                .context(Hint(format!("name one experiment, or write the command first; see `{name} --help`")))
        }
        ErrorKind::ArgumentConflict if !about(ContextKind::InvalidSubcommand).is_empty() => {
            let second = about(ContextKind::InvalidSubcommand);
            anyhow!("`{name}` takes no further argument `{second}`").context(Hint(help))
        }
        ErrorKind::ArgumentConflict if !argument.is_empty() => {
            let others: Vec<String> =
                texts(error, ContextKind::PriorArg).iter().map(|other| argument_name(other)).collect();
            match others.contains(&argument) {
                true => anyhow!("`{argument}` is given twice").context(Hint("give it once".to_owned())),
                false => anyhow!("`{argument}` cannot be used with {}", either(&others))
                    .context(Hint(format!("leave `{argument}` out, or see `{name} --help`"))),
            }
        }
        ErrorKind::MissingRequiredArgument => {
            let missing: Vec<String> =
                texts(error, ContextKind::InvalidArg).iter().map(|argument| alternatives(argument)).collect();
            let hint = match name {
                "runner predict" => {
                    "write `runner predict RUN` for the test rows, or `runner predict RUN new.csv`".to_owned()
                }
                "runner resume" => {
                    "list those that can be resumed with `runner runs --filter status=unfinished`".to_owned()
                }
                "runner new" if missing.iter().any(|missing| missing.contains("--csv")) => {
                    "write `runner new NAME --csv FILE --target COLUMN`".to_owned()
                }
                "runner new" => "write, for example, `runner new first --data mnist`".to_owned(),
                _ => help,
            };
            let missing = missing.join(" and ");
            let requiring = REQUIRING.iter().find(|(required, _)| *required == missing).map(|(_, option)| *option);
            anyhow!("`{}` needs {missing}", requiring.unwrap_or(name)).context(Hint(hint))
        }
        ErrorKind::MissingSubcommand => {
            let known: Vec<String> =
                texts(error, ContextKind::ValidSubcommand).into_iter().filter(|known| known != "help").collect();
            anyhow!("`{name}` needs a command").context(Hint(format!("use {}", either(&known))))
        }
        _ => {
            let text = error.render().to_string();
            let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ").replace('\'', "`");
            anyhow!(first).context(Hint(help))
        }
    }
}

/// Returns the texts of a kind that clap adds to an error.
fn texts(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}

fn either(names: &[String]) -> String {
    suggest::either(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Returns the name of an argument: `--seed` of `--seed <N>`, `RUN` of `<RUN>...`.
fn argument_name(argument: &str) -> String {
    let option = argument.split([' ', '=', '[']).next().filter(|option| option.starts_with('-'));
    option.map_or_else(|| argument.replace(['<', '>', '[', ']'], "").replace("...", ""), str::to_owned)
}

/// Returns a missing argument as it is written: `` `RUN` ``, or `` `--csv FILE` or `--image FILE` ``.
fn alternatives(argument: &str) -> String {
    if !argument.contains("--") {
        return format!("`{}`", argument_name(argument));
    }
    let options = argument.trim_start_matches('<').split("|--").map(|option| option.replace(['<', '>'], ""));
    either(&options.map(|option| format!("--{}", option.trim_start_matches("--"))).collect::<Vec<_>>())
}

/// Returns the text of a value parser's error, with the words of Rust's parsers replaced.
fn plain_words(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    if let Some((low, high)) = text.split_once(" is not in ").and_then(|(_, range)| range.split_once("..=")) {
        return match high.parse::<u32>() {
            Ok(u32::MAX) => format!("must be at least {low}"),
            _ => format!("must be between {low} and {high}"),
        };
    }
    let words = [
        ("invalid digit found in string", "expected a whole number"),
        ("cannot parse integer from empty string", "expected a whole number"),
        ("number too large to fit in target type", "the number is too large"),
        ("number too small to fit in target type", "the number is too small"),
        ("invalid float literal", "expected a number"),
        ("cannot parse float from empty string", "expected a number"),
    ];
    words.into_iter().fold(text, |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use clap::{ArgGroup, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    #[command(group = ArgGroup::new("input").required(true).args(["csv", "image"]))]
    struct Args {
        #[arg(value_name = "RUN", required = true)]
        runs: Vec<String>,
        #[arg(long, value_name = "FILE")]
        csv: Option<String>,
        #[arg(long, value_name = "FILE")]
        image: Option<String>,
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..=9), conflicts_with = "top")]
        bins: Option<u16>,
        #[arg(long, value_parser = ["low", "high"])]
        level: Option<String>,
        #[arg(long, value_parser = |text: &str| Err::<u8, _>(format!("no{HINT}use {text}")))]
        top: Option<u8>,
    }

    fn message(words: &[&str]) -> String {
        let error = Args::try_parse_from([&["x"], words].concat()).unwrap_err();
        let error = explained(&error, "runner x");
        error.chain().map(ToString::to_string).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn each_kind_says_what_is_wrong_and_what_is_allowed() {
        for (words, expected) in [
            (&["a", "--csv", "b", "--bins", "1"][..], "invalid value `1` for `--bins`: must be between 2 and 9"),
            (&["a", "--bins", "many"], "invalid value `many` for `--bins`: expected a whole number"),
            (&["a", "--bins"], "write `--bins N` | `--bins` needs a value"),
            (&["a", "--level", "hihg"], "did you mean `high`? | invalid value `hihg` for `--level`"),
            (&["a", "--level", "x"], "use `low` or `high` | invalid value `x` for `--level`"),
            (&["a", "--top", "3"], "use 3 | invalid value `3` for `--top`: no"),
            (&["a"], "see `runner x --help` | `runner x` needs `--csv FILE` or `--image FILE`"),
            (&["--csv", "b"], "see `runner x --help` | `runner x` needs `RUN`"),
            (&["a", "--csv", "b", "--csv", "c"], "give it once | `--csv` is given twice"),
        ] {
            assert_eq!(message(words), expected, "{words:?}");
        }
    }
}
