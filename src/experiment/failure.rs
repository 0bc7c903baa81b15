//! A fault of libtorch as an error of the run: what was being done, why it failed, and what would help.

use anyhow::Error;

use crate::device::fault::Fault;
use crate::hint::Hint;

/// The error. `fitting` is the width of a stack that should fit, narrower than the one that failed.
pub fn told(fault: Fault, what: &str, fitting: Option<usize>) -> Error {
    let hint = match fitting {
        Some(width) if fault.is_of_memory() => Some(format!("fewer replicas at once need less: `--stack {width}`")),
        _ => fault.hint().map(str::to_owned),
    };
    let error = Error::new(fault).context(what.to_owned());
    match hint {
        Some(hint) => error.context(Hint(hint)),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Fault {
        Fault::of_message("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0")
    }

    fn hint(error: &Error) -> &str {
        &error.downcast_ref::<Hint>().unwrap().0
    }

    #[test]
    fn a_stack_without_room_is_told_with_the_width_that_should_fit() {
        let error = told(full(), "failed to train `x`", Some(64));
        assert_eq!(hint(&error), "fewer replicas at once need less: `--stack 64`");
        let lines: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
        assert_eq!(lines, ["failed to train `x`", "the GPU has not enough memory: 2.00 GiB more were asked for"]);
    }

    #[test]
    fn one_replica_without_room_is_told_what_else_needs_less() {
        assert!(hint(&told(full(), "failed", None)).contains("train.batch"));
    }

    #[test]
    fn a_narrower_stack_is_no_remedy_for_a_lost_device() {
        let lost = Fault::of_message("CUDA error: unspecified launch failure");
        assert!(hint(&told(lost, "failed", Some(8))).contains("nvidia-smi"));
    }
}
