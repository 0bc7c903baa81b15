//! `runner plot`, and the plots that every run saves.

use std::path::Path;

use crate::support::{IDEA, TestDir, assert_says, idea_with, stderr, stdout};

/// An experiment with two classes, a threshold and layer statistics.
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

/// A directory with a run of two seeds.
fn dir_with_run() -> TestDir {
    let dir = TestDir::new();
    let file = dir.file("two.toml", TWO_CLASSES);
    dir.run(&["exp", &file, "--seeds", "0..1", "--device", "cpu", "--quiet"]).code(0);
    dir
}

fn read(dir: &TestDir, name: &str) -> String {
    std::fs::read_to_string(dir.path(name)).unwrap()
}

/// Width and height of a PNG file.
fn size(png: &[u8]) -> (u32, u32) {
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"), "no PNG");
    let side = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    (side(16), side(20))
}

#[test]
fn runs_save_plots_and_print_their_paths() {
    let dir = TestDir::new();
    let file = dir.file("two.toml", TWO_CLASSES);
    let ran = dir.run(&["exp", &file, "--device", "cpu", "--verbose"]).code(0);
    assert_says(&stdout(&ran), &["confusion.svg", "curves.svg", "roc.svg", "pr.svg"]);
    assert!(stdout(&ran).lines().all(|line| line.chars().count() <= 80), "{}", stdout(&ran));
    for name in ["curves.svg", "confusion.svg", "roc.svg", "pr.svg"] {
        let svg = read(&dir, &format!("runs/two/latest/{name}"));
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n") && svg.contains("<title"), "{name}");
    }
    let idea = dir.file("idea.toml", IDEA);
    let alone = dir.exp(&[&idea]);
    assert_eq!(alone["plots"], serde_json::json!(["curves.svg"]), "without test rows");
}

#[test]
fn every_kind_of_plot_is_drawn_reproducibly() {
    let dir = dir_with_run();
    let kinds: [(&str, &[&str]); 7] = [
        ("curves", &["Two classes", "2 seeds", "best epoch"]),
        ("confusion", &["malignant", "benign", "true class"]),
        ("roc", &["AUC", "chance", "chosen threshold"]),
        ("pr", &["AP ", "recall"]),
        ("threshold", &["precision", "F1", "chosen 0."]),
        ("gradients", &["0 linear", "2 linear"]),
        ("compare", &["mean, 95 % CI"]),
    ];
    for (kind, words) in kinds {
        let written = dir.run(&["plot", kind, "two"]).code(0);
        let name = stdout(&written).trim().to_owned();
        assert_eq!(name, format!("two-{kind}.svg"));
        let svg = read(&dir, &name);
        assert_says(&svg, words);
        assert!(!svg.contains("NaN"), "{kind}");
        dir.run(&["plot", kind, "two"]).code(0);
        assert_eq!(svg, read(&dir, &name), "{kind}: the same bytes");
    }
    let plain = dir.run(&["plot", "two", "-o", "plain.svg"]).code(0);
    assert_eq!(stdout(&plain), "plain.svg\n");
    assert_eq!(read(&dir, "plain.svg"), read(&dir, "two-curves.svg"), "curves are the default");
    dir.run(&["plot", "gradients", "two", "--metric", "dead_units"]).code(0);
    assert_says(&read(&dir, "two-dead_units.svg"), &["1 relu", " %"]);
}

#[test]
fn the_file_extension_selects_the_format_and_png_has_twice_the_size() {
    let dir = dir_with_run();
    dir.run(&["plot", "two", "-o", "a.PNG", "--width", "500", "--height", "400"]).code(0);
    assert_eq!(size(&std::fs::read(dir.path("a.PNG")).unwrap()), (1000, 800));
    dir.run(&["plot", "two", "-o", "pictures/", "--format", "png"]).code(0);
    let first = std::fs::read(dir.path("pictures/two-curves.png")).unwrap();
    dir.run(&["plot", "two", "-o", "pictures", "--format", "png"]).code(0);
    assert_eq!(first, std::fs::read(dir.path("pictures/two-curves.png")).unwrap(), "the same bytes");
    let out = dir.run(&["plot", "two", "-o", "-"]).code(0);
    assert!(stdout(&out).starts_with("<svg "));
    let before = dir.files();
    dir.run(&["plot", "two", "-o", "-", "--format", "png"]).code(0);
    assert_eq!(dir.files(), before);
}

#[test]
fn other_files_are_not_replaced_without_force() {
    let dir = dir_with_run();
    let mine = dir.file("two-curves.svg", "<svg>mine</svg>");
    assert_says(&dir.error_message(&["plot", "two"]), &["`two-curves.svg` exists", "`-o FILE`"]);
    assert_eq!(read(&dir, &mine), "<svg>mine</svg>");
    dir.run(&["plot", "two", "-o", &mine]).code(0);
    assert!(read(&dir, &mine).contains("made by runner"));
    dir.run(&["plot", "two", "--metric", "loss"]).code(0);
    let message = dir.error_message(&["plot", "two", "-o", "mine.toml", "--format", "svg"]);
    assert_says(&message, &["`mine.toml` has the name of an experiment file", "write to another file"]);
}

#[test]
fn options_that_change_a_plot_change_its_default_file_name_too() {
    let dir = dir_with_run();
    for (options, name) in [
        (&["--log"][..], "two-curves-log.svg"),
        (&["--metric", "val_acc"], "two-curves-val_acc.svg"),
        (&["--metric", "loss", "--x", "seconds", "--log"], "two-curves-loss-seconds-log.svg"),
        (&["--smooth", "0.9"], "two-curves-smooth0.9.svg"),
        (&[], "two-curves.svg"),
    ] {
        let drawn = dir.run(&[&["plot", "two"][..], options].concat()).code(0);
        assert_eq!(stdout(&drawn), format!("{name}\n"));
    }
    assert_says(
        &read(&dir, "two-curves-smooth0.9.svg"),
        &["exponential moving average with weight 0.9", "TensorBoard"],
    );
    let compared = dir.run(&["plot", "compare", "two", "--metric", "test.acc"]).code(0);
    assert_eq!(stdout(&compared), "two-compare-test.acc.svg\n");
}

#[test]
fn title_range_and_smoothing_are_those_of_the_options() {
    let dir = dir_with_run();
    let options = ["--metric", "acc", "--ylim", "0.5,0.75", "--title", "Mine & yours", "--smooth", "3", "-o", "a.svg"];
    dir.run(&[&["plot", "two"][..], &options].concat()).code(0);
    let svg = read(&dir, "a.svg");
    assert_says(&svg, &[">Mine &amp; yours<", ">75 %<", ">50 %<", "weight 0.5"]);
    assert!(!svg.contains(">Two classes<") && !svg.contains(">80 %<") && !svg.contains(">100 %<"), "{svg}");
    dir.run(&["plot", "confusion", "two", "--title", "Mine", "-o", "b.svg"]).code(0);
    assert_says(&read(&dir, "b.svg"), &[">Mine<"]);
    for wrong in ["1,0", "1", "a,b"] {
        assert_says(&stderr(&dir.run(&["plot", "two", "--ylim", wrong]).code(2)), &["--ylim"]);
    }
}

#[test]
fn a_pdf_is_a_vector_page_that_runner_replaces_again() {
    let dir = dir_with_run();
    for _ in 0..2 {
        dir.run(&["plot", "two", "--format", "pdf"]).code(0);
    }
    let pdf = std::fs::read(dir.path("two-curves.pdf")).unwrap();
    let text = String::from_utf8_lossy(&pdf);
    assert!(text.starts_with("%PDF-") && text.contains("/MediaBox") && !text.contains("/Font"), "letters are outlines");
    dir.run(&["plot", "roc", "two", "-o", "a.pdf"]).code(0);
}

#[test]
fn letters_that_no_font_has_are_boxes_and_a_warning_names_what_to_install() {
    let dir = dir_with_run();
    // a letter of the Private Use Area, which no font has
    let arguments = ["plot", "two", "--title", "A \u{100000}", "-o", "a.png"];
    let drawn = dir.run(&arguments).code(0);
    assert_says(&stderr(&drawn), &["\u{100000}", "drawn as boxes", "fonts-noto-cjk"]);
    let plain = dir.run(&["plot", "two", "--title", "Ä ≤ Ж", "-o", "b.png"]).code(0);
    assert!(!stderr(&plain).contains("boxes"), "{}", stderr(&plain));
}

#[test]
fn a_metric_is_drawn_against_a_setting() {
    let dir = TestDir::new();
    let rate = |name: &str, rate: &str| {
        format!("\n[[variants]]\nname = \"{name}\"\nset = {{ \"train.optimizer.adam.lr\" = {rate} }}\n")
    };
    let variants: String = [("low", "0.0001"), ("middle", "0.01"), ("high", "0.1")].map(|(n, r)| rate(n, r)).concat();
    let file = dir.file("rates.toml", &(IDEA.to_owned() + &variants));
    dir.run(&["exp", &file, "--seeds", "0..1", "--device", "cpu", "--quiet"]).code(0);
    let drawn = dir.run(&["plot", "setting", "rates", "--x", "lr", "--metric", "last.loss"]).code(0);
    assert_eq!(stdout(&drawn), "rates-setting-lr-last.loss.svg\n");
    let svg = read(&dir, "rates-setting-lr-last.loss.svg");
    assert_says(&svg, &[">train.optimizer.adam.lr<", ">0.01<", ">one seed<", ">mean<"]);
    dir.run(&["plot", "setting", "rates", "-o", "only.svg"]).code(0);
    assert_says(&read(&dir, "only.svg"), &[">train.optimizer.adam.lr<"]);
    let message = dir.error_message(&["plot", "setting", "rates", "--x", "bacth"]);
    assert_says(&message, &["no run has a setting `bacth`", "batch"]);
}

#[test]
fn calibration_and_curves_by_class_come_from_the_predictions() {
    let dir = dir_with_run();
    let drawn = dir.run(&["plot", "calibration", "two", "--bins", "5"]).code(0);
    assert_eq!(stdout(&drawn), "two-calibration.svg\n");
    let svg = read(&dir, "two-calibration.svg");
    assert_says(&svg, &["(ECE 0.", "5 bins", "predicted probability of ", "perfectly calibrated", "2 trials"]);
    let split = "[data.digits]\nsplit = { test = 0.2, random_state = 1 }\n";
    let file = dir.file("ten.toml", &idea_with("[data.digits]\n", split));
    dir.run(&["exp", &file, "--device", "cpu", "--quiet"]).code(0);
    assert_says(&dir.error_message(&["plot", "pr", "ten"]), &["--by-class"]);
    dir.run(&["plot", "pr", "ten", "--by-class", "-o", "a.svg"]).code(0);
    let svg = read(&dir, "a.svg");
    assert_says(&svg, &[">9 (AP ", ">0 (AP ", "Mean AP of 10 classes"]);
    dir.run(&["plot", "calibration", "ten", "--trial", "base-seed0", "-o", "b.svg"]).code(0);
    assert_says(&read(&dir, "b.svg"), &["probability of the predicted class", ">Accuracy<"]);
    let regression = "title = \"R\"\n\n[data.diabetes]\nsplit = { test = 0.2, random_state = 1 }\n\n[network]\nlayers = [{ linear = 1 }]\n\n[train]\nepochs = 1\nbatch = 64\nloss = \"mse\"\noptimizer = { adam = { lr = 1e-2 } }\n";
    let file = dir.file("numbers.toml", regression);
    dir.run(&["exp", &file, "--device", "cpu", "--quiet"]).code(0);
    assert_says(&dir.error_message(&["plot", "calibration", "numbers"]), &["predicts numbers"]);
}

#[test]
fn plot_errors_are_reported_before_anything_is_written() {
    let dir = dir_with_run();
    dir.write("runs/empty/.keep", "");
    for (arguments, words) in [
        (&["plot", "two", "-o", "a.gif"][..], &["`-o a.gif` does not end in `.svg`, `.png` or `.pdf`"][..]),
        (&["plot", "two", "--ylim", "0,1"], &["`--ylim` is the range of one metric", "--metric"]),
        (&["plot", "two", "--metric", "loss", "--log", "--ylim", "0,1"], &["`--ylim` must start above 0", "found 0"]),
        (&["plot", "setting", "two"], &["no setting differs between these runs"]),
        (&["plot", "pr", "two", "two", "--by-class"], &["`--by-class` plots one run, found 2"]),
        (
            &["plot", "two", "-o", "a.svg", "--format", "png"],
            &["`-o a.svg` ends in `.svg`, but `--format` is `png`", "leave `--format` out"],
        ),
        (&["plot", "two", "-o", "two.toml/a.svg"], &["two.toml", "`-o FILE`"]),
        (&["plot", "tow"], &["no run `tow`", "`two`"]),
        (&["plot", "empty"], &["there is no history"]),
        (&["plot", "nothing/*.json"], &["nothing matches"]),
        (&["plot", "two", "--metric", "lss"], &["none of these runs has a curve of `lss`", "did you mean `loss`?"]),
        (&["plot", "two", "--trial", "base-seed7"], &["no", "base-seed7", "base-seed"]),
        (&["plot", "gradients", "two", "--metric", "saturation"], &["`gradient_norm`, `dead_units`"]),
        (&["plot", "compare", "two", "--metric", "test.acx"], &["test.acx"]),
        (&["plot", "samples", "two"], &["has no images"]),
        (&["plot", "samples", "digits", "--wrong"], &["`--wrong` applies only to runs"]),
        (&["plot", "samples", "digts"], &["did you mean the data set `digits`?"]),
        (&["plot", "classes", "diabetes"], &["no classes to plot"]),
        (&["plot", "classes", "none.csv"], &["none.csv"]),
    ] {
        assert_says(&dir.error_message(arguments), words);
    }
}

#[test]
fn readable_runs_are_drawn_and_the_others_reported() {
    let dir = dir_with_run();
    let original = read(&dir, "runs/two/latest/base-seed0.json");
    dir.write("cut.json", &original[..original.len() / 2]);
    dir.write("future.json", original.replacen("runner.history/2", "runner.history/9", 1));
    dir.write("other.json", "{\"a\": 1}");
    let drawn = dir.run(&["plot", "two", "cut.json", "future.json", "other.json", "-o", "a.svg"]).code(2);
    assert_says(&stderr(&drawn), &["cut.json", "runner.history/9", "other.json"]);
    assert_eq!(stderr(&drawn).matches("skipped").count(), 3, "{}", stderr(&drawn));
    assert_says(&read(&dir, "a.svg"), &["Two classes"]);
    let misspelled = dir.run(&["plot", "confusio", "two", "-o", "b.svg"]).code(2);
    assert_says(&stderr(&misspelled), &["did you mean the kind of plot `confusion`?"]);
}

#[test]
fn curves_with_nan_inf_or_one_epoch_are_drawn() {
    let dir = dir_with_run();
    let mut history: serde_json::Value = serde_json::from_str(&read(&dir, "runs/two/latest/base-seed0.json")).unwrap();
    history["history"]["loss"] = serde_json::json!([0.7, "inf", "nan"]);
    dir.write("broken.json", history.to_string());
    dir.run(&["plot", "broken.json", "-o", "broken.svg"]).code(0);
    assert_says(&read(&dir, "broken.svg"), &[">no longer finite<"]);
    let one = dir.file("one.toml", &idea_with("epochs = 2", "epochs = 1"));
    dir.run(&["exp", &one, "--device", "cpu", "--quiet"]).code(0);
    dir.run(&["plot", "one", "-o", "one.svg"]).code(0);
    assert_says(&read(&dir, "one.svg"), &["<circle", ">1<"]);
    dir.run(&["plot", "one", "two", "broken.json", "-o", "all.svg"]).code(0);
    let missing = dir.run(&["plot", "one", "two", "--metric", "val_acc", "-o", "some.svg"]).code(0);
    assert_says(&stderr(&missing), &["skipping `one`: no val_acc"]);
}

#[test]
fn trials_variants_and_axes_can_be_selected() {
    let dir = TestDir::new();
    let variants = "\n[[variants]]\nname = \"slow\"\n\n[[variants]]\nname = \"fast\"\nset = { \"train.optimizer.adam.lr\" = 0.01 }\n";
    let file = dir.file("rates.toml", &(IDEA.to_owned() + variants));
    dir.run(&["exp", &file, "--seeds", "0..1", "--device", "cpu", "--quiet"]).code(0);
    for (axis, word) in [("step", ">step<"), ("seconds", ">seconds<")] {
        dir.run(&["plot", "rates", "--x", axis, "--log", "-o", "a.svg"]).code(0);
        assert_says(&read(&dir, "a.svg"), &[word, "(log scale)", ">slow<", ">fast<"]);
    }
    dir.run(&["plot", "rates/fast", "-o", "fast.svg"]).code(0);
    let fast = read(&dir, "fast.svg");
    assert!(fast.contains("2 seeds") && !fast.contains(">slow<"), "{fast}");
    let named = dir.run(&["plot", "rates", "--trial", "fast-seed1"]).code(0);
    assert_eq!(stdout(&named), "fast-curves.svg\n");
    assert_says(&read(&dir, "fast-curves.svg"), &["seed 1"]);
}

#[test]
fn histories_of_other_programs_are_drawn() {
    let dir = TestDir::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/foreign");
    let names = ["keras.json", "lightning.csv", "skorch.json", "torch_tensorboard"];
    let names = names.map(|name| folder.join(name).display().to_string());
    let arguments: Vec<&str> =
        ["plot"].into_iter().chain(names.iter().map(String::as_str)).chain(["-o", "a.svg"]).collect();
    dir.run(&arguments).code(0);
    assert_says(&read(&dir, "a.svg"), &[">keras<", ">lightning<", ">skorch<", ">torch_tensorboard<"]);
    let roc = dir.error_message(&["plot", "roc", &names[0]]);
    assert_says(&roc, &["none of these runs has a ROC curve"]);
}

#[test]
fn class_and_sample_plots_work_for_data_sets_tables_and_runs() {
    let dir = dir_with_run();
    dir.run(&["plot", "classes", "digits"]).code(0);
    assert_says(&read(&dir, "digits-classes.svg"), &["Classes of digits", "1,797 rows", "183 (10.2 %)"]);
    dir.run(&["plot", "classes", "two"]).code(0);
    assert_says(&read(&dir, "two-classes.svg"), &["Training (", "Validation (", "Test ("]);
    dir.write("own.csv", "a,kind\n1,x\n2,x\n3,y\n");
    dir.run(&["plot", "classes", "own.csv", "--target", "kind"]).code(0);
    assert_says(&read(&dir, "own-classes.svg"), &["2 (66.7 %)", "1 (33.3 %)"]);

    dir.run(&["plot", "samples", "digits", "--count", "3"]).code(0);
    let samples = read(&dir, "digits-samples.svg");
    assert!(samples.contains(">row 2<") && !samples.contains(">row 3<") && samples.contains("crispEdges"), "{samples}");
    let split = "[data.digits]\nsplit = { test = 0.2, random_state = 1 }\n";
    let file = dir.file("seen.toml", &idea_with("[data.digits]\n", split));
    dir.run(&["exp", &file, "--device", "cpu", "--quiet"]).code(0);
    dir.run(&["plot", "samples", "seen", "--wrong", "--count", "5"]).code(0);
    let wrong = read(&dir, "seen-wrong.svg");
    assert_says(&wrong, &["✗", "true ", "wrong predictions"]);
    assert_eq!(wrong.matches(">true ").count(), 5, "{wrong}");
    dir.run(&["plot", "samples", "seen", "-o", "seen.png"]).code(0);
    size(&std::fs::read(dir.path("seen.png")).unwrap());
}
