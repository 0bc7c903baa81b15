//! Learning curves section: placeholders of the interactive charts, and the same metrics in tables.

use base64::Engine;

use crate::compare::group::Group;
use crate::compare::trial::Curve;
use crate::history::number::brief;
use crate::plot;
use crate::report::markup::{Cell, Section, Table, by_group, folded, note, text};
use crate::report::{payload, thinned};

/// Number of epochs in a table.
const ROWS: usize = 25;

/// Returns the section; `None` if no group has curves.
pub fn of(groups: &[Group]) -> Option<Section> {
    if !payload::has_curves(groups) {
        return None;
    }
    let several = groups.iter().any(|group| group.trials.len() > 1);
    let mut body = String::from(concat!(
        "<div class=\"controls needs-js\" id=\"curve-controls\"></div>\n",
        "<div class=\"needs-js\"><ul class=\"keys\" id=\"keys\" aria-label=\"Lines\"></ul>",
        "<p id=\"all-or-none\"><button type=\"button\" id=\"show-all\">Show all</button> ",
        "<button type=\"button\" id=\"show-none\">Hide all</button></p></div>\n",
        "<div class=\"panels\" id=\"panels\"></div>\n",
        "<p class=\"note\" id=\"below-zero\" hidden></p>\n",
    ));
    body.push_str(&without_scripts(groups));
    let mut told: Vec<String> = Vec::new();
    if payload::metrics(groups).iter().any(|metric| metric.train && metric.val) {
        told.push("Training curves are dashed and validation curves solid.".to_owned());
    }
    told.push(
        "Point at a chart to read it, drag to zoom, click twice to see all again; with the keyboard, go to a chart and use \
         the arrow keys."
            .to_owned(),
    );
    told.push(
        "A line stands at the best epoch, and what is tinted is overfitting; of several lines, ▼ marks the best epoch and \
         ◇ where overfitting begins."
            .to_owned(),
    );
    if several {
        told.push(
            "A band is one standard deviation to either side of the mean, over the trials that reached the epoch."
                .to_owned(),
        );
    }
    match thinned::every(groups) {
        1 => {}
        every => told.push(format!(
            "There are more epochs than a page should hold: every {} is drawn, with the first, the best and the last.",
            nth(every)
        )),
    }
    body.push_str(&format!("<p class=\"note needs-js\">{}</p>\n", text(&told.join(" "))));
    let tables: Vec<(String, String)> =
        groups.iter().filter_map(|group| Some((group.label.clone(), epochs(group)?))).collect();
    if !tables.is_empty() {
        body.push_str(&folded("The curves' figures in a table", &by_group(&tables)));
    }
    Some(Section { id: "curves", title: "Learning curves", body })
}

/// Returns a static plot of the curves for readers without JavaScript.
fn without_scripts(groups: &[Group]) -> String {
    const LARGEST: usize = 150_000;
    let drawn = plot::charts::curves::draw(groups, &plot::charts::curves::Options::default()).ok();
    let svg = drawn.map(|drawn| drawn.svg.finish()).filter(|svg| svg.len() <= LARGEST);
    let picture = svg.map(|svg| {
        let svg = base64::engine::general_purpose::STANDARD.encode(svg);
        let alt = "Learning curves; their figures stand in the table below";
        format!("<img class=\"static\" alt=\"{alt}\" src=\"data:image/svg+xml;base64,{svg}\">")
    });
    let told = "The interactive charts need JavaScript, which is off here. All figures stand in the tables below.";
    format!("<noscript><p class=\"box\">{told}</p>{}</noscript>\n", picture.unwrap_or_default())
}

fn nth(number: usize) -> String {
    match number {
        2 => "2nd".to_owned(),
        3 => "3rd".to_owned(),
        other => format!("{other}th"),
    }
}

/// Returns a table of a group's curves by epoch; with several trials, of their means.
fn epochs(group: &Group) -> Option<String> {
    let names = group.metrics();
    let of_trials = |name: &&str| group.trials.iter().filter_map(|trial| trial.curve(name)).collect();
    let curves: Vec<Vec<Curve>> = names.iter().map(of_trials).collect();
    let recorded = group.recorded();
    let last = Some(recorded.len()).filter(|&last| last > 0)?;
    let best = group.trials.iter().filter_map(|trial| Some(trial.best()?.epoch)).min();
    let mut epochs: Vec<usize> = thinned::places(last, ROWS).into_iter().map(|place| recorded[place]).collect();
    epochs.extend(best.filter(|_| group.trials.len() == 1));
    epochs.sort_unstable();
    epochs.dedup();
    let several = group.trials.len() > 1;
    let mean = if several { format!(", means of {} trials", group.trials.len()) } else { String::new() };
    let some = if last > epochs.len() { format!(", {} of {last} epochs", epochs.len()) } else { String::new() };
    let heads = std::iter::once(Cell::text("epoch").of_class("n"));
    let heads = heads.chain(names.iter().map(|name| Cell::text(name).of_class("n")));
    let mut table = Table::new(&format!("{}: metrics by epoch{mean}{some}", group.label), heads).tall();
    for epoch in epochs {
        let values: Vec<Option<String>> = curves.iter().map(|curves| shown(curves, epoch)).collect();
        if values.iter().all(Option::is_none) {
            continue;
        }
        let head = Cell::head(match !several && best == Some(epoch) {
            true => format!("{epoch} (best)"),
            false => epoch.to_string(),
        });
        let cells = values.into_iter().map(|value| Cell::number(value.as_deref().unwrap_or("–")));
        table.row(std::iter::once(head.of_class("n")).chain(cells));
    }
    Some(if table.is_empty() { note("There is no epoch to show.") } else { table.html_text() })
}

/// Returns a metric in an epoch: the mean of the finite values, or a non-finite value if there are no others.
fn shown(curves: &[Curve], epoch: usize) -> Option<String> {
    let values: Vec<f64> = curves.iter().filter_map(|curve| curve.at(epoch)).collect();
    let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    match finite.len() {
        0 => values.first().copied().map(brief),
        n => Some(brief(finite.iter().sum::<f64>() / n as f64)),
    }
}
