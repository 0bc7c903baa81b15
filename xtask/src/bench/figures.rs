//! Medians, ratios, and what is wanted of them.

/// Several measurements of one thing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Spread {
    /// `None` of nothing.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        let median = median(&mut values)?;
        Some(Self { median, least: values[0], most: values[values.len() - 1] })
    }

    /// `0.241 (0.238–0.260)`, with so many decimals; `0.241` where there is but one measurement.
    pub fn shown(&self, decimals: usize) -> String {
        let Self { median, least, most } = self;
        if least == most {
            return format!("{median:.decimals$}");
        }
        format!("{median:.decimals$} ({least:.decimals$}–{most:.decimals$})")
    }
}

/// The middle value, or the mean of the two in the middle; sorts the values. `None` of nothing.
pub fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

/// How long a steady epoch takes: the median of the epochs after the first two, which warm up; of all where there are no more.
pub fn steady(seconds: &[f64]) -> Option<f64> {
    let from = if seconds.len() > 2 { 2 } else { 0 };
    median(&mut seconds[from..].to_vec())
}

/// What is wanted of a ratio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wanted {
    AtLeast(f64),
    /// What has to be had, and what is aimed at.
    Aim(f64, f64),
    AtMost(f64),
}

impl Wanted {
    /// `≥ 2 yes, goal ≥ 3 no`
    pub fn shown(self, ratio: f64) -> String {
        let at_least = |bound: f64| format!("≥ {bound} {}", yes(ratio >= bound));
        match self {
            Self::AtLeast(bound) => at_least(bound),
            Self::Aim(bound, goal) => format!("{}, goal {}", at_least(bound), at_least(goal)),
            Self::AtMost(bound) => format!("≤ {bound} {}", yes(ratio <= bound)),
        }
    }

    /// Whether what has to be had is had; a goal may be missed.
    pub fn is_met(self, ratio: f64) -> bool {
        match self {
            Self::AtLeast(bound) | Self::Aim(bound, _) => ratio >= bound,
            Self::AtMost(bound) => ratio <= bound,
        }
    }
}

/// In words, so that a search finds what was missed.
pub fn yes(good: bool) -> &'static str {
    if good { "yes" } else { "**no**" }
}

/// `2.31×`
pub fn times(ratio: f64) -> String {
    format!("{ratio:.2}×")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_and_the_spread_its_ends() {
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Some(Spread { median: 2.0, least: 1.0, most: 3.0 }));
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 3.0]).unwrap().median, 2.5);
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of([0.26, 0.238, 0.241]).unwrap().shown(3), "0.241 (0.238–0.260)");
        assert_eq!(Spread::of([0.26]).unwrap().shown(2), "0.26");
    }

    #[test]
    fn the_first_two_epochs_do_not_count_where_there_are_more() {
        assert_eq!(steady(&[9.0, 8.0, 1.0, 3.0, 2.0]), Some(2.0));
        assert_eq!(steady(&[9.0, 7.0]), Some(8.0));
        assert_eq!(steady(&[]), None);
    }

    #[test]
    fn what_is_wanted_is_shown_with_whether_it_is_had() {
        let wanted = Wanted::Aim(2.0, 3.0);
        assert_eq!(wanted.shown(2.5), "≥ 2 yes, goal ≥ 3 **no**");
        assert!(wanted.is_met(2.0) && !wanted.is_met(1.99));
        assert_eq!(Wanted::AtMost(0.6).shown(0.61), "≤ 0.6 **no**");
        assert!(Wanted::AtMost(0.6).is_met(0.6));
        assert!(!Wanted::AtLeast(5.0).is_met(f64::NAN) && !Wanted::AtMost(5.0).is_met(f64::NAN));
    }
}
