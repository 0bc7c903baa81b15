//! Plot of a metric against a setting, such as the learning rate or the optimizer: a point per trial, and the mean of each
//! value with its standard deviation. If another setting differs as well, each of its values has a line. Words, such as
//! names of optimizers, are not joined by lines.

use indexmap::IndexMap;

use crate::compare::comparison::{metric_paths, resolve_metric};
use crate::compare::differing_settings::{differing, main_differences, settings};
use crate::compare::direction::higher_is_better;
use crate::compare::group::Group;
use crate::compare::metric_name::metric_of;
use crate::compare::ranking::RankingRules;
use crate::compare::statistics::sample::Sample;
use crate::config::hint::hinted;
use crate::config::suggest;
use crate::history::number::counted;
use crate::plot::Plot;
use crate::plot::charts::curves::Limits;
use crate::plot::charts::metric_labels::{list, unit, value};
use crate::plot::charts::setting_axis::Scaled;
use crate::plot::charts::strip_plot::{default_metric, heading};
use crate::plot::charts::{epoch_marks, titles};
use crate::plot::draw::axis::{Axis, Scale, length, range};
use crate::plot::draw::color::{Color, INK};
use crate::plot::draw::legend::{Entry, Handle};
use crate::plot::draw::marker::Marker;
use crate::plot::draw::page::{Page, PageOptions};
use crate::plot::draw::panel::{Artist, Panel};
use crate::plot::draw::shape::{Point, Stroke};
use crate::plot::draw::ticks::Unit;
use crate::views::capital::capital;

/// Options of the plot.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Key of the setting, or its last part; by default the only setting that differs.
    pub setting: Option<String>,
    /// The metric; by default the monitored one in the best epoch.
    pub metric: Option<String>,
    /// Whether the vertical axis is logarithmic.
    pub log: bool,
    /// Range of the vertical axis.
    pub ylim: Option<Limits>,
    /// Size and title of the plot.
    pub page: PageOptions,
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 330.0;
const LEAST_HEIGHT: f64 = 150.0;

/// Maximum number of lines.
const MOST_LINES: usize = 7;

/// A group with its value of the setting and its metric in each trial.
struct Sampled<'a> {
    group: &'a Group,
    /// The value of the setting.
    setting: String,
    /// Other settings that differ, such as `batch=64`.
    others: String,
    values: Vec<f64>,
}

/// Draws a metric of the groups against a setting.
///
/// # Errors
/// When no run has the setting or the metric, or the setting is the same everywhere.
pub fn draw(groups: &[Group], options: &Options) -> anyhow::Result<Plot> {
    let keys = keys(groups, options.setting.as_deref())?;
    let name = if let [key] = &keys[..] { key.clone() } else { options.setting.clone().unwrap_or_default() };
    let path = metric_path(groups, options.metric.as_deref())?;
    let metric = metric_of(&path);
    let mut notes = Vec::new();
    let sampled = sampled(groups, &keys, &path, &mut notes);
    let texts: Vec<&str> = sampled.iter().map(|one| one.setting.as_str()).collect();
    let width = options.page.width.unwrap_or(WIDTH);
    let x = Scaled::new(&name, &texts, width);
    let lines = lines(&sampled);
    let mut below = Vec::new();
    let is_mixed = lines.len() == 1 && sampled.iter().any(|one| one.others != sampled[0].others);
    if is_mixed {
        below.push("Other settings differ as well.".to_owned());
    }
    let all_means: Vec<MeanAt> = lines.iter().flat_map(|(_, members)| means(members, &x)).collect();
    let y = y_axis(metric, &sampled, &all_means, options, &mut notes);
    let mut panel = Panel::new(capital(&heading(&path)), x.axis().clone(), y);
    let mut legend = Vec::new();
    for (place, (others, members)) in lines.iter().enumerate() {
        let (color, marker) = (Color::nth(place), Marker::nth(place));
        let means = means(members, &x);
        if matches!(x, Scaled::Numbers(_)) && !is_mixed {
            panel.artists.push(Artist::Line(means.iter().map(|mean| mean.at).collect(), Stroke::solid(color, 2.0)));
        }
        let bars = means.iter().filter_map(|mean| Some(mean.bar()?.to_vec()));
        panel.artists.extend(bars.map(|bar| Artist::Line(bar, Stroke::solid(color, 1.4))));
        for one in members.iter().filter(|one| one.values.len() > 1) {
            let at =
                |value: &f64| Artist::Marker((x.at(&one.setting), *value), Marker::Circle, 2.6, color.lighter(0.4));
            panel.artists.extend(one.values.iter().map(at));
        }
        panel.artists.extend(means.iter().map(|mean| Artist::Marker(mean.at, marker, 4.2, color)));
        if lines.len() > 1 {
            legend.push(Entry::new(Handle::Line(Stroke::solid(color, 2.0), Some(marker)), others.clone()));
        }
    }
    let shown: Vec<&Group> = sampled.iter().map(|one| one.group).collect();
    let mut keys = Vec::new();
    if sampled.iter().any(|one| one.values.len() > 1) {
        let trial = format!("one {}", titles::trial_noun(&shown));
        keys.push(Entry::new(Handle::Marker(Marker::Circle, Color::nth(0).lighter(0.4)), trial));
        if lines.len() == 1 {
            keys.push(Entry::new(Handle::Marker(Marker::nth(0), Color::nth(0)), "mean"));
        }
    }
    if all_means.iter().any(|mean| mean.bar().is_some()) {
        below.push("Error bars: ± standard deviation.".to_owned());
    }
    if let Some((best, at)) = best(&lines, &x, &path, groups) {
        panel.artists.push(Artist::Ring(at, INK));
        keys.push(Entry::new(Handle::Ring(INK), "best mean"));
        below.push(format!("Best mean: {best} ({}).", value(metric, at.1)));
    }
    let diverged: usize = shown.iter().map(|group| group.trials.len() - group.not_diverged().count()).sum();
    if diverged > 0 {
        let noun = counted(diverged, "diverged trial");
        below.push(format!("{noun} left out."));
    }
    let setting = name.rsplit('.').next().unwrap_or(&name);
    let what = format!("{} by {setting}", heading(&path));
    let page = Page {
        title: titles::title_of_kind(&shown, &format!("effect of {setting}")),
        subtitle: titles::subtitle(&shown),
        description: format!("{}: {}.", capital(&what), describe(&lines, &x, metric)),
        legend,
        keys,
        notes: below,
    };
    Ok(Plot { svg: page.draw_panels(&options.page, [width, HEIGHT, LEAST_HEIGHT], vec![panel]), notes })
}

/// Returns the keys of the requested setting: one, or several if only the last part of the key was named and groups have it
/// in different places, such as the learning rates of two optimizers.
fn keys(groups: &[Group], named: Option<&str>) -> anyhow::Result<Vec<String>> {
    let different: Vec<String> = differing(groups).into_iter().map(|setting| setting.key).collect();
    let mut main: Vec<String> = main_differences(groups).into_iter().map(|setting| setting.key).collect();
    main.retain(|key| key != "seeds");
    let hint = |what: &str| match &main[..] {
        [] => "name runs or variants with different settings".to_owned(),
        keys => {
            let any = if keys.iter().any(|key| key.contains(".*.")) { "; `*` is any choice" } else { "" };
            format!("{what}: {}{any}", list(keys, 8))
        }
    };
    let Some(named) = named else {
        return match &main[..] {
            [only] => Ok(vec![only.clone()]),
            [] => Err(hinted("no setting differs between these runs", hint(""))),
            _ => Err(hinted("several settings differ: `--x` is missing", hint("choose one of them with `--x`"))),
        };
    };
    let all: Vec<String> = settings(groups).into_iter().map(|setting| setting.key).collect();
    let ending = format!(".{named}");
    let found: Vec<String> = match all.iter().find(|key| *key == named) {
        Some(key) => vec![key.clone()],
        None => all.iter().filter(|key| key.ends_with(&ending)).cloned().collect(),
    };
    if found.is_empty() {
        let hint = suggest::hint(named, all.iter().map(String::as_str));
        return Err(hinted(format!("no run has a setting `{named}`"), hint));
    }
    if !found.iter().any(|key| different.contains(key)) {
        return Err(hinted(format!("`{named}` is the same in all of these runs"), hint("settings that differ")));
    }
    Ok(found.into_iter().filter(|key| different.contains(key)).collect())
}

/// Returns the requested metric, or the monitored one in the best epoch, or else the main metric.
fn metric_path(groups: &[Group], named: Option<&str>) -> anyhow::Result<String> {
    let all = metric_paths(groups);
    if let Some(named) = named {
        return resolve_metric(named, groups, &all);
    }
    let monitored = groups.iter().find_map(epoch_marks::monitor).map(|monitor| format!("best.{monitor}"));
    monitored.filter(|path| all.contains(path)).map_or_else(|| default_metric(groups, &all), Ok)
}

/// Returns the groups that have the setting and the metric, and adds notes about the others.
fn sampled<'a>(groups: &'a [Group], keys: &[String], path: &str, notes: &mut Vec<String>) -> Vec<Sampled<'a>> {
    let settings = differing(groups);
    let main = main_differences(groups);
    let (own, other): (Vec<_>, Vec<_>) = settings.iter().partition(|setting| keys.contains(&setting.key));
    let mut sampled = Vec::new();
    for (place, group) in groups.iter().enumerate() {
        let values = group.values(|trial| trial.metric_value(path));
        let setting = own.iter().find_map(|setting| setting.values[place].clone());
        let missing = match (&setting, values.is_empty()) {
            (None, _) => "setting",
            (_, true) => path,
            _ => "",
        };
        if !missing.is_empty() {
            notes.push(format!("skipping `{}`: no {missing}", group.label));
            continue;
        }
        let others =
            other.iter().filter(|setting| setting.key != "seeds" && main.contains(setting)).filter_map(|setting| {
                let key = setting.key.rsplit('.').next()?;
                Some(format!("{key}={}", setting.values[place].as_deref().unwrap_or("–")))
            });
        let others = others.collect::<Vec<_>>().join(", ");
        sampled.push(Sampled { group, setting: setting.unwrap_or_default(), others, values });
    }
    sampled
}

/// Returns a line for each combination of the other settings; a single one if there are too many of them, or if no line
/// would have two points.
fn lines<'s, 'a>(sampled: &'s [Sampled<'a>]) -> Vec<(String, Vec<&'s Sampled<'a>>)> {
    let mut lines: IndexMap<String, Vec<&Sampled>> = IndexMap::new();
    for one in sampled {
        lines.entry(one.others.clone()).or_default().push(one);
    }
    let has_several = |members: &Vec<&Sampled>| members.iter().any(|one| one.setting != members[0].setting);
    match lines.len() {
        2..=MOST_LINES if lines.values().any(has_several) => lines.into_iter().collect(),
        _ => vec![(String::new(), sampled.iter().collect())],
    }
}

/// Mean over all trials with the same value of the setting.
struct MeanAt {
    at: Point,
    std: Option<f64>,
}

impl MeanAt {
    /// Returns the ends of the error bar; `None` for a single trial.
    fn bar(&self) -> Option<[Point; 2]> {
        let std = self.std.filter(|std| *std > 0.0)?;
        Some([(self.at.0, self.at.1 - std), (self.at.0, self.at.1 + std)])
    }
}

/// Returns the mean for each value of the setting, from left to right.
fn means(members: &[&Sampled], x: &Scaled) -> Vec<MeanAt> {
    let mut by_setting: Vec<(f64, Vec<f64>)> = Vec::new();
    for one in members {
        let at = x.at(&one.setting);
        match by_setting.iter_mut().find(|(other, _)| *other == at) {
            Some((_, values)) => values.extend(&one.values),
            None => by_setting.push((at, one.values.clone())),
        }
    }
    by_setting.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mean_at = |(at, values): (f64, Vec<f64>)| {
        let sample = Sample::from_values(&values)?;
        Some(MeanAt { at: (at, sample.mean), std: sample.std })
    };
    by_setting.into_iter().filter_map(mean_at).collect()
}

fn y_axis(metric: &str, sampled: &[Sampled], means: &[MeanAt], options: &Options, notes: &mut Vec<String>) -> Axis {
    let ends = || means.iter().filter_map(MeanAt::bar).flatten().map(|(_, end)| end);
    let values = || sampled.iter().flat_map(|one| one.values.iter().copied()).chain(ends());
    let linear = match options.ylim {
        Some(Limits { low, high }) => Axis::linear(metric, unit(metric), low, high),
        None => {
            let (low, high) = range(values()).unwrap_or((0.0, 1.0));
            let room = 0.08 * length(low, high);
            Axis::linear(metric, unit(metric), low - room, high + room)
        }
    };
    if !options.log {
        return linear;
    }
    let log = match options.ylim {
        Some(limits) if limits.low > 0.0 => Some(Axis { scale: Scale::Log, unit: Unit::Plain, ..linear.clone() }),
        Some(_) => None,
        None => Axis::log(metric, values()),
    };
    log.unwrap_or_else(|| {
        notes.push("a logarithmic axis needs values above 0: the axis is linear".to_owned());
        linear
    })
}

/// Returns the setting with the best mean and its point, if the metric ranks runs.
fn best(lines: &[(String, Vec<&Sampled>)], x: &Scaled, path: &str, groups: &[Group]) -> Option<(String, Point)> {
    let higher = higher_is_better(metric_of(path)).filter(|_| RankingRules::new(groups).ranks(path))?;
    let all = lines.iter().flat_map(|(others, members)| means(members, x).into_iter().map(move |m| (others, m.at)));
    let better = |one: &(&String, Point), other: &(&String, Point)| {
        if higher { one.1.1 > other.1.1 } else { one.1.1 < other.1.1 }
    };
    let (others, at) = all.reduce(|best, one| if better(&one, &best) { one } else { best })?;
    let setting = x.format(at.0);
    Some((if others.is_empty() { setting } else { format!("{setting}, {others}") }, at))
}

fn describe(lines: &[(String, Vec<&Sampled>)], x: &Scaled, metric: &str) -> String {
    let line = |(others, members): &(String, Vec<&Sampled>)| {
        let each = means(members, x).into_iter();
        let each: Vec<String> =
            each.map(|mean| format!("{} at {}", value(metric, mean.at.1), x.format(mean.at.0))).collect();
        if others.is_empty() { each.join(", ") } else { format!("{others}: {}", each.join(", ")) }
    };
    lines.iter().map(line).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::trial::Record;
    use crate::config::hint::Hint;
    use crate::plot::layout_checks::{groups, outside, overlapping};
    use serde_json::json;

    /// Groups of two seeds with these learning rates and batch sizes.
    fn tuned(settings: &[(serde_json::Value, usize)]) -> Vec<Group> {
        let mut groups = groups(settings.len(), 2, 12);
        for (group, (rate, batch)) in groups.iter_mut().zip(settings) {
            for trial in &mut group.trials {
                let Record::Runner(history) = &mut trial.record else { unreachable!("made here") };
                history.config = json!({ "train": { "batch": batch, "optimizer": { "adam": { "lr": rate } } } });
            }
        }
        groups
    }

    fn options(setting: Option<&str>, width: f64) -> Options {
        let page = PageOptions { width: Some(width), ..PageOptions::default() };
        Options { setting: setting.map(str::to_owned), page, ..Options::default() }
    }

    #[test]
    fn rates_over_decades_are_on_a_log_axis_and_words_are_categories() {
        let rates = tuned(&[(json!(1e-4), 8), (json!(1e-3), 8), (json!(0.1), 8)]);
        for width in [320.0, 640.0, 1200.0] {
            let drawn = draw(&rates, &options(None, width)).unwrap().svg;
            assert_eq!((outside(&drawn), overlapping(&drawn)), (Vec::new(), Vec::new()), "{width}");
            let text = drawn.finish();
            for found in [">0.001<", ">train.optimizer.adam.lr<", ">one seed<", "Best mean: 0.0001 ("] {
                assert!(text.contains(found), "no {found} in {text}");
            }
        }
        let words = tuned(&[(json!("a rather long schedule"), 8), (json!("cosine"), 8), (json!("none"), 8)]);
        for width in [320.0, 640.0] {
            let drawn = draw(&words, &options(Some("lr"), width)).unwrap().svg;
            assert_eq!((outside(&drawn), overlapping(&drawn)), (Vec::new(), Vec::new()), "{width}");
            assert!(drawn.finish().contains(">cosine<"));
        }
    }

    #[test]
    fn a_second_setting_has_a_line_for_each_value() {
        let grid = tuned(&[(json!(0.1), 8), (json!(0.2), 8), (json!(0.1), 64), (json!(0.2), 64)]);
        let text = draw(&grid, &options(Some("lr"), 640.0)).unwrap().svg.finish();
        assert!(text.contains(">batch=8<") && text.contains(">batch=64<"), "{text}");
        let many: Vec<_> = (1..=9).map(|batch| (json!(0.1 * batch as f64), batch)).collect();
        let text = draw(&tuned(&many), &options(Some("lr"), 640.0)).unwrap().svg.finish();
        assert!(text.contains("Other settings differ as well."), "{text}");
    }

    #[test]
    fn optimizers_are_points_with_error_bars_and_no_line() {
        let mut optimizers = tuned(&[(json!(0.1), 8), (json!(0.1), 8), (json!(0.2), 8)]);
        let configs =
            [json!({ "adam": { "lr": 0.1 } }), json!({ "sgd": { "lr": 0.1 } }), json!({ "sgd": { "lr": 0.2 } })];
        for (group, optimizer) in optimizers.iter_mut().zip(configs) {
            for trial in &mut group.trials {
                let Record::Runner(history) = &mut trial.record else { unreachable!("made here") };
                history.config["train"]["optimizer"] = optimizer.clone();
            }
        }
        let lines = |svg: &str| svg.matches("<polyline").count() + svg.matches("<path").count();
        let same_lr = draw(&optimizers[..2], &options(None, 640.0)).unwrap().svg.finish();
        assert!(same_lr.contains(">train.optimizer<") && same_lr.contains(">sgd<"), "{same_lr}");
        assert!(same_lr.contains("Error bars: ± standard deviation."), "{same_lr}");
        let by_lr = draw(&optimizers, &options(Some("lr"), 640.0)).unwrap().svg.finish();
        assert!(by_lr.contains(">optimizer=sgd<") && by_lr.contains(">optimizer=adam<"), "{by_lr}");
        // two optimizers with one rate each: nothing is joined
        let apart =
            draw(&[optimizers[0].clone(), optimizers[2].clone()], &options(Some("lr"), 640.0)).unwrap().svg.finish();
        assert!(apart.contains("Other settings differ as well."), "{apart}");
        assert!(lines(&apart) < lines(&by_lr), "{apart}");
    }

    #[test]
    fn a_setting_that_is_missing_equal_or_not_named_is_an_error_with_a_hint() {
        let grid = tuned(&[(json!(0.1), 8), (json!(0.2), 64)]);
        let error = |groups: &[Group], setting| {
            let error = draw(groups, &options(setting, 640.0)).unwrap_err();
            format!("{error:#} {}", error.downcast_ref::<Hint>().unwrap().0)
        };
        assert!(error(&grid, None).contains("choose one of them with `--x`: train.batch"));
        assert!(error(&grid, Some("train.bacth")).contains("train.batch"));
        assert!(error(&tuned(&[(json!(0.1), 8), (json!(0.2), 8)]), Some("batch")).contains("the same in all"));
        assert!(error(&tuned(&[(json!(0.1), 8)]), None).contains("no setting differs"));
    }
}
