//! The four points of {0, 1}² and what a logic gate makes of them: the smallest data set that a network can fail on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::data::dataset::{DatasetInfo, Loaded};
use crate::data::rows::Rows;
use crate::data::store::checksum::sha256;
use crate::data::table::form::Form;
use crate::data::target::Target;
use crate::tensor::shape::Shape;

/// `[data.logic]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Logic {
    /// Which gate.
    pub gate: Gate,
}

/// A gate of two inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// 1 where both inputs are 1.
    And,
    /// 1 where an input is 1.
    Or,
    /// 0 where both inputs are 1.
    Nand,
    /// 1 where the inputs differ; no straight line parts its points.
    Xor,
}

const POINTS: [[f32; 2]; 4] = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];

impl Logic {
    pub(super) fn load(&self) -> Loaded {
        let labels = POINTS.map(|[a, b]| {
            let (a, b) = (a == 1.0, b == 1.0);
            i64::from(match self.gate {
                Gate::And => a && b,
                Gate::Or => a || b,
                Gate::Nand => !(a && b),
                Gate::Xor => a != b,
            })
        });
        Loaded {
            sha256: sha256(format!("{POINTS:?}{labels:?}").as_bytes()),
            target: Target::Classes(2),
            classes: classes(),
            rows: Rows::new(Tensor::from_slice(POINTS.as_flattened()).view([4, 2]), Tensor::from_slice(&labels)),
            test: None,
            largest: 1.0,
            form: Form::Points,
        }
    }
}

fn classes() -> Vec<String> {
    ["0", "1"].map(str::to_owned).to_vec()
}

pub(super) fn card() -> DatasetInfo {
    DatasetInfo {
        sample: Shape::from([2]),
        target: Target::Classes(2),
        rows: 4,
        test_rows: 0,
        classes: classes(),
        notes: Vec::new(),
    }
}
