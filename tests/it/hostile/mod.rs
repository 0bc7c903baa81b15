//! Untrusted files: damaged, endless, larger than they claim or than memory, with names that point elsewhere. The
//! program rejects each with exit code 2 and a message. It never panics and never writes outside of the run directory.

mod corpus;
mod cut_and_nested;
mod damaged_run;
mod downloads;
mod endless_files;
mod names;
mod oversized_files;
mod run_records;
mod targets;
