//! Plot of confusion matrices as heat maps with counts and shares of the true class, one map per group.

use crate::compare::group::Group;
use crate::config::hint::hinted;
use crate::history::number::counted;
use crate::plot::Plot;
use crate::plot::charts::best_first;
use crate::plot::charts::heat_map::Layout;
use crate::plot::charts::mean_confusion::MeanConfusion;
use crate::plot::charts::titles;
use crate::plot::draw::page::{Page, PageOptions};

/// Maximum number of groups.
const MOST_GROUPS: usize = 12;

/// Draws the confusion matrices of the groups.
///
/// # Errors
/// When no group has one.
pub fn draw(groups: &[Group], options: &PageOptions) -> anyhow::Result<Plot> {
    let mut notes = Vec::new();
    let mut shown = Vec::new();
    for group in groups {
        match MeanConfusion::from_group(group) {
            Some(_) => shown.push(group),
            None => notes.push(format!("skipping `{}`: no confusion matrix", group.label)),
        }
    }
    if shown.is_empty() {
        return Err(hinted("none of these runs has a confusion matrix", "name a classification run with test rows"));
    }
    let rest = best_first::keep(&mut shown, MOST_GROUPS, &mut notes);
    let matrices: Vec<MeanConfusion> = shown.iter().filter_map(|group| MeanConfusion::from_group(group)).collect();
    let trial_noun = titles::trial_noun(&shown);
    let mut subtitle = titles::subtitle(&shown);
    if matrices.iter().any(|matrix| matrix.trials > 1) {
        subtitle += ": mean counts";
    }
    let layout = Layout::new(&matrices, options);
    let mut below = vec!["Numbers of test rows; percentages and colors are row-normalized (recall).".to_owned()];
    if layout.font.is_none() {
        below = vec!["Colors are row-normalized (recall); counts are in the histories.".to_owned()];
    }
    let partial = shown.iter().zip(&matrices).filter(|(group, matrix)| matrix.trials < group.trials.len());
    below.extend(
        partial.map(|(group, matrix)| {
            format!("{}: {} with test metrics.", group.label, counted(matrix.trials, trial_noun))
        }),
    );
    below.extend(rest);
    let descriptions: Vec<String> = matrices.iter().map(MeanConfusion::describe).collect();
    let page = Page {
        title: titles::title_of_kind(&shown, "confusion matrix"),
        subtitle,
        description: descriptions.join(" "),
        notes: below,
        ..Page::default()
    };
    let size = [layout.width(), layout.height(), layout.height()];
    let svg = page.draw(options, size, |svg, room| layout.draw(svg, room, &matrices));
    Ok(Plot { svg, notes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::trial::Record;
    use crate::history::test_record::TestRecord;
    use crate::plot::layout_checks::{groups, outside, overlapping};

    fn tested(many: usize, trials: usize, classes: usize, name: &str) -> Vec<Group> {
        let mut groups = groups(many, trials, 2);
        for (seed, trial) in groups.iter_mut().flat_map(|group| &mut group.trials).enumerate() {
            let Record::Runner(history) = &mut trial.record else { unreachable!("made here") };
            let count =
                |t: usize, p: usize| if t == p { 950 + seed as u64 } else { ((t * 7 + p * 3 + seed) % 5) as u64 };
            let confusion = (0..classes).map(|t| (0..classes).map(|p| count(t, p)).collect()).collect();
            history.test = Some(TestRecord { confusion: Some(confusion), ..TestRecord::default() });
            history.data.classes = (0..classes).map(|class| format!("{name}{class}")).collect();
        }
        groups
    }

    #[test]
    fn no_label_lies_outside_the_picture_or_upon_another() {
        for (many, trials, classes, name) in [
            (1, 1, 2, ""),
            (1, 5, 10, ""),
            (1, 1, 10, "a rather long class name "),
            (1, 1, 26, "c"),
            (1, 1, 100, ""),
            (5, 1, 3, "class "),
        ] {
            for width in [None, Some(420.0), Some(1200.0)] {
                let drawn =
                    draw(&tested(many, trials, classes, name), &PageOptions { width, ..PageOptions::default() })
                        .unwrap()
                        .svg;
                assert_eq!(outside(&drawn), Vec::<String>::new(), "{classes} classes at {width:?}");
                assert_eq!(overlapping(&drawn), Vec::<String>::new(), "{classes} classes at {width:?}");
            }
        }
    }

    #[test]
    fn counts_are_means_over_trials_and_shares_are_of_the_true_class() {
        let matrix = MeanConfusion::from_group(&tested(1, 2, 2, "")[0]).unwrap();
        assert_eq!(matrix.counts[0][0], 950.5);
        assert_eq!(matrix.count_text(0, 0), "950.5");
        let row: f64 = matrix.counts[0].iter().sum();
        assert_eq!(matrix.share(0, 0), Some(950.5 / row));
        let none = MeanConfusion { counts: vec![vec![0.0, 0.0], vec![1.0, 1.0]], ..matrix };
        assert_eq!((none.share(0, 0), none.share(1, 0)), (None, Some(0.5)));
        assert!(none.describe().contains("1 predicted as 0 (1)"), "{}", none.describe());
    }

    #[test]
    fn a_run_without_classes_is_told() {
        assert!(draw(&groups(1, 1, 2), &PageOptions::default()).is_err());
    }
}
