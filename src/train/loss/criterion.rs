//! A loss ready to be taken: with its weights on the device.

use tch::{Kind, Reduction, Tensor};

use crate::train::loss::{Loss, binary, cross_entropy};

/// A loss with its weights.
#[derive(Debug)]
pub struct Criterion {
    loss: Loss,
    weights: Option<Tensor>, // [replicas or 1, classes or labels], f32
}

impl Loss {
    /// The loss with the weights that it takes from the training rows, where it has any.
    ///
    /// # Shapes
    /// `truth`, of the training rows of each replica: `[replicas, rows]` int64 for classes, `[replicas, rows, …]` f32.
    pub fn criterion(&self, truth: &Tensor, outputs: usize) -> Criterion {
        let weights = match self {
            Loss::CrossEntropy(cross_entropy::CrossEntropy { class_weights, .. })
            | Loss::Nll(cross_entropy::Nll { class_weights }) => {
                class_weights.as_ref().map(|weights| weights.of_classes(truth, outputs))
            }
            Loss::BceWithLogits(settings) => settings.pos_weight.as_ref().map(|weights| weights.of_positives(truth)),
            Loss::Mse | Loss::Mae | Loss::Huber(_) | Loss::Bce => None,
        };
        Criterion { loss: self.clone(), weights }
    }
}

impl Criterion {
    /// The mean loss of each replica.
    ///
    /// # Shapes
    /// `outputs` `[replicas, batch, outputs]`, `targets` `[replicas, batch]` or `[replicas, batch, outputs]` →
    /// `[replicas]`.
    pub fn of_each_replica(&self, outputs: &Tensor, targets: &Tensor) -> Tensor {
        let none = Reduction::None;
        let weights = self.weights.as_ref();
        match &self.loss {
            Loss::Mse => mean_of_rest(&outputs.mse_loss(targets, none)),
            Loss::Mae => mean_of_rest(&outputs.l1_loss(targets, none)),
            Loss::Huber(huber) => mean_of_rest(&outputs.huber_loss(targets, none, huber.delta)),
            Loss::Bce => mean_of_rest(&outputs.binary_cross_entropy::<Tensor>(targets, None, none)),
            Loss::BceWithLogits(_) => {
                let weights = weights.map(|weights| weights.unsqueeze(1)); // for every row of the batch
                mean_of_rest(&outputs.binary_cross_entropy_with_logits(targets, None, weights, none))
            }
            Loss::CrossEntropy(settings) => {
                cross_entropy::of_logits(outputs, targets, weights, settings.label_smoothing)
            }
            Loss::Nll(_) => cross_entropy::of_log_probabilities(outputs, targets, weights),
        }
    }

    /// The loss of the best constant prediction of each replica's targets: what a network that ignores its inputs
    /// gets. For `huber` that of the median, which is near the best.
    ///
    /// # Shapes
    /// `targets`, as the loss takes them, `[replicas, rows]` or `[replicas, rows, outputs]`; one value for each replica.
    pub fn of_constant_prediction(&self, targets: &Tensor, outputs: usize) -> Vec<f64> {
        let weights = self.weights.as_ref();
        let numbers = || targets.to_kind(Kind::Double);
        let from_median = |loss: fn(&Tensor, &Tensor, f64) -> Tensor, delta: f64| {
            let targets = numbers();
            let median = targets.median_dim(1, true).0.expand_as(&targets);
            mean_of_rest(&loss(&targets, &median, delta))
        };
        let each = match &self.loss {
            Loss::Mse => mean_of_rest(&numbers().var_dim(1, false, true)),
            Loss::Mae => from_median(|targets, median, _| targets.l1_loss(median, Reduction::None), 0.0),
            Loss::Huber(huber) => {
                from_median(|targets, median, delta| targets.huber_loss(median, Reduction::None, delta), huber.delta)
            }
            Loss::Bce | Loss::BceWithLogits(_) => binary::of_constant_prediction(targets, weights),
            Loss::CrossEntropy(settings) => {
                cross_entropy::of_constant_prediction(targets, outputs, weights, settings.label_smoothing)
            }
            Loss::Nll(_) => cross_entropy::of_constant_prediction(targets, outputs, weights, 0.0),
        };
        Vec::try_from(each.to_kind(Kind::Double)).expect("just made f64")
    }
}

/// The mean over all dimensions but the first.
fn mean_of_rest(losses: &Tensor) -> Tensor {
    losses.flatten(1, -1).mean_dim(1, false, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::loss::binary::BceWithLogits;
    use crate::train::loss::cross_entropy::{ClassTargets, CrossEntropy};
    use crate::train::loss::regression::Huber;
    use crate::train::loss::weights::Weights;

    /// Two replicas with rows of their own, of three classes.
    fn classes() -> Tensor {
        Tensor::from_slice(&[0_i64, 0, 0, 1, 2, 1, 2, 2, 2, 0]).view([2, 5])
    }

    #[test]
    fn a_constant_prediction_costs_what_a_network_of_the_best_constants_does() {
        let cross_entropy =
            CrossEntropy { label_smoothing: 0.1, class_weights: Some(Weights::Balanced), ..Default::default() };
        for settings in [CrossEntropy::default(), cross_entropy] {
            let loss = Loss::CrossEntropy(settings);
            let criterion = loss.criterion(&classes(), 3);
            let found = criterion.of_constant_prediction(&classes(), 3);
            // the best constant logits by gradient descent
            let mut logits = Tensor::zeros([2, 1, 3], (Kind::Double, tch::Device::Cpu)).set_requires_grad(true);
            for _ in 0..2000 {
                let losses = criterion.of_each_replica(&logits.expand([2, 5, 3], false), &classes());
                let gradient = Tensor::run_backward(&[losses.sum(None)], &[&logits], false, false).remove(0);
                logits = (&logits - gradient).detach().set_requires_grad(true);
            }
            let best = criterion.of_each_replica(&logits.expand([2, 5, 3], false), &classes());
            for (replica, found) in found.iter().enumerate() {
                assert!((found - best.double_value(&[replica as i64])).abs() < 1e-5, "{loss:?}: {found}, {best:?}");
            }
        }
    }

    #[test]
    fn constant_predictions_of_numbers_and_labels_are_known() {
        let truth = Tensor::from_slice(&[0.0_f32, 1.0, 0.0, 3.0, 1.0]).view([1, 5, 1]);
        let constant = |loss: Loss, truth: &Tensor| loss.criterion(truth, 1).of_constant_prediction(truth, 1)[0];
        assert!((constant(Loss::Mse, &truth) - 1.2).abs() < 1e-6);
        assert!((constant(Loss::Mae, &truth) - 0.8).abs() < 1e-6, "around the median 1");
        assert!((constant(Loss::Huber(Huber::default()), &truth) - (0.5 + 0.5 + 1.5) / 5.0).abs() < 1e-6);
        let labels = Tensor::from_slice(&[1.0_f32, 0.0, 0.0, 0.0]).view([1, 4, 1]);
        let entropy = -(0.25_f64 * 0.25_f64.ln() + 0.75 * 0.75_f64.ln());
        assert!((constant(Loss::Bce, &labels) - entropy).abs() < 1e-6);
        let balanced = Loss::BceWithLogits(BceWithLogits { pos_weight: Some(Weights::Balanced) });
        assert!((constant(balanced, &labels) - 1.5 * 2.0_f64.ln()).abs() < 1e-6);
    }

    #[test]
    fn one_hot_targets_give_the_loss_of_class_numbers_in_each_replica() {
        for (smoothing, weights) in
            [(0.0, None), (0.1, None), (0.0, Some(Weights::Balanced)), (0.2, Some(Weights::Each(vec![1.0, 2.0, 5.0])))]
        {
            let of = |targets| {
                Loss::CrossEntropy(CrossEntropy { label_smoothing: smoothing, class_weights: weights.clone(), targets })
            };
            let logits = Tensor::from_slice(&(0..30).map(|i| ((i * 7 % 11) - 5) as f32 * 40.0).collect::<Vec<_>>());
            let logits = logits.view([2, 5, 3]);
            let loss = |loss: Loss| {
                let targets =
                    Tensor::stack(&[loss.targets(&classes().get(0), 3), loss.targets(&classes().get(1), 3)], 0);
                Vec::<f64>::try_from(
                    loss.criterion(&classes(), 3).of_each_replica(&logits, &targets).to_kind(Kind::Double),
                )
                .unwrap()
            };
            let (sparse, one_hot) = (loss(of(ClassTargets::Sparse)), loss(of(ClassTargets::OneHot)));
            assert!(
                sparse.iter().zip(&one_hot).all(|(a, b)| (a - b).abs() <= 1e-5 * a.abs()),
                "{sparse:?} {one_hot:?}"
            );
        }
    }
}
