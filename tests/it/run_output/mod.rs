//! Output of `runner exp`: lines while training, the summary at its end, and log files.

mod logging;
mod output;
mod short_summary;
mod summary;
