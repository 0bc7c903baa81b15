//! Tables as other programs save them: line endings, separators, and binary files.

use crate::support::{TestDir, assert_says, idea_with, stderr, stdout};

/// Output of `data describe` for a table.
#[track_caller]
fn describe(dir: &TestDir, arguments: &[&str]) -> String {
    stdout(&dir.run(&[&["data", "describe"], arguments].concat()).code(0))
}

fn experiment(path: &str, more: &str) -> String {
    let data = format!("[data.csv]\npath = \"{path}\"\ntarget = \"y\"\ntask = \"values\"\n{more}");
    let idea = idea_with("[data.digits]\n", &data).replace("{ linear = 10 }", "{ linear = 1 }");
    idea.replace("\"cross_entropy\"", "\"mse\"")
}

#[test]
fn every_line_ending_is_accepted() {
    let dir = TestDir::new();
    for (name, text) in [
        ("mac.csv", "a,b,y\r1,2,3\r2,3,4\r3,1,2\r4,2,6"),
        ("mixed.csv", "a,b,y\r\n1,2,3\n2,3,4\r\n3,1,2\n4,2,6"),
        ("last.csv", "a,b,y\n1,2,3\n2,3,4\n3,1,2\r4,2,6\r"),
    ] {
        dir.write(name, text);
        let text = describe(&dir, &[name, "--target", "y"]);
        assert!(text.contains("4 rows"), "{name}:\n{text}");
        dir.write("idea.toml", experiment(name, ""));
        let history = dir.history(&["idea.toml"]);
        assert_eq!(history["data"]["rows"]["train"], 4, "{name}");
    }
}

#[test]
fn the_separator_line_of_excel_is_used() {
    let dir = TestDir::new();
    dir.write("sep.csv", "sep=;\r\na;b;y\r\n1;2;3\r\n2;3;4\r\n3;1;2\r\n4;2;6\r\n");
    for more in [&[][..], &["--separator", ";"]] {
        let text = describe(&dir, &[&["sep.csv", "--target", "y"], more].concat());
        assert!(text.contains("4 rows"), "{text}");
    }
    for more in ["", "separator = \";\"\n"] {
        dir.write("idea.toml", experiment("sep.csv", more));
        assert_eq!(dir.history(&["idea.toml"])["data"]["rows"]["train"], 4);
    }
    dir.write("comment.csv", "# exported in May\na,b,y\n1,2,3\n");
    let message = stderr(&dir.run(&["data", "describe", "comment.csv"]).code(2));
    assert_says(&message, &["row 1 (line 2) has 3 fields", "remove line 1 (`# exported in May`)"]);
}

#[test]
fn a_tab_separator_can_be_set_as_the_hint_says() {
    let dir = TestDir::new();
    dir.write("t.tsv", "a\tb\ty\n1\t2\t3\n2\t3\t4\n3\t1\t2\n4\t2\t6\n");
    let detected = describe(&dir, &["t.tsv"]);
    assert_says(&detected, &["4 rows of 3 columns", "separator = \"tab\""]);
    for tab in ["tab", "\\t", "\t"] {
        let text = describe(&dir, &["t.tsv", "--separator", tab]);
        assert!(text.contains("4 rows"), "{text}");
    }
    assert_says(
        &stderr(&dir.run(&["data", "describe", "t.tsv", "--separator", "tabs"]).code(2)),
        &["or `tab`", "\"tabs\""],
    );
    dir.write("idea.toml", experiment("t.tsv", ""));
    assert_says(&dir.error_message(&["exp", "idea.toml"]), &["Then write `separator = \"tab\"`"]);
    for tab in ["\"tab\"", "\"\\t\"", "'\\t'"] {
        dir.write("idea.toml", experiment("t.tsv", &format!("separator = {tab}\n")));
        assert_eq!(dir.history(&["idea.toml"])["data"]["rows"]["train"], 4, "{tab}");
    }
    dir.write("idea.toml", experiment("t.tsv", "separator = \"tabs\"\n"));
    assert_says(&dir.error_message(&["exp", "idea.toml"]), &["or `tab`, found \"tabs\""]);
}

#[test]
fn binary_files_are_rejected_with_their_format() {
    let dir = TestDir::new();
    let workbook = b"PK\x03\x04\x14\0\x06\0[Content_Types].xml xl/workbook.xml";
    dir.write("good.csv", "a,b,y\n1,2,3\n2,3,4\n3,1,2\n4,2,6\n");
    dir.write("idea.toml", experiment("good.csv", ""));
    dir.history(&["idea.toml"]);
    for (name, bytes, words) in [
        ("book.xlsx", &workbook[..], "an Excel workbook (.xlsx)"),
        ("book.csv", workbook, "an Excel workbook (.xlsx)"),
        ("table.parquet", b"PAR1\x15\x04PAR1", "a Parquet file"),
        ("table.zip", b"PK\x03\x04\x14\0\0\0table.csv", "a ZIP archive"),
    ] {
        dir.write(name, bytes);
        let expected = [name, words, "CSV text in UTF-8", "`.csv.gz`"];
        assert_says(&stderr(&dir.run(&["data", "describe", name]).code(2)), &expected);
        assert_says(&stderr(&dir.run(&["predict", "idea", "--csv", name]).code(2)), &expected);
        dir.write("other.toml", experiment(name, ""));
        assert_says(&dir.error_message(&["exp", "other.toml"]), &expected);
    }
    let message = stderr(&dir.run(&["data", "describe", "none.parquet"]).code(2));
    assert_says(
        &message,
        &["`none.parquet` does not exist; a Parquet file cannot be read anyway", "CSV text in UTF-8"],
    );
}
