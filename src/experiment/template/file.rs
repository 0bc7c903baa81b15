//! The whole experiment file.

use crate::data::inspect::csv_section::{FEWEST_TO_HOLD_OUT, csv_section};
use crate::data::inspect::problem::Problem;
use crate::data::inspect::proposal::Proposal;
use crate::experiment::template::model::Task;

/// Share of the rows that are trained on: without 20 % test rows and 20 % of the rest for validation.
pub(super) const TRAINING_SHARE: f64 = 0.64;

/// Returns the experiment on a user's table. `path` is the path of the table as it is written.
pub fn of_table(name: &str, proposal: &Proposal, path: &str) -> String {
    let holds_out = proposal.rows >= FEWEST_TO_HOLD_OUT;
    let share = if holds_out { TRAINING_SHARE } else { 1.0 };
    let task = Task { problem: &proposal.problem, training_rows: (proposal.rows as f64 * share) as usize, holds_out };
    let question = match &proposal.problem {
        Problem::Classes { .. } => format!("Which `{}` does a row have?", proposal.target),
        Problem::Values { .. } => format!("How large is `{}`?", proposal.target),
    };
    assemble(name, &format!("Predict {}", proposal.target), &question, task, &csv_section(proposal, path))
}

/// Returns an experiment file with this `[data.…]` part.
pub(super) fn assemble(name: &str, title: &str, question: &str, task: Task, data: &str) -> String {
    let mut lines = vec![
        format!("# Experiment `{name}`. `runner show` prints all its settings, including defaults."),
        format!("title = {}", toml_edit::Value::from(title)),
        format!("question = {}", toml_edit::Value::from(question)),
        "# one trial for each seed; [0, 1, 2, 3, 4] shows how much results vary by chance".to_owned(),
        "seeds = [0]".to_owned(),
    ];
    lines.extend(task.top());
    lines.push(String::new());
    lines.push(data.to_owned());
    lines.extend(task.tables());
    lines.join("\n") + "\n"
}
