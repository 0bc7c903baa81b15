//! Answers to requests, with the headers that keep them safe.

use std::borrow::Cow;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

/// Shorter bodies are not compressed.
const LEAST_COMPRESSED: usize = 4096;

/// The pages load only what this server has, and nothing may embed them.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; connect-src 'self'; img-src 'self' data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A report has its own scripts and styles in it. It has no access to the server.
const REPORT_POLICY: &str = "sandbox allow-scripts allow-modals allow-downloads; default-src 'none'; \
                             script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
                             form-action 'none'; frame-ancestors 'none'";

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    kind: Kind,
    /// Its content.
    pub body: Cow<'static, [u8]>,
    cookie: Option<String>,
}

/// Kind of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve) enum Kind {
    Page,
    Report,
    Json,
    Script,
    Style,
    Text,
    Nothing,
}

impl Answer {
    /// Content of this kind.
    pub(in crate::serve) fn ok(kind: Kind, text: String) -> Answer {
        Answer::new(StatusCode::OK, kind, text)
    }

    /// An answer without content.
    pub fn nothing() -> Answer {
        Answer::new(StatusCode::NO_CONTENT, Kind::Nothing, String::new())
    }

    /// An error as text.
    pub fn error(status: StatusCode, text: impl Into<String>) -> Answer {
        Answer::new(status, Kind::Text, format!("{}\n", text.into()))
    }

    /// There is no run or sweep with this id.
    pub fn gone() -> Answer {
        Answer::error(StatusCode::NOT_FOUND, "there is no such run or sweep: it may have been deleted")
    }

    fn new(status: StatusCode, kind: Kind, text: String) -> Answer {
        Answer { status, kind, body: Cow::Owned(text.into_bytes()), cookie: None }
    }

    /// Returns the answer with a cookie.
    pub fn with_cookie(self, cookie: String) -> Answer {
        Answer { cookie: Some(cookie), ..self }
    }

    /// Returns the answer for HTTP; compressed if the client accepts that.
    pub fn into_response(self, accepts_gzip: bool) -> Response<Full<Bytes>> {
        let is_compressed = accepts_gzip && self.body.len() >= LEAST_COMPRESSED;
        let body = match is_compressed {
            true => compress(&self.body),
            false => self.body.into_owned(),
        };
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let mut set = |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
        if self.kind != Kind::Nothing {
            set(header::CONTENT_TYPE, self.kind.media_type());
        }
        set(header::CONTENT_SECURITY_POLICY, if self.kind == Kind::Report { REPORT_POLICY } else { POLICY });
        set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        set(header::REFERRER_POLICY, "no-referrer");
        set(header::CACHE_CONTROL, "no-store");
        set(header::X_FRAME_OPTIONS, "DENY");
        set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
        set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
        if is_compressed {
            set(header::CONTENT_ENCODING, "gzip");
        }
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            set(header::ALLOW, "GET, HEAD");
        }
        if let Some(cookie) = self.cookie.and_then(|cookie| HeaderValue::try_from(cookie).ok()) {
            headers.insert(header::SET_COOKIE, cookie);
        }
        response
    }
}

impl Kind {
    fn media_type(self) -> &'static str {
        match self {
            Kind::Page | Kind::Report => "text/html; charset=utf-8",
            Kind::Json => "application/json",
            Kind::Script => "text/javascript; charset=utf-8",
            Kind::Style => "text/css; charset=utf-8",
            Kind::Text | Kind::Nothing => "text/plain; charset=utf-8",
        }
    }
}

fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::fast());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.expect("writing to memory does not fail")
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[test]
    fn every_answer_has_the_safe_headers() {
        for answer in [
            Answer::ok(Kind::Page, String::new()),
            Answer::ok(Kind::Report, String::new()),
            Answer::ok(Kind::Json, String::new()),
            Answer::nothing(),
            Answer::error(StatusCode::FORBIDDEN, "no"),
        ] {
            let response = answer.into_response(true);
            let has = |name: &str, part: &str| response.headers()[name].to_str().unwrap().contains(part);
            assert!(has("content-security-policy", "default-src 'none'") && has("x-content-type-options", "nosniff"));
            assert!(has("referrer-policy", "no-referrer") && has("cache-control", "no-store"));
        }
        let report = Answer::ok(Kind::Report, String::new()).into_response(false);
        let policy = report.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("sandbox") && !policy.contains("allow-same-origin"));
    }

    #[test]
    fn long_answers_are_compressed_if_the_client_accepts_it() {
        let text = "a".repeat(LEAST_COMPRESSED);
        let body = |response: Response<Full<Bytes>>| {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(response.into_body().collect()).unwrap().to_bytes()
        };
        let plain = Answer::ok(Kind::Json, text.clone()).into_response(false);
        assert!(!plain.headers().contains_key("content-encoding"));
        assert_eq!(body(plain), text.as_bytes());
        let compressed = Answer::ok(Kind::Json, text.clone()).into_response(true);
        assert_eq!(compressed.headers()["content-encoding"], "gzip");
        let mut read = String::new();
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&body(compressed)[..]), &mut read).unwrap();
        assert_eq!(read, text);
    }
}
