//! Nobody reads without the token, under a foreign name, or outside of the runs, and nobody writes.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::client::Server;
use crate::run_list::some_runs::{dir_with_some_runs, ids};
use crate::support::TestDir;

#[test]
fn the_token_of_the_url_opens_the_page_and_its_cookie_the_rest() {
    let dir = dir_with_some_runs();
    let server = Server::start(&dir);
    let host = server.host();
    for target in ["/", "/?token=", "/?token=0", "/data/table", "/assets/runs.js", "/favicon.ico", "/nothing"] {
        let answer = server.request("GET", target, std::slice::from_ref(&host));
        assert_eq!(answer.status, 403, "{target}");
        assert!(answer.body.contains("open the URL that `runner serve` printed") && !answer.body.contains("idea"));
    }
    let page = server.get("/");
    assert_eq!(page.status, 200);
    for line in [
        "content-security-policy: default-src 'none'; script-src 'self'",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "cache-control: no-store",
        "httponly; samesite=strict",
    ] {
        assert!(page.head.contains(line), "no `{line}` in {}", page.head);
    }
    assert!(!page.body.contains(&server.token), "the page has the token");
    let cookie = page.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    let cookie = format!("Cookie: other=1; {}", cookie.split(';').next().unwrap());
    let table = server.request("GET", "/data/table", &[host.clone(), cookie.clone()]);
    assert_eq!(table.status, 200);
    let wrong = server.request("GET", "/data/table", &[host, format!("{cookie}0")]);
    assert_eq!(wrong.status, 403);
}

#[test]
fn a_foreign_host_is_refused_even_with_the_token() {
    let dir = TestDir::new();
    dir.write("runs/.keep", "");
    let server = Server::start(&dir);
    let target = format!("/data/table?token={}", server.token);
    let status = |lines: &[&str]| {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        server.request("GET", &target, &lines).status
    };
    for host in ["localhost", "localhost:1234", "127.0.0.1:1", "[::1]:8765"] {
        assert_eq!(status(&[&format!("Host: {host}")]), 200, "{host}: a tunnel may have any port");
    }
    for host in ["evil.test", "evil.test:80", "localhost.evil.test", "127.0.0.1.nip.io", "192.168.1.7", ""] {
        assert_eq!(status(&[&format!("Host: {host}")]), 403, "{host}");
    }
    assert_eq!(status(&["Host: localhost", "Host: evil.test"]), 403);
    assert_eq!(status(&["Host: localhost", "Origin: http://evil.test"]), 403);
    assert_eq!(status(&["Host: localhost", "Origin: null"]), 403);
    let absolute = format!("http://evil.test{target}");
    assert_eq!(server.request("GET", &absolute, &["Host: localhost".to_owned()]).status, 403);
    assert_eq!(server.request("GET", &target, &[]).status, 403, "without a host");
}

#[test]
fn requests_that_would_write_or_leave_the_runs_are_refused() {
    let dir = dir_with_some_runs();
    dir.write("secret.txt", "secret");
    let server = Server::start(&dir);
    let id = &server.table()["rows"][0][0].as_str().unwrap().to_owned();
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"] {
        let answer = server.request(method, &format!("/run/{id}?token={}", server.token), &[server.host()]);
        assert!(matches!(answer.status, 400 | 405), "{method}: {answer:?}");
        assert!(answer.status == 400 || answer.head.contains("allow: get, head"), "{method}");
    }
    let head = server.request("HEAD", &format!("/run/{id}?token={}", server.token), &[server.host()]);
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    for path in [
        "/../secret.txt",
        "/secret.txt",
        "/run/../../secret.txt",
        "/run/..%2f..%2fsecret.txt",
        "/assets/../../secret.txt",
        "/assets/..%2fstyle.css",
        "/run/ffffffffffff",
        "/sweep/ffffffffffff",
        "/report/ffffffffffff",
        "/run/",
        "/data/run/ffffffffffff",
        "/%00",
        "/run/0123456789ab.S000",
    ] {
        let answer = server.get(path);
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
        assert!(!answer.body.contains("secret\n"), "{path}");
    }
    assert_eq!(server.get("/data/table?filter=nothing").status, 400);
    assert_eq!(ids(&dir).len(), 3);
}

#[test]
fn requests_that_are_too_large_or_no_requests_are_refused() {
    let dir = TestDir::new();
    dir.write("runs/.keep", "");
    let mut server = Server::start(&dir);
    assert_eq!(server.get(&format!("/{}", "a".repeat(8000))).status, 414);
    let long = server.get(&format!("/{}", "a".repeat(100_000))).status;
    assert!(matches!(long, 0 | 414 | 431), "{long}");
    let header = format!("X-Long: {}", "a".repeat(100_000));
    let refused = server.request("GET", "/", &[server.host(), header]).status;
    assert!(matches!(refused, 0 | 431), "{refused}");
    let many: Vec<String> = (0..1000).map(|number| format!("X-{number}: 1")).collect();
    let refused = server.request("GET", "/", &many).status;
    assert!(matches!(refused, 0 | 431), "{refused}");
    for bytes in
        [&b"\r\n\r\n"[..], b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/9.9\r\n\r\n", &[0xff; 100]]
    {
        let answer = server.send(bytes);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.0 4"), "{answer}");
    }
    assert!(server.is_running());
    assert_eq!(server.get("/data/table").status, 200);
}

#[test]
fn a_client_that_sends_nothing_more_is_cut_off_and_disturbs_nobody() {
    let dir = TestDir::new();
    dir.write("runs/.keep", "");
    let server = Server::start(&dir);
    let mut slow: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nHost: loc").unwrap();
            stream
        })
        .collect();
    let started = Instant::now();
    assert_eq!(server.get("/data/table").status, 200);
    for stream in &mut slow {
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert!(!String::from_utf8_lossy(&rest).contains("200 OK"));
    }
    assert!(started.elapsed() > Duration::from_secs(2), "a client has some time");
}
