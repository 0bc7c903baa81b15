//! What the figures were measured on: the machine, and the versions of everything.

use std::fs;
use std::process::Command;

use crate::bench::peers::Peers;
use crate::tool;

/// The machine and what is on it, a line for each.
pub fn lines(runner: &str, peers: Option<&Peers>, cores: usize) -> Vec<(&'static str, String)> {
    let mut lines = vec![
        ("date", said("date", &["-u", "+%Y-%m-%d"])),
        ("processor", format!("{}, {cores} cores given", processor())),
        ("memory", memory().map_or_else(unknown, |bytes| format!("{:.0} GB", bytes / 1e9))),
        ("system", system()),
        ("load", load().map_or_else(unknown, |load| format!("{load:.2} processes wanted a core in the minute before"))),
        ("runner", runner.to_owned()),
        ("compiler", said("rustc", &["--version"])),
    ];
    if let Some(peers) = peers {
        for (name, python) in [("PyTorch", &peers.torch), ("Keras", &peers.keras)] {
            let found = match python {
                Ok(python) => python.versions.join(", "),
                Err(why) => format!("missing: {why}"),
            };
            lines.push((name, found));
        }
    }
    lines
}

fn unknown() -> String {
    "unknown".to_owned()
}

/// The first line that a program prints.
fn said(program: &str, arguments: &[&str]) -> String {
    let answer = tool::ask(Command::new(program).args(arguments)).ok().filter(|answer| answer.status.success());
    let line = answer.and_then(|answer| answer.stdout.lines().next().map(|line| line.trim().to_owned()));
    line.filter(|line| !line.is_empty()).unwrap_or_else(unknown)
}

fn processor() -> String {
    let of_linux = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| field(&text, "model name"));
    of_linux.unwrap_or_else(|| said("sysctl", &["-n", "machdep.cpu.brand_string"]))
}

/// Bytes.
fn memory() -> Option<f64> {
    let of_linux = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let kilobytes: f64 = field(&text, "MemTotal")?.trim_end_matches("kB").trim().parse().ok()?;
        Some(kilobytes * 1024.0)
    });
    of_linux.or_else(|| said("sysctl", &["-n", "hw.memsize"]).parse().ok())
}

fn system() -> String {
    let named = fs::read_to_string("/etc/os-release").ok().and_then(|text| {
        let name = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
        Some(name.trim_matches('"').to_owned())
    });
    let kernel = said("uname", &["-srm"]);
    named.map_or_else(|| kernel.clone(), |name| format!("{name}, {kernel}"))
}

/// How many processes wanted a processor, on average over a minute: other programs' noise.
fn load() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

/// `VALUE` of a line `NAME : VALUE`.
fn field(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim_start().strip_prefix(':')?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_the_systems_files_is_found_by_its_name() {
        assert_eq!(field("cpu\t: 0\nmodel name\t: Xeon(R)\n", "model name").as_deref(), Some("Xeon(R)"));
        assert_eq!(field("MemTotal:       24689 kB\n", "MemTotal").as_deref(), Some("24689 kB"));
        assert_eq!(field("x: 1\n", "MemTotal"), None);
    }
}
