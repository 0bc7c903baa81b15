//! Plot of layer statistics by epoch: one panel per group, one line per layer, from dark (first layer) to light (last
//! layer).

use crate::compare::group::Group;
use crate::compare::trial;
use crate::config::hint::hinted;
use crate::config::suggest;
use crate::observe::observer::Observer;
use crate::plot::Plot;
use crate::plot::charts::curves::panel::along;
use crate::plot::charts::curves::series::{self, Series};
use crate::plot::charts::metric_labels::{self, list};
use crate::plot::charts::{best_first, titles};
use crate::plot::draw::axis::{Axis, range};
use crate::plot::draw::color::Color;
use crate::plot::draw::grid::Grid;
use crate::plot::draw::page::{MARGIN, Page, PageOptions};
use crate::plot::draw::panel::{Artist, EndLabel, Panel};
use crate::plot::draw::shape::Stroke;
use crate::plot::draw::ticks::Unit;
use crate::views::capital::capital;

/// Options of the plot.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The observer; the default is the first one recorded.
    pub observer: Option<String>,
    /// The horizontal axis.
    pub x: trial::Axis,
    /// Whether the vertical axis is logarithmic; by default, norms with a wide range are.
    pub log: Option<bool>,
    /// Size and title of the plot.
    pub page: PageOptions,
}

const LONE_WIDTH: f64 = 640.0;
const WIDTH: f64 = 900.0;
const LEAST_PANEL: f64 = 330.0;
const HEIGHT: f64 = 300.0;

/// Height in pixels needed above and below a frame, and for each label at its side.
const AROUND: f64 = 72.0;
const LABEL: f64 = 13.5;

/// Maximum number of groups.
const MOST_GROUPS: usize = 24;

/// Ratio of the largest to the smallest norm above which the axis is logarithmic.
const DECADES: f64 = 30.0;

/// The line of a layer.
struct Line {
    /// Index of the layer.
    layer: usize,
    /// Label, such as `0 linear`.
    name: String,
    series: Series,
}

/// Draws the statistics recorded by an observer.
///
/// # Errors
/// When no group has recorded layer statistics, or none from this observer.
pub fn draw(groups: &[Group], options: &Options) -> anyhow::Result<Plot> {
    let observer = observer(groups, options)?;
    let all: Vec<(&Group, Vec<Line>)> =
        groups.iter().map(|group| (group, lines(group, &observer, options.x))).collect();
    let (mut shown, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, lines)| !lines.is_empty());
    let mut notes: Vec<String> =
        others.iter().map(|(group, _)| format!("skipping `{}`: no {observer} was recorded", group.label)).collect();
    if shown.is_empty() {
        let message = format!("`--x {}`: none of these runs has recorded it", options.x.word());
        return Err(hinted(message, "use `--x epoch`, which every run has"));
    }
    let mut kept: Vec<&Group> = shown.iter().map(|(group, _)| *group).collect();
    let rest = best_first::keep(&mut kept, MOST_GROUPS, &mut notes);
    shown.retain(|(group, _)| kept.iter().any(|kept| std::ptr::eq(*kept, *group)));
    let every = || shown.iter().flat_map(|(_, lines)| lines).flat_map(|line| &line.series.points);
    let y = y_axis(&observer, every().map(|spread| spread.mean), options.log);
    let is_log = y.scale == crate::plot::draw::axis::Scale::Log;
    let x = along(options.x, every().map(|spread| spread.x));
    let is_lone = shown.len() == 1;
    let panels: Vec<Panel> = shown.iter().map(|(group, lines)| panel(group, lines, &x, &y, is_lone)).collect();
    let groups: Vec<&Group> = shown.iter().map(|(group, _)| *group).collect();
    let mut below = vec!["Dark lines are the first layers, light lines the last.".to_owned()];
    if is_log {
        below[0] += " Log scale.";
        below.extend(without_place(&shown));
    }
    below.extend(rest);
    let labels: Vec<&str> = groups.iter().map(|group| group.label.as_str()).collect();
    let what = format!("{} by layer", metric_labels::words(&observer));
    let title = titles::title_of_kind(&groups, &what);
    let description = format!("{}, of {}, by {}.", capital(&what), list(&labels, 24), options.x.word());
    let mut subtitle = titles::subtitle(&groups);
    if groups.iter().any(|group| group.trials.len() > 1) {
        subtitle += ": mean";
    }
    let page = Page { title, subtitle, description, legend: Vec::new(), keys: Vec::new(), notes: below };
    let width = options.page.width.unwrap_or(if is_lone { LONE_WIDTH } else { WIDTH });
    let columns = Grid::columns_for(panels.len(), width - 2.0 * MARGIN, LEAST_PANEL);
    let grid = Grid { panels, columns, shares_axes: true };
    // Keeps the labels at the ends of lines from overlapping.
    let least = AROUND + LABEL * shown.iter().map(|(_, lines)| lines.len()).max().unwrap_or(1) as f64;
    let wanted = if is_lone { HEIGHT } else { 0.8 * HEIGHT };
    let rows = grid.rows() as f64;
    let size = [width, wanted.max(least) * rows, least * rows];
    Ok(Plot { svg: page.draw(&options.page, size, |svg, room| grid.draw(svg, room)), notes })
}

/// Returns the requested observer, or the first one recorded.
fn observer(groups: &[Group], options: &Options) -> anyhow::Result<String> {
    let series = crate::compare::group::union(groups.iter().map(Group::series));
    let has = |observer: &&str| series.iter().any(|name| layer(name, observer).is_some());
    let there: Vec<&str> = Observer::ALL.into_iter().map(Observer::name).filter(has).collect();
    let found = match &options.observer {
        Some(named) => there.iter().copied().find(|observer| observer == named),
        None => there.first().copied(),
    };
    found.map(str::to_owned).ok_or_else(|| {
        if groups.iter().all(Group::is_tree) {
            let hint = "use `runner plot confusion`, `calibration` or `classes` for a tree, and with two classes `roc`, `pr` or \
                        `threshold`";
            return hinted("a decision tree has no layers, and so no gradients or other layer statistics", hint);
        }
        let unknown =
            options.observer.as_deref().filter(|named| !Observer::ALL.iter().any(|known| known.name() == *named));
        if let Some(unknown) = unknown {
            let hint = format!("use one of {}", suggest::list(&Observer::ALL.map(Observer::name)));
            return hinted(format!("there is no layer statistic `{unknown}`"), hint);
        }
        let wanted = options.observer.as_deref().unwrap_or("gradient_norm");
        let hint = match &there[..] {
            [] => format!("add `observe = [\"{wanted}\"]` to `[train]`, and train again"),
            there => format!("choose one that was recorded: {}", suggest::list(there)),
        };
        let what = options.observer.as_ref().map_or(String::new(), |observer| format!(" of the kind `{observer}`"));
        hinted(format!("no layer statistics{what} were recorded"), hint)
    })
}

/// Returns the index of a series' layer.
fn layer(series: &str, observer: &str) -> Option<usize> {
    series.strip_prefix(observer)?.strip_prefix('.')?.parse().ok()
}

/// Returns the lines of a group, from the first layer to the last.
fn lines(group: &Group, observer: &str, x: trial::Axis) -> Vec<Line> {
    let kind = |layer: usize| {
        let network = group.trials.first()?.history()?.network.as_ref()?;
        Some(network.layers.get(layer)?.kind.clone())
    };
    let line = |name: &str| {
        let layer = layer(name, observer)?;
        let series = series::from_group(group, name, x)?;
        Some(Line { layer, name: format!("{layer} {}", kind(layer).unwrap_or_default()).trim().to_owned(), series })
    };
    let mut lines: Vec<Line> = group.series().into_iter().filter_map(line).collect();
    lines.sort_by_key(|line| line.layer);
    lines
}

/// Returns the vertical axis. Unless an option decides, norms with a wide range are logarithmic and shares are linear.
fn y_axis(observer: &str, values: impl Iterator<Item = f64>, log: Option<bool>) -> Axis {
    let values: Vec<f64> = values.collect();
    let unit = metric_labels::unit(observer);
    let spans = || {
        let positive = range(values.iter().copied().filter(|value| *value > 0.0));
        unit == Unit::Plain && positive.is_some_and(|(low, high)| high > DECADES * low)
    };
    let is_log = log.unwrap_or_else(spans);
    let axis = if is_log { Axis::log(observer, values.iter().copied()) } else { None };
    axis.unwrap_or_else(|| Axis::with_margins(observer, unit, values))
}

fn panel(group: &Group, lines: &[Line], x: &Axis, y: &Axis, is_lone: bool) -> Panel {
    let mut panel = Panel::untitled(x.clone(), y.clone());
    if !is_lone {
        panel.title = group.label.clone();
    }
    let last = lines.len().saturating_sub(1).max(1) as f64;
    for (place, line) in lines.iter().enumerate() {
        let color = Color::from_viridis(place as f64 / last);
        panel.artists.push(Artist::Line(line.series.line(), Stroke::solid(color, 2.0)));
        panel.artists.extend(line.series.broken.iter().map(|at| Artist::Cross(*at, color)));
        let placed = line.series.points.iter().rev().find(|spread| y.share(spread.mean).is_some());
        if let Some(end) = placed {
            panel.end_labels.push(EndLabel { y: end.mean, text: line.name.clone(), color });
        }
    }
    panel
}

/// Returns a note about layers with zeros, which a log scale cannot show.
fn without_place(shown: &[(&Group, Vec<Line>)]) -> Option<String> {
    let has_zero = |line: &&Line| line.series.points.iter().any(|spread| spread.mean == 0.0);
    let named = shown.iter().flat_map(|(group, lines)| {
        lines.iter().filter(has_zero).map(|line| match shown.len() {
            1 => line.name.clone(),
            _ => format!("{} {}", group.label, line.name),
        })
    });
    let named: Vec<String> = named.collect();
    (!named.is_empty())
        .then(|| format!("Not shown on the log scale, because zero in some epochs: {}.", list(&named, 6)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::trial::Record;
    use crate::config::hint::Hint;
    use crate::plot::layout_checks::{groups, outside, overlapping};

    fn observed(many: usize, layers: usize) -> Vec<Group> {
        let mut groups = groups(many, 1, 8);
        for group in &mut groups {
            let Record::Runner(history) = &mut group.trials[0].record else { unreachable!("made here") };
            for layer in 0..layers {
                let values =
                    (0..8).map(|at| crate::history::number::Number(10_f64.powi(-(layer as i32)) / f64::from(at + 1)));
                history.history.series.insert(format!("gradient_norm.{}", 2 * layer), values.collect());
            }
        }
        groups
    }

    #[test]
    fn layers_are_labeled_at_their_ends_and_no_label_lies_upon_another() {
        for (many, layers) in [(1, 1), (1, 12), (1, 40), (4, 6), (9, 12)] {
            for height in [None, Some(200.0)] {
                let options = Options { page: PageOptions { height, ..PageOptions::default() }, ..Options::default() };
                let drawn = draw(&observed(many, layers), &options).unwrap().svg;
                assert_eq!(outside(&drawn), Vec::<String>::new(), "{many} × {layers}");
                assert_eq!(overlapping(&drawn), Vec::<String>::new(), "{many} × {layers}");
            }
        }
        let text = draw(&observed(1, 3), &Options::default()).unwrap().svg.finish();
        assert!(text.contains(">4<") && text.contains("Log scale"), "{text}");
    }

    #[test]
    fn what_was_not_observed_is_told_with_what_was() {
        let error = draw(&groups(1, 1, 3), &Options::default()).unwrap_err();
        assert!(error.downcast_ref::<Hint>().unwrap().0.contains("observe ="), "{error:?}");
        let asked = Options { observer: Some("dead_units".to_owned()), ..Options::default() };
        let error = draw(&observed(1, 2), &asked).unwrap_err();
        assert!(error.downcast_ref::<Hint>().unwrap().0.contains("gradient_norm"), "{error:?}");
    }
}
