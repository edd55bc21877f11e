//! Any body is a notification or malformed, and nothing else.

#![no_main]

use gcs_thumbnailer::event::Event;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let _ = Event::parse(|_| None, body);
});
