//! Chooses configurations from a space. A configuration depends on the seed of the search and on its number only, so a longer list of
//! configurations begins with a shorter one. Only the rounds of TPE and of Gaussian processes depend on results, too.

pub mod choose;
pub mod gp;
#[cfg(test)]
mod minimize;
mod normal;
pub mod observation;
pub mod parameter;
mod positions;
pub mod round;
pub mod tpe;
