//! Tests that the fused CPU backend gives the same results as autograd.

mod case;
mod convolutions;

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::history::Status;
use crate::train::fit::fit;
use crate::train::fused_cpu::tests::case::{Case, OUTPUTS, Trained, read};

thread_local! {
    /// Number of steps that this thread takes before the run is stopped, if any.
    static STEPS_LEFT: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Called in each step before `stop` is read; sets it when a test asks for it.
pub(crate) fn on_step(stop: &AtomicBool) {
    if let Some(left) = STEPS_LEFT.get() {
        STEPS_LEFT.set(left.checked_sub(1));
        if left == 0 {
            stop.store(true, Ordering::Relaxed);
        }
    }
}

#[track_caller]
fn assert_same_training(case: &Case) {
    let what = format!("{} with {}, {} replicas, {} threads", case.layers, case.settings, case.replicas, case.threads);
    let [fused, autograd] = case.train_with_both_backends();
    assert_near(&fused, &autograd, &what);
}

#[track_caller]
fn assert_near(found: &[Trained], wanted: &[Trained], what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    for ((found, weights), (wanted, wanted_weights)) in found.iter().zip(wanted) {
        assert_eq!((found.status, found.best_epoch), (wanted.status, wanted.best_epoch), "{what}");
        assert_eq!(found.curves.len(), wanted.curves.len(), "{what}");
        for name in ["loss", "val_loss"] {
            let pairs = found.curves.metric(name).unwrap().into_iter().zip(wanted.curves.metric(name).unwrap());
            pairs.for_each(|(found, wanted)| {
                assert!(is_near(found, wanted), "{what}, {name}: {found}, {wanted}");
            });
        }
        for (&found, &wanted) in weights.iter().zip(wanted_weights) {
            assert!(is_near(found.into(), wanted.into()), "{what}: a parameter is {found}, not {wanted}");
        }
    }
}

/// Returns whether both are nearly equal, or neither is finite.
fn is_near(found: f64, wanted: f64) -> bool {
    (found - wanted).abs() < 2e-5 || (!found.is_finite() && !wanted.is_finite())
}

const SGD: &str = "optimizer = { sgd = { lr = 0.1, momentum = 0.9, weight_decay = 0.01 } }\nkeep = \"last\"\n";

#[test]
fn every_activation_and_loss_trains_as_with_autograd() {
    for activation in [
        "\"relu\"",
        "{leaky_relu=0.2}",
        "\"sigmoid\"",
        "\"tanh\"",
        "\"elu\"",
        "\"silu\"",
        "\"gelu\"",
        "{gelu={approximate=\"tanh\"}}",
    ] {
        for loss in ["cross_entropy", "bce_with_logits", "mse", "mae", "huber"] {
            let layers = format!("{{linear=9}} {activation} {{linear={{units=5,bias=false}}}} {{linear={OUTPUTS}}}");
            let settings = format!("{SGD}batch = 16\nloss = \"{loss}\"");
            let case = Case { layers: layers.leak(), settings: settings.leak(), replicas: 1, threads: 1, folds: false };
            assert_same_training(&case);
        }
    }
}

const LAYERS: &str = "{linear=9} \"relu\" {linear=5} \"tanh\" {linear=3}";

#[test]
fn every_optimizer_schedule_and_batch_size_trains_as_with_autograd() {
    for settings in [
        "optimizer = \"adam\"\nbatch = 75\nloss = \"cross_entropy\"",
        "optimizer = { adamw = { lr = 0.01, amsgrad = true } }\nbatch = \"full\"\nshuffle = false\nloss = \"cross_entropy\"",
        "optimizer = \"adagrad\"\nbatch = 1\nloss = \"mse\"\nschedule = \"cosine\"",
        "optimizer = { rmsprop = { momentum = 0.5 } }\nbatch = 20\nloss = \"bce_with_logits\"\nschedule = { warm_up = 2 }",
        "optimizer = { sgd = { lr = 0.5 } }\nbatch = 20\nloss = \"cross_entropy\"\nearly_stopping = { patience = 1, min_delta = 0.3 }",
        "optimizer = { sgd = { lr = 0.5 } }\nbatch = 20\nloss = { cross_entropy = { label_smoothing = 0.2 } }",
        "optimizer = { sgd = { lr = 0.2 } }\nbatch = 20\nloss = \"mse\"\npenalty = { l1 = 0.01, l2 = 0.02 }",
        "optimizer = { sgd = { lr = 0.2 } }\nbatch = 20\nloss = \"mae\"\nclip = { value = 0.01 }",
        "optimizer = { sgd = { lr = 0.2 } }\nbatch = 20\nloss = { huber = { delta = 0.3 } }\nclip = { norm = 0.1 }",
    ] {
        assert_same_training(&Case { layers: LAYERS, settings, replicas: 1, threads: 1, folds: false });
    }
}

#[test]
fn replicas_threads_and_folds_train_as_with_autograd() {
    // The last batch has 11 rows, 1 row for several threads, or all rows.
    for batch in ["64", "74", "75"] {
        let settings: &str = format!("{SGD}batch = {batch}\nloss = \"cross_entropy\"").leak();
        for (replicas, threads, folds) in
            [(1, 2, false), (1, 4, false), (2, 2, false), (3, 2, false), (5, 3, true), (2, 8, true)]
        {
            assert_same_training(&Case { layers: LAYERS, settings, replicas, threads, folds });
        }
    }
    let penalized: &str = format!("{SGD}batch = 64\nloss = \"mse\"\npenalty = {{ l1 = 0.01, l2 = 0.02 }}").leak();
    assert_same_training(&Case { layers: LAYERS, settings: penalized, replicas: 1, threads: 4, folds: false });
    let clipped: &str = format!("{SGD}batch = 64\nloss = \"mse\"\nclip = {{ norm = 0.1 }}").leak();
    for (replicas, threads) in [(1, 4), (3, 2)] {
        assert_same_training(&Case { layers: LAYERS, settings: clipped, replicas, threads, folds: false });
    }
    let unshuffled: &str = format!("{SGD}batch = 74\nshuffle = false\nloss = \"mse\"").leak();
    assert_same_training(&Case { layers: LAYERS, settings: unshuffled, replicas: 1, threads: 4, folds: false });
}

#[test]
fn dropout_has_the_masks_of_autograd() {
    for layers in [
        "{linear=9} \"relu\" {dropout=0.3} {linear=5} \"tanh\" {dropout=0.6} {linear=3}",
        "{linear=9} {dropout=0.5} {linear={units=5,bias=false}} \"sigmoid\" {dropout=0.0} {linear=3}",
    ] {
        for batch in ["64", "74", "75"] {
            let settings: &str = format!("{SGD}batch = {batch}\nloss = \"cross_entropy\"").leak();
            for (replicas, threads, folds) in [(1, 1, false), (1, 2, false), (3, 2, false), (5, 3, true), (2, 8, true)]
            {
                assert_same_training(&Case { layers, settings, replicas, threads, folds });
            }
        }
    }
}

#[test]
fn normalization_trains_as_with_autograd() {
    for layers in [
        "{linear=9} \"batch_norm\" \"relu\" {linear={units=5,bias=false}} {batch_norm={momentum=0.3,eps=0.01}} \"tanh\" {linear=3}",
        "{linear=9} {batch_norm={affine=false}} {linear=5} \"batch_norm\" \"silu\" {dropout=0.3} {linear=3}",
        "{linear=9} \"layer_norm\" \"relu\" {linear={units=20,bias=false}} {layer_norm={affine=false}} \"gelu\" {linear=3}",
        "{linear=17} {layer_norm={eps=0.01}} {dropout=0.3} {linear=5} \"batch_norm\" \"elu\" {linear=3} \"batch_norm\"",
    ] {
        // The last batch has 11 rows, 1 row, or all rows.
        for batch in ["64", "74", "75"] {
            let settings: &str =
                format!("optimizer = {{ sgd = {{ lr = 0.05, momentum = 0.5 }} }}\nkeep = \"last\"\nbatch = {batch}\nloss = \"cross_entropy\"").leak();
            for (replicas, threads, folds) in [(1, 1, false), (1, 2, false), (1, 4, false), (3, 2, false), (5, 3, true)]
            {
                assert_same_training(&Case { layers, settings, replicas, threads, folds });
            }
        }
    }
}

#[test]
fn running_averages_equal_those_of_autograd() {
    let layers = "{linear=9} \"batch_norm\" \"relu\" {linear=3}";
    for (batch, batches) in [("64", 8), ("74", 4), ("1", 0)] {
        let settings: &str =
            format!("optimizer = {{ sgd = {{ lr = 0.05 }} }}\nkeep = \"last\"\nbatch = {batch}\nloss = \"mse\"").leak();
        for (replicas, threads) in [(1, 1), (1, 3), (3, 2)] {
            let case = Case { layers, settings, replicas, threads, folds: false };
            let [fused, autograd] = case.buffers_of_both_backends();
            for (name, wanted) in autograd {
                let found = &fused[&name];
                assert!(found.allclose(&wanted, 1e-5, 1e-5, false), "{name}, batch {batch}: {found:?}, {wanted:?}");
                if name.ends_with("num_batches_tracked") {
                    assert_eq!(Vec::<i64>::try_from(found).unwrap(), vec![batches; replicas], "batch {batch}");
                }
            }
        }
    }
}

#[test]
fn replicas_with_different_settings_train_as_alone_with_both_backends() {
    const PLAIN: &str = "batch = 20\nkeep = \"last\"\n";
    const SMOOTH: &str = "loss = { cross_entropy = { label_smoothing";
    let sgd = "loss = \"mse\"\noptimizer = { sgd = { lr = 0.1, momentum = 0.5 } }";
    let adam = |settings: &str| format!("loss = \"cross_entropy\"\noptimizer = {{ adam = {{ {settings} }} }}");
    for replicas in [
        [adam("lr = 0.01, betas = [0.5, 0.9]"), adam("lr = 0.02"), adam("eps = 0.01, weight_decay = 0.1")],
        [0.0, 0.1, 0.4].map(|share| format!("{SMOOTH} = {share} }} }}\noptimizer = {{ sgd = {{ lr = 0.3 }} }}")),
        [0.1, 1.0, 0.3].map(|norm| format!("{sgd}\nclip = {{ norm = {norm} }}")),
        [0.1, 1.0, 0.03].map(|value| format!("{sgd}\nclip = {{ value = {value} }}")),
        [0.1, 1.0, 2.0]
            .map(|delta| format!("loss = {{ huber = {{ delta = {delta} }} }}\noptimizer = {{ sgd = {{ lr = 0.1 }} }}")),
        ["", "penalty = { l1 = 0.01 }", "penalty = { l1 = 0.02, l2 = 0.05 }"].map(|line| format!("{sgd}\n{line}")),
        [
            "\"constant\"",
            "{ warm_up = { epochs = 1, then = { exponential = 0.5 } } }",
            "{ one_cycle = { max_lr = 0.2 } }",
        ]
        .map(|schedule| format!("{sgd}\nschedule = {schedule}")),
        ["\"constant\"", "{ reduce_on_plateau = { patience = 0, threshold = 0.5 } }", "\"reduce_on_plateau\""]
            .map(|schedule| format!("{sgd}\nschedule = {schedule}")),
        [
            "",
            "early_stopping = { patience = 1, min_delta = 0.5 }",
            "early_stopping = { patience = 2, min_delta = 0.5 }",
        ]
        .map(|line| format!("{sgd}\n{line}")),
    ] {
        let replicas = replicas.map(|settings| {
            let mut settings = read(&format!("{PLAIN}{settings}"));
            settings.resolve();
            settings
        });
        assert!(replicas.iter().all(|settings| settings.shared() == replicas[0].shared()), "{replicas:?}");
        let case = |threads| Case { layers: LAYERS, settings: "", replicas: 3, threads, folds: false };
        let [fused, autograd] = case(1).train(&replicas, &[4, 1, 7]);
        let [by_threads, _] = case(2).train(&replicas, &[4, 1, 7]);
        assert_near(&by_threads, &fused, &format!("two threads, {replicas:?}"));
        for (place, seed) in [4, 1, 7].into_iter().enumerate() {
            let [alone, alone_with_autograd] = case(1).train(&replicas[place..=place], &[seed]);
            assert_eq!(fused[place].1, alone[0].1, "the parameters with {:?}", replicas[place]);
            assert_near(&fused[place..=place], &alone, &format!("fused, {:?}", replicas[place]));
            let own = &autograd[place..=place];
            assert_near(own, &alone_with_autograd, &format!("autograd, {:?}", replicas[place]));
            assert_near(own, &alone, &format!("both backends, {:?}", replicas[place]));
        }
    }
}

/// What the fused CPU backend does not support.
#[test]
fn replicas_with_different_settings_train_as_alone_with_autograd() {
    let sgd = "batch = 20\nkeep = \"last\"\noptimizer = { sgd = { lr = 0.1 } }";
    for replicas in [
        ["[1, 2, 3]", "[3, 0.5, 1]", "[1, 1, 1]"].map(|weights| {
            format!("loss = {{ cross_entropy = {{ class_weights = {weights}, label_smoothing = 0.1 }} }}")
        }),
        ["1", "0.3", "5"].map(|weight| format!("loss = {{ bce_with_logits = {{ pos_weight = {weight} }} }}")),
    ] {
        let replicas = replicas.map(|settings| read(&format!("{sgd}\n{settings}")));
        assert!(replicas.iter().all(|settings| settings.shared() == replicas[0].shared()), "{replicas:?}");
        let case = Case { layers: LAYERS, settings: "", replicas: 3, threads: 1, folds: false };
        let together = case.train_with_autograd(&replicas, &[4, 1, 7]);
        for (place, seed) in [4, 1, 7].into_iter().enumerate() {
            let alone = case.train_with_autograd(&replicas[place..=place], &[seed]);
            assert_near(&together[place..=place], &alone, &format!("{:?}", replicas[place]));
        }
    }
}

#[test]
fn early_stopped_replicas_do_not_change_the_others() {
    let settings: &str =
        format!("{SGD}batch = 32\nloss = \"cross_entropy\"\nearly_stopping = {{ patience = 1, min_delta = 0.13 }}")
            .replace("keep = \"last\"\n", "")
            .leak();
    let case = Case { layers: LAYERS, settings, replicas: 5, threads: 2, folds: false };
    let epochs: Vec<usize> =
        case.train_with_both_backends()[0].iter().map(|(outcome, _)| outcome.curves.len()).collect();
    assert!(epochs.iter().min() < epochs.iter().max(), "some end before others: {epochs:?}");
    assert_same_training(&case);
}

#[test]
fn diverging_training_diverges_with_both_backends() {
    let layers = "{linear=9} \"relu\" {linear=5} \"relu\" {linear=3}";
    let settings = "optimizer = { sgd = { lr = 1e38 } }\nbatch = 20\nloss = \"cross_entropy\"";
    let [fused, autograd] = Case { layers, settings, replicas: 2, threads: 2, folds: false }.train_with_both_backends();
    for trained in [fused, autograd] {
        assert!(trained.iter().all(|(outcome, _)| outcome.status == Status::Diverged), "{trained:?}");
    }
}

#[test]
fn training_stops_in_the_middle_of_an_epoch() {
    let settings = vec![read(&format!("{SGD}batch = 64\nloss = \"mse\"")); 3];
    let case = Case { layers: LAYERS, settings: "", replicas: 3, threads: 2, folds: false };
    case.with_task(&settings, &[0, 1, 2], |stack, task| {
        let before = stack.arena().values().copy();
        let outcomes = fit(stack, task, &AtomicBool::new(true), &mut (), &mut ()).unwrap();
        assert!(outcomes.iter().all(|outcome| outcome.status == Status::Interrupted && outcome.curves.is_empty()));
        assert_eq!(*stack.arena().values(), before, "as at the end of the last completed epoch");
    });
}

/// Returns the number of recorded epochs of two replicas if the run is stopped in this step, counted from 0.
fn recorded_epochs(batch: &str, step: usize) -> usize {
    let settings = vec![read(&format!("epochs = 9\n{SGD}batch = {batch}\nloss = \"mse\"")); 2];
    let case = Case { layers: LAYERS, settings: "", replicas: 2, threads: 1, folds: false };
    case.with_task(&settings, &[0, 1], |stack, task| {
        STEPS_LEFT.set(Some(step));
        let outcomes = fit(stack, task, &AtomicBool::new(false), &mut (), &mut ()).unwrap();
        assert!(outcomes.iter().all(|outcome| outcome.status == Status::Interrupted));
        assert_eq!(outcomes[0].curves.len(), outcomes[1].curves.len());
        outcomes[0].curves.len()
    })
}

#[test]
fn an_epoch_stopped_in_its_last_step_is_recorded() {
    // With 75 rows an epoch has one or four steps, and the replicas are trained one after the other.
    assert_eq!([0, 1, 2, 3].map(|step| recorded_epochs("\"full\"", step)), [1, 1, 2, 2]);
    assert_eq!([4, 6, 7, 8, 15].map(|step| recorded_epochs("20", step)), [0, 0, 1, 1, 2]);
}
