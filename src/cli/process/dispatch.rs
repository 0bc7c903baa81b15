//! Commands that `runner` leaves to `runner-engine`.

use crate::cli::commands::data::describe::DescribeArgs;
use crate::cli::commands::plot::{calibration, classes, pr, samples};
use crate::cli::commands::sweep::{confirm, extend, start, submit, verify, work};
use crate::cli::commands::{doctor, eval, exp, predict, reproduce, resume};
use crate::cli::exit::Exit;

/// Result of a command in `runner`, or what is left for `runner-engine`.
pub(crate) enum Dispatched<'a> {
    /// The command needed no tensors and has ended.
    Done(anyhow::Result<Exit>),
    /// The command needs tensors: the engine must run it.
    ForEngine(EngineCommand<'a>),
}

/// A command that needs tensors, with its arguments.
pub(crate) enum EngineCommand<'a> {
    Exp(&'a exp::Args),
    Sweep(&'a start::StartArgs),
    SweepWork(&'a work::WorkArgs),
    SweepSubmit(&'a submit::SubmitArgs),
    SweepConfirm(&'a confirm::ConfirmArgs),
    SweepExtend(&'a extend::ExtendArgs),
    SweepVerify(&'a verify::VerifyArgs),
    Resume(&'a resume::Args),
    Reproduce(&'a reproduce::Args),
    Eval(&'a eval::Args),
    Predict(&'a predict::Args),
    PlotClasses(&'a classes::Args),
    PlotCalibration(&'a calibration::Args),
    PlotPrByClass(&'a pr::Args),
    PlotSamples(&'a samples::Args),
    Describe(&'a DescribeArgs),
    Doctor(&'a doctor::Args),
}
