//! A server in a child process, and a client of it that can also send what is no valid request.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::TestDir;

/// Maximum time for a page to show what has happened.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that is killed when dropped.
pub struct Server {
    child: Child,
    pub port: u16,
    pub token: String,
    /// What it printed to stderr before the URL.
    pub notes: Vec<String>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Server {
    /// Starts a server in the current directory of `dir`, on any free port.
    pub fn start(dir: &TestDir) -> Server {
        Server::start_with(dir, &["--port", "0"])
    }

    /// Starts a server with these arguments.
    pub fn start_with(dir: &TestDir, arguments: &[&str]) -> Server {
        let mut command = dir.command(&[&["serve"], arguments].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let mut notes = Vec::new();
        for line in lines {
            let is_last = line.starts_with("end with Ctrl-C");
            notes.push(line);
            if is_last {
                break;
            }
        }
        let (host, token) = url.trim().split_once("/?token=").unwrap_or_else(|| panic!("`{url}`, {notes:?}"));
        let port = host.strip_prefix("http://127.0.0.1:").unwrap().parse().unwrap();
        Server { child, port, token: token.to_owned(), notes }
    }

    /// Sends bytes, and returns what the server answers until it closes the connection.
    pub fn send(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let _ = stream.write_all(bytes); // the server may have refused the beginning already
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Sends a request with these lines of its head.
    pub fn request(&self, method: &str, target: &str, lines: &[String]) -> Answer {
        let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let answer = self.send(format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n{lines}\r\n").as_bytes());
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Answer { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    /// The line of the head that names this server.
    pub fn host(&self) -> String {
        format!("Host: 127.0.0.1:{}", self.port)
    }

    /// Gets a path with the token.
    pub fn get(&self, path: &str) -> Answer {
        let separator = if path.contains('?') { '&' } else { '?' };
        self.request("GET", &format!("{path}{separator}token={}", self.token), &[self.host()])
    }

    /// Gets data as JSON.
    #[track_caller]
    pub fn json(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        serde_json::from_str(&answer.body).unwrap()
    }

    /// Returns the table once all runs are read.
    pub fn table(&self) -> Value {
        self.wait_for("the table", || {
            let table = self.json("/data/table");
            (table["read"] == table["found"]).then_some(table)
        })
    }

    /// Asks again and again until there is an answer.
    #[track_caller]
    pub fn wait_for<T>(&self, what: &str, ask: impl Fn() -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(found) = ask() {
                return found;
            }
            assert!(started.elapsed() < PATIENCE, "no {what}: {}", self.get("/data/table").body);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Whether the process is still running.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Sends a signal, and returns the exit code.
    #[cfg(unix)]
    pub fn end_with(&mut self, signal: libc::c_int) -> Option<i32> {
        crate::support::send(&self.child, signal);
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The cells of the rows of a table by name: `page/rows.js` has all names.
pub fn cell<'a>(row: &'a Value, name: &str) -> &'a Value {
    const NAMES: [&str; 12] = [
        "id",
        "short",
        "experiment",
        "name",
        "variant",
        "changed",
        "status",
        "epoch",
        "epochs",
        "trials",
        "variants",
        "missing",
    ];
    &row[NAMES.iter().position(|known| *known == name).unwrap()]
}
