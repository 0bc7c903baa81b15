//! The bodies of the fuzz targets, which the tests of `runner` run too.

use std::panic::{set_hook, take_hook};
use std::sync::Once;

use runner::device::fault::is_handled;

#[path = "../../tests/it/hostile/targets/mod.rs"]
pub mod targets;

/// Gives the bytes to a target. Any panic ends the process, as libFuzzer has it, but for one that the program expects of a
/// library and makes an error of.
pub fn run(target: fn(&[u8]), bytes: &[u8]) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let ends_the_process = take_hook();
        set_hook(Box::new(move |panic| {
            if !is_handled(panic.payload()) {
                ends_the_process(panic);
            }
        }));
    });
    target(bytes);
}
