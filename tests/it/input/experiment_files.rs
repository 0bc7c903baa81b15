//! Invalid experiment files, and valid ones that look unusual.

use insta::assert_snapshot;
use proptest::prelude::*;
use runner::experiment::plan::study::Study;
use runner::experiment::spec::source_text::SourceText;

use crate::support::{IDEA, TestDir, assert_says, curves};

// Invalid files

#[test]
fn missing_files_are_reported_by_name() {
    assert_snapshot!(TestDir::new().error_message(&["exp", "my/idea.toml"]), @r"
    error: the experiment file `my/idea.toml` does not exist
    hint: `runner list` shows the names of all experiments
    ");
    assert_says(&TestDir::new().error_message(&["show", "idea.toml"]), &["`idea.toml` does not exist"]);
    let no_file = TestDir::new().error_message(&["sweep", "submit", "sweeps/idea/latest", "--workers", "8", "--print"]);
    assert_says(&no_file, &["there is no experiment, file or directory `sweeps/idea/latest`"]);
    let not_trained = TestDir::new().error_message(&["show", "regularize_mnist/dropout"]);
    assert_says(
        &not_trained,
        &["no run of `regularize_mnist`", "its variant `dropout`", "train it first: `runner exp regularize_mnist`"],
    );
}

#[test]
fn an_unknown_key_is_shown_at_its_line_and_column() {
    let dir = TestDir::with_idea();
    let sweep = "[sweep.space]\n\"train.batch\" = [8, 16]\n\"train.epochs\" = { itn = [1, 2] }\n";
    dir.write("space.toml", format!("{IDEA}\n{sweep}"));
    dir.write("extended.toml", format!("extends = \"idea.toml\"\ntitle = \"More\"\n{sweep}"));
    for (file, line) in [("space.toml", 3 + 1 + IDEA.lines().count()), ("extended.toml", 5)] {
        let message = dir.error_message(&["sweep", file, "--dry-run"]);
        let place = format!("TOML parse error at line {line}, column 20\n");
        let indent = " ".repeat(line.to_string().len());
        let marked = format!("{line} | \"train.epochs\" = {{ itn = [1, 2] }}\n{indent} |                    ^^^\n");
        assert_says(&message, &[&place, &marked, "unknown key `itn`", "did you mean `int`?"]);
    }
}

#[test]
fn directories_are_rejected_as_experiment_files() {
    let dir = TestDir::new();
    std::fs::create_dir(dir.path("idea.toml")).unwrap();
    assert_says(&dir.error_message(&["exp", "idea.toml"]), &["`idea.toml` is a directory, not an experiment file"]);
    assert_says(&dir.error_message(&["exp", "./"]), &["`./` is a directory, not an experiment file"]);
}

#[test]
fn files_that_are_no_experiments_are_rejected_by_name() {
    let error_message = |bytes: &[u8]| {
        let dir = TestDir::new();
        dir.write("idea.toml", bytes);
        dir.error_message(&["exp", "idea.toml"])
    };
    assert_snapshot!(error_message(b"hello, this is no experiment {"), @r"
    error: failed to read `idea.toml`
    TOML parse error at line 1, column 6
      |
    1 | hello, this is no experiment {
      |      ^
    key with no value, expected `=`
    ");
    assert_says(&error_message(b""), &["failed to read", "`idea.toml`", "`title`"]);
    assert_says(&error_message(b"title = \"cut off"), &["failed to read", "`idea.toml`", "line 1"]);
    assert_says(&error_message(&[0xff, 0xfe, 0x00, 0x81, 0x7f, 0x00]), &["failed to read", "`idea.toml`", "utf-8"]);
    assert_says(&error_message(b"{\"title\": \"JSON\"}"), &["failed to read", "`idea.toml`", "line 1"]);
    assert_says(
        &error_message(b"title = \"no more\""),
        &["failed to read", "`idea.toml`", "`network.layers`", "`data`"],
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn typing_errors_in_experiments_never_panic(at in 0..IDEA.len(), removed in 0..12_usize, typed in "[ -~\n]{0,6}") {
        let mut text = IDEA.to_owned();
        text.replace_range(at..(at + removed).min(IDEA.len()), &typed);
        let source = SourceText { name: "idea".to_owned(), origin: "idea.toml".to_owned(), text, ..SourceText::default() };
        if let Err(error) = Study::new(&source, &[]) {
            prop_assert!(error.message.contains("idea.toml"), "{}", error.message);
        }
    }

    #[test]
    fn overrides_never_panic(
        path in "(train|data|network|seeds|expect)(\\.(digits|layers|0|epochs|optimizer|adam|lr|split|x)){0,4}",
        value in "[ -~]{0,8}|-?[0-9]{1,20}|\\[\\]|\\{\\}|nan|inf",
    ) {
        let source = SourceText { name: "idea".to_owned(), origin: "idea.toml".to_owned(), text: IDEA.to_owned(), ..SourceText::default() };
        if let Err(error) = Study::new(&source, &[format!("{path}={value}")]) {
            prop_assert!(!error.message.is_empty());
        }
    }
}

// Unusual but valid files

#[test]
fn byte_order_marks_and_windows_line_endings_are_accepted() {
    let dir = TestDir::with_idea();
    dir.write("windows.toml", format!("\u{feff}{}", IDEA.replace('\n', "\r\n")));
    assert_eq!(curves(&dir.history(&["windows.toml"])), curves(&dir.history(&["idea.toml"])));
}
