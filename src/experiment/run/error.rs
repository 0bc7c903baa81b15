//! Errors of a run: what was being done, why it failed, and a hint.

use std::any::Any;

use anyhow::{Error, anyhow};

use crate::config::hint::{Hint, with_hint};
use crate::device::fault::{Fault, text};

/// First words of the hint on a stack that does not fit into memory; the option follows.
pub const FEWER_REPLICAS: &str = "train fewer replicas at once:";

/// Converts a fault into an error of the run; `what` says what was being done. If memory was not enough, `less` is the hint: what
/// to do to need less of it.
pub fn into_run_error(fault: Fault, what: &str, less: Option<String>) -> Error {
    let hint = less.filter(|_| fault.is_out_of_memory()).or_else(|| fault.hint().map(str::to_owned));
    with_hint(Error::new(fault).context(what.to_owned()), hint)
}

/// Converts a panic while a stack was trained into an error.
pub fn from_panic_of_stack(panic: &(dyn Any + Send), what: &str) -> Error {
    match Fault::from_panic(panic) {
        Some(fault) => into_run_error(fault, what, None),
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
    fn what_needs_less_memory_is_the_hint_if_memory_is_full() {
        let less = |width: usize| Some(format!("{FEWER_REPLICAS} `--stack {width}`"));
        let error = into_run_error(full(), "failed to train `x`", less(64));
        assert_eq!(hint(&error), "train fewer replicas at once: `--stack 64`");
        let lines: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
        assert_eq!(lines, ["failed to train `x`", "the GPU is out of memory: failed to allocate 2.00 GiB"]);
        let error = into_run_error(Fault::out_of_memory(4 << 20), "failed", less(2));
        assert_eq!(in_a_line(&error), "failed: the machine is out of memory: failed to allocate 4 MiB");
    }

    #[test]
    fn one_replica_without_room_is_told_what_else_needs_less() {
        assert!(hint(&into_run_error(full(), "failed", None)).contains("train.batch"));
    }

    #[test]
    fn a_narrower_stack_is_no_remedy_for_a_lost_device() {
        let lost = Fault::from_message("CUDA error: unspecified launch failure");
        assert!(hint(&into_run_error(lost, "failed", Some("fewer".to_owned()))).contains("nvidia-smi"));
    }
}
