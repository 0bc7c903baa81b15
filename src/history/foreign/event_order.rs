//! Determines which scalars of event files are valid, from the order in which they were written.
//!
//! A program that resumes training may write a session-start event, as PyTorch's `SummaryWriter(purge_step=3)` does:
//! scalars written before it are invalid from that step on. TensorBoard's `EventAccumulator` has the same rule. In files
//! older than version 2, which have no session-start events, it invalidates the later steps of a tag if its steps go back.
//! If a program writes into the same directory again without a session-start event, the steps go back from one file to the
//! next: the run was resumed, or if they go back to the first step, it is another run.

use std::collections::HashMap;

/// The scalars of one directory in the order in which they were written, each identified by its index.
#[derive(Debug, Default)]
pub struct EventOrder {
    /// Index and step: scalars before this index are invalid from this step on.
    marks: Vec<(usize, u64)>,
    tags: HashMap<String, Tag>,
    steps: Vec<u64>,
    is_invalid: Vec<bool>,
    is_of_version_2: bool,
    most_recent_step: Option<u64>,
    start: Option<(usize, u64)>,
    file: usize,
    file_begins: usize,
    note: Option<String>,
}

/// The state of a tag.
#[derive(Debug, Default)]
struct Tag {
    first: u64,
    last: u64,
    place: usize,
    file: usize,
    /// In a file older than version 2, index and step of the valid scalars.
    valid: Vec<(usize, u64)>,
}

impl EventOrder {
    /// Starts a file.
    pub fn begin_file(&mut self) {
        self.file += 1;
        self.file_begins = self.steps.len();
    }

    /// Sets the version of the file: `brain.Event:2`.
    pub fn set_version(&mut self, version: &str) {
        let number = version.rsplit_once(':').and_then(|(_, number)| number.parse::<f64>().ok());
        self.is_of_version_2 = number.is_some_and(|number| number >= 2.0);
    }

    /// Adds an event other than a session start, before its scalars. `tags` are the tags of its summary, if it has one.
    pub fn add_event<'t>(&mut self, step: u64, tags: Option<impl Iterator<Item = &'t str>>) {
        match (self.most_recent_step, tags) {
            _ if self.is_of_version_2 => {}
            (Some(recent), Some(tags)) if step < recent => {
                for tag in tags {
                    let Some(seen) = self.tags.get_mut(tag) else { continue };
                    while let Some((place, _)) = seen.valid.pop_if(|(_, held)| *held >= step) {
                        self.is_invalid[place] = true;
                    }
                }
            }
            _ => self.most_recent_step = Some(step),
        }
    }

    /// Adds a session-start event.
    pub fn add_start(&mut self, step: u64) {
        if !self.is_of_version_2 {
            self.add_event(step, None::<std::iter::Empty<&str>>);
            return;
        }
        let place = self.steps.len();
        self.marks.push((place, step));
        self.start = Some((place, step));
    }

    /// Adds a scalar of the file with this name.
    pub fn add_scalar(&mut self, tag: &str, step: u64, file: &str) {
        let place = self.steps.len();
        self.steps.push(step);
        self.is_invalid.push(false);
        let Some(seen) = self.tags.get_mut(tag) else {
            let valid = if self.is_of_version_2 { Vec::new() } else { vec![(place, step)] };
            self.tags.insert(tag.to_owned(), Tag { first: step, last: step, place, file: self.file, valid });
            return;
        };
        let is_announced = self.start.is_some_and(|(start, from)| seen.place < start && step >= from);
        let (last, is_another_file) = (seen.last, seen.file != self.file);
        // Lightning writes `hp_metric` with step 0 into every file
        let goes_back = self.is_of_version_2 && step < last && !is_announced && tag != "hp_metric";
        let is_another_run = goes_back && step <= seen.first;
        seen.first = if is_another_run { step } else { seen.first.min(step) };
        (seen.last, seen.place, seen.file) = (step, place, self.file);
        if !self.is_of_version_2 {
            seen.valid.push((place, step));
        }
        if !goes_back || !is_another_run && !is_another_file {
            return; // the steps of one file may be in another order
        }
        let begins = if is_another_file { self.file_begins } else { place };
        if self.marks.last().is_none_or(|(place, _)| *place < begins) {
            let what = match is_another_run {
                true => "another run starts there, and earlier values are skipped",
                false => "the run was resumed there, and earlier values of these steps are skipped",
            };
            self.note = Some(format!("the steps of `{tag}` go back from {last} to {step} in `{file}`: {what}"));
        }
        self.marks.push((begins, if is_another_run { 0 } else { step }));
    }

    /// Returns whether each scalar is valid, and a note on the invalid ones.
    pub fn finish(mut self) -> (Vec<bool>, Option<String>) {
        self.marks.sort_unstable();
        let mut void_from = None;
        for place in (0..self.steps.len()).rev() {
            while let Some((_, from)) = self.marks.pop_if(|(begins, _)| *begins > place) {
                void_from = Some(void_from.map_or(from, |other: u64| other.min(from)));
            }
            self.is_invalid[place] |= void_from.is_some_and(|from| self.steps[place] >= from);
        }
        let valid: Vec<bool> = self.is_invalid.iter().map(|is_invalid| !is_invalid).collect();
        let of_start = || {
            let (_, step) = self.start.filter(|_| self.is_invalid.contains(&true))?;
            Some(format!("the run was resumed at step {step}: earlier values from this step on are skipped"))
        };
        let note = self.note.take().or_else(of_start);
        (valid, note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A scalar of tag `a`, or a session start.
    #[derive(Clone, Copy)]
    enum Entry {
        Scalar(u64),
        Start(u64),
    }
    use Entry::{Scalar, Start};

    /// Returns the indexes of the valid scalars of files with their versions, and the note.
    fn valid(files: &[(&str, &[Entry])]) -> (Vec<usize>, String) {
        let mut order = EventOrder::default();
        for (version, entries) in files {
            order.begin_file();
            order.set_version(version);
            for entry in *entries {
                match *entry {
                    Start(step) => order.add_start(step),
                    Scalar(step) => {
                        order.add_event(step, Some(["a"].into_iter()));
                        order.add_scalar("a", step, "file");
                    }
                }
            }
        }
        let (valid, note) = order.finish();
        let places = valid.iter().enumerate().filter_map(|(place, is_valid)| is_valid.then_some(place)).collect();
        (places, note.unwrap_or_default())
    }

    const TWO: &str = "brain.Event:2";

    #[test]
    fn a_session_start_invalidates_its_step_and_later_ones() {
        let first = [Scalar(0), Scalar(1), Scalar(2), Scalar(3), Scalar(4)];
        let (places, note) = valid(&[(TWO, &first), (TWO, &[Start(2), Scalar(2), Scalar(3)])]);
        assert_eq!(places, [0, 1, 5, 6]);
        assert_eq!(note, "the run was resumed at step 2: earlier values from this step on are skipped");
        // twice, the second time further back
        let (places, _) = valid(&[(TWO, &first), (TWO, &[Start(3), Scalar(3), Start(1), Scalar(1)])]);
        assert_eq!(places, [0, 6]);
        assert_eq!(valid(&[(TWO, &first), (TWO, &[Start(0)])]).0, [] as [usize; 0]);
        assert_eq!(valid(&[(TWO, &[Start(0), Scalar(0), Scalar(1)])]), (vec![0, 1], String::new()));
    }

    #[test]
    fn steps_that_go_back_between_files_are_a_resumed_or_another_run() {
        let first = [Scalar(0), Scalar(1), Scalar(2), Scalar(3)];
        let (places, note) = valid(&[(TWO, &first), (TWO, &[Scalar(2), Scalar(3)])]);
        assert_eq!(places, [0, 1, 4, 5]);
        assert!(note.starts_with("the steps of `a` go back from 3 to 2 in `file`: the run was resumed"), "{note}");
        let (places, note) = valid(&[(TWO, &first), (TWO, &[Scalar(0), Scalar(1)])]);
        assert_eq!(places, [4, 5]);
        assert!(note.ends_with("another run starts there, and earlier values are skipped"), "{note}");
        assert_eq!(valid(&[(TWO, &[Scalar(0), Scalar(1), Scalar(0)])]).0, [2], "in one file");
        assert_eq!(valid(&[(TWO, &[Scalar(0), Scalar(2), Scalar(1)])]).0, [0, 1, 2], "written in another order");
    }

    #[test]
    fn in_old_files_later_steps_of_a_tag_are_invalid_if_steps_go_back() {
        let all = [Scalar(0), Scalar(1), Scalar(2), Scalar(1), Scalar(2), Scalar(3)];
        assert_eq!(valid(&[("brain.Event:1", &all)]).0, [0, 3, 4, 5]);
        assert_eq!(valid(&[("", &all)]).0, [0, 3, 4, 5]);
        // a session start is no summary, and the steps begin with it
        assert_eq!(valid(&[("", &[Scalar(3), Start(0), Scalar(2)])]).0, [0, 1]);
    }
}
