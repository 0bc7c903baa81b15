//! What the two programs hand to each other.

use crate::cli::commands::data::description::Described;
use crate::cli::commands::plot::{classes, samples};
use crate::cli::commands::{doctor, eval, exp, predict, reproduce, resume};
use crate::cli::exit::Exit;

/// What a command comes to.
pub(crate) enum Begun<'a> {
    /// It needed no tensor, and is done.
    Ended(anyhow::Result<Exit>),
    /// It needs tensors, and is the engine's.
    NeedsTensors(Work<'a>),
}

/// What needs tensors.
pub(crate) enum Work<'a> {
    Exp(&'a exp::Args),
    Resume(&'a resume::Args),
    Reproduce(&'a reproduce::Args),
    Eval(&'a eval::Args),
    Predict(&'a predict::Args),
    PlotClasses(&'a classes::Args),
    PlotSamples(&'a samples::Args),
    Describe(&'a Described),
    Doctor(&'a doctor::Args),
}
