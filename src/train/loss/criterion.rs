//! A loss with its weights on the device.

use tch::{Kind, Reduction, Tensor};

use crate::train::loss::{Loss, binary, cross_entropy, script};
use crate::train::per_replica::PerReplica;

/// The loss of a stack with its weights.
#[derive(Debug)]
pub struct Criterion {
    /// Loss of the first replica.
    loss: Loss,
    /// Label smoothing of `cross_entropy`, or delta of `huber`, of each replica.
    number: PerReplica,
    weights: Option<Tensor>, // [replicas or 1, classes or labels], f32
    /// Whether `pos_weight` is that of class 0, while the output is the logit of class 1.
    is_class_0_positive: bool,
}

impl Loss {
    /// Returns the criterion of a stack whose replicas all have this loss; see [`Criterion::new`].
    pub fn criterion(&self, truth: &Tensor, outputs: usize, positive: usize) -> Criterion {
        Criterion::new(&[self], truth, outputs, positive)
    }

    /// Returns the weights that the loss takes from these training rows, if any, `[replicas or 1, classes or labels]`.
    fn weights(&self, truth: &Tensor, outputs: usize, positive: usize) -> Option<Tensor> {
        let weights = self.own_weights()?;
        Some(match (self, truth.kind()) {
            (Loss::BceWithLogits(_), Kind::Int64) => weights.positive_weights(&truth.eq(positive as i64)),
            (Loss::BceWithLogits(_), _) => weights.positive_weights(truth),
            _ => weights.class_weights(truth, outputs),
        })
    }
}

impl Criterion {
    /// Creates the criterion from the losses of the replicas, which differ at most in what [`Loss::shared`] sets to fixed
    /// values; a single one applies to all. `positive` is the class, of two, to which `pos_weight` belongs.
    ///
    /// # Shapes
    /// `truth`, of the training rows of each replica: `[replicas, rows]` int64 for classes, `[replicas, rows, …]` f32
    /// otherwise.
    pub fn new(losses: &[&Loss], truth: &Tensor, outputs: usize, positive: usize) -> Criterion {
        let number = |loss: &&Loss| match loss {
            Loss::CrossEntropy(settings) => settings.label_smoothing,
            Loss::Huber(huber) => huber.delta,
            Loss::Mse | Loss::Mae | Loss::Bce | Loss::BceWithLogits(_) | Loss::Nll(_) | Loss::TorchScript(_) => 0.0,
        };
        let first = losses[0];
        let weights = if losses.iter().all(|loss| loss.own_weights() == first.own_weights()) {
            first.weights(truth, outputs, positive)
        } else {
            let of_replica =
                |(replica, loss): (usize, &&Loss)| loss.weights(&truth.narrow(0, replica as i64, 1), outputs, positive);
            let each: Option<Vec<Tensor>> = losses.iter().enumerate().map(of_replica).collect();
            each.map(|each| Tensor::cat(&each, 0))
        };
        Criterion {
            loss: first.clone(),
            number: PerReplica::new(&losses.iter().map(number).collect::<Vec<_>>(), truth.device()),
            is_class_0_positive: first.has_pos_weight() && truth.kind() == Kind::Int64 && positive == 0,
            weights,
        }
    }

    /// Returns the mean loss of each replica; with `row_weights`, `Σ w l / Σ w` over the rows.
    ///
    /// # Shapes
    /// `outputs` `[replicas, batch, outputs]`, `targets` `[replicas, batch]` or `[replicas, batch, outputs]`,
    /// `row_weights` `[replicas, batch]`, f32 → `[replicas]`.
    pub fn of_each_replica(&self, outputs: &Tensor, targets: &Tensor, row_weights: Option<&Tensor>) -> Tensor {
        let none = Reduction::None;
        let weights = self.weights.as_ref();
        let mean = |losses: &Tensor| mean_of_rows(losses, row_weights);
        match &self.loss {
            Loss::Mse => mean(&outputs.mse_loss(targets, none)),
            Loss::Mae => mean(&outputs.l1_loss(targets, none)),
            Loss::Huber(_) => mean(&huber_loss(outputs, targets, &self.number)),
            Loss::Bce => mean(&outputs.binary_cross_entropy::<Tensor>(targets, None, none)),
            Loss::BceWithLogits(_) => {
                let weights = weights.map(|weights| weights.unsqueeze(1)); // the same for every row
                let loss = |outputs: &Tensor, targets: &Tensor| {
                    mean(&outputs.binary_cross_entropy_with_logits(targets, None, weights.as_ref(), none))
                };
                match self.is_class_0_positive {
                    true => loss(&-outputs, &(1.0 - targets)), // logit and target of class 0
                    false => loss(outputs, targets),
                }
            }
            Loss::CrossEntropy(_) => cross_entropy::logits_loss(outputs, targets, weights, row_weights, &self.number),
            Loss::Nll(_) => cross_entropy::log_probabilities_loss(outputs, targets, weights, row_weights),
            Loss::TorchScript(module) => script::loss(module, outputs, targets, row_weights),
        }
    }

    /// Returns the loss of the best constant prediction for each replica's targets, which a network reaches that
    /// ignores its inputs. For `huber`, and for `mae` of weighted rows, it is the loss of the median, which is close to
    /// the best; for a loss written in PyTorch, that of the mean or of the class frequencies.
    ///
    /// # Shapes
    /// `targets` `[replicas, rows]` or `[replicas, rows, outputs]`, as the loss takes them, `row_weights` `[replicas,
    /// rows]` → one value for each replica.
    pub fn constant_prediction_loss(&self, targets: &Tensor, outputs: usize, row_weights: Option<&Tensor>) -> Vec<f64> {
        let weights = self.weights.as_ref();
        let numbers = || targets.to_kind(Kind::Double);
        let from_median = |loss: &dyn Fn(&Tensor, &Tensor) -> Tensor| {
            let targets = numbers();
            let median = targets.median_dim(1, true).0.expand_as(&targets);
            mean_of_rows(&loss(&targets, &median), row_weights)
        };
        let each = match &self.loss {
            Loss::Mse => {
                let mean = match row_weights.map(|weights| weights.unsqueeze(-1)) {
                    None => numbers().mean_dim(1, true, None), // [replicas, 1, outputs]
                    Some(weights) => {
                        let weighed = (numbers() * &weights).sum_dim_intlist(1, true, None);
                        weighed / weights.sum_dim_intlist(1, true, Kind::Double)
                    }
                };
                mean_of_rows(&(numbers() - mean).square(), row_weights)
            }
            Loss::Mae => from_median(&|targets, median| targets.l1_loss(median, Reduction::None)),
            Loss::Huber(_) => from_median(&|targets, median| huber_loss(targets, median, &self.number)),
            Loss::BceWithLogits(_) if self.is_class_0_positive => {
                binary::constant_prediction_loss(&(1.0 - targets), weights, row_weights)
            }
            Loss::Bce | Loss::BceWithLogits(_) => binary::constant_prediction_loss(targets, weights, row_weights),
            Loss::CrossEntropy(_) | Loss::Nll(_) => {
                cross_entropy::constant_prediction_loss(targets, outputs, weights, row_weights, &self.number)
            }
            Loss::TorchScript(module) => script::constant_prediction_loss(module, targets, outputs, row_weights),
        };
        Vec::try_from(each.to_kind(Kind::Double)).expect("just made f64")
    }
}

/// Returns the Huber loss of each output, `[replicas, rows, outputs]`.
fn huber_loss(outputs: &Tensor, targets: &Tensor, deltas: &PerReplica) -> Tensor {
    match deltas.column(outputs.kind()) {
        None => outputs.huber_loss(targets, Reduction::None, deltas.get(0)),
        Some(deltas) => {
            let error = (outputs - targets).abs();
            let small = error.minimum(&deltas.unsqueeze(-1));
            &small * (error - &small * 0.5) // e² / 2 up to delta, delta · (e − delta / 2) beyond
        }
    }
}

/// Returns the mean over all dimensions except the first, weighted by `row_weights` if given: `[replicas, rows,
/// outputs]` → `[replicas]`.
pub(super) fn mean_of_rows(losses: &Tensor, row_weights: Option<&Tensor>) -> Tensor {
    let Some(weights) = row_weights else { return losses.flatten(1, -1).mean_dim(1, false, None) };
    let of_rows = losses.flatten(2, -1).mean_dim(2, false, None); // [replicas, rows]
    (of_rows * weights).sum_dim_intlist(1, false, None) / weights.sum_dim_intlist(1, false, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::prepare::weights::Weights;
    use crate::train::loss::binary::BceWithLogits;
    use crate::train::loss::cross_entropy::{ClassTargets, CrossEntropy};
    use crate::train::loss::regression::Huber;

    /// Classes of five rows for each of two replicas.
    fn classes() -> Tensor {
        Tensor::from_slice(&[0_i64, 0, 0, 1, 2, 1, 2, 2, 2, 0]).view([2, 5])
    }

    #[test]
    fn constant_prediction_loss_is_that_of_the_best_constant_logits() {
        let cross_entropy =
            CrossEntropy { label_smoothing: 0.1, class_weights: Some(Weights::Balanced), ..Default::default() };
        for settings in [CrossEntropy::default(), cross_entropy] {
            let loss = Loss::CrossEntropy(settings);
            let criterion = loss.criterion(&classes(), 3, 1);
            let found = criterion.constant_prediction_loss(&classes(), 3, None);
            // The best constant logits by gradient descent.
            let mut logits = Tensor::zeros([2, 1, 3], (Kind::Double, tch::Device::Cpu)).set_requires_grad(true);
            for _ in 0..2000 {
                let losses = criterion.of_each_replica(&logits.expand([2, 5, 3], false), &classes(), None);
                let gradient = Tensor::run_backward(&[losses.sum(None)], &[&logits], false, false).remove(0);
                logits = (&logits - gradient).detach().set_requires_grad(true);
            }
            let best = criterion.of_each_replica(&logits.expand([2, 5, 3], false), &classes(), None);
            for (replica, found) in found.iter().enumerate() {
                assert!((found - best.double_value(&[replica as i64])).abs() < 1e-5, "{loss:?}: {found}, {best:?}");
            }
        }
    }

    #[test]
    fn constant_predictions_of_numbers_and_labels_are_known() {
        let truth = Tensor::from_slice(&[0.0_f32, 1.0, 0.0, 3.0, 1.0]).view([1, 5, 1]);
        let constant =
            |loss: Loss, truth: &Tensor| loss.criterion(truth, 1, 1).constant_prediction_loss(truth, 1, None)[0];
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
                    loss.criterion(&classes(), 3, 1).of_each_replica(&logits, &targets, None).to_kind(Kind::Double),
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

    #[test]
    fn a_row_of_weight_3_counts_as_three_rows() {
        let rows = [0_i64, 1, 1, 1, 2, 3, 3];
        let weights = Tensor::from_slice(&[1.0_f32, 3.0, 1.0, 2.0]).unsqueeze(0);
        let spread = |tensor: &Tensor| tensor.index_select(1, &Tensor::from_slice(&rows));
        let logits = Tensor::arange(12, (Kind::Float, tch::Device::Cpu)).sin().view([1, 4, 3]) * 5.0;
        let (classes, numbers) = (Tensor::from_slice(&[2_i64, 0, 1, 1]).unsqueeze(0), logits.cos().sigmoid());
        let smooth = CrossEntropy {
            label_smoothing: 0.2,
            class_weights: Some(Weights::Each(vec![1.0, 2.0, 5.0])),
            ..Default::default()
        };
        let one_hot = CrossEntropy { targets: ClassTargets::OneHot, ..CrossEntropy::default() };
        let losses = [
            (Loss::CrossEntropy(CrossEntropy::default()), &classes),
            (Loss::CrossEntropy(smooth), &classes),
            (Loss::CrossEntropy(one_hot), &classes.one_hot(3).to_kind(Kind::Float)),
            (Loss::Nll(Default::default()), &classes),
            (Loss::Mse, &numbers),
            (Loss::Mae, &numbers),
            (Loss::Huber(Huber { delta: 0.3 }), &numbers),
            (Loss::Bce, &numbers.round()),
            (Loss::BceWithLogits(BceWithLogits { pos_weight: Some(Weights::Each(vec![3.0])) }), &numbers.round()),
        ];
        for (loss, targets) in losses {
            let outputs = if loss == Loss::Bce { logits.sigmoid() } else { logits.shallow_clone() };
            let criterion = loss.criterion(&classes, 3, 1);
            let of = |tensor: Tensor| tensor.double_value(&[0]);
            let weighted = of(criterion.of_each_replica(&outputs, targets, Some(&weights)));
            let repeated = of(criterion.of_each_replica(&spread(&outputs), &spread(targets), None));
            assert!((weighted - repeated).abs() < 1e-6, "{loss:?}: {weighted} and {repeated}");
            if !matches!(loss, Loss::Mae | Loss::Huber(_)) {
                let weighted = criterion.constant_prediction_loss(targets, 3, Some(&weights))[0];
                let repeated = criterion.constant_prediction_loss(&spread(targets), 3, None)[0];
                assert!((weighted - repeated).abs() < 1e-6, "constant, {loss:?}: {weighted} and {repeated}");
            }
        }
    }

    #[test]
    fn pos_weight_weighs_the_positive_class_whichever_it_is() {
        let truth = Tensor::from_slice(&[0_i64, 0, 1, 1, 1, 1, 1, 1]).view([2, 4]);
        let logits = Tensor::from_slice(&[-2.0_f32, 0.5, 1.0, -200.0, 3.0, 0.0, -1.0, 200.0]).view([2, 4, 1]);
        let targets = truth.unsqueeze(-1).to_kind(Kind::Float);
        for weights in [Weights::Each(vec![5.0]), Weights::Balanced] {
            let loss = Loss::BceWithLogits(BceWithLogits { pos_weight: Some(weights.clone()) });
            let of_first = loss.criterion(&truth, 1, 0);
            // The same rows with the classes exchanged and the logits negated.
            let of_second = loss.criterion(&(1 - &truth), 1, 1);
            let (found, wanted) = (
                of_first.of_each_replica(&logits, &targets, None),
                of_second.of_each_replica(&-&logits, &(1.0 - &targets), None),
            );
            assert_eq!(Vec::<f32>::try_from(&found).unwrap(), Vec::<f32>::try_from(&wanted).unwrap(), "{weights:?}");
            assert!(Vec::<f32>::try_from(&found).unwrap().iter().all(|loss| loss.is_finite()));
            let constant =
                |criterion: &Criterion, targets: &Tensor| criterion.constant_prediction_loss(targets, 1, None);
            assert_eq!(constant(&of_first, &targets), constant(&of_second, &(1.0 - &targets)));
        }
        let second = Loss::BceWithLogits(BceWithLogits { pos_weight: Some(Weights::Each(vec![5.0])) });
        let (first, second) = (second.criterion(&truth, 1, 0), second.criterion(&truth, 1, 1));
        let at_zero = |criterion: &Criterion| {
            let losses = criterion.of_each_replica(&logits.zeros_like(), &targets, None);
            losses.double_value(&[0]) / 2.0_f64.ln()
        };
        // Two rows of each class give (2 · 5 + 2) / 4 in both cases; with three rows and one row, the weight shows to
        // which class it belongs.
        assert!((at_zero(&first) - 3.0).abs() < 1e-6 && (at_zero(&second) - 3.0).abs() < 1e-6);
        let uneven = Tensor::from_slice(&[0.0_f32, 1.0, 1.0, 1.0]).view([1, 4, 1]);
        let at_zero = |criterion: &Criterion| {
            let losses = criterion.of_each_replica(&uneven.zeros_like(), &uneven, None);
            losses.double_value(&[0]) / 2.0_f64.ln()
        };
        assert!((at_zero(&first) - 2.0).abs() < 1e-6 && (at_zero(&second) - 4.0).abs() < 1e-6);
    }
}
