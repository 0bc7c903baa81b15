//! Names that do not exist are refused, with the nearest one that does.

use insta::assert_snapshot;

use crate::support::{Place, assert_says, refusal_of_arguments, refusal_of_expectation, refusal_with};

#[test]
fn an_unknown_experiment_is_refused_with_the_nearest_name() {
    assert_snapshot!(Place::new().refusal(&["exp", "overfit_minst"]), @r"
    error: there is no experiment `overfit_minst`
    hint: did you mean `overfit_mnist`?
    ");
    assert_says(&Place::new().refusal(&["show", "digits_mpl"]), &["`digits_mpl`", "did you mean `digits_mlp`?"]);
}

#[test]
fn an_experiment_far_from_every_name_is_refused_with_the_way_to_find_them() {
    assert_snapshot!(Place::new().refusal(&["exp", "zzzz"]), @r"
    error: there is no experiment `zzzz`
    hint: `runner list` shows all; a file of your own is named by its path, `my/idea.toml`
    ");
    assert_says(&Place::new().refusal(&["exp", ""]), &["there is no experiment", "runner list"]);
}

#[test]
fn a_file_with_the_name_of_a_shipped_experiment_is_refused_with_that_name() {
    assert_says(
        &Place::new().refusal(&["exp", "digits_mlp.toml"]),
        &["`digits_mlp.toml`", "did you mean `digits_mlp`?"],
    );
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_the_nearest_key() {
    assert_snapshot!(refusal_with("epochs = 2", "epochs = 2\nepoch = 3"), @r"
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
fn an_unknown_key_is_refused_in_every_table() {
    for (written, instead, nearest) in [
        ("title", "titel", "`title`"),
        ("[data.digits]", "[data.digits]\nscael = \"unit\"", "`scale`"),
        ("[data.digits]", "[data.digits]\nsplit = { validaton = 0.2 }", "`validation`"),
        ("[network]", "[network]\ninitt = \"pytorch\"", "`init`"),
        ("{ linear = 16 }", "{ linear = { unitz = 16 } }", "`units`"),
        ("lr = 1e-3", "lrr = 1e-3", "`lr`"),
    ] {
        let said = refusal_with(written, instead);
        assert_says(&said, &["`idea.toml`", "line ", &format!("did you mean {nearest}?")]);
    }
    assert_says(
        &refusal_of_expectation("value = \"last.acc\"\nat_leest = 1"),
        &["line 16", "did you mean `at_least`?"],
    );
}

#[test]
fn an_unknown_layer_is_refused_with_the_nearest_layer() {
    let said = refusal_with("\"relu\"", "\"rellu\"");
    assert_says(&said, &["`idea.toml`", "line 6, column 28", "`rellu`", "^^^^^^^", "did you mean `relu`?"]);
    assert_says(&refusal_with("{ linear = 16 }", "{ liner = 16 }"), &["line 6", "did you mean `linear`?"]);
}

#[test]
fn an_unknown_loss_is_refused_with_the_nearest_loss() {
    let said = refusal_with("\"cross_entropy\"", "\"cross_entropi\"");
    assert_says(&said, &["`idea.toml`", "line 11", "`cross_entropi`", "did you mean `cross_entropy`?"]);
}

#[test]
fn an_unknown_optimizer_is_refused_with_the_nearest_optimizer() {
    let said = refusal_with("adam =", "adamm =");
    assert_says(&said, &["`idea.toml`", "line 12", "`adamm`", "did you mean `adam`?"]);
    let said = refusal_with("{ adam = { lr = 1e-3 } }", "\"sgdd\"");
    assert_says(&said, &["line 12", "`sgdd`", "did you mean `sgd`?"]);
}

#[test]
fn an_unknown_data_set_is_refused_with_the_nearest_data_set() {
    let said = refusal_with("[data.digits]", "[data.digit]");
    assert_says(&said, &["`idea.toml`", "line 3", "`digit`", "did you mean `digits`?"]);
    assert_says(
        &refusal_with("[data.digits]", "[data.imagenet]"),
        &["`imagenet`", "`logic`, `digits`, `breast_cancer`"],
    );
    assert_says(&Place::new().refusal(&["data", "fetch", "minst"]), &["no data set `minst`", "did you mean `mnist`?"]);
    assert_says(
        &Place::new().refusal(&["data", "describe", "zzzz"]),
        &["no data set `zzzz`", "`logic`, `digits`, `breast_cancer`"],
    );
}

#[test]
fn an_unknown_word_of_a_setting_is_refused_with_the_nearest_word() {
    for (written, instead, nearest) in [
        ("[data.digits]", "[data.logic]\ngate = \"xorr\"", "`xor`"),
        ("[data.digits]", "[data.digits]\nscale = \"units\"", "`unit`"),
        ("[network]", "[network]\ninit = \"pytorchh\"", "`pytorch`"),
        ("epochs = 2", "epochs = 2\nkeep = \"bets\"", "`best`"),
    ] {
        assert_says(&refusal_with(written, instead), &["line ", &format!("did you mean {nearest}?")]);
    }
}

#[test]
fn an_unknown_name_is_called_what_it_is() {
    for (written, instead, called) in [
        ("\"relu\"", "\"rellu\"", "layer `rellu`"),
        ("\"cross_entropy\"", "\"cross_entropi\"", "loss `cross_entropi`"),
        ("adam =", "adamm =", "optimizer `adamm`"),
        ("[data.digits]", "[data.digit]", "data set `digit`"),
    ] {
        assert_says(&refusal_with(written, instead), &[called]);
    }
}

#[test]
fn an_unknown_command_or_flag_is_refused_with_the_nearest() {
    assert_snapshot!(Place::new().refusal(&["ex", "digits_mlp"]), @r"
    error: unrecognized subcommand 'ex'

      tip: some similar subcommands exist: 'export', 'exp'

    Usage: runner <COMMAND>

    For more information, try '--help'.
    ");
    assert_snapshot!(refusal_of_arguments(&["--epoch", "3"]), @r"
    error: unexpected argument '--epoch' found

      tip: a similar argument exists: '--epochs'

    Usage: runner exp --epochs <N> <NAME|FILE>

    For more information, try '--help'.
    ");
    assert_says(&Place::new().refusal(&["list", "--jsn"]), &["--jsn", "--json"]);
    assert_says(&Place::new().refusal(&["exp"]), &["NAME|FILE"]);
    assert_says(&Place::new().refusal(&["completions", "tcsh"]), &["tcsh", "bash", "zsh", "fish"]);
}
