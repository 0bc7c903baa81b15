//! Learning curves section: placeholders of the interactive charts, and the same metrics in tables.

use crate::compare::group::Group;
use crate::compare::trial::Curve;
use crate::history::number::of_name;
use crate::plot;
use crate::report::html::static_image;
use crate::report::payload;
use crate::views::document::block::{Block, Section};
use crate::views::document::statistic::{MISSING, mean_of_finite};
use crate::views::document::table::Table;
use crate::views::document::thinning;

/// Number of epochs in a table.
const ROWS: usize = 25;

/// Places of the interactive charts and their controls.
const PLACES: &str = concat!(
    "<div class=\"controls needs-js\" id=\"curve-controls\"></div>\n",
    "<div class=\"needs-js\"><ul class=\"keys\" id=\"keys\" aria-label=\"Lines\"></ul>",
    "<p id=\"all-or-none\"><button type=\"button\" id=\"show-all\">Show all</button> ",
    "<button type=\"button\" id=\"show-none\">Hide all</button></p></div>\n",
    "<div class=\"panels\" id=\"panels\"></div>\n",
    "<p class=\"note\" id=\"below-zero\" hidden></p>\n",
);

const PARTS: &str = "Training curves are dashed and validation curves solid.";

const HOW_TO_READ: &str = "Point at a chart to read it, drag to zoom, and double-click to see everything again; with the \
                           keyboard, go to a chart and use the arrow keys. A vertical line marks the best epoch, and \
                           overfitting is tinted; with several lines, ▼ marks the best epoch and ◇ where overfitting begins.";

const BAND: &str =
    "A band is one standard deviation on either side of the mean over the trials that reached the epoch.";

/// Returns the section of a page whose curves grow: the places of the charts, without tables.
pub fn live_section() -> Section {
    let notes = [PARTS, HOW_TO_READ, BAND].join(" ");
    Section {
        id: "curves",
        title: "Learning curves",
        blocks: vec![Block::Html(PLACES.to_owned()), Block::ChartNote(notes)],
    }
}

/// Returns the section; `None` if no group has curves.
pub fn section(groups: &[Group]) -> Option<Section> {
    if !payload::has_curves(groups) {
        return None;
    }
    let html = format!("{PLACES}{}", without_scripts(groups));
    let mut notes: Vec<String> = Vec::new();
    if payload::metrics(groups).iter().any(|metric| metric.train && metric.val) {
        notes.push(PARTS.to_owned());
    }
    notes.push(HOW_TO_READ.to_owned());
    if groups.iter().any(|group| group.trials.len() > 1) {
        notes.push(BAND.to_owned());
    }
    match thinning::epoch_step(groups) {
        1 => {}
        every => notes.push(format!(
            "There are more epochs than a page can show: every {} is drawn, with the first, the best and the last.",
            nth(every)
        )),
    }
    let mut blocks = vec![Block::Html(html), Block::ChartNote(notes.join(" "))];
    let tables = groups.iter().filter_map(|group| Some((group.label.clone(), vec![Block::Table(by_epoch(group)?)])));
    let tables: Vec<(String, Vec<Block>)> = tables.collect();
    if !tables.is_empty() {
        blocks.push(Block::Folded("Metrics by epoch in a table".to_owned(), vec![Block::ByGroup(tables)]));
    }
    Some(Section { id: "curves", title: "Learning curves", blocks })
}

/// Returns a static plot of the curves for readers without JavaScript.
fn without_scripts(groups: &[Group]) -> String {
    let drawn = plot::charts::curves::draw(groups, &plot::charts::curves::Options::default());
    let plot = static_image(drawn, "Learning curves; the table below has their values");
    let note = "The interactive charts need JavaScript, which is off. The tables below have all metrics.";
    format!("<noscript><p class=\"box\">{note}</p>{}</noscript>", plot.unwrap_or_default())
}

fn nth(number: usize) -> String {
    match number {
        2 => "2nd".to_owned(),
        3 => "3rd".to_owned(),
        other => format!("{other}th"),
    }
}

/// Returns a table of a group's curves by epoch; with several trials, of their means.
fn by_epoch(group: &Group) -> Option<Table> {
    let names = group.metrics();
    let of_trials = |name: &&str| group.trials.iter().filter_map(|trial| trial.curve(name)).collect();
    let curves: Vec<Vec<Curve>> = names.iter().map(of_trials).collect();
    let recorded = group.recorded_epochs();
    let last = Some(recorded.len()).filter(|&last| last > 0)?;
    let several = group.trials.len() > 1;
    let best = group.trials.iter().filter_map(|trial| Some(trial.best()?.epoch)).min().filter(|_| !several);
    let mut epochs: Vec<usize> = thinning::places(last, ROWS).into_iter().map(|place| recorded[place]).collect();
    epochs.extend(best);
    epochs.sort_unstable();
    epochs.dedup();
    let mean = if several { format!(", means of {} trials", group.trials.len()) } else { String::new() };
    let some = if last > epochs.len() { format!(", {} of {last} epochs", epochs.len()) } else { String::new() };
    let heads = std::iter::once("epoch").chain(names.iter().copied());
    let mut table = Table::new(format!("{}: metrics by epoch{mean}{some}", group.label), heads, ..);
    for epoch in epochs {
        let mean = |curves: &Vec<Curve>| {
            mean_of_finite(&curves.iter().filter_map(|curve| curve.at(epoch)).collect::<Vec<f64>>())
        };
        let values: Vec<Option<f64>> = curves.iter().map(mean).collect();
        if values.iter().any(Option::is_some) {
            let head = if best == Some(epoch) { format!("{epoch} (best)") } else { epoch.to_string() };
            let values = names
                .iter()
                .zip(values)
                .map(|(name, value)| value.map_or(MISSING.to_owned(), |value| of_name(name, value)));
            table.row(std::iter::once(head).chain(values));
        }
    }
    table.filled()
}
