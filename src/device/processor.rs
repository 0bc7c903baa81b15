//! What the processor is called: figures may differ in their last bits from one to another, whose instructions libtorch
//! chooses among.

use std::sync::OnceLock;

/// The processor's name; `None` where the system does not tell.
pub fn name() -> Option<String> {
    static NAME: OnceLock<Option<String>> = OnceLock::new();
    NAME.get_or_init(|| of_linux(&std::fs::read_to_string("/proc/cpuinfo").ok()?)).clone()
}

/// The first processor's name among Linux's.
fn of_linux(processors: &str) -> Option<String> {
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
        assert_eq!(of_linux(processors).as_deref(), Some("AMD EPYC 7B13"));
        assert_eq!(of_linux("processor : 0\nCPU part : 0xd0c\n"), None);
        assert_eq!(of_linux("model name\t:\n"), None);
    }
}
