//! The order of variants: best first by the monitored metric.

use crate::views::metric_column::MetricColumn;
use crate::views::variants::ranking::direction;
use crate::views::variants::variant::Variant;

/// Variants, best first.
#[derive(Clone, Debug)]
pub struct Ranked<'a> {
    /// The variants. Those that cannot be the best come last.
    pub variants: Vec<Variant<'a>>,
    /// The metric that they are ordered by; `None` if no metric ranks them, so that they have the order of the file.
    pub by: Option<MetricColumn>,
}

impl<'a> Ranked<'a> {
    /// Returns the variants, best first by the metric that decides the best epoch. If it cannot be compared between them, the
    /// first metric that can decides.
    pub fn new(mut variants: Vec<Variant<'a>>) -> Ranked<'a> {
        let Some((by, higher_is_better)) = ranking_metric(&variants) else { return Ranked { variants, by: None } };
        let key = |variant: &Variant| {
            let value = variant.mean(|history| by.value(history));
            let group = match value {
                Some(_) if variant.is_complete() => 0,
                Some(_) => 1,
                None if variant.trials.is_empty() => 3,
                None => 2,
            };
            let value = value.unwrap_or(0.0);
            (group, if higher_is_better { -value } else { value })
        };
        variants.sort_by(|a, b| {
            let ((group, value), (other_group, other)) = (key(a), key(b));
            group.cmp(&other_group).then(value.total_cmp(&other))
        });
        Ranked { variants, by: Some(by) }
    }

    /// Returns the best variant with its value; `None` if no variant can be the best.
    pub fn best(&self) -> Option<(&Variant<'a>, f64)> {
        let first = self.variants.first().filter(|variant| variant.is_complete())?;
        Some((first, self.value(first)?))
    }

    /// Returns a variant's mean of the metric that they are ordered by.
    pub fn value(&self, variant: &Variant) -> Option<f64> {
        let by = self.by.as_ref()?;
        variant.mean(|history| by.value(history))
    }
}

/// Returns the metric that ranks the variants, and whether higher is better.
fn ranking_metric(variants: &[Variant]) -> Option<(MetricColumn, bool)> {
    let trials: Vec<_> = variants.iter().flat_map(|variant| variant.trials.iter().copied()).collect();
    let monitored =
        trials.iter().filter_map(|history| Some(MetricColumn::Kept(history.best.as_ref()?.monitor.clone())));
    let others = MetricColumn::groups(&trials, false).concat();
    monitored.chain(others).find_map(|column| {
        let has_values = variants.iter().any(|variant| variant.mean(|history| column.value(history)).is_some());
        let higher_is_better = direction(&column, variants).filter(|_| has_values)?;
        Some((column, higher_is_better))
    })
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;

    use super::*;
    use crate::history::{Best, History, Status};
    use crate::views::fixtures::{ended, history};

    fn trial(variant: &str, acc: f64) -> History {
        let mut trial =
            history(variant, 0, &[("loss", &[0.9, acc]), ("val_loss", &[0.9, acc]), ("val_acc", &[0.5, acc])]);
        trial.best = Some(Best { epoch: 2, monitor: "val_acc".to_owned(), metrics: IndexMap::new() });
        trial
    }

    fn order(histories: &[History]) -> (Vec<&str>, Option<String>) {
        let ranked = Ranked::new(Variant::all(["a", "b", "c", "cut", "late"], histories));
        let names = ranked.variants.iter().map(|variant| variant.name).collect();
        (names, ranked.by.map(|by| by.name()))
    }

    #[test]
    fn variants_are_ordered_by_the_monitored_metric_and_incomplete_ones_come_last() {
        let cut = ended(trial("cut", 0.99), Status::Interrupted, 60);
        let mut histories = [trial("a", 0.7), trial("b", 0.9), trial("c", 0.8), cut];
        assert_eq!(order(&histories), (vec!["b", "c", "a", "cut", "late"], Some("val_acc".to_owned())));
        for history in &mut histories {
            history.best.as_mut().unwrap().monitor = "val_loss".to_owned();
        }
        assert_eq!(order(&histories), (vec!["a", "c", "b", "cut", "late"], Some("val_loss".to_owned())));
    }

    #[test]
    fn different_losses_are_not_compared_but_another_metric_is() {
        let mut histories = [trial("a", 0.7), trial("b", 0.9), trial("c", 0.8)];
        for history in &mut histories {
            history.best.as_mut().unwrap().monitor = "val_loss".to_owned();
        }
        histories[0].config["train"]["loss"] = "mae".into();
        assert_eq!(order(&histories).1, Some("val_acc".to_owned()));
    }
}
