//! Additions to a sweep: further configurations and seeds, and confirmations.

mod confirm;
mod extend;
