//! Checkpoints and locks that do not belong to the run or are damaged.

use super::run::{killed, latest, refused};
use crate::support::{Place, assert_says};

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let (ours, other) = (killed(), killed());
    let of = |place: &Place| latest(place).join("checkpoint.safetensors");
    let theirs = other.path("theirs.safetensors");
    std::fs::copy(of(&other), &theirs).unwrap();
    let text = std::fs::read_to_string(latest(&ours).join("run.json")).unwrap();
    // the same network, trials and epochs, and another learning rate
    std::fs::write(latest(&ours).join("run.json"), text.replace("lr = 1e-3", "lr = 2e-3")).unwrap();
    std::fs::copy(theirs, of(&ours)).unwrap();
    let said = refused(&ours);
    assert_says(&said, &["not one of this run", "other settings", "hint: without it", "rm '"]);
}

#[test]
fn a_checkpoint_that_is_damaged_is_refused_with_the_way_out() {
    let place = killed();
    let file = latest(&place).join("checkpoint.safetensors");
    let whole = std::fs::read(&file).unwrap();
    for place_of_bit in [9, whole.len() / 2, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[place_of_bit] ^= 1;
        std::fs::write(&file, damaged).unwrap();
        assert_says(&refused(&place), &["checkpoint.safetensors", "damaged", "hint: without it", "rm '"]);
    }
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    assert_says(&refused(&place), &["damaged"]);
}

#[cfg(unix)]
#[test]
fn a_lock_that_is_a_link_is_refused_and_what_it_leads_to_is_left_alone() {
    let place = killed();
    place.write("precious", "the user's own");
    let lock = latest(&place).join(".lock");
    let _ = std::fs::remove_file(&lock); // the one of the killed run
    std::os::unix::fs::symlink(place.path("precious"), &lock).unwrap();
    assert_says(&refused(&place), &["failed to lock", "hint: "]);
    assert_eq!(std::fs::read_to_string(place.path("precious")).unwrap(), "the user's own");
}
