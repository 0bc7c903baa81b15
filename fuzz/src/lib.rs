//! The functions that the fuzz targets call. The tests of `runner` call them too.

use std::panic::{set_hook, take_hook};
use std::sync::Once;

use runner::device::fault::is_handled;

#[path = "../../tests/it/hostile/targets/mod.rs"]
pub mod targets;

/// Passes the bytes to a target. A panic ends the process, as libFuzzer expects. The exception is a panic of a library
/// that the program catches and turns into an error.
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
