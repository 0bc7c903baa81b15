//! The processors that the programs may use: as many as are asked for, the same for all of them.

#![cfg_attr(target_os = "linux", expect(unsafe_code, reason = "the standard library chooses no processors"))]

use std::thread;

use anyhow::{Result, bail};

/// How many processors this process was given.
pub fn given() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Confines this process, and so every program that it starts, to the first `count` of the processors in `of`.
///
/// Where the system knows no such thing (macOS), it does nothing, and says so by `false`.
#[cfg(target_os = "linux")]
pub fn confine(of: &Cores, count: usize) -> Result<bool> {
    use std::mem::{size_of, zeroed};
    // SAFETY: plain bits, for which all zeros is a value: the empty set.
    let mut set: libc::cpu_set_t = unsafe { zeroed() };
    for &core in of.numbers.iter().take(count) {
        // SAFETY: it sets a bit of the set, whose number is below its size: it came from one of the same type.
        unsafe { libc::CPU_SET(core, &mut set) };
    }
    // SAFETY: the set lives through the call, and its size is its own.
    if unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) } != 0 {
        bail!("failed to choose {count} processors: {}", std::io::Error::last_os_error());
    }
    Ok(true)
}

#[cfg(not(target_os = "linux"))]
pub fn confine(_: &Cores, _: usize) -> Result<bool> {
    Ok(false)
}

/// The numbers of the processors that this process was given.
#[derive(Debug)]
pub struct Cores {
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "no such thing here"))]
    numbers: Vec<usize>,
}

impl Cores {
    #[cfg(target_os = "linux")]
    pub fn find() -> Result<Self> {
        use std::mem::{size_of, zeroed};
        // SAFETY: as above.
        let mut set: libc::cpu_set_t = unsafe { zeroed() };
        // SAFETY: the set lives through the call, and its size is its own.
        if unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set) } != 0 {
            bail!("failed to ask for the processors: {}", std::io::Error::last_os_error());
        }
        let size = usize::try_from(libc::CPU_SETSIZE).unwrap_or(0);
        // SAFETY: the numbers are below the set's size.
        Ok(Self { numbers: (0..size).filter(|&core| unsafe { libc::CPU_ISSET(core, &set) }).collect() })
    }

    #[cfg(not(target_os = "linux"))]
    pub fn find() -> Result<Self> {
        Ok(Self { numbers: Vec::new() })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_confined_thread_sees_one_processor_until_it_is_freed() {
        let before = given();
        let cores = Cores::find().unwrap();
        thread::spawn(move || {
            assert!(confine(&cores, 1).unwrap());
            assert_eq!(given(), 1);
            confine(&cores, cores.numbers.len()).unwrap();
            assert_eq!(given(), before);
        })
        .join()
        .unwrap();
    }
}
