//! Confusion matrix of test rows, summed over the trials of a group.

use std::cmp::Ordering;

use crate::compare::group::Group;
use crate::history::number::count;
use crate::history::test_record::TestRecord;
use crate::views::document::table::Table;

/// Counts of test rows by true and predicted class.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfusionMatrix {
    /// What the matrix shows.
    pub caption: String,
    /// The index of its group.
    pub group: usize,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// Number of rows, indexed by true class, then by predicted class.
    pub counts: Vec<Vec<u64>>,
}

impl ConfusionMatrix {
    /// Returns the matrix of a group's trials; `None` if none of them has one.
    pub fn new(group: &Group, place: usize) -> Option<ConfusionMatrix> {
        let (size, matrices) = matrices(group)?;
        let sum = |truth: usize, predicted: usize| matrices.iter().map(|matrix| matrix[truth][predicted]).sum::<u64>();
        let several = if matrices.len() > 1 { format!(", {} trials together", matrices.len()) } else { String::new() };
        Some(ConfusionMatrix {
            caption: format!("Test rows by true class (down) and predicted class (across){several}"),
            group: place,
            classes: (0..size).map(|class| class_name(class_names(group), class)).collect(),
            counts: (0..size).map(|truth| (0..size).map(|predicted| sum(truth, predicted)).collect()).collect(),
        })
    }

    /// Returns the share of a true class that is predicted as a class; `None` if the true class has no rows.
    pub fn share(&self, truth: usize, predicted: usize) -> Option<f64> {
        let all: u64 = self.counts[truth].iter().sum();
        (all > 0).then(|| self.counts[truth][predicted] as f64 / all as f64)
    }

    /// Returns the counts as a table.
    pub fn table(&self) -> Table {
        let heads = std::iter::once("true class").chain(self.classes.iter().map(String::as_str));
        let mut table = Table::new(self.caption.clone(), heads, 1..);
        for (name, counts) in self.classes.iter().zip(&self.counts) {
            let counts = counts.iter().map(|&number| count(usize::try_from(number).unwrap_or(usize::MAX)));
            table.row(std::iter::once(name.clone()).chain(counts));
        }
        table
    }

    /// Returns a sentence with the three most frequent mistakes.
    pub fn mistakes(&self) -> String {
        let mistakes = mistakes(&self.counts);
        let all: u64 = mistakes.iter().map(|(number, ..)| number).sum();
        if mistakes.is_empty() {
            return "No test row was predicted wrong.".to_owned();
        }
        let mistake = |&(number, truth, predicted): &(u64, usize, usize)| {
            format!("`{}` predicted as `{}` ({})", self.classes[truth], self.classes[predicted], count(number as usize))
        };
        let most: Vec<String> = mistakes.iter().take(3).map(mistake).collect();
        format!("{} mistakes; most often {}.", count(all as usize), most.join(", "))
    }
}

/// Returns the mistakes in a confusion matrix, the most frequent first: their number, true class and predicted class.
pub fn mistakes<N: Copy + Default + PartialOrd>(counts: &[Vec<N>]) -> Vec<(N, usize, usize)> {
    let mut mistakes = Vec::new();
    for (truth, row) in counts.iter().enumerate() {
        let wrong = row.iter().enumerate().filter(|(class, number)| *class != truth && **number > N::default());
        mistakes.extend(wrong.map(|(predicted, number)| (*number, truth, predicted)));
    }
    // equally frequent ones stay in the order of the classes
    mistakes.sort_by(|one, other| other.0.partial_cmp(&one.0).unwrap_or(Ordering::Equal));
    mistakes
}

/// Returns the number of classes, and the confusion matrices of a group's trials with as many classes; `None` if no trial
/// has one.
pub fn matrices(group: &Group) -> Option<(usize, Vec<&Vec<Vec<u64>>>)> {
    let all: Vec<&Vec<Vec<u64>>> = tests(group).filter_map(|test| test.confusion.as_ref()).collect();
    let size = all.first()?.len();
    let is_square = |matrix: &[Vec<u64>]| matrix.len() == size && matrix.iter().all(|row| row.len() == size);
    Some((size, all.into_iter().filter(|matrix| is_square(matrix)).collect()))
}

/// Returns the test records of a group's trials.
pub fn tests(group: &Group) -> impl Iterator<Item = &TestRecord> {
    group.trials.iter().filter_map(|trial| trial.history()?.test.as_ref())
}

/// Returns the names of a group's classes.
pub fn class_names(group: &Group) -> &[String] {
    group.trials.iter().find_map(|trial| Some(&trial.history()?.data.classes[..])).unwrap_or_default()
}

/// Returns the name of a class, or its number if it has no name.
pub fn class_name(classes: &[String], class: usize) -> String {
    classes.get(class).cloned().unwrap_or_else(|| class.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(counts: Vec<Vec<u64>>) -> ConfusionMatrix {
        let names = ["a".to_owned(), "<b>".to_owned()];
        let classes = (0..counts.len()).map(|class| class_name(&names, class)).collect();
        ConfusionMatrix { caption: String::new(), group: 0, classes, counts }
    }

    #[test]
    fn mistakes_are_listed_by_their_number() {
        let sentence = matrix(vec![vec![5, 2, 0], vec![7, 5, 0], vec![1, 0, 5]]).mistakes();
        assert_eq!(
            sentence,
            "10 mistakes; most often `<b>` predicted as `a` (7), `a` predicted as `<b>` (2), `2` predicted as `a` (1)."
        );
        assert_eq!(matrix(vec![vec![3, 0], vec![0, 4]]).mistakes(), "No test row was predicted wrong.");
    }

    #[test]
    fn a_share_is_of_the_true_class_and_undefined_without_rows() {
        let matrix = matrix(vec![vec![1, 3], vec![0, 0]]);
        assert_eq!((matrix.share(0, 1), matrix.share(1, 0)), (Some(0.75), None));
    }
}
