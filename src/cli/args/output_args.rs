//! Output options of commands that train.

/// What is printed about a run.
#[derive(Clone, Debug, clap::Args)]
pub struct OutputArgs {
    /// Print errors only
    #[arg(long, short)]
    pub quiet: bool,
    /// Print the histories as JSON instead of the summary
    #[arg(long)]
    pub json: bool,
    /// Exit with code 1 if an expectation is missed or none was checked
    #[arg(long)]
    pub strict: bool,
}
