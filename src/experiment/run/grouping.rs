//! Decides which trials are trained in one stack, and how many: the width of the stack.
//!
//! Seeds and folds of a variant can always share a stack. Variants can share one if they differ only in what each
//! replica has separately: initialization, the probability of dropout, all numbers of the optimizer, the learning-rate
//! schedule, early stopping, penalties, the limit of clipping, label smoothing, the delta of the Huber loss, and weights
//! of classes that are given as numbers. Each replica also has its own random generators, so its results are those of
//! its lone run.
//!
//! The number of replicas is limited by memory and by usefulness. The estimated memory may be half of what is free. On
//! a GPU, kernel launches cost more than the work of a small network, so more replicas are always better. On a CPU, the
//! fused backend distributes replicas over threads; with autograd, a stack saves calls of small operations until its
//! parameters outgrow the caches: measured on 2 cores with networks of 52,650 to 535,818 parameters, a replica of a
//! stack took 0.62 to 0.87 of the time of a single run up to a million parameters in total; above that, 0.76 in one
//! case and 0.95 to 1.10 in six.

use tch::Device;

use crate::experiment::plan::Plan;
use crate::experiment::plan::network_plan::NetworkPlan;
use crate::experiment::run::memory_estimate::{MemoryEstimate, Workload};
use crate::experiment::spec::Spec;
use crate::network::init::Init;
use crate::network::layer::{Layer, Stacking};
use crate::train::fused_cpu::plan::is_fusable;

/// Maximum number of parameters of a stack with autograd on the CPU; more do not make it faster.
const MOST_ON_CPU: usize = 1_000_000;

/// Divisor of the free memory: a stack may take half of it.
const SHARE: u64 = 2;

/// Groups plans that can share stacks, in the order of each group's first plan. A plan without a network is a group by
/// itself.
pub fn groups<'a>(plans: impl IntoIterator<Item = &'a Plan>) -> Vec<Vec<&'a Plan>> {
    let mut groups: Vec<(Spec, Vec<&Plan>)> = Vec::new();
    for plan in plans {
        let shared_settings = shared_settings(&plan.spec);
        let can_share = |spec: &Spec| plan.network().is_some() && *spec == shared_settings;
        match groups.iter_mut().find(|(spec, _)| can_share(spec)) {
            Some((_, group)) => group.push(plan),
            None => groups.push((shared_settings, vec![plan])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// Returns the maximum number of replicas of this network in one stack, with this number of free bytes.
pub fn width(network: &NetworkPlan, workload: &Workload, free: u64) -> usize {
    let fitting = MemoryEstimate::new(network, workload).width(free / SHARE);
    let gains_on_cpu = |layer: &Layer| matches!(layer.spec().stacking(), Stacking::EveryDevice);
    match workload.device {
        Device::Cpu if !network.layers.iter().all(gains_on_cpu) => 1,
        // each thread trains its own replicas: large stacks keep all threads busy
        Device::Cpu if !workload.weighted && is_fusable(&network.train, &network.layers, workload.device) => fitting,
        Device::Cpu => fitting.min((MOST_ON_CPU / network.architecture.parameters()).max(1)),
        _ => fitting,
    }
}

/// Returns the number of replicas that should fit after a stack of `failed` replicas ran out of memory; `None` if not
/// even one should.
pub fn width_after_out_of_memory(
    network: &NetworkPlan,
    workload: &Workload,
    free: u64,
    failed: usize,
) -> Option<usize> {
    let memory_estimate = MemoryEstimate::new(network, workload);
    let is_room_for_one = memory_estimate.bytes(1) <= u128::from(free);
    (failed > 1 && is_room_for_one).then(|| memory_estimate.width(free / SHARE).min(failed / 2))
}

/// Returns the settings that all replicas of a stack must share, with those that may differ set to fixed values.
fn shared_settings(spec: &Spec) -> Spec {
    let mut spec = spec.clone();
    if let Some(network) = &mut spec.network {
        network.init = Init::Pytorch;
        network.layers.iter_mut().for_each(|layer| *layer = layer.shared());
    }
    if let Some(train) = &mut spec.train {
        *train = train.shared();
    }
    spec
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::plan::study::Study;
    use crate::experiment::spec::source_text::SourceText;
    use crate::history::RowCounts;

    fn study(layers: &str, variants: &str) -> Study {
        let text = format!(
            "title = \"t\"\n[data.digits]\n[network]\nlayers = {layers}\n[train]\nepochs = 1\nbatch = 8\n\
             loss = \"cross_entropy\"\noptimizer = \"adam\"\n{variants}"
        );
        Study::new(
            &SourceText { name: "t".to_owned(), origin: "t.toml".to_owned(), text, ..SourceText::default() },
            &[],
        )
        .unwrap()
    }

    const VARIANTS: &str = r#"
        [[variants]]
        name = "a"
        [[variants]]
        name = "more epochs"
        set = { "train.epochs" = 2 }
        [[variants]]
        name = "faster"
        set = { "train.optimizer.adam.lr" = 0.1 }
        [[variants]]
        name = "decayed and drawn otherwise"
        set = { "train.optimizer.adam.weight_decay" = 0.1, "network.init" = "he_normal", "network.layers.0.linear.init" = "zeros" }
        [[variants]]
        name = "another optimizer"
        set = { "train.optimizer" = { sgd = { lr = 0.1 } } }
    "#;

    #[test]
    fn variants_share_a_stack_when_each_replica_can_have_its_own_of_what_they_differ_in() {
        let study = study("[{ linear = 8 }, \"relu\", { linear = 10 }]", VARIANTS);
        let groups: Vec<Vec<&str>> =
            groups(&study.plans).iter().map(|g| g.iter().map(|plan| plan.variant.as_str()).collect()).collect();
        let together = vec!["a", "faster", "decayed and drawn otherwise"];
        assert_eq!(groups, [together, vec!["more epochs"], vec!["another optimizer"]]);
    }

    /// Returns the sizes of the groups of two variants of a network with these lines in `[train]`, in which the second
    /// one has these changes.
    fn group_sizes(train: &str, changes: &str) -> Vec<usize> {
        let variants = format!("[[variants]]\nname = \"a\"\n[[variants]]\nname = \"b\"\nset = {{ {changes} }}\n");
        let text = format!(
            "title = \"t\"\n[data.digits]\n[network]\nlayers = [{{ linear = 10 }}]\n[train]\nepochs = 9\n\
             batch = 8\n{train}\n{variants}"
        );
        let source = SourceText { name: "t".to_owned(), origin: "t.toml".to_owned(), text, ..SourceText::default() };
        groups(&Study::new(&source, &[]).unwrap().plans).iter().map(Vec::len).collect()
    }

    #[test]
    fn numbers_that_each_replica_has_separately_share_a_stack_and_switches_do_not() {
        let adam = "loss = \"cross_entropy\"\noptimizer = \"adam\"";
        let optimizer = |settings: &str| format!("loss = \"cross_entropy\"\noptimizer = {settings}");
        let one_cycle = format!("{adam}\nschedule = \"one_cycle\"");
        for (train, changes) in [
            (adam, "\"train.optimizer.adam.betas\" = [0.5, 0.9], \"train.optimizer.adam.eps\" = 0.1"),
            (&optimizer("{ sgd = { lr = 0.1 } }"), "\"train.optimizer.sgd.momentum\" = 0.9"),
            (&optimizer("\"rmsprop\""), "\"train.optimizer.rmsprop\" = { alpha = 0.5, momentum = 0.9 }"),
            (&optimizer("\"adamw\""), "\"train.optimizer.adamw.betas\" = [0.5, 0.9]"),
            (&optimizer("\"adagrad\""), "\"train.optimizer.adagrad.lr_decay\" = 0.5"),
            (adam, "\"train.loss\" = { cross_entropy = { label_smoothing = 0.1 } }"),
            (adam, "\"train.penalty\" = { l1 = 0.1 }"),
            (adam, "\"train.schedule\" = { step = 3 }"),
            (&one_cycle, "\"train.schedule.one_cycle.base_momentum\" = 0.5"),
            (adam, "\"train.early_stopping\" = 3"),
            (&format!("{adam}\nclip = {{ norm = 1 }}"), "\"train.clip.norm\" = 2"),
        ] {
            assert_eq!(group_sizes(train, changes), [2], "{train} and {changes}");
        }
        for (train, changes) in [
            (adam, "\"train.optimizer.adam.amsgrad\" = true"),
            (&optimizer("{ sgd = { momentum = 0.5 } }"), "\"train.optimizer.sgd.nesterov\" = true"),
            (&optimizer("\"rmsprop\""), "\"train.optimizer.rmsprop.centered\" = true"),
            (adam, "\"train.loss\" = { cross_entropy = { class_weights = \"balanced\" } }"),
            (adam, "\"train.clip\" = { norm = 2 }"),
            (&format!("{adam}\nclip = {{ norm = 1 }}"), "\"train.clip\" = { value = 2 }"),
            (adam, "\"train.keep\" = \"last\""),
            (adam, "\"train.batch\" = 9"),
        ] {
            assert_eq!(group_sizes(train, changes), [1, 1], "{train} and {changes}");
        }
    }

    #[test]
    fn trees_are_fitted_one_by_one_though_their_settings_are_the_same() {
        let variants = "[tree]\n[[variants]]\nname = \"a\"\n[[variants]]\nname = \"b\"\n";
        let text = format!("title = \"t\"\n[data.digits]\n{variants}");
        let study = Study::new(
            &SourceText { name: "t".to_owned(), origin: "t.toml".to_owned(), text, ..SourceText::default() },
            &[],
        )
        .unwrap();
        assert_eq!(groups(&study.plans).len(), 2);
    }

    #[test]
    fn variants_with_dropout_share_a_stack_even_with_different_probabilities() {
        let variants = VARIANTS.replace("network.init\" = \"he_normal\"", "network.layers.1.dropout.p\" = 0.1");
        let study = study("[{ linear = 8 }, { dropout = 0.5 }, { linear = 10 }]", &variants);
        let groups: Vec<usize> = groups(&study.plans).iter().map(Vec::len).collect();
        assert_eq!(groups, [3, 1, 1]);
    }

    #[test]
    fn a_narrower_stack_is_named_where_one_should_fit() {
        let rows = RowCounts { train: 1000, validation: 0, test: 0 };
        let study = study("[{ linear = 20000 }, { linear = 10 }]", "");
        let workload = Workload { rows, weighted: false, folds: 1, device: Device::Cuda(0) };
        let width_after_out_of_memory =
            |free, failed| width_after_out_of_memory(study.baseline().network().unwrap(), &workload, free, failed);
        assert_eq!(width_after_out_of_memory(16 << 30, 256), Some(88), "as wide as it would be by itself");
        assert_eq!(width_after_out_of_memory(16 << 30, 40), Some(20), "what should have fitted did not: half of it");
        assert_eq!(width_after_out_of_memory(16 << 30, 1), None);
        assert_eq!(width_after_out_of_memory(1 << 30, 40), None, "one takes more than there is");
    }

    #[test]
    fn a_stack_is_as_wide_as_it_is_of_use_and_as_memory_allows() {
        let rows = RowCounts { train: 1000, validation: 0, test: 0 };
        let wide = |layers: &str, device, free| {
            width(
                study(layers, "").baseline().network().unwrap(),
                &Workload { rows, weighted: false, folds: 1, device },
                free,
            )
        };
        let plenty = 1 << 50;
        assert_eq!(wide("[{ linear = 10 }, \"mish\"]", Device::Cpu, plenty), 1538, "650 parameters each");
        assert_eq!(wide("[{ linear = 20000 }, \"mish\", { linear = 10 }]", Device::Cpu, plenty), 1);
        assert!(wide("[{ linear = 20000 }, \"relu\", { linear = 10 }]", Device::Cpu, plenty) > 1000, "no autograd");
        // each replica takes 10 times its 1,500,010 parameters, 256 rows of 64 + 20,000 in evaluation, and a little
        // more: 81,972,624 bytes; 1,315,218,304 bytes are taken once, most of them by 16,384 of these rows
        let on_gpu = |free| wide("[{ linear = 20000 }, { linear = 10 }]", Device::Cuda(0), free);
        assert_eq!([on_gpu(80 << 30), on_gpu(16 << 30), on_gpu(0)], [507, 88, 1]);
        let small = "[{ linear = 64 }, { linear = 10 }]";
        assert!(wide(small, Device::Cpu, 1 << 26) < wide(small, Device::Cpu, plenty), "little is free");
    }
}
