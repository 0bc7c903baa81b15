//! Which scalars of event files still hold, by the order in which they were written.
//!
//! A program that resumes training says so with a session-start event, as PyTorch's `SummaryWriter(purge_step=3)` does:
//! what was written before of that step and later is void. TensorBoard's `EventAccumulator` has the same rule; in files
//! that are older than version 2, which have no such events, it voids a tag's later steps where steps go back. Where a
//! program writes into the same folder again without such an event, steps go back from one file to the next: that is a
//! resumed run, or another run where they go back to the first step.

use std::collections::HashMap;

/// The scalars of one folder in the order in which they were written, each known by its place, from 0.
#[derive(Debug, Default)]
pub struct EventOrder {
    /// A mark: no scalar before this place holds if it is of this step or a later one.
    marks: Vec<(usize, u64)>,
    tags: HashMap<String, Tag>,
    steps: Vec<u64>,
    is_void: Vec<bool>,
    is_of_version_2: bool,
    most_recent_step: Option<u64>,
    start: Option<(usize, u64)>,
    file: usize,
    file_begins: usize,
    note: Option<String>,
}

/// What was seen of a tag.
#[derive(Debug, Default)]
struct Tag {
    first: u64,
    last: u64,
    place: usize,
    file: usize,
    /// In a file older than version 2, the scalars that hold: place and step.
    hold: Vec<(usize, u64)>,
}

impl EventOrder {
    /// Begins a file.
    pub fn begin_file(&mut self) {
        self.file += 1;
        self.file_begins = self.steps.len();
    }

    /// Takes the version of a file: `brain.Event:2`.
    pub fn take_version(&mut self, version: &str) {
        let number = version.rsplit_once(':').and_then(|(_, number)| number.parse::<f64>().ok());
        self.is_of_version_2 = number.is_some_and(|number| number >= 2.0);
    }

    /// Takes an event that is no session start, before its scalars; `tags` are those of its summary, where it has one.
    pub fn take_event<'t>(&mut self, step: u64, tags: Option<impl Iterator<Item = &'t str>>) {
        match (self.most_recent_step, tags) {
            _ if self.is_of_version_2 => {}
            (Some(recent), Some(tags)) if step < recent => {
                for tag in tags {
                    let Some(seen) = self.tags.get_mut(tag) else { continue };
                    while let Some((place, _)) = seen.hold.pop_if(|(_, held)| *held >= step) {
                        self.is_void[place] = true;
                    }
                }
            }
            _ => self.most_recent_step = Some(step),
        }
    }

    /// Takes a session-start event.
    pub fn take_start(&mut self, step: u64) {
        if !self.is_of_version_2 {
            self.take_event(step, None::<std::iter::Empty<&str>>);
            return;
        }
        let place = self.steps.len();
        self.marks.push((place, step));
        self.start = Some((place, step));
    }

    /// Takes a scalar of a file of this name.
    pub fn take_scalar(&mut self, tag: &str, step: u64, file: &str) {
        let place = self.steps.len();
        self.steps.push(step);
        self.is_void.push(false);
        let Some(seen) = self.tags.get_mut(tag) else {
            let hold = if self.is_of_version_2 { Vec::new() } else { vec![(place, step)] };
            self.tags.insert(tag.to_owned(), Tag { first: step, last: step, place, file: self.file, hold });
            return;
        };
        let is_said = self.start.is_some_and(|(start, from)| seen.place < start && step >= from);
        let (last, is_another_file) = (seen.last, seen.file != self.file);
        // Lightning writes `hp_metric` with step 0 into every file
        let goes_back = self.is_of_version_2 && step < last && !is_said && tag != "hp_metric";
        let is_another_run = goes_back && step <= seen.first;
        seen.first = if is_another_run { step } else { seen.first.min(step) };
        (seen.last, seen.place, seen.file) = (step, place, self.file);
        if !self.is_of_version_2 {
            seen.hold.push((place, step));
        }
        if !goes_back || !is_another_run && !is_another_file {
            return; // a writer may write the steps of one file in another order
        }
        let begins = if is_another_file { self.file_begins } else { place };
        if self.marks.last().is_none_or(|(place, _)| *place < begins) {
            let what = match is_another_run {
                true => "another run begins there, and what was logged before is left out",
                false => "the run was resumed there, and what was logged before of these steps is left out",
            };
            self.note = Some(format!("the steps of `{tag}` go back from {last} to {step} in `{file}`: {what}"));
        }
        self.marks.push((begins, if is_another_run { 0 } else { step }));
    }

    /// Whether each scalar still holds, and what is to be said of those that do not.
    pub fn hold(mut self) -> (Vec<bool>, Option<String>) {
        self.marks.sort_unstable();
        let mut void_from = None;
        for place in (0..self.steps.len()).rev() {
            while let Some((_, from)) = self.marks.pop_if(|(begins, _)| *begins > place) {
                void_from = Some(void_from.map_or(from, |other: u64| other.min(from)));
            }
            self.is_void[place] |= void_from.is_some_and(|from| self.steps[place] >= from);
        }
        let hold: Vec<bool> = self.is_void.iter().map(|is_void| !is_void).collect();
        let of_start = || {
            let (_, step) = self.start.filter(|_| self.is_void.contains(&true))?;
            Some(format!("the run was resumed at step {step}: what was logged before of it and later steps is void"))
        };
        let note = self.note.take().or_else(of_start);
        (hold, note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files with the version of each; an entry is a scalar of tag `a`, or a session start.
    #[derive(Clone, Copy)]
    enum Entry {
        Scalar(u64),
        Start(u64),
    }
    use Entry::{Scalar, Start};

    /// The places of the scalars that hold, and the note.
    fn hold(files: &[(&str, &[Entry])]) -> (Vec<usize>, String) {
        let mut order = EventOrder::default();
        for (version, entries) in files {
            order.begin_file();
            order.take_version(version);
            for entry in *entries {
                match *entry {
                    Start(step) => order.take_start(step),
                    Scalar(step) => {
                        order.take_event(step, Some(["a"].into_iter()));
                        order.take_scalar("a", step, "file");
                    }
                }
            }
        }
        let (hold, note) = order.hold();
        let places = hold.iter().enumerate().filter_map(|(place, holds)| holds.then_some(place)).collect();
        (places, note.unwrap_or_default())
    }

    const TWO: &str = "brain.Event:2";

    #[test]
    fn a_session_start_voids_its_step_and_later_ones() {
        let first = [Scalar(0), Scalar(1), Scalar(2), Scalar(3), Scalar(4)];
        let (places, note) = hold(&[(TWO, &first), (TWO, &[Start(2), Scalar(2), Scalar(3)])]);
        assert_eq!(places, [0, 1, 5, 6]);
        assert_eq!(note, "the run was resumed at step 2: what was logged before of it and later steps is void");
        // twice, the second time further back
        let (places, _) = hold(&[(TWO, &first), (TWO, &[Start(3), Scalar(3), Start(1), Scalar(1)])]);
        assert_eq!(places, [0, 6]);
        assert_eq!(hold(&[(TWO, &first), (TWO, &[Start(0)])]).0, [] as [usize; 0]);
        assert_eq!(hold(&[(TWO, &[Start(0), Scalar(0), Scalar(1)])]), (vec![0, 1], String::new()));
    }

    #[test]
    fn steps_that_go_back_from_file_to_file_are_a_resumed_or_another_run() {
        let first = [Scalar(0), Scalar(1), Scalar(2), Scalar(3)];
        let (places, note) = hold(&[(TWO, &first), (TWO, &[Scalar(2), Scalar(3)])]);
        assert_eq!(places, [0, 1, 4, 5]);
        assert!(note.starts_with("the steps of `a` go back from 3 to 2 in `file`: the run was resumed"), "{note}");
        let (places, note) = hold(&[(TWO, &first), (TWO, &[Scalar(0), Scalar(1)])]);
        assert_eq!(places, [4, 5]);
        assert!(note.ends_with("another run begins there, and what was logged before is left out"), "{note}");
        assert_eq!(hold(&[(TWO, &[Scalar(0), Scalar(1), Scalar(0)])]).0, [2], "in one file");
        assert_eq!(hold(&[(TWO, &[Scalar(0), Scalar(2), Scalar(1)])]).0, [0, 1, 2], "written in another order");
    }

    #[test]
    fn old_files_void_a_tags_later_steps_where_steps_go_back() {
        let all = [Scalar(0), Scalar(1), Scalar(2), Scalar(1), Scalar(2), Scalar(3)];
        assert_eq!(hold(&[("brain.Event:1", &all)]).0, [0, 3, 4, 5]);
        assert_eq!(hold(&[("", &all)]).0, [0, 3, 4, 5]);
        // a session start is no summary, and the steps begin with it
        assert_eq!(hold(&[("", &[Scalar(3), Start(0), Scalar(2)])]).0, [0, 1]);
    }
}
