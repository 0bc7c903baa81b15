//! Progress of downloads.

/// Receiver of download progress.
pub trait DownloadProgress {
    /// Returns the receiver of the progress that this one does not handle, if there is one.
    fn inner(&mut self) -> Option<&mut dyn DownloadProgress> {
        None
    }
    /// Called before each step with a short description.
    fn doing(&mut self, what: &str) {
        self.inner().into_iter().for_each(|inner| inner.doing(what));
    }
    /// Called while a file is read: `bytes` so far, of the total `of` if it is known.
    fn progress(&mut self, bytes: u64, of: Option<u64>) {
        self.inner().into_iter().for_each(|inner| inner.progress(bytes, of));
    }
}

/// Ignores progress.
impl DownloadProgress for () {}
