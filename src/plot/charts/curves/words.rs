//! Texts of learning curve plots: title, legend, and notes on the best epoch and overfitting.

use crate::compare::group::Group;
use crate::plot::charts::curves::options::Options;
use crate::plot::charts::curves::panel::{Layout, Used, stroke};
use crate::plot::charts::curves::series;
use crate::plot::charts::metric_names::{self, capital, count};
use crate::plot::charts::subject;
use crate::plot::draw::color::{Color, GHOST, INK, QUIET};
use crate::plot::draw::legend::{Entry, Sample};
use crate::plot::draw::marker::Marker;
use crate::plot::draw::page::Page;
use crate::plot::draw::shape::Stroke;
use crate::plot::draw::turning;

/// Returns the texts and the legend for these groups.
pub fn page(groups: &[&Group], metrics: &[String], layout: Layout, options: &Options, used: &Used) -> Page {
    let thing = subject::thing(groups);
    let title = match (layout, metrics) {
        (Layout::Multiples, [metric]) => subject::titled(groups, &metric_names::words(metric)),
        _ => subject::title(groups),
    };
    let mut subtitle = subject::subtitle(groups);
    if used.bands {
        subtitle += ": mean ± standard deviation";
    } else if groups.iter().any(|group| group.trials.len() > 1) {
        subtitle += ": mean";
    }
    let mut notes = Vec::new();
    if let [group] = groups {
        notes.extend(turnings(group, thing, options));
    }
    if !used.empty.is_empty() {
        let empty: Vec<&str> = used.empty.iter().map(String::as_str).collect();
        notes.push(format!("Not finite in any epoch: {}.", metric_names::list(&empty, 6)));
    }
    notes.extend(thinning(groups, thing, options));
    let labels: Vec<&str> = groups.iter().map(|group| group.label.as_str()).collect();
    let words: Vec<String> = metrics.iter().map(|metric| metric_names::words(metric)).collect();
    let (labels, words) = (metric_names::list(&labels, 24), words.join(" and "));
    let description = format!("Learning curves of {labels}: {words} by {}. {}", options.x.word(), notes.join(" "));
    let (legend, keys) = legend(groups, layout, used);
    Page { title, subtitle, description: description.trim_end().to_owned(), legend, keys, notes }
}

/// Returns the legend entries of the groups, and those that apply to all groups.
fn legend(groups: &[&Group], layout: Layout, used: &Used) -> (Vec<Entry>, Vec<Entry>) {
    let of_group = |(number, group): (usize, &&Group)| {
        let line = Sample::Line(Stroke::solid(Color::of(number), 2.0), Some(Marker::of(number)));
        Entry::new(line, group.label.clone())
    };
    let of_groups = match layout {
        Layout::Overlaid => groups.iter().enumerate().map(of_group).collect(),
        Layout::Lone | Layout::Multiples => Vec::new(),
    };
    let line = |is_validation: bool| {
        let own = stroke(layout, 0, is_validation, used.validation);
        match layout {
            Layout::Overlaid => Sample::Line(Stroke { color: QUIET, ..own }, None),
            _ if used.bands => Sample::Band(own),
            _ => Sample::Line(own, None),
        }
    };
    let mut keys: Vec<Entry> = Vec::new();
    keys.extend(used.validation.then(|| Entry::new(line(true), "validation")));
    keys.extend(used.training.then(|| Entry::new(line(false), "training")));
    keys.extend(used.best.then(|| Entry::new(Sample::Ring(INK), "best epoch")));
    if used.onset && layout != Layout::Lone {
        keys.push(Entry::new(Sample::Stop(INK), "overfits from here"));
    }
    keys.extend(used.broken.then(|| Entry::new(Sample::Cross(INK), "no longer finite")));
    if layout == Layout::Multiples {
        let what = if used.validation { "the others, validation" } else { "the others" };
        keys.push(Entry::new(Sample::Line(Stroke::solid(GHOST, 1.4), None), what));
    }
    (of_groups, keys)
}

/// Returns a note about the best epoch and the start of overfitting of a group.
fn turnings(group: &Group, thing: &str, options: &Options) -> Option<String> {
    let best = turning::best(group, options.x).map(|best| {
        let by = turning::monitor(group).map(|monitor| format!(" by {monitor}")).unwrap_or_default();
        format!("best{by}: {}", best.words(thing))
    });
    let onset = turning::onset(group, options.x).map(|onset| {
        let of = match (onset.epochs.len(), group.trials.len()) {
            (_, 1) => String::new(),
            (some, all) if some == all => format!(", all {}", count(all, thing)),
            (some, all) => format!(", {some} of {}", count(all, thing)),
        };
        format!("overfits from {}{of}", onset.words(thing))
    });
    let sentences: Vec<String> =
        best.into_iter().chain(onset).map(|sentence| format!("{}.", capital(&sentence))).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// Returns a note about means that cover fewer trials at the end than at the start.
fn thinning(groups: &[&Group], thing: &str, options: &Options) -> Option<String> {
    let thins = |group: &&&Group| {
        let curve = ["val_loss", "loss"].into_iter().find_map(|name| series::of(group, name, options.x));
        group.trials.len() > 1 && curve.is_some_and(|series| series.thins_out().is_some())
    };
    let some: Vec<&str> = groups.iter().filter(thins).map(|group| group.label.as_str()).collect();
    let of = if groups.len() == 1 { String::new() } else { format!(" of {}", metric_names::list(&some, 4)) };
    (!some.is_empty()).then(|| format!("Towards the end{of}, means are of the {thing}s that got so far."))
}
