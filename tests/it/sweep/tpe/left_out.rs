//! Proposed configurations that cannot be trained are left out, and conditional settings.

use super::sets;
use crate::support::assert_says;
use crate::sweep::sweep_run::{dir_with_epochs, json, sweep, trained_of};

const UNITS: &str = "network.layers.0.linear.units";

#[test]
fn a_configuration_that_cannot_be_trained_is_recorded_and_another_one_takes_its_place() {
    let dir = dir_with_epochs(1);
    let units = format!("{UNITS}=8,16");
    let space =
        ["--space", "lr=0.001,0.01,0.1", "--space", &units, "--method", "tpe", "--seeds", "0", "--threads", "1"];
    let path = trained_of(&dir, &space, &["--workers", "1"]);
    assert_eq!(sets(&path).len(), 6);
    // layers without units cannot be trained: of nine configurations three are left over
    let wider = format!("{UNITS}=8,16,0,32");
    let (code, _, stderr) = sweep(&dir, &["extend", "idea", "--space", &wider, "--trials", "+5"]);
    assert_eq!(code, Some(0), "{stderr}");
    let (code, _, stderr) = sweep(&dir, &[&path.display().to_string(), "--resume"]);
    assert_eq!(code, Some(0), "{stderr}");
    let all = sets(&path);
    assert_eq!(all.len(), 9, "all that can be trained");
    assert!(all[6..].iter().all(|set| set[UNITS] == 32), "{all:?}");
    let round = json(&path.join("extend-2.json"))["round"].clone();
    let skipped = round["skipped"].as_array().unwrap();
    assert_eq!((skipped.len(), &round["is_last"]), (3, &true.into()));
    for one in skipped {
        assert_eq!(one["set"][UNITS], 0);
        assert_says(one["error"].as_str().unwrap(), &["cannot be trained", "units"]);
    }
    let (code, stdout, _) = sweep(&dir, &["verify", "idea"]);
    assert_eq!(code, Some(0), "{stdout}");
    assert_says(&stdout, &["verified: 9 configurations"]);
    let (code, stdout, _) = sweep(&dir, &["status", "idea"]);
    assert_eq!(code, Some(0));
    assert_says(&stdout, &["9 configurations", "9 of 9 done"]);
}

#[test]
fn settings_of_a_condition_are_varied_only_where_it_holds() {
    let dir = dir_with_epochs(1);
    let text = std::fs::read_to_string(dir.path("idea.toml")).unwrap();
    let sweep_table = "[sweep]\nmethod = \"tpe\"\nround = 4\ntrials = 20\nseeds = [0]\nmetric = \"best.val_acc\"\n\
                       [sweep.space]\n\"train.optimizer\" = [\"adam\", { sgd = { lr = 0.1 } }]\n\
                       \"train.batch\" = { int = [16, 64], log = true }\n[[sweep.when]]\n\
                       if = { \"train.optimizer\" = \"sgd\" }\nspace = { \"train.optimizer.sgd.lr\" = { log = [1e-3, 1.0] }, \
                       \"train.optimizer.sgd.momentum\" = [0.0, 0.9] }\n[[sweep.zip]]\n\"train.epochs\" = [1, 2]\n\
                       \"network.layers.0.linear.units\" = [8, 16]\n";
    dir.write("idea.toml", format!("{text}\n{sweep_table}"));
    let path = trained_of(&dir, &["--threads", "1"], &["--workers", "2"]);
    let all = sets(&path);
    assert_eq!(all.len(), 20);
    let mut with_sgd = 0;
    for set in &all {
        let is_sgd = set["train.optimizer"] != "adam";
        with_sgd += usize::from(is_sgd);
        let keys: Vec<&String> = set.as_object().unwrap().keys().collect();
        assert_eq!(keys.iter().any(|key| key.as_str() == "train.optimizer.sgd.momentum"), is_sgd, "{set}");
        assert_eq!(keys.iter().any(|key| key.as_str() == "train.optimizer.sgd.lr"), is_sgd, "{set}");
        assert_eq!(set["train.epochs"] == 2, set[UNITS] == 16, "{set}");
        assert!((16..=64).contains(&set["train.batch"].as_i64().unwrap()));
    }
    assert!((1..20).contains(&with_sgd));
    let (code, stdout, _) = sweep(&dir, &["verify", "idea"]);
    assert_eq!(code, Some(0), "{stdout}");
}
