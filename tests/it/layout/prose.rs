//! The words of comments, messages and documents: private words of the project must not return.

use super::{assert_none, folders, in_repository, sources};

/// Words and phrases that are not used, each with what to write instead.
const WORDS: [(&str, &str); 30] = [
    ("what came of", "the result of"),
    ("is told", "say who tells whom, or `reported`"),
    ("are told", "say who tells whom, or `reported`"),
    ("so many", "the number, or `this many`"),
    ("so often", "the number of times"),
    ("anew", "again"),
    ("goes by", "uses"),
    ("that pays", "that is efficient"),
    ("made up", "synthetic"),
    ("stands", "is"),
    ("thereof", "of it"),
    ("at hand", "available"),
    ("held against", "compared with"),
    ("set against", "compared with"),
    ("figure", "metric, value or number"),
    ("figures", "metrics, values or numbers"),
    ("picture", "image or plot"),
    ("pictures", "images or plots"),
    ("jumping about", "unstable"),
    ("theirs", "reference"),
    ("ours", "this run"),
    ("to mend", "to fix"),
    ("slip", "mistake"),
    ("goes on", "continues or resumes"),
    ("go on", "continue or resume"),
    ("luck", "chance, or `significant`"),
    ("all the same", "anyway"),
    ("hindrance", "problem"),
    ("likewise", "also"),
    ("where there is one", "if there is one"),
];

/// Returns whether a character can be part of a word.
fn is_letter(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Returns the words of [`WORDS`] in a line, each with its replacement. Text in backticks and braces is not searched: it is
/// code.
fn found_in(line: &str) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    let without_code = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
    let outside_braces = without_code.split('{').map(|part| part.split_once('}').map_or(part, |(_, after)| after));
    let prose = outside_braces.collect::<Vec<_>>().join("{").to_lowercase();
    WORDS.iter().filter(move |(word, _)| {
        prose.match_indices(word).any(|(start, _)| {
            let before = prose[..start].chars().next_back();
            let after = prose[start + word.len()..].chars().next();
            !before.is_some_and(is_letter) && !after.is_some_and(is_letter)
        })
    })
}

/// Returns the comments of Rust code and the string literals of more than one word, with the numbers of their lines. A literal
/// of one word is a key or an identifier.
fn prose_of_rust(text: &str) -> Vec<(usize, String)> {
    let mut prose = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '"' => string_length(rest),
            'r' if rest.starts_with("r#\"") => rest[3..].find("\"#").map_or(rest.len(), |end| 3 + end + 2),
            'r' if rest.starts_with("r\"") => rest[2..].find('"').map_or(rest.len(), |end| 2 + end + 1),
            '\'' if rest.starts_with("'\"'") || rest.starts_with("'\\\"'") => {
                rest[1..].find("'").map_or(1, |end| end + 2)
            }
            first => {
                line += usize::from(first == '\n');
                rest = &rest[first.len_utf8()..];
                continue;
            }
        };
        let is_key = first != '/' && !rest[..length].contains(char::is_whitespace);
        for part in rest[..length].split('\n') {
            prose.extend((!is_key).then(|| (line, part.to_owned())));
            line += 1;
        }
        line -= 1;
        rest = &rest[length..];
    }
    prose
}

/// Returns the length in bytes of the string literal at the start of the text, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (place, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return place + 1,
            _ => {}
        }
    }
    text.len()
}

/// Returns a line for each unwanted word in the text of a file.
fn offenders(file: &str, prose: &[(usize, String)]) -> Vec<String> {
    let of_line = |(number, text): &(usize, String)| {
        let found = found_in(text).map(|(word, instead)| format!("{file}:{number}: `{word}`: write {instead}"));
        found.collect::<Vec<_>>()
    };
    prose.iter().flat_map(of_line).collect()
}

#[test]
fn comments_and_messages_use_plain_words() {
    let files = ["src", "tests/it", "xtask/src"].into_iter().flat_map(sources);
    let found = files.flat_map(|(file, text)| {
        let mut prose = prose_of_rust(&text);
        if file.starts_with("tests") {
            prose.retain(|(_, text)| text.starts_with("//")); // its strings are also inputs and former keys
        }
        offenders(&file, &prose)
    });
    assert_none(&found.collect::<Vec<_>>());
}

#[test]
fn documents_and_experiment_files_use_plain_words() {
    let in_folders = ["docs", "experiments"].into_iter().flat_map(folders).flat_map(|(_, files)| files);
    let documents = in_folders.chain(["README.md", "CONTRIBUTING.md"].map(str::to_owned));
    let documents = documents.filter(|file| file.ends_with(".md") || file.ends_with(".toml"));
    let of_file = |file: String| {
        let text = std::fs::read_to_string(in_repository(&file)).unwrap();
        let lines: Vec<(usize, String)> =
            text.lines().enumerate().map(|(line, text)| (line + 1, text.to_owned())).collect();
        offenders(&file, &lines)
    };
    assert_none(&documents.flat_map(of_file).collect::<Vec<_>>());
}

#[test]
fn unwanted_words_are_found_in_comments_and_strings_and_not_in_code() {
    let code = "fn picture() {} // a picture\nlet figures = \"two\\\" figures\"; // `figure`\nlet a = '\"'; let b = r#\"all ours\"#; let key = \"figure\";\n";
    let found = offenders("a.rs", &prose_of_rust(code));
    let words: Vec<&str> = found.iter().map(|line| line.split(": write").next().unwrap()).collect();
    assert_eq!(words, ["a.rs:1: `picture`", "a.rs:2: `figures`", "a.rs:3: `ours`"]);
}
