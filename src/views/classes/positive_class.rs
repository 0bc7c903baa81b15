//! The positive class: the one that precision, recall, F1, AP, ROC AUC and the threshold are about.

use crate::compare::group::Group;
use crate::compare::positive_class;
use crate::views::document::block::Block;

/// Returns a sentence that names the positive class; `None` if no metric is about one.
pub fn positive_class(groups: &[Group]) -> Option<Block> {
    let words = positive_class::describe(groups)?;
    let it = if words.starts_with("positive classes") { "these" } else { "it" };
    let words = words.replacen("positive class", "Positive class", 1);
    let about = format!("precision, recall, F1, AP, ROC AUC and the threshold are about {it}");
    Some(Block::Note(format!("{words}; {about}.")))
}
