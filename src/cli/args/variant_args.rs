//! `--variant`: the variants that a run trains.

/// The variants that a run trains; all if none is named.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct VariantArgs {
    /// Run only these variants: names, or patterns such as `'lr_*'`; repeatable, or separated by commas
    #[arg(long = "variant", alias = "variants", value_name = "NAME", value_delimiter = ',')]
    pub variants: Vec<String>,
}
