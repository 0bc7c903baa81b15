//! Helpers for tests of plots: synthetic groups of trials, and checks for texts outside the plot or overlapping texts.

use std::path::PathBuf;

use crate::compare::group::Group;
use crate::compare::trial::Trial;
use crate::history::curves::Curves;
use crate::history::diagnosis::diagnose;
use crate::history::{Best, History, trial_for_tests};
use crate::plot::draw::shape::Rect;
use crate::plot::format::svg::Svg;

/// Returns groups of trials that overfit from epoch 11 on.
pub fn groups(groups: usize, trials: usize, epochs: usize) -> Vec<Group> {
    let trial = |group: usize, seed: usize| {
        let mut curves = Curves::default();
        for epoch in 1..=epochs {
            let (at, off) = (epoch as f64, 1.0 + 0.1 * seed as f64 + 0.3 * group as f64);
            let val_loss =
                off * (0.3 / at + 0.004 * (at - 10.0).max(0.0) * at.sqrt() + 0.1 * (1.0 - (at / 10.0).min(1.0)));
            let row = [
                ("loss", off * 0.6 / at),
                ("acc", 1.0 - 0.3 / at),
                ("val_loss", val_loss),
                ("val_acc", 0.97 - 0.2 / at),
            ];
            curves.push(epoch, &row);
        }
        let variant = format!("variant{group}");
        let best = curves.epoch.contains(&10).then(|| {
            let metrics = curves.series.iter().map(|(name, values)| (name.clone(), values[9])).collect();
            Best { epoch: 10, monitor: "val_loss".to_owned(), metrics }
        });
        let diagnosis = diagnose(&curves, 2.3);
        let history = History { history: curves, best, diagnosis, ..trial_for_tests(&variant, seed as i64, 1.0) };
        Trial::from_history(history, PathBuf::from(format!("{variant}-seed{seed}.json")))
    };
    let group = |number: usize| Group {
        label: format!("variant{number}"),
        trials: (0..trials).map(|seed| trial(number, seed)).collect(),
    };
    (0..groups).map(group).collect()
}

/// Returns the texts that extend beyond the plot.
pub fn outside(svg: &Svg) -> Vec<String> {
    let area = svg.area();
    let is_in = |room: Rect| {
        room.x >= -0.5 && room.y >= -0.5 && room.right() <= area.width + 0.5 && room.bottom() <= area.height + 0.5
    };
    svg.placed().iter().filter(|text| !is_in(text.room)).map(|text| format!("{text:?}")).collect()
}

/// Returns the pairs of texts that overlap.
pub fn overlapping(svg: &Svg) -> Vec<String> {
    let overlap = |one: Rect, other: Rect| {
        one.x + 0.5 < other.right()
            && other.x + 0.5 < one.right()
            && one.y + 2.0 < other.bottom()
            && other.y + 2.0 < one.bottom()
    };
    let texts = svg.placed();
    let mut found = Vec::new();
    for (number, one) in texts.iter().enumerate() {
        let others = texts[number + 1..].iter().filter(|other| overlap(one.room, other.room));
        found.extend(others.map(|other| format!("`{}` and `{}`", one.text, other.text)));
    }
    found
}
