//! The table: the same runs as `runner runs`, and only what has changed.

use serde_json::{Value, json};

use super::client::{Server, cell};
use crate::run_list::some_runs::{dir_with_some_runs, folder_of, ids, listed};
use crate::support::TestDir;

fn rows(table: &Value) -> Vec<Value> {
    table["rows"].as_array().unwrap().clone()
}

#[test]
fn the_rows_are_those_of_the_list_of_runs() {
    let dir = dir_with_some_runs();
    let server = Server::start(&dir);
    let table = server.table();
    let mut found = rows(&table);
    found.sort_by_key(|row| cell(row, "id").to_string());
    let mut listed = listed(&dir, &[]);
    listed.sort_by_key(|run| run["id"].to_string());
    assert_eq!(found.len(), 3);
    for (row, run) in found.iter().zip(&listed) {
        assert_eq!(cell(row, "id"), &run["id"]);
        assert!(run["id"].as_str().unwrap().starts_with(cell(row, "short").as_str().unwrap()));
        assert_eq!(cell(row, "status"), &run["state"]);
        let (shown, best) = (row[13].as_f64().unwrap(), run["best"]["value"].as_f64().unwrap());
        assert!((shown - best).abs() < 1e-6 * best.abs().max(1.0), "{shown} {best}");
    }
    let two_seeds = found.iter().find(|row| *cell(row, "trials") == json!(2)).unwrap();
    assert_eq!(two_seeds[15], 2, "the metric has two values");
    assert!(two_seeds[14].is_f64(), "and a standard deviation");
    assert_eq!(
        two_seeds[25],
        found.iter().find(|row| cell(row, "changed") == "").unwrap()[25],
        "they differ in seeds only"
    );
    let keys: Vec<&str> = table["keys"].as_array().unwrap().iter().map(|key| key[0].as_str().unwrap()).collect();
    assert!(keys.contains(&"train.optimizer.adam.lr") && !keys.contains(&"train.batch"), "{keys:?}");
}

#[test]
fn only_what_changed_is_sent_again() {
    let dir = dir_with_some_runs();
    let server = Server::start(&dir);
    let version = server.table()["version"].as_u64().unwrap();
    let since = |version: u64| server.json(&format!("/data/table?since={version}"));
    assert_eq!((rows(&since(version)).len(), &since(version)["full"]), (0, &json!(false)));
    assert_eq!(since(version + 1_000_000)["full"], true, "a version of another server");
    let ids = ids(&dir);
    dir.run(&["runs", "tag", &ids[0], "paper"]).success();
    let changed = server.wait_for("changed row", || Some(since(version)).filter(|table| !rows(table).is_empty()));
    let changed_rows = rows(&changed);
    assert_eq!(changed_rows.len(), 1);
    assert_eq!((cell(&changed_rows[0], "id"), &changed_rows[0][22]), (&json!(ids[0]), &json!("paper")));
    let version = changed["version"].as_u64().unwrap();
    std::fs::remove_dir_all(folder_of(&dir, &ids[1])).unwrap();
    let changed = server.wait_for("removed row", || {
        Some(since(version)).filter(|table| !table["removed"].as_array().unwrap().is_empty())
    });
    assert_eq!(changed["removed"].as_array().unwrap().len(), 1);
}

#[test]
fn filters_are_those_of_the_list_of_runs() {
    let dir = dir_with_some_runs();
    let server = Server::start(&dir);
    server.table();
    let matching = |query: &str| server.json(&format!("/data/table?{query}"))["matching"].clone();
    let count = |query: &str| matching(query).as_array().unwrap().len();
    assert_eq!(count("filter=lr%3C1e-4"), 1);
    assert_eq!(count("filter=status%3Dcomplete"), 3);
    assert_eq!(count("filter=status%3Dcomplete&filter=lr%3D0.001"), 2);
    assert_eq!(count("filter=best.val_acc%3E2"), 0);
    let answer = server.json("/data/table?filter=lr%3C1e-4");
    let again = server.json(&format!("/data/table?filter=lr%3C1e-4&matched={}", answer["matched"]));
    assert_eq!(again["matching"], Value::Null, "the page has it already");
    let refused = server.get("/data/table?filter=lr");
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("expected METRIC OP VALUE"), "{}", refused.body);
}

#[test]
fn rows_have_the_value_of_a_setting() {
    let dir = dir_with_some_runs();
    let server = Server::start(&dir);
    server.table();
    let rows = rows(&server.json("/data/table?setting=train.optimizer.adam.lr"));
    let mut values: Vec<&str> = rows.iter().map(|row| row[26].as_str().unwrap()).collect();
    values.sort_unstable();
    assert_eq!(values, ["0.00001", "0.001", "0.001"]);
}

#[test]
fn pages_and_reports_of_one_and_several_runs_are_there() {
    let dir = dir_with_some_runs();
    let server = Server::start(&dir);
    let ids: Vec<String> = rows(&server.table()).iter().map(|row| row[0].as_str().unwrap().to_owned()).collect();
    let page = server.get(&format!("/run/{}", ids[0]));
    assert_eq!(page.status, 200);
    assert!(page.body.contains("<section class=\"card\" id=\"summary\"") && !page.body.contains("<script>"));
    let both = server.json(&format!("/data/run/{},{}", ids[0], ids[1]));
    assert_eq!(both["data"]["groups"].as_array().unwrap().len(), 2);
    // the histories are read once more when their directory has not changed for a while
    server.wait_for("answer without data", || {
        let both = server.json(&format!("/data/run/{},{}", ids[0], ids[1]));
        let versions = format!("data={}&sections={}", both["version"], both["sections_version"]);
        let again = server.json(&format!("/data/run/{},{}?{versions}", ids[0], ids[1]));
        (again["data"].is_null() && again["sections"].is_null()).then_some(())
    });
    let report = server.get(&format!("/report/{}", ids.join(",")));
    assert_eq!(report.status, 200);
    assert!(report.head.contains("content-security-policy: sandbox") && report.body.contains("uPlot"));
    for asset in ["style.css", "charts.js", "runs.js", "sweeps.js"] {
        assert_eq!(server.get(&format!("/assets/{asset}")).status, 200, "{asset}");
    }
    assert_eq!(server.get("/favicon.ico").status, 204);
}

#[test]
fn names_of_users_stay_text() {
    const HOSTILE: &str = "</script><img src=x onerror=alert(1)>";
    let dir = TestDir::new();
    dir.write("idea.toml", crate::support::idea_with("An idea", HOSTILE));
    dir.run(&["exp", "idea.toml", "--quiet", "--note", HOSTILE]).success();
    let server = Server::start(&dir);
    let id = rows(&server.table())[0][0].as_str().unwrap().to_owned();
    for path in ["/".to_owned(), format!("/run/{id}"), format!("/report/{id}")] {
        let page = server.get(&path);
        assert_eq!(page.status, 200);
        assert!(!page.body.contains("<img src=x"), "{path}");
    }
    assert_eq!(rows(&server.table()).len(), 1);
}
