//! Files that are larger than may be, or claim to be: no room is made for them.

use serde_json::json;

use super::damaged_run::{HISTORY, WEIGHTS, change, place_with_run, quickly, refused_by_all};
use crate::support::{Place, assert_says, idea_with};

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
        &["has 1000000 columns, but at most 100000 are allowed"],
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
