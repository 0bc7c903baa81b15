//! What `runner reproduce` shows: whether each trial came out the same, where the others part, and what may be the cause.

use crate::cli::commands::reproduce::result::Made;
use crate::cli::text::number_format::count;
use crate::cli::text::page::Page;
use crate::cli::text::terminal;
use crate::experiment::verify::reproduction::Outcome;
use crate::experiment::verify::weight_diff::WeightDiff;
use crate::history::difference::{Figure, Other, Otherwise};
use serde_json::Value;

/// How many trials are told one by one.
const MOST: usize = 10;

/// All that is shown.
pub(crate) fn text(made: &Made) -> String {
    let page = Page::of_output();
    let mut lines: Vec<String> = Vec::new();
    let identical: Vec<(&str, &Outcome)> =
        made.outcomes().filter(|(_, outcome)| outcome.is_identical() == Some(true)).collect();
    match &identical[..] {
        few if few.len() <= MOST => {
            lines.extend(few.iter().map(|(stem, outcome)| format!("{stem}: identical, {}", of_what(outcome))));
        }
        [(first, outcome), .., (last, _)] => {
            let many = format!("{} trials from {first} to {last}: identical", count(identical.len()));
            lines.push(format!("{many}, each like the first: {}", of_what(outcome)));
        }
        _ => {}
    }
    let unknown: Vec<(&str, &Outcome)> = made.outcomes().filter(|(_, o)| o.is_identical().is_none()).collect();
    for (stem, outcome) in unknown.iter().take(MOST) {
        let what = if outcome.is_tree { "its tree was" } else { "its weights were" };
        let of_what = of_what(outcome);
        let line = format!("{stem}: metrics identical, {of_what}; {what} not compared: the run's file is missing");
        lines.push(terminal::red(&line));
    }
    if unknown.len() > MOST {
        lines.push(format!("{} more trials lack their weights; `--json` has all of them", unknown.len() - MOST));
    }
    let different: Vec<(&str, &Outcome)> =
        made.outcomes().filter(|(_, outcome)| outcome.is_identical() == Some(false)).collect();
    for (stem, outcome) in different.iter().take(MOST) {
        lines.extend(parting(stem, outcome));
    }
    if different.len() > MOST {
        lines.push(format!("{} more trials are different; `--json` has all of them", different.len() - MOST));
    }
    for (stem, _) in made.trials.iter().filter(|(_, outcome)| outcome.is_none()) {
        lines.push(terminal::red(&format!("{stem}: was not trained again")));
    }
    if made.outcomes().next().is_some() {
        lines.extend(causes(made, different.is_empty()));
    }
    lines.extend(made.kept.as_ref().map(|kept| format!("the new run is kept in {}", kept.display())));
    lines.iter().map(|line| laid_out(line, page)).collect::<Vec<_>>().join("\n")
}

/// A line on a page, with what it is indented by.
fn laid_out(line: &str, page: Page) -> String {
    match line.strip_prefix("  ") {
        Some(inner) => {
            let inner = Page { width: page.width.min(100) - 2, ..page }.wrapped(inner, 9);
            inner.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
        }
        None => page.wrapped(line, 2),
    }
}

/// What was compared.
fn of_what(outcome: &Outcome) -> String {
    let epochs = match outcome.difference.epochs {
        1 => "1 epoch".to_owned(),
        epochs => format!("{} epochs", count(epochs)),
    };
    let tested = outcome.tested.then(|| "the test".to_owned());
    let kept = (outcome.kept_file == WeightDiff::Identical).then(|| "weight files byte for byte".to_owned());
    let parts: Vec<String> = [epochs].into_iter().chain(tested).chain(kept).collect();
    match &parts[..] {
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
        [] => String::new(),
    }
}

/// Where a trial parts from the one that was made again.
fn parting(stem: &str, outcome: &Outcome) -> Vec<String> {
    let difference = &outcome.difference;
    let mut lines = Vec::new();
    match &difference.first {
        Some(first) => {
            let epochs = count(difference.epochs);
            lines.push(terminal::red(&format!("{stem}: different from epoch {} of {epochs}", first.epoch)));
            lines.push(format!("  first    {}", figure(first)));
        }
        None => lines.push(terminal::red(&format!("{stem}: different, though not in its epochs"))),
    }
    if let (Some(first), Some(largest)) = (&difference.first, &difference.largest)
        && largest != first
    {
        lines.push(format!("  largest  epoch {}: {}", count(largest.epoch), figure(largest)));
    }
    lines.extend(difference.others.iter().map(|other| format!("  besides  {}", beside(other))));
    if let WeightDiff::Different { tensor, largest } = &outcome.kept_file {
        let from = tensor.as_ref().map(|tensor| format!(", first in `{tensor}`")).unwrap_or_default();
        let by = largest.as_ref().map(|by| format!(", by {:.1e} at most", by.0)).unwrap_or_default();
        lines.push(format!("  weights  the files differ{from}{by}"));
    }
    lines
}

/// `loss 0.25 then, 0.2500001 now: 1.0e-7 apart, 4.0e-7 of it`
fn figure(figure: &Figure) -> String {
    let Figure { metric, then, now, absolute, relative, .. } = figure;
    let apart = match absolute.0.is_finite() {
        true => format!("{:.1e} apart, {:.1e} of it", absolute.0, relative.0),
        false => "one of them is no number".to_owned(),
    };
    format!("{metric} {} then, {} now: {apart}", then.0, now.0)
}

fn beside(other: &Other) -> String {
    let shown = |value: &Value| match value {
        Value::Null => "not there".to_owned(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    let more = match other.of {
        0 | 1 => String::new(),
        2 => "; one more value differs beside it".to_owned(),
        of => format!("; {} more values differ beside it", count(of - 1)),
    };
    format!("{} {} then, {} now{more}", other.place, shown(&other.then), shown(&other.now))
}

/// What was otherwise than in the run.
fn causes(made: &Made, is_identical: bool) -> Vec<String> {
    let otherwise: Vec<String> = made.otherwise().into_iter().map(in_words).collect();
    let unseen = made.unseen();
    if is_identical {
        return match &otherwise[..] {
            [] => Vec::new(),
            all => vec![format!("the same, although not all was as then: {}", all.join("; "))],
        };
    }
    let mut lines = Vec::new();
    match &otherwise[..] {
        [] => lines.push(
            "nothing that the histories tell was otherwise: the same program gives other figures each time, where \
             operations have no fixed order"
                .to_owned(),
        ),
        all => {
            lines.push("changes that may be the cause:".to_owned());
            lines.extend(all.iter().map(|one| format!("  {one}")));
        }
    }
    if !unseen.is_empty() {
        lines.push(format!("not known: {}", unseen.join("; ")));
    }
    let options = &made.stored.options;
    if options.device.starts_with("cuda") && !options.deterministic {
        lines.push("on a GPU, use `runner exp … --deterministic` for equal results each time".to_owned());
    }
    lines
}

/// `threads 1 then, 2 now`; of checksums the beginning.
fn in_words(otherwise: &Otherwise) -> String {
    let Otherwise { what, then, now } = otherwise;
    let short = |text: &str| match what.starts_with("checksum") && text.chars().count() > 12 {
        true => format!("{}…", text.chars().take(12).collect::<String>()),
        false => text.to_owned(),
    };
    format!("{what} {} then, {} now", short(then), short(now))
}
