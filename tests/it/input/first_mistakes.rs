//! Mistakes of new users: the whole messages, as they are in `first_mistakes.txt`.

use std::fs::{File, OpenOptions};
use std::path::Path;

use crate::support::{TestDir, has_nvidia_driver, idea_with, stderr, stdout};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/input/first_mistakes.txt");

/// The text with escaped tabs and line ends.
fn unescaped(text: &str) -> String {
    text.replace("\\n", "\n").replace("\\t", "\t")
}

/// Runs a command and returns its messages, and the exit code if it is not 2. Run directories are called RUN.
fn message(dir: &TestDir, arguments: &str) -> String {
    let run = dir.run(&arguments.split(' ').collect::<Vec<_>>());
    let code = run.get_output().status.code().unwrap();
    let mut text = dir.without_paths(&format!("{}{}", stderr(&run), stdout(&run)));
    for entry in std::fs::read_dir(dir.path("runs/idea")).into_iter().flatten() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        text = if name == "latest" { text } else { text.replace(&name, "RUN") };
    }
    if code == 2 { text } else { format!("{text}\n(exit code {code})") }
}

/// Prepares the directory as a line of a part says; returns whether the line is an instruction.
fn prepare(dir: &TestDir, line: &str) -> bool {
    let Some((instruction, text)) = line.split_once(": ") else { return false };
    match instruction.split_once(' ').unwrap_or((instruction, "")) {
        ("idea", "") => {
            let (original, replacement) = text.split_once(" => ").unwrap();
            dir.write("idea.toml", idea_with(original, &unescaped(replacement)));
        }
        ("file", name) => dir.write(name, unescaped(text)),
        ("before", "") => drop(dir.run(&text.split(' ').collect::<Vec<_>>()).code(0)),
        ("cut", name) => {
            OpenOptions::new().write(true).open(dir.path(name)).unwrap().set_len(text.parse().unwrap()).unwrap();
        }
        ("lock", name) => {
            dir.write(name, text);
            let file = File::open(dir.path(name)).unwrap();
            file.lock().unwrap();
            std::mem::forget(file); // locked until the test ends
        }
        ("delete", "") => std::fs::remove_file(dir.path(text)).unwrap(),
        _ => return false,
    }
    true
}

/// Runs the commands of a part and returns it with their messages.
fn run_part(part: &str) -> String {
    let dir = TestDir::new();
    let mut lines = Vec::new();
    for line in part.lines() {
        if let Some(arguments) = line.strip_prefix("$ runner ") {
            lines.extend([line.to_owned(), message(&dir, arguments)]);
        } else if line.starts_with("## ") || prepare(&dir, line) {
            lines.push(line.to_owned());
        }
    }
    lines.join("\n")
}

#[test]
fn mistakes_of_new_users_are_explained() {
    let committed = std::fs::read_to_string(Path::new(FILE)).unwrap();
    let mut parts = committed.trim_end().split("\n\n## ");
    let mut current = vec![parts.next().unwrap().to_owned()];
    for part in parts.map(|part| format!("## {part}")) {
        let depends_on_gpu = part.contains("--device cuda") && has_nvidia_driver();
        current.push(if depends_on_gpu { part } else { run_part(&part) });
    }
    let current = format!("{}\n", current.join("\n\n"));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(FILE, &current).unwrap();
        return;
    }
    for (committed, current) in committed.split("\n\n").zip(current.split("\n\n")) {
        assert_eq!(current, committed, "update `first_mistakes.txt` with UPDATE_DOCS=1");
    }
    assert_eq!(current, committed);
}
