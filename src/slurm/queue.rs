//! The jobs in the queue of Slurm.

use crate::slurm::job::Job;
use crate::slurm::program::{self, ProgramError};

/// Fields that `squeue` prints, with their widths. The last one may contain blanks.
const FIELDS: [(&str, usize); 4] = [("JobArrayID", 40), ("State", 20), ("RestartCnt", 12), ("ReasonList", 200)];

/// A job, or a task of an array, that is in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedJob {
    /// Its name: `12`, `12_3`.
    pub name: String,
    /// Its state as Slurm calls it: `PENDING`, `RUNNING`.
    pub state: String,
    /// How often it was put into the queue again.
    pub restarts: u32,
    /// The machines on which it runs, or in parentheses the reason why it waits.
    pub place: String,
}

/// Returns those of the jobs with these numbers that are in the queue. It asks once for all of them.
///
/// # Errors
/// When `squeue` is missing or gives no answer.
pub fn list(ids: &[String]) -> Result<Vec<QueuedJob>, ProgramError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let format = FIELDS.map(|(name, width)| format!("{name}:{width}")).join(",");
    let arguments = ["-h", "-r", "-j", &ids.join(","), "-O", &format].map(str::to_owned);
    match program::run("squeue", &arguments, |_| {}) {
        Ok(text) => Ok(text.lines().filter_map(parse_line).collect()),
        // a single job that has ended some minutes ago is unknown
        Err(ProgramError::Refused(_, words)) if words.contains("Invalid job id") => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Cancels jobs, and tasks of arrays.
///
/// # Errors
/// When `scancel` is missing or fails.
pub fn cancel(names: &[String]) -> Result<(), ProgramError> {
    let arguments: Vec<String> = std::iter::once("--quiet".to_owned()).chain(names.iter().cloned()).collect();
    program::run("scancel", &arguments, |_| {}).map(drop)
}

/// What happens to the work of a job whose time is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requeued {
    /// The job is in the queue again.
    Again,
    /// A job that waits for the end of this one continues.
    Successor,
}

/// Puts a job into the queue again, unless a follow-up job continues. Slurm sends SIGTERM to its processes then.
///
/// # Errors
/// When `scontrol` is missing or fails.
pub fn requeue(job: &Job) -> Result<Requeued, ProgramError> {
    if job.has_successor {
        return Ok(Requeued::Successor);
    }
    let arguments = ["requeue", &job.id].map(str::to_owned);
    program::run("scontrol", &arguments, |_| {}).map(|_| Requeued::Again)
}

/// Parses a line with the fields in their widths.
fn parse_line(line: &str) -> Option<QueuedJob> {
    let letters: Vec<char> = line.chars().collect();
    let mut start = 0;
    let mut fields = FIELDS.iter().map(|(_, width)| {
        let end = letters.len().min(start + width);
        let field: String = letters.get(start..end).unwrap_or_default().iter().collect();
        start += width;
        field.trim().to_owned()
    });
    let (name, state, restarts, place) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    (!name.is_empty() && !state.is_empty()).then(|| QueuedJob {
        name,
        state,
        restarts: restarts.parse().unwrap_or(0),
        place,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_by_their_widths() {
        let line = format!("{:<40}{:<20}{:<12}{:<200}", "12_3", "PENDING", 2, "(ReqNodeNotAvail, UnavailableNodes:n1)");
        let wanted = QueuedJob {
            name: "12_3".to_owned(),
            state: "PENDING".to_owned(),
            restarts: 2,
            place: "(ReqNodeNotAvail, UnavailableNodes:n1)".to_owned(),
        };
        assert_eq!(parse_line(&line), Some(wanted));
        assert_eq!(parse_line(""), None);
        let short = format!("{:<40}{:<20}{:<12}n1", "7", "RUNNING", 0);
        assert_eq!(parse_line(&short).unwrap().place, "n1");
    }
}
