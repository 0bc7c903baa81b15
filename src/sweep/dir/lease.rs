//! Leases: the right of one worker to train a stack.

use std::io::Result;

use crate::run_dir::lease_check::LeaseCheck;
use crate::sweep::dir::SweepDir;
use crate::sweep::dir::beat::Beat;
use crate::sweep::dir::claim::{self, Claim, lease_name};
use crate::sweep::dir::create_once::{create_once, exists};
use crate::sweep::dir::ended;

/// The right of this process to train a stack, until a worker takes a newer generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    dir: SweepDir,
    /// Name of the stack.
    pub stack: String,
    /// Generation: 1 for the first worker that takes the stack.
    pub generation: u32,
}

impl Lease {
    /// Takes the lease of this generation on a stack; `None` if another worker has it.
    ///
    /// # Errors
    /// Those of the system.
    pub fn take(dir: &SweepDir, stack: &str, generation: u32, claim: &Claim) -> Result<Option<Lease>> {
        let name = lease_name(stack, generation);
        let json = serde_json::to_vec(claim)?;
        let lease = Lease { dir: dir.clone(), stack: stack.to_owned(), generation };
        match create_once(&dir.file("claims").join(&name), &json) {
            Ok(true) => Ok(Some(lease)),
            // the file is the truth: the answer of a network file system may have been lost
            outcome => match claim::read(dir, &name).is_some_and(|found| found == *claim) {
                true => Ok(Some(lease)),
                false => outcome.map(|_| None),
            },
        }
    }

    /// Name of the lease: `S012.2`.
    pub fn name(&self) -> String {
        lease_name(&self.stack, self.generation)
    }

    /// Whether no newer generation exists and the stack has not ended. If the file system does not answer, the lease is
    /// kept: then nothing can be written either.
    pub fn is_current(&self) -> bool {
        let newer = self.dir.file("claims").join(lease_name(&self.stack, self.generation + 1));
        !exists(&newer).unwrap_or(false) && !exists(&ended::path(&self.dir, &self.stack)).unwrap_or(false)
    }

    /// Returns the check for the run directory of the stack.
    pub fn check(&self) -> LeaseCheck {
        let lease = self.clone();
        LeaseCheck::new(move || lease.is_current())
    }

    /// Writes a heartbeat.
    ///
    /// # Errors
    /// Those of the system.
    pub fn beat(&self, beat: &Beat) -> Result<()> {
        beat.write(&self.dir, &self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Mutex;

    use super::*;
    use crate::sweep::dir::claim::{newest_generation, newest_generations};
    use crate::sweep::dir::sweep_dir::empty_for_tests;

    fn claim() -> Claim {
        Claim {
            worker: "here-1".to_owned(),
            host: "here".to_owned(),
            process: 1,
            claimed: String::new(),
            saved: Default::default(),
        }
    }

    #[test]
    fn fifty_workers_take_sixty_stacks_each_once() {
        let (_folder, dir) = empty_for_tests();
        let taken: Mutex<HashMap<String, usize>> = Mutex::default();
        std::thread::scope(|threads| {
            for worker in 0..50 {
                let (dir, taken) = (&dir, &taken);
                threads.spawn(move || {
                    let claim = Claim { worker: format!("here-{worker}"), ..claim() };
                    for number in 0..60 {
                        let stack = format!("S{:03}", (number + worker * 7) % 60);
                        if Lease::take(dir, &stack, 1, &claim).unwrap().is_some() {
                            *taken.lock().unwrap().entry(stack).or_default() += 1;
                        }
                    }
                });
            }
        });
        let taken = taken.into_inner().unwrap();
        assert!(taken.len() == 60 && taken.values().all(|&times| times == 1), "{taken:?}");
        assert_eq!(dir.names("claims").unwrap().len(), 60, "no temporary file");
    }

    #[test]
    fn a_newer_generation_and_the_end_of_the_stack_end_a_lease() {
        let (_folder, dir) = empty_for_tests();
        let first = Lease::take(&dir, "S000", 1, &claim()).unwrap().unwrap();
        assert!(first.is_current());
        assert_eq!(Lease::take(&dir, "S000", 1, &claim()).unwrap().as_ref(), Some(&first), "the answer was lost");
        let other = Claim { worker: "here-2".to_owned(), ..claim() };
        assert_eq!(Lease::take(&dir, "S000", 1, &other).unwrap(), None);
        let second = Lease::take(&dir, "S000", 2, &claim()).unwrap().unwrap();
        assert!(!first.is_current() && second.is_current());
        assert_eq!(newest_generations(&dir).unwrap(), HashMap::from([("S000".to_owned(), 2)]));
        assert_eq!(newest_generation(&dir, "S000", 0).unwrap(), 2, "without a listing");
        std::fs::write(ended::path(&dir, "S000"), "{}").unwrap();
        assert!(!second.is_current());
    }
}
