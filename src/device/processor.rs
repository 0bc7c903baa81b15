//! Name of the processor: libtorch chooses instructions by processor, so the last bits of results may differ.

use std::sync::OnceLock;

/// Returns the processor's name; `None` if unknown.
pub fn name() -> Option<String> {
    static NAME: OnceLock<Option<String>> = OnceLock::new();
    NAME.get_or_init(|| parse_cpuinfo(&std::fs::read_to_string("/proc/cpuinfo").ok()?)).clone()
}

/// Parses the first name from Linux's `/proc/cpuinfo`.
fn parse_cpuinfo(processors: &str) -> Option<String> {
    let name = processors.lines().find_map(|line| {
        let (field, value) = line.split_once(':')?;
        (field.trim() == "model name").then(|| value.split_whitespace().collect::<Vec<_>>().join(" "))
    });
    name.filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_first_processors() {
        let processors = "processor\t: 0\nmodel name\t: AMD  EPYC 7B13\ncores : 2\n\nmodel name\t: another\n";
        assert_eq!(parse_cpuinfo(processors).as_deref(), Some("AMD EPYC 7B13"));
        assert_eq!(parse_cpuinfo("processor : 0\nCPU part : 0xd0c\n"), None);
        assert_eq!(parse_cpuinfo("model name\t:\n"), None);
    }
}
