//! Differences of the groups from the baseline, and whether they are statistically significant.

use crate::cli::commands::compare::table::{format_metric, metric_label, signed};
use crate::cli::text::column_layout::{Cell, Column, Fitted};
use crate::cli::text::number_format;
use crate::cli::text::text_style::{TextStyle, together};
use crate::cli::truncate::truncated;
use crate::compare::comparison::{Comparison, MetricTest};
use crate::compare::direction::higher_is_better;
use crate::compare::group::Group;
use crate::compare::metric_name::metric_of;
use crate::compare::statistics::difference::{Difference, Significance, pairs_needed};
use crate::compare::statistics::{ALPHA, Design, Interval, Test, bootstrap};

/// With fewer trials, bootstrap intervals are too narrow.
const MIN_FOR_BOOTSTRAP: usize = 10;

/// Returns a table and sentences for each tested metric.
pub(crate) fn render(groups: &[Group], comparison: &Comparison, page: TextStyle) -> Vec<String> {
    comparison.tests.iter().flat_map(|test| render_metric(test, groups, comparison, page)).collect()
}

/// Returns a table and sentences for a tested metric.
fn render_metric(test: &MetricTest, groups: &[Group], comparison: &Comparison, page: TextStyle) -> Vec<String> {
    let baseline = &groups[comparison.baseline].label;
    let differences: Vec<(usize, &Difference)> =
        test.groups.iter().enumerate().filter_map(|(index, difference)| Some((index, difference.as_ref()?))).collect();
    if differences.is_empty() {
        return vec![page.wrapped(
            &format!("{}: not compared with {baseline}, because one of them has no value", metric_label(&test.metric)),
            2,
        )];
    }
    let mut tables = table(test, groups, comparison).tables(page);
    let title = format!("{} compared with {baseline}{}", metric_label(&test.metric), design(&differences));
    tables[0] = format!("{}\n{}", page.wrapped(&title, 2), tables[0]);
    let (single, tested): (Vec<_>, Vec<_>) =
        differences.iter().partition(|(_, d)| d.significance == Significance::OneTrial);
    let mut sentences: Vec<String> =
        tested.iter().map(|(index, d)| sentence(&groups[*index].label, baseline, d, test)).collect();
    if !single.is_empty() {
        let labels: Vec<&str> = single.iter().map(|(index, _)| groups[*index].label.as_str()).collect();
        sentences.push(format!(
            "{} and {baseline}: one seed each, so significance cannot be tested; train more seeds",
            labels.join(", ")
        ));
    }
    let all_from_runner = groups.iter().all(|group| group.experiment().is_some());
    sentences.extend(remarks(&differences, comparison.comparisons(), all_from_runner));
    tables.push(sentences.iter().map(|sentence| page.wrapped(sentence, 2)).collect::<Vec<_>>().join("\n"));
    tables
}

/// Returns how the trials were compared with the baseline, if that is the same for all groups.
fn design(differences: &[(usize, &Difference)]) -> String {
    let first = differences[0].1;
    if differences.iter().any(|(_, difference)| difference.design != first.design) {
        return String::new();
    }
    match first.design {
        Design::Pairs(n) => format!(", {n} pairs by seed"),
        Design::Groups(1, 1) => ", one trial each".to_owned(),
        Design::Groups(n, m) if n == m => format!(", {n} trials each"),
        Design::Groups(n, m) => format!(", {n} {} and {m}", if n == 1 { "trial" } else { "trials" }),
    }
}

/// Returns a table of the groups with their metric, the difference from the baseline, p and effect size.
fn table(test: &MetricTest, groups: &[Group], comparison: &Comparison) -> Fitted {
    let metric = comparison.metric(&test.metric);
    let sample_of = |index: usize| metric.and_then(|metric| metric.groups[index].as_ref());
    let indices = 0..groups.len();
    let cells = |text: &dyn Fn(usize) -> String| -> Vec<Cell> {
        indices.clone().map(|index| Cell { text: text(index), is_best: false }).collect()
    };
    let metric_cells: Vec<Cell> = indices
        .clone()
        .map(|index| Cell {
            text: metric.map_or("–".to_owned(), |metric| format_metric(metric, index)),
            is_best: metric.is_some_and(|metric| metric.best[index]),
        })
        .collect();
    let difference = |index: usize| test.groups[index].as_ref();
    let several = comparison.comparisons() > 1;
    let p_header = if several { "p (Holm)" } else { "p" };
    let mut fitted = Fitted {
        labels: Column::words("run", groups.iter().map(|group| truncated(&group.label, 34))),
        groups: vec![
            vec![Column::numbers(metric_label(&test.metric), metric_cells)],
            vec![Column::numbers(
                "95 % interval",
                cells(&|index| interval(sample_of(index).and_then(|s| s.interval), false)),
            )],
            vec![Column::numbers(
                "Δ",
                cells(&|index| difference(index).map_or("–".to_owned(), |d| signed(d.difference))),
            )],
            vec![
                Column::numbers(
                    "95 % interval of Δ",
                    cells(&|index| interval(difference(index).and_then(|d| d.interval), true)),
                ),
                Column::numbers(
                    p_header,
                    cells(&|index| difference(index).and_then(|d| d.corrected).map_or("–".to_owned(), format_p)),
                ),
                Column::numbers(
                    "g",
                    cells(&|index| {
                        difference(index)
                            .and_then(|d| d.hedges_g)
                            .map_or("–".to_owned(), |g| format!("{g:+.1}").replace('-', "−"))
                    }),
                ),
            ],
        ],
        spare: Vec::new(),
        closing: None,
    };
    // drop columns without values
    for group in &mut fitted.groups {
        group.retain(|column| !column.is_empty());
    }
    fitted.groups.retain(|group| !group.is_empty());
    fitted
}

/// Returns an interval as text, with signs for an interval of a difference.
fn interval(interval: Option<Interval>, is_signed: bool) -> String {
    let end = |value: f64| if is_signed { signed(value) } else { number_format::metric(Some(value)) };
    interval.map_or("–".to_owned(), |interval| format!("{} to {}", end(interval.low), end(interval.high)))
}

/// Returns a p value with four decimals below 0.1, else two.
pub(crate) fn format_p(p: f64) -> String {
    match p {
        p if p < 1e-4 => "< 0.0001".to_owned(),
        p if p < 0.1 => format!("{p:.4}"),
        p => format!("{p:.2}"),
    }
}

/// Returns a sentence about the difference of one group from the baseline.
fn sentence(group: &str, baseline: &str, d: &Difference, test: &MetricTest) -> String {
    let metric = metric_label(&test.metric);
    let delta = together(&signed(d.difference));
    let is_better = higher_is_better(metric_of(&test.metric)).map(|higher| (d.difference > 0.0) == higher);
    let than = match is_better {
        Some(true) => "better than",
        Some(false) => "worse than",
        None if d.difference > 0.0 => "higher than",
        None => "lower than",
    };
    let name = d.test.name(d.design);
    let p = |value: f64| together(&format!("p {}", format_p(value)));
    let corrected_p = d.corrected.map(p).unwrap_or_default();
    match d.significance {
        Significance::Same | Significance::OneTrial => format!("{group}: the same {metric} as {baseline}"),
        Significance::Significant => {
            format!("{group} is {than} {baseline} (significant): {metric} {delta} ({name}, {corrected_p})")
        }
        Significance::NotSignificant => {
            format!("{group} and {baseline}: {metric} {delta}, not significant ({name}, {corrected_p})")
        }
        Significance::TooFew => {
            let t_test = d.p_if_normal.filter(|_| d.test != Test::T);
            let t_test =
                t_test.map(|value| format!("; a t test, which assumes a normal distribution, gives {}", p(value)));
            let trials = match d.design {
                Design::Pairs(pairs) => format!("{pairs} pairs"),
                Design::Groups(first, second) => format!("{first} and {second} trials"),
            };
            format!(
                "{group} and {baseline}: {metric} {delta}, not significant: with {trials} the smallest possible p is {} ({name}){}",
                format_p(d.least_p),
                t_test.unwrap_or_default()
            )
        }
    }
}

/// Returns remarks about all differences: how many seeds are needed, and how intervals and p values are computed.
fn remarks(differences: &[(usize, &Difference)], comparisons: usize, all_from_runner: bool) -> Vec<String> {
    let mut remarks = Vec::new();
    let any = |verdict: Significance| differences.iter().any(|(_, difference)| difference.significance == verdict);
    if any(Significance::TooFew) || any(Significance::OneTrial) {
        let needed = pairs_needed(comparisons.max(differences.len()));
        let other =
            if any(Significance::TooFew) && differences[0].1.test != Test::T { ", or use `--test t`" } else { "" };
        let how =
            if all_from_runner { format!(": `runner exp NAME --seeds 0..{}`", needed - 1) } else { String::new() };
        remarks.push(format!("use the same {needed} or more seeds in each run{how}{other}"));
    }
    let trials = |design: Design| match design {
        Design::Pairs(n) => n,
        Design::Groups(n, m) => n.min(m),
    };
    if differences.iter().any(|(_, d)| d.interval.is_some()) {
        let few = differences.iter().any(|(_, d)| d.interval.is_some() && trials(d.design) < MIN_FOR_BOOTSTRAP);
        let caution = match few {
            true => format!(", too narrow for fewer than {MIN_FOR_BOOTSTRAP} trials"),
            false => String::new(),
        };
        remarks.push(format!(
            "intervals of Δ are bootstrap percentiles ({} resamples){caution}; g is Hedges' g: the difference in standard deviations",
            number_format::count(bootstrap::RESAMPLES)
        ));
    }
    let excludes_0 = |d: &Difference| d.interval.is_some_and(|interval| interval.low > 0.0 || interval.high < 0.0);
    if differences.iter().any(|(_, d)| d.significance == Significance::NotSignificant && excludes_0(d)) {
        remarks.push(
            "if an interval excludes 0 and p is above 0.05, trust p: the two are computed in different ways".to_owned(),
        );
    }
    if comparisons > 1 {
        remarks.push(format!(
            "{comparisons} comparisons: p values are corrected with Holm's method, so the chance of any false positive stays below {ALPHA}"
        ));
    }
    remarks
}
