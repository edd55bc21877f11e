//! Copies within the window, of what was decoded before (RFC 1951, section 3.2.3).

#![expect(clippy::inline_always, reason = "a match takes but a few instructions")]

/// How many bytes are copied at a time.
const CHUNK: usize = 16;

/// How far beyond its end a copy may write.
pub(super) const BEYOND: usize = 2 * CHUNK;

/// Copies `length` bytes from `distance` bytes before `at` to `at` on, and others behind them.
///
/// `distance` is neither zero nor greater than `at`, and the window has [`BEYOND`] bytes more.
#[inline(always)]
pub(super) fn copy(window: &mut [u8], at: usize, length: usize, distance: usize) {
    let from = at - distance;
    if distance < CHUNK {
        return repeat(window, at, length, distance);
    }
    chunk(window, from, at);
    chunk(window, from + CHUNK, at + CHUNK);
    for offset in (2 * CHUNK..length).step_by(2 * CHUNK) {
        chunk(window, from + offset, at + offset);
        chunk(window, from + offset + CHUNK, at + offset + CHUNK);
    }
}

#[inline(always)]
fn chunk(window: &mut [u8], from: usize, to: usize) {
    let bytes = window.get(from..).and_then(<[u8]>::first_chunk::<CHUNK>);
    if let Some(bytes) = bytes.copied()
        && let Some(place) = window.get_mut(to..).and_then(<[u8]>::first_chunk_mut)
    {
        *place = bytes;
    }
}

/// Repeats the last few bytes: what is copied is not all there yet.
#[inline(always)]
fn repeat(window: &mut [u8], at: usize, length: usize, distance: usize) {
    let Some(bytes) = window.get(at - distance..).and_then(<[u8]>::first_chunk) else {
        return;
    };
    let mut pattern = u128::from_le_bytes(*bytes) & ((1 << (8 * distance)) - 1);
    let mut repeated = distance;
    while repeated < CHUNK {
        pattern |= pattern << (8 * repeated);
        repeated *= 2;
    }
    let pattern = pattern.to_le_bytes();
    for offset in (0..length).step_by(CHUNK - CHUNK % distance) {
        let place = window.get_mut(at + offset..);
        if let Some(place) = place.and_then(<[u8]>::first_chunk_mut) {
            *place = pattern;
        }
    }
}
