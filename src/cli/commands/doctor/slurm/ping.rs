//! Questions of a compute node and answers of the machine that has submitted the job, in two files: how long until a change of a file
//! is seen on another machine, and what the difference of their clocks is.

use std::io::Result;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::io::{atomic_write, bounded_file};

/// Number of questions.
const ROUNDS: usize = 11;

/// Time after which a question has no answer.
const LONGEST: Duration = Duration::from_secs(40);

/// Pause of both sides between two looks at a file.
pub const PAUSE: Duration = Duration::from_millis(2);

/// File of the question: its number.
const QUESTION: &str = "question";

/// File of the answer: the number of the question, and the time in microseconds since 1970.
const ANSWER: &str = "answer";

/// What the answers show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// Seconds until a change is seen on the other machine: half of the time to an answer, median.
    pub after: f64,
    /// Seconds by which the clock of the other machine is ahead of that of this one.
    pub clock_ahead: f64,
    /// Largest error of `clock_ahead` in seconds.
    pub error: f64,
}

/// Asks, and returns what the answers show; `None` if there are none.
///
/// # Errors
/// When a file cannot be written.
pub fn ask(folder: &Path) -> Result<Option<Seen>> {
    let mut rounds = Vec::new();
    for number in 1..=ROUNDS {
        let (asked, asked_at) = (Instant::now(), now());
        atomic_write::put(&folder.join(QUESTION), number.to_string().as_bytes())?;
        let answered_at = loop {
            match read(&folder.join(ANSWER))[..] {
                [answered, time] if answered == number as f64 => break time / 1e6,
                _ if asked.elapsed() > LONGEST => return Ok(None),
                _ => std::thread::sleep(PAUSE),
            }
        };
        rounds.push((asked.elapsed().as_secs_f64(), asked_at, answered_at));
    }
    Ok(Some(evaluate(rounds)))
}

/// Evaluates the rounds: time to the answer, when it was asked, and when it was answered, by the clock of the other machine.
fn evaluate(mut rounds: Vec<(f64, f64, f64)>) -> Seen {
    rounds.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (shortest, asked, answered) = rounds[0];
    Seen {
        after: rounds[rounds.len() / 2].0 / 2.0,
        clock_ahead: answered - (asked + shortest / 2.0),
        error: shortest / 2.0,
    }
}

/// Answers a new question; `answered` is the number of the last one. Returns whether there was one.
///
/// # Errors
/// When the answer cannot be written.
pub fn answer(folder: &Path, answered: &mut f64) -> Result<bool> {
    match read(&folder.join(QUESTION))[..] {
        [number] if number != *answered => {
            *answered = number;
            atomic_write::put(&folder.join(ANSWER), format!("{number} {}", (now() * 1e6).round()).as_bytes())?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Returns the numbers in a file; none if it cannot be read.
fn read(file: &Path) -> Vec<f64> {
    let text = bounded_file::read_to_string(file, 100).unwrap_or_default();
    text.split(' ').filter_map(|number| number.parse().ok()).collect()
}

/// Returns the seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fastest_answer_gives_the_clock_and_the_median_the_time() {
        let rounds = vec![(0.4, 100.0, 105.3), (0.1, 101.0, 106.05), (0.2, 102.0, 107.0)];
        let seen = evaluate(rounds);
        assert!(
            (seen.after - 0.1).abs() < 1e-9 && (seen.clock_ahead - 5.0).abs() < 1e-9 && seen.error == 0.05,
            "{seen:?}"
        );
    }

    #[test]
    fn each_question_is_answered_once() {
        let folder = tempfile::tempdir().unwrap();
        let asker = std::thread::spawn({
            let folder = folder.path().to_path_buf();
            move || ask(&folder).unwrap().unwrap()
        });
        let (mut answered, mut answers) = (0.0, 0);
        while !asker.is_finished() {
            answers += usize::from(answer(folder.path(), &mut answered).unwrap());
        }
        let seen = asker.join().unwrap();
        assert_eq!(answers, ROUNDS);
        assert!(seen.clock_ahead.abs() <= seen.error + 0.001, "one clock: {seen:?}");
    }
}
