//! Tables as other programs save them: line ends, separators, and files that are no text at all.

use crate::support::{Place, assert_says, idea_with, stderr, stdout};

/// What `data describe` prints of a table.
#[track_caller]
fn described(place: &Place, arguments: &[&str]) -> String {
    stdout(&place.run(&[&["data", "describe"], arguments].concat()).code(0))
}

fn idea_of(path: &str, more: &str) -> String {
    let data = format!("[data.csv]\npath = \"{path}\"\ntarget = \"y\"\ntask = \"values\"\n{more}");
    let idea = idea_with("[data.digits]\n", &data).replace("{ linear = 10 }", "{ linear = 1 }");
    idea.replace("\"cross_entropy\"", "\"mse\"")
}

#[test]
fn every_line_end_is_read() {
    let place = Place::new();
    for (name, text) in [
        ("mac.csv", "a,b,y\r1,2,3\r2,3,4\r3,1,2\r4,2,6"),
        ("mixed.csv", "a,b,y\r\n1,2,3\n2,3,4\r\n3,1,2\n4,2,6"),
        ("last.csv", "a,b,y\n1,2,3\n2,3,4\n3,1,2\r4,2,6\r"),
    ] {
        place.write(name, text);
        let text = described(&place, &[name, "--target", "y"]);
        assert!(text.contains("4 rows"), "{name}:\n{text}");
        place.write("idea.toml", idea_of(name, ""));
        let history = place.history(&["idea.toml"]);
        assert_eq!(history["data"]["rows"]["train"], 4, "{name}");
    }
}

#[test]
fn the_line_that_excel_writes_names_the_separator() {
    let place = Place::new();
    place.write("sep.csv", "sep=;\r\na;b;y\r\n1;2;3\r\n2;3;4\r\n3;1;2\r\n4;2;6\r\n");
    for more in [&[][..], &["--separator", ";"]] {
        let text = described(&place, &[&["sep.csv", "--target", "y"], more].concat());
        assert!(text.contains("4 rows"), "{text}");
    }
    for more in ["", "separator = \";\"\n"] {
        place.write("idea.toml", idea_of("sep.csv", more));
        assert_eq!(place.history(&["idea.toml"])["data"]["rows"]["train"], 4);
    }
    place.write("comment.csv", "# exported in May\na,b,y\n1,2,3\n");
    let said = stderr(&place.run(&["data", "describe", "comment.csv"]).code(2));
    assert_says(&said, &["row 1 (line 2) has 3 fields", "remove line 1 (`# exported in May`)"]);
}

#[test]
fn a_tab_is_named_as_the_hint_says() {
    let place = Place::new();
    place.write("t.tsv", "a\tb\ty\n1\t2\t3\n2\t3\t4\n3\t1\t2\n4\t2\t6\n");
    let said = stderr(&place.run(&["data", "describe", "t.tsv"]).code(2));
    assert_says(&said, &["is the separator `tab`? Then say `--separator 'tab'`"]);
    for tab in ["tab", "\\t", "\t"] {
        let text = described(&place, &["t.tsv", "--separator", tab]);
        assert!(text.contains("4 rows"), "{text}");
    }
    assert_says(
        &stderr(&place.run(&["data", "describe", "t.tsv", "--separator", "tabs"]).code(2)),
        &["or `tab`", "\"tabs\""],
    );
    place.write("idea.toml", idea_of("t.tsv", ""));
    assert_says(&place.refusal(&["exp", "idea.toml"]), &["Then say `separator = \"tab\"`"]);
    for tab in ["\"tab\"", "\"\\t\"", "'\\t'"] {
        place.write("idea.toml", idea_of("t.tsv", &format!("separator = {tab}\n")));
        assert_eq!(place.history(&["idea.toml"])["data"]["rows"]["train"], 4, "{tab}");
    }
    place.write("idea.toml", idea_of("t.tsv", "separator = \"tabs\"\n"));
    assert_says(&place.refusal(&["exp", "idea.toml"]), &["or `tab`, found \"tabs\""]);
}

#[test]
fn files_that_are_no_text_are_named_by_what_they_are() {
    let place = Place::new();
    let workbook = b"PK\x03\x04\x14\0\x06\0[Content_Types].xml xl/workbook.xml";
    place.write("good.csv", "a,b,y\n1,2,3\n2,3,4\n3,1,2\n4,2,6\n");
    place.write("idea.toml", idea_of("good.csv", ""));
    place.history(&["idea.toml"]);
    for (name, bytes, words) in [
        ("book.xlsx", &workbook[..], "an Excel workbook (.xlsx)"),
        ("book.csv", workbook, "an Excel workbook (.xlsx)"),
        ("table.parquet", b"PAR1\x15\x04PAR1", "a Parquet file"),
        ("table.zip", b"PK\x03\x04\x14\0\0\0table.csv", "a ZIP archive"),
    ] {
        place.write(name, bytes);
        let expected = [name, words, "CSV text in UTF-8", "`.csv.gz`"];
        assert_says(&stderr(&place.run(&["data", "describe", name]).code(2)), &expected);
        assert_says(&stderr(&place.run(&["predict", "idea", "--csv", name]).code(2)), &expected);
        place.write("other.toml", idea_of(name, ""));
        assert_says(&place.refusal(&["exp", "other.toml"]), &expected);
    }
    let said = stderr(&place.run(&["data", "describe", "none.parquet"]).code(2));
    assert_says(&said, &["`none.parquet` does not exist, and a Parquet file could not be read", "CSV text in UTF-8"]);
}
