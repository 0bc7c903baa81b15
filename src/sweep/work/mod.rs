//! Workers: processes that train the stacks of a sweep, one after the other.

pub mod conclusion;
pub mod data_check;
pub mod deaths;
pub mod event;
pub mod heartbeat;
pub mod identity;
pub mod next_round;
pub mod queue;
pub mod time_check;
pub mod worker;
