//! Horizontal axis of the plot of a metric against a setting.

use crate::plot::draw::axis::{Axis, length, range};
use crate::plot::draw::font::SMALL;
use crate::plot::draw::page::MARGIN;
use crate::plot::draw::ticks::{Unit, format_number};

/// Ratio of the largest to the smallest value above which the horizontal axis is logarithmic.
const DECADES: f64 = 20.0;

/// The horizontal axis: the setting's name and its values.
pub(super) enum Scaled {
    Numbers(Axis),
    Words(Axis, Vec<String>),
}

impl Scaled {
    /// Returns the axis of these values: of numbers, logarithmic if they span decades, or of words.
    pub(super) fn new(name: &str, texts: &[&str], width: f64) -> Scaled {
        let numbers: Option<Vec<f64>> =
            texts.iter().map(|text| text.parse().ok().filter(|x: &f64| x.is_finite())).collect();
        match numbers.as_deref().and_then(|numbers| range(numbers.iter().copied())) {
            Some((low, high)) => Scaled::numbers(name, (low, high), low > 0.0 && high / low >= DECADES),
            None => {
                let mut words: Vec<String> = Vec::new();
                words.extend(texts.iter().map(|text| (*text).to_owned()));
                words.sort();
                words.dedup();
                Scaled::words(name, words, width)
            }
        }
    }

    /// Returns an axis around numbers; a logarithmic one requires that they are above 0.
    pub(super) fn numbers(name: &str, (low, high): (f64, f64), is_log: bool) -> Scaled {
        let room = 0.06 * length(low, high);
        let linear = || Axis::linear(name, Unit::Plain, low - room, high + room);
        let log = if is_log { Axis::log(name, [low, high]) } else { None };
        Scaled::Numbers(log.unwrap_or_else(linear))
    }

    /// Returns an axis of words.
    pub(super) fn words(name: &str, words: Vec<String>, width: f64) -> Scaled {
        let room = (width - 2.0 * MARGIN - 60.0) / words.len() as f64 - 10.0;
        let short = words.iter().map(|word| SMALL.shorten(word, room.max(16.0))).collect();
        Scaled::Words(Axis::categorical(name, short), words)
    }

    /// Returns the axis.
    pub(super) fn axis(&self) -> &Axis {
        match self {
            Scaled::Numbers(axis) | Scaled::Words(axis, _) => axis,
        }
    }

    /// Returns the position of a value.
    pub(super) fn at(&self, text: &str) -> f64 {
        match self {
            Scaled::Numbers(_) => text.parse().unwrap_or(f64::NAN),
            Scaled::Words(_, words) => {
                words.iter().position(|word| word == text).map_or(f64::NAN, |place| place as f64)
            }
        }
    }

    /// Returns the value at a position.
    pub(super) fn format(&self, at: f64) -> String {
        match self {
            Scaled::Numbers(_) => {
                let plain = at.to_string();
                if plain.len() <= 8 { plain } else { format_number(at) }
            }
            Scaled::Words(_, words) => words.get(at as usize).cloned().unwrap_or_default(),
        }
    }
}
