//! The confusion matrix of a group, and its numbers in words.

use crate::compare::group::Group;
use crate::plot::charts::metric_labels::list;
use crate::plot::draw::ticks::{number, percent};
use crate::views::classes::confusion::{class_name, class_names, matrices, mistakes};

/// Confusion matrix of a group, averaged over its trials.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MeanConfusion {
    /// Label of the group.
    pub(crate) label: String,
    /// Number of rows, indexed by true class, then by predicted class.
    pub(crate) counts: Vec<Vec<f64>>,
    /// Of the classes.
    pub(crate) names: Vec<String>,
    /// Number of trials in the mean.
    pub(super) trials: usize,
}

impl MeanConfusion {
    pub(super) fn from_group(group: &Group) -> Option<MeanConfusion> {
        let (classes, all) = matrices(group)?;
        let mean = |truth: usize, predicted: usize| {
            all.iter().map(|matrix| matrix[truth][predicted] as f64).sum::<f64>() / all.len() as f64
        };
        let counts = (0..classes).map(|t| (0..classes).map(|p| mean(t, p)).collect()).collect();
        let names = (0..classes).map(|class| class_name(class_names(group), class)).collect();
        (classes > 0 && !all.is_empty()).then(|| MeanConfusion {
            label: group.label.clone(),
            counts,
            names,
            trials: all.len(),
        })
    }

    /// Returns a cell's share of its true class (row-normalized); `None` if that class has no rows.
    pub(crate) fn share(&self, truth: usize, predicted: usize) -> Option<f64> {
        let all: f64 = self.counts[truth].iter().sum();
        (all > 0.0).then(|| self.counts[truth][predicted] / all)
    }

    pub(crate) fn count_text(&self, truth: usize, predicted: usize) -> String {
        let value = self.counts[truth][predicted];
        let is_whole = self.counts.iter().flatten().all(|count| count.fract() == 0.0);
        number(value, usize::from(!is_whole && value < 10_000.0))
    }

    /// Returns a share with one decimal; with up to three classes, small shares get more decimals.
    pub(crate) fn share_text(&self, share: f64) -> String {
        match share {
            _ if self.names.len() <= 3 => percent(share),
            share if share < 0.0005 => "< 0.1 %".to_owned(),
            share => format!("{} %", number(share * 100.0, 1)),
        }
    }

    /// Returns a description of the matrix in words.
    pub(super) fn describe(&self) -> String {
        let all: f64 = self.counts.iter().flatten().sum();
        let right: f64 = (0..self.counts.len()).map(|class| self.counts[class][class]).sum();
        let often = mistakes(&self.counts).into_iter().take(3).map(|(_, truth, predicted)| {
            let count = self.count_text(truth, predicted);
            format!("{} predicted as {} ({count})", self.names[truth], self.names[predicted])
        });
        let often: Vec<String> = often.collect();
        let share = if all > 0.0 { percent(right / all) } else { "none".to_owned() };
        let mistakes =
            if often.is_empty() { String::new() } else { format!(" Most frequent mistakes: {}.", list(&often, 3)) };
        format!("{}: {share} of {} rows are predicted correctly.{mistakes}", self.label, number(all, 0))
    }
}
