//! Why a download failed, told from pip's errors, and what helps.

use std::path::Path;

use crate::libtorch::{VERSION, Variant};

/// What pip was to fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    Libtorch(Variant),
    /// The packages that checks or the benchmark's peers need.
    Packages,
}

impl Wanted {
    fn disk_space(self) -> &'static str {
        match self {
            Self::Libtorch(variant) => variant.disk_space(),
            Self::Packages => "1 GB (8 GB for PyTorch)",
        }
    }
}

/// A cause that has a remedy of its own.
#[derive(Debug, PartialEq, Eq)]
pub enum Trouble {
    NoSpace,
    /// The registry cannot be reached; pip's innermost reason.
    Unreachable(String),
    /// The registry is reached, but its certificate is not trusted: mostly a company's proxy.
    Untrusted,
    /// The registry asks for a name and password, or refuses.
    Refused(String),
    /// What arrived is not what the registry announced.
    Damaged,
    /// The registry answers, but does not carry the package.
    NotCarried,
    Other(String),
}

impl Trouble {
    /// Looks for the cause in what pip printed. The order matters: unreachable registries also end in "no matching distribution".
    pub fn of_pip(errors: &str) -> Self {
        let has = |words: &[&str]| words.iter().any(|word| errors.contains(word));
        if has(&["No space left on device", "Errno 28", "Disk quota exceeded", "Errno 122"]) {
            return Self::NoSpace;
        }
        if has(&["CERTIFICATE_VERIFY_FAILED", "certificate verify failed", "SSLCertVerificationError"]) {
            return Self::Untrusted;
        }
        if has(&[
            "401 Client Error",
            "403 Client Error",
            "407 Proxy",
            "407 Client Error",
            "Proxy Authentication Required",
        ]) {
            return Self::Refused(innermost(errors));
        }
        let unreachable = [
            "connection broken",
            "Connection broken",
            "NewConnectionError",
            "ConnectTimeoutError",
            "ConnectionResetError",
            "ReadTimeoutError",
            "Read timed out",
            "timed out",
            "Max retries exceeded",
            "ProxyError",
            "SSLError",
            "Name or service not known",
            "name resolution",
            "Failed to resolve",
            "Network is unreachable",
            "Connection refused",
            "IncompleteRead",
            "incomplete-download",
            "Server Error",
            "Could not fetch URL",
        ];
        if has(&unreachable) {
            return Self::Unreachable(innermost(errors));
        }
        if has(&["DO NOT MATCH THE HASHES", "hash mismatch"]) {
            return Self::Damaged;
        }
        if has(&["No matching distribution found", "Could not find a version", "404 Client Error"]) {
            return Self::NotCarried;
        }
        Self::Other(last_error(errors))
    }

    /// The rest of the sentence "failed to …: ", and the hint.
    pub fn explain(&self, folder: &Path, wanted: Wanted) -> String {
        let again = "run the same command again; what is already downloaded is kept";
        // Whoever has a libtorch needs no registry.
        let or_own = |words: &str| match wanted {
            Wanted::Libtorch(_) => {
                format!("{words} set `LIBTORCH` to the folder of a libtorch {VERSION} that you have")
            }
            Wanted::Packages => String::new(),
        };
        match self {
            Self::NoSpace => format!(
                "no space left on the disk of `{}`\nhint: free about {} and {again}",
                folder.display(),
                wanted.disk_space()
            ),
            Self::Unreachable(why) => format!(
                "the package registry cannot be reached: {why}\n\
                 hint: check the connection and the proxy (`HTTPS_PROXY`), or set `PIP_INDEX_URL` to a mirror, then {again}{}",
                or_own(". Without a network,")
            ),
            Self::Untrusted => format!(
                "the certificate of the package registry is not trusted\n\
                 hint: set `PIP_CERT` to your organization's certificates (a `.pem` file), then {again}"
            ),
            Self::Refused(why) => format!(
                "the package registry or the proxy refuses: {why}\n\
                 hint: put name and password into `PIP_INDEX_URL` or `HTTPS_PROXY` (`https://NAME:PASSWORD@HOST/…`), then {again}"
            ),
            Self::Damaged => format!("the file arrived damaged\nhint: `python3 -m pip cache purge`, then {again}"),
            Self::NotCarried => format!(
                "the package registry does not carry it\n\
                 hint: if `PIP_INDEX_URL` or pip's configuration (`pip config list`) names a mirror, try another, or none{}",
                or_own(". Or")
            ),
            Self::Other(why) => {
                format!("{why}\nhint: {again}; `python3 -m pip --version` should work{}", or_own(". Or"))
            }
        }
    }
}

/// What went wrong at the bottom of a chain such as
/// `… Caused by NewConnectionError('<…>: Failed to establish a new connection: [Errno -2] Name or service not known')`.
fn innermost(errors: &str) -> String {
    let known = [
        "Name or service not known",
        "Temporary failure in name resolution",
        "nodename nor servname provided",
        "Network is unreachable",
        "No route to host",
        "Connection refused",
        "Connection reset by peer",
        "Cannot connect to proxy",
        "Proxy Authentication Required",
        "Read timed out",
        "timed out",
        "IncompleteRead",
    ];
    if let Some(reason) = known.iter().find(|reason| errors.contains(**reason)) {
        return (*reason).to_owned();
    }
    last_error(errors)
}

/// Pip's last `ERROR: ` line, else its last line, not longer than a message should be.
fn last_error(errors: &str) -> String {
    let lines = || errors.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines().rfind(|line| line.starts_with("ERROR: ")).or_else(|| lines().next_back());
    let text = line.map_or("pip gives no reason", |line| line.trim_start_matches("ERROR: "));
    match text.char_indices().nth(240) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What pip 23.2 prints without a network.
    const OFFLINE: &str = "\
WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after connection broken by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f>: Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')': /simple/torch/
ERROR: Could not find a version that satisfies the requirement torch==2.11.0 (from versions: none)
ERROR: No matching distribution found for torch==2.11.0
";

    #[test]
    fn no_network_is_told_from_a_missing_package() {
        assert_eq!(Trouble::of_pip(OFFLINE), Trouble::Unreachable("Temporary failure in name resolution".into()));
        let errors: String = OFFLINE.lines().skip(1).flat_map(|line| [line, "\n"]).collect();
        assert_eq!(Trouble::of_pip(&errors), Trouble::NotCarried);
    }

    #[test]
    fn a_full_disk_a_proxy_and_a_certificate_are_recognized() {
        let disk = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n";
        assert_eq!(Trouble::of_pip(disk), Trouble::NoSpace);
        let proxy =
            "WARNING: Retrying after connection broken by 'ProxyError('Cannot connect to proxy.', OSError())'\n";
        assert_eq!(Trouble::of_pip(proxy), Trouble::Unreachable("Cannot connect to proxy".into()));
        let refused = "ERROR: HTTP error 403 while getting x\nERROR: 403 Client Error: Forbidden for url: x\n";
        assert_eq!(Trouble::of_pip(refused), Trouble::Refused("403 Client Error: Forbidden for url: x".into()));
        let certificate = "WARNING: … SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]'))\n";
        assert_eq!(Trouble::of_pip(certificate), Trouble::Untrusted);
        let broken = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n";
        assert_eq!(Trouble::of_pip(broken), Trouble::Damaged);
    }

    #[test]
    fn anything_else_is_quoted_briefly() {
        let trouble = Trouble::of_pip(&format!("Traceback\nERROR: {}\n", "x".repeat(1000)));
        let Trouble::Other(text) = trouble else { panic!("{trouble:?}") };
        assert_eq!(text.chars().count(), 241);
        assert_eq!(Trouble::of_pip(""), Trouble::Other("pip gives no reason".into()));
    }

    #[test]
    fn every_explanation_has_exactly_one_hint() {
        let why = String::from("why");
        let all = [
            Trouble::NoSpace,
            Trouble::Unreachable(why.clone()),
            Trouble::Untrusted,
            Trouble::Refused(why.clone()),
            Trouble::Damaged,
            Trouble::NotCarried,
            Trouble::Other(why),
        ];
        for trouble in all {
            for wanted in [Wanted::Libtorch(Variant::Cpu), Wanted::Packages] {
                let text = trouble.explain(Path::new("/x"), wanted);
                assert_eq!(text.matches("\nhint: ").count(), 1, "{text}");
                assert!(wanted != Wanted::Packages || !text.contains("LIBTORCH"), "{text}");
            }
        }
    }
}
