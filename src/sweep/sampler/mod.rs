//! Chooses configurations from a space. A configuration depends on the seed of the search and on its number only, so a
//! longer list of configurations begins with a shorter one.

pub mod choose;
mod random;
mod sobol;
