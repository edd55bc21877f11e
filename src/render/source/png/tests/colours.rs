//! Samples of every kind and depth, and what is transparent.

use super::*;

#[test]
fn greys_of_every_depth_span_black_to_white() {
    assert_eq!(File::row(3, 1, 0, &[0b0110_0000]).samples(), [0, 255, 255]);
    assert_eq!(
        File::row(4, 2, 0, &[0b00_01_10_11]).samples(),
        [0, 85, 170, 255]
    );
    assert_eq!(File::row(3, 4, 0, &[0x0F, 0x70]).samples(), [0, 255, 119]);
    assert_eq!(File::row(2, 8, 0, &[3, 250]).samples(), [3, 250]);
    // 16 bits are rounded, not cut: 0x12B4 is 18.6 steps of 257.
    assert_eq!(
        File::row(3, 16, 0, &[0x7F, 0x7F, 0x80, 0xFF, 0x80, 0xFE]).samples(),
        [127, 128, 128]
    );
    assert_eq!(
        File::row(2, 16, 0, &[0x12, 0xB4, 0xFF, 0xFF]).samples(),
        [19, 255]
    );
}

#[test]
fn the_grey_that_trns_names_is_transparent_at_every_depth() {
    let keyed = |file: File, key: [u8; 2]| {
        let pixels = rendered(&file.with(*b"tRNS", &key).bytes()).unwrap();
        let grey = |pixel: &[u8]| match *pixel {
            [grey, alpha] => (grey, alpha),
            [red, _, _, alpha] => (red, alpha),
            _ => panic!("no alpha"),
        };
        pixels
            .samples
            .chunks(pixels.model.channels())
            .map(grey)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        keyed(File::row(2, 1, 0, &[0b1000_0000]), [0, 1]),
        [(0, 0), (0, 255)]
    );
    assert_eq!(
        keyed(File::row(2, 1, 0, &[0b1000_0000]), [0, 0]),
        [(255, 255), (0, 0)]
    );
    assert_eq!(
        keyed(File::row(2, 2, 0, &[0b0110_0000]), [0, 2]),
        [(85, 255), (0, 0)]
    );
    assert_eq!(
        keyed(File::row(2, 4, 0, &[0x5A]), [0, 5]),
        [(0, 0), (170, 255)]
    );
    assert_eq!(
        keyed(File::row(2, 8, 0, &[9, 8]), [0, 9]),
        [(0, 0), (8, 255)]
    );
    assert_eq!(
        keyed(File::row(2, 16, 0, &[1, 2, 1, 3]), [1, 3]),
        [(1, 255), (0, 0)]
    );
}

#[test]
fn the_colour_that_trns_names_is_transparent() {
    let eight = File::row(2, 8, 2, &[1, 2, 3, 1, 2, 4]).with(*b"tRNS", &[0, 1, 0, 2, 0, 3]);
    assert_eq!(eight.samples(), [0, 0, 0, 0, 1, 2, 4, 255]);
    let row = [
        0x10, 0x10, 0x20, 0x20, 0x30, 0x30, 0x10, 0x10, 0x20, 0x20, 0x30, 0x31,
    ];
    let sixteen = File::row(2, 16, 2, &row).with(*b"tRNS", &row[..6]);
    assert_eq!(sixteen.samples(), [0, 0, 0, 0, 16, 32, 48, 255]);
}

#[test]
fn a_palette_has_alpha_for_its_first_colours_and_black_beyond_its_last() {
    let file =
        File::row(4, 4, 3, &[0x01, 0x2F]).with(*b"PLTE", &[10, 20, 30, 40, 50, 60, 70, 80, 90]);
    assert_eq!(
        file.samples(),
        [10, 20, 30, 40, 50, 60, 70, 80, 90, 0, 0, 0]
    );
    let file = file.with(*b"tRNS", &[255, 51]);
    let expected = [
        10, 20, 30, 255, 40, 50, 60, 51, 70, 80, 90, 255, 0, 0, 0, 255,
    ];
    assert_eq!(file.samples(), expected);
}

#[test]
fn a_grey_palette_comes_out_grey() {
    let file = File::row(2, 1, 3, &[0b0100_0000]).with(*b"PLTE", &[9, 9, 9, 200, 200, 200]);
    let pixels = rendered(&file.bytes()).unwrap();
    assert_eq!((pixels.model, pixels.samples), (Model::Grey, vec![9, 200]));
}

#[test]
fn stored_alpha_is_kept() {
    assert_eq!(
        File::row(2, 8, 4, &[10, 255, 200, 51]).samples(),
        [10, 255, 200, 51]
    );
    assert_eq!(
        File::row(1, 8, 6, &[10, 20, 30, 102]).samples(),
        [10, 20, 30, 102]
    );
    let row = [0x0A, 0x0A, 0x14, 0x14, 0x1E, 0x1E, 0x80, 0x80];
    assert_eq!(File::row(1, 16, 6, &row).samples(), [10, 20, 30, 128]);
}
