//! Names in files that lead elsewhere: none leads out of the folder of the run or of the data.

use serde_json::json;

use super::damaged_run::{HISTORY, change, place_with_run};
use crate::support::{IDEA, Place, assert_says};

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
    assert_says(&said, &["`archive.zip` is not the expected file", "hint: `creditcard.csv` has "]);
    for above in place.data_path("").ancestors() {
        assert!(!above.join("creditcard.csv").exists(), "{}", above.display());
    }
    assert!(!place.data_path("creditcard/creditcard.csv").exists());
}
