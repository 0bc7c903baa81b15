//! Axes: their range, the positions of values, and ticks.

use crate::plot::draw::ticks::{self, Tick, Unit};

/// Scale of an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Linear.
    #[default]
    Linear,
    /// Logarithmic.
    Log,
}

/// An axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Name of the axis.
    pub name: String,
    /// Scale.
    pub scale: Scale,
    /// Unit of the numbers.
    pub unit: Unit,
    /// Lower end.
    pub from: f64,
    /// Upper end, which is greater.
    pub to: f64,
    /// Names instead of numbers, at 0, 1, …
    pub names: Option<Vec<String>>,
}

/// Returns the smallest and the largest finite value.
pub fn range(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let finite = values.into_iter().filter(|value| value.is_finite());
    finite.fold(None, |range, value| match range {
        None => Some((value, value)),
        Some((low, high)) => Some((f64::min(low, value), f64::max(high, value))),
    })
}

/// Returns the difference of two values; if they differ only by rounding, their magnitude instead.
pub fn length(low: f64, high: f64) -> f64 {
    let size = low.abs().max(high.abs());
    if high - low > ROUNDING * size { high - low } else { size.max(1e-3) }
}

const ROUNDING: f64 = 1e-9;

impl Axis {
    /// Returns a linear axis from one value to another.
    pub fn linear(name: &str, unit: Unit, from: f64, to: f64) -> Axis {
        Axis { name: name.to_owned(), scale: Scale::Linear, unit, from, to, names: None }
    }

    /// Returns an axis for epochs, steps or seconds: it spans exactly the values, or 0.5 on each side of a single
    /// value.
    pub fn exact(name: &str, unit: Unit, values: impl IntoIterator<Item = f64>) -> Axis {
        let (from, to) = range(values).unwrap_or((0.0, 1.0));
        match to - from {
            length if length > 0.0 => Axis::linear(name, unit, from, to),
            _ => Axis::linear(name, unit, from - 0.5, to + 0.5),
        }
    }

    /// Returns a linear axis with margins around the values. It starts at zero if that needs little space; percentages
    /// stay within 0–100 %.
    pub fn with_margins(name: &str, unit: Unit, values: impl IntoIterator<Item = f64>) -> Axis {
        let (low, high) = range(values).unwrap_or((0.0, 1.0));
        let length = length(low, high);
        let (mut from, mut to) = (low - 0.05 * length, high + 0.05 * length);
        if low >= 0.0 && low < 0.6 * length {
            from = 0.0;
        }
        if unit == Unit::Percent && low >= 0.0 && high <= 1.0 {
            (from, to) = (from.max(0.0), to.min(1.0));
        }
        Axis::linear(name, unit, from, to)
    }

    /// Returns a logarithmic axis around the positive values; `None` if there are none.
    pub fn log(name: &str, values: impl IntoIterator<Item = f64>) -> Option<Axis> {
        let (low, high) = range(values.into_iter().filter(|value| *value > 0.0))?;
        let room = (high / low).powf(0.04).max(1.15);
        let (from, to) = ((low / room).max(f64::MIN_POSITIVE), (high * room).min(f64::MAX));
        Some(Axis { scale: Scale::Log, ..Axis::linear(name, Unit::Plain, from, to) })
    }

    /// Returns an axis with names at 0, 1, …
    pub fn categorical(name: &str, names: Vec<String>) -> Axis {
        let to = names.len() as f64 - 0.5;
        Axis { names: Some(names), ..Axis::linear(name, Unit::Plain, -0.5, to) }
    }

    /// Returns the position of a value: 0 at the lower end, 1 at the upper end; `None` if the value cannot be shown,
    /// such as 0 on a logarithmic axis.
    pub fn share(&self, value: f64) -> Option<f64> {
        let share = match self.scale {
            Scale::Linear => (value - self.from) / (self.to - self.from),
            Scale::Log => (value.ln() - self.from.ln()) / (self.to.ln() - self.from.ln()),
        };
        share.is_finite().then_some(share)
    }

    /// Returns the ticks, about `most` of them with a number.
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

    /// Returns ticks at whole numbers. The first value, such as epoch 1, gets a tick if the next tick is far enough
    /// away.
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
        assert_eq!(Axis::with_margins("loss", Unit::Plain, [0.01, 0.6]).from, 0.0);
        let high = Axis::with_margins("loss", Unit::Plain, [5.0, 5.5]);
        assert!(high.from > 4.9 && high.to > 5.5);
        let shares = Axis::with_margins("acc", Unit::Percent, [0.9, 0.99]);
        assert!(shares.from > 0.8 && shares.to <= 1.0);
    }

    #[test]
    fn what_is_not_finite_has_no_place_and_widens_no_axis() {
        let axis = Axis::with_margins("loss", Unit::Plain, [f64::NAN, 1.0, f64::INFINITY, 2.0]);
        assert!(axis.to < 2.2 && axis.share(f64::NAN).is_none() && axis.share(f64::INFINITY).is_none());
        let log = Axis::log("loss", [0.0, -1.0, 1e-3, 1.0]).unwrap();
        assert_eq!((log.share(0.0), log.share(-1.0)), (None, None));
        assert!(Axis::log("loss", [0.0, -1.0, f64::NAN]).is_none());
    }

    #[test]
    fn equal_values_and_a_lone_epoch_have_room_around_them() {
        for axis in
            [Axis::with_margins("", Unit::Plain, [0.5, 0.5 + 1e-16]), Axis::with_margins("", Unit::Plain, [0.0])]
        {
            assert!(axis.to > axis.from + 1e-5, "{axis:?}");
        }
        let lone = Axis::exact("epoch", Unit::Whole, [1.0]);
        assert_eq!(lone.share(1.0), Some(0.5));
        assert!(lone.ticks(8).iter().any(|tick| tick.label == "1"));
    }

    #[test]
    fn epochs_have_a_tick_at_the_first() {
        let labels: Vec<String> =
            Axis::exact("epoch", Unit::Whole, [1.0, 30.0]).ticks(6).into_iter().map(|tick| tick.label).collect();
        assert_eq!(labels, ["1", "5", "10", "15", "20", "25", "30"]);
    }
}
