//! `runner sweep`

mod dry_run;
pub mod start;

use crate::cli::exit::Exit;

/// Arguments of `runner sweep`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    start: start::StartArgs,
}

const EXAMPLES: &str = "\
Examples:
  runner sweep my/idea.toml                     space in its table [sweep.space]
  runner sweep digits_mlp --space lr=log:1e-4..1e-1 --trials 32 --seeds 0..2
  runner sweep digits_mlp --space train.batch=32,64,128 --space lr=0.001,0.01
  runner sweep digits_mlp --space units=int:16..256:log --trials 16 --dry-run
  runner sweep digits_mlp --space 'train.optimizer=\"adam\",{ sgd = { lr = 0.1 } }'

Values of a setting:
  32,64,128               one of these
  int:16..256             whole number; int:16..256:16 in steps of 16
  int:16..256:log         whole number, evenly distributed logarithm
  float:0..0.5            number; float:0..0.5:0.1 in steps of 0.1
  log:1e-4..1e-1          number, evenly distributed logarithm
  '= train.batch * 2'     value of another setting, times or divided by a number

Keys may be short where they are unique: `lr`. Each configuration is trained on
all seeds, and all configurations are checked before the first one is trained.";

/// Plans a sweep.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    start::run(&args.start)
}
