//! Flags and overrides (`--set`) of the command line.

use insta::assert_snapshot;

use crate::support::{TestDir, assert_says, error_of_arguments, error_with, has_nvidia_driver, stderr, stdout};

#[test]
fn override_of_an_unknown_setting_suggests_the_nearest() {
    assert_snapshot!(error_of_arguments(&["--set", "train.epoch=3"]), @r"
    error: failed to apply `--set train.epoch=3`: there is no `epoch` in `train`
    hint: did you mean `epochs`?
    ");
    assert_says(&error_of_arguments(&["--set", "tran.epochs=3"]), &["`tran`", "did you mean `train`?"]);
    assert_says(&error_of_arguments(&["--set", "lrr=3"]), &["did you mean `train.optimizer.adam.lr`?"]);
    let rate = error_of_arguments(&["--set", "train.optimizer.adam.rate=3"]);
    assert_says(&rate, &["no `rate` in `train.optimizer.adam`", "did you mean `train.optimizer.adam.lr`?"]);
    assert_says(&error_of_arguments(&["--set", "network.layers.0.linear.unit=8"]), &["did you mean `units`?"]);
    assert_says(&error_of_arguments(&["--set", "network.layers.9=relu"]), &["`9`", "numbered from 0 to 2"]);
    assert_says(&error_of_arguments(&["--set", "train.epochs.x=3"]), &["`x`", "write `--set train.epochs=…`"]);
    assert_says(&error_of_arguments(&["--set", "=3"]), &["--set =3", "no setting"]);
    assert_says(&TestDir::with_idea().error_message(&["show", "idea.toml", "--set", "train.epoch=3"]), &["`epochs`"]);
}

#[test]
fn a_name_of_several_settings_is_ambiguous() {
    let dir = TestDir::new();
    assert_snapshot!(dir.error_message(&["exp", "digits_mlp", "--set", "units=64"]), @r"
    error: failed to apply `--set units=64`: `units` is the name of 3 settings
    hint: write `network.layers.0.linear.units`, `network.layers.2.linear.units` or `network.layers.4.linear.units`
    ");
}

#[test]
fn options_of_a_job_need_slurm_also_with_other_options() {
    for arguments in [&["--print"][..], &["--print", "--resume"], &["--print", "--dry-run"]] {
        assert_says(&error_of_arguments(arguments), &["error: `--print` needs `--slurm`", "leave `--print` out"]);
    }
    for arguments in [&["--", "--time=1"][..], &["--resume", "--", "--time=1"]] {
        assert_says(&error_of_arguments(arguments), &["options of sbatch (`-- --time=1`) need `--slurm`"]);
    }
}

#[test]
fn override_without_an_equals_sign_shows_the_syntax() {
    assert_snapshot!(error_of_arguments(&["--set", "train.epochs"]), @r"
    error: failed to apply `--set train.epochs`: `=` is missing
    hint: write KEY=VALUE, such as `--set train.epochs=5`
    ");
}

#[test]
fn override_with_a_value_of_the_wrong_type_is_rejected() {
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
        assert_says(&error_of_arguments(&["--set", change]), words);
    }
}

#[test]
fn override_of_an_unused_optimizer_shows_how_to_change_it() {
    let message = error_of_arguments(&["--set", "train.optimizer.sgd.lr=0.1"]);
    assert_says(&message, &["no `sgd` in `train.optimizer`", "`adam`"]);
    assert_says(&message, &["--set 'train.optimizer={ sgd = {"]);
    let message = error_of_arguments(&["--set", "train.optimizer.lr=0.1"]);
    assert_says(&message, &["no `lr` in `train.optimizer`", "hint: did you mean `train.optimizer.adam.lr`?"]);
}

#[test]
fn names_of_settings_are_those_after_all_changes_in_either_order() {
    let dir = TestDir::with_idea();
    let optimizer = |changes: &[&str]| {
        let changes: Vec<&str> = changes.iter().flat_map(|change| ["--set", change]).collect();
        let history = dir.history(&[&["idea.toml", "--epochs", "1"], &changes[..]].concat());
        history["config"]["train"]["optimizer"].clone()
    };
    let wanted = serde_json::json!(0.25);
    for changes in [["lr=0.25", "optimizer=sgd"], ["optimizer=sgd", "lr=0.25"], ["optimizer.lr=0.25", "optimizer=sgd"]]
    {
        let found = optimizer(&changes);
        assert_eq!(found["sgd"]["lr"], wanted, "{changes:?}: {found}");
    }
    let found = optimizer(&["momentum=0.5", "train.optimizer={ sgd = { lr = 0.25 } }"]);
    assert_eq!((&found["sgd"]["lr"], &found["sgd"]["momentum"]), (&wanted, &0.5.into()), "{found}");
    let found = optimizer(&["lr=0.25", "lr=0.25"]);
    assert_eq!(found["adam"]["lr"], wanted, "a repeated change is no contradiction");
}

#[test]
fn a_change_that_would_replace_another_is_rejected() {
    assert_snapshot!(error_of_arguments(&["--set", "lr=0.1", "--set", "train.optimizer.adam.lr=0.2"]), @r"
    error: `--set train.optimizer.adam.lr=0.1` and `--set train.optimizer.adam.lr=0.2` both change `train.optimizer.adam.lr`
    hint: keep one of them
    ");
    for (first, second) in
        [("train.optimizer=sgd", "train.optimizer=adam"), ("train.optimizer={ adam = { lr = 0.1 } }", "lr=0.2")]
    {
        assert_says(&error_of_arguments(&["--set", first, "--set", second]), &["both change `train.optimizer"]);
    }
    let message = error_of_arguments(&["--set", "epochs=2", "--epochs", "3"]);
    assert_says(&message, &["`--set train.epochs=2` and `--epochs 3` both change `train.epochs`"]);
    let message = error_of_arguments(&["--set", "train.optimizer.adam.lr=5", "--set", "optimizer=sgd"]);
    assert_says(&message, &["no `adam` in `train.optimizer`"]);
    let message = TestDir::with_idea().error_message(&["show", "idea.toml", "--set", "batch=8", "--set", "batch=9"]);
    assert_says(&message, &["both change `train.batch`"]);
}

#[test]
fn the_end_of_a_key_is_enough_if_it_is_that_of_one_setting() {
    let dir = TestDir::with_idea();
    let history = dir.history(&["idea.toml", "--epochs", "1", "--set", "split.test=0.3"]);
    assert_eq!(history["config"]["data"]["digits"]["split"]["test"], 0.3);
    let message = error_of_arguments(&["--set", "loss.pos_weight=balanced"]);
    assert_says(&message, &["`loss.pos_weight` is not the full key of a setting"]);
}

#[test]
fn values_that_stand_for_something_else_are_corrected() {
    let layers = "hint: write layers: `--set 'network.layers=[{ linear = 64 }, \"relu\", { linear = 32 }, \"relu\", \
                  { linear = 10 }]'`";
    for change in ["network.layers=[64,32]", "hidden_units=[64,32]", "network.hidden=64,32", "layers=64,32"] {
        assert_says(&error_of_arguments(&["--set", change]), &[layers]);
    }
    for (change, hint) in [
        (
            "lr=0.1,0.01",
            "for several values, use `runner sweep` with `--space train.optimizer.adam.lr=0.1,0.01`, or write a table",
        ),
        ("network.layers[0].linear=8", "write `network.layers.0.linear`"),
        ("learning-rate=0.1", "did you mean `train.optimizer.adam.lr`?"),
        ("learningRate=0.1", "did you mean `train.optimizer.adam.lr`?"),
    ] {
        assert_says(&error_of_arguments(&["--set", change]), &[hint]);
    }
    assert_says(&error_of_arguments(&["--set", "layers=64"]), &["[{ linear = 64 }, \"relu\", { linear = 10 }]"]);
    let cost = error_of_arguments(&["--set", "threshold=cost"]);
    assert_says(&cost, &["write, for example, `{ cost = { miss = 10, false_alarm = 1 } }`"]);
    assert_says(&error_of_arguments(&["--set", "dropout=0.2"]), &["write `{ dropout = 0.2 }`"]);
    let dir = TestDir::new();
    dir.write("t.csv", "a,b,y\n".to_owned() + &"1,2,no\n2,1,yes\n".repeat(20));
    let table = "[data.csv]\npath = \"t.csv\"\ntarget = \"y\"\ndrop = [\"b\"]";
    let text = crate::support::idea_with("[data.digits]", table)
        .replace("{ linear = 10 }", "{ linear = 1 }")
        .replace("\"cross_entropy\"", "\"bce_with_logits\"");
    dir.write("idea.toml", text);
    let message = |change: &str| dir.error_message(&["exp", "idea.toml", "--set", change]);
    assert_says(&message("data.csv.drop=none"), &["hint: remove the list: `--unset data.csv.drop`"]);
    assert_says(&message("class_weight=balanced"), &["hint: write `--set pos_weight=balanced`"]);
    let history =
        dir.history(&["idea.toml", "--epochs", "1", "--set", "pos_weight=balanced", "--set", "loss=bce_with_logits"]);
    assert_eq!(history["config"]["train"]["loss"]["bce_with_logits"]["pos_weight"], "balanced");
}

#[test]
fn override_with_invalid_toml_is_rejected() {
    let message = error_of_arguments(&["--set", "train.optimizer={ sgd = { lr = 0.1 }"]);
    assert!(!message.contains("did you mean"), "{message}");
}

#[test]
fn errors_on_the_command_line_do_not_name_a_line_of_the_file() {
    for arguments in [["--epochs", "0"], ["--set", "train.epochs=0"], ["--set", "train.optimizer.adam.lr=-1"]] {
        let message = error_of_arguments(&arguments);
        assert!(!message.contains("line "), "{message}");
    }
    let message = error_of_arguments(&["--set", "network.layers=[{ linear = 5 }]"]);
    assert_says(&message, &["`train.loss` does not fit", "(with `--set network.layers=[{ linear = 5 }]`)"]);
    let message = error_of_arguments(&["--set", "data.digits.split.validation=2", "--set", "train.epochs=3"]);
    assert_says(&message, &["`data.digits.split.validation`", "found 2", "`--set data.digits.split.validation=2`"]);
    let message = TestDir::new().error_message(&["show", "digits_mlp", "--set", "train.batch=0"]);
    assert_says(&message, &["`train.batch`", "found 0", "`--set train.batch=0`"]);
}

#[test]
fn zero_epochs_are_rejected() {
    assert_says(&error_of_arguments(&["--epochs", "0"]), &["epochs", "at least 1", "0"]);
    assert_says(&error_of_arguments(&["--epochs", "0", "--quiet"]), &["epochs"]);
    assert_says(&error_of_arguments(&["--epochs", "0", "--json"]), &["epochs"]);
}

#[test]
fn zero_threads_and_too_many_threads_are_rejected() {
    for threads in ["0", "-2", "1025", "many"] {
        let expected = ["--threads", threads, "at least 1 and at most 1,024", "this machine has "];
        assert_says(&error_of_arguments(&["--threads", threads]), &expected);
        assert_says(&TestDir::new().error_message(&["eval", "any", "--threads", threads]), &expected);
    }
}

#[test]
fn a_stack_size_of_zero_is_rejected() {
    for stack in ["0", "-1", "wide"] {
        assert_says(&error_of_arguments(&["--stack", stack]), &["--stack", stack, "at least 1"]);
    }
}

#[test]
fn zero_epochs_are_reported_with_the_flag_that_was_used() {
    assert_says(&error_of_arguments(&["--epochs", "0"]), &["--epochs"]);
}

#[test]
fn epochs_that_are_no_integer_are_rejected() {
    assert_says(&error_of_arguments(&["--epochs", "many"]), &["`many`", "--epochs", "whole number"]);
    assert_says(&error_of_arguments(&["--epochs", "-1"]), &["`-1`", "--epochs", "whole number"]);
}

#[test]
fn empty_or_repeated_seeds_are_rejected() {
    assert_snapshot!(error_of_arguments(&["--seeds", "4..0"]), @r"
    error: invalid value `4..0` for `--seeds`: `4..0` is an empty range: 4 is greater than 0
    ");
    assert_says(&error_of_arguments(&["--seeds", "1,2,1"]), &["`seeds`", "must differ", "[1, 2, 1]"]);
    assert_says(&error_of_arguments(&["--seeds", "a..b"]), &["`0..4`", "`1,5,7`", "found `a`"]);
    assert_says(&error_of_arguments(&["--seeds", "0..9999999"]), &["more than 10,000 seeds"]);
    assert_says(&error_of_arguments(&["--seed", "1", "--seeds", "1..2"]), &["--seed", "--seeds", "cannot be used"]);
    assert_says(&error_with("[data.digits]", "seeds = [1, 1]\n[data.digits]"), &["must differ", "line 3"]);
    assert_says(
        &error_with("[data.digits]", "seeds = []\n[data.digits]"),
        &["`seeds` must contain at least one seed", "line 3"],
    );
}

#[test]
fn unknown_devices_are_rejected_with_the_list_of_devices() {
    assert_snapshot!(error_of_arguments(&["--device", "gpu"]), @r"
    error: invalid value `gpu` for `--device`: must be `auto`, `cpu`, `cuda` or `cuda:N`
    ");
}

#[test]
fn a_missing_gpu_is_reported_with_the_reason() {
    if has_nvidia_driver() {
        return;
    }
    assert_snapshot!(error_of_arguments(&["--device", "cuda"]), @r"
    error: failed to use `--device cuda`
      because no NVIDIA driver was found
    hint: install the NVIDIA driver, or use `--device cpu`
    ");
}

#[test]
fn gpu_errors_name_the_device_as_it_was_typed() {
    if has_nvidia_driver() {
        return;
    }
    assert_says(&error_of_arguments(&["--device", "cuda:1"]), &["`--device cuda:1`", "no NVIDIA driver"]);
}

#[test]
fn a_file_in_place_of_the_output_directory_is_reported_before_training() {
    let dir = TestDir::with_idea();
    dir.write("taken", "a file of the user's");
    assert_snapshot!(dir.error_message(&["exp", "idea.toml", "--out", "taken"]), @r"
    error: failed to create the run directory in `taken/idea`
      because Not a directory (os error 20)
    hint: choose a writable directory: `--out DIR`
    ");
    assert_says(&dir.error_message(&["exp", "idea.toml", "--out", "taken/deeper"]), &["`taken/deeper", "--out DIR"]);
    assert_eq!(std::fs::read_to_string(dir.path("taken")).unwrap(), "a file of the user's");
}

#[test]
fn a_name_that_one_setting_has_is_its_key() {
    let dir = TestDir::with_idea();
    let history = dir.history(&["idea.toml", "--set", "lr=0.01", "--set", "batch_size=32", "--set", "epochs=1"]);
    let train = &history["config"]["train"];
    assert_eq!(train["optimizer"]["adam"]["lr"], 0.01);
    assert_eq!((&train["batch"], &train["epochs"]), (&32.into(), &1.into()));
    assert_says(&stdout(&dir.run(&["runs"]).code(0)), &["lr=0.01", "epochs=1"]);
    let message = dir.error_message(&["exp", "idea.toml", "--set", "linear=8"]);
    assert_says(&message, &["`network.layers.0.linear` or `network.layers.2.linear`"]);
    let seen = dir.history(&["idea.toml", "--epochs", "1", "--set", "train.optimizer.Adam.lr=0.02"]);
    assert_eq!(seen["config"]["train"]["optimizer"]["adam"]["lr"], 0.02);
}

#[test]
fn the_file_of_an_experiment_names_its_newest_run() {
    let dir = TestDir::with_idea();
    assert_says(
        &dir.error_message(&["eval", "idea.toml"]),
        &["`idea.toml` is a file, not a run", "runner exp idea.toml"],
    );
    dir.exp(&["idea.toml"]);
    for command in ["report", "compare", "plot", "show"] {
        dir.run(&[command, "idea.toml"]).code(0);
    }
    assert_says(&stdout(&dir.run(&["eval", "idea.toml", "--data", "train"]).code(0)), &["trial base-seed0"]);
    assert_says(&stderr(&dir.run(&["resume", "idea.toml"]).code(0)), &["complete"]);
}
