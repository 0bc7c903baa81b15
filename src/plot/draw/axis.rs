//! Axes: what range they show, where a value lies on them, and which ticks they have.

use crate::plot::draw::ticks::{self, Tick, Unit};

/// How values are laid along an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Evenly.
    #[default]
    Linear,
    /// By their logarithms.
    Log,
}

/// An axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// What is written at it.
    pub name: String,
    /// How values are laid along it.
    pub scale: Scale,
    /// In what its numbers are.
    pub unit: Unit,
    /// Its first value.
    pub from: f64,
    /// Its last value, which is greater.
    pub to: f64,
    /// Names in place of numbers, at 0, 1, …
    pub names: Option<Vec<String>>,
}

/// The smallest and the largest finite value.
pub fn range(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let finite = values.into_iter().filter(|value| value.is_finite());
    finite.fold(None, |range, value| match range {
        None => Some((value, value)),
        Some((low, high)) => Some((f64::min(low, value), f64::max(high, value))),
    })
}

/// How far values lie apart; where they differ by rounding alone, as if they were as far apart as they are large.
pub fn length(low: f64, high: f64) -> f64 {
    let size = low.abs().max(high.abs());
    if high - low > ROUNDING * size { high - low } else { size.max(1e-3) }
}

const ROUNDING: f64 = 1e-9;

impl Axis {
    /// An axis from one value to another.
    pub fn between(name: &str, unit: Unit, from: f64, to: f64) -> Axis {
        Axis { name: name.to_owned(), scale: Scale::Linear, unit, from, to, names: None }
    }

    /// The axis along which epochs, steps or seconds go by: it begins and ends with the values, and a lone one has room
    /// at both sides.
    pub fn along(name: &str, unit: Unit, values: impl IntoIterator<Item = f64>) -> Axis {
        let (from, to) = range(values).unwrap_or((0.0, 1.0));
        match to - from {
            length if length > 0.0 => Axis::between(name, unit, from, to),
            _ => Axis::between(name, unit, from - 0.5, to + 0.5),
        }
    }

    /// A linear axis with room above and below the values. It begins at zero where that costs little; shares end at one.
    pub fn around(name: &str, unit: Unit, values: impl IntoIterator<Item = f64>) -> Axis {
        let (low, high) = range(values).unwrap_or((0.0, 1.0));
        let length = length(low, high);
        let (mut from, mut to) = (low - 0.05 * length, high + 0.05 * length);
        if low >= 0.0 && low < 0.6 * length {
            from = 0.0;
        }
        if unit == Unit::Percent && low >= 0.0 && high <= 1.0 {
            (from, to) = (from.max(0.0), to.min(1.0));
        }
        Axis::between(name, unit, from, to)
    }

    /// A log axis around the values that are greater than zero; `None` where there are none.
    pub fn log(name: &str, values: impl IntoIterator<Item = f64>) -> Option<Axis> {
        let (low, high) = range(values.into_iter().filter(|value| *value > 0.0))?;
        let room = (high / low).powf(0.04).max(1.15);
        let (from, to) = ((low / room).max(f64::MIN_POSITIVE), (high * room).min(f64::MAX));
        Some(Axis { scale: Scale::Log, ..Axis::between(name, Unit::Plain, from, to) })
    }

    /// An axis with names at 0, 1, …
    pub fn of_names(name: &str, names: Vec<String>) -> Axis {
        let to = names.len() as f64 - 0.5;
        Axis { names: Some(names), ..Axis::between(name, Unit::Plain, -0.5, to) }
    }

    /// Where a value lies: 0 at the beginning, 1 at the end, outside of both beyond them; `None` where it has no place.
    pub fn share(&self, value: f64) -> Option<f64> {
        let share = match self.scale {
            Scale::Linear => (value - self.from) / (self.to - self.from),
            Scale::Log => (value.ln() - self.from.ln()) / (self.to.ln() - self.from.ln()),
        };
        share.is_finite().then_some(share)
    }

    /// Its ticks, about `most` of them with a number.
    pub fn ticks(&self, most: usize) -> Vec<Tick> {
        match (&self.names, self.scale) {
            (Some(names), _) => {
                names.iter().enumerate().map(|(at, name)| Tick { value: at as f64, label: name.clone() }).collect()
            }
            (None, Scale::Log) => ticks::logarithmic(self.from, self.to, most),
            (None, Scale::Linear) if self.unit == Unit::Whole => self.whole_ticks(most),
            (None, Scale::Linear) => ticks::linear(self.from, self.to, most, self.unit),
        }
    }

    /// Ticks at whole numbers, and one at the first value, as at epoch 1, where it stands clear of the next.
    fn whole_ticks(&self, most: usize) -> Vec<Tick> {
        let mut ticks = ticks::linear(self.from, self.to, most, Unit::Whole);
        let step = ticks::step(self.from, self.to, most, Unit::Whole);
        let is_free = ticks.first().is_none_or(|first| first.value - self.from > 0.45 * step);
        if is_free && self.from.fract() == 0.0 {
            ticks.insert(0, Tick { value: self.from, label: ticks::number(self.from, 0) });
        }
        ticks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_of_losses_begins_at_zero_where_that_costs_little() {
        assert_eq!(Axis::around("loss", Unit::Plain, [0.01, 0.6]).from, 0.0);
        let high = Axis::around("loss", Unit::Plain, [5.0, 5.5]);
        assert!(high.from > 4.9 && high.to > 5.5);
        let shares = Axis::around("acc", Unit::Percent, [0.9, 0.99]);
        assert!(shares.from > 0.8 && shares.to <= 1.0);
    }

    #[test]
    fn what_is_not_finite_has_no_place_and_widens_no_axis() {
        let axis = Axis::around("loss", Unit::Plain, [f64::NAN, 1.0, f64::INFINITY, 2.0]);
        assert!(axis.to < 2.2 && axis.share(f64::NAN).is_none() && axis.share(f64::INFINITY).is_none());
        let log = Axis::log("loss", [0.0, -1.0, 1e-3, 1.0]).unwrap();
        assert_eq!((log.share(0.0), log.share(-1.0)), (None, None));
        assert!(Axis::log("loss", [0.0, -1.0, f64::NAN]).is_none());
    }

    #[test]
    fn equal_values_and_a_lone_epoch_have_room_around_them() {
        for axis in [Axis::around("", Unit::Plain, [0.5, 0.5 + 1e-16]), Axis::around("", Unit::Plain, [0.0])] {
            assert!(axis.to > axis.from + 1e-5, "{axis:?}");
        }
        let lone = Axis::along("epoch", Unit::Whole, [1.0]);
        assert_eq!(lone.share(1.0), Some(0.5));
        assert!(lone.ticks(8).iter().any(|tick| tick.label == "1"));
    }

    #[test]
    fn epochs_have_a_tick_at_the_first() {
        let labels: Vec<String> =
            Axis::along("epoch", Unit::Whole, [1.0, 30.0]).ticks(6).into_iter().map(|tick| tick.label).collect();
        assert_eq!(labels, ["1", "5", "10", "15", "20", "25", "30"]);
    }
}
