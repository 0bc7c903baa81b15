//! Text for people: lines that fit the terminal.

use crate::cli::terminal;

/// Breaks a sentence into lines that fit the terminal.
pub fn wrapped(sentence: &str) -> String {
    let width = terminal::width().clamp(40, 100);
    let mut lines = vec![String::new()];
    for word in sentence.split(' ') {
        let line = lines.last_mut().expect("never empty");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}
