//! A variant with its trials: means over them, and which variant is the best by a figure.

use crate::cli::text::{number_format, settings};
use crate::experiment::plan::Plan;
use crate::experiment::plan::study::Study;
use crate::history::diagnosis::Verdict;
use crate::history::{History, Status};

/// A variant and what came of it.
#[derive(Debug)]
pub struct Compared<'a> {
    /// What was planned.
    pub plan: &'a Plan,
    /// Its trials; none where the run was interrupted before them.
    pub trials: Vec<&'a History>,
}

impl<'a> Compared<'a> {
    /// The variants of a study in order, the baseline first.
    pub fn of(study: &'a Study, histories: &'a [History]) -> Vec<Compared<'a>> {
        let variant = |plan: &'a Plan| Compared {
            plan,
            trials: histories.iter().filter(|history| history.variant == plan.variant).collect(),
        };
        study.plans.iter().map(variant).collect()
    }

    /// The variant's name.
    pub fn variant(&self) -> &'a str {
        &self.plan.variant
    }

    /// A figure of each trial that has not diverged, where it is a finite number.
    pub fn values(&self, figure: impl Fn(&History) -> Option<f64>) -> Vec<f64> {
        let sound = self.trials.iter().filter(|history| history.status != Status::Diverged);
        sound.filter_map(|history| figure(history)).filter(|value| value.is_finite()).collect()
    }

    /// The mean of a figure.
    pub fn mean(&self, figure: impl Fn(&History) -> Option<f64>) -> Option<f64> {
        number_format::mean(&self.values(figure))
    }

    /// Whether all trials went as planned and none of them leaked, so that the variant can be called the best.
    pub fn is_whole(&self) -> bool {
        let ended = |history: &&History| matches!(history.status, Status::Completed | Status::EarlyStopped);
        !self.trials.is_empty() && self.trials.iter().all(ended) && !self.leaks()
    }

    /// Whether rows were resampled before they were split.
    pub fn leaks(&self) -> bool {
        self.plan.spec.resample_before_split
    }

    /// How many epochs are trained at most; `None` where it is no network.
    pub fn epochs(&self) -> Option<usize> {
        self.plan.network().map(|network| network.train.epochs)
    }

    /// Whether both predict the same of the same data, so that their metrics can be compared.
    pub fn predicts_as(&self, other: &Compared) -> bool {
        let of = |variant: &Compared| (variant.plan.spec.data.name(), variant.plan.card.target);
        of(self) == of(other)
    }

    /// Whether both predict the same, and their losses measure the same; one that has none is in nobody's way.
    pub fn minimizes_as(&self, other: &Compared) -> bool {
        let same = match (self.plan.network(), other.plan.network()) {
            (Some(one), Some(other)) => one.train.loss.measures_as(&other.train.loss),
            _ => true,
        };
        self.predicts_as(other) && self.row_weights() == other.row_weights() && same
    }

    /// The loss in words; `None` where there is none.
    pub fn loss(&self) -> Option<String> {
        let weighted = self.row_weights().map(|column| format!(" weighted by {column}")).unwrap_or_default();
        Some(format!("{}{weighted}", settings::of_loss(&self.plan.network()?.train.loss)))
    }

    /// The column that says what each row counts in the loss.
    fn row_weights(&self) -> Option<&str> {
        self.plan.spec.data.weights()
    }

    /// What the curves of its trials show, in a word: the most frequent verdict, with its count where there are
    /// others.
    pub fn reading(&self) -> String {
        if self.leaks() {
            return "leaky".to_owned();
        }
        let verdicts: Vec<Verdict> = self.trials.iter().filter_map(|history| history.verdict()).collect();
        let count = |verdict: Verdict| verdicts.iter().filter(|other| **other == verdict).count();
        // of equal counts, the most serious one
        let most =
            Verdict::ALL.into_iter().rev().max_by_key(|verdict| count(*verdict)).filter(|_| !verdicts.is_empty());
        let Some(most) = most else { return "–".to_owned() };
        let word = match most {
            Verdict::Underfitting => "underfits",
            Verdict::Good => "good",
            Verdict::Overfitting => "overfits",
            Verdict::Diverged => "diverged",
            Verdict::Unstable => "unstable",
        };
        match count(most) {
            all if all == self.trials.len() => word.to_owned(),
            some => format!("{word} {some}/{}", self.trials.len()),
        }
    }
}

/// Which of the variants is the best by a figure, several where they show the same; none where more than half do, since
/// then none stands out.
///
/// `values` holds each variant's figure, `None` for one that cannot be the best; `shown` is how a figure is shown.
pub fn best(values: &[Option<f64>], higher_is_better: bool, shown: impl Fn(f64) -> String) -> Vec<bool> {
    let none = vec![false; values.len()];
    let contenders = || values.iter().flatten().copied();
    let better = |a: f64, b: f64| if (a > b) == higher_is_better { a } else { b };
    let Some(best) = contenders().reduce(better).map(&shown) else { return none };
    if 2 * contenders().filter(|value| shown(*value) == best).count() > contenders().count() {
        return none;
    }
    values.iter().map(|value| value.is_some_and(|value| shown(value) == best)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixtures::{history, study, study_with_data};
    use crate::history::number::brief;

    #[test]
    fn the_best_are_those_that_show_the_best_figure() {
        let values = [Some(0.91), Some(0.95), None, Some(0.950_000_1), Some(0.92)];
        assert_eq!(best(&values, true, brief), [false, true, false, true, false]);
        assert_eq!(best(&values, false, brief), [true, false, false, false, false]);
    }

    #[test]
    fn none_is_the_best_of_equals_alone_or_among_many_that_share_it() {
        assert_eq!(best(&[Some(0.0), Some(0.0), Some(1.0)], false, brief), [false; 3]);
        assert_eq!(best(&[Some(1.0), Some(1.0)], true, brief), [false, false]);
        assert_eq!(best(&[Some(1.0), None], true, brief), [false, false]);
        assert_eq!(best(&[None, None], true, brief), [false, false]);
    }

    #[test]
    fn a_reading_is_the_most_frequent_verdict_with_its_count() {
        let study = study(&[("a", "")]);
        let reading = |statuses: &[Status]| {
            let trial = |&status| history("a", 0, &[("loss", &[0.9, 0.4])]).ended(status, 2).0;
            let histories: Vec<History> = statuses.iter().map(trial).collect();
            Compared::of(&study, &histories)[0].reading()
        };
        assert_eq!(reading(&[Status::Completed, Status::EarlyStopped]), "good");
        assert_eq!(reading(&[Status::Completed, Status::Completed, Status::Diverged]), "good 2/3");
        assert_eq!(reading(&[Status::Completed, Status::Diverged]), "diverged 1/2", "of equals the more serious");
        assert_eq!(reading(&[]), "–");
    }

    #[test]
    fn variants_are_comparable_where_data_target_and_loss_are() {
        let labels = "\"data\" = { digits = { labels = [\"even\", \"prime\"] } }, \"train.loss\" = \"bce_with_logits\", \"network.layers\" = [{ linear = 2 }]";
        let mean = "\"train.loss\" = \"mse\"";
        let study = study(&[("a", ""), ("b", "\"train.epochs\" = 5"), ("labels", labels), ("mean", mean)]);
        let [a, b, labels, mean] = &Compared::of(&study, &[])[..] else { panic!("four variants") };
        assert!(a.minimizes_as(b));
        assert!(!a.predicts_as(labels) && !a.minimizes_as(labels), "though both losses are cross-entropies");
        assert!(a.predicts_as(mean) && !a.minimizes_as(mean));
    }

    #[test]
    fn a_loss_in_which_rows_count_differently_is_another_loss() {
        let folder = tempfile::tempdir().unwrap();
        let table = folder.path().join("table.csv");
        std::fs::write(&table, "x,w,y\n1,1,2.5\n2,3,3.5\n3,1,4.5\n").unwrap();
        let data = format!("[data.csv]\npath = {:?}\ntarget = \"y\"\ndrop = [\"w\"]", table.display().to_string());
        let weighted = "\"data.csv.weights\" = \"w\", \"data.csv.drop\" = []";
        let study = study_with_data(&data, "mse", 1, &[("plain", ""), ("weighted", weighted)]);
        let [plain, weighted] = &Compared::of(&study, &[])[..] else { panic!("two variants") };
        assert!(plain.predicts_as(weighted) && !plain.minimizes_as(weighted));
        assert_eq!(
            (plain.loss().unwrap(), weighted.loss().unwrap()),
            ("mse".to_owned(), "mse weighted by w".to_owned())
        );
    }
}
