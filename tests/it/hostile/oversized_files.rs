//! Files that are too large, or whose header claims a huge size. No memory is allocated for them.

use serde_json::json;

use super::damaged_run::{HISTORY, WEIGHTS, dir_with_run, edit_history, errors_of_all_commands, within_a_minute};
use crate::support::{TestDir, assert_says, idea_with};

#[test]
fn weights_with_huge_shapes_or_other_types_are_rejected() {
    let dir = dir_with_run();
    let good = std::fs::read(dir.path(WEIGHTS)).unwrap();
    let length = u64::from_le_bytes(good[..8].try_into().unwrap()) as usize;
    let header = std::str::from_utf8(&good[8..8 + length]).unwrap().to_owned();
    let with_header =
        |header: &str| [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &good[8 + length..]].concat();
    let mut claims = good.clone();
    claims[..8].copy_from_slice(&(u64::MAX / 2).to_le_bytes());
    let longer = [&good[..], &[0; 8]].concat();
    let renamed = header.replacen("\"0.weight\"", "\"../../weight\"", 1);
    for (bytes, words) in [
        (claims, "is damaged"),
        (with_header(&header.replacen("F32", "F64", 1)), "is damaged"),
        (with_header(&header.replacen("F32", "I32", 1)), "is I32"),
        (with_header(&header.replacen("\"shape\":[", "\"shape\":[4294967295,4294967295,4294967295,", 1)), "is damaged"),
        (with_header(&renamed), "../../weight"),
        (with_header("{}"), "is damaged"),
        (longer, "is damaged"),
        (good[..good.len() / 2].to_vec(), "base-seed0.safetensors"),
        (Vec::new(), "base-seed0.safetensors"),
    ] {
        dir.write(WEIGHTS, bytes);
        assert_says(&dir.error_message(&["eval", HISTORY]), &[words, "hint: "]);
    }
    std::fs::File::options().write(true).open(dir.path(WEIGHTS)).unwrap().set_len(5 << 40).unwrap();
    assert_says(&dir.error_message(&["eval", HISTORY]), &["it has 5 TiB or more"]);
}

#[test]
fn histories_with_a_huge_network_are_rejected_before_memory_is_allocated() {
    let dir = dir_with_run();
    edit_history(&dir, |history| history["config"]["network"]["layers"][0] = json!({ "linear": 40_000 }));
    edit_history(&dir, |history| history["config"]["network"]["layers"][1] = json!({ "linear": 40_000 }));
    assert_says(
        &dir.error_message(&["eval", HISTORY]),
        &["the 1,603,040,010 parameters in its history need", "hint: "],
    );
}

#[test]
fn files_larger_than_any_history_are_rejected() {
    let dir = dir_with_run();
    std::fs::File::create(dir.path(HISTORY)).unwrap().set_len(1 << 40).unwrap();
    for message in errors_of_all_commands(&dir, HISTORY) {
        assert_says(&message, &["it has 1 TiB or more, but at most ", " are allowed for this kind of file"]);
    }
    std::fs::File::create(dir.path("idea.toml")).unwrap().set_len(1 << 40).unwrap();
    assert_says(&dir.error_message(&["exp", "idea.toml"]), &["it has 1 TiB or more, but at most 4 MiB"]);
    std::fs::File::create(dir.path("table.csv")).unwrap().set_len(1 << 42).unwrap();
    let table = "[data.csv]\npath = \"table.csv\"\ntarget = \"y\"\n";
    dir.write("table.toml", idea_with("[data.digits]\n", table));
    assert_says(&dir.error_message(&["exp", "table.toml"]), &["table.csv` cannot be read: it has 4 TiB or more"]);
}

#[test]
fn tables_with_too_many_columns_are_rejected_and_wide_tables_read_quickly() {
    let dir = TestDir::new();
    let table = |columns: usize| {
        let names: Vec<String> = (0..columns).map(|column| format!("x{column}")).collect();
        format!("{}\n{}\n", names.join(","), vec!["1"; columns].join(","))
    };
    dir.write("table.csv", table(1_000_000));
    assert_says(
        &within_a_minute(|| dir.error_message(&["data", "describe", "table.csv"])),
        &["has 1000000 columns, but at most 100000 are allowed"],
    );
}

#[test]
fn one_hot_encoding_that_exceeds_memory_is_rejected() {
    let dir = TestDir::new();
    let rows: String = (0..400_000).map(|row| format!("id{row},{}\n", row % 10)).collect();
    dir.write("table.csv", format!("id,y\n{rows}"));
    let table = "[data.csv]\npath = \"table.csv\"\ntarget = \"y\"\ntask = \"classes\"\nencode = \"one_hot\"\n\
                 categories = [\"id\"]\n";
    dir.write("table.toml", idea_with("[data.digits]\n", table));
    assert_says(
        &within_a_minute(|| dir.error_message(&["exp", "table.toml"])),
        &["400,000 rows of 400,000 features need 596 GiB of memory", "column `id`", "drop = [\"id\"]"],
    );
}

#[test]
fn images_with_huge_sizes_are_rejected_before_memory_is_allocated() {
    let dir = dir_with_run();
    dir.write("huge.png", include_bytes!("../../../fuzz/corpus/picture/huge.png"));
    let message = within_a_minute(|| dir.error_message(&["predict", "idea", "--image", "huge.png"]));
    assert_says(&message, &["`huge.png`", "100000×100000 pixels", "at most 10000×10000 pixels and 512 MiB"]);
    let most = u32::MAX.to_be_bytes();
    dir.write("images", [&0x803_u32.to_be_bytes()[..], &most, &most, &most].concat());
    dir.write("labels", [&0x801_u32.to_be_bytes()[..], &most].concat());
    dir.write("idx.toml", idea_with("[data.digits]\n", "[data.idx]\nimages = \"images\"\nlabels = \"labels\"\n"));
    let message = within_a_minute(|| dir.error_message(&["exp", "idx.toml"]));
    assert_says(&message, &["images` is not an IDX file of 3 dimensions", "but 0 bytes follow it"]);
}
