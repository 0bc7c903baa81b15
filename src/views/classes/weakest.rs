//! The classes with the lowest F1 on the test rows.

use crate::compare::statistics::mean;
use crate::history::History;
use crate::history::number::brief;
use crate::views::classes::confusion::class_name;
use crate::views::document::statistic::unbroken;

/// Maximum number of classes.
const MOST: usize = 3;

/// A class with its mean F1 over the trials; 0 if it is undefined because the class is never predicted.
struct Class {
    index: usize,
    f1: f64,
}

/// Returns a sentence with the weakest classes, the weakest first, and the class that each is most often confused with. At most
/// three are named, and fewer than there are; `None` without metrics by class, if there are only two classes, and if all
/// classes have an F1 of 1.
pub fn sentence(trials: &[&History]) -> Option<String> {
    let classes = by_f1(trials)?;
    let names = &trials.first()?.data.classes;
    let most = MOST.min(classes.len() - 1);
    let weak: Vec<&Class> = classes.iter().take(most).filter(|class| class.f1 < 1.0).collect();
    let what = match weak.len() {
        0 => return None,
        1 => "weakest class",
        _ => "weakest classes",
    };
    let shown = weak.into_iter().map(|class| {
        let mistake = most_frequent_mistake(trials, class.index);
        let mistake = mistake.map(|other| format!(" (confused with `{}`)", class_name(names, other)));
        unbroken(&format!("`{}` {}{}", class_name(names, class.index), brief(class.f1), mistake.unwrap_or_default()))
    });
    let shown = shown.collect::<Vec<_>>().join(", ");
    Some(format!("{what} by test F1: {shown}"))
}

/// Returns the classes that have test rows, the lowest F1 first; `None` with fewer than two, and if there are
/// only two classes.
fn by_f1(trials: &[&History]) -> Option<Vec<Class>> {
    let reports: Vec<_> = trials.iter().filter_map(|history| history.test.as_ref()?.report.as_ref()).collect();
    let count = reports.iter().map(|report| report.classes.len()).max()?;
    let f1 = |index: usize| {
        let classes = reports.iter().filter_map(|report| report.classes.get(index)).filter(|class| class.support > 0);
        let values: Vec<f64> = classes.map(|class| class.scores.f1.unwrap_or(0.0)).collect();
        (!values.is_empty()).then(|| Class { index, f1: mean(&values) })
    };
    let mut classes: Vec<Class> = (0..count).filter_map(f1).collect();
    classes.sort_by(|a, b| a.f1.total_cmp(&b.f1)); // stable
    Some(classes).filter(|classes| classes.len() > 1 && count > 2)
}

/// Returns the class that rows of this class are most often predicted as, apart from itself; `None` if they never are, or if
/// there are only two classes.
fn most_frequent_mistake(trials: &[&History], class: usize) -> Option<usize> {
    let rows: Vec<&Vec<u64>> =
        trials.iter().filter_map(|history| history.test.as_ref()?.confusion.as_ref()?.get(class)).collect();
    let count = |predicted: usize| rows.iter().filter_map(|row| row.get(predicted)).sum::<u64>();
    let others = (0..rows.first()?.len()).filter(|&predicted| predicted != class && count(predicted) > 0);
    // the first of equally frequent ones
    others.rev().max_by_key(|&predicted| count(predicted)).filter(|_| rows[0].len() > 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::test_record::TestRecord;
    use crate::metrics::confusion::Confusion;
    use crate::views::fixtures::history;

    fn trial(confusion: Vec<Vec<u64>>, classes: &[&str]) -> History {
        let mut trial = history("base", 0, &[("loss", &[0.5])]);
        trial.data.classes = classes.iter().map(|name| (*name).to_owned()).collect();
        let report = Some(Confusion(confusion.clone()).report());
        trial.test = Some(TestRecord { confusion: Some(confusion), report, ..TestRecord::default() });
        trial
    }

    fn shown(trials: &[History]) -> Option<String> {
        sentence(&trials.iter().collect::<Vec<_>>()).map(|text| text.replace('\u{a0}', " "))
    }

    #[test]
    fn the_weakest_classes_come_first_with_their_most_frequent_mistake() {
        let matrix = vec![vec![9, 1, 0, 0], vec![0, 5, 5, 0], vec![0, 0, 10, 0], vec![0, 0, 0, 10]];
        let weakest =
            "weakest classes by test F1: `b` 0.6250 (confused with `c`), `c` 0.8000, `a` 0.9474 (confused with `b`)";
        assert_eq!(shown(&[trial(matrix.clone(), &["a", "b", "c", "d"])]).unwrap(), weakest);
        let two = [trial(matrix.clone(), &["a", "b", "c", "d"]), trial(matrix, &["a", "b", "c", "d"])];
        assert_eq!(shown(&two).unwrap(), weakest, "means over trials");
    }

    #[test]
    fn of_two_classes_none_is_shown_and_classes_without_rows_are_not() {
        let two = trial(vec![vec![8, 2], vec![4, 6]], &["no", "yes"]);
        assert_eq!(shown(&[two]), None, "the metrics of the positive class say it");
        let three = trial(vec![vec![8, 2, 0], vec![4, 6, 0], vec![0, 0, 0]], &["no", "yes", "maybe"]);
        assert_eq!(shown(&[three]).unwrap(), "weakest class by test F1: `yes` 0.6667 (confused with `no`)");
        assert_eq!(shown(&[trial(vec![vec![8, 2], vec![0, 0]], &["no", "yes"])]), None);
        assert_eq!(shown(&[trial(vec![vec![8, 0], vec![0, 6]], &["no", "yes"])]), None, "no class is weak");
        assert_eq!(shown(&[history("base", 0, &[("loss", &[0.5])])]), None);
    }
}
