//! Progress of downloads.

/// Receiver of download progress.
pub trait DownloadProgress {
    /// Called before each step with a short description.
    fn doing(&mut self, _what: &str) {}
    /// Called while a file is read: `bytes` so far, of the total `of` if it is known.
    fn progress(&mut self, _bytes: u64, _of: Option<u64>) {}
}

/// Ignores progress.
impl DownloadProgress for () {}
