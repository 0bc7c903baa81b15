//! Chooses configurations from a space. A configuration depends on the seed of the search and on its number only, so a
//! longer list of configurations begins with a shorter one. Only the rounds of TPE depend on results, too.

pub mod choose;
mod positions;
pub mod round;
pub mod tpe;
