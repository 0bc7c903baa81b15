//! What a worker does with a stack after it has trained it.

use std::thread;

use anyhow::{Context, anyhow};

use crate::config::hint::{Hint, in_a_line};
use crate::device::fault::Fault;
use crate::experiment::run::{Finished, error};
use crate::sweep::dir::beat::Beat;
use crate::sweep::dir::ended::{EndedStack, EndedTrial, Failure};
use crate::sweep::dir::file_sums::{self, FileSums};
use crate::sweep::record::SweepRecord;
use crate::sweep::work::identity::now;

/// Why a stack was not trained to its end.
#[derive(Debug)]
pub enum Problem {
    /// An error of the stack.
    Stack(anyhow::Error),
    /// An error of this machine: workers on other machines may train the stack.
    Machine(anyhow::Error),
}

impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Problem {
        Problem::Stack(error)
    }
}

/// What a worker does with the stack that it has trained.
#[derive(Debug)]
pub enum Conclusion {
    /// It publishes this end.
    Publish(EndedStack),
    /// It leaves the stack with a checkpoint, so that another worker can continue it at once.
    Release,
    /// It leaves the sweep with an error, and the lease in this state.
    Leave(anyhow::Error, Beat),
}

/// Returns what to do with a stack. `is_stopped` says whether something has stopped the training.
pub fn conclude(
    record: &SweepRecord,
    outcome: thread::Result<Result<Finished, Problem>>,
    is_stopped: bool,
    stack: &str,
) -> Conclusion {
    let mut end = EndedStack::new(stack, 0, "", now());
    let error = match outcome {
        Ok(Ok(finished)) if finished.interrupted => return Conclusion::Release,
        Ok(Ok(finished)) => {
            end.trials = finished.histories.iter().map(|history| EndedTrial::new(history, &record.metric)).collect();
            match finish(finished) {
                Ok(files) => return Conclusion::Publish(EndedStack { files, ..end }),
                Err(error) => error,
            }
        }
        Ok(Err(_)) if is_stopped => return Conclusion::Release,
        Ok(Err(Problem::Machine(error))) => {
            return Conclusion::Leave(error.context(format!("failed to train stack {stack}")), Beat::Released);
        }
        Ok(Err(Problem::Stack(error))) => error,
        Err(panic) => error::from_panic_of_stack(&*panic, &format!("failed to train stack {stack}")),
    };
    // a worker whose device is lost ends, and another one tries the stack again
    if let Some(fault @ Fault::DeviceLost(_)) = error.downcast_ref::<Fault>() {
        let error = anyhow::Error::new(fault.clone()).context(format!("failed to train stack {stack}"));
        return Conclusion::Leave(error, Beat::Died(fault.to_string()));
    }
    end.failure = Some(failure_of(&error));
    Conclusion::Publish(end)
}

/// Flushes the files of a run to disk, and returns their checksums.
///
/// # Errors
/// When a trial has failed, or files could not be written or read.
fn finish(mut finished: Finished) -> anyhow::Result<FileSums> {
    if !finished.failures.is_empty() {
        return Err(finished.failures.swap_remove(0));
    }
    if let Some(problem) = missing_files(&finished) {
        return Err(problem);
    }
    finished.folder.flush().context("failed to flush the files of the run to disk")?;
    file_sums::of_directory(finished.folder.path()).context("failed to read the files of the run")
}

/// Returns an error if files of a run could not be written to its directory.
fn missing_files(finished: &Finished) -> Option<anyhow::Error> {
    let errors = finished.folder.write_errors().filter(|errors| errors.is_incomplete())?;
    let reason = errors.reason.unwrap_or_else(|| "files were removed during the run".to_owned());
    let hint = match &errors.in_fallback[..] {
        [] => "make room on the disk".to_owned(),
        [first, ..] => format!("make room on the disk; files are in `{}`", first.parent().unwrap_or(first).display()),
    };
    Some(anyhow!(reason).context("failed to write the files of the run").context(Hint(hint)))
}

fn failure_of(error: &anyhow::Error) -> Failure {
    let hint = error.downcast_ref::<Hint>().map(|hint| hint.0.clone());
    let cause = error.chain().map(ToString::to_string).filter(|text| Some(text) != hint.as_ref()).last();
    // the stacks of a sweep keep their size
    let hint = hint.map(|hint| match hint.strip_prefix(error::FEWER_REPLICAS) {
        Some(option) => format!("start a new sweep with{option}"),
        None => hint,
    });
    Failure { error: in_a_line(error), cause: cause.unwrap_or_default(), hint }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::record::record_for_tests;

    #[test]
    fn errors_of_a_machine_or_a_device_end_the_worker_and_those_of_a_stack_its_stack() {
        let record = record_for_tests(&["0000"], &[0]);
        let conclude = |problem: Problem, is_stopped| conclude(&record, Ok(Err(problem)), is_stopped, "S000");
        let machine = || Problem::Machine(anyhow!("no such file").context(Hint("mount the disk".to_owned())));
        match conclude(machine(), false) {
            Conclusion::Leave(error, Beat::Released) => {
                assert_eq!(in_a_line(&error), "failed to train stack S000: no such file");
                assert_eq!(error.downcast_ref::<Hint>().unwrap().0, "mount the disk");
            }
            other => panic!("{other:?}"),
        }
        let lost = || Fault::DeviceLost("an illegal memory access was encountered".to_owned());
        match conclude(Problem::Stack(anyhow::Error::new(lost()).context("failed to train `x`")), false) {
            Conclusion::Leave(_, Beat::Died(why)) => assert_eq!(why, lost().to_string()),
            other => panic!("{other:?}"),
        }
        let fault = Fault::from_message("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0");
        let less = format!("{} `--stack 5`", error::FEWER_REPLICAS);
        let full = error::into_run_error(fault, "failed to train `x`", Some(less));
        match conclude(Problem::Stack(full), false) {
            Conclusion::Publish(end) => {
                assert_eq!(end.failure.unwrap().hint.unwrap(), "start a new sweep with `--stack 5`");
            }
            other => panic!("{other:?}"),
        }
        match conclude(Problem::Stack(anyhow!("no room").context("failed to train `x`")), false) {
            Conclusion::Publish(end) => {
                let failure = end.failure.unwrap();
                assert_eq!(
                    (failure.error.as_str(), failure.cause.as_str()),
                    ("failed to train `x`: no room", "no room")
                );
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(conclude(machine(), true), Conclusion::Release), "the next worker finds out");
    }
}
