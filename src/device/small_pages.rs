//! Memory without huge pages.
//!
//! Training allocates memory in huge pages, of 2 MiB (`cli::process::front`). Reading a table does not: it allocates
//! large buffers for a short time, and the system would clear all of their huge pages first.

/// Runs `work`. Memory that the process allocates in the meantime has pages of the usual size.
pub fn with_small_pages<T>(work: impl FnOnce() -> T) -> T {
    let _until_the_end = SmallPages::new();
    work()
}

/// Disables huge pages until it is dropped.
struct SmallPages {
    were_disabled: bool,
}

impl SmallPages {
    fn new() -> SmallPages {
        let were_disabled = system::are_huge_pages_disabled();
        system::disable_huge_pages(true);
        SmallPages { were_disabled }
    }
}

impl Drop for SmallPages {
    fn drop(&mut self) {
        system::disable_huge_pages(self.were_disabled);
    }
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "a system call")]
mod system {
    use libc::{PR_GET_THP_DISABLE, PR_SET_THP_DISABLE, c_ulong, prctl};

    const UNUSED: c_ulong = 0;

    pub(super) fn are_huge_pages_disabled() -> bool {
        // SAFETY: the arguments are numbers.
        unsafe { prctl(PR_GET_THP_DISABLE, UNUSED, UNUSED, UNUSED, UNUSED) == 1 }
    }

    /// A refused call changes nothing but the speed.
    pub(super) fn disable_huge_pages(disabled: bool) {
        // SAFETY: the arguments are numbers.
        unsafe { prctl(PR_SET_THP_DISABLE, c_ulong::from(disabled), UNUSED, UNUSED, UNUSED) };
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) fn are_huge_pages_disabled() -> bool {
        false
    }

    pub(super) fn disable_huge_pages(_disabled: bool) {}
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn huge_pages_are_disabled_only_during_the_work() {
        let before = system::are_huge_pages_disabled();
        assert!(with_small_pages(system::are_huge_pages_disabled));
        assert_eq!(system::are_huge_pages_disabled(), before);
        let panics = std::panic::catch_unwind(|| with_small_pages(|| panic!("as a fault in libtorch")));
        assert!(panics.is_err());
        assert_eq!(system::are_huge_pages_disabled(), before);
    }
}
