//! Disk errors and concurrent processes: results are never lost or incomplete, and a message says where they are.

mod concurrent_runs;
pub mod faulty_disk;
mod limits;
mod permanent_faults;
mod reads;
mod removed_directories;
mod temporary_faults;
