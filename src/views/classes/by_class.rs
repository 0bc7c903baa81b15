//! Metrics by class: confusion matrix, classification report, and the metrics at a chosen threshold.

use crate::compare::group::Group;
use crate::history::classification_report::{Report, Scores};
use crate::history::number::count;
use crate::views::classes::confusion::{ConfusionMatrix, class_name, class_names, tests};
use crate::views::classes::positive_class;
use crate::views::classes::thresholds;
use crate::views::document::block::{Block, Section};
use crate::views::document::statistic::mean_and_std_of;
use crate::views::document::table::{Cell, Table};

/// Matrices with more classes are replaced by the most frequent mistakes.
const MAX_CLASSES: usize = 40;

/// Returns the section; `None` if no group has test metrics by class.
pub fn section(groups: &[Group]) -> Option<Section> {
    let parts: Vec<(String, Vec<Block>)> = groups
        .iter()
        .enumerate()
        .map(|(place, group)| (group.label.clone(), by_class(group, place)))
        .filter(|(_, blocks)| !blocks.is_empty())
        .collect();
    let positive = positive_class::note(groups);
    (!parts.is_empty()).then(|| Section {
        id: "classes",
        title: "Classes",
        blocks: positive.into_iter().chain([Block::ByGroup(parts)]).collect(),
    })
}

/// Returns a group's confusion matrix, classification report and metrics at a chosen threshold, as far as it has them.
pub fn by_class(group: &Group, place: usize) -> Vec<Block> {
    let mut blocks = Vec::new();
    if let Some(matrix) = ConfusionMatrix::new(group, place) {
        blocks.extend([Block::Heading("Confusion matrix"), Block::Note(matrix.mistakes())]);
        blocks.push(match matrix.classes.len() {
            ..=MAX_CLASSES => Block::Confusion(matrix),
            size => Block::Note(format!("{size} classes are too many to show.")),
        });
    }
    let report = report(group).map(|table| [Block::Heading("Classification report"), Block::Table(table)]);
    let threshold = thresholds::at_threshold(group).map(|table| [Block::Heading("Threshold"), Block::Table(table)]);
    blocks.extend(report.into_iter().chain(threshold).flatten());
    blocks
}

/// Returns precision, recall and F1 of each class; over several trials, mean and standard deviation.
fn report(group: &Group) -> Option<Table> {
    let reports: Vec<&Report> = tests(group).filter_map(|test| test.report.as_ref()).collect();
    let first = reports.first()?;
    let several = match reports.len() {
        1 => String::new(),
        trials => format!(", mean ± standard deviation over {trials} trials"),
    };
    let heads = ["class", "precision", "recall", "F1", "test rows"];
    let mut table = Table::new(format!("Classification report{several}"), heads, 1..);
    let mut row = |name: String, of: &dyn Fn(&Report) -> Option<Scores>, support: u64| {
        let scores: Vec<Scores> = reports.iter().filter_map(|report| of(report)).collect();
        let shown =
            |score: fn(&Scores) -> Option<f64>| mean_and_std_of(&scores.iter().filter_map(score).collect::<Vec<f64>>());
        let cells = [name, shown(|of| of.precision), shown(|of| of.recall), shown(|of| of.f1), count(support as usize)];
        table.row(cells.map(Cell::Text));
    };
    for (class, of_first) in first.classes.iter().enumerate() {
        let name = class_name(class_names(group), class);
        row(name, &|report| Some(report.classes.get(class)?.scores), of_first.support);
    }
    let all = first.classes.iter().map(|class| class.support).sum();
    row("mean over classes (macro)".to_owned(), &|report| Some(report.macro_average), all);
    row("mean over rows (weighted)".to_owned(), &|report| Some(report.weighted_average), all);
    Some(table)
}
