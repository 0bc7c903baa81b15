//! Start and end of the server.

use super::client::Server;
use crate::run_list::some_runs::dir_with_some_runs;
use crate::support::{TestDir, assert_says};

#[test]
fn the_url_the_tunnel_and_the_number_of_runs_are_printed() {
    let dir = dir_with_some_runs();
    let server = Server::start(&dir);
    let notes = server.notes.join("\n");
    let port = server.port;
    assert_says(&notes, &["showing 3 runs", &format!("ssh -L {port}:127.0.0.1:{port} "), "end with Ctrl-C"]);
    assert_eq!(server.token.len(), 32);
    assert_ne!(server.token, Server::start(&dir).token);
}

#[test]
fn a_port_in_use_is_left_and_the_next_one_is_named() {
    let dir = TestDir::new();
    dir.write("runs/.keep", "");
    let first = Server::start(&dir);
    let second = Server::start_with(&dir, &["--port", &first.port.to_string()]);
    assert_ne!(first.port, second.port);
    assert_says(&second.notes.join("\n"), &[&format!("port {} is in use; using {}", first.port, second.port)]);
    assert_eq!((first.get("/").status, second.get("/").status), (200, 200));
    assert_eq!(first.request("GET", &format!("/?token={}", second.token), &[first.host()]).status, 403);
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it() {
    let dir = TestDir::new();
    dir.write("runs/.keep", "");
    assert_eq!(Server::start(&dir).end_with(libc::SIGINT), Some(130));
    assert_eq!(Server::start(&dir).end_with(libc::SIGTERM), Some(143));
}

#[test]
fn a_directory_that_is_missing_or_a_file_is_an_error() {
    let dir = TestDir::with_idea();
    assert_says(
        &dir.error_message(&["serve", "nowhere"]),
        &["there is no directory `nowhere`", "hint: name a directory"],
    );
    assert_says(
        &dir.error_message(&["serve"]),
        &["there is no directory `runs`", "hint: start a run with `runner exp"],
    );
    assert_says(&dir.error_message(&["serve", "idea.toml"]), &["`idea.toml` is not a directory", "hint: name"]);
    assert_says(&dir.error_message(&["serve", "--port", "70000"]), &["70000"]);
}

#[test]
fn a_directory_without_runs_is_served_and_shows_the_first_run_when_it_starts() {
    let dir = TestDir::with_idea();
    std::fs::create_dir(dir.path("empty")).unwrap();
    let server = Server::start_with(&dir, &["empty", "--port", "0"]);
    assert_says(&server.notes.join("\n"), &["there are no runs in `empty` yet"]);
    assert_eq!(server.table()["rows"].as_array().unwrap().len(), 0);
    dir.run(&["exp", "idea.toml", "--out", "empty/deeper", "--quiet"]).success();
    server.wait_for("run", || server.json("/data/table")["rows"].get(0).cloned());
}
