//! Image augmentation: training images are randomly shifted, rotated and covered with noise in each step, on the
//! device.
//!
//! Only the training loop calls it, so validation and test images are never changed. Shift and rotation are one affine
//! sampling per image (PyTorch's `affine_grid` and `grid_sample`, bilinear, zeros outside). Each replica draws the numbers
//! of its lone run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::config::check::{Invalid, not_negative, require};
use crate::tensor::generators::for_each_replica;
use crate::tensor::shape::Shape;

/// Maximum changes of an image, uniformly random in both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Augment {
    /// Maximum shift to each side, in pixels.
    pub shift: f64,
    /// Maximum rotation in either direction, in degrees.
    pub rotate: f64,
    /// Standard deviation of the noise added to every pixel.
    pub noise: f64,
}

impl Augment {
    /// Checks the settings, and that rows are images.
    ///
    /// # Errors
    /// When a setting is out of range, or a row does not have the shape `[channels, height, width]`.
    pub fn check(&self, sample: &Shape) -> Result<(), Invalid> {
        not_negative("shift", self.shift)?;
        require((0.0..=180.0).contains(&self.rotate), "rotate", "must be between 0 and 180 degrees", self.rotate)?;
        not_negative("noise", self.noise)?;
        if sample.dimensions().len() != 3 {
            let message = format!("requires images `[channels, height, width]`, found rows of {sample}");
            return Err(Invalid::new("", message).hint(
                "for images, set `flatten = false` in the data, and start the network with `\"flatten\"`; for other \
                       rows, remove `augment`",
            ));
        }
        Ok(())
    }

    /// Changes every image independently: `[replicas, batch, channels, height, width]` → the same shape.
    pub fn apply(&self, images: &Tensor) -> Tensor {
        let shape = images.size();
        let flat = images.flatten(0, 1).contiguous(); // [images, channels, height, width]
        let within = |most: f64| {
            let drawn = flat.new_empty([shape[0], shape[1]], (flat.kind(), flat.device())); // [replicas, batch]
            for_each_replica(&drawn, |_, mut drawn| drop(drawn.uniform_(0.0, 1.0)));
            (drawn.flatten(0, 1) * 2.0 - 1.0) * most
        };
        let mut moved = flat.shallow_clone();
        if self.shift > 0.0 || self.rotate > 0.0 {
            let (height, width) = (shape[3] as f64, shape[4] as f64);
            let angle = within(self.rotate.to_radians());
            let (sin, cos) = (angle.sin(), angle.cos());
            // Coordinates run from −1 to 1 along both sides, so a pixel is 2 / length.
            let across = [cos.shallow_clone(), &sin * (-height / width), within(2.0 * self.shift / width)];
            let down = [sin * (width / height), cos, within(2.0 * self.shift / height)];
            let affine = Tensor::stack(&[Tensor::stack(&across, 1), Tensor::stack(&down, 1)], 1); // [images, 2, 3]
            let grid = Tensor::affine_grid_generator(&affine, &flat.size()[..], false);
            moved = flat.grid_sampler(&grid, 0, 0, false);
        }
        if self.noise > 0.0 {
            let noise = moved.empty_like().view(&shape[..]);
            for_each_replica(&noise, |_, mut noise| drop(noise.normal_(0.0, 1.0)));
            moved = &moved + noise.view_as(&moved) * self.noise; // not in place: `moved` may be a view of the training rows
        }
        moved.view(&shape[..])
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use tch::{Device, Kind};

    use super::*;
    use crate::data::Target;
    use crate::data::prepare::batches::DeviceRows;
    use crate::data::prepare::features::Features;
    use crate::history::Status;
    use crate::network::init::Init;
    use crate::network::layer::{Layer, OutputKind};
    use crate::network::stack::Architecture;
    use crate::train::TrainSpec;
    use crate::train::evaluate::Measure;
    use crate::train::fit::fit;
    use crate::train::task::Task;

    /// Two replicas of three images with one bright pixel in the middle.
    fn images() -> Tensor {
        let images = Tensor::zeros([2, 3, 1, 9, 9], (Kind::Float, Device::Cpu));
        let _ = images.narrow(3, 4, 1).narrow(4, 4, 1).fill_(1.0);
        images
    }

    #[test]
    fn augmentation_without_settings_changes_nothing() {
        assert_eq!(Augment::default().apply(&images()), images());
    }

    #[test]
    fn noise_is_added_to_a_copy() {
        // One replica: flattening returns a view of the rows, not a copy.
        let images = images().narrow(0, 0, 1);
        let before = images.copy();
        let noisy = Augment { noise: 0.3, ..Augment::default() }.apply(&images);
        assert_eq!(images, before, "the given images are the training data");
        let noise = noisy - before;
        assert!((noise.std(true).double_value(&[]) - 0.3).abs() < 0.1);
    }

    /// Trains two epochs without shuffling, and returns the rows before and after.
    fn trained(layers: &[&str], augment: &str, replicas: usize) -> [Tensor; 2] {
        #[derive(serde::Deserialize)]
        struct Layers {
            #[serde(deserialize_with = "crate::config::shorthand::named_list")]
            layers: Vec<Layer>,
        }
        let Layers { layers } = toml_edit::de::from_str(&format!("layers = [{}]", layers.join(", "))).unwrap();
        let text = format!(
            "epochs = 2\nbatch = 8\nshuffle = false\nloss = \"cross_entropy\"\noptimizer = \"sgd\"\naugment = {augment}"
        );
        let settings: TrainSpec = toml_edit::de::from_str(&text).unwrap();
        let features = (Tensor::arange(20 * 64, (Kind::Float, Device::Cpu)) * 0.7).sin().view([20, 1, 8, 8]);
        let truth = Tensor::arange(20, (Kind::Int64, Device::Cpu)).remainder(3);
        let before = features.copy();
        let features = Features::new(&features);
        let training = DeviceRows { targets: truth.shallow_clone(), features, truth, weights: None, chosen: None };
        let target = Target::Classes(3);
        let measure = Measure {
            loss: settings.loss.criterion(&training.truth.unsqueeze(0), 3, 1),
            metrics: settings.metrics(target),
            decision: settings.loss.decision(OutputKind::Values, 3, target),
            positive: 1,
            score: None,
        };
        let seeds: Vec<i64> = (0..replicas as i64).collect();
        let task = Task {
            settings: &settings,
            measure: &measure,
            monitor: settings.monitored(false, target),
            seeds: &seeds,
            replicas: &vec![&settings; replicas],
            training: &training,
            validation: None,
            layers: &layers,
            device: Device::Cpu,
            threads: 1,
        };
        let architecture = Architecture::follow(&layers, Init::Pytorch, &Shape::from([1, 8, 8])).unwrap();
        let stack = architecture.build(&seeds, Device::Cpu).unwrap();
        let outcomes = fit(&stack, &task, &AtomicBool::new(false), &mut (), &mut ()).unwrap();
        assert!(outcomes.iter().all(|outcome| outcome.status == Status::Completed));
        [before, training.features.all()]
    }

    #[test]
    fn training_does_not_change_its_rows() {
        for first in [vec![], vec!["\"relu\""], vec!["\"batch_norm\"", "{ dropout = 0.2 }", "\"gelu\""]] {
            let layers = [first, vec!["\"flatten\"", "{ linear = 3 }"]].concat();
            for augment in ["{}", "{ noise = 0.3 }", "{ shift = 1, rotate = 10, noise = 0.3 }"] {
                for replicas in [1, 2] {
                    let [before, after] = trained(&layers, augment, replicas);
                    assert_eq!(before, after, "{layers:?}, {augment}, {replicas} replicas");
                }
            }
        }
    }

    #[test]
    fn images_are_shifted_independently_and_within_the_limit() {
        let moved = Augment { shift: 2.0, ..Augment::default() }.apply(&images());
        assert_eq!(moved.size(), [2, 3, 1, 9, 9]);
        let inner = moved.narrow(3, 1, 7).narrow(4, 1, 7).sum(Kind::Double).double_value(&[]);
        assert!((inner - 6.0).abs() < 1e-4, "all that is bright stays within two pixels and a half: {inner}");
        assert_ne!(moved.get(0).get(0), moved.get(0).get(1));
        assert_ne!(moved.get(0), moved.get(1));
    }

    #[test]
    fn a_rotation_keeps_the_center() {
        let turned = Augment { rotate: 90.0, ..Augment::default() }.apply(&images());
        let middle = turned.narrow(3, 4, 1).narrow(4, 4, 1).min().double_value(&[]);
        assert!(middle > 0.99, "{middle}");
    }

    #[test]
    fn augmentation_requires_images() {
        let augment = Augment { shift: 1.0, ..Augment::default() };
        assert!(augment.check(&Shape::from([784])).unwrap_err().message.contains("784"));
        assert_eq!(augment.check(&Shape::from([1, 28, 28])), Ok(()));
        assert!(Augment { rotate: 200.0, ..augment }.check(&Shape::from([1, 28, 28])).is_err());
    }
}
