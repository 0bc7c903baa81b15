//! Lines for job logs: `--log-every` and `--log-file`.

use crate::support::{TestDir, assert_says, idea_with, stderr};

fn epochs(text: &str) -> Vec<String> {
    let epoch = |line: &str| Some(line.split("epoch ").nth(1)?.trim_start().split('/').next()?.to_owned());
    text.lines().filter(|line| line.contains("epoch ") && line.contains('/')).filter_map(epoch).collect()
}

#[test]
fn epochs_are_printed_at_an_interval_and_at_the_end() {
    let dir = TestDir::new();
    dir.write("idea.toml", idea_with("epochs = 2", "epochs = 25"));
    let ran =
        |arguments: &[&str]| stderr(&dir.run(&[&["exp", "idea.toml", "--device", "cpu"], arguments].concat()).code(0));
    let every_tenth = ran(&["--log-every", "10"]);
    assert_eq!(epochs(&every_tenth), ["10", "20", "25"]);
    assert_says(&every_tenth, &["epoch 10/25  loss ", " epochs/s  ", " left\n"]);
    assert_eq!(epochs(&ran(&["--log-every", "1h"])), ["25"]);
    let by_default = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "12", "15", "18", "21", "24", "25"];
    assert_eq!(epochs(&ran(&[])), by_default);
    assert_says(&dir.error_message(&["exp", "idea.toml", "--log-every", "never"]), &["never", "expected epochs (`5`)"]);
}

#[test]
fn a_log_file_has_lines_messages_and_summaries_with_times() {
    let dir = TestDir::with_idea();
    let arguments = ["exp", "idea.toml", "--device", "cpu", "--quiet", "--log-file", "job.log"];
    dir.run(&arguments).code(0);
    let first = std::fs::read_to_string(dir.path("job.log")).unwrap();
    assert_eq!(epochs(&first), ["1", "2"]);
    assert_says(&first, &["Z idea: An idea\n", "1,797 training rows", "Z files: runs/idea/"]);
    let time = |line: &str| line.len() > 21 && &line[10..11] == "T" && &line[19..21] == "Z ";
    assert!(first.lines().all(time), "{first}");
    dir.run(&["reproduce", "idea", "--quiet", "--log-file", "job.log"]).code(0);
    let both = std::fs::read_to_string(dir.path("job.log")).unwrap();
    assert!(both.starts_with(&first) && epochs(&both).len() == 4, "{both}");
    assert_says(&dir.error_message(&["exp", "idea.toml", "--log-file", "."]), &["failed to open the log file `.`"]);
}
