//! As `render`, but every chunk gets the CRC that its damaged payload needs, so that the damage gets past the check.

#![no_main]

mod checks;
#[path = "../../shared/png_crcs.rs"]
mod png_crcs;

use libfuzzer_sys::fuzz_target;
use png_crcs::repair_crcs;

fuzz_target!(|source: &[u8]| {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    png.extend(source.strip_prefix(png.as_slice()).unwrap_or(source));
    repair_crcs(&mut png);
    checks::render_checked(&png);
});
