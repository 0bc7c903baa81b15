//! A parameter of the search: a range of numbers, or choices by their index.

/// A parameter of the search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Parameter {
    /// A number.
    Number(Range),
    /// One of this number of choices. Its value is the index of the choice.
    Choice(usize),
}

/// A range of numbers, both ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Lowest value.
    pub low: f64,
    /// Highest value, with a step one of the steps.
    pub high: f64,
    /// Distance of neighboring values; `None` for a continuous range.
    pub step: Option<f64>,
    /// Whether the logarithm of the value is searched.
    pub log: bool,
}

impl Range {
    /// Returns a value on the axis that is searched: its logarithm, if `log`.
    pub(super) fn to_axis(self, value: f64) -> f64 {
        if self.log { value.ln() } else { value }
    }

    /// Ends on the axis that is searched. Each value with a step has half a step below and above it.
    pub(super) fn axis_ends(self) -> (f64, f64) {
        let half = self.step.unwrap_or(0.0) / 2.0;
        (self.to_axis(self.low - half), self.to_axis(self.high + half))
    }

    /// Returns the part of the axis that belongs to a value with a step; `None` for a continuous range.
    pub(super) fn cell(self, value: f64) -> Option<(f64, f64)> {
        self.step.map(|step| (self.to_axis(value - step / 2.0), self.to_axis(value + step / 2.0)))
    }

    /// Returns the value at a place on the axis that is searched.
    pub(super) fn value_at(self, place: f64) -> f64 {
        let value = if self.log { place.exp() } else { place };
        let on_grid = match self.step {
            Some(step) => self.low + ((value - self.low) / step).round() * step,
            None => value,
        };
        on_grid.clamp(self.low, self.high)
    }
}
