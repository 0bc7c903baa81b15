//! Seeds that would draw the same numbers, and expectations that concern none of the seeds that run.

use crate::support::{IDEA, Place, assert_says, idea_with, stderr, stdout};

/// A tree in place of the network.
const TREE: &str = "title = \"A tree\"\nseeds = [0]\n[data.digits]\n[tree]\nmax_depth = 3\n";

#[test]
fn seeds_that_agree_in_their_low_32_bits_are_refused() {
    let place = Place::with_idea();
    place.write("tree.toml", TREE);
    for (seeds, one, other) in [
        ("0,4294967296", "0", "4294967296"),
        ("0,-9223372036854775808", "0", "-9223372036854775808"),
        ("7,4294967295,-1", "4294967295", "-1"),
        ("-4294967295,5,1", "-4294967295", "1"),
    ] {
        for experiment in ["idea.toml", "tree.toml"] {
            let said = place.refusal(&["exp", experiment, "--seeds", seeds, "--device", "cpu"]);
            let words = format!("`seeds` {one} and {other} draw the same numbers");
            assert_says(&said, &[&words, "32 bits", "\nhint: "]);
        }
    }
    place.write("idea.toml", idea_with("title = \"An idea\"", "title = \"An idea\"\nseeds = [3, 4294967299]"));
    assert_says(&place.refusal(&["exp", "idea.toml"]), &["`seeds` 3 and 4294967299", "idea.toml"]);
}

#[test]
fn large_and_negative_seeds_that_differ_in_their_low_32_bits_are_trained() {
    let place = Place::with_idea();
    let histories = place.histories(&["idea.toml", "--seeds", "1,4294967296,-2,9223372036854775807"]);
    let mut losses: Vec<String> = histories.iter().map(|history| history["history"]["loss"][1].to_string()).collect();
    losses.sort();
    losses.dedup();
    assert_eq!(losses.len(), 4, "each seed draws numbers of its own");
}

const EXPECT: &str = "\n[[expect]]\nclaim = \"It learns\"\nvalue = \"last.loss\"\nat_most = 100.0\n";

#[test]
fn strict_is_no_pass_where_no_expectation_concerns_the_seeds() {
    let place = Place::new();
    place.write("idea.toml", format!("{IDEA}{EXPECT}seed = 3\n"));
    let exp = |more: &[&str]| place.run(&[&["exp", "idea.toml", "--device", "cpu"], more].concat());
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
    // the same of a run that is finished already
    let again = stderr(&exp(&["--seed", "7", "--strict", "--resume"]).code(1));
    assert_says(&again, &[words]);
}

#[test]
fn strict_is_no_pass_where_an_experiment_expects_nothing() {
    let place = Place::with_idea();
    let said = place.run(&["exp", "idea.toml", "--strict", "--device", "cpu"]).code(1);
    assert_says(&stderr(&said), &["`idea` has no `[[expect]]`: `--strict` has nothing to check"]);
    assert_says(&stdout(&said), &["runs/idea/"]);
}
