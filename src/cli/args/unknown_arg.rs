//! `--unknown`: what to do with categories that the training table does not have.

use clap::ValueEnum;

use crate::data::table::external_table::Unknown;

/// Handling of categories that the training table does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum UnknownArg {
    Error,
    Missing,
    Ignore,
}

impl UnknownArg {
    pub(crate) fn policy(self) -> Unknown {
        match self {
            UnknownArg::Error => Unknown::Error,
            UnknownArg::Missing => Unknown::Missing,
            UnknownArg::Ignore => Unknown::Ignore,
        }
    }
}
