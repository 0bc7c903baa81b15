//! Texts of learning curve plots: title, legend, and notes on the best epoch and overfitting.

use crate::compare::group::Group;
use crate::history::number::counted;
use crate::plot::charts::curves::options::{Options, Smoothing};
use crate::plot::charts::curves::panel::{Layout, UsedElements, stroke};
use crate::plot::charts::curves::series;
use crate::plot::charts::epoch_marks;
use crate::plot::charts::metric_labels;
use crate::plot::charts::titles;
use crate::plot::draw::color::{Color, GHOST, INK, QUIET};
use crate::plot::draw::legend::{Entry, Handle};
use crate::plot::draw::marker::Marker;
use crate::plot::draw::page::Page;
use crate::plot::draw::shape::Stroke;
use crate::views::capital::capital;

/// Returns the texts and the legend for these groups.
pub fn page(groups: &[&Group], metrics: &[String], layout: Layout, options: &Options, used: &UsedElements) -> Page {
    let trial_noun = titles::trial_noun(groups);
    let title = match (layout, metrics) {
        (Layout::Multiples, [metric]) => titles::title_of_kind(groups, &metric_labels::words(metric)),
        _ => titles::title(groups),
    };
    let mut subtitle = titles::subtitle(groups);
    if used.bands {
        subtitle += ": mean ± standard deviation";
    } else if groups.iter().any(|group| group.trials.len() > 1) {
        subtitle += ": mean";
    }
    let mut notes = Vec::new();
    if let [group] = groups {
        notes.extend(describe_epochs(group, trial_noun, options));
    }
    notes.extend(options.smooth.map(Smoothing::describe));
    if !used.empty.is_empty() {
        notes.push(format!("Not finite in any epoch: {}.", metric_labels::list(&used.empty, 6)));
    }
    notes.extend(describe_fewer_trials(groups, trial_noun, options));
    let labels: Vec<&str> = groups.iter().map(|group| group.label.as_str()).collect();
    let words: Vec<String> = metrics.iter().map(|metric| metric_labels::words(metric)).collect();
    let (labels, words) = (metric_labels::list(&labels, 24), words.join(" and "));
    let description = format!("Learning curves of {labels}: {words} by {}. {}", options.x.word(), notes.join(" "));
    let (legend, keys) = legend(groups, layout, used);
    Page { title, subtitle, description: description.trim_end().to_owned(), legend, keys, notes }
}

/// Returns the legend entries of the groups, and those that apply to all groups.
fn legend(groups: &[&Group], layout: Layout, used: &UsedElements) -> (Vec<Entry>, Vec<Entry>) {
    let of_group = |(number, group): (usize, &&Group)| {
        let line = Handle::Line(Stroke::solid(Color::nth(number), 2.0), Some(Marker::nth(number)));
        Entry::new(line, group.label.clone())
    };
    let of_groups = match layout {
        Layout::Overlaid => groups.iter().enumerate().map(of_group).collect(),
        Layout::Single | Layout::Multiples => Vec::new(),
    };
    let line = |is_validation: bool| {
        let own = stroke(layout, 0, is_validation, used.validation);
        match layout {
            Layout::Overlaid => Handle::Line(Stroke { color: QUIET, ..own }, None),
            Layout::Single | Layout::Multiples if used.bands => Handle::Band(own),
            Layout::Single | Layout::Multiples => Handle::Line(own, None),
        }
    };
    let mut keys: Vec<Entry> = Vec::new();
    keys.extend(used.validation.then(|| Entry::new(line(true), "validation")));
    keys.extend(used.training.then(|| Entry::new(line(false), "training")));
    keys.extend(used.best.then(|| Entry::new(Handle::Ring(INK), "best epoch")));
    if used.onset && layout != Layout::Single {
        keys.push(Entry::new(Handle::VerticalTick(INK), "overfits from here"));
    }
    keys.extend(used.broken.then(|| Entry::new(Handle::Cross(INK), "no longer finite")));
    if layout == Layout::Multiples {
        let what = if used.validation { "the other runs, validation" } else { "the other runs" };
        keys.push(Entry::new(Handle::Line(Stroke::solid(GHOST, 1.4), None), what));
    }
    (of_groups, keys)
}

/// Returns a note about the best epoch and the start of overfitting of a group.
fn describe_epochs(group: &Group, trial_noun: &str, options: &Options) -> Option<String> {
    let best = epoch_marks::best_epoch(group, options.x).map(|best| {
        let by = epoch_marks::monitor(group).map(|monitor| format!(" by {monitor}")).unwrap_or_default();
        format!("best{by}: {}", best.describe(trial_noun))
    });
    let onset = epoch_marks::overfitting_onset(group, options.x).map(|onset| {
        let of = match (onset.epochs.len(), group.trials.len()) {
            (_, 1) => String::new(),
            (some, all) if some == all => format!(", all {}", counted(all, trial_noun)),
            (some, all) => format!(", {some} of {}", counted(all, trial_noun)),
        };
        format!("overfits from {}{of}", onset.describe(trial_noun))
    });
    let sentences: Vec<String> =
        best.into_iter().chain(onset).map(|sentence| format!("{}.", capital(&sentence))).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// Returns a note about means that cover fewer trials at the end than at the start.
fn describe_fewer_trials(groups: &[&Group], trial_noun: &str, options: &Options) -> Option<String> {
    let thins = |group: &&&Group| {
        let curve = ["val_loss", "loss"].into_iter().find_map(|name| series::from_group(group, name, options.x));
        group.trials.len() > 1 && curve.is_some_and(|series| series.first_with_fewer_trials().is_some())
    };
    let some: Vec<&str> = groups.iter().filter(thins).map(|group| group.label.as_str()).collect();
    let of = if groups.len() == 1 { String::new() } else { format!(" of {}", metric_labels::list(&some, 4)) };
    (!some.is_empty()).then(|| format!("Late epochs{of} are means over fewer {trial_noun}s: some stopped earlier."))
}
