//! Errors of TorchScript in words: libtorch's messages hold a C++ stack, and the same trace twice.

use crate::device::fault::Fault;
use crate::network::torchscript::inspection::Problem;

/// Marks the lines of the trace in a message.
const SOURCE: &str = "File \"";

/// How a module is exported.
const EXPORT: &str = "export it in Python: `torch.jit.script(module).save(\"net.pt\")`";

/// Returns the problem of a file that libtorch cannot load.
pub fn explain_load(message: &str, bytes: &[u8]) -> Problem {
    let first = message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let has = |part: &[u8]| memchr::memmem::find(bytes, part).is_some();
    let hint = Some(EXPORT.to_owned());
    if message.contains("maximum supported version") {
        let message = format!("was exported by a newer PyTorch than libtorch {}", env!("RUNNER_LIBTORCH_VERSION"));
        return Problem { message, hint: Some("export it with that version of PyTorch".to_owned()) };
    }
    if !bytes.starts_with(b"PK") || !has(b"constants.pkl") {
        let is_pickle = bytes.starts_with(b"\x80") || has(b"data.pkl");
        let message = match is_pickle {
            true => "is a state dict or a pickled module (`torch.save`), not a TorchScript file",
            false => "is not a TorchScript file",
        };
        return Problem { message: message.to_owned(), hint };
    }
    Problem { message: format!("cannot be loaded: {first}"), hint }
}

/// Returns the fault of a failed call of the module at `path`.
pub fn fault_of_call(path: &str, message: &str) -> Fault {
    match Fault::from_message(message) {
        Fault::Other(_) => Fault::Module(format!("`{path}`: {}", explain_call(message))),
        fault => fault,
    }
}

/// Returns the error of a call in one line: the message, and the line of Python that failed.
pub fn explain_call(message: &str) -> String {
    let lines: Vec<&str> = message.lines().collect();
    let is_trace = |line: &&str| line.trim_start().starts_with("Traceback of TorchScript");
    let Some(trace) = lines.iter().rposition(is_trace) else {
        return lines
            .iter()
            .find(|line| !line.trim().is_empty())
            .map_or_else(String::new, |line| line.trim().to_owned());
    };
    let reason = lines[trace..].iter().rev().find(|line| !line.trim().is_empty()).map_or("", |line| line.trim());
    let reason = reason.split_once("Error: ").map_or(reason, |(_, reason)| reason);
    match failed_line(&lines[trace..]) {
        Some((place, code)) => format!("{reason} ({place}: `{code}`)"),
        None => reason.to_owned(),
    }
}

/// Returns whether the module itself raised the error that [`explain_call`] explains: its line has a `raise` or an `assert`.
pub fn is_raised(reason: &str) -> bool {
    let code = reason.rsplit_once(": `").map_or("", |(_, code)| code);
    ["raise ", "assert "].iter().any(|word| code.split([' ', ':', '`']).any(|part| part == word.trim()))
}

/// Returns the last place in a trace, and its line of code: the line above the mark `~~~ <--- HERE`.
fn failed_line(trace: &[&str]) -> Option<(String, String)> {
    let mark = trace.iter().rposition(|line| line.contains("<--- HERE"))?;
    let code = trace[..mark].last()?.trim().to_owned();
    let place = trace[..mark].iter().rev().find(|line| line.trim_start().starts_with(SOURCE))?;
    let (file, rest) = place.split_once(SOURCE)?.1.split_once('"')?;
    let file = file.rsplit(['/', '\\']).next()?;
    let line = rest.split_once("line ")?.1.split(',').next()?;
    Some((format!("{file}, line {line}"), code))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: &str = "The following operation failed in the TorchScript interpreter.\n\
        Traceback of TorchScript, serialized code (most recent call last):\n\
        \x20 File \"code/__torch__/net.py\", line 9, in forward\n    fc = self.fc\n    return (fc).forward(x, )\n            ~~~~~~~~~~~ <--- HERE\n\n\
        Traceback of TorchScript, original code (most recent call last):\n\
        \x20 File \"/home/me/net.py\", line 7, in forward\n    def forward(self, x):\n        return self.fc(x)\n               ~~~~~~~ <--- HERE\n\
        RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x64 and 32x10)\n";

    #[test]
    fn a_failed_call_is_one_line_with_the_line_of_python() {
        let wanted = "mat1 and mat2 shapes cannot be multiplied (2x64 and 32x10) (net.py, line 7: `return self.fc(x)`)";
        assert_eq!(explain_call(FAILED), wanted);
        assert_eq!(explain_call("\nnot a trace\nframe #0"), "not a trace");
        assert_eq!(explain_call(""), "");
    }

    #[test]
    fn files_that_are_no_torchscript_are_named() {
        let message = |bytes: &[u8]| explain_load("PytorchStreamReader failed", bytes).message;
        assert_eq!(message(b"hello"), "is not a TorchScript file");
        assert!(message(b"\x80\x02}q").starts_with("is a state dict or a pickled module"));
        assert!(message(b"PK..archive/data.pkl").starts_with("is a state dict or a pickled module"));
        assert_eq!(message(b"PK data.pkl constants.pkl"), "cannot be loaded: PytorchStreamReader failed");
    }
}
