//! Frames of GIFs.

use super::*;
use crate::render::{SourceFormat, SourceFormats};

const LIMITS: Limits = Limits {
    max_pixels: 1000,
    formats: SourceFormats::DEFAULT.with(SourceFormat::Gif),
};

/// A canvas of 3x2 whose frame of 2x1 at (1, 1) has the colours 1 and 0 of a palette of two.
fn gif() -> Vec<u8> {
    let mut gif = b"GIF89a\x03\0\x02\0\x80\0\0".to_vec();
    gif.extend([10, 20, 30, 40, 50, 60]);
    gif.extend([EXTENSION, GRAPHIC_CONTROL, 4, 0, 0, 0, 0, 0]);
    gif.extend([IMAGE_DESCRIPTOR, 1, 0, 1, 0, 2, 0, 1, 0, 0]);
    // Codes of 3 bits from the lowest on: clear (4), 1, 0, end (5).
    gif.extend([2, 2, 0b00_001_100, 0b0000_1010, 0, TRAILER]);
    gif
}

fn rows(source: &[u8]) -> Result<Vec<(usize, Vec<u8>)>, Refusal> {
    let header = Header::read(source, LIMITS)?;
    let mut rows = Vec::new();
    header.walk(&mut |_, y, row| rows.push((y, row.to_vec())))?;
    Ok(rows)
}

#[test]
fn a_frame_lies_where_it_says() {
    let gif = gif();
    let header = Header::read(&gif, LIMITS).unwrap();
    assert_eq!((header.size, header.left), ((3, 2), 1));
    assert_eq!(rows(&gif), Ok(vec![(1, vec![1, 0])]));
}

#[test]
fn codes_that_the_decoder_holds_back_are_waited_for() {
    let head = b"GIF89a\x04\0\x02\0\x80\0\0\0\0\0\xFF\xFF\xFF,\0\0\0\0\x04\0\x02\0\0";
    let rows_of = |codes: &[u8]| rows(&[head, codes, &[0, TRAILER]].concat());
    // Codes of 8 bits: clear, eight indices, end. The last ones come without input of theirs.
    let last = rows_of(&[7, 10, 0x80, 0, 1, 2, 3, 4, 5, 1, 0, 0x81]);
    let expected = vec![(0, vec![0, 1, 2, 3]), (1, vec![4, 5, 1, 0])];
    assert_eq!(last, Ok(expected));
    // Codes of 3 bits, cleared behind every two indices, as encoders without a dictionary do.
    let cleared = rows_of(&[2, 5, 0x44, 0xA8, 0x11, 0xA1, 0x56]);
    let expected = vec![(0, vec![0, 1, 2, 3]), (1, vec![0, 1, 2, 3])];
    assert_eq!(cleared, Ok(expected));
}

#[test]
fn a_file_that_ends_before_its_picture_does_is_refused() {
    let gif = gif();
    for end in 6..gif.len() - 2 {
        assert_eq!(rows(&gif[..end]), Err(Refusal::Truncated), "{end}");
    }
    assert!(rows(&gif[..gif.len() - 2]).is_ok());
}

#[test]
fn too_little_data_and_no_frame_are_corrupt() {
    let mut short = gif();
    let codes = short.len() - 4;
    // Clear, 1, end.
    short[codes..codes + 2].copy_from_slice(&[0b01_001_100, 0b0000_0001]);
    assert!(matches!(rows(&short), Err(Refusal::Corrupt(_))));
    let none = [&gif()[..27], &[TRAILER]].concat();
    assert!(matches!(rows(&none), Err(Refusal::Corrupt(_))));
}

#[test]
fn a_colour_behind_the_palette_is_black_or_transparent() {
    let mut gif = gif();
    // The graphic control's flags, and its index.
    (gif[22], gif[25]) = (1, 3);
    let colours = Header::read(&gif, LIMITS).unwrap().colours();
    assert_eq!(
        colours[1..5],
        [
            [40, 50, 60, 255],
            [0, 0, 0, 255],
            [0, 0, 0, 0],
            [0, 0, 0, 255]
        ]
    );
}

#[test]
fn a_canvas_grows_to_its_first_frame_within_the_limit() {
    let mut gif = gif();
    let width = 27 + 5;
    gif[width..width + 2].copy_from_slice(&[200, 0]);
    assert_eq!(Header::read(&gif, LIMITS).unwrap().size, (201, 2));
    gif[width..width + 2].copy_from_slice(&[0xFF, 0x7F]);
    let refused = Header::read(&gif, LIMITS).err();
    assert!(matches!(refused, Some(Refusal::TooManyPixels { .. })));
}
