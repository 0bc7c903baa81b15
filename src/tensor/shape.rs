//! The shape of one row as it passes through a network: what a shape mistake is reported with.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The shape of one row: no replica and no batch dimension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape(Vec<i64>);

impl Shape {
    /// The length, when the row has one dimension.
    pub fn flat(&self) -> Option<usize> {
        match self.0[..] {
            [length] => Some(length as usize),
            _ => None,
        }
    }

    /// The number of values in a row.
    pub fn elements(&self) -> usize {
        self.0.iter().product::<i64>() as usize
    }

    /// The lengths.
    pub fn dimensions(&self) -> &[i64] {
        &self.0
    }
}

impl<const N: usize> From<[i64; N]> for Shape {
    fn from(dimensions: [i64; N]) -> Self {
        Shape(dimensions.to_vec())
    }
}

impl From<&[i64]> for Shape {
    fn from(dimensions: &[i64]) -> Self {
        Shape(dimensions.to_vec())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lengths: Vec<String> = self.0.iter().map(i64::to_string).collect();
        f.write_str(&lengths.join("×"))
    }
}

/// A layer cannot take rows of the shape that it is given.
#[derive(Clone, Debug, PartialEq)]
pub struct ShapeFault {
    /// The shape that the layer takes.
    pub wanted: String,
    /// The shape that it is given.
    pub found: Shape,
    /// What would mend it.
    pub hint: Option<&'static str>,
}
