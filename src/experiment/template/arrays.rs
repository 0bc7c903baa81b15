//! Experiments on a file of arrays.

use crate::data::inspect::array_section::{ArraySummary, holds_out};
use crate::data::inspect::problem::Problem;
use crate::experiment::template::file::{TRAINING_SHARE, assemble};
use crate::experiment::template::model::Task;

/// Returns the experiment on a file of arrays; `None` if its targets are yes-or-no labels. `path` is the path of the file
/// as it is written.
pub fn of_arrays(name: &str, summary: &ArraySummary, path: &str) -> Option<String> {
    let problem = summary.problem.as_ref()?;
    let is_split = summary.info.validation_rows == 0;
    let share = if is_split && holds_out(&summary.info) { TRAINING_SHARE } else { 1.0 };
    let training_rows = (summary.info.rows as f64 * share) as usize;
    let task = Task { problem, training_rows, holds_out: holds_out(&summary.info) };
    let question = match problem {
        Problem::Classes { .. } => "Which class does a row have?",
        Problem::Values { .. } => "How large is the target?",
    };
    let text = assemble(name, "Predict y", question, task, &summary.section(path));
    Some(match summary.info.sample.flat() {
        Some(_) => text,
        None => text.replacen("layers = [\n    ", "layers = [\n    \"flatten\", ", 1).replacen(
            "layers = [{",
            "layers = [\"flatten\", {",
            1,
        ),
    })
}
