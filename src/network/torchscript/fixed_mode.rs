//! Modules whose training mode has no effect: `torch.jit.trace` records the mode in which it ran, so that dropout and batch
//! normalization stay as they were.

use std::io::{Cursor, Read};

use zip::ZipArchive;

/// Operations whose results depend on the mode, as they are in the code of a module, each with the name of its layer.
const OPERATIONS: [(&str, &str); 3] = [
    ("torch.batch_norm(", "batch normalization"),
    ("torch.dropout(", "dropout"),
    ("torch.feature_dropout(", "dropout"),
];

/// Maximum number of bytes of code that is searched.
const MOST_CODE: u64 = 1 << 24;

/// Returns the layers of a module that depend on the mode, if no part of its code asks for the mode. Empty if its code cannot
/// be read.
pub(super) fn layers_of_fixed_mode(bytes: &[u8]) -> Vec<String> {
    let code = code(bytes).unwrap_or_default();
    if code.contains("self.training") {
        return Vec::new();
    }
    let mut found: Vec<String> = Vec::new();
    for (_, layer) in OPERATIONS.iter().filter(|(operation, _)| code.contains(operation)) {
        if !found.iter().any(|known| known == layer) {
            found.push((*layer).to_owned());
        }
    }
    found
}

/// Returns the code of all classes of a module.
fn code(bytes: &[u8]) -> Option<String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut code = String::new();
    let is_code = |name: &str| name.contains("/code/") && name.ends_with(".py");
    let names: Vec<String> =
        archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).filter(|name| is_code(name)).collect();
    for name in names {
        let left = MOST_CODE.saturating_sub(code.len() as u64);
        archive.by_name(&name).ok()?.take(left).read_to_string(&mut code).ok()?;
    }
    Some(code)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn module(code: &str) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file("net/code/__torch__/net.py", SimpleFileOptions::default()).unwrap();
        writer.write_all(code.as_bytes()).unwrap();
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn a_module_that_never_asks_for_its_mode_has_a_fixed_one() {
        let traced = "x0 = torch.batch_norm(x, weight, bias, mean, var, False, 0.1, 1.0e-05, True)\nx1 = torch.dropout(x0, 0.2, False)\n";
        assert_eq!(layers_of_fixed_mode(&module(traced)), ["batch normalization", "dropout"]);
        let scripted = format!("training = self.training\n{traced}");
        assert!(layers_of_fixed_mode(&module(&scripted)).is_empty());
        assert!(layers_of_fixed_mode(&module("torch.linear(x, weight, bias)\n")).is_empty());
        assert!(layers_of_fixed_mode(b"no archive").is_empty());
    }
}
