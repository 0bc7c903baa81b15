//! State of the replicas while a stack trains.

pub mod epoch_counter;
pub mod epoch_outputs;
pub mod replica_state;
pub mod timing;
