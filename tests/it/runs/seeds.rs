//! Seeds that would give the same random numbers, and expectations that apply to none of the seeds.

use crate::support::{IDEA, TestDir, assert_says, idea_with, stderr, stdout};

/// Settings for a tree instead of a network.
const TREE: &str = "title = \"A tree\"\nseeds = [0]\n[data.digits]\n[tree]\nmax_depth = 3\n";

#[test]
fn seeds_with_equal_low_32_bits_are_rejected() {
    let dir = TestDir::with_idea();
    dir.write("tree.toml", TREE);
    for (seeds, one, other) in [
        ("0,4294967296", "0", "4294967296"),
        ("0,-9223372036854775808", "0", "-9223372036854775808"),
        ("7,4294967295,-1", "4294967295", "-1"),
        ("-4294967295,5,1", "-4294967295", "1"),
    ] {
        for experiment in ["idea.toml", "tree.toml"] {
            let message = dir.error_message(&["exp", experiment, "--seeds", seeds, "--device", "cpu"]);
            let words = format!("`seeds` {one} and {other} give the same random numbers");
            assert_says(&message, &[&words, "32 bits", "\nhint: "]);
        }
    }
    dir.write("idea.toml", idea_with("title = \"An idea\"", "title = \"An idea\"\nseeds = [3, 4294967299]"));
    assert_says(&dir.error_message(&["exp", "idea.toml"]), &["`seeds` 3 and 4294967299", "idea.toml"]);
}

#[test]
fn large_and_negative_seeds_with_different_low_32_bits_are_trained() {
    let dir = TestDir::with_idea();
    let histories = dir.histories(&["idea.toml", "--seeds", "1,4294967296,-2,9223372036854775807"]);
    let mut losses: Vec<String> = histories.iter().map(|history| history["history"]["loss"][1].to_string()).collect();
    losses.sort();
    losses.dedup();
    assert_eq!(losses.len(), 4, "different seeds must give different losses");
}

const EXPECT: &str = "\n[[expect]]\nclaim = \"It learns\"\nvalue = \"last.loss\"\nat_most = 100.0\n";

#[test]
fn strict_fails_if_no_expectation_applies_to_the_seeds() {
    let dir = TestDir::new();
    dir.write("idea.toml", format!("{IDEA}{EXPECT}seed = 3\n"));
    let exp = |more: &[&str]| dir.run(&[&["exp", "idea.toml", "--device", "cpu"], more].concat());
    let words = "no expectation applies to seed 7: `--strict` has nothing to check";
    for more in
        [&["--seed", "7", "--strict"][..], &["--seed", "7", "--strict", "--json"], &["--seed", "7", "-q", "--strict"]]
    {
        assert_says(&stderr(&exp(more).code(1)), &[words]);
    }
    exp(&["--seed", "7"]).code(0);
    exp(&["--seed", "3", "--strict"]).code(0);
    exp(&["--seeds", "3,7", "--strict"]).code(0);
    let several = stderr(&exp(&["--seeds", "7,9", "--strict"]).code(1));
    assert_says(&several, &["no expectation applies to seeds 7 and 9: `--strict`"]);
    // the same for a finished run
    let again = stderr(&exp(&["--seed", "7", "--strict", "--resume"]).code(1));
    assert_says(&again, &[words]);
}

#[test]
fn strict_fails_if_an_experiment_has_no_expectations() {
    let dir = TestDir::with_idea();
    let message = dir.run(&["exp", "idea.toml", "--strict", "--device", "cpu"]).code(1);
    assert_says(&stderr(&message), &["`idea` has no `[[expect]]`: `--strict` has nothing to check"]);
    assert_says(&stdout(&message), &["runs/idea/"]);
}
