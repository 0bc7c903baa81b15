//! A comparison: what groups share and differ in, every figure of each, and how sure the differences of the figures
//! that were asked for are.

use anyhow::anyhow;
use indexmap::IndexSet;
use serde::Serialize;

use crate::compare::caution;
use crate::compare::direction::higher_is_better;
use crate::compare::group::{Group, union};
use crate::compare::metric_name::metric_of;
use crate::compare::ranking::Ranking;
use crate::compare::statistics::Test;
use crate::compare::statistics::difference::{Difference, judge};
use crate::compare::statistics::sample::Sample;
use crate::config::hint::Hint;
use crate::config::suggest;
use crate::history::number::Number;

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The group that the others are set against; the first where none is named.
    pub baseline: Option<String>,
    /// The figures that are tested: `test.acc`, or `acc`; the main one where none is named.
    pub metrics: Vec<String>,
    /// How they are tested.
    pub test: Test,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The place of the baseline among the groups.
    pub baseline: usize,
    /// Every figure that any group has.
    pub figures: Vec<Figure>,
    /// The tested figures, each with the groups but for the baseline.
    pub tests: Vec<Tested>,
    /// Why some figures cannot be set against each other, a sentence each.
    pub cautions: Vec<String>,
    /// Whether any group has metrics of validation rows, which groups are ranked by.
    pub has_validation: bool,
}

/// A figure of all groups.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// Its name: `first.loss`, `best.val_acc`, `test.acc`.
    pub name: String,
    /// Whether a higher value is better; `None` where neither is.
    pub higher_is_better: Option<bool>,
    /// The figure of each group over its trials.
    pub groups: Vec<Option<Sample>>,
    /// Whether a group's is the best; several where they have the same. None is by a figure that groups are not ranked by
    /// ([`Ranking`]): one of test rows, losses of different functions.
    pub best: Vec<bool>,
    /// The value of each group that has no mean: one that is not finite, or of trials that have all diverged. It is neither
    /// the best nor tested.
    pub without_mean: Vec<Option<Number>>,
}

impl Figure {
    /// A group's mean, or its value without one.
    pub fn value(&self, place: usize) -> Option<f64> {
        let mean = self.groups[place].as_ref().map(|sample| sample.mean);
        mean.or_else(|| self.without_mean[place].map(|number| number.0))
    }

    /// Whether any group has it.
    pub fn is_there(&self) -> bool {
        (0..self.groups.len()).any(|place| self.value(place).is_some())
    }
}

/// A figure that was tested.
#[derive(Clone, Debug, Serialize)]
pub struct Tested {
    /// Its name.
    pub figure: String,
    /// Each group set against the baseline; `None` of the baseline, and where one lacks the figure.
    pub groups: Vec<Option<Difference>>,
}

/// Compares groups, two or more.
///
/// # Errors
/// When there is no such baseline, or no group has a figure that was asked for.
pub fn compare(groups: &[Group], asked: &Asked) -> anyhow::Result<Comparison> {
    let baseline = baseline(groups, asked.baseline.as_deref())?;
    let names = names(groups);
    let tested: Vec<String> = match &asked.metrics[..] {
        [] => main_figure(groups, &names).into_iter().collect(),
        written => written.iter().map(|metric| figure_named(metric, groups, &names)).collect::<anyhow::Result<_>>()?,
    };
    let tested = tested.into_iter().collect::<IndexSet<String>>(); // each once
    let mut all = names;
    all.extend(tested.iter().filter(|figure| !all.contains(figure)).cloned().collect::<Vec<_>>());
    let ranking = Ranking::of(groups);
    let figures: Vec<Figure> = all.iter().map(|name| figure(name, groups, ranking.ranks(name))).collect();
    let mut tests: Vec<Tested> = tested.into_iter().map(|name| test(name, groups, baseline, asked.test)).collect();
    judge(&mut tests.iter_mut().flat_map(|test| test.groups.iter_mut().flatten()).collect::<Vec<_>>());
    let is_of_validation = |name: &str| metric_of(name).starts_with("val_");
    let by_validation = tests.iter().any(|test| is_of_validation(&test.figure))
        || figures.iter().any(|figure| is_of_validation(&figure.name) && figure.best.contains(&true));
    let cautions = caution::of(groups, by_validation);
    Ok(Comparison { baseline, figures, tests, cautions, has_validation: ranking.has_validation() })
}

impl Comparison {
    /// A figure by its name.
    pub fn figure(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == name)
    }

    /// The figure that says which group is the best: of validation rows in the best epoch where there are any, the tested
    /// metric before others, and losses last. `None` where no group is the best by any.
    pub fn ranked_by(&self) -> Option<&Figure> {
        let tested = self.tests.first().map_or("", |test| metric_of(&test.figure));
        let tested = tested.strip_prefix("val_").unwrap_or(tested);
        let rank = |figure: &&Figure| {
            let metric = metric_of(&figure.name);
            let own = metric.strip_prefix("val_").unwrap_or(metric);
            (!figure.name.starts_with("best."), own != tested, own.ends_with("loss"))
        };
        let when = |figure: &&Figure| ["best.", "last."].iter().any(|when| figure.name.starts_with(when));
        self.figures.iter().filter(|figure| figure.best.contains(&true)).filter(when).min_by_key(rank)
    }

    /// How many differences were tested.
    pub fn comparisons(&self) -> usize {
        self.tests.iter().flat_map(|test| test.groups.iter().flatten()).filter(|d| d.p.is_some()).count()
    }
}

/// The names of all figures: of each curve in the first, best and last epoch, and of the test rows.
pub fn names(groups: &[Group]) -> Vec<String> {
    let metrics = union(groups.iter().map(Group::metrics));
    let tested = union(groups.iter().map(Group::tested));
    let of_curves = metrics.iter().flat_map(|metric| ["first", "best", "last"].map(|when| format!("{when}.{metric}")));
    of_curves.chain(tested.iter().map(|metric| format!("test.{metric}"))).collect()
}

/// The figure that decides unless another is named: of the test rows where all groups have them, otherwise of the best
/// epoch; the metric that the best epoch is chosen by, or else the first that is not a loss.
pub fn main_figure(groups: &[Group], names: &[String]) -> Option<String> {
    // what has diverged altogether has no say
    let sound: Vec<&Group> = groups.iter().filter(|group| group.sound().next().is_some()).collect();
    let groups = if sound.is_empty() { groups.iter().collect() } else { sound };
    let everywhere = |name: &String| groups.iter().all(|group| group.trials.iter().any(|t| t.figure(name).is_some()));
    let monitored = groups.iter().flat_map(|group| &group.trials).find_map(|trial| {
        let monitor = trial.best()?.monitor.as_str();
        let metric = monitor.strip_prefix("val_").unwrap_or(monitor);
        (metric != "loss").then(|| metric.to_owned())
    });
    let is_loss = |name: &str| name.ends_with("loss");
    let directed = |name: &str| higher_is_better(metric_of(name)).is_some();
    for prefix in ["test.", "best.val_", "best.", "last."] {
        let there: Vec<&String> = names.iter().filter(|name| name.starts_with(prefix) && everywhere(name)).collect();
        let of = |metric: &str| there.iter().find(|name| ***name == format!("{prefix}{metric}")).copied();
        let by_monitor = monitored.as_deref().and_then(of);
        let metric = || there.iter().find(|name| !is_loss(name) && directed(name)).copied();
        let loss = || there.iter().find(|name| is_loss(name)).copied();
        if let Some(name) = by_monitor.or_else(metric).or_else(loss) {
            return Some(name.clone());
        }
    }
    None
}

/// The figure that was written: by its whole name, or a metric, of the test rows where there are any and otherwise of
/// the best epoch.
///
/// # Errors
/// When no group has it.
pub fn figure_named(written: &str, groups: &[Group], names: &[String]) -> anyhow::Result<String> {
    let there = |name: &str| groups.iter().any(|group| group.trials.iter().any(|trial| trial.figure(name).is_some()));
    let meant =
        [written.to_owned(), format!("test.{written}"), format!("best.val_{written}"), format!("best.{written}")];
    meant.into_iter().find(|name| there(name)).ok_or_else(|| {
        let hint = suggest::hint(written, names.iter().map(String::as_str));
        anyhow!("no run has a metric `{written}`").context(Hint(hint))
    })
}

fn baseline(groups: &[Group], written: Option<&str>) -> anyhow::Result<usize> {
    let Some(written) = written else { return Ok(0) };
    let by_label = groups.iter().position(|group| group.label == written);
    let is_named = |group: &Group| group.experiment() == Some(written) || group.variant() == Some(written);
    by_label.or_else(|| groups.iter().position(is_named)).ok_or_else(|| {
        let labels: Vec<&str> = groups.iter().map(|group| group.label.as_str()).collect();
        anyhow!("`--baseline {written}` is not among the compared runs").context(Hint(suggest::hint(written, labels)))
    })
}

fn figure(name: &str, groups: &[Group], is_ranked: bool) -> Figure {
    let samples: Vec<Option<Sample>> =
        groups.iter().map(|group| Sample::of(&group.values(|trial| trial.figure(name)))).collect();
    let higher_is_better = higher_is_better(metric_of(name));
    let candidates = || samples.iter().zip(groups).filter(|(_, group)| !group.leaks()).filter_map(|(s, _)| s.as_ref());
    let apart = candidates().any(|sample| candidates().any(|other| other.mean != sample.mean));
    let best = higher_is_better
        .filter(|_| apart && is_ranked)
        .and_then(|higher| candidates().map(|sample| sample.mean).reduce(|a, b| if (a > b) == higher { a } else { b }));
    let is_best = |(sample, group): (&Option<Sample>, &Group)| {
        !group.leaks() && sample.as_ref().is_some_and(|sample| Some(sample.mean) == best)
    };
    let best = samples.iter().zip(groups).map(is_best).collect();
    // an undefined metric of ours is absent, and no NaN
    let is_shown =
        |value: &f64, group: &Group| !value.is_nan() || name.ends_with("loss") || group.experiment().is_none();
    let without_mean = |group: &Group| group.without_mean(|trial| trial.figure(name)).filter(|v| is_shown(v, group));
    let without_mean = groups.iter().map(|group| without_mean(group).map(Number)).collect();
    Figure { name: name.to_owned(), higher_is_better, groups: samples, best, without_mean }
}

fn test(figure: String, groups: &[Group], baseline: usize, test: Test) -> Tested {
    let of = |(place, group): (usize, &Group)| match place == baseline {
        true => None,
        false => Difference::of(&groups[baseline], group, &|trial| trial.figure(&figure), test),
    };
    let differences = groups.iter().enumerate().map(of).collect();
    Tested { figure, groups: differences }
}
