//! Errors of a run: what was being done, why it failed, and a hint.

use std::any::Any;

use anyhow::{Error, anyhow};

use crate::config::hint::Hint;
use crate::device::fault::{Fault, text};

/// First words of the hint on a stack that does not fit into memory; the option follows.
pub const FEWER_REPLICAS: &str = "train fewer replicas at once:";

/// The operation that failed.
#[derive(Clone, Copy, Debug)]
pub enum Operation {
    /// Loading, splitting and encoding rows.
    Data,
    /// Training a stack. Contains the number of replicas that should fit into memory, if fewer would.
    Stack(Option<usize>),
    /// Fitting a tree.
    Tree,
    /// Evaluating a trained model.
    Evaluation,
}

/// Converts a fault into an error of the run; `what` says what was being done.
pub fn into_run_error(fault: Fault, what: &str, operation: Operation) -> Error {
    let hint = match operation {
        Operation::Stack(Some(width)) if fault.is_out_of_memory() => {
            Some(format!("{FEWER_REPLICAS} `--stack {width}`"))
        }
        Operation::Data if fault.is_out_of_memory() => {
            Some("use fewer rows (`split.train_rows`, or a smaller table), or free memory".to_owned())
        }
        Operation::Tree if fault.is_out_of_memory() => {
            Some("use fewer training rows (`split.train_rows`), or free memory".to_owned())
        }
        Operation::Data | Operation::Stack(_) | Operation::Tree | Operation::Evaluation => {
            fault.hint().map(str::to_owned)
        }
    };
    let error = Error::new(fault).context(what.to_owned());
    match hint {
        Some(hint) => error.context(Hint(hint)),
        None => error,
    }
}

/// Converts a panic while a stack was trained into an error.
pub fn from_panic_of_stack(panic: &(dyn Any + Send), what: &str) -> Error {
    match Fault::from_panic(panic) {
        Some(fault) => into_run_error(fault, what, Operation::Stack(None)),
        None => from_panic(panic, what),
    }
}

/// Converts a panic that is not a fault of libtorch or memory into an error.
pub fn from_panic(panic: &(dyn Any + Send), what: &str) -> Error {
    let text = text(panic).unwrap_or("no reason given");
    let hint = "run it again with RUNNER_BACKTRACE=1 for the full backtrace, and report it";
    anyhow!("a bug in runner: {text}").context(what.to_owned()).context(Hint(hint.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::hint::in_a_line;

    fn full() -> Fault {
        Fault::from_message("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0")
    }

    fn hint(error: &Error) -> &str {
        &error.downcast_ref::<Hint>().unwrap().0
    }

    #[test]
    fn a_stack_without_room_is_told_with_the_width_that_should_fit() {
        let error = into_run_error(full(), "failed to train `x`", Operation::Stack(Some(64)));
        assert_eq!(hint(&error), "train fewer replicas at once: `--stack 64`");
        let lines: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
        assert_eq!(lines, ["failed to train `x`", "the GPU is out of memory: failed to allocate 2.00 GiB"]);
    }

    #[test]
    fn one_replica_without_room_is_told_what_else_needs_less() {
        assert!(hint(&into_run_error(full(), "failed", Operation::Stack(None))).contains("train.batch"));
    }

    #[test]
    fn data_and_trees_without_room_need_fewer_rows() {
        let lacks = || Fault::out_of_memory(4 << 20);
        for operation in [Operation::Data, Operation::Tree] {
            let error = into_run_error(lacks(), "failed", operation);
            assert!(hint(&error).contains("`split.train_rows`") && !hint(&error).contains("batch"));
            assert_eq!(in_a_line(&error), "failed: the machine is out of memory: failed to allocate 4 MiB");
        }
    }

    #[test]
    fn a_narrower_stack_is_no_remedy_for_a_lost_device() {
        let lost = Fault::from_message("CUDA error: unspecified launch failure");
        assert!(hint(&into_run_error(lost, "failed", Operation::Stack(Some(8)))).contains("nvidia-smi"));
    }
}
