//! Which trials train in one stack.
//!
//! Seeds and folds of a variant always may; variants may when they differ in nothing but what each replica has of its
//! own: how its weights are drawn, its learning rate and its weight decay. Where chance has a part in a step (dropout,
//! augmentation), the replicas of a stack share one generator, and variants stay apart, so that each is what a run of
//! it alone would be.
//!
//! A stack is as wide as it is of use and as memory allows: its footprint may be half of what is free. On a GPU, launches
//! cost more than the work of a small network, and a wide stack saves them. On a CPU replicas of linear layers are shared
//! out among threads, as many as there are; for other networks a stack saves the calls of small operations until its
//! parameters outgrow the caches: with autograd, measured on 2 cores with networks of 52,650 to 535,818 parameters,
//! a replica of a stack took 0.62 to 0.87 of a lone run's time up to a million parameters in all, and above that 0.76
//! once, and 0.95 to 1.10 in six cases.

use tch::Device;

use crate::experiment::plan::Plan;
use crate::experiment::plan::network_plan::NetworkPlan;
use crate::experiment::run::footprint::{Footprint, Load};
use crate::experiment::spec::Spec;
use crate::network::init::Init;
use crate::network::layer::Layer;
use crate::train::fused_cpu::plan::is_dense;

/// The most parameters of all replicas of a stack on the CPU, where more bring nothing.
const MOST_ON_CPU: usize = 1_000_000;

/// What a stack may take of the memory that is free: half.
const SHARE: u64 = 2;

/// Puts plans that can share stacks together, in the order of each group's first; one without a network is by itself.
pub fn groups(plans: &[Plan]) -> Vec<Vec<&Plan>> {
    let mut groups: Vec<(Spec, Vec<&Plan>)> = Vec::new();
    for plan in plans {
        let shared = shared(&plan.spec);
        let shares = |spec: &Spec| plan.network().is_some() && *spec == shared && !draws_in_steps(spec);
        match groups.iter_mut().find(|(spec, _)| shares(spec)) {
            Some((_, group)) => group.push(plan),
            None => groups.push((shared, vec![plan])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// How many replicas of this network train in one stack at most, where so many bytes are free.
pub fn width(network: &NetworkPlan, load: &Load, free: u64) -> usize {
    let fitting = Footprint::of(network, load).width(free / SHARE);
    let convolves = network.spec.layers.iter().any(|layer| matches!(layer, Layer::Conv2d(_)));
    match load.device {
        // grouped convolution is no faster there than one after the other
        Device::Cpu if convolves => 1,
        // each thread has replicas to itself: wide stacks keep all threads at work
        Device::Cpu if !load.weighted && is_dense(&network.train, &network.spec.layers, load.device) => fitting,
        Device::Cpu => fitting.min((MOST_ON_CPU / network.architecture.parameters()).max(1)),
        _ => fitting,
    }
}

/// The width of a stack that should fit where one of `failed` replicas did not; `None` where not even one should.
pub fn narrower(network: &NetworkPlan, load: &Load, free: u64, failed: usize) -> Option<usize> {
    let footprint = Footprint::of(network, load);
    let is_room_for_one = footprint.bytes(1) <= u128::from(free);
    (failed > 1 && is_room_for_one).then(|| footprint.width(free / SHARE).min(failed / 2))
}

/// The settings that all replicas of a stack share: what each has of its own is the same in all of these.
fn shared(spec: &Spec) -> Spec {
    let mut spec = spec.clone();
    if let Some(network) = &mut spec.network {
        network.init = Init::Pytorch;
        network.layers.iter_mut().for_each(|layer| *layer = layer.without_init());
    }
    if let Some(train) = &mut spec.train {
        train.optimizer = train.optimizer.with(1.0, 0.0);
    }
    spec
}

/// Whether chance has a part in a step.
fn draws_in_steps(spec: &Spec) -> bool {
    let augments = spec.train.as_ref().is_some_and(|train| train.augment.is_some());
    let mut layers = spec.network.iter().flat_map(|network| &network.layers);
    augments || layers.any(|layer| matches!(layer, Layer::Dropout(_)))
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
        Study::new(&SourceText { name: "t".to_owned(), origin: "t.toml".to_owned(), text, folder: None }, &[]).unwrap()
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

    #[test]
    fn trees_are_fitted_one_by_one_though_their_settings_are_the_same() {
        let variants = "[tree]\n[[variants]]\nname = \"a\"\n[[variants]]\nname = \"b\"\n";
        let text = format!("title = \"t\"\n[data.digits]\n{variants}");
        let study =
            Study::new(&SourceText { name: "t".to_owned(), origin: "t.toml".to_owned(), text, folder: None }, &[])
                .unwrap();
        assert_eq!(groups(&study.plans).len(), 2);
    }

    #[test]
    fn variants_with_dropout_stay_apart() {
        let study = study("[{ linear = 8 }, { dropout = 0.5 }, { linear = 10 }]", VARIANTS);
        assert_eq!(groups(&study.plans).len(), 5);
    }

    #[test]
    fn a_narrower_stack_is_named_where_one_should_fit() {
        let rows = RowCounts { train: 1000, validation: 0, test: 0 };
        let study = study("[{ linear = 20000 }, { linear = 10 }]", "");
        let load = Load { rows, weighted: false, folds: 1, device: Device::Cuda(0) };
        let narrower = |free, failed| narrower(study.baseline().network().unwrap(), &load, free, failed);
        assert_eq!(narrower(16 << 30, 256), Some(88), "as wide as it would be by itself");
        assert_eq!(narrower(16 << 30, 40), Some(20), "what should have fitted did not: half of it");
        assert_eq!(narrower(16 << 30, 1), None);
        assert_eq!(narrower(1 << 30, 40), None, "one takes more than there is");
    }

    #[test]
    fn a_stack_is_as_wide_as_it_is_of_use_and_as_memory_allows() {
        let rows = RowCounts { train: 1000, validation: 0, test: 0 };
        let wide = |layers: &str, device, free| {
            width(
                study(layers, "").baseline().network().unwrap(),
                &Load { rows, weighted: false, folds: 1, device },
                free,
            )
        };
        let plenty = 1 << 50;
        assert_eq!(wide("[{ linear = 10 }, \"gelu\"]", Device::Cpu, plenty), 1538, "650 parameters each");
        assert_eq!(wide("[{ linear = 20000 }, \"gelu\", { linear = 10 }]", Device::Cpu, plenty), 1);
        assert!(wide("[{ linear = 20000 }, \"relu\", { linear = 10 }]", Device::Cpu, plenty) > 1000, "no autograd");
        // each takes 10 times its 1,500,010 parameters, 256 rows of 64 + 20,000 in evaluation, and some: 81,972,624 bytes;
        // 1,315,218,304 are taken once, most of them by 16,384 such rows
        let on_gpu = |free| wide("[{ linear = 20000 }, { linear = 10 }]", Device::Cuda(0), free);
        assert_eq!([on_gpu(80 << 30), on_gpu(16 << 30), on_gpu(0)], [507, 88, 1]);
        let small = "[{ linear = 64 }, { linear = 10 }]";
        assert!(wide(small, Device::Cpu, 1 << 26) < wide(small, Device::Cpu, plenty), "little is free");
    }
}
