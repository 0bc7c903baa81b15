//! Differences of the groups from the baseline: verdict, difference with its interval, p.

use indexmap::IndexMap;

use crate::cli::commands::compare::screen::Screen;
use crate::cli::commands::compare::table::{format_metric, metric_label, signed};
use crate::cli::text::column::{Cell, Column};
use crate::cli::text::column_layout::{Fitted, fit};
use crate::cli::text::number_format;
use crate::cli::text::text_style::TextStyle;
use crate::compare::comparison::MetricTest;
use crate::compare::direction::higher_is_better;
use crate::compare::group::Group;
use crate::compare::metric_name::metric_of;
use crate::compare::statistics::difference::{Difference, Significance, pairs_needed};
use crate::compare::statistics::{Design, Interval, bootstrap};
use crate::history::number::unsigned_zero;

/// With fewer trials, bootstrap intervals are too narrow.
const MIN_FOR_BOOTSTRAP: usize = 10;

/// Rows that are shown even if the screen is full, unless there are too many groups for one screen.
const MIN_ROWS: usize = 5;

/// Returns a table with sentences below it for each tested metric. Without `--all`, as
/// many rows are shown as fit into these lines.
pub(crate) fn render(screen: &Screen, lines: usize, page: TextStyle) -> Vec<String> {
    let tests = &screen.comparison.tests;
    if tests.is_empty() {
        return vec!["no metric that all runs have: `--metric` selects the one to test".to_owned()];
    }
    let views: Vec<MetricView> = tests.iter().map(|test| MetricView { test, screen }).collect();
    // a reason that all metrics share is below the last one only
    let reasons: Vec<Vec<String>> = views.iter().map(|view| view.reasons(&view.differences())).collect();
    let is_shared = |reason: &&String| reasons.iter().all(|of_metric| of_metric.contains(reason));
    let shared: Vec<String> = reasons[0].iter().filter(is_shared).cloned().collect();
    let render = |(place, view): (usize, &MetricView)| {
        let stated_later = if place + 1 < views.len() { &shared[..] } else { &[] };
        view.render(lines / tests.len(), stated_later, page)
    };
    views.iter().enumerate().map(render).collect()
}

/// Verdict on a difference that cannot be tested.
const UNTESTED: &str = "cannot be tested";

/// Returns the verdict on a difference.
fn verdict(difference: &Difference, metric: &str) -> &'static str {
    match difference.significance {
        Significance::OneTrial => UNTESTED,
        Significance::Same => "equal",
        Significance::TooFew | Significance::NotSignificant => "no significant difference",
        Significance::Significant => match higher_is_better(metric_of(metric)) {
            Some(higher) if (difference.difference > 0.0) == higher => "better",
            Some(_) => "worse",
            None if difference.difference > 0.0 => "higher",
            None => "lower",
        },
    }
}

/// One tested metric.
struct MetricView<'a> {
    test: &'a MetricTest,
    screen: &'a Screen,
}

impl MetricView<'_> {
    /// Returns the title, the table and the sentences, without those that are stated later.
    fn render(&self, lines: usize, stated_later: &[String], page: TextStyle) -> String {
        let (screen, metric) = (self.screen, metric_label(&self.test.metric));
        let differences = self.differences();
        if differences.is_empty() {
            let text = match screen
                .comparison
                .metric(&self.test.metric)
                .map(|m| m.groups[screen.comparison.baseline].is_some())
            {
                Some(true) => format!("{metric}: no other run has a value to compare with {}", screen.baseline()),
                _ => format!("{metric}: {} has no value; `--baseline` selects another run", screen.baseline()),
            };
            return page.wrapped(&text, 2);
        }
        let which = match (screen.is_baseline_named, screen.are_variants()) {
            (true, _) => "`--baseline`",
            (false, true) => "the first variant",
            (false, false) => "named first",
        };
        let title = format!("{metric} compared with {} ({which}){}", screen.baseline(), self.design(&differences));
        let title = page.wrapped(&title, 2);
        let sentences = self.sentences(&differences);
        let here = sentences.iter().filter(|sentence| !stated_later.contains(sentence));
        let below = here.map(|line| page.wrapped(line, 2)).collect::<Vec<_>>().join("\n");
        let mut rows: Vec<usize> =
            screen.shown.iter().copied().filter(|&place| self.test.groups[place].is_some()).collect();
        if !screen.all {
            let room = lines.saturating_sub(title.lines().count() + 2 + below.lines().count());
            let is_any_tested = differences.iter().any(|(_, d)| d.p.is_some());
            rows.truncate(match screen.has_many() {
                true if is_any_tested => room,
                true => 0,
                false => room.max(MIN_ROWS),
            });
        }
        let mut parts = vec![title];
        parts.extend((!rows.is_empty()).then(|| self.table(&rows, page)));
        parts.extend(self.rest(&rows, &differences).map(|rest| page.wrapped(&rest, 2)));
        parts.extend((!below.is_empty()).then_some(below));
        parts.join("\n")
    }

    /// Returns the differences with the index of their group.
    fn differences(&self) -> Vec<(usize, &Difference)> {
        let all = self.test.groups.iter().enumerate();
        all.filter_map(|(place, difference)| Some((place, difference.as_ref()?))).collect()
    }

    /// Returns how the trials were compared with the baseline, if that is the same for all groups.
    fn design(&self, differences: &[(usize, &Difference)]) -> String {
        let first = differences[0].1;
        if differences.iter().any(|(_, difference)| difference.design != first.design) {
            return String::new();
        }
        let has_folds = self.screen.groups.iter().any(|group| group.trials.iter().any(|trial| trial.fold().is_some()));
        match first.design {
            Design::Pairs(n) if has_folds => format!(", {n} pairs by seed and fold"),
            Design::Pairs(n) => format!(", {n} pairs by seed"),
            Design::Groups(1, 1) => ", one trial each".to_owned(),
            Design::Groups(n, m) if n == m => format!(", {n} trials each"),
            Design::Groups(n, m) => {
                let other = match differences {
                    [(place, _)] => self.screen.groups[*place].label.as_str(),
                    _ => "each of the others",
                };
                format!(
                    ", {m} {} of {}, {n} of {other}",
                    if m == 1 { "trial" } else { "trials" },
                    self.screen.baseline()
                )
            }
        }
    }

    /// Returns the table of these groups: as many columns as fit, or all of them with `--all`.
    fn table(&self, rows: &[usize], page: TextStyle) -> String {
        let numbers = |header: &str, text: &dyn Fn(&Difference) -> Option<String>| {
            let cell = |place: &usize| self.test.groups[*place].as_ref().and_then(text).unwrap_or("–".to_owned());
            Column::numbers(header, rows.iter().map(cell).map(Cell::plain))
        };
        // a sentence below the table says which differences cannot be tested
        let verdicts = rows.iter().map(|place| match &self.test.groups[*place] {
            Some(difference) if difference.significance != Significance::OneTrial => {
                verdict(difference, &self.test.metric).to_owned()
            }
            Some(_) | None => "–".to_owned(),
        });
        let p = if self.screen.comparison.comparisons() > 1 { "p (Holm)" } else { "p" };
        let mut columns = vec![
            Column::words("verdict", verdicts),
            numbers("Δ", &|d| Some(signed(d.difference))),
            numbers("95 % interval of Δ", &|d| Some(interval(d.interval?, true))),
            numbers(p, &|d| d.corrected.map(number_format::p_value)),
            numbers("g", &|d| Some(unsigned_zero(format!("{:+.1}", d.hedges_g?)).replace('-', "−"))),
        ];
        if self.screen.all {
            let metric = self.screen.comparison.metric(&self.test.metric);
            let of_groups = |header: &str, text: &dyn Fn(usize) -> Option<String>| {
                let cell = |place: &usize| text(*place).unwrap_or("–".to_owned());
                Column::numbers(header, rows.iter().map(cell).map(Cell::plain))
            };
            columns.extend([
                numbers("p of a t test", &|d| d.p_if_normal.map(number_format::p_value)),
                of_groups(&metric_label(&self.test.metric), &|place| Some(format_metric(metric?, place))),
                of_groups("95 % interval", &|place| Some(interval(metric?.groups[place].as_ref()?.interval?, false))),
            ]);
        }
        columns.retain(|column| !column.is_empty());
        let labels = Column::words("", rows.iter().map(|&place| self.screen.groups[place].label.clone()));
        if self.screen.all {
            let groups = columns.into_iter().map(|column| vec![column]).collect();
            return Fitted::new(labels, groups).tables(page).join("\n\n");
        }
        fit(&labels, &columns.into_iter().enumerate().collect::<Vec<_>>(), page).0
    }

    /// Returns the number of each verdict among the groups without a row; `None` if there are none.
    fn rest(&self, rows: &[usize], differences: &[(usize, &Difference)]) -> Option<String> {
        let mut verdicts: IndexMap<&str, usize> = IndexMap::new();
        for (_, difference) in differences.iter().filter(|(place, _)| !rows.contains(place)) {
            *verdicts.entry(verdict(difference, &self.test.metric)).or_default() += 1;
        }
        let each = verdicts.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect::<Vec<_>>().join(", ");
        let count: usize = verdicts.values().sum();
        let others = if rows.is_empty() { "differences" } else { "more" };
        match verdicts.len() {
            0 => None,
            1 => match verdicts.keys().next()? {
                &UNTESTED => Some(format!("{count} {others}: `--all`")),
                verdict => Some(format!("{count} {others}: {verdict} (`--all`)")),
            },
            _ => Some(format!("{count} {others}: {each} (`--all`)")),
        }
    }

    /// Returns why differences cannot be significant, and how p values and intervals are computed.
    fn sentences(&self, differences: &[(usize, &Difference)]) -> Vec<String> {
        let mut sentences = self.reasons(differences);
        let missing: Vec<&str> = self
            .screen
            .shown
            .iter()
            .filter(|&&place| place != self.screen.comparison.baseline && self.test.groups[place].is_none())
            .map(|&place| self.screen.groups[place].label.as_str())
            .collect();
        if !missing.is_empty() {
            sentences.push(format!("no value of {}: {}", metric_label(&self.test.metric), missing.join(", ")));
        }
        let excludes_0 = |d: &Difference| d.interval.is_some_and(|interval| interval.low > 0.0 || interval.high < 0.0);
        if differences.iter().any(|(_, d)| d.significance == Significance::NotSignificant && excludes_0(d)) {
            sentences.push("if an interval excludes 0 and p is above 0.05, trust p".to_owned());
        }
        sentences.extend(self.methods(differences));
        sentences
    }

    /// Returns the reasons why differences cannot be significant, each for all groups that have it.
    fn reasons(&self, differences: &[(usize, &Difference)]) -> Vec<String> {
        let mut places: IndexMap<(bool, Design), Vec<(usize, &Difference)>> = IndexMap::new();
        for (place, d) in differences {
            if let Significance::OneTrial | Significance::TooFew = d.significance {
                let is_single = d.significance == Significance::OneTrial;
                places.entry((is_single, d.design)).or_default().push((*place, d));
            }
        }
        let not_equal = differences.iter().filter(|(_, d)| d.significance != Significance::Same).count();
        let reason = |((is_single, design), found): (&(bool, Design), &Vec<(usize, &Difference)>)| {
            let text =
                if *is_single { self.one_trial(*design) } else { self.too_few(*design, found, differences.len()) };
            let labels: Vec<&str> = found
                .iter()
                .filter(|(place, _)| self.screen.shown.contains(place))
                .map(|(place, _)| self.screen.groups[*place].label.as_str())
                .collect();
            match found.len() == not_equal || labels.is_empty() {
                true => text,
                false => format!("{}: {text}", labels.join(", ")),
            }
        };
        places.iter().map(reason).collect()
    }

    /// Returns why a difference cannot be tested if a group has one trial.
    fn one_trial(&self, design: Design) -> String {
        let unit = self.unit();
        let advice = if self.all_from_runner() { "; train more seeds" } else { "" };
        let who = match design {
            Design::Groups(1, 1) | Design::Pairs(_) => format!("only one {unit} each"),
            Design::Groups(1, _) => format!("only one {unit}"),
            Design::Groups(..) => format!("only one {unit} of {}", self.screen.baseline()),
        };
        format!("significance cannot be tested with {who}{advice}")
    }

    /// Returns why none of these differences can be significant.
    fn too_few(&self, design: Design, found: &[(usize, &Difference)], all: usize) -> String {
        let comparisons = self.screen.comparison.comparisons();
        let needed = pairs_needed(comparisons.max(all));
        let unit = self.unit();
        let among = if comparisons > 1 { format!(" and {comparisons} comparisons") } else { String::new() };
        let least = found.iter().map(|(_, d)| d.least_p).fold(f64::INFINITY, f64::min);
        let (trials, advice) = match design {
            Design::Pairs(n) => (format!("{n} paired {unit}s"), format!("use at least {needed} {unit}s")),
            Design::Groups(n, m) => {
                (format!("{n} and {m} {unit}s"), format!("use the same seeds in both runs, at least {needed}"))
            }
        };
        let how = if self.all_from_runner() { format!(": `--seeds 0..{}`", needed - 1) } else { String::new() };
        let p = number_format::setting((least * 1e4).round() / 1e4);
        format!("not significant: with {trials}{among} the smallest possible p is {p}; {advice}{how}")
    }

    /// Returns how p values and intervals are computed.
    fn methods(&self, differences: &[(usize, &Difference)]) -> Option<String> {
        let trials = |design: Design| match design {
            Design::Pairs(n) => n,
            Design::Groups(n, m) => n.min(m),
        };
        let mut parts = Vec::new();
        let mut tests: Vec<&str> = Vec::new();
        for (_, d) in differences.iter().filter(|(_, d)| d.p.is_some()) {
            let name = d.test.name(d.design);
            if !tests.contains(&name) {
                tests.push(name);
            }
        }
        let comparisons = self.screen.comparison.comparisons();
        if !tests.is_empty() {
            let corrected = match comparisons {
                0 | 1 => String::new(),
                several => format!(", corrected for {several} comparisons (Holm)"),
            };
            parts.push(format!("p: {}{corrected}", tests.join(" or ")));
        }
        let with_interval: Vec<usize> =
            differences.iter().filter(|(_, d)| d.interval.is_some()).map(|(_, d)| trials(d.design)).collect();
        if let Some(fewest) = with_interval.into_iter().min() {
            let resamples =
                self.screen.all.then(|| format!("{} resamples", number_format::count(bootstrap::RESAMPLES)));
            let few = (fewest < MIN_FOR_BOOTSTRAP).then(|| "too narrow with fewer than 10 trials".to_owned());
            let remarks: Vec<String> = resamples.into_iter().chain(few).collect();
            let remarks = if remarks.is_empty() { String::new() } else { format!(" ({})", remarks.join("; ")) };
            parts.push(format!("interval: bootstrap{remarks}"));
            parts.push("g: Hedges' g".to_owned());
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    /// Returns the word for a trial: a seed, unless there are folds or histories of other programs.
    fn unit(&self) -> &'static str {
        let is_seed = |group: &Group| group.trials.iter().all(|trial| trial.seed().is_some() && trial.fold().is_none());
        if self.screen.groups.iter().all(is_seed) { "seed" } else { "trial" }
    }

    fn all_from_runner(&self) -> bool {
        self.screen.groups.iter().all(|group| group.experiment().is_some())
    }
}

/// Returns an interval as text, with signs for an interval of a difference.
fn interval(interval: Interval, is_signed: bool) -> String {
    let end = |value: f64| if is_signed { signed(value) } else { number_format::metric(Some(value)) };
    format!("{} to {}", end(interval.low), end(interval.high))
}
