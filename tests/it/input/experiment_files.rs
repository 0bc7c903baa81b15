//! Files that are no experiments, and files that only look as if they were none.

use insta::assert_snapshot;
use proptest::prelude::*;
use runner::experiment::plan::study::Study;
use runner::experiment::spec::source_text::SourceText;

use crate::support::{IDEA, Place, assert_says, curves};

// Files that are no experiments

#[test]
fn a_missing_file_is_refused_by_its_name() {
    assert_snapshot!(Place::new().refusal(&["exp", "my/idea.toml"]), @r"
    error: failed to read the experiment `my/idea.toml`
      because No such file or directory (os error 2)
    hint: `runner list` shows the experiments that have a name
    ");
    assert_says(&Place::new().refusal(&["show", "idea.toml"]), &["`idea.toml`", "No such file"]);
}

#[test]
fn a_folder_is_refused_as_one() {
    let place = Place::new();
    std::fs::create_dir(place.path("idea.toml")).unwrap();
    assert_says(&place.refusal(&["exp", "idea.toml"]), &["failed to read", "`idea.toml`", "directory"]);
    assert_says(&place.refusal(&["exp", "./"]), &["failed to read", "`./`", "directory"]);
}

#[test]
fn a_file_that_is_no_experiment_is_refused_by_its_name() {
    let refusal = |bytes: &[u8]| {
        let place = Place::new();
        place.write("idea.toml", bytes);
        place.refusal(&["exp", "idea.toml"])
    };
    assert_snapshot!(refusal(b"hello, this is no experiment {"), @r"
    error: failed to read `idea.toml`
    TOML parse error at line 1, column 6
      |
    1 | hello, this is no experiment {
      |      ^
    key with no value, expected `=`
    ");
    assert_says(&refusal(b""), &["failed to read", "`idea.toml`", "`title`"]);
    assert_says(&refusal(b"title = \"cut off"), &["failed to read", "`idea.toml`", "line 1"]);
    assert_says(&refusal(&[0xff, 0xfe, 0x00, 0x81, 0x7f, 0x00]), &["failed to read", "`idea.toml`", "utf-8"]);
    assert_says(&refusal(b"{\"title\": \"JSON\"}"), &["failed to read", "`idea.toml`", "line 1"]);
    assert_says(&refusal(b"title = \"no more\""), &["failed to read", "`idea.toml`", "missing field `data`"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_slip_of_the_keyboard_is_a_panic(at in 0..IDEA.len(), removed in 0..12_usize, typed in "[ -~\n]{0,6}") {
        let mut text = IDEA.to_owned();
        text.replace_range(at..(at + removed).min(IDEA.len()), &typed);
        let source = SourceText { name: "idea".to_owned(), origin: "idea.toml".to_owned(), text, folder: None };
        if let Err(error) = Study::new(&source, &[]) {
            prop_assert!(error.message.contains("idea.toml"), "{}", error.message);
        }
    }

    #[test]
    fn no_override_is_a_panic(
        path in "(train|data|network|seeds|expect)(\\.(digits|layers|0|epochs|optimizer|adam|lr|split|x)){0,4}",
        value in "[ -~]{0,8}|-?[0-9]{1,20}|\\[\\]|\\{\\}|nan|inf",
    ) {
        let source = SourceText { name: "idea".to_owned(), origin: "idea.toml".to_owned(), text: IDEA.to_owned(), folder: None };
        if let Err(error) = Study::new(&source, &[format!("{path}={value}")]) {
            prop_assert!(!error.message.is_empty());
        }
    }
}

// What looks bad and is not

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_read() {
    let place = Place::with_idea();
    place.write("windows.toml", format!("\u{feff}{}", IDEA.replace('\n', "\r\n")));
    assert_eq!(curves(&place.history(&["windows.toml"])), curves(&place.history(&["idea.toml"])));
}
