//! As `render`, but every chunk gets the CRC that its damaged payload needs, so that the damage gets past the check.

#![no_main]

mod checks;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|source: &[u8]| {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    png.extend(source.strip_prefix(png.as_slice()).unwrap_or(source));
    repair_crcs(&mut png);
    checks::render_checked(&png);
});

fn repair_crcs(png: &mut [u8]) {
    let mut at = 8;
    while let Some(length) = png
        .get(at..at + 4)
        .and_then(|bytes| <[u8; 4]>::try_from(bytes).ok())
    {
        let end = at + 8 + u32::from_be_bytes(length) as usize;
        let (Some(covered), true) = (png.get(at + 4..end), png.len() >= end + 4) else {
            return;
        };
        let mut crc = flate2::Crc::new();
        crc.update(covered);
        png[end..end + 4].copy_from_slice(&crc.sum().to_be_bytes());
        at = end + 4;
    }
}
