//! Cautions about the comparison: one or two in full, or a line for each of the first ones; all in full with `--all`.

use indexmap::IndexMap;

use crate::cli::commands::compare::screen::Screen;
use crate::cli::text::text_style::TextStyle;
use crate::compare::caution::{self, Caution};

/// Maximum number of cautions that are shown without `--all`.
const MAX_SHOWN: usize = 3;
/// Maximum number of labels in a list without `--all`.
const MAX_LABELS: usize = 6;

/// Returns the cautions; `None` if there are none.
pub(crate) fn render(screen: &Screen, page: TextStyle) -> Option<String> {
    let (mut cautions, hidden) = sentences(screen);
    let shown = if screen.all { cautions.len() } else { cautions.len().min(MAX_SHOWN) };
    let more = cautions.len() - shown + hidden;
    cautions.truncate(shown);
    let wraps = screen.all || cautions.len() < MAX_SHOWN;
    let line = |sentence: String| match wraps {
        true => page.wrapped(&format!("caution: {sentence}"), 2),
        false => in_one_line(&format!("caution: {sentence}"), page.width),
    };
    let mut lines: Vec<String> = cautions.into_iter().map(line).collect();
    lines.extend((more > 0).then(|| format!("{more} more caution{} (`--all`)", if more == 1 { "" } else { "s" })));
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Returns the cautions as sentences, and the number of others, about groups that are not shown. Those with the same words
/// are one sentence.
fn sentences(screen: &Screen) -> (Vec<String>, usize) {
    let found = caution::find(&screen.groups, screen.comparison.by_validation());
    let mut by_text: IndexMap<&str, Vec<usize>> = IndexMap::new();
    for caution in &found {
        if let Caution::Group { group, text } = caution {
            by_text.entry(text).or_default().push(*group);
        }
    }
    let labels = |places: &[usize]| labels(places, screen);
    let common = found.iter().filter(|caution| !matches!(caution, Caution::Group { .. }));
    let sentence = |caution: &Caution| match caution {
        Caution::PositiveClasses(each) if !screen.all => format!("different positive classes: {each}"),
        caution => caution.sentence(&labels),
    };
    let mut sentences: Vec<String> = common.map(sentence).collect();
    let (shown, hidden): (Vec<_>, Vec<_>) =
        by_text.into_iter().partition(|(_, groups)| groups.iter().any(|group| screen.shown.contains(group)));
    sentences.extend(shown.into_iter().map(|(text, groups)| format!("{}: {text}", labels(&groups))));
    (sentences, hidden.len())
}

/// Returns the labels of groups as a list. Without `--all`, a long one ends in a number.
fn labels(places: &[usize], screen: &Screen) -> String {
    let mut shown: Vec<&str> = places
        .iter()
        .filter(|place| screen.shown.contains(place))
        .map(|&place| screen.groups[place].label.as_str())
        .collect();
    if !screen.all && shown.len() > MAX_LABELS {
        shown.truncate(MAX_LABELS - 1);
    }
    match (shown.len(), places.len() - shown.len()) {
        (_, 0) => shown.join(", "),
        (0, 1) => "1 run that is not shown".to_owned(),
        (0, hidden) => format!("{hidden} runs that are not shown"),
        (_, more) => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Returns a sentence that fits a line. If it is too long, the consequence (`, so …`) is left out; if that is not enough,
/// it ends in `…` after a whole word.
fn in_one_line(sentence: &str, width: usize) -> String {
    let fits = |text: &str| text.chars().count() <= width;
    if fits(sentence) {
        return sentence.to_owned();
    }
    let short = sentence.rsplit_once(", so ").map_or(sentence, |(short, _)| short);
    if fits(short) {
        return short.to_owned();
    }
    let cut: String = short.chars().take(width.saturating_sub(1)).collect();
    format!("{} …", cut.rsplit_once(' ').map_or(cut.as_str(), |(words, _)| words).trim_end_matches([',', ';', ':']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_that_is_too_long_loses_its_consequence_and_then_whole_words() {
        let sentence = "B: folds share rows, so p values are too small";
        assert_eq!(in_one_line(sentence, 46), sentence);
        assert_eq!(in_one_line(sentence, 45), "B: folds share rows");
        assert_eq!(in_one_line(sentence, 18), "B: folds share …");
    }
}
