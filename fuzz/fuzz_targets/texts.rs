#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| runner_fuzz::run(runner_fuzz::targets::texts, bytes));
