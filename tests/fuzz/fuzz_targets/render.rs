//! Any bytes are refused or become a thumbnail that fits, within the memory that was planned.

#![no_main]

mod checks;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|source: &[u8]| checks::render_checked(source));
