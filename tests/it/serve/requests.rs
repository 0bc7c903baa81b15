//! Any request at all: none without the token gets data, and none changes a file or ends the server.

use std::cell::RefCell;
use std::path::PathBuf;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::client::Server;
use crate::run_list::some_runs::dir_with_some_runs;
use crate::support::TestDir;

/// All files with their contents and modification times.
fn state(dir: &TestDir) -> Vec<(PathBuf, Option<std::time::SystemTime>, Vec<u8>)> {
    let files = dir.files().into_iter();
    let one = |path: PathBuf| {
        let changed = path.symlink_metadata().unwrap().modified().ok();
        let bytes = std::fs::read(&path).unwrap_or_default();
        (path, changed, bytes)
    };
    files.map(one).collect()
}

#[test]
fn no_request_without_the_token_gets_data_and_none_changes_a_file() {
    let dir = dir_with_some_runs();
    let server = Server::start(&dir);
    let id = server.table()["rows"][0][0].as_str().unwrap().to_owned();
    let before = state(&dir);
    let server = RefCell::new(server);

    let id_or_less = prop_oneof![Just(id.clone()), "[0-9a-f]{0,14}", Just("..".to_owned()), Just(format!("{id}.S000"))];
    let part = prop_oneof![
        id_or_less,
        prop_oneof!["run", "report", "sweep", "data", "table", "assets", "runs.js", "style.css"]
            .prop_map(|part| part.to_owned()),
        "[!-~]{0,8}".prop_map(|part: String| part.replace(['#', '?'], "x")),
        Just("%2e%2e%2f".to_owned()),
    ];
    let path = vec(part, 0..5).prop_map(|parts| format!("/{}", parts.join("/")));
    let value = prop_oneof![Just("7".to_owned()), "[!-~]{0,12}".prop_map(|text: String| text.replace('#', "x"))];
    let name =
        prop_oneof![Just("since"), Just("filter"), Just("setting"), Just("matched"), Just("data"), Just("token")];
    let query = vec((name, value).prop_map(|(name, value)| format!("{name}={value}")), 0..3);
    let method = prop_oneof![4 => Just("GET"), 1 => Just("HEAD"), 1 => Just("POST"), 1 => Just("DELETE")];
    let host = prop_oneof![4 => Just("localhost"), 1 => Just("evil.test"), 1 => Just("127.0.0.1:1")];
    let cookie = proptest::option::of("[!-~]{0,40}");
    let config = Config { cases: 400, failure_persistence: None, ..Config::default() };
    let request = (method, path, query, host, cookie, any::<bool>());
    TestRunner::new(config)
        .run(&request, |(method, path, mut query, host, cookie, has_token)| {
            let server = server.borrow();
            if has_token {
                query.insert(0, format!("token={}", server.token));
            }
            let target = format!("{path}?{}", query.join("&"));
            let mut lines = vec![format!("Host: {host}")];
            lines.extend(cookie.map(|cookie| format!("Cookie: {cookie}")));
            let answer = server.request(method, &target, &lines);
            prop_assert!(
                [200, 204, 400, 403, 404, 405].contains(&answer.status),
                "{} {}: {:?}",
                method,
                target,
                answer
            );
            let may_read = has_token && host != "evil.test" && matches!(method, "GET" | "HEAD");
            prop_assert!(may_read || matches!(answer.status, 400 | 403 | 405), "{} {}: {:?}", method, target, answer);
            prop_assert!(may_read || !answer.body.contains("idea"), "{}", answer.body);
            Ok(())
        })
        .unwrap();
    let mut server = server.into_inner();
    assert!(server.is_running());
    assert_eq!(server.get("/data/table").status, 200);
    assert!(before == state(&dir), "a file was changed");
}
