//! CRCs for damaged PNGs.

/// Gives every chunk of a PNG the CRC that its damaged payload needs, so that the damage gets past it.
pub fn repair_crcs(png: &mut [u8]) {
    let mut at = 8;
    while let Some(length) = png
        .get(at..at + 4)
        .and_then(|bytes| <[u8; 4]>::try_from(bytes).ok())
    {
        let length = u32::from_be_bytes(length);
        let end = at + 8 + usize::try_from(length).expect("32 bits fit a usize");
        let (Some(covered), true) = (png.get(at + 4..end), png.len() >= end + 4) else {
            return;
        };
        let mut crc = flate2::Crc::new();
        crc.update(covered);
        png[end..end + 4].copy_from_slice(&crc.sum().to_be_bytes());
        at = end + 4;
    }
}
