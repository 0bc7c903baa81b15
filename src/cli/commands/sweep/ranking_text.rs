//! The configurations of a sweep as a table, best first, and the best one in a line.

use crate::cli::text::column::{Cell, Column};
use crate::cli::text::column_layout::Fitted;
use crate::cli::text::number_format::count;
use crate::cli::text::text_style::TextStyle;
use crate::sweep::labels::Labels;
use crate::sweep::record::{Configuration, SweepRecord};
use crate::sweep::results::{ConfigurationResult, Outcome, Ranking, failure_reasons, notes, setting_importance};
use crate::views::document::statistic::mean_and_std;

/// Number of configurations that are shown unless another number is asked for.
pub const TOP: usize = 10;

/// Returns the table of the first `top` configurations, and below it what is left out and why configurations failed. `option`
/// shows more: `--top`, or a whole command that ends with it.
pub fn table(
    record: &SweepRecord,
    ranking: &Ranking,
    metric: &str,
    (top, option): (usize, &str),
    page: TextStyle,
) -> String {
    let shown = &ranking.results[..top.min(ranking.results.len())];
    let best = ranking.best().is_some();
    let labels = Labels::new(&record.settings);
    let names = Column::words("configuration", shown.iter().map(|result| result.configuration.name.clone()));
    let values = shown.iter().enumerate().map(|(place, result)| Cell {
        text: result.metric.as_ref().map_or("–".to_owned(), mean_and_std),
        is_best: best && place == 0,
    });
    let mut groups = vec![vec![Column::numbers(metric, values)]];
    groups.extend(setting_columns(&labels, shown.iter().map(|result| result.configuration)));
    if record.halving.is_some() {
        // those of a stack in training are unknown
        let epochs = shown.iter().map(|result| match result.epochs {
            0 => Cell::plain("–".to_owned()),
            epochs => Cell::plain(count(epochs)),
        });
        groups.push(vec![Column::numbers("epochs (sum)", epochs)]);
    }
    let states: Vec<String> = shown.iter().map(status).collect();
    let closing = states.iter().any(|status| !status.is_empty()).then(|| Column::words("status", states));
    let mut parts = Fitted { closing, ..Fitted::new(names, groups) }.tables(page);
    let mut below = Vec::new();
    let has_several_seeds =
        shown.iter().any(|result| result.metric.as_ref().is_some_and(|metric| metric.std.is_some()));
    below.extend((best && !page.styled).then(|| match has_several_seeds {
        true => "* best; ± = standard deviation over the seeds".to_owned(),
        false => "* best".to_owned(),
    }));
    let hidden = ranking.results.len() - shown.len();
    if hidden > 0 {
        let (noun, all) = (if hidden == 1 { "configuration" } else { "configurations" }, ranking.results.len());
        below.push(format!("{} more {noun}: show all with `{option} {all}`", count(hidden)));
    }
    below.extend(failure_reasons::of(ranking).iter().map(|reason| format!("failed: {reason}")));
    below.extend(notes::notes(record, ranking).into_iter().map(|note| format!("note: {note}")));
    // the importance of a lone setting says nothing
    let shares = setting_importance::of_settings(record, ranking).filter(|shares| shares.len() > 1);
    below.extend(shares.map(|shares| importance(&shares, metric, &labels)));
    let below: Vec<String> = below.iter().map(|line| page.wrapped(line, 2)).collect();
    parts.extend((!below.is_empty()).then(|| below.join("\n")));
    parts.join("\n\n")
}

/// Returns a column for each setting that varies.
pub(super) fn setting_columns<'a>(
    labels: &Labels,
    configurations: impl Iterator<Item = &'a Configuration> + Clone,
) -> Vec<Vec<Column>> {
    let column = |label: &&str| {
        let value = |one: &Configuration| labels.value(label, &one.set).unwrap_or_else(|| "–".to_owned());
        vec![Column::values(*label, configurations.clone().map(value).collect())]
    };
    labels.labels().iter().map(column).collect()
}

/// Returns the best configuration in a line: name, metric and settings.
pub fn best_line(record: &SweepRecord, best: &ConfigurationResult, metric: &str) -> String {
    let value = best.metric.as_ref().map_or("–".to_owned(), mean_and_std);
    let settings = Labels::new(&record.settings).describe(&best.configuration.set);
    format!("{}: {metric} {value}, {settings}", best.configuration.name)
}

/// Returns the settings that explain most of the differences, in a line.
fn importance(shares: &[(&str, f64)], metric: &str, labels: &Labels) -> String {
    let one = |(key, share): &(&str, f64)| format!("{} {share:.2}", labels.label(key));
    let listed: Vec<String> = shares.iter().map(one).collect();
    format!("importance of the settings for {metric} (functional ANOVA): {}", listed.join(", "))
}

fn status(result: &ConfigurationResult) -> String {
    match &result.outcome {
        Outcome::Done => String::new(),
        Outcome::Dropped(epoch) => format!("dropped after epoch {epoch}"),
        Outcome::Unfinished => "unfinished".to_owned(),
        Outcome::Diverged(trials) => format!("{trials} of {} diverged", result.done),
        Outcome::Failed(_) => "failed".to_owned(),
    }
}
