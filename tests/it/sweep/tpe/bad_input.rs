//! Invalid rounds: exit code 2 with what is allowed, before anything is written.

use crate::support::assert_says;

const LR: [&str; 2] = ["--space", "lr=log:1e-4..1e-1"];

#[test]
fn rounds_need_the_method_and_at_least_one_configuration() {
    for (table, options, expected) in [
        (
            "",
            &["--round", "4", "--trials", "8"][..],
            &["`round` needs the method `tpe` or `gp`, found `sobol`", "--method tpe"][..],
        ),
        ("", &["--round", "0", "--method", "tpe"], &["--round", "at least 1"]),
        ("", &["--method", "tpe"], &["`trials` is missing: the range of `train.optimizer.adam.lr` is continuous"]),
        ("", &["--method", "tpe", "--trials", "70000"], &["`trials` must be at most 65536"]),
        (
            "[sweep]\nround = 0\nmethod = \"tpe\"\n",
            &["--trials", "8"],
            &["`round` must be at least 1, found 0", "line"],
        ),
        (
            "[sweep]\nround = 4\n",
            &["--trials", "8"],
            &["`round` needs the method `tpe` or `gp`, found `sobol`", "line"],
        ),
        (
            "[sweep]\nround = 4\nmethod = \"tpe\"\n",
            &["--trials", "8", "--round", "2", "--method", "random"],
            &["found `random`"],
        ),
        (
            "[[sweep.when]]\nif = { \"train.batch\" = 8 }\nspace = { \"train.clip\" = [1.0, 2.0] }\n",
            &["--trials", "8", "--method", "gp", "--space", "train.batch=8,16"],
            &["`gp` cannot search conditional settings, found `train.clip`", "line", "--method tpe"],
        ),
        (
            "",
            &["--trials", "8", "--method", "gp", "--space", "train.optimizer=adam,sgd"],
            &["`gp` cannot search conditional settings, found `train.optimizer.adam.lr`"],
        ),
        ("[sweep]\nmethod = \"tpes\"\n", &["--trials", "8"], &["unknown value `tpes`", "tpe"]),
    ] {
        let dir = super::super::dir(table);
        let all = [&["sweep", "idea.toml", "--dry-run"], &LR[..], options].concat();
        let message = dir.error_message(&all);
        assert_says(&message.split_whitespace().collect::<Vec<_>>().join(" "), expected);
        assert!(!dir.path("sweeps").exists());
    }
    let small = super::super::dir("");
    let few = ["sweep", "idea.toml", "--space", "train.batch=8,16", "--method", "tpe", "--trials", "3", "--dry-run"];
    assert_says(&small.error_message(&few), &["the space has only 2 different configurations"]);
}

#[test]
fn another_method_of_the_command_line_ignores_the_rounds_of_the_file() {
    let dir = super::super::dir("[sweep]\nround = 4\nmethod = \"tpe\"\ntrials = 3\n");
    dir.run(&[&["sweep", "idea.toml", "--dry-run", "--method", "random"], &LR[..]].concat()).code(0);
}
