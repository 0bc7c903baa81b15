//! Shape of one row as it passes through a network, and the error for a shape mismatch.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Shape of one row, without replica and batch dimensions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape(Vec<i64>);

impl Shape {
    /// Returns the length if the row has one dimension.
    pub fn flat(&self) -> Option<usize> {
        match self.0[..] {
            [length] => Some(length as usize),
            _ => None,
        }
    }

    /// Returns the number of values in a row; `i64::MAX` if it is too large for an i64.
    pub fn elements(&self) -> usize {
        self.0.iter().fold(1, |product: i64, &length| product.saturating_mul(length)) as usize
    }

    /// Returns the shape of a tensor of this number of rows.
    pub fn of_rows(&self, rows: usize) -> Vec<i64> {
        std::iter::once(rows as i64).chain(self.0.iter().copied()).collect()
    }

    /// Returns the length of each dimension.
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

/// A layer does not accept rows of this shape.
#[derive(Clone, Debug, PartialEq)]
pub struct ShapeError {
    /// The shape that the layer accepts.
    pub wanted: String,
    /// The shape of its input.
    pub found: Shape,
    /// How to fix it.
    pub hint: Option<&'static str>,
    /// Message of the layer itself with a hint, if it says more than the two shapes. It continues a sentence about the layer.
    pub problem: Option<(String, Option<String>)>,
}

impl ShapeError {
    /// Creates an error from what the layer accepts and its input.
    pub fn new(input: &Shape, wanted: impl Into<String>, hint: &'static str) -> ShapeError {
        ShapeError { wanted: wanted.into(), found: input.clone(), hint: Some(hint), problem: None }
    }

    /// Creates an error with a message of the layer itself, which continues a sentence about it.
    pub fn with_problem(input: &Shape, message: impl Into<String>, hint: impl Into<String>) -> ShapeError {
        let problem = Some((message.into(), Some(hint.into())));
        ShapeError { wanted: String::new(), found: input.clone(), hint: None, problem }
    }

    /// Returns the error of a block in which layer `number`, of this kind, has this error.
    pub fn inside(self, number: usize, kind: &str) -> ShapeError {
        let ShapeError { wanted, found, hint, problem } = self;
        let (message, hint) = problem.unwrap_or_else(|| {
            (format!("cannot take its input: it takes {wanted}, found {found}"), hint.map(str::to_owned))
        });
        let problem = Some((format!("has a layer {number} (`{kind}`) that {message}"), hint));
        ShapeError { wanted: String::new(), found, hint: None, problem }
    }
}
