//! Which is better, by how much, and whether that is more than luck.

use crate::cli::commands::compare::settings::cut;
use crate::cli::commands::compare::table::{cell, signed, words};
use crate::cli::text::column_layout::{Cell, Column, Fitted};
use crate::cli::text::number_format;
use crate::cli::text::page::{Page, together};
use crate::compare::comparison::{Comparison, Tested};
use crate::compare::direction::higher_is_better;
use crate::compare::group::Group;
use crate::compare::metric_name::metric_of;
use crate::compare::statistics::difference::{Difference, Verdict, pairs_needed};
use crate::compare::statistics::{ALPHA, Design, Interval, Test, bootstrap};

/// Of fewer trials than this bootstrap intervals are too narrow to go by.
const FEW: usize = 10;

/// For each tested figure a table, and sentences.
pub(crate) fn text(groups: &[Group], comparison: &Comparison, page: Page) -> Vec<String> {
    comparison.tests.iter().flat_map(|test| of_figure(test, groups, comparison, page)).collect()
}

fn of_figure(test: &Tested, groups: &[Group], comparison: &Comparison, page: Page) -> Vec<String> {
    let baseline = &groups[comparison.baseline].label;
    let differences: Vec<(usize, &Difference)> =
        test.groups.iter().enumerate().filter_map(|(place, difference)| Some((place, difference.as_ref()?))).collect();
    if differences.is_empty() {
        return vec![page.wrapped(&format!("{}: no value to compare with {baseline}", words(&test.figure)), 2)];
    }
    let mut tables = table(test, groups, comparison).tables(page);
    let title = format!("{} against {baseline}{}", words(&test.figure), design(&differences));
    tables[0] = format!("{}\n{}", page.wrapped(&title, 2), tables[0]);
    let (lone, told): (Vec<_>, Vec<_>) = differences.iter().partition(|(_, d)| d.verdict == Verdict::OneTrial);
    let mut sentences: Vec<String> =
        told.iter().map(|(place, d)| sentence(&groups[*place].label, baseline, d, test)).collect();
    if !lone.is_empty() {
        let labels: Vec<&str> = lone.iter().map(|(place, _)| groups[*place].label.as_str()).collect();
        sentences.push(format!(
            "{} against {baseline}: one seed each, so significance cannot be tested; train more seeds",
            labels.join(", ")
        ));
    }
    let all_ours = groups.iter().all(|group| group.experiment().is_some());
    sentences.extend(remarks(&differences, comparison.comparisons(), all_ours));
    tables.push(sentences.iter().map(|sentence| page.wrapped(sentence, 2)).collect::<Vec<_>>().join("\n"));
    tables
}

/// How all of them were set against the baseline, where it is the same for all.
fn design(differences: &[(usize, &Difference)]) -> String {
    let first = differences[0].1;
    if differences.iter().any(|(_, difference)| difference.design != first.design) {
        return String::new();
    }
    match first.design {
        Design::Pairs(n) => format!(", {n} pairs by seed"),
        Design::Groups(1, 1) => ", one trial each".to_owned(),
        Design::Groups(n, m) if n == m => format!(", {n} trials each"),
        Design::Groups(n, m) => format!(", {n} {} against {m}", if n == 1 { "trial" } else { "trials" }),
    }
}

fn table(test: &Tested, groups: &[Group], comparison: &Comparison) -> Fitted {
    let figure = comparison.figure(&test.figure);
    let of = |place: usize| figure.and_then(|figure| figure.groups[place].as_ref());
    let places = 0..groups.len();
    let cells = |text: &dyn Fn(usize) -> String| -> Vec<Cell> {
        places.clone().map(|place| Cell { text: text(place), is_best: false }).collect()
    };
    let with_best: Vec<Cell> = places
        .clone()
        .map(|place| Cell {
            text: figure.map_or("–".to_owned(), |figure| cell(figure, place)),
            is_best: figure.is_some_and(|figure| figure.best[place]),
        })
        .collect();
    let difference = |place: usize| test.groups[place].as_ref();
    let several = comparison.comparisons() > 1;
    let p_header = if several { "p (Holm)" } else { "p" };
    let mut fitted = Fitted {
        labels: Column::words("run", groups.iter().map(|group| cut(&group.label, 34))),
        groups: vec![
            vec![Column::numbers(words(&test.figure), with_best)],
            vec![Column::numbers("95 % interval", cells(&|place| interval(of(place).and_then(|s| s.interval), false)))],
            vec![Column::numbers(
                "Δ",
                cells(&|place| difference(place).map_or("–".to_owned(), |d| signed(d.difference))),
            )],
            vec![
                Column::numbers(
                    "of the difference",
                    cells(&|place| interval(difference(place).and_then(|d| d.interval), true)),
                ),
                Column::numbers(
                    p_header,
                    cells(&|place| difference(place).and_then(|d| d.corrected).map_or("–".to_owned(), p)),
                ),
                Column::numbers(
                    "g",
                    cells(&|place| {
                        difference(place)
                            .and_then(|d| d.hedges_g)
                            .map_or("–".to_owned(), |g| format!("{g:+.1}").replace('-', "−"))
                    }),
                ),
            ],
        ],
        spare: Vec::new(),
        closing: None,
    };
    // what no group has says nothing
    for group in &mut fitted.groups {
        group.retain(|column| !column.is_empty());
    }
    fitted.groups.retain(|group| !group.is_empty());
    fitted
}

/// An interval, with signs where it is of a difference.
fn interval(interval: Option<Interval>, is_signed: bool) -> String {
    let end = |value: f64| if is_signed { signed(value) } else { number_format::metric(Some(value)) };
    interval.map_or("–".to_owned(), |interval| format!("{} to {}", end(interval.low), end(interval.high)))
}

/// A p value: four decimals, two from a tenth on.
pub(crate) fn p(p: f64) -> String {
    match p {
        p if p < 1e-4 => "< 0.0001".to_owned(),
        p if p < 0.1 => format!("{p:.4}"),
        p => format!("{p:.2}"),
    }
}

/// What can be said of one group.
fn sentence(group: &str, baseline: &str, d: &Difference, test: &Tested) -> String {
    let figure = words(&test.figure);
    let by = together(&signed(d.difference));
    let good = higher_is_better(metric_of(&test.figure)).map(|higher| (d.difference > 0.0) == higher);
    let than = match good {
        Some(true) => "better than",
        Some(false) => "worse than",
        None if d.difference > 0.0 => "higher than",
        None => "lower than",
    };
    let name = d.test.name(d.design);
    let said_p = d.corrected.map(|value| together(&format!("p {}", p(value)))).unwrap_or_default();
    match d.verdict {
        Verdict::Same | Verdict::OneTrial => format!("{group}: the same {figure} as {baseline}"),
        Verdict::Differs => format!("{group} is {than} {baseline} (significant): {figure} {by} ({name}, {said_p})"),
        Verdict::MayBeLuck => {
            format!("{group} and {baseline}: {figure} {by}, not significant ({name}, {said_p})")
        }
        Verdict::TooFew => {
            let least = p(d.least_p);
            let normal = d.p_if_normal.filter(|_| d.test != Test::T).map(|value| {
                format!(
                    "; a t test, which assumes a normal distribution, gives {}",
                    together(&format!("p {}", p(value)))
                )
            });
            format!(
                "{group} and {baseline}: {figure} {by}, not significant: with this few trials the smallest possible p of the {name} is {}{}",
                together(&format!("p {least}")),
                normal.unwrap_or_default()
            )
        }
    }
}

/// What holds for all of them.
fn remarks(differences: &[(usize, &Difference)], comparisons: usize, all_ours: bool) -> Vec<String> {
    let mut remarks = Vec::new();
    let any = |verdict: Verdict| differences.iter().any(|(_, difference)| difference.verdict == verdict);
    if any(Verdict::TooFew) || any(Verdict::OneTrial) {
        let needed = pairs_needed(comparisons.max(differences.len()));
        let other =
            if any(Verdict::TooFew) && differences[0].1.test != Test::T { ", or choose `--test t`" } else { "" };
        let how = if all_ours { format!(": `runner exp NAME --seeds 0..{}`", needed - 1) } else { String::new() };
        remarks.push(format!("use the same {needed} or more seeds in each run{how}{other}"));
    }
    let smallest = |design: Design| match design {
        Design::Pairs(n) => n,
        Design::Groups(n, m) => n.min(m),
    };
    if differences.iter().any(|(_, d)| d.interval.is_some() && smallest(d.design) < FEW) {
        remarks.push(format!(
            "intervals of differences are bootstrap percentiles ({} resamples), and of fewer than {FEW} trials too narrow; g is the difference in standard deviations (Hedges)",
            number_format::count(bootstrap::RESAMPLES)
        ));
    } else if differences.iter().any(|(_, d)| d.interval.is_some()) {
        remarks.push(format!(
            "intervals of differences are bootstrap percentiles ({} resamples); g is the difference in standard deviations (Hedges)",
            number_format::count(bootstrap::RESAMPLES)
        ));
    }
    let leaves_out_0 = |d: &Difference| d.interval.is_some_and(|interval| interval.low > 0.0 || interval.high < 0.0);
    if differences.iter().any(|(_, d)| d.verdict == Verdict::MayBeLuck && leaves_out_0(d)) {
        remarks.push(
            "if an interval excludes 0 and p is above 0.05, trust p: the two are computed in different ways".to_owned(),
        );
    }
    if comparisons > 1 {
        remarks.push(format!(
            "{comparisons} comparisons: p values are corrected by Holm's method, so the chance of any false positive stays below {ALPHA}"
        ));
    }
    remarks
}
