//! Aliases of keys in experiment files: the names of the same settings in PyTorch and Keras.

/// Keys and their aliases. Serde accepts them in files; this list makes them known to `--set` and to the JSON Schema.
pub const KEYS: [(&str, &[&str]); 16] = [
    ("affine", &["elementwise_affine"]),
    ("alpha", &["rho"]),
    ("batch", &["batch_size"]),
    ("channels", &["out_channels", "filters"]),
    ("class_weights", &["class_weight"]),
    ("eps", &["epsilon"]),
    ("every", &["step_size"]),
    ("kernel", &["kernel_size", "pool_size"]),
    ("lr", &["learning_rate"]),
    ("min_lr", &["eta_min"]),
    ("negative_slope", &["alpha"]),
    ("p", &["rate"]),
    ("restore_best", &["restore_best_weights"]),
    ("stride", &["strides"]),
    ("threshold", &["min_delta"]),
    ("units", &["out_features"]),
];

/// Choices, such as layers and optimizers, and their aliases.
const CHOICES: [(&str, &[&str]); 11] = [
    ("adamw", &["adam_w"]),
    ("avg_pool2d", &["average_pooling2d"]),
    ("batch_norm", &["batch_norm1d", "batch_norm2d", "batch_normalization"]),
    ("global_avg_pool", &["global_average_pooling1d", "global_average_pooling2d"]),
    ("hardswish", &["hard_swish"]),
    ("layer_norm", &["layer_normalization"]),
    ("linear", &["dense"]),
    ("max_pool2d", &["max_pooling2d"]),
    ("rmsprop", &["rms_prop"]),
    ("rnn", &["simple_rnn"]),
    ("silu", &["swish"]),
];

/// Returns the aliases of a key.
pub fn of(name: &str) -> &'static [&'static str] {
    KEYS.iter().find(|(key, _)| *key == name).map_or(&[], |(_, aliases)| aliases)
}

/// Returns the current names of which `name` is an alias.
pub fn current(name: &str) -> impl Iterator<Item = &'static str> {
    KEYS.iter().chain(&CHOICES).filter(move |(_, aliases)| aliases.contains(&name)).map(|(key, _)| *key)
}
