//! Sliding window of convolution and pooling layers, over images or signals: kernel, stride, padding, and the output size.

use std::array::from_fn;
use std::fmt;

use schemars::JsonSchema;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::config::check::{Invalid, require};
use crate::tensor::shape::{Shape, ShapeError};

/// One value for the height and one for the width, written as one number if they are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Pair {
    /// The same for both.
    Both(u32),
    /// Height, then width.
    Each([u32; 2]),
}

/// A setting with one value for each of the `D` dimensions of a signal or an image.
pub trait Sides<const D: usize>: Copy + fmt::Display {
    /// Returns the value for each dimension: `[length]`, or `[height, width]`.
    fn sides(self) -> [i64; D];

    /// Checks that all values are at least 1.
    ///
    /// # Errors
    /// When one is 0.
    fn at_least_one(self, key: &str) -> Result<(), Invalid> {
        require(self.sides().iter().all(|&side| side >= 1), key, "must be at least 1", self)
    }
}

impl Sides<1> for u32 {
    fn sides(self) -> [i64; 1] {
        [i64::from(self)]
    }
}

impl Sides<2> for Pair {
    fn sides(self) -> [i64; 2] {
        match self {
            Pair::Both(side) => [i64::from(side); 2],
            Pair::Each(sides) => sides.map(i64::from),
        }
    }
}

impl Default for Pair {
    fn default() -> Self {
        Pair::Both(0)
    }
}

impl<T: Into<u32>> From<T> for Pair {
    fn from(both: T) -> Self {
        Pair::Both(both.into())
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pair::Both(side) => write!(f, "{side}"),
            Pair::Each([height, width]) => write!(f, "[{height}, {width}]"),
        }
    }
}

impl<'de> Deserialize<'de> for Pair {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PairVisitor)
    }
}

struct PairVisitor;

impl<'de> Visitor<'de> for PairVisitor {
    type Value = Pair;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a whole number from 0 to 4294967295, or two of them, `[height, width]`")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Pair, E> {
        let side = u32::try_from(number);
        side.map(Pair::Both).map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(number), &self))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Pair, E> {
        let side = u32::try_from(number);
        side.map(Pair::Both).map_err(|_| E::invalid_value(serde::de::Unexpected::Unsigned(number), &self))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Pair, A::Error> {
        let mut sides = Vec::new();
        while let Some(side) = list.next_element::<u32>()? {
            sides.push(side);
        }
        match sides[..] {
            [height, width] => Ok(Pair::Each([height, width])),
            _ => Err(A::Error::invalid_length(sides.len(), &self)),
        }
    }
}

/// A sliding window over `D` dimensions: `[height, width]` of an image, or `[length]` of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window<const D: usize> {
    /// The size of the window.
    pub kernel: [i64; D],
    /// The step of the window.
    pub stride: [i64; D],
    /// The padding on each side of the image or signal.
    pub padding: [i64; D],
}

impl<const D: usize> Window<D> {
    /// Returns the shape of an output row with this number of channels.
    pub(crate) fn output(&self, input: &Shape, channels: Option<usize>) -> Result<Shape, ShapeError> {
        let (input_channels, lengths) = self.over(input)?;
        let channels = channels.map_or(input_channels, |channels| channels as i64);
        Ok(Shape::from(&[&[channels], &lengths[..]].concat()[..]))
    }

    /// Returns the channels of the input, and the height and width, or length, of the output.
    pub(crate) fn over(&self, input: &Shape) -> Result<(i64, [i64; D]), ShapeError> {
        let (channels, lengths) = channels_and_lengths::<D>(input)?;
        let least: [i64; D] = from_fn(|side| (self.kernel[side] - 2 * self.padding[side]).max(1));
        if lengths.iter().zip(&least).any(|(length, least)| length < least) {
            let (what, hint) = match D {
                1 => ("signals", "the kernel is longer than the signal: make it smaller, or pad the signal"),
                _ => ("images", "the kernel is larger than the image: make it smaller, or pad the image"),
            };
            let length = if D == 1 { "length " } else { "" };
            return Err(ShapeError::new(
                input,
                format!("{what} of at least {length}{}", Shape::from(&least[..])),
                hint,
            ));
        }
        let places = |side: usize| {
            (lengths[side].saturating_add(2 * self.padding[side]) - self.kernel[side]) / self.stride[side] + 1
        };
        Ok((channels, from_fn(places)))
    }
}

/// Returns the channels, and the height and width of an image, or the length of a signal.
///
/// # Errors
/// When the row has another number of dimensions.
pub(crate) fn channels_and_lengths<const D: usize>(input: &Shape) -> Result<(i64, [i64; D]), ShapeError> {
    let split = input.dimensions().split_first();
    let found = split.and_then(|(&channels, lengths)| Some((channels, lengths.try_into().ok()?)));
    found.ok_or_else(|| match D {
        1 => {
            let hint = "put `{ reshape = [channels, length] }` before it; if rows are time×features, put `{ permute = [2, 1] }` before it";
            ShapeError::new(input, "channels×length", hint)
        }
        _ => {
            let hint = "for images of a named data set, set `flatten = false` in the data, and put this layer before `\"flatten\"` \
                        and `linear`; for a table, use `linear`";
            ShapeError::new(input, "channels×height×width", hint)
        }
    })
}

/// Checks the number of input channels, the first dimension, against the one that the settings name.
///
/// # Errors
/// When they differ.
pub(crate) fn check_channels(input: &Shape, named: Option<usize>) -> Result<(), ShapeError> {
    let dimensions = input.dimensions();
    match named {
        Some(wanted) if wanted as i64 != dimensions[0] => {
            let wanted = [&[wanted as i64], &dimensions[1..]].concat();
            let hint = "remove `in_channels`: it is found automatically";
            Err(ShapeError::new(input, Shape::from(&wanted[..]).to_string(), hint))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(kernel: i64, stride: i64, padding: i64) -> Window<2> {
        Window { kernel: [kernel; 2], stride: [stride; 2], padding: [padding; 2] }
    }

    #[test]
    fn places_are_rounded_down() {
        let places = |window: Window<2>, side: i64| window.over(&Shape::from([1, side, side])).unwrap().1[0];
        assert_eq!(places(window(3, 1, 1), 28), 28);
        assert_eq!(places(window(2, 2, 0), 7), 3);
        assert_eq!(places(window(3, 2, 1), 8), 4);
        assert_eq!(places(window(4, 1, 0), 4), 1);
        let largest = i64::from(u32::MAX);
        assert_eq!(window(1, 1, largest).over(&Shape::from([1, i64::MAX, 1])).unwrap().1[0], i64::MAX, "it saturates");
    }

    #[test]
    fn a_flat_row_and_too_small_an_image_are_refused_with_a_remedy() {
        let fault = window(3, 1, 0).over(&Shape::from([64])).unwrap_err();
        assert_eq!(fault.wanted, "channels×height×width");
        assert!(fault.hint.unwrap().contains("flatten = false"));
        let fault = window(5, 1, 0).over(&Shape::from([1, 4, 8])).unwrap_err();
        assert_eq!(fault.wanted, "images of at least 5×5");
        assert!(window(5, 1, 1).over(&Shape::from([1, 3, 3])).is_ok());
        let signal = Window { kernel: [5], stride: [2], padding: [1] };
        assert_eq!(signal.over(&Shape::from([3, 8])), Ok((3, [3])));
        assert_eq!(signal.over(&Shape::from([3, 2])).unwrap_err().wanted, "signals of at least length 3");
        assert_eq!(signal.over(&Shape::from([8])).unwrap_err().wanted, "channels×length");
    }

    #[test]
    fn a_pair_is_one_number_or_two() {
        let read = |text: &str| serde_json::from_str::<Pair>(text).map_err(|error| error.to_string());
        assert_eq!(read("3"), Ok(Pair::Both(3)));
        assert_eq!(read("[3, 5]"), Ok(Pair::Each([3, 5])));
        for wrong in ["-1", "1.5", "[1]", "[1, 2, 3]", "\"same\""] {
            assert!(read(wrong).unwrap_err().contains("`[height, width]`"), "{wrong}");
        }
        assert_eq!(serde_json::to_string(&[Pair::Both(3), Pair::Each([3, 5])]).unwrap(), "[3,[3,5]]");
    }
}
