//! Compares several variants: which is best on the validation rows, and whether the differences are significant.

use crate::compare::comparison::{Asked, Comparison, Figure, Tested, compare};
use crate::compare::group::{Group, tested_with};
use crate::compare::statistics::difference::{Difference, Verdict, pairs_needed};
use crate::compare::statistics::sample::Sample;
use crate::compare::trial::Trial;
use crate::history::number::{Number, brief};
use crate::history::{Status, diagnosis};
use crate::report::markup::{Cell, Table, boxed, folded, key, note, paragraph, text};
use crate::report::run;

/// Number of best-epoch metrics in the summary, in addition to the tested ones.
const METRICS: usize = 2;

/// Returns the comparison as HTML.
pub fn html(groups: &[Group]) -> String {
    let comparison = match compare(groups, &Asked::default()) {
        Ok(comparison) => comparison,
        Err(error) => return paragraph(&format!("The runs cannot be compared: {error:#}")),
    };
    let mut parts = Vec::new();
    parts.extend(comparison.tests.iter().map(|tested| in_words(tested, &comparison, groups)));
    parts.push(figures(groups, &comparison));
    parts.extend(comparison.tests.iter().filter_map(|tested| tests(tested, &comparison, groups)));
    parts.push(folded("All figures side by side", &all_figures(groups, &comparison)));
    // A data leak has its own box at the top, with the reason.
    let leaks: Vec<String> =
        groups.iter().filter(|group| group.leaks()).map(|group| format!("{} leaks", group.label)).collect();
    let told_above = |caution: &&String| leaks.iter().any(|leak| caution.starts_with(leak.as_str()));
    let cautions: Vec<String> = comparison.cautions.iter().filter(|caution| !told_above(caution)).cloned().collect();
    if !cautions.is_empty() {
        parts.push(boxed("", "Keep in mind", &cautions));
    }
    parts.join("\n")
}

/// Returns the columns of the summary: the metrics that were tested for significance, and metrics of the best epoch, on
/// validation rows if there are any. The table of all metrics shows the rest.
fn columns(comparison: &Comparison) -> Vec<&str> {
    let names = || comparison.figures.iter().map(|figure| figure.name.as_str());
    let tested: Vec<&str> = comparison.tests.iter().map(|tested| tested.figure.as_str()).collect();
    let best = |prefix: &str| -> Vec<&str> { names().filter(|name| name.starts_with(prefix)).take(METRICS).collect() };
    let of_best = match best("best.val_") {
        none if none.is_empty() => best("best."),
        some => some,
    };
    let of_best = if of_best.is_empty() {
        names().filter(|name| name.starts_with("last.")).take(METRICS).collect()
    } else {
        of_best
    };
    let mut columns: Vec<&str> = tested.clone();
    columns.extend(of_best);
    let mut distinct: Vec<&str> = Vec::new();
    for column in columns {
        if !distinct.contains(&column) {
            distinct.push(column);
        }
    }
    distinct
}

/// Returns the tables of the summary. Metrics on training and validation rows have one table, metrics on test rows
/// another, since these are measured with the saved weights at the chosen threshold.
fn figures(groups: &[Group], comparison: &Comparison) -> String {
    let (tested, columns): (Vec<&str>, Vec<&str>) =
        columns(comparison).into_iter().partition(|name| name.starts_with("test."));
    let tested = (!tested.is_empty()).then(|| test_table(groups, comparison, &tested));
    [Some(main_table(groups, comparison, &columns)), tested].into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// Returns the table of test metrics.
fn test_table(groups: &[Group], comparison: &Comparison, columns: &[&str]) -> String {
    let heads = columns.iter().map(|name| Cell::text(&in_a_head(name)).of_class("n"));
    let heads: Vec<Cell> = std::iter::once(Cell::text("variant")).chain(heads).collect();
    let mut table = Table::new(&format!("Test rows: {}", tested_with(groups)), heads).with("id=\"tested\"");
    for (place, group) in groups.iter().enumerate() {
        let samples = columns.iter().map(|name| Sample::of(&group.values(|trial| trial.figure(name))));
        let cells = samples.map(|sample| Cell::number(&sample.map_or("–".to_owned(), |sample| run::shown(&sample))));
        let cells: Vec<Cell> = std::iter::once(Cell::head(key(place, &group.label))).chain(cells).collect();
        table.row_with(if place == comparison.baseline { "class=\"base\"" } else { "" }, cells);
    }
    table.html_text()
}

/// Returns the table of training and validation metrics.
fn main_table(groups: &[Group], comparison: &Comparison, columns: &[&str]) -> String {
    // The deciding metric comes first; on a phone, the other columns need scrolling.
    let first = usize::from(!columns.is_empty());
    let mut heads: Vec<Cell> = columns.iter().map(|name| Cell::text(&in_a_head(name)).of_class("n")).collect();
    heads.insert(0, Cell::text("variant"));
    heads.insert(1 + first, Cell::text("reading"));
    const RISE: &str = "diagnosis.val_loss_rise";
    let has_rise = groups.iter().any(|group| !group.values(|trial| trial.figure(RISE)).is_empty());
    let more =
        ["best epoch", "val_loss rise", "trials"].into_iter().filter(|head| has_rise || *head != "val_loss rise");
    heads.extend(more.map(|head| Cell::text(head).of_class("n")));
    let several = groups.iter().any(|group| group.trials.len() > 1);
    let has_best = columns.iter().filter_map(|name| comparison.figure(name)).any(|figure| figure.best.contains(&true));
    let caption = match several {
        true => format!("All variants: means and standard deviations over their trials{}", star(has_best, comparison)),
        false => format!("All variants{}", star(has_best, comparison)),
    };
    let mut table = Table::new(&caption, heads).with("class=\"wide\" id=\"comparison\"");
    for (place, group) in groups.iter().enumerate() {
        let sample = |name: &str| Sample::of(&group.drawn_values(|trial| trial.figure(name)));
        let shown = |sample: Option<Sample>| sample.map_or("–".to_owned(), |sample| run::shown(&sample));
        let epochs = sample("best.epoch").map_or("–".to_owned(), |epochs| match epochs.min == epochs.max {
            true => epochs.min.to_string(),
            false => format!("{} to {}", epochs.min, epochs.max),
        });
        let mut cells = vec![Cell::head(key(place, &group.label))];
        for name in columns {
            let figure = comparison.figure(name);
            let value = match figure {
                Some(figure) => shown_of(figure, place),
                None => shown(sample(name)),
            };
            let is_best = figure.is_some_and(|figure| figure.best.get(place) == Some(&true));
            let marked = figure.is_some_and(|figure| figure.best.contains(&true));
            cells.push(Cell::number(&value).of_class(match (is_best, marked) {
                (true, _) => "n best",
                (false, true) => "n starred",
                (false, false) => "n",
            }));
        }
        cells.insert(1 + first, Cell::html(verdicts(group)));
        cells.push(Cell::number(&epochs));
        if has_rise {
            cells.push(Cell::number(&shown(sample(RISE))));
        }
        cells.push(Cell::number(&group.trials.len().to_string()));
        table.row_with(if place == comparison.baseline { "class=\"base\"" } else { "" }, cells);
    }
    let mut html = table.html_text();
    if columns.iter().any(|name| name.starts_with("best.")) {
        let rise = if has_rise { "val_loss rise: validation loss of the last epoch minus its lowest. " } else { "" };
        html.push_str(&note(&format!("{rise}Best epoch: the one that is best by the metric that a trial monitors.")));
    }
    html
}

/// Returns the explanation of the star.
fn star(has_best: bool, comparison: &Comparison) -> &'static str {
    match (has_best, comparison.has_validation) {
        (false, _) => "",
        (true, true) => "; ★ best on validation rows",
        (true, false) => "; ★ best on training rows",
    }
}

/// Returns tables of all metrics with a column for each group; test metrics have a separate table.
fn all_figures(groups: &[Group], comparison: &Comparison) -> String {
    let (tested, others): (Vec<&Figure>, Vec<&Figure>) =
        comparison.figures.iter().partition(|figure| figure.name.starts_with("test."));
    let has_best = comparison.figures.iter().any(|figure| figure.best.contains(&true));
    let caption = format!("Training and validation rows{}", star(has_best, comparison));
    let parts = [(caption, others), (format!("Test rows: {}", tested_with(groups)), tested)];
    let tables = parts.into_iter().filter(|(_, figures)| !figures.is_empty());
    tables.map(|(caption, figures)| figures_table(&caption, groups, &figures)).collect::<Vec<_>>().join("\n")
}

fn figures_table(caption: &str, groups: &[Group], figures: &[&Figure]) -> String {
    let heads = std::iter::once(Cell::text("figure"));
    let heads = heads.chain(groups.iter().map(|group| Cell::text(&group.label).of_class("n")));
    let mut table = Table::new(caption, heads).tall();
    for figure in figures {
        let marked = figure.best.contains(&true);
        let cells = figure.best.iter().enumerate().map(|(place, is_best)| {
            Cell::number(&shown_of(figure, place)).of_class(match (is_best, marked) {
                (true, _) => "n best",
                (false, true) => "n starred",
                (false, false) => "n",
            })
        });
        table.row(std::iter::once(Cell::head(text(&in_a_head(&figure.name)))).chain(cells.collect::<Vec<_>>()));
    }
    table.html_text()
}

/// Returns a group's metric: its mean; without one, its non-finite value or the mean of its diverged trials.
fn shown_of(figure: &Figure, place: usize) -> String {
    match (&figure.groups[place], figure.without_mean[place]) {
        (Some(sample), _) => run::shown(sample),
        (None, Some(value)) => brief(value.0),
        (None, None) => "–".to_owned(),
    }
}

/// Returns a metric's name for a column head: `val_acc, best epoch`.
fn in_a_head(name: &str) -> String {
    match name.split_once('.') {
        Some(("best", metric)) => format!("{metric}, best epoch"),
        Some(("first", metric)) => format!("{metric}, first epoch"),
        Some(("last", metric)) => format!("{metric}, last epoch"),
        _ => name.replacen('.', " ", 1),
    }
}

/// Returns a metric's name for a sentence: `val_acc in the best epoch`.
fn in_a_sentence(name: &str) -> String {
    match name.split_once('.') {
        Some(("best", metric)) => format!("{metric} in the best epoch"),
        Some(("last", metric)) => format!("{metric} in the last epoch"),
        _ => name.replacen('.', " ", 1),
    }
}

/// Returns the diagnoses of a group's trials as badges, with badges for data leakage and interrupted trials.
fn verdicts(group: &Group) -> String {
    let mut badges = Vec::new();
    if group.leaks() {
        badges.push("<span class=\"verdict leaks\">leaks</span>".to_owned());
    }
    for verdict in diagnosis::Verdict::ALL {
        let number = group.trials.iter().filter(|trial| trial.verdict() == Some(verdict)).count();
        let of = if number < group.trials.len() { format!(" {number}/{}", group.trials.len()) } else { String::new() };
        if number > 0 {
            badges.push(format!("<span class=\"verdict {}\">{}{of}</span>", run::class(verdict), verdict.word()));
        }
    }
    let is_interrupted = |trial: &Trial| trial.history().is_some_and(|history| history.status == Status::Interrupted);
    if group.trials.iter().any(is_interrupted) {
        badges.push("<span class=\"verdict interrupted\">interrupted</span>".to_owned());
    }
    if badges.is_empty() { "–".to_owned() } else { badges.join(" ") }
}

/// Returns the result of the significance tests in a sentence or two.
fn in_words(tested: &Tested, comparison: &Comparison, groups: &[Group]) -> String {
    let figure = comparison.ranked_by();
    let best: Vec<&str> = groups
        .iter()
        .enumerate()
        .filter(|(place, _)| figure.is_some_and(|figure| figure.best.get(*place) == Some(&true)))
        .map(|(_, group)| group.label.as_str())
        .collect();
    let rows = if comparison.has_validation { "validation" } else { "training" };
    let name = in_a_sentence(&tested.figure);
    let one_trial = || format!("With one trial each, differences in {name} cannot be tested: train more seeds.");
    let by = figure.map_or(String::new(), |figure| in_a_sentence(&figure.name));
    let baseline = &groups[comparison.baseline].label;
    let found: Vec<&Difference> = tested.groups.iter().flatten().collect();
    let leader = match &best[..] {
        [] if comparison.has_validation => "No variant is best on the validation rows.".to_owned(),
        [] => "Without validation rows no variant is called the best.".to_owned(),
        [one] => format!("Best on {rows} rows: {one} ({by})."),
        several => format!("Best on {rows} rows: {} (the same {by}).", several.join(" and ")),
    };
    let count = |verdict: Verdict| found.iter().filter(|difference| difference.verdict == verdict).count();
    let differ = count(Verdict::Differs);
    let rest = match (&found[..], differ) {
        ([], _) => String::new(),
        ([one], _) => {
            let other = tested.groups.iter().position(Option::is_some).map(|place| groups[place].label.as_str());
            let other = other.unwrap_or_default();
            match one.verdict {
                Verdict::Differs => format!("{other} and {baseline} differ significantly in {name}."),
                Verdict::MayBeLuck => {
                    format!("The difference in {name} between {other} and {baseline} is not significant.")
                }
                Verdict::TooFew => format!(
                    "There are too few trials to test the difference in {name} between {other} and {baseline}: at least {} pairs of seeds are needed.",
                    pairs_needed(comparison.comparisons().max(1))
                ),
                Verdict::OneTrial => one_trial(),
                Verdict::Same => format!("{other} and {baseline} have the same {name}."),
            }
        }
        (all, 0) if count(Verdict::OneTrial) == all.len() => one_trial(),
        (all, 0) if count(Verdict::TooFew) > 0 => format!(
            "There are too few trials to test the {} differences in {name} from {baseline}: at least {} pairs of seeds are needed.",
            all.len(),
            pairs_needed(comparison.comparisons().max(1))
        ),
        (all, 0) => format!("None of {} differences in {name} from {baseline} is significant.", all.len()),
        (all, differ) => format!("{differ} of {} differences in {name} from {baseline} are significant.", all.len()),
    };
    format!("<p class=\"reading\">{}</p>", text(&format!("{leader} {rest}")))
}

/// Returns a table of each variant's difference from the baseline; `None` if none can be tested.
fn tests(tested: &Tested, comparison: &Comparison, groups: &[Group]) -> Option<String> {
    let mut tests: Vec<&str> = Vec::new();
    for difference in tested.groups.iter().flatten().filter(|difference| difference.p.is_some()) {
        let test = difference.test.name(difference.design);
        if !tests.contains(&test) {
            tests.push(test);
        }
    }
    if tested.groups.iter().flatten().all(|difference| difference.interval.is_none()) {
        return None;
    }
    let several = comparison.comparisons() > 1;
    let corrected = if several { ", corrected for many comparisons by Holm's method" } else { "" };
    let caption = format!(
        "Difference in {} from {}: 95 % bootstrap interval, and p of a {}{corrected}",
        in_a_sentence(&tested.figure),
        groups[comparison.baseline].label,
        tests.join(" or a ")
    );
    let heads = [
        Cell::text("variant"),
        Cell::text("difference").of_class("n"),
        Cell::text("95 % interval").of_class("n"),
        Cell::text("p").of_class("n"),
        Cell::text("effect (Hedges' g)").of_class("n"),
        Cell::text("what can be said"),
    ];
    let mut table = Table::new(&caption, heads).with("id=\"differences\"");
    for (place, difference) in tested.groups.iter().enumerate() {
        let Some(difference) = difference else { continue };
        let interval =
            difference.interval.map(|interval| format!("{} to {}", signed(interval.low), signed(interval.high)));
        let p = difference.corrected.or(difference.p);
        table.row([
            Cell::head(key(place, &groups[place].label)),
            Cell::number(&signed(difference.difference)),
            Cell::number(interval.as_deref().unwrap_or("–")),
            Cell::number(&p.map_or("–".to_owned(), brief)),
            Cell::number(&difference.hedges_g.map_or("–".to_owned(), |g| format!("{g:+.2}"))),
            Cell::text(verdict(difference.verdict)),
        ]);
    }
    Some(table.html_text())
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::OneTrial => "one trial on a side: cannot be tested",
        Verdict::Same => "the same",
        Verdict::TooFew => "too few trials to tell",
        Verdict::MayBeLuck => "not significant",
        Verdict::Differs => "significant",
    }
}

/// Returns a difference with its sign.
fn signed(value: f64) -> String {
    match value {
        value if !value.is_finite() => Number(value).to_string(),
        value if value > 0.0 => format!("+{}", brief(value)),
        value => brief(value).replacen('-', "−", 1),
    }
}
