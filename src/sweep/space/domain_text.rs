//! The values of a setting as they are written on the command line: `32,64,128`, `int:16..256:log`, `log:1e-4..1e-1`.

use crate::config::suggest;
use crate::experiment::spec::overrides::read_value;
use crate::sweep::space::domain::Domain;
use crate::sweep::space::formula::Formula;

/// The kinds of ranges.
const KINDS: [&str; 3] = ["int", "float", "log"];

/// Names of ranges in other programs, and the kind that they are; an empty kind is a list of values.
const SYNONYMS: [(&str, &str); 15] = [
    ("choice", ""),
    ("categorical", ""),
    ("arange", "int"),
    ("integer", "int"),
    ("linspace", "float"),
    ("log", "log"),
    ("loguniform", "log"),
    ("log_uniform", "log"),
    ("logspace", "log"),
    ("quniform", "float"),
    ("randint", "int"),
    ("range", "int"),
    ("uniform", "float"),
    ("float", "float"),
    ("int", "int"),
];

/// An invalid text: what is wrong, and a hint.
pub type Fault = (String, Option<String>);

/// Reads the values of a setting.
///
/// # Errors
/// If they have none of the forms, or a range is empty.
pub fn parse(text: &str) -> Result<Domain, Fault> {
    let text = text.trim();
    let plain = |message: String| (message, None);
    if text.starts_with('=') {
        return Formula::parse(text).map(Domain::Copy).map_err(plain);
    }
    if let Some((kind, rest)) = text.split_once(':').filter(|(kind, _)| is_word(kind)) {
        return match KINDS.contains(&kind) {
            true => range(kind, rest),
            false => Err(unknown_kind(kind, rest)),
        };
    }
    if let Some((low, high)) = text.split_once("..")
        && low.trim().parse::<f64>().is_ok()
        && high.trim_start_matches('=').trim().parse::<f64>().is_ok()
    {
        let is_float = low.contains(['.', 'e']) || high.contains(['.', 'e']);
        let whole = if is_float { String::new() } else { format!("`int:{text}` for whole numbers, ") };
        let message = format!("`{text}` is a range without a kind");
        return Err((
            message,
            Some(format!("write {whole}`float:{text}`, or `log:{text}` for an even distribution of the logarithm")),
        ));
    }
    if let Some(fault) = call(text) {
        return Err(fault);
    }
    let choices = choices(text).map_err(plain)?;
    if let [one] = &choices[..] {
        let hint = "write several values, `32,64,128`, or set it for all configurations with `--set`";
        return Err((format!("the single value `{one}` varies nothing"), Some(hint.to_owned())));
    }
    Domain::choices(choices).map_err(plain)
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphabetic() || c == '_')
}

/// Returns the kind of range that is meant by a name of another program.
fn meant_kind(name: &str) -> Option<&'static str> {
    SYNONYMS.iter().find(|(other, _)| *other == name.to_lowercase()).map(|(_, kind)| *kind)
}

/// Returns how a range of this kind with these ends is written; an example if the ends are not numbers.
fn notation(kind: &str, low: &str, high: &str) -> String {
    let is_number = |text: &str| text.parse::<f64>().is_ok();
    match kind {
        "" => "a list of values: `32,64`".to_owned(),
        kind if is_number(low) && is_number(high) => format!("`{kind}:{low}..{high}`"),
        "int" => "`int:16..256`".to_owned(),
        "float" => "`float:0..0.5`".to_owned(),
        _ => "`log:1e-4..1e-1`".to_owned(),
    }
}

/// Returns the fault of values that are written as the call of a function: `loguniform(1e-4, 1e-1)`.
fn call(text: &str) -> Option<Fault> {
    let (function, rest) = text.split_once('(')?;
    let arguments = rest.strip_suffix(')')?;
    let name = function.rsplit('.').next()?;
    if !is_word(name) {
        return None;
    }
    let numbers: Vec<&str> = arguments.split(',').map(str::trim).collect();
    let hint = match (meant_kind(name), &numbers[..]) {
        (Some(kind), [low, high, ..]) if name == "logspace" => {
            // the ends of NumPy's `logspace` are powers of 10
            let power = |end: &str| end.parse::<i32>().map_or(end.to_owned(), |power| format!("1e{power}"));
            format!("write {}", notation(kind, &power(low), &power(high)))
        }
        (Some(kind), [low, high, ..]) => format!("write {}", notation(kind, low, high)),
        _ => "write `int:16..256`, `float:0..0.5` or `log:1e-4..1e-1`, or a list of values: `32,64`".to_owned(),
    };
    Some((format!("`{text}` is a call of a function, not values"), Some(hint)))
}

/// Returns the fault of an unknown kind of range with these ends.
fn unknown_kind(kind: &str, ends: &str) -> Fault {
    let (low, high) = ends.split_once("..").unwrap_or_default();
    let hint = match (meant_kind(kind), suggest::nearest(kind, KINDS)) {
        (Some(meant), _) => format!("write {}", notation(meant, low.trim(), high.trim())),
        (None, Some(near)) => format!("did you mean `{near}:`?"),
        (None, None) => {
            "write `int:16..256`, `float:0..0.5` or `log:1e-4..1e-1`, or a list of values: `32,64`".to_owned()
        }
    };
    (format!("`{kind}:` is no kind of range; allowed are `int:`, `float:` and `log:`"), Some(hint))
}

/// Reads `LOW..HIGH`, with `:STEP` or `:log`.
fn range(kind: &str, text: &str) -> Result<Domain, Fault> {
    let example = match kind {
        "int" => "int:16..256",
        "float" => "float:0..0.5",
        _ => "log:1e-4..1e-1",
    };
    let invalid = |what: String| (what, Some(format!("write it as `{example}`")));
    let (ends, suffix) = match text.split_once(':') {
        Some((ends, suffix)) => (ends, Some(suffix.trim())),
        None => (text, None),
    };
    let (low, high) = ends.split_once("..").ok_or_else(|| invalid(format!("`{kind}:{text}` has no `..`")))?;
    let (low, high) = (low.trim(), high.trim_start_matches('=').trim());
    let whole = |text: &str| {
        text.parse::<i64>().map_err(|_| {
            let hint = match text.parse::<f64>().is_ok() {
                true => format!("write `float:{ends}`"),
                false => format!("write it as `{example}`"),
            };
            (format!("`int` needs whole numbers, found `{text}`"), Some(hint))
        })
    };
    let number =
        |text: &str| text.parse::<f64>().map_err(|_| invalid(format!("`{kind}` needs numbers, found `{text}`")));
    let is_log = suffix == Some("log");
    let step = suffix.filter(|_| !is_log);
    let domain = match kind {
        "int" => Domain::int(whole(low)?, whole(high)?, step.map(whole).transpose()?, is_log),
        "float" if !is_log => Domain::float(number(low)?, number(high)?, step.map(number).transpose()?),
        _ if step.is_some() => Err("`log` has no step; remove it".to_owned()),
        _ => Domain::log(number(low)?, number(high)?),
    };
    domain.map_err(|message| (message, None))
}

/// Reads a list of values, separated by commas. A bare word is a text, and a list alone is the list of choices.
fn choices(text: &str) -> Result<Vec<serde_json::Value>, String> {
    if text.is_empty() {
        return Err("there are no values".to_owned());
    }
    let items = split(text);
    if let Some(empty) = items.iter().position(|item| item.is_empty()) {
        return Err(format!("value {} of `{text}` is empty", empty + 1));
    }
    let mut values = items.into_iter().map(read_value).collect::<Result<Vec<_>, _>>()?;
    match &mut values[..] {
        [serde_json::Value::Array(items)] => Ok(std::mem::take(items)),
        _ => Ok(values),
    }
}

/// Splits a text at the commas that are not inside brackets, braces or quotes.
fn split(text: &str) -> Vec<&str> {
    let (mut depth, mut quote, mut start) = (0_usize, None, 0);
    let mut items = Vec::new();
    for (place, letter) in text.char_indices() {
        match letter {
            _ if quote == Some(letter) => quote = None,
            _ if quote.is_some() => {}
            '"' | '\'' => quote = Some(letter),
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                items.push(text[start..place].trim());
                start = place + 1;
            }
            _ => {}
        }
    }
    items.push(text[start..].trim());
    items
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn every_form_is_read() {
        let choices = |text: &str| match parse(text).unwrap() {
            Domain::Choices(choices) => Value::Array(choices),
            other => panic!("{other:?}"),
        };
        assert_eq!(choices("32, 64,128"), json!([32, 64, 128]));
        assert_eq!(choices("[32, 64]"), json!([32, 64]));
        assert_eq!(
            choices("adam,{ sgd = { lr = 0.1, momentum = 0.9 } }"),
            json!(["adam", { "sgd": { "lr": 0.1, "momentum": 0.9 } }])
        );
        assert_eq!(choices("\"a,b\",c"), json!(["a,b", "c"]));
        assert_eq!(choices("true,false"), json!([true, false]));
        assert_eq!(choices("[1, 2],[3]"), json!([[1, 2], [3]]));
        for (text, domain) in [
            ("int:16..256", Domain::int(16, 256, None, false)),
            ("int:-3..=3", Domain::int(-3, 3, None, false)),
            ("int:16..256:16", Domain::int(16, 256, Some(16), false)),
            ("int:16..256:log", Domain::int(16, 256, None, true)),
            ("float:0..0.5", Domain::float(0.0, 0.5, None)),
            ("float:-1..1:0.5", Domain::float(-1.0, 1.0, Some(0.5))),
            ("float:1e-3..1:log", Domain::log(1e-3, 1.0)),
            ("log:1e-4..1e-1", Domain::log(1e-4, 0.1)),
            ("= train.batch * 2", Formula::parse("= train.batch * 2").map(Domain::Copy)),
        ] {
            assert_eq!(parse(text).unwrap(), domain.unwrap(), "{text}");
        }
    }

    #[test]
    fn a_text_of_no_form_is_an_error_that_says_what_to_write() {
        let fault = |text: &str| {
            let (message, hint) = parse(text).unwrap_err();
            format!("{message} | {}", hint.unwrap_or_default())
        };
        for (text, expected) in [
            (
                "16..256",
                "`16..256` is a range without a kind | write `int:16..256` for whole numbers, `float:16..256`, or `log:16..256` ",
            ),
            ("0.1..0.5", "`0.1..0.5` is a range without a kind | write `float:0.1..0.5`,"),
            (
                "loguniform:1..2",
                "`loguniform:` is no kind of range; allowed are `int:`, `float:` and `log:` | write `log:1..2`",
            ),
            (
                "loguniform(1e-4,1e-1)",
                "`loguniform(1e-4,1e-1)` is a call of a function, not values | write `log:1e-4..1e-1`",
            ),
            (
                "np.logspace(-4, -1, 16)",
                "`np.logspace(-4, -1, 16)` is a call of a function, not values | write `log:1e-4..1e-1`",
            ),
            (
                "uniform:0..1",
                "`uniform:` is no kind of range; allowed are `int:`, `float:` and `log:` | write `float:0..1`",
            ),
            (
                "flaot:1..2",
                "`flaot:` is no kind of range; allowed are `int:`, `float:` and `log:` | did you mean `float:`?",
            ),
            ("int:5", "`int:5` has no `..` | write it as `int:16..256`"),
            ("int:0.1..2", "`int` needs whole numbers, found `0.1` | write `float:0.1..2`"),
            ("log:a..1", "`log` needs numbers, found `a` | write it as"),
            ("log:0..1", "`log` must begin above 0, found 0"),
            ("log:1e-4..1:0.1", "`log` has no step"),
            ("int:0..8:log", "`int` with `log` must begin at 1 or above, found 0"),
            ("int:9..3", "`int` is an empty range: 9 is greater than 3"),
            ("float:1..1", "`float` is a range of the single value 1"),
            ("float:nan..1", "`float` must have finite numbers, found NaN"),
            ("float:0..1:0", "`step` must be finite and above 0, found 0"),
            ("int:0..4:9", "`step` must not be greater than the range from 0 to 4, found 9"),
            ("32", "the single value `32` varies nothing | write several values"),
            ("32,,64", "value 2 of `32,,64` is empty"),
            ("", "there are no values"),
            ("32,64,32", "the choice `32` is listed twice"),
            ("0.1,nan", "numbers must be finite"),
            ("[]", "the list of choices is empty"),
        ] {
            let found = fault(text);
            assert!(found.starts_with(expected), "{text}: {found}");
        }
    }
}
