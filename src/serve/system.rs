//! Load and memory of the machine and its GPUs.
//!
//! GPUs are asked with `nvidia-smi`, in a thread of its own, because a driver may take seconds to answer.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

/// Time for which values are kept.
const FRESH: Duration = Duration::from_secs(2);

/// Maximum time that `nvidia-smi` may take.
const LONGEST: Duration = Duration::from_secs(5);

/// Time after which a machine without GPUs is asked again.
const NEXT_TRY: Duration = Duration::from_secs(60);

/// Load and memory of the machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Usage {
    /// Number of cores.
    cores: usize,
    /// Share of the cores' time that was busy, since the last values.
    cpu: Option<f64>,
    /// Bytes of memory in use, and of all memory.
    memory: Option<(u64, u64)>,
    gpus: Vec<Gpu>,
}

/// A GPU.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gpu {
    name: String,
    /// Share of the time that it was busy; `None` if the driver does not know it.
    busy: Option<f64>,
    /// Bytes of memory in use, and of all its memory.
    memory: Option<(u64, u64)>,
}

/// Reads the load and the memory, and keeps them for a while.
#[derive(Debug, Default)]
pub struct System {
    last: Mutex<Last>,
    gpus: Arc<Mutex<Gpus>>,
}

#[derive(Debug, Default)]
struct Last {
    read: Option<Instant>,
    /// Busy and all time of the cores.
    times: Option<(u64, u64)>,
    usage: Usage,
}

#[derive(Debug, Default)]
struct Gpus {
    next: Option<Instant>,
    is_asking: bool,
    found: Vec<Gpu>,
}

impl System {
    /// Returns the load and the memory.
    pub fn usage(&self) -> Usage {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.read.is_some_and(|read| read.elapsed() < FRESH) {
            return last.usage.clone();
        }
        last.read = Some(Instant::now());
        let times = std::fs::read_to_string("/proc/stat").ok().and_then(|text| core_times(&text));
        last.usage.cpu = match (last.times, times) {
            (Some(before), Some(now)) => busy_share(before, now),
            _ => None,
        };
        last.times = times;
        last.usage.cores = std::thread::available_parallelism().map_or(1, usize::from);
        last.usage.memory = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| memory(&text));
        last.usage.gpus = self.gpus();
        last.usage.clone()
    }

    /// Returns what is known of the GPUs, and starts to ask them if that is old.
    fn gpus(&self) -> Vec<Gpu> {
        let mut gpus = self.gpus.lock().unwrap_or_else(PoisonError::into_inner);
        if gpus.is_asking || gpus.next.is_some_and(|next| Instant::now() < next) {
            return gpus.found.clone();
        }
        let shared = Arc::clone(&self.gpus);
        let ask = move || {
            let found = ask_driver().map(|text| parse_gpus(&text)).unwrap_or_default();
            let mut gpus = shared.lock().unwrap_or_else(PoisonError::into_inner);
            let pause = if found.is_empty() { NEXT_TRY } else { FRESH };
            *gpus = Gpus { next: Some(Instant::now() + pause), is_asking: false, found };
        };
        gpus.is_asking = std::thread::Builder::new().name("nvidia-smi".to_owned()).spawn(ask).is_ok();
        gpus.found.clone()
    }
}

/// Returns the output of `nvidia-smi`; `None` if there is none, it fails, or it takes too long.
fn ask_driver() -> Option<String> {
    let mut command = Command::new("nvidia-smi");
    command.args(["--query-gpu=name,utilization.gpu,memory.used,memory.total", "--format=csv,noheader,nounits"]);
    let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let started = Instant::now();
    let has_ended = loop {
        match process.try_wait() {
            Ok(Some(status)) => break status.success(),
            Ok(None) if started.elapsed() < LONGEST => std::thread::sleep(Duration::from_millis(20)),
            Ok(None) | Err(_) => {
                let _ = process.kill().and_then(|()| process.wait());
                return None;
            }
        }
    };
    let mut text = String::new();
    process.stdout.take()?.take(1 << 16).read_to_string(&mut text).ok()?;
    has_ended.then_some(text)
}

/// Parses lines such as `NVIDIA H100, 97, 40213, 81559`, with memory in MiB. What a driver does not know is `[N/A]`.
fn parse_gpus(text: &str) -> Vec<Gpu> {
    let gpu = |line: &str| {
        let mut cells = line.rsplitn(4, ',').map(str::trim);
        let number = |cell: Option<&str>| cell?.parse::<u64>().ok();
        let (total, used) = (number(cells.next()), number(cells.next()));
        let busy = number(cells.next()).map(|percent| percent as f64 / 100.0);
        let name = cells.next()?.to_owned();
        let memory = used.zip(total).map(|(used, total)| (used << 20, total << 20));
        Some(Gpu { name, busy, memory })
    };
    text.lines().filter_map(gpu).collect()
}

/// Returns the busy and all time of the cores from `/proc/stat`.
fn core_times(stat: &str) -> Option<(u64, u64)> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let times: Vec<u64> = line.split_ascii_whitespace().take(8).filter_map(|word| word.parse().ok()).collect();
    let all: u64 = times.iter().sum();
    let idle = times.get(3)? + times.get(4)?; // idle, and waiting for disks
    Some((all - idle, all))
}

fn busy_share(before: (u64, u64), now: (u64, u64)) -> Option<f64> {
    let (busy, all) = (now.0.checked_sub(before.0)?, now.1.checked_sub(before.1)?);
    (all > 0).then(|| busy as f64 / all as f64)
}

/// Returns the bytes of memory in use and of all memory from `/proc/meminfo`.
fn memory(meminfo: &str) -> Option<(u64, u64)> {
    let kib = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_ascii_whitespace().next()?.parse::<u64>().ok()
    };
    let (all, free) = (kib("MemTotal:")?, kib("MemAvailable:")?);
    Some((all.checked_sub(free)? << 10, all << 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_the_driver_is_parsed() {
        let text = "NVIDIA H100 80GB HBM3, 97, 40213, 81559\nNVIDIA GB10, [N/A], [N/A], [N/A]\nno GPU\n";
        let gpus = parse_gpus(text);
        assert_eq!(gpus.len(), 2);
        assert_eq!((gpus[0].name.as_str(), gpus[0].busy), ("NVIDIA H100 80GB HBM3", Some(0.97)));
        assert_eq!(gpus[0].memory, Some((40213 << 20, 81559 << 20)));
        assert_eq!(gpus[1], Gpu { name: "NVIDIA GB10".to_owned(), busy: None, memory: None });
    }

    #[test]
    fn load_and_memory_are_parsed() {
        let before = core_times("cpu  10 0 10 70 10 0 0 0 0 0\ncpu0 1 2 3 4 5\n").unwrap();
        let now = core_times("cpu  40 0 10 80 20 0 0 0 0 0\n").unwrap();
        assert_eq!((before, now), ((20, 100), (50, 150)));
        assert_eq!(busy_share(before, now), Some(0.6));
        assert_eq!(busy_share(now, now), None);
        assert_eq!(memory("MemTotal: 100 kB\nMemFree: 1 kB\nMemAvailable:  40 kB\n"), Some((60 << 10, 100 << 10)));
        assert_eq!(memory(""), None);
    }
}
