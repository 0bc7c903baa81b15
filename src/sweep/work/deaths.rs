//! Workers that died while they trained a stack.

use crate::sweep::dir::SweepDir;
use crate::sweep::dir::beat::Beat;
use crate::sweep::dir::claim::{self, lease_name};
use crate::sweep::dir::ended::Failure;
use crate::sweep::dir::saved_progress::SavedProgress;

/// Number of workers in a row that may die in a stack without saving anything more.
pub const MOST: u32 = 3;

/// Returns why a stack is given up: the last generations, up to `newest`, died without progress. `None` if it is to be
/// tried again. `retried` is the last generation before a failure that was tried again, and `saved` the progress now.
pub fn reason_to_give_up(
    dir: &SweepDir,
    stack: &str,
    newest: u32,
    retried: u32,
    saved: SavedProgress,
) -> Option<Failure> {
    let died = |generation: &u32| {
        let lease = lease_name(stack, *generation);
        let is_left = Beat::read(dir, &lease) == Beat::Released;
        !is_left && claim::read(dir, &lease).is_some_and(|claim| claim.saved == saved)
    };
    let deaths = (retried + 1..=newest).rev().take_while(died).count() as u32;
    if deaths < MOST {
        return None;
    }
    let why = match Beat::read(dir, &lease_name(stack, newest)) {
        Beat::Died(why) => format!(" ({why})"),
        Beat::None | Beat::Count(_) | Beat::Released => String::new(),
    };
    let cause = format!("the worker died {deaths} times without progress{why}");
    let hint = "see the log of the workers and the system's log, or train fewer models at once with `--stack`";
    Some(Failure { error: cause.clone(), cause, hint: Some(hint.to_owned()) })
}
