//! Memory without huge pages.
//!
//! `runner` asks for huge pages, of 2 MiB, for large allocations (`cli::process::front`), which makes training faster. Reading
//! a table does without them: its buffers are large and used for a short time, and the system would clear each huge page first.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Runs `work`. Memory that the process uses for the first time in the meantime has pages of the usual size. Calls can overlap.
pub fn with_small_pages<T>(work: impl FnOnce() -> T) -> T {
    let _until_the_end = SmallPages::start();
    work()
}

/// Calls of [`with_small_pages`] that have not ended.
struct Calls {
    count: usize,
    /// Setting of the system before the first of them.
    before: system::HugePages,
}

static CALLS: Mutex<Calls> = Mutex::new(Calls { count: 0, before: system::HugePages::ALLOWED });

fn calls() -> MutexGuard<'static, Calls> {
    CALLS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Huge pages are disabled until the last value is dropped.
struct SmallPages;

impl SmallPages {
    fn start() -> SmallPages {
        let mut calls = calls();
        if calls.count == 0 {
            calls.before = system::HugePages::now();
            system::HugePages::DISABLED.set();
        }
        calls.count += 1;
        SmallPages
    }
}

impl Drop for SmallPages {
    fn drop(&mut self) {
        let mut calls = calls();
        calls.count -= 1;
        if calls.count == 0 {
            calls.before.set();
        }
    }
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "a system call")]
mod system {
    use libc::{PR_GET_THP_DISABLE, PR_SET_THP_DISABLE, c_int, c_ulong, prctl};

    const UNUSED: c_ulong = 0;

    /// Whether this process can have huge pages, as `prctl` returns it: 1 means disabled; further bits are exceptions.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) struct HugePages(c_int);

    impl HugePages {
        pub(super) const ALLOWED: HugePages = HugePages(0);
        pub(super) const DISABLED: HugePages = HugePages(1);

        /// Returns the setting of this process; allowed if the system does not say.
        pub(super) fn now() -> HugePages {
            // SAFETY: the arguments are numbers.
            HugePages(unsafe { prctl(PR_GET_THP_DISABLE, UNUSED, UNUSED, UNUSED, UNUSED) }.max(0))
        }

        /// Applies the setting. If the system refuses it, only the speed differs.
        pub(super) fn set(self) {
            let (disabled, exceptions) = ((self.0 & 1) as c_ulong, (self.0 & !1) as c_ulong);
            // SAFETY: the arguments are numbers.
            unsafe { prctl(PR_SET_THP_DISABLE, disabled, exceptions, UNUSED, UNUSED) };
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    /// Other systems have no such setting.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) struct HugePages;

    impl HugePages {
        pub(super) const ALLOWED: HugePages = HugePages;
        pub(super) const DISABLED: HugePages = HugePages;

        pub(super) fn now() -> HugePages {
            HugePages
        }

        pub(super) fn set(self) {}
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::system::HugePages;
    use super::*;

    #[test]
    fn huge_pages_are_disabled_during_the_work_also_of_calls_in_calls() {
        let inner = with_small_pages(|| (with_small_pages(HugePages::now), HugePages::now()));
        assert_eq!(inner, (HugePages::DISABLED, HugePages::DISABLED));
        let panics = std::panic::catch_unwind(|| with_small_pages(|| panic!("as a fault in libtorch")));
        assert!(panics.is_err());
        let calls = calls();
        assert!(calls.count > 0 || HugePages::now() == calls.before);
    }
}
