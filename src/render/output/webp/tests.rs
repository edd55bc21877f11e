#![expect(
    clippy::cast_possible_truncation,
    reason = "pictures are made of small numbers"
)]

use image_webp::WebPDecoder;

use super::*;
use crate::render::output::pictures::{pixels, quality, rms, smooth};

/// The samples, with or without alpha as the file has it.
fn decoded(file: &[u8]) -> ([usize; 2], Vec<u8>, bool) {
    let mut decoder = WebPDecoder::new(std::io::Cursor::new(file)).unwrap();
    assert!(decoder.is_lossy());
    let (width, height) = decoder.dimensions();
    let mut samples = vec![0; decoder.output_buffer_size().unwrap()];
    decoder.read_image(&mut samples).unwrap();
    let sides = [width as usize, height as usize];
    (sides, samples, decoder.has_alpha())
}

/// Red, green and blue of a model's samples.
fn rgb(model: Model, samples: &[u8]) -> Vec<u8> {
    let pixels = samples.chunks(model.channels());
    pixels
        .flat_map(|pixel| match *pixel {
            [grey] | [grey, _] => [grey; 3],
            _ => [pixel[0], pixel[1], pixel[2]],
        })
        .collect()
}

/// At quality 100 the quantizer's steps are about 4 (RFC 6386, 14.1): half of one in luma, and twice that in chroma,
/// whose factor is 2.0 (BT.601 with its narrow range); the ranges' own steps add half a unit.
const MOST: f64 = 2.0 + 4.0 + 0.5;

#[test]
fn every_model_comes_back() {
    for sides in [[1, 1], [2, 3], [64, 48], [129, 31]] {
        for model in [Model::Grey, Model::GreyAlpha, Model::Rgb, Model::Rgba] {
            let opaque = |[x, y, c]: [usize; 3]| match (model, c) {
                (Model::GreyAlpha, 1) | (Model::Rgba, 3) => 255 - (x % 2) as u8,
                _ => smooth([x, y, c]),
            };
            let pixels = pixels(model, sides, opaque);
            let (read_sides, read, _) = decoded(&encode(&pixels, quality(100)).unwrap());
            assert_eq!(read_sides, sides);
            let channels = read.len() / (sides[0] * sides[1]);
            let read = rgb(
                if channels == 4 {
                    Model::Rgba
                } else {
                    Model::Rgb
                },
                &read,
            );
            let error = rms(&read, &rgb(model, &pixels.samples));
            assert!(error <= MOST, "{error} at {sides:?}, {model:?}");
        }
    }
}

#[test]
fn alpha_is_kept_exactly() {
    for model in [Model::GreyAlpha, Model::Rgba] {
        let alpha = |[x, y, c]: [usize; 3]| {
            if c == model.channels() - 1 {
                (x * 7 + y * 3) as u8
            } else {
                smooth([x, y, c])
            }
        };
        let pixels = pixels(model, [50, 40], alpha);
        for q in [1, 80] {
            let (_, read, has_alpha) = decoded(&encode(&pixels, quality(q)).unwrap());
            assert!(has_alpha);
            let read: Vec<u8> = read.chunks(4).map(|pixel| pixel[3]).collect();
            let written = pixels
                .samples
                .chunks(model.channels())
                .map(|p| p[p.len() - 1]);
            assert_eq!(read, written.collect::<Vec<_>>());
        }
    }
}

#[test]
fn what_is_opaque_has_no_alpha() {
    for model in [Model::Grey, Model::Rgb] {
        let (_, _, alpha) = decoded(&encode(&pixels(model, [9, 9], smooth), quality(80)).unwrap());
        assert!(!alpha);
    }
}

#[test]
fn colours_are_those_of_the_pixels_from_planes_too() {
    // The Y'CbCr of T.871, section 7.
    for (rgb, [luma, blue, red]) in [
        ([255, 255, 255], [255, 128, 128]),
        ([0, 0, 0], [0, 128, 128]),
        ([128, 128, 128], [128, 128, 128]),
        ([255, 0, 0], [76, 85, 255]),
        ([0, 255, 0], [150, 44, 21]),
        ([0, 0, 255], [29, 255, 107]),
        ([200, 100, 50], [124, 86, 182]),
    ] {
        for halved in [false, true] {
            let plane = |sample, length| vec![sample; length * length];
            let side = Chroma::side(halved, 21);
            let chroma = Chroma {
                blue: plane(blue, side),
                red: plane(red, side),
                halved,
            };
            let planes = Planes {
                width: 21,
                height: 21,
                luma: plane(luma, 21),
                chroma: Some(chroma),
            };
            let (_, read, _) = decoded(&encode_planes(&planes, quality(100)).unwrap());
            for pixel in read.chunks(3) {
                // A step of the quantizer is 4.
                let near = pixel.iter().zip(rgb).all(|(a, b)| a.abs_diff(b) <= 4);
                assert!(near, "{pixel:?} for {rgb:?}");
            }
        }
    }
}

#[test]
fn full_chroma_is_halved_to_means() {
    let plane: Vec<u8> = vec![10, 20, 30, 30, 40, 50, 70, 80, 90];
    assert_eq!(Chroma::halve(&plane, 3), [25, 40, 75, 90]);
    assert_eq!(Chroma::halve(&[10, 20], 1), [15]);
    assert_eq!(Chroma::halve(&[10, 20], 2), [15]);
    assert_eq!(Chroma::halve(&[7], 1), [7]);
}

#[test]
fn a_lower_quality_takes_fewer_bytes() {
    let pixels = pixels(Model::Rgb, [64, 64], |[x, y, c]| {
        (x * x + y * 31 + c * 7) as u8
    });
    let bytes = [1, 40, 80, 100].map(|q| encode(&pixels, quality(q)).unwrap().len());
    assert!(bytes.is_sorted(), "{bytes:?}");
}

#[test]
fn the_longest_and_thinnest_are_coded() {
    for sides in [[8192, 1], [1, 8192], [8192, 17], [16_383, 1], [1, 16_383]] {
        for model in [Model::Grey, Model::GreyAlpha, Model::Rgb, Model::Rgba] {
            let file = encode(&pixels(model, sides, smooth), quality(80)).unwrap();
            assert_eq!(decoded(&file).0, sides);
        }
    }
}

#[test]
fn a_side_that_the_file_has_no_number_for_is_refused() {
    for sides in [[16_384, 1], [1, 16_384], [0, 1], [1, 0]] {
        assert!(encode(&pixels(Model::Grey, sides, |_| 0), quality(80)).is_err());
        assert!(encode(&pixels(Model::Rgb, sides, |_| 0), quality(80)).is_err());
    }
}

#[test]
fn only_large_pictures_save_on_predictions() {
    let limits = [
        [1, 1],
        [1600, 1200],
        [2880, 2880],
        [4096, 4096],
        [8192, 8192],
    ];
    assert_eq!(limits.map(partition_limit), [0, 0, 0, 30, 65]);
    // Both sides at libwebp's own limit.
    assert!(partition_limit([16_383, 16_383]) < 100);
}
