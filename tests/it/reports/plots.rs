//! `runner plot`, and the pictures that a run leaves by itself.

use std::path::Path;

use crate::support::{IDEA, Place, assert_says, idea_with, stderr, stdout};

/// Two classes, a threshold, and layers that are observed.
const TWO_CLASSES: &str = r#"title = "Two classes"
threshold = "f1"

[data.breast_cancer]
scale = "standard"
split = { test = 0.2, validation = 0.2, random_state = 42 }

[network]
layers = [{ linear = 4 }, "relu", { linear = 2 }]

[train]
epochs = 3
batch = 64
loss = "cross_entropy"
optimizer = { adam = { lr = 1e-2 } }
observe = ["gradient_norm", "dead_units"]
"#;

/// A place with a run of two seeds.
fn with_run() -> Place {
    let place = Place::new();
    let file = place.file("two.toml", TWO_CLASSES);
    place.run(&["exp", &file, "--seeds", "0..1", "--device", "cpu", "--quiet"]).code(0);
    place
}

fn read(place: &Place, name: &str) -> String {
    std::fs::read_to_string(place.path(name)).unwrap()
}

/// Width and height of a PNG.
fn size(png: &[u8]) -> (u32, u32) {
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"), "no PNG");
    let side = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    (side(16), side(20))
}

#[test]
fn a_run_leaves_its_pictures_and_says_so() {
    let place = Place::new();
    let file = place.file("two.toml", TWO_CLASSES);
    let ran = place.run(&["exp", &file, "--device", "cpu"]).code(0);
    assert_says(&stdout(&ran), &["curves.svg, confusion.svg,", "roc.svg", "pr.svg"]);
    assert!(stdout(&ran).lines().all(|line| line.chars().count() <= 80), "{}", stdout(&ran));
    for name in ["curves.svg", "confusion.svg", "roc.svg", "pr.svg"] {
        let svg = read(&place, &format!("runs/two/latest/{name}"));
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n") && svg.contains("<title"), "{name}");
    }
    let idea = place.file("idea.toml", IDEA);
    let alone = place.exp(&[&idea]);
    assert_eq!(alone["pictures"], serde_json::json!(["curves.svg"]), "without test rows");
}

#[test]
fn every_kind_of_picture_is_drawn_and_twice_the_same() {
    let place = with_run();
    let kinds: [(&str, &[&str]); 7] = [
        ("curves", &["Two classes", "2 seeds", "best epoch"]),
        ("confusion", &["malignant", "benign", "true class"]),
        ("roc", &["AUC", "chance", "chosen threshold"]),
        ("pr", &["AP ", "recall"]),
        ("threshold", &["precision", "F1", "chosen 0."]),
        ("gradients", &["0 linear", "2 linear"]),
        ("compare", &["mean, 95 % interval"]),
    ];
    for (kind, words) in kinds {
        let written = place.run(&["plot", kind, "two"]).code(0);
        let name = stdout(&written).trim().to_owned();
        assert_eq!(name, format!("two-{kind}.svg"));
        let svg = read(&place, &name);
        assert_says(&svg, words);
        assert!(!svg.contains("NaN"), "{kind}");
        place.run(&["plot", kind, "two"]).code(0);
        assert_eq!(svg, read(&place, &name), "{kind}: the same bytes");
    }
    let plain = place.run(&["plot", "two", "-o", "plain.svg"]).code(0);
    assert_eq!(stdout(&plain), "plain.svg\n");
    assert_eq!(read(&place, "plain.svg"), read(&place, "two-curves.svg"), "curves are the default");
    place.run(&["plot", "gradients", "two", "--metric", "dead_units"]).code(0);
    assert_says(&read(&place, "two-dead_units.svg"), &["1 relu", " %"]);
}

#[test]
fn the_ending_decides_the_format_and_a_png_is_twice_as_large() {
    let place = with_run();
    place.run(&["plot", "two", "-o", "a.PNG", "--width", "500", "--height", "400"]).code(0);
    assert_eq!(size(&std::fs::read(place.path("a.PNG")).unwrap()), (1000, 800));
    place.run(&["plot", "two", "-o", "pictures/", "--format", "png"]).code(0);
    let first = std::fs::read(place.path("pictures/two-curves.png")).unwrap();
    place.run(&["plot", "two", "-o", "pictures", "--format", "png"]).code(0);
    assert_eq!(first, std::fs::read(place.path("pictures/two-curves.png")).unwrap(), "the same bytes");
    let out = place.run(&["plot", "two", "-o", "-"]).code(0);
    assert!(stdout(&out).starts_with("<svg "));
    let before = place.files();
    place.run(&["plot", "two", "-o", "-", "--format", "png"]).code(0);
    assert_eq!(place.files(), before);
}

#[test]
fn a_file_of_somebody_elses_is_not_replaced_unasked() {
    let place = with_run();
    let mine = place.file("two-curves.svg", "<svg>mine</svg>");
    let said = place.refusal(&["plot", "two"]);
    assert_says(&said, &["`two-curves.svg` exists", "hint: `-o FILE`"]);
    assert_eq!(read(&place, &mine), "<svg>mine</svg>");
    place.run(&["plot", "two", "-o", &mine]).code(0);
    assert!(read(&place, &mine).contains("made by runner"));
    place.run(&["plot", "two", "--metric", "loss"]).code(0);
}

#[test]
fn what_cannot_be_done_is_told_before_anything_is_written() {
    let place = with_run();
    place.write("runs/empty/.keep", "");
    for (arguments, words) in [
        (&["plot", "two", "-o", "a.pdf"][..], &["`-o a.pdf` ends in neither `.svg` nor `.png`"][..]),
        (&["plot", "two", "-o", "a.svg", "--format", "png"], &["SVG by its name", "leave `--format` out"]),
        (&["plot", "two", "-o", "two.toml/a.svg"], &["two.toml", "hint: `-o FILE`"]),
        (&["plot", "tow"], &["no run of `tow`", "`two`"]),
        (&["plot", "empty"], &["there is no history"]),
        (&["plot", "nothing/*.json"], &["nothing matches"]),
        (&["plot", "two", "--metric", "lss"], &["none of these has a curve of `lss`", "did you mean `loss`?"]),
        (&["plot", "two", "--trial", "base-seed7"], &["no", "base-seed7", "base-seed"]),
        (&["plot", "gradients", "two", "--metric", "saturation"], &["gradient_norm, dead_units"]),
        (&["plot", "compare", "two", "--metric", "test.acx"], &["test.acx"]),
        (&["plot", "samples", "two"], &["holds no images"]),
        (&["plot", "samples", "digits", "--wrong"], &["`--wrong` is for runs"]),
        (&["plot", "samples", "digts"], &["did you mean the data set `digits`?"]),
        (&["plot", "classes", "diabetes"], &["no classes to count"]),
        (&["plot", "classes", "none.csv"], &["none.csv"]),
    ] {
        assert_says(&place.refusal(arguments), words);
    }
}

#[test]
fn what_can_be_read_is_drawn_and_the_rest_is_told() {
    let place = with_run();
    let whole = read(&place, "runs/two/latest/base-seed0.json");
    place.write("cut.json", &whole[..whole.len() / 2]);
    place.write("future.json", whole.replacen("runner.history/1", "runner.history/9", 1));
    place.write("other.json", "{\"a\": 1}");
    let drawn = place.run(&["plot", "two", "cut.json", "future.json", "other.json", "-o", "a.svg"]).code(2);
    assert_says(&stderr(&drawn), &["cut.json", "runner.history/9", "other.json"]);
    assert_eq!(stderr(&drawn).matches("left out").count(), 3, "{}", stderr(&drawn));
    assert_says(&read(&place, "a.svg"), &["Two classes"]);
    let misspelt = place.run(&["plot", "confusio", "two", "-o", "b.svg"]).code(2);
    assert_says(&stderr(&misspelt), &["did you mean the kind of plot `confusion`?"]);
}

#[test]
fn nan_inf_lone_epochs_and_curves_of_different_length_are_drawn_as_they_are() {
    let place = with_run();
    let mut history: serde_json::Value =
        serde_json::from_str(&read(&place, "runs/two/latest/base-seed0.json")).unwrap();
    history["history"]["loss"] = serde_json::json!([0.7, "inf", "nan"]);
    place.write("broken.json", history.to_string());
    place.run(&["plot", "broken.json", "-o", "broken.svg"]).code(0);
    assert_says(&read(&place, "broken.svg"), &[">no longer finite<"]);
    let one = place.file("one.toml", &idea_with("epochs = 2", "epochs = 1"));
    place.run(&["exp", &one, "--device", "cpu", "--quiet"]).code(0);
    place.run(&["plot", "one", "-o", "one.svg"]).code(0);
    assert_says(&read(&place, "one.svg"), &["<circle", ">1<"]);
    place.run(&["plot", "one", "two", "broken.json", "-o", "all.svg"]).code(0);
    let missing = place.run(&["plot", "one", "two", "--metric", "val_acc", "-o", "some.svg"]).code(0);
    assert_says(&stderr(&missing), &["`one` has no val_acc: it is left out"]);
}

#[test]
fn a_trial_a_variant_and_other_axes_can_be_named() {
    let place = Place::new();
    let variants = "\n[[variants]]\nname = \"slow\"\n\n[[variants]]\nname = \"fast\"\nset = { \"train.optimizer.adam.lr\" = 0.01 }\n";
    let file = place.file("rates.toml", &(IDEA.to_owned() + variants));
    place.run(&["exp", &file, "--seeds", "0..1", "--device", "cpu", "--quiet"]).code(0);
    for (axis, word) in [("step", ">step<"), ("seconds", ">seconds<")] {
        place.run(&["plot", "rates", "--x", axis, "--log", "-o", "a.svg"]).code(0);
        assert_says(&read(&place, "a.svg"), &[word, "(log scale)", ">slow<", ">fast<"]);
    }
    place.run(&["plot", "rates/fast", "-o", "fast.svg"]).code(0);
    let fast = read(&place, "fast.svg");
    assert!(fast.contains("2 seeds") && !fast.contains(">slow<"), "{fast}");
    let named = place.run(&["plot", "rates", "--trial", "fast-seed1"]).code(0);
    assert_eq!(stdout(&named), "fast-curves.svg\n");
    assert_says(&read(&place, "fast-curves.svg"), &["seed 1"]);
}

#[test]
fn histories_of_other_programs_are_drawn() {
    let place = Place::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/foreign");
    let names = ["keras.json", "lightning.csv", "skorch.json", "torch_tensorboard"];
    let names = names.map(|name| folder.join(name).display().to_string());
    let arguments: Vec<&str> =
        ["plot"].into_iter().chain(names.iter().map(String::as_str)).chain(["-o", "a.svg"]).collect();
    place.run(&arguments).code(0);
    assert_says(&read(&place, "a.svg"), &[">keras<", ">lightning<", ">skorch<", ">torch_tensorboard<"]);
    let roc = place.refusal(&["plot", "roc", &names[0]]);
    assert_says(&roc, &["none of these has a ROC curve"]);
}

#[test]
fn classes_and_samples_are_drawn_of_data_sets_tables_and_runs() {
    let place = with_run();
    place.run(&["plot", "classes", "digits"]).code(0);
    assert_says(&read(&place, "digits-classes.svg"), &["Classes of digits", "1,797 rows", "183 (10.2 %)"]);
    place.run(&["plot", "classes", "two"]).code(0);
    assert_says(&read(&place, "two-classes.svg"), &["Training (", "Validation (", "Test ("]);
    place.write("own.csv", "a,kind\n1,x\n2,x\n3,y\n");
    place.run(&["plot", "classes", "own.csv", "--target-column", "kind"]).code(0);
    assert_says(&read(&place, "own-classes.svg"), &["2 (66.7 %)", "1 (33.3 %)"]);

    place.run(&["plot", "samples", "digits", "--count", "3"]).code(0);
    let samples = read(&place, "digits-samples.svg");
    assert!(samples.contains(">row 2<") && !samples.contains(">row 3<") && samples.contains("crispEdges"), "{samples}");
    let split = "[data.digits]\nsplit = { test = 0.2, random_state = 1 }\n";
    let file = place.file("seen.toml", &idea_with("[data.digits]\n", split));
    place.run(&["exp", &file, "--device", "cpu", "--quiet"]).code(0);
    place.run(&["plot", "samples", "seen", "--wrong", "--count", "5"]).code(0);
    let wrong = read(&place, "seen-wrong.svg");
    assert_says(&wrong, &["✗", "true ", "that are predicted wrong"]);
    assert_eq!(wrong.matches(">true ").count(), 5, "{wrong}");
    place.run(&["plot", "samples", "seen", "-o", "seen.png"]).code(0);
    size(&std::fs::read(place.path("seen.png")).unwrap());
}

#[test]
fn a_tree_has_no_curves_and_its_confusion_matrix_all_the_same() {
    let place = Place::new();
    let tree = "title = \"A tree\"\n\n[data.breast_cancer]\nsplit = { test = 0.2, random_state = 42 }\n\n[tree]\nmax_depth = 3\n";
    let file = place.file("tree.toml", tree);
    let ran = place.run(&["exp", &file, "--device", "cpu"]).code(0);
    assert_says(&stdout(&ran), &["confusion.svg"]);
    assert!(!stdout(&ran).contains("curves.svg"), "{}", stdout(&ran));
    assert_says(&place.refusal(&["plot", "tree"]), &["no epoch was trained", "runner plot confusion"]);
    place.run(&["plot", "confusion", "tree"]).code(0);
}
