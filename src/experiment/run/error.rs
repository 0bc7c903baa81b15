//! A fault of libtorch as an error of the run: what was being done, why it failed, and what would help.

use std::any::Any;

use anyhow::{Error, anyhow};

use crate::config::hint::Hint;
use crate::device::fault::{Fault, text};

/// The work that failed.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    /// Reading, splitting and encoding rows.
    Data,
    /// Training a stack; a narrower one, of this width, should fit.
    Stack(Option<usize>),
    /// Fitting a tree.
    Tree,
    /// Evaluating what was trained.
    Evaluation,
}

/// The error.
pub fn told(fault: Fault, what: &str, work: Work) -> Error {
    let hint = match work {
        Work::Stack(Some(width)) if fault.is_of_memory() => {
            Some(format!("fewer replicas at once need less: `--stack {width}`"))
        }
        Work::Data if fault.is_of_memory() => {
            Some("use fewer rows: a smaller table, or `split.train_rows`; or free memory".to_owned())
        }
        Work::Tree if fault.is_of_memory() => {
            Some("use fewer training rows, `split.train_rows`, or free memory".to_owned())
        }
        Work::Data | Work::Stack(_) | Work::Tree | Work::Evaluation => fault.hint().map(str::to_owned),
    };
    let error = Error::new(fault).context(what.to_owned());
    match hint {
        Some(hint) => error.context(Hint(hint)),
        None => error,
    }
}

/// The error of a panic that is no fault of libtorch or of memory.
pub fn of_panic(panic: &(dyn Any + Send), what: &str) -> Error {
    let text = text(panic).unwrap_or("no reason given");
    let hint = "run it again with RUNNER_BACKTRACE=1 for the whole trace, and report it";
    anyhow!("a fault in runner itself: {text}").context(what.to_owned()).context(Hint(hint.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::hint::in_a_line;

    fn full() -> Fault {
        Fault::of_message("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0")
    }

    fn hint(error: &Error) -> &str {
        &error.downcast_ref::<Hint>().unwrap().0
    }

    #[test]
    fn a_stack_without_room_is_told_with_the_width_that_should_fit() {
        let error = told(full(), "failed to train `x`", Work::Stack(Some(64)));
        assert_eq!(hint(&error), "fewer replicas at once need less: `--stack 64`");
        let lines: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
        assert_eq!(lines, ["failed to train `x`", "the GPU has not enough memory: 2.00 GiB more were asked for"]);
    }

    #[test]
    fn one_replica_without_room_is_told_what_else_needs_less() {
        assert!(hint(&told(full(), "failed", Work::Stack(None))).contains("train.batch"));
    }

    #[test]
    fn data_and_trees_without_room_need_fewer_rows() {
        let lacks = || Fault::no_memory_for(4 << 20);
        for work in [Work::Data, Work::Tree] {
            let error = told(lacks(), "failed", work);
            assert!(hint(&error).contains("`split.train_rows`") && !hint(&error).contains("batch"));
            assert_eq!(in_a_line(&error), "failed: the machine has not enough memory: 4.00 MiB more were asked for");
        }
    }

    #[test]
    fn a_narrower_stack_is_no_remedy_for_a_lost_device() {
        let lost = Fault::of_message("CUDA error: unspecified launch failure");
        assert!(hint(&told(lost, "failed", Work::Stack(Some(8)))).contains("nvidia-smi"));
    }
}
