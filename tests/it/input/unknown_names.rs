//! Unknown names are rejected with the nearest known name.

use insta::assert_snapshot;

use crate::support::{TestDir, assert_says, error_of_arguments, error_of_expectation, error_with};

#[test]
fn an_unknown_experiment_suggests_the_nearest_name() {
    assert_snapshot!(TestDir::new().error_message(&["exp", "overfit_minst"]), @r"
    error: no experiment `overfit_minst`
    hint: did you mean `overfit_mnist`?
    ");
    assert_says(
        &TestDir::new().error_message(&["show", "digits_mpl"]),
        &["`digits_mpl`", "did you mean `digits_mlp`?"],
    );
}

#[test]
fn an_unknown_experiment_without_a_near_name_suggests_the_list() {
    assert_snapshot!(TestDir::new().error_message(&["exp", "zzzz"]), @r"
    error: no experiment `zzzz`
    hint: name one that `runner list` shows, or the path of a file: `my/idea.toml`
    ");
    assert_says(&TestDir::new().error_message(&["exp", ""]), &["no experiment", "runner list"]);
    assert_snapshot!(TestDir::new().error_message(&["show", "zzzz"]), @r"
    error: no experiment or run `zzzz`
    hint: `runner list` shows all experiments, and `runner runs` all runs
    ");
}

#[test]
fn a_file_of_a_similar_name_is_suggested_and_other_files_are_named() {
    let dir = TestDir::with_idea();
    for name in ["ideo", "idea.tom"] {
        assert_says(&dir.error_message(&["exp", name]), &["did you mean `idea.toml`?"]);
    }
    let message = dir.error_message(&["exp", "curves.png"]);
    assert_says(&message, &["`curves.png` is an image, not an experiment file", "`runner list`"]);
    dir.run(&["exp", "idea.toml", "--quiet"]).code(0);
    let message = dir.error_message(&["plot", "feature_importance", "idea"]);
    assert_says(&message, &["neither a run nor a kind of plot", "`confusion`"]);
}

#[test]
fn a_missing_file_named_like_a_shipped_experiment_suggests_that_experiment() {
    assert_says(
        &TestDir::new().error_message(&["exp", "digits_mlp.toml"]),
        &["`digits_mlp.toml`", "did you mean `digits_mlp`?"],
    );
}

#[test]
fn an_unknown_key_is_rejected_with_its_line_and_the_nearest_key() {
    assert_snapshot!(error_with("epochs = 2", "epochs = 2\nepoch = 3"), @r"
    error: failed to read `idea.toml`
    TOML parse error at line 10, column 1
       |
    10 | epoch = 3
       | ^^^^^
    unknown key `epoch`, expected one of `epochs`, `batch`, `batch_size`, `shuffle`, `loss`, `optimizer`, `schedule`, `clip`, `penalty`, `augment`, `early_stopping`, `metrics`, `observe`, `monitor`, `keep`
    hint: did you mean `epochs`?
    ");
}

#[test]
fn an_unknown_key_is_rejected_in_every_table() {
    for (written, instead, nearest) in [
        ("title", "titel", "`title`"),
        ("[data.digits]", "[data.digits]\nscael = \"unit\"", "`scale`"),
        ("[data.digits]", "[data.digits]\nsplit = { validaton = 0.2 }", "`validation`"),
        ("[network]", "[network]\ninitt = \"pytorch\"", "`init`"),
        ("{ linear = 16 }", "{ linear = { unitz = 16 } }", "`units`"),
        ("lr = 1e-3", "lrr = 1e-3", "`lr`"),
    ] {
        let message = error_with(written, instead);
        assert_says(&message, &["`idea.toml`", "line ", &format!("did you mean {nearest}?")]);
    }
    assert_says(&error_of_expectation("value = \"last.acc\"\nat_leest = 1"), &["line 16", "did you mean `at_least`?"]);
}

#[test]
fn a_setting_of_the_whole_experiment_in_a_table_is_sent_to_the_top_of_the_file() {
    for (written, key) in [
        ("epochs = 2", "threshold = 0.3"),
        ("epochs = 2", "resample = \"smote\""),
        ("epochs = 2", "resample_before_split = true"),
        ("[network]", "positive = \"1\""),
        ("[data.digits]", "threshold = { max = \"f1\" }"),
    ] {
        let hint = format!("hint: write `{key}` at the top of the file, before the first table");
        assert_says(&error_with(written, &format!("{written}\n{key}")), &["unknown key", &hint]);
    }
    let message = error_of_arguments(&["--set", "train.threshold=0.3"]);
    assert_says(&message, &["there is no `threshold` in `train`", "did you mean `threshold`?"]);
}

#[test]
fn an_unknown_layer_suggests_the_nearest_layer() {
    let message = error_with("\"relu\"", "\"rellu\"");
    assert_says(&message, &["`idea.toml`", "line 6, column 28", "`rellu`", "^^^^^^^", "did you mean `relu`?"]);
    assert_says(&error_with("{ linear = 16 }", "{ liner = 16 }"), &["line 6", "did you mean `linear`?"]);
}

#[test]
fn an_unknown_loss_suggests_the_nearest_loss() {
    let message = error_with("\"cross_entropy\"", "\"cross_entropi\"");
    assert_says(&message, &["`idea.toml`", "line 11", "`cross_entropi`", "did you mean `cross_entropy`?"]);
}

#[test]
fn an_unknown_optimizer_suggests_the_nearest_optimizer() {
    let message = error_with("adam =", "adamm =");
    assert_says(&message, &["`idea.toml`", "line 12", "`adamm`", "did you mean `adam`?"]);
    let message = error_with("{ adam = { lr = 1e-3 } }", "\"sgdd\"");
    assert_says(&message, &["line 12", "`sgdd`", "did you mean `sgd`?"]);
}

#[test]
fn an_unknown_data_set_suggests_the_nearest_data_set() {
    let message = error_with("[data.digits]", "[data.digit]");
    assert_says(&message, &["`idea.toml`", "line 3", "`digit`", "did you mean `digits`?"]);
    assert_says(&error_with("[data.digits]", "[data.imagenet]"), &["`imagenet`", "`logic`, `digits`, `breast_cancer`"]);
    assert_says(
        &TestDir::new().error_message(&["data", "fetch", "minst"]),
        &["no data set `minst`", "did you mean `mnist`?"],
    );
    assert_says(
        &TestDir::new().error_message(&["data", "describe", "zzzz"]),
        &["no data set `zzzz`", "`logic`, `digits`, `breast_cancer`"],
    );
}

#[test]
fn an_unknown_value_of_a_setting_suggests_the_nearest_value() {
    for (written, instead, nearest) in [
        ("[data.digits]", "[data.logic]\ngate = \"xorr\"", "`xor`"),
        ("[data.digits]", "[data.digits]\nscale = \"units\"", "`unit`"),
        ("[network]", "[network]\ninit = \"pytorchh\"", "`pytorch`"),
        ("epochs = 2", "epochs = 2\nkeep = \"bets\"", "`best`"),
    ] {
        assert_says(&error_with(written, instead), &["line ", &format!("did you mean {nearest}?")]);
    }
}

#[test]
fn an_unknown_name_is_reported_with_its_kind() {
    for (written, instead, called) in [
        ("\"relu\"", "\"rellu\"", "layer `rellu`"),
        ("\"cross_entropy\"", "\"cross_entropi\"", "loss `cross_entropi`"),
        ("adam =", "adamm =", "optimizer `adamm`"),
        ("[data.digits]", "[data.digit]", "data set `digit`"),
    ] {
        assert_says(&error_with(written, instead), &[called]);
    }
}

#[test]
fn an_unknown_command_or_flag_suggests_the_nearest() {
    assert_snapshot!(TestDir::new().error_message(&["ex", "digits_mlp"]), @r"
    error: `runner` has no command `ex`
    hint: did you mean `exp`?
    ");
    assert_snapshot!(error_of_arguments(&["--epoch", "3"]), @r"
    error: `runner exp` has no option `--epoch`
    hint: did you mean `--epochs`?
    ");
    assert_says(&TestDir::new().error_message(&["list", "--zzz"]), &["has no option `--zzz`", "`runner list --help`"]);
    assert_says(
        &TestDir::new().error_message(&["list", "extra"]),
        &["`runner list` takes no further argument `extra`"],
    );
    assert_says(
        &TestDir::new().error_message(&["sweep", "digits_mlp", "other"]),
        &["`runner sweep` takes no further argument `other`", "`runner sweep --help`"],
    );
    assert_says(&TestDir::new().error_message(&["list", "--jsn"]), &["--jsn", "--json"]);
    assert_says(&TestDir::new().error_message(&["exp"]), &["NAME|FILE"]);
    assert_says(&TestDir::new().error_message(&["completions", "tcsh"]), &["tcsh", "bash", "zsh", "fish"]);
}

#[test]
fn all_mistakes_of_a_file_are_reported_at_once() {
    let dir = TestDir::new();
    let text = "title = \"t\"\n[data.digits]\n[compile]\nloss = \"mse\"\n[network]\nlayers = [\n  { conv2dd = 8 },\n  \"flatten\",\n  \
                { GaussianNoise = 0.1 },\n  { linear = 10 },\n]\n[train]\nepoch = 3\nbatch = 64\nloss = \"cross_entropy\"\n\
                callbacks = [\n  1,\n]\n";
    dir.write("idea.toml", text);
    let message = dir.error_message(&["exp", "idea.toml"]);
    let words = [
        "failed to read `idea.toml`: 5 mistakes",
        "line 3: unknown key `compile`",
        "line 7: unknown layer `conv2dd`",
        "line 9: unknown layer `GaussianNoise`",
        "there is no such layer: write `{ dropout = 0.2 }`",
        "line 13: unknown key `epoch`",
        "did you mean `epochs`?",
        "line 16: unknown key `callbacks`",
        "write `early_stopping = 5`",
    ];
    assert_says(&message, &words);
    // a single mistake is shown with its line
    dir.write("idea.toml", "title = \"t\"\ndata = \"digits\"\n[network]\nlayers = [\"nosuchthing\"]\n[train]\nepochs = 1\nbatch = 8\nloss = \"cross_entropy\"\noptimizer = \"adam\"\n");
    let message = dir.error_message(&["exp", "idea.toml"]);
    assert_says(&message, &["line 4, column", "unknown layer `nosuchthing`", "`linear`"]);
    assert!(message.lines().all(|line| line.chars().count() <= 80), "{message}");
}
