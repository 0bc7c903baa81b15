//! Who may read the pages: whoever knows the token, and only under a name of this machine.
//!
//! The token is in the printed URL. The first page sets it as a cookie that scripts and other sites cannot use. The name of
//! the host is checked because a foreign page could otherwise read the answers through a name that it points to 127.0.0.1
//! (DNS rebinding). The port may be any, since an ssh tunnel may use another one.

use std::io::{Error, Read};

use hyper::HeaderMap;
use hyper::header::{COOKIE, HOST, ORIGIN};

/// Number of random bytes of a token.
const BYTES: usize = 16;

/// The secret of one server.
#[derive(Clone, Debug)]
pub struct Access {
    token: String,
    /// Name of the cookie. Cookies do not distinguish ports, so each server has its own.
    cookie: String,
}

impl Access {
    /// Returns a new secret.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn new() -> Result<Access, Error> {
        Ok(Access { token: random_hex(BYTES)?, cookie: format!("runner-{}", random_hex(4)?) })
    }

    /// Returns the token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Returns the value of the header `Set-Cookie` that keeps the token.
    pub fn cookie(&self) -> String {
        format!("{}={}; Path=/; HttpOnly; SameSite=Strict", self.cookie, self.token)
    }

    /// Whether a text is the token.
    pub fn is_token(&self, text: &str) -> bool {
        are_equal(text.as_bytes(), self.token.as_bytes())
    }

    /// Whether a request has the token as a cookie.
    pub fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let texts = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.any(|(name, value)| name == self.cookie && self.is_token(value))
    }
}

/// Whether a request names this machine as its host, and comes from no page of another site. `authority` is the host in the
/// request line, which is empty except for proxies.
pub fn is_local(headers: &HeaderMap, authority: Option<&str>) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let is_local_host = host.to_str().is_ok_and(names_this_machine) && authority.is_none_or(names_this_machine);
    let mut origins = headers.get_all(ORIGIN).iter();
    let is_own = |origin: &str| origin.strip_prefix("http://").is_some_and(names_this_machine);
    is_local_host && origins.all(|origin| origin.to_str().is_ok_and(is_own))
}

/// Whether a host, with or without a port, is this machine.
fn names_this_machine(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = ["localhost", "127.0.0.1", "[::1]"].iter().any(|known| known.eq_ignore_ascii_case(name));
    is_name && port.is_none_or(is_port)
}

/// Compares without telling by the time how many bytes are equal.
fn are_equal(one: &[u8], other: &[u8]) -> bool {
    let difference = one.iter().zip(other).fold(0, |difference, (one, other)| difference | (one ^ other));
    one.len() == other.len() && difference == 0
}

/// Returns random bytes as hex digits.
fn random_hex(bytes: usize) -> Result<String, Error> {
    let mut random = vec![0; bytes];
    fill_with_random(&mut random)?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(unix)]
fn fill_with_random(bytes: &mut [u8]) -> Result<(), Error> {
    std::fs::File::open("/dev/urandom")?.read_exact(bytes)
}

/// Other systems: the keys of hash maps are random numbers of the system.
#[cfg(not(unix))]
fn fill_with_random(bytes: &mut [u8]) -> Result<(), Error> {
    use std::hash::{BuildHasher, RandomState};
    for (number, part) in bytes.chunks_mut(8).enumerate() {
        let hash = RandomState::new().hash_one(number).to_le_bytes();
        part.copy_from_slice(&hash[..part.len()]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_hosts() {
        for host in ["localhost", "LOCALHOST:1", "127.0.0.1:8765", "[::1]:80", "[::1]"] {
            assert!(names_this_machine(host), "{host}");
        }
        for host in [
            "",
            ":80",
            "evil.test",
            "localhost.evil.test",
            "127.0.0.1.nip.io:8765",
            "127.0.0.1:",
            "localhost:8x",
            "::1",
        ] {
            assert!(!names_this_machine(host), "{host}");
        }
    }

    #[test]
    fn a_request_needs_one_local_host_and_no_foreign_origin() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(*name, value.parse().unwrap());
            }
            headers
        };
        assert!(is_local(&headers(&[("host", "localhost:9")]), None));
        assert!(is_local(&headers(&[("host", "localhost:9"), ("origin", "http://localhost:9")]), Some("localhost:9")));
        assert!(!is_local(&headers(&[]), None));
        assert!(!is_local(&headers(&[("host", "localhost"), ("host", "localhost")]), None));
        assert!(!is_local(&headers(&[("host", "localhost")]), Some("evil.test")));
        for origin in ["null", "https://localhost", "http://evil.test"] {
            assert!(!is_local(&headers(&[("host", "localhost"), ("origin", origin)]), None), "{origin}");
        }
    }

    #[test]
    fn the_cookie_opens_the_page_and_nothing_else_does() {
        let access = Access::new().unwrap();
        assert_eq!(access.token().len(), 2 * BYTES);
        assert_ne!(access.token(), Access::new().unwrap().token());
        let has = |cookies: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, cookies.parse().unwrap());
            access.has_cookie(&headers)
        };
        let (pair, rest) = access.cookie().split_once(';').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        assert_eq!(rest, " Path=/; HttpOnly; SameSite=Strict");
        assert!(has(&pair) && has(&format!("a=b; {pair}; c")));
        let name = pair.split_once('=').unwrap().0;
        for other in [format!("{name}="), format!("{name}={}0", access.token()), format!("x={}", access.token())] {
            assert!(!has(&other), "{other}");
        }
        assert!(!access.is_token("") && !access.is_token(&access.token()[1..]));
    }
}
