//! The rungs of halving and the share of configurations that continues.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::{Invalid, at_least_one, share};
use crate::config::suggest;

/// Text for no rungs.
const NONE: &str = "none";

/// Epochs at whose end configurations are dropped, and the share that continues.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Halving {
    /// Epoch of the first rung. Each further rung is at the epoch of the one before divided by `keep`.
    pub first: usize,
    /// Share of the configurations of a stack that continues at a rung.
    #[serde(default = "keep")]
    pub keep: f64,
}

/// What the command line asks of halving.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HalvingChoice {
    /// No rungs, also if the file has some.
    None,
    /// These rungs.
    Rungs(Halving),
}

/// Halving of a run: what is needed to decide again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HalvingRule {
    /// Epoch of the first rung.
    pub first: usize,
    /// Share of the configurations of a stack that continues at a rung.
    pub keep: f64,
    /// Path of the metric that judges the configurations: `best.val_loss`, in the epochs so far.
    pub metric: String,
    /// Whether a higher value is better.
    pub higher_is_better: bool,
}

/// A part of training without a rung inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Number of its epochs.
    pub epochs: usize,
    /// Number of configurations that train in it.
    pub configurations: usize,
}

/// Returns the share that continues unless another one is set.
fn keep() -> f64 {
    0.33
}

impl Halving {
    /// Checks the numbers.
    ///
    /// # Errors
    /// When `first` is 0, or `keep` is not greater than 0 and less than 1.
    pub fn check(&self) -> Result<(), Invalid> {
        at_least_one("first", self.first)?;
        share("keep", self.keep)
    }

    /// Returns the epochs of the rungs in a training of this number of epochs. There is none at its end.
    pub fn rungs(&self, epochs: usize) -> Vec<usize> {
        let next = |rung: &usize| Some(((*rung as f64 / self.keep).round() as usize).max(rung + 1));
        std::iter::successors(Some(self.first), next).take_while(|rung| *rung < epochs).collect()
    }

    /// Returns the number of a rung, from 1, by its epoch; `None` if there is no rung at it.
    pub fn rung_at(&self, epoch: usize) -> Option<usize> {
        Some(self.rungs(epoch + 1).iter().position(|rung| *rung == epoch)? + 1)
    }

    /// Returns the number of configurations that continue of those at a rung. A single one does.
    pub fn quota(&self, configurations: usize) -> usize {
        const ROUNDING: f64 = 1e-9; // of products such as 0.07 × 100
        ((self.keep * configurations as f64 - ROUNDING).ceil() as usize).clamp(1, configurations.max(1))
    }

    /// Returns the parts of a training between the rungs, if as few configurations as possible continue at each.
    pub fn segments(&self, configurations: usize, epochs: usize) -> Vec<Segment> {
        let (mut start, mut configurations) = (0, configurations);
        let ends = self.rungs(epochs).into_iter().chain([epochs]);
        let segment = |end: usize| {
            let segment = Segment { epochs: end - std::mem::replace(&mut start, end), configurations };
            configurations = self.quota(configurations);
            segment
        };
        ends.map(segment).collect()
    }
}

impl HalvingChoice {
    /// Returns the rungs, if there are some.
    pub fn rungs(self) -> Option<Halving> {
        match self {
            HalvingChoice::None => None,
            HalvingChoice::Rungs(halving) => Some(halving),
        }
    }
}

impl HalvingRule {
    /// Returns the rungs and the share.
    pub fn halving(&self) -> Halving {
        Halving { first: self.first, keep: self.keep }
    }
}

impl fmt::Display for Halving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "first={},keep={}", self.first, self.keep)
    }
}

impl fmt::Display for HalvingChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HalvingChoice::None => f.write_str(NONE),
            HalvingChoice::Rungs(halving) => halving.fmt(f),
        }
    }
}

impl FromStr for HalvingChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<HalvingChoice, String> {
        match text.trim() {
            NONE => Ok(HalvingChoice::None),
            text => text.parse().map(HalvingChoice::Rungs),
        }
    }
}

impl FromStr for Halving {
    type Err = String;

    fn from_str(text: &str) -> Result<Halving, String> {
        let (mut first, mut share) = (None, None);
        for part in text.split(',') {
            let (key, value) = part.split_once('=').ok_or_else(expected)?;
            let value = value.trim();
            match key.trim() {
                "first" if first.is_none() => {
                    let number = value.parse().map_err(|_| format!("`first` must be a whole number, found `{value}`"));
                    first = Some(number?);
                }
                "keep" if share.is_none() => {
                    share = Some(value.parse().map_err(|_| format!("`keep` must be a number, found `{value}`"))?);
                }
                twice @ ("first" | "keep") => return Err(format!("`{twice}` is there twice")),
                other => {
                    let near = suggest::nearest(other, ["first", "keep"]);
                    return Err(near.map_or_else(expected, |near| {
                        format!("there is no setting `{other}`: did you mean `{near}`? Example: `first=3,keep=0.33`")
                    }));
                }
            }
        }
        let halving = Halving { first: first.ok_or_else(expected)?, keep: share.unwrap_or_else(keep) };
        halving.check().map_err(|fault| fault.to_string())?;
        Ok(halving)
    }
}

fn expected() -> String {
    "expected `first=3,keep=0.33` (after 3, 9, 27, … epochs only the best third of the configurations continues) or `none`"
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn halving(text: &str) -> Halving {
        text.parse().unwrap()
    }

    #[test]
    fn rungs_grow_by_the_share_and_end_before_the_last_epoch() {
        assert_eq!(halving("first=3,keep=0.33").rungs(100), [3, 9, 27, 82]);
        assert_eq!(halving("first=3").rungs(27), [3, 9], "no rung at the last epoch");
        assert_eq!(halving("first=1,keep=0.9").rungs(5), [1, 2, 3, 4], "each is later than the one before");
        assert_eq!(halving("first=5,keep=0.5").rungs(5), [0_usize; 0]);
        assert_eq!([3, 9, 10].map(|epoch| halving("first=3").rung_at(epoch)), [Some(1), Some(2), None]);
    }

    #[test]
    fn the_quota_is_rounded_up_and_never_0() {
        let quota = |keep: f64, all| Halving { first: 1, keep }.quota(all);
        assert_eq!([1, 2, 3, 8, 9, 100].map(|all| quota(0.33, all)), [1, 1, 1, 3, 3, 33]);
        assert_eq!(quota(0.07, 100), 7, "0.07 × 100 is a little more than 7");
        assert_eq!(quota(0.99, 2), 2);
    }

    #[test]
    fn planned_epochs_are_those_of_the_parts_between_rungs() {
        let segments = halving("first=3").segments(8, 20);
        let found: Vec<[usize; 2]> = segments.iter().map(|part| [part.epochs, part.configurations]).collect();
        assert_eq!(found, [[3, 8], [6, 3], [11, 1]]);
    }

    #[test]
    fn options_are_read_and_mistakes_are_named() {
        assert_eq!(halving("keep=0.5, first=2"), Halving { first: 2, keep: 0.5 });
        assert_eq!(halving(&halving("first=4").to_string()), Halving { first: 4, keep: 0.33 });
        assert_eq!("none".parse(), Ok(HalvingChoice::None));
        assert_eq!("first=4".parse(), Ok(HalvingChoice::Rungs(halving("first=4"))));
        for (text, words) in [
            ("3", "expected `first=3,keep=0.33`"),
            ("keep=0.5", "expected `first=3,keep=0.33`"),
            ("first=3,seeds=2", "expected `first=3,keep=0.33`"),
            ("frist=3", "there is no setting `frist`: did you mean `first`?"),
            ("first=3,kep=0.5", "there is no setting `kep`: did you mean `keep`?"),
            ("first=0", "`first` must be at least 1, found 0"),
            ("first=2.5", "`first` must be a whole number, found `2.5`"),
            ("first=1,keep=1", "`keep` must be greater than 0 and less than 1, found 1"),
            ("first=1,keep=0", "`keep` must be greater than 0 and less than 1, found 0"),
            ("first=1,keep=nan", "`keep` must be greater than 0 and less than 1"),
            ("first=1,first=2", "`first` is there twice"),
        ] {
            let error = text.parse::<Halving>().unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
