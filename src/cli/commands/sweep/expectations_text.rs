//! The expectations of a sweep as text, and the exit code of `--strict`.

use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::cli::text::text_style::TextStyle;
use crate::sweep::record::SweepRecord;
use crate::sweep::results::expectations::SweepExpectationResult;

/// Returns a line with a mark for each expectation.
pub(super) fn lines(expected: &[SweepExpectationResult], page: TextStyle) -> String {
    let line = |result: &SweepExpectationResult| {
        page.marked(result.met, &format!("{}: found {}", result.statement(), result.found_text()))
    };
    expected.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Prints which expectations were missed, or that there is none, and returns the exit code.
pub(super) fn strict_exit(record: &SweepRecord, expected: &[SweepExpectationResult]) -> Exit {
    let missed: Vec<String> = expected.iter().filter(|one| !one.met).map(SweepExpectationResult::statement).collect();
    let problem = match (expected.len(), &missed[..]) {
        (0, _) => {
            format!("`{}` has no `[[sweep.expect]]`: `--strict` has nothing to check", record.experiment)
        }
        (_, []) => return Exit::Done,
        (_, missed) => format!("missed: {}", missed.join("; ")),
    };
    terminal::say(&problem);
    Exit::Missed
}
