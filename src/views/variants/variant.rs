//! A variant with its trials: means over them, and what its metrics can be compared with.

use crate::compare::group::Group;
use crate::compare::ranking::same_loss;
use crate::compare::statistics::mean;
use crate::history::diagnosis::Verdict;
use crate::history::{History, Status};

/// A variant with its trials.
#[derive(Clone, Debug)]
pub struct Variant<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its trials; none if the run was interrupted before them.
    pub trials: Vec<&'a History>,
}

impl<'a> Variant<'a> {
    /// Returns the variants of these names with their trials, the baseline first.
    pub fn all(names: impl IntoIterator<Item = &'a str>, histories: &'a [History]) -> Vec<Variant<'a>> {
        let trials = |name| histories.iter().filter(|history| history.variant == name).collect();
        names.into_iter().map(|name| Variant { name, trials: trials(name) }).collect()
    }

    /// Returns the groups that runner trained as variants.
    pub fn of_groups(groups: &'a [Group]) -> Vec<Variant<'a>> {
        let variant = |group: &'a Group| Variant {
            name: &group.label,
            trials: group.trials.iter().filter_map(|trial| trial.history()).collect(),
        };
        groups.iter().map(variant).filter(|variant| !variant.trials.is_empty()).collect()
    }

    /// Returns a metric of each trial that has not diverged, if it is finite.
    pub fn values(&self, metric: impl Fn(&History) -> Option<f64>) -> Vec<f64> {
        let sound = self.trials.iter().filter(|history| history.status != Status::Diverged);
        sound.filter_map(|history| metric(history)).filter(|value| value.is_finite()).collect()
    }

    /// Returns the mean of a metric; `None` without any value.
    pub fn mean(&self, metric: impl Fn(&History) -> Option<f64>) -> Option<f64> {
        Some(self.values(metric)).filter(|values| !values.is_empty()).map(|values| mean(&values))
    }

    /// Returns whether all trials ended as planned and none has data leakage, so that the variant can be the best.
    pub fn is_complete(&self) -> bool {
        let ended = |history: &&History| matches!(history.status, Status::Completed | Status::EarlyStopped);
        !self.trials.is_empty() && self.trials.iter().all(ended) && self.leak().is_none()
    }

    /// Returns the reason for data leakage; `None` if there is none.
    pub fn leak(&self) -> Option<&'a str> {
        self.trials.iter().find_map(|history| history.data.resample.as_ref()?.leak.as_deref())
    }

    /// Returns whether both predict the same target of the same data, so that their metrics can be compared. A variant
    /// without trials agrees with all others.
    pub fn predicts_as(&self, other: &Variant) -> bool {
        let (Some(one), Some(other)) = (self.trials.first(), other.trials.first()) else { return true };
        let data =
            |history: &History| (history.data.name.clone(), history.data.sha256.clone(), history.data.classes.clone());
        data(one) == data(other)
    }

    /// Returns whether both predict the same target with comparable losses. A variant without a loss agrees with all
    /// others.
    pub fn minimizes_as(&self, other: &Variant) -> bool {
        let (Some(one), Some(two)) = (self.trials.first(), other.trials.first()) else { return true };
        self.predicts_as(other) && same_loss(one, two)
    }

    /// Returns the most frequent diagnosis, with its count if there are others: `overfits 2/3`.
    pub fn diagnosis(&self) -> String {
        if self.leak().is_some() {
            return "data leakage".to_owned();
        }
        let count = |verdict| self.trials.iter().filter(|history| history.verdict() == Some(verdict)).count();
        // of equal counts, the most serious one
        let most = Verdict::ALL.into_iter().rev().max_by_key(|verdict| count(*verdict)).filter(|most| count(*most) > 0);
        let Some(most) = most else { return "–".to_owned() };
        let word = match most {
            Verdict::Underfitting => "underfits",
            Verdict::Overfitting => "overfits",
            Verdict::Good | Verdict::Diverged | Verdict::Unstable => most.word(),
        };
        match count(most) {
            all if all == self.trials.len() => word.to_owned(),
            some => format!("{word} {some}/{}", self.trials.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::fixtures::{ended, history};

    #[test]
    fn the_diagnosis_is_the_most_frequent_one_with_its_count() {
        let diagnosis = |statuses: &[Status]| {
            let trial = |&status| ended(history("a", 0, &[("loss", &[0.9, 0.4])]), status, 2);
            let histories: Vec<History> = statuses.iter().map(trial).collect();
            Variant::all(["a"], &histories)[0].diagnosis()
        };
        assert_eq!(diagnosis(&[Status::Completed, Status::EarlyStopped]), "good");
        assert_eq!(diagnosis(&[Status::Completed, Status::Completed, Status::Diverged]), "good 2/3");
        assert_eq!(diagnosis(&[Status::Completed, Status::Diverged]), "diverged 1/2", "of equals the more serious");
        assert_eq!(diagnosis(&[]), "–");
    }

    #[test]
    fn variants_are_comparable_if_data_target_and_loss_are_the_same() {
        let trial = |variant| history(variant, 0, &[("loss", &[0.9, 0.4])]);
        let mut histories = [trial("a"), trial("b"), trial("labels"), trial("loss"), trial("weighted")];
        histories[2].data.classes = vec!["even".to_owned(), "prime".to_owned()];
        histories[3].config["train"]["loss"] = "mae".into();
        histories[4].config["data"] = serde_json::json!({ "csv": { "weights": "w" } });
        let names = ["a", "b", "labels", "loss", "weighted", "absent"];
        let [a, b, labels, loss, weighted, absent] = &Variant::all(names, &histories)[..] else { panic!("six") };
        assert!(a.minimizes_as(b) && a.minimizes_as(absent));
        assert!(!a.predicts_as(labels) && !a.minimizes_as(labels), "though the losses are the same");
        assert!(a.predicts_as(loss) && !a.minimizes_as(loss));
        assert!(a.predicts_as(weighted) && !a.minimizes_as(weighted), "rows count differently");
    }
}
