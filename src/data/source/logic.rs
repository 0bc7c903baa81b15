//! The four points of {0, 1}², labeled by a logic gate. xor is the smallest data set that a linear model cannot learn.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::config::check::Invalid;
use crate::data::dataset::{DatasetInfo, Loaded, numbered_classes};
use crate::data::rows::Rows;
use crate::data::source::data_source::DataSource;
use crate::data::split::Split;
use crate::data::store::cache::Cache;
use crate::data::store::checksum::sha256;
use crate::data::store::download_progress::DownloadProgress;
use crate::data::table::form::Form;
use crate::data::target::Target;
use crate::tensor::shape::Shape;

const MANIFEST: &str = "
title    = 'Logic gates: and, or, nand, xor (described: xor)'
rows     = '4'
features = '2 inputs, 0 or 1'
target   = '2 classes'
license  = 'none needed'
citation = 'M. Minsky, S. Papert: Perceptrons, 1969, on what one layer cannot learn'
";

/// Settings of `[data.logic]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Logic {
    /// Logic gate.
    pub gate: Gate,
}

/// Logic gate with two inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// 1 if both inputs are 1.
    And,
    /// 1 if at least one input is 1.
    Or,
    /// 0 if both inputs are 1.
    Nand,
    /// 1 if the inputs differ; no straight line separates the classes.
    Xor,
}

const POINTS: [[f32; 2]; 4] = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];

impl DataSource for Logic {
    const NAME: &'static str = "logic";
    const MANIFEST: Option<&'static str> = Some(MANIFEST);
    const HAS_SHARED_SETTINGS: bool = false;

    fn info(&self, _: &Split) -> Result<DatasetInfo, Invalid> {
        Ok(DatasetInfo::new(Shape::from([2]), Target::Classes(2), 4, numbered_classes(2)))
    }

    fn load(&self, _: &Split, _: &Cache, _: &mut dyn DownloadProgress) -> anyhow::Result<Loaded> {
        let labels = POINTS.map(|[a, b]| {
            let (a, b) = (a == 1.0, b == 1.0);
            i64::from(match self.gate {
                Gate::And => a && b,
                Gate::Or => a || b,
                Gate::Nand => !(a && b),
                Gate::Xor => a != b,
            })
        });
        Ok(Loaded::new(
            sha256(format!("{POINTS:?}{labels:?}").as_bytes()),
            Target::Classes(2),
            numbered_classes(2),
            Rows::new(Tensor::from_slice(POINTS.as_flattened()).view([4, 2]), Tensor::from_slice(&labels)),
            Form::Points,
        ))
    }
}
