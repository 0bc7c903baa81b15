//! The name of a worker.

use std::hash::{BuildHasher, Hasher, RandomState};

use time::OffsetDateTime;

use crate::experiment::store::history_fields::format_start;
use crate::io::host_name::host_name;
use crate::sweep::dir::claim::Claim;
use crate::sweep::dir::saved_progress::SavedProgress;

/// The name of a worker and where it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `<host>-<process>-<8 random hex digits>`: no two workers have the same, also in containers that share host name and
    /// process ID.
    pub worker: String,
    /// Name of its machine.
    pub host: String,
    /// Its process ID.
    pub process: u32,
}

impl Identity {
    /// Returns the identity of this process. `name` is the name that the process which started it has chosen.
    pub fn of_this_process(name: Option<&str>) -> Identity {
        let (host, process) = (host_name(), std::process::id());
        let worker = name.map_or_else(|| new_name(&host, process), str::to_owned);
        Identity { worker, host, process }
    }

    /// Returns a claim of this worker.
    pub fn claim(&self, saved: SavedProgress) -> Claim {
        let Identity { worker, host, process } = self.clone();
        Claim { worker, host, process, claimed: now(), saved }
    }
}

/// Returns a name that no other worker has.
pub fn new_name(host: &str, number: u32) -> String {
    let random = RandomState::new().build_hasher().finish(); // the keys of each state are random
    format!("{host}-{number}-{:08x}", random >> 32)
}

/// Returns the time now: UTC, RFC 3339.
pub fn now() -> String {
    format_start(OffsetDateTime::now_utc()).unwrap_or_default()
}
