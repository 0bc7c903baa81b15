//! Flags and overrides (`--set`) of the command line.

use insta::assert_snapshot;

use crate::support::{Place, assert_says, has_nvidia_driver, refusal_of_arguments, refusal_with};

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
    error: failed to apply `--set train.epochs`: `=` is missing
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
    error: invalid value '4..0' for '--seeds <SEEDS>': `4..0` is an empty range: 4 is greater than 0

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
