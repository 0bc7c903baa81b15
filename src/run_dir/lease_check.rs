//! The check whether a process still holds the lease on a run directory.

use std::fmt;
use std::sync::Arc;

/// Check whether this process still holds the lease on a run directory.
#[derive(Clone)]
pub struct LeaseCheck(Arc<dyn Fn() -> bool + Send + Sync>);

impl LeaseCheck {
    /// Returns the check that calls this function.
    pub fn new(is_held: impl Fn() -> bool + Send + Sync + 'static) -> LeaseCheck {
        LeaseCheck(Arc::new(is_held))
    }

    /// Whether the lease is still held.
    pub fn is_held(&self) -> bool {
        (self.0)()
    }
}

impl fmt::Debug for LeaseCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LeaseCheck")
    }
}
