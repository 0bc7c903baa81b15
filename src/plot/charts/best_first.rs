//! Order of groups in plots: the variants of a run are ranked by their monitored metric, and of very many groups only the
//! best are drawn.

use crate::compare::direction::higher_is_better;
use crate::compare::group::Group;
use crate::compare::ranking::RankingRules;
use crate::compare::statistics::mean;
use crate::plot::charts::epoch_marks;

/// Returns the groups, best first; in their order if no metric ranks them.
pub fn best_first(groups: Vec<Group>) -> Vec<Group> {
    let Some((_, order)) = rank(&groups) else { return groups };
    let mut groups: Vec<Option<Group>> = groups.into_iter().map(Some).collect();
    order.into_iter().filter_map(|place| groups[place].take()).collect()
}

/// Keeps the best groups, or the first if no metric ranks them, if there are more than `most`. Adds a note about the others
/// and returns it as a sentence for the plot.
pub fn keep(shown: &mut Vec<&Group>, most: usize, notes: &mut Vec<String>) -> Option<String> {
    let all = shown.len();
    if all <= most {
        return None;
    }
    let groups: Vec<Group> = shown.iter().map(|group| (*group).clone()).collect();
    let which = match rank(&groups) {
        Some((metric, order)) => {
            let mut kept = order[..most].to_vec();
            kept.sort_unstable();
            *shown = kept.into_iter().map(|place| shown[place]).collect();
            format!("the best {most} of {all} by {metric}")
        }
        None => {
            shown.truncate(most);
            format!("the first {most} of {all}")
        }
    };
    notes.push(format!("plotting only {which}; name others, such as `RUN/VARIANT`, to plot them"));
    Some(format!("Only {which} are shown."))
}

/// Returns the metric that all groups monitor, and the indices of the groups, best first: groups that leak come behind the
/// others, groups without a value last. `None` if there is no such metric, or if it does not rank them.
fn rank(groups: &[Group]) -> Option<(String, Vec<usize>)> {
    let mut monitors = groups.iter().filter_map(epoch_marks::monitor);
    let metric = monitors.next().filter(|first| monitors.all(|other| other == *first))?;
    let higher = higher_is_better(metric)?;
    if !RankingRules::new(groups).ranks(metric) {
        return None;
    }
    let value = |group: &Group| {
        let values = group.values(|trial| trial.kept(metric));
        (!values.is_empty()).then(|| mean(&values))
    };
    let values: Vec<Option<f64>> = groups.iter().map(value).collect();
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by(|&one, &other| {
        let key = |place: usize| (values[place].is_none(), groups[place].leaks());
        let [a, b] = [one, other].map(|place| values[place].unwrap_or(0.0));
        key(one).cmp(&key(other)).then(if higher { b.total_cmp(&a) } else { a.total_cmp(&b) })
    });
    Some((metric.to_owned(), order))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::trial::Record;
    use crate::plot::layout_checks::groups;

    /// Groups with these validation losses and accuracies in the best epoch.
    fn with_values(values: &[(f64, f64)], monitor: &str) -> Vec<Group> {
        let mut groups = groups(values.len(), 1, 12);
        for (group, (loss, accuracy)) in groups.iter_mut().zip(values) {
            let Record::Runner(history) = &mut group.trials[0].record else { unreachable!("made here") };
            history.history.series["val_loss"].iter_mut().for_each(|value| value.0 = *loss);
            history.history.series["val_acc"].iter_mut().for_each(|value| value.0 = *accuracy);
            history.best.as_mut().unwrap().monitor = monitor.to_owned();
        }
        groups
    }

    fn labels<'a>(groups: impl IntoIterator<Item = &'a Group>) -> Vec<&'a str> {
        groups.into_iter().map(|group| group.label.as_str()).collect()
    }

    #[test]
    fn the_direction_of_the_monitored_metric_decides_and_a_group_without_values_is_last() {
        let values = [(f64::NAN, f64::NAN), (0.3, 0.8), (0.2, 0.7), (0.4, 0.9)];
        let by = |monitor| best_first(with_values(&values, monitor));
        assert_eq!(labels(&by("val_loss")), ["variant2", "variant1", "variant3", "variant0"]);
        assert_eq!(labels(&by("val_acc")), ["variant3", "variant1", "variant2", "variant0"]);
        assert_eq!(labels(&by("my_own")), ["variant0", "variant1", "variant2", "variant3"], "no direction");
    }

    #[test]
    fn of_too_many_groups_the_best_are_kept_in_their_order_and_the_rest_counted() {
        let groups = with_values(&[(0.4, 0.5), (0.9, 0.5), (0.2, 0.5)], "val_loss");
        let mut shown: Vec<&Group> = groups.iter().collect();
        let mut notes = Vec::new();
        assert_eq!(keep(&mut shown, 3, &mut notes), None);
        let below = keep(&mut shown, 2, &mut notes).unwrap();
        assert_eq!(labels(shown), ["variant0", "variant2"]);
        assert_eq!(below, "Only the best 2 of 3 by val_loss are shown.");
        assert!(notes[0].contains("the best 2 of 3 by val_loss"), "{notes:?}");
    }
}
