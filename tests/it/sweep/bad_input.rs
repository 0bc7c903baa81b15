//! Invalid sweeps: exit code 2 with the mistake, its place and what is allowed, before anything is written.

use crate::support::assert_says;
use crate::sweep::dir;

/// Error message of a sweep with this text at the end of its file, and these options.
#[track_caller]
fn error(sweep: &str, options: &[&str]) -> String {
    dir(sweep).error_message(&[&["sweep", "idea.toml"], options].concat())
}

#[test]
fn a_mistake_in_the_table_is_an_error_with_its_line() {
    for (sweep, words) in [
        ("[sweep]\nmethd = \"grid\"", &["line 16", "unknown key `methd`", "did you mean `method`?"][..]),
        ("[sweep]\nmethod = \"halton\"", &["line 16", "`halton`", "`grid`, `random`, `sobol`, `tpe`"]),
        (
            "[sweep]\ntrials = 0\n[sweep.space]\n\"train.batch\" = [1, 2]",
            &["`trials` must be at least 1, found 0", "idea.toml, line 16"],
        ),
        (
            "[sweep.space]\n\"train.bach\" = [1, 2]",
            &["there is no `bach` in `train`", "idea.toml, line 16", "did you mean `batch`?"],
        ),
        ("[sweep.space]\n\"train.batch\" = []", &["line 16", "the list of choices is empty"]),
        ("[sweep.space]\n\"train.batch\" = [8, 8]", &["line 16", "the choice `8` is listed twice"]),
        ("[sweep.space]\n\"train.batch\" = { int = [8, 2] }", &["line 16", "empty range: 8 is greater than 2"]),
        ("[sweep.space]\n\"train.batch\" = { int = [8, 9.5] }", &["line 16", "whole numbers, found `9.5`"]),
        (
            "[sweep.space]\n\"train.batch\" = { ints = [8, 9] }",
            &["line 16", "unknown key `ints`", "did you mean `int`?"],
        ),
        ("[sweep.space]\n\"train.batch\" = 8", &["line 16", "must be a list such as `[32, 64]`", "found `8`"]),
        (
            "[sweep.space]\n\"train.optimizer.adam.lr\" = { log = [0, 1] }",
            &["line 16", "`log` must begin above 0, found 0"],
        ),
        ("[sweep.space]\n\"train.optimizer.adam.lr\" = { float = [nan, 1] }", &["line 16", "finite numbers"]),
        ("[sweep.space]\n\"train.optimizer.adam.lr\" = [nan, 1]", &["line 16", "finite numbers"]),
        (
            "[sweep.space]\n\"train.batch\" = [8, 16]\n\"train.batch_size\" = [1, 2]",
            &["`train.batch` is in the space twice", "line 17"],
        ),
        (
            "[[sweep.zip]]\n\"train.batch\" = [8, 16]\n\"train.epochs\" = [1]",
            &["same length: `train.batch` has 2, `train.epochs` has 1", "line 15"],
        ),
        (
            "[sweep.space]\n\"train.batch\" = \"= train.epoch\"",
            &["there is no `epoch` in `train`", "line 16", "did you mean `epochs`?"],
        ),
        (
            "[sweep]\nmetric = \"test.acc\"\n[sweep.space]\n\"train.batch\" = [8, 16]",
            &["`test.acc`", "chosen by the same rows", "line 16", "`best.val_acc`"],
        ),
        (
            "[sweep]\nmetric = \"best.val_los\"\n[sweep.space]\n\"train.batch\" = [8, 16]",
            &[
                "; the first configuration, `0000`, has no metric `best.val_los`",
                "line 16",
                "did you mean `best.val_loss`?",
            ],
        ),
        (
            "[sweep]\nmetric = \"zzzz\"\n[sweep.space]\n\"train.batch\" = [8, 16]",
            &[
                "has no metric `zzzz`",
                "such as `last.loss`; prefixes: `first`, `last`, `epoch`, `best`, `min`, `max`, `diag",
            ],
        ),
        (
            "[sweep]\nmetric = \"best.epoch\"\n[sweep.space]\n\"train.batch\" = [8, 16]",
            &["must have a direction", "line 16"],
        ),
        (
            "[sweep.space]\n\"train.loss\" = [\"cross_entropy\", { cross_entropy = { label_smoothing = 0.1 } }]",
            &["`metric` is missing", "different losses", "`best.val_loss` cannot rank them", "--metric best.val_acc"],
        ),
        (
            "[sweep.space]\n\"train.batch\" = { float = [8, 16] }",
            &["configuration `0000` (batch=", "cannot be trained", "line 16"],
        ),
        ("[sweep]\nmetric = \"status\"\n[sweep.space]\n\"train.batch\" = [8, 16]", &["must be a number", "line 16"]),
    ] {
        assert_says(&error(sweep, &[]), words);
    }
}

#[test]
fn a_mistake_in_an_option_names_the_option() {
    for (options, words) in [
        (&[][..], &["the space is empty", "--space train.batch=32,64,128"][..]),
        (
            &["--space", "train.bach=1,2"],
            &["there is no `bach` in `train`", "`--space train.bach=1,2`", "did you mean `batch`?"],
        ),
        (
            &["--space", "batch=8,16", "--unset", "sweep.halving"],
            &["there is no setting `sweep`", "hint: use an option of `runner sweep`", "`--halving none`"],
        ),
        (&["--space", "title=a,b"], &["`title` must be the same", "`resample_before_split`, `threshold`, `train`"]),
        (&["--space", "units=8,16"], &["`units` is the name of 2 settings", "network.layers.0.linear.units"]),
        (&["--space", "lr=log:0..1"], &["`log` must begin above 0", "`--space lr=log:0..1`"]),
        (&["--space", "lr=0.1..1"], &["range without a kind", "`float:0.1..1`"]),
        (&["--space", "batch=8,16", "--space", "train.batch=1,2"], &["`train.batch` is in the space twice"]),
        (&["--space", "batch=8,16", "--trials", "0"], &["`--trials`", "at least 1"]),
        (
            &["--space", "batch=8,16", "--trials", "3"],
            &["`trials` is 3, but the space has only 2 different configurations", "`--trials 2`"],
        ),
        (&["--space", "lr=log:1e-4..1"], &["`trials` is missing", "`train.optimizer.adam.lr`", "`--trials 32`"]),
        (
            &["--space", "lr=log:1e-4..1", "--method", "grid"],
            &[
                "`grid` needs single values",
                "`train.optimizer.adam.lr`",
                "write values: `--space lr=1e-4,0.001,0.01,0.1,1.0`",
                "or use `--method sobol --trials 32`",
            ],
        ),
        (
            &["--space", "lr=log:0.002..0.03", "--method", "grid", "--trials", "9"],
            &["write values: `--space lr=0.002,0.01,0.03`, or use `--method sobol`"],
        ),
        (&["--space", "lr=log:0.2..0.5", "--method", "grid"], &["write values: `--space lr=0.2,0.27,0.37,0.5`"]),
        (&["--space", "lr=float:0.1..0.5", "--method", "grid"], &["add a step, `float:0..0.5:0.1`"]),
        (
            &["--space", "batch=8,16", "--set", "train.batch=4"],
            &["`train.batch` varies, and `--set train.batch=4` sets it"],
        ),
        (&["--space", "batch=8,16", "--set", "seeds=[1]"], &["`--seeds 0..4`"]),
        (&["--space", "batch=8,16", "--variant", "a"], &["no variant `a`"]),
        (&["--space", "batch=8,16", "--metric", "test.loss"], &["`test.loss`", "chosen by the same rows"]),
        (
            &["--space", "batch=8,16", "--set", "train.epoch=4"],
            &["failed to apply `--set train.epoch=4`", "did you mean `epochs`?"],
        ),
    ] {
        assert_says(&error("", options), words);
    }
}

#[test]
fn a_configuration_that_cannot_be_trained_is_named_with_its_values_before_the_first_is_trained() {
    let message = error("", &["--space", "train.batch=8,many,16"]);
    assert_says(
        &message,
        &[
            "configuration `000",
            "(batch=many) cannot be trained: `train.batch`: expected",
            "`--space train.batch=8,many,16`",
        ],
    );
    let message = error(
        "[sweep.space]\n\"train.optimizer.adam.lr\" = [0.1, -1, -2]\n\"train.batch\" = [8, 16]",
        &["--method", "grid"],
    );
    assert_says(
        &message,
        &[
            "configuration `0002` (lr=-1 batch=8) cannot be trained",
            "`train.optimizer.adam.lr` must be",
            "idea.toml, line 16",
            "4 of 6 configurations",
        ],
    );
    let message = error("", &["--space", "network.layers.2.linear.units=8,10"]);
    assert_says(&message, &["(units=8) cannot be trained", "10 outputs", "idea.toml, line 12"]);
    let message = error("[sweep.space]\n\"train.optimizer\" = [\"adam\", { adam = {} }]", &[]);
    assert_says(&message, &["have the same settings"]);
}
