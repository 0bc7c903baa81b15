//! Tables in several files, named by a pattern, plain or compressed.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::{TestDir, assert_says, curves, stdout};

fn experiment(path: &str) -> String {
    format!(
        "title = \"Parts\"\n[data.csv]\npath = \"{path}\"\ntarget = \"y\"\nencode = \"one_hot\"\nscale = \"standard\"\n\
         split = {{ validation = 0.25, random_state = 1 }}\n[network]\nlayers = [{{ linear = 2 }}]\n\
         [train]\nepochs = 3\nbatch = 8\nloss = \"cross_entropy\"\noptimizer = \"adam\"\n"
    )
}

/// Rows with a number, a city and a class.
fn rows(range: std::ops::Range<usize>) -> impl Iterator<Item = [String; 3]> {
    range.map(|row| {
        let city = ["Rome", "Oslo", "Bonn"][row % 3];
        [format!("{}", row * row % 17), city.to_owned(), if row % 2 == 0 { "yes" } else { "no" }.to_owned()]
    })
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn several_files_are_trained_on_as_one_table() {
    let dir = TestDir::new();
    let text = |range| rows(range).map(|row| row.join(",") + "\n").collect::<String>();
    let reordered: String = rows(20..30).map(|[x, city, y]| format!("{y},{x},{city}\n")).collect();
    dir.write("whole.csv", format!("x,city,y\n{}", text(0..40)));
    dir.write("parts/1.csv", format!("x,city,y\n{}", text(0..20)));
    dir.write("parts/2.csv", format!("y,x,city\n{reordered}"));
    dir.write("parts/3.csv.gz", gzip(&format!("x,city,y\n{}", text(30..40))));
    dir.write("whole.toml", experiment("whole.csv"));
    dir.write("parts.toml", experiment("parts/*.csv*"));
    dir.write("packed.csv.gz", gzip(&format!("x,city,y\n{}", text(0..40))));
    let (whole, parts) = (dir.history(&["whole.toml"]), dir.history(&["parts.toml"]));
    assert_eq!(curves(&parts), curves(&whole));
    assert_ne!(parts["data"]["sha256"], whole["data"]["sha256"]);
    dir.run(&["eval", "parts", "--data", "parts/*.csv"]).code(0);
    dir.run(&["predict", "parts", "--csv", "parts/?.csv"]).code(0);
    dir.run(&["reproduce", "parts"]).code(0);
    for path in ["parts/*.csv*", "packed.csv.gz"] {
        let described = stdout(&dir.run(&["data", "describe", path, "--target", "y"]).code(0));
        assert_says(&described, &[path, "40 rows of 3 columns", "yes"]);
        let section = stdout(&dir.run(&["data", "describe", path, "--target", "y", "--toml"]).code(0));
        assert_says(&section, &[&format!("path = \"{path}\"")]);
        dir.run(&["new", "made", "--csv", path, "--target", "y", "--force"]).code(0);
        dir.run(&["exp", "made.toml", "--set", "train.epochs=1", "--quiet"]).code(0);
    }
    // a typing mistake is found in its file
    dir.write("parts/2.csv", format!("y,x,city\n{}", reordered.replacen(",", ",1x", 1)));
    let refused = dir.error_message(&["exp", "parts.toml", "--set", "data.csv.encode=error"]);
    assert_says(&refused, &["row 1 (line 2) of `2.csv`"]);
    dir.write("parts/2.csv", "y,x,town\nyes,1,Rome\n");
    let refused = dir.error_message(&["exp", "parts.toml"]).replace('\n', " ").replace("  ", " ");
    assert_says(&refused, &["2.csv`, which has other columns than `1.csv`", "without `city`, with `town` in addition"]);
    assert_says(&dir.error_message(&["exp", "parts.toml", "--set", "data.csv.path=parts/*.tsv"]), &["matches no file"]);
}
