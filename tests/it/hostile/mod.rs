//! Files that anybody may have written: damaged, endless, larger than they say or than memory, with names that lead
//! elsewhere. Each is refused with exit code 2 and in words; nothing panics, and nothing is written outside of the run.

mod corpus;
mod cut_and_nested;
mod damaged_run;
mod downloads;
mod endless_files;
mod large_claims;
mod names;
mod run_records;
mod targets;
