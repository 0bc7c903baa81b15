//! A trained network rebuilt from what its trial left: the settings from the history, the weights from the file beside
//! it.

use anyhow::{Context, anyhow};
use tch::{Device, Kind, Tensor};

use crate::data::batches::DeviceRows;
use crate::data::{Rows, told};
use crate::experiment::plan::{Model, Plan};
use crate::experiment::runs::SavedTrial;
use crate::experiment::source_text::{SpecError, reread};
use crate::experiment::spec::Spec;
use crate::experiment::testing;
use crate::experiment::trial_data::TrialData;
use crate::hint::Hint;
use crate::history::{History, Status, TestRecord};
use crate::network::stack::Stack;
use crate::network::state_dict;
use crate::train::evaluate;

/// A trial's network with the weights that it ended with.
#[derive(Debug)]
pub struct Saved {
    /// The plan that it was trained by.
    pub plan: Plan,
    stack: Stack,
    device: Device,
}

impl Saved {
    /// Builds the network anew, and loads its weights.
    ///
    /// # Errors
    /// When the trial has diverged, its settings can no longer be used, or its weights are missing, damaged or of
    /// another network.
    pub fn load(trial: &SavedTrial, device: Device) -> anyhow::Result<Saved> {
        let (history, stem) = (&trial.history, trial.stem());
        if history.status == Status::Diverged {
            let hint = "a smaller learning rate often helps: `--set train.optimizer.….lr=…` of `runner exp`";
            return Err(anyhow!("trial `{stem}` diverged: its weights predict nothing").context(Hint(hint.to_owned())));
        }
        let plan = plan(history).with_context(|| format!("failed to rebuild the network of `{stem}`"))?;
        let Model::Network(network) = &plan.model;
        let stack = network.architecture.build(&[history.seed], device);
        let weights = trial.weights();
        if !weights.exists() {
            let hint = format!("keep it beside its history, `{}`", trial.file.display());
            return Err(
                anyhow!("the weights of `{stem}` are missing: there is no `{}`", weights.display()).context(Hint(hint))
            );
        }
        state_dict::load(&stack, 0, &weights)
            .with_context(|| format!("failed to load the weights of `{stem}`"))
            .context(Hint("the file is damaged, or of another network: `runner exp` makes it anew".to_owned()))?;
        Ok(Saved { plan, stack, device })
    }

    /// Loss, metrics and confusion matrix on these rows, prepared as the network takes them.
    pub fn test(&self, data: &TrialData, rows: &Rows) -> TestRecord {
        let Model::Network(network) = &self.plan.model;
        let truth = data.trained_on().to_device(self.device).unsqueeze(0);
        let measure = testing::measure(network, self.plan.card.target, &truth);
        let rows = evaluate::on_device(rows, &network.train.loss, network.outputs(), self.device);
        testing::tested(&self.stack, &rows, &measure, network.train.keep).remove(0)
    }

    /// What the network makes of rows, prepared as it takes them: `[rows, …sample]` f32 → `[rows, outputs]` f64, on the
    /// CPU.
    pub fn outputs(&self, features: &Tensor) -> Tensor {
        let truth = Tensor::zeros([features.size()[0]], (Kind::Int64, Device::Cpu)); // nothing is asked of it
        let targets = truth.shallow_clone();
        let rows =
            DeviceRows { features: features.to_device(self.device), targets, truth, weights: None, chosen: None };
        evaluate::outputs(&self.stack, &rows).get(0).to_device(Device::Cpu).to_kind(Kind::Double)
    }
}

/// The plan that a history was made by.
fn plan(history: &History) -> anyhow::Result<Plan> {
    let spec: Spec = reread(history.config.clone()).map_err(|SpecError { message, hint }| {
        let hint = hint.unwrap_or_else(|| "another version of runner wrote the history".to_owned());
        anyhow!("its settings cannot be read: {message}").context(Hint(hint))
    })?;
    // what was expected of the run is no part of the network
    Plan::new(&history.experiment, &history.variant, Spec { expect: Vec::new(), ..spec }).map_err(told)
}
