//! A checked network: its settings, the shape of every layer, and a loss that fits its output.

use crate::config::check::Invalid;
use crate::data::prepare::scale::Scale;
use crate::data::{DatasetInfo, Target};
use crate::experiment::spec::{self, Spec, missing_keys};
use crate::history::{LayerRecord, NetworkRecord};
use crate::metrics;
use crate::network::NetworkSpec;
use crate::network::layer::sequence::Embedding;
use crate::network::layer::{Layer, MOST_LAYERS, OutputKind};
use crate::network::stack::{Architecture, PlannedLayer};
use crate::network::torchscript::inspection::Role;
use crate::train::TrainSpec;
use crate::train::loss::Loss;

/// Maximum number of parameters and of training rows of a tiny network, whose parameters and predictions are recorded.
pub const TINY: (usize, usize) = (256, 16);

/// Maximum number of parameters: 8 GB of f32, plus the same again for each buffer of the optimizer.
const LARGEST_NETWORK: usize = 2_000_000_000;

/// A checked network and its training settings.
#[derive(Clone, Debug)]
pub struct NetworkPlan {
    /// Its initialization and layers.
    pub spec: NetworkSpec,
    /// Its training settings.
    pub train: TrainSpec,
    /// Its layers.
    pub layers: Vec<Layer>,
    /// Its layers with their shapes.
    pub architecture: Architecture,
}

impl NetworkPlan {
    /// Checks the network of an experiment.
    ///
    /// # Errors
    /// The first invalid setting, with its full key.
    pub(crate) fn new(spec: &Spec, info: &DatasetInfo) -> Result<NetworkPlan, Invalid> {
        let by = |table: &'static str, is_there: bool| if is_there { table } else { "`model`" };
        let mut network = spec.network.clone();
        let mut train = spec.train.clone();
        for (key, module) in spec::modules_mut(network.as_mut(), train.as_mut(), None) {
            module.locate(&spec.seeds, &key)?;
        }
        let hint = missing_keys::model_hint(info.target, network.is_some(), spec.train.is_some());
        let network =
            network.ok_or_else(|| missing_table("network", by("`[train]`", spec.train.is_some())).hint(&*hint))?;
        let train = train.ok_or_else(|| missing_table("train", "`[network]`").hint(hint))?;
        let (mut network, data) = (network, spec.data.name());
        if let Some(tokens) = info.token_ids {
            network.layers.iter_mut().for_each(|layer| layer.set_tokens(tokens));
        }
        // before the shapes, whose errors have other hints
        if let Some(first) =
            network.layers().first().filter(|first| info.token_ids.is_some() && !takes_token_ids(first))
        {
            let message = format!("is `{}`, but the rows of `{data}` are token ids", first.kind());
            let hint = "begin with `{ embedding = 32 }`: a learned vector for each token";
            return Err(Invalid::new("network.layers.0", message).hint(hint));
        }
        let architecture = check_network(&network, data, info)?;
        let layers = network.layers().into_owned();
        if let Layer::Embedding(embedding) = &layers[0] {
            check_tokens(embedding, data, info, spec.data.scale())?;
        }
        let has_validation = info.validation_rows > 0 || spec.data.split().holds_out_validation();
        train.check(has_validation, info.target).map_err(|fault| fault.under("train"))?;
        if let Some(augment) = &train.augment {
            augment.check(&info.sample).map_err(|fault| fault.under("train.augment"))?;
        }
        let network = NetworkPlan { spec: network, train, layers, architecture };
        let output = network.architecture.output();
        let fit = network.train.loss.check_fit(network.last(), network.output_kind(), output, info.target);
        fit.map_err(|fault| with_note(fault, &network, info).under("train"))?;
        network.check_functions(spec.data.weights().is_some(), data, info.target)?;
        Ok(network)
    }

    /// Checks the loss and the metrics that are written in PyTorch.
    fn check_functions(&self, has_weights: bool, data: &str, target: Target) -> Result<(), Invalid> {
        if let Loss::TorchScript(module) = &self.train.loss {
            let key = "train.loss.torchscript";
            let found = module.inspect_function(&Role::Loss(self.outputs(), target), key)?;
            if has_weights && !found.is_per_row {
                let message =
                    format!("returns one value for a batch, which row weights (`data.{data}.weights`) cannot weight");
                let hint = "return a value for each row, as PyTorch's losses with `reduction=\"none\"`";
                return Err(Invalid::new(key, message).hint(hint));
            }
        }
        metrics::inspect(&self.train.metrics(target), self.outputs(), target).map_err(|fault| fault.under("train"))
    }

    /// Number of outputs per row.
    pub fn outputs(&self) -> usize {
        self.architecture.output().elements()
    }

    /// The last layer.
    pub fn last(&self) -> &Layer {
        &self.architecture.layers().last().expect("a checked network has a layer").layer
    }

    /// What the outputs are.
    pub fn output_kind(&self) -> OutputKind {
        let last = self.architecture.layers().last().expect("a checked network has a layer");
        last.layer.spec().output_kind(&last.input)
    }

    /// Returns notes about a schedule that never changes the learning rate, and about modules written in PyTorch: seeds that
    /// start from the same weights, a loss of logits for probabilities, a loss that broadcasts, a fixed training mode.
    pub fn notes(&self, seeds: &[i64], target: Target) -> Vec<String> {
        let loss = &self.train.loss;
        let about_logits =
            loss.note_about_logits(self.output_kind()).filter(|_| matches!(self.last(), Layer::TorchScript(_)));
        let about_shapes = match loss {
            Loss::TorchScript(module) => {
                let found = module.inspect_function(&Role::Loss(self.outputs(), target), "train.loss.torchscript");
                found.is_ok_and(|found| found.broadcasts).then(|| {
                    format!(
                        "the loss in `{}` combines the output of each row with the targets of all rows, because the \
                         shapes [rows] and [rows, 1] broadcast: give output and target the same shape in `forward`",
                        module.path
                    )
                })
            }
            _ => None,
        };
        let about_plateau =
            self.train.early_stopping.as_ref().and_then(|stopping| stopping.note_about_schedule(&self.train.schedule));
        let notes = [self.note_about_seeds(seeds), about_logits, about_shapes, about_plateau].into_iter().flatten();
        notes.chain(self.notes_about_modes()).collect()
    }

    /// Returns a note for each module whose training mode is fixed.
    fn notes_about_modes(&self) -> Vec<String> {
        let note = |planned: &PlannedLayer| match &planned.layer {
            Layer::TorchScript(module) => {
                let layers = module.checked(&planned.input).layers_of_fixed_mode;
                (!layers.is_empty()).then(|| {
                    format!(
                        "`{}` was traced, which fixes its mode: there is no difference between training and evaluation for {}; export \
                         the module with `torch.jit.script`, not with `torch.jit.trace`",
                        module.path,
                        layers.join(" and ")
                    )
                })
            }
            _ => None,
        };
        self.architecture.layers().iter().filter_map(note).collect()
    }

    /// Returns a note if several seeds start from the same weights, because a module draws none.
    fn note_about_seeds(&self, seeds: &[i64]) -> Option<String> {
        if seeds.len() < 2 {
            return None;
        }
        let module = self.architecture.layers().iter().find_map(|planned| match &planned.layer {
            Layer::TorchScript(module) if !module.differs_by_seed(&planned.input) => Some(module),
            _ => None,
        })?;
        Some(format!(
            "all seeds start from the weights in `{}`: export a method `reset_parameters`, or a file for each seed \
             (`net-{{seed}}.pt`), for different ones",
            module.path
        ))
    }

    /// Whether the network and its training rows are few enough to be recorded in full.
    pub fn is_tiny(&self, training_rows: usize) -> bool {
        self.architecture.parameters() <= TINY.0 && training_rows <= TINY.1
    }

    /// Returns the network as it is recorded in a history.
    pub fn record(&self) -> NetworkRecord {
        let layers = self.architecture.layers().iter().enumerate().map(|(number, planned)| LayerRecord {
            name: number.to_string(),
            kind: planned.layer.kind().to_owned(),
            output: planned.output.dimensions().to_vec(),
            parameters: planned.parameters,
        });
        NetworkRecord { layers: layers.collect(), parameters: self.architecture.parameters() }
    }
}

/// Returns whether a layer can look up token ids.
fn takes_token_ids(layer: &Layer) -> bool {
    matches!(
        layer,
        Layer::Embedding(_) | Layer::Residual(_) | Layer::Repeat(_) | Layer::Parallel(_) | Layer::TorchScript(_)
    )
}

/// Checks that the rows are ids of a first layer `embedding`.
fn check_tokens(embedding: &Embedding, data: &str, info: &DatasetInfo, scale: Scale) -> Result<(), Invalid> {
    if scale != Scale::None {
        let message = "is set, but the first layer is `embedding`, which takes whole numbers";
        return Err(Invalid::new(format!("data.{data}.scale"), message).hint("remove `scale`"));
    }
    match (embedding.tokens, info.token_ids) {
        (Some(tokens), Some(ids)) if tokens < ids => {
            let message = format!("is {tokens}, but the rows of `{data}` have ids from 0 to {}", ids - 1);
            let hint = format!("remove `tokens`, or limit the ids: `data.{data}.vocabulary = {tokens}`");
            Err(Invalid::new("network.layers.0.embedding.tokens", message).hint(hint))
        }
        _ => Ok(()),
    }
}

/// Returns the error for a missing table, naming what requires it.
fn missing_table(table: &str, by: &str) -> Invalid {
    Invalid::new(table, format!("is missing, and {by} needs it"))
}

/// Adds a note about the data to an error of a network with one output too few: labels that start at 1 add an empty
/// class 0.
fn with_note(fault: Invalid, network: &NetworkPlan, info: &DatasetInfo) -> Invalid {
    match &info.notes[..] {
        [note] if network.outputs() + 1 == info.target.outputs() && note.starts_with("class 0 ") => {
            let hint = fault.hint.map(|hint| format!("subtract 1 from the labels, or {hint}"));
            Invalid { message: format!("{}; {note}", fault.message), hint, key: fault.key }
        }
        _ => fault,
    }
}

/// Checks the settings of each layer and infers all shapes; `data` is the name of the data set.
fn check_network(network: &NetworkSpec, data: &str, info: &DatasetInfo) -> Result<Architecture, Invalid> {
    if let (Some(_), false) = (&network.torchscript, network.layers.is_empty()) {
        let message = "and `network.layers` are both set, but a network is either a PyTorch module or a list of layers";
        let hint = "remove one, or put the module into the list: `layers = [{ torchscript = \"net.pt\" }, …]`";
        return Err(Invalid::new("network.torchscript", message).hint(hint));
    }
    let layers = network.layers();
    if layers.is_empty() {
        let hint = format!("the simplest is `layers = [{{ linear = {} }}]`", info.target.outputs());
        return Err(Invalid::new("network.layers", "is empty: a network needs a layer").hint(hint));
    }
    network.init.check().map_err(|fault| fault.under("network.init"))?;
    for (number, layer) in layers.iter().enumerate() {
        layer.check().map_err(|fault| fault.under(format!("network.layers.{number}")))?;
    }
    let count = layers.iter().map(|layer| layer.spec().layer_count()).fold(0, usize::saturating_add);
    if count > MOST_LAYERS {
        let message = format!("have {count} layers with all repetitions, but at most {MOST_LAYERS} are allowed");
        return Err(Invalid::new("network.layers", message)
            .hint("lower `times` of a `repeat` or `layers` of a layer; a `repeat` in a `repeat` multiplies both"));
    }
    let architecture = Architecture::follow(&layers, network.init, &info.sample).map_err(|(number, fault)| {
        let key = match &network.torchscript {
            Some(_) => "network.torchscript".to_owned(),
            None => format!("network.layers.{number}"),
        };
        if let Some((message, hint)) = fault.problem {
            return Invalid { key, message, hint };
        }
        let before = match number {
            0 => format!("a row of `{data}`"),
            _ => format!("layer {} (`{}`)", number - 1, layers[number - 1].kind()),
        };
        let message = format!(
            "cannot take its input: layer {number} (`{}`) takes {}, and {before} gives {}",
            layers[number].kind(),
            fault.wanted,
            fault.found
        );
        Invalid { key, message, hint: fault.hint.map(str::to_owned) }
    })?;
    let parameters = architecture.parameters();
    if parameters > LARGEST_NETWORK {
        let message = format!("have {parameters} parameters, but at most {LARGEST_NETWORK} are allowed");
        return Err(
            Invalid::new("network.layers", message).hint("make a layer smaller: `runner show` lists their sizes")
        );
    }
    if let (Some(_), 0) = (&network.torchscript, parameters) {
        let message = "has no parameters to train: a frozen module (`torch.jit.freeze`) holds constants instead";
        let hint = "export the module before it is frozen, with `requires_grad` set for its parameters";
        return Err(Invalid::new("network.torchscript", message).hint(hint));
    }
    if parameters == 0 {
        let message = "has no parameters to train";
        return Err(Invalid::new("network.layers", message).hint("add a layer such as `{ linear = 10 }`"));
    }
    Ok(if network.torchscript.is_some() { architecture.without_indices() } else { architecture })
}
