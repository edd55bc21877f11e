#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "pictures are made of small numbers"
)]

use image::ImageFormat::Jpeg;
use proptest::prelude::*;

use super::*;
use crate::render::output::pictures::{noise, pixels, quality, rms, smooth};
use crate::render::pixels::Model;

const WHITE: Background = Background([255; 3]);

fn decoded(file: &[u8]) -> image::DynamicImage {
    image::load_from_memory_with_format(file, Jpeg).unwrap()
}

/// The most that quantization may change samples, root mean square: half of each step (Parseval), and half a unit of
/// rounding before and after.
fn most(steps: &Steps) -> f64 {
    let squares = steps.zigzag.map(|step| f64::from(step).powi(2));
    (squares.iter().sum::<f64>() / 64.0).sqrt() / 2.0 + 1.0
}

/// The segments before the coefficients, by marker.
fn segments(file: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut segments = Vec::new();
    let mut rest = &file[2..];
    while let [0xFF, marker, high, low, after @ ..] = rest {
        let (content, after) = after.split_at(usize::from(u16::from_be_bytes([*high, *low])) - 2);
        segments.push((*marker, content.to_vec()));
        rest = after;
        if *marker == 0xDA {
            break;
        }
    }
    segments
}

/// The components' sampling factors.
fn sampling(file: &[u8]) -> Vec<u8> {
    let segments = segments(file);
    let (_, frame) = segments.iter().find(|(m, _)| *m == 0xC0).unwrap();
    frame[6..].chunks(3).map(|component| component[1]).collect()
}

#[test]
fn grey_comes_back_within_half_a_step_at_every_quality() {
    for sides in [[1, 1], [7, 9], [64, 48], [129, 31]] {
        for q in [1, 10, 49, 50, 80, 90, 100] {
            for sample in [noise, smooth] {
                let pixels = pixels(Model::Grey, sides, sample);
                let file = encode(&pixels, quality(q), WHITE).unwrap();
                let read = decoded(&file);
                assert_eq!(read.color(), image::ColorType::L8);
                let error = rms(read.as_bytes(), &pixels.samples);
                assert!(error <= most(&Steps::luma(q)), "{error} at {sides:?}, {q}");
            }
        }
    }
}

#[test]
fn colour_comes_back_within_half_a_step_at_every_quality() {
    for sides in [[1, 1], [2, 3], [64, 48], [129, 31]] {
        for q in [1, 30, 80, 89, 90, 100] {
            let pixels = pixels(Model::Rgb, sides, smooth);
            let read = decoded(&encode(&pixels, quality(q), WHITE).unwrap());
            // Blue has the largest factor of chroma (T.871, section 7).
            let most = most(&Steps::luma(q)) + 1.772 * most(&Steps::chroma(q));
            let error = rms(read.as_bytes(), &pixels.samples);
            assert!(error <= most, "{error} at {sides:?}, {q}");
        }
    }
}

#[test]
fn colours_are_those_of_jfif() {
    // Flat pictures of primaries, greys and corners: only rounding may change them.
    for colour in [
        [255, 0, 0],
        [0, 255, 0],
        [0, 0, 255],
        [255, 255, 0],
        [0, 0, 0],
        [255, 255, 255],
        [77, 77, 77],
        [200, 100, 50],
    ] {
        let pixels = pixels(Model::Rgb, [20, 20], |[_, _, c]| colour[c]);
        for q in [89, 100] {
            let read = decoded(&encode(&pixels, quality(q), WHITE).unwrap()).into_rgb8();
            for pixel in read.pixels() {
                let near = pixel.0.iter().zip(colour).all(|(a, b)| a.abs_diff(b) <= 3);
                assert!(near, "{pixel:?} for {colour:?} at {q}");
            }
        }
    }
}

#[test]
fn chroma_is_halved_below_quality_90() {
    let pixels = pixels(Model::Rgb, [33, 17], smooth);
    for (q, expected) in [(1, 0x22), (89, 0x22), (90, 0x11), (100, 0x11)] {
        let file = encode(&pixels, quality(q), WHITE).unwrap();
        assert_eq!(sampling(&file), [expected, 0x11, 0x11]);
    }
}

#[test]
fn halved_chroma_is_the_mean_of_its_pixels() {
    // Columns of red and blue in turns: all chroma samples are alike, so a decoder makes all pixels of a luma alike.
    let pixels = pixels(Model::Rgb, [32, 32], |[x, _, c]| match (x % 2, c) {
        (0, 0) | (1, 2) => 255,
        _ => 0,
    });
    let read = decoded(&encode(&pixels, quality(89), WHITE).unwrap()).into_rgb8();
    let ycc = |[r, g, b]: [u8; 3]| {
        let [r, g, b] = [r, g, b].map(f64::from);
        [
            128.0 - 0.168_736 * r - 0.331_264 * g + 0.5 * b,
            128.0 + 0.5 * r - 0.418_688 * g - 0.081_312 * b,
        ]
    };
    let mean = [0, 1].map(|n| ycc([255, 0, 0])[n].midpoint(ycc([0, 0, 255])[n]));
    let all = read.pixels().map(|pixel| ycc(pixel.0));
    for n in [0, 1] {
        let read = all.clone().map(|p| p[n]).sum::<f64>() / 1024.0;
        // Values of red and blue that are out of range are cut off.
        assert!((read - mean[n]).abs() < 16.0, "{read} for {}", mean[n]);
    }
}

#[test]
fn what_lets_something_through_lies_over_the_background() {
    let background = Background([10, 200, 100]);
    for (alpha, expected) in [
        (0, [10, 200, 100]),
        (255, [240, 20, 60]),
        (128, [125, 110, 80]),
    ] {
        let rgba = pixels(Model::Rgba, [16, 16], |[_, _, c]| [240, 20, 60, alpha][c]);
        let read = decoded(&encode(&rgba, quality(100), background).unwrap()).into_rgb8();
        for pixel in read.pixels() {
            let near = pixel
                .0
                .iter()
                .zip(expected)
                .all(|(a, b)| a.abs_diff(b) <= 2);
            assert!(near, "{pixel:?} for {expected:?}");
        }
    }
}

#[test]
fn grey_stays_a_single_component_where_the_background_is_grey() {
    let ramp = |[x, _, c]: [usize; 3]| if c == 0 { 40 } else { x as u8 * 8 };
    let grey_alpha = pixels(Model::GreyAlpha, [32, 8], ramp);
    let file = encode(&grey_alpha, quality(100), Background([200; 3])).unwrap();
    assert_eq!(sampling(&file), [0x11]);
    let expected: Vec<u8> = (0..8 * 32)
        .map(|n| {
            let alpha = n % 32 * 8;
            ((40 * alpha + 200 * (255 - alpha) + 127) / 255) as u8
        })
        .collect();
    assert!(rms(decoded(&file).as_bytes(), &expected) <= most(&Steps::luma(100)));

    let file = encode(&grey_alpha, quality(100), Background([255, 0, 0])).unwrap();
    assert_eq!(sampling(&file).len(), 3);
    let over_red = decoded(&file).into_rgb8();
    let [r, g, b] = over_red.get_pixel(0, 0).0;
    assert!(r > 245 && g < 10 && b < 10, "{r} {g} {b}");
    let [r, g, b] = over_red.get_pixel(31, 7).0;
    assert!([r, g, b].iter().all(|s| s.abs_diff(46) < 10), "{r} {g} {b}");
}

#[test]
fn planes_are_coded_as_they_are() {
    for halved in [false, true] {
        let (width, height) = (45, 29);
        let side = |length| Chroma::side(halved, length);
        let difference = |c| {
            pixels(Model::Grey, [side(width), side(height)], |[x, y, _]| {
                smooth([x, y, c])
            })
        };
        let luma = pixels(Model::Grey, [width, height], smooth).samples;
        let [blue, red] = [1, 2].map(|c| difference(c).samples);
        let grey = Planes {
            width,
            height,
            luma: luma.clone(),
            chroma: None,
        };
        let colour = Planes {
            chroma: Some(Chroma { blue, red, halved }),
            ..grey.clone()
        };
        let file = encode_planes(&colour, quality(95)).unwrap();
        let factor = if halved { 0x22 } else { 0x11 };
        assert_eq!(sampling(&file), [factor, 0x11, 0x11]);
        let back = decoded(&file).into_rgb8();
        let expected: Vec<u8> = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .flat_map(|(x, y)| {
                let scale = if halved { 2 } else { 1 };
                let chroma = colour.chroma.as_ref().unwrap();
                let place = y / scale * side(width) + x / scale;
                let [l, b, r] =
                    [luma[y * width + x], chroma.blue[place], chroma.red[place]].map(f64::from);
                let (b, r) = (b - 128.0, r - 128.0);
                [
                    l + 1.402 * r,
                    l - 0.344_136 * b - 0.714_136 * r,
                    l + 1.772 * b,
                ]
                .map(|v| v.round() as u8)
            })
            .collect();
        // Decoders may interpolate between the halved samples, which here differ by up to 3.
        let most = most(&Steps::luma(95)) + 1.772 * (most(&Steps::chroma(95)) + 1.5);
        let error = rms(back.as_raw(), &expected);
        assert!(error <= most, "{error}");

        let pixels = pixels(Model::Grey, [width, height], smooth);
        assert_eq!(
            encode_planes(&grey, quality(80)).unwrap(),
            encode(&pixels, quality(80), WHITE).unwrap()
        );
    }
}

#[test]
fn there_is_nothing_in_it_but_the_picture() {
    let file = encode(&pixels(Model::Rgb, [9, 9], smooth), quality(80), WHITE).unwrap();
    let markers: Vec<u8> = segments(&file)
        .into_iter()
        .map(|(marker, _)| marker)
        .collect();
    let codes = [0xC4; 4];
    assert_eq!(
        markers,
        [&[0xE0, 0xDB, 0xDB, 0xC0][..], &codes, &[0xDA]].concat()
    );
    assert_eq!(file[..2], [0xFF, 0xD8]);
    assert_eq!(file[file.len() - 2..], [0xFF, 0xD9]);
}

#[test]
fn the_longest_and_thinnest_are_coded() {
    for sides in [[8192, 1], [1, 8192], [8192, 17]] {
        for model in [Model::Grey, Model::GreyAlpha, Model::Rgb, Model::Rgba] {
            let pixels = pixels(model, sides, smooth);
            let read = decoded(&encode(&pixels, quality(80), WHITE).unwrap());
            assert_eq!([read.width() as usize, read.height() as usize], sides);
        }
    }
}

#[test]
fn a_side_that_the_file_has_no_number_for_is_refused() {
    for sides in [[65_536, 1], [1, 65_536], [0, 1], [1, 0]] {
        let pixels = pixels(Model::Grey, sides, |_| 0);
        assert!(encode(&pixels, quality(80), WHITE).is_err());
    }
}

#[test]
fn the_heap_stays_below_the_bound() {
    for sides in [[1, 1], [37, 411], [640, 480], [8192, 1], [1, 8192]] {
        for q in [1, 80, 89, 90, 100] {
            for model in [Model::Grey, Model::GreyAlpha, Model::Rgba] {
                let hard = |place| if noise(place) < 128 { 0 } else { 255 };
                let pixels = pixels(model, sides, hard);
                let most = memory_bytes(sides[0] as u32, sides[1] as u32, quality(q));
                let taken = allocation_counter::measure(|| {
                    drop(encode(&pixels, quality(q), Background([9, 8, 7])).unwrap());
                });
                assert!(
                    taken.bytes_max <= most,
                    "{taken:?}, not {most} at {sides:?}, {q}"
                );
            }
        }
    }
}

#[test]
fn a_flat_picture_takes_next_to_nothing() {
    let file = encode(
        &pixels(Model::Rgb, [1600, 1200], |_| 90),
        quality(80),
        WHITE,
    )
    .unwrap();
    // 45,000 blocks of two symbols, each a bit.
    assert!(file.len() < 12_000, "{} bytes", file.len());
}

proptest! {
    #[test]
    fn a_code_holds_every_symbol_that_occurs_and_not_only_ones(
        occurrences in prop::collection::vec((any::<u8>(), 1_u32..2_000_000), 1..256),
        steep in any::<bool>(),
    ) {
        let mut counts = [0; 256];
        for (n, (symbol, count)) in occurrences.iter().enumerate() {
            // Numbers that double make the longest codes.
            counts[usize::from(*symbol)] = if steep { 1 << (n % 31) } else { *count };
        }
        let code = Code::best(&counts);
        let lengths = (1..).zip(code.counts);
        let taken: u32 = lengths.clone().map(|(length, n)| u32::from(n) << (16 - length)).sum();
        prop_assert!(taken < 1 << 16);
        prop_assert_eq!(code.counts.iter().map(|n| usize::from(*n)).sum::<usize>(), code.symbols.len());
        let used: Vec<_> = (0..=255).filter(|s| counts[usize::from(*s)] > 0).collect();
        let mut symbols = code.symbols.clone();
        symbols.sort_unstable();
        prop_assert_eq!(&symbols, &used);
        // A symbol that occurs more often never has a longer code.
        let words: Vec<_> = code.symbols.iter().map(|s| (code.word(*s).1, counts[usize::from(*s)])).collect();
        prop_assert!(words.windows(2).all(|w| w[0].0 <= w[1].0 && w[0].1 >= w[1].1));
        // The best code takes no more than 8 bits a symbol, but for the reserved code.
        let total: u64 = words.iter().map(|(_, n)| u64::from(*n)).sum();
        let bits: u64 = words.iter().map(|(length, n)| u64::from(*length) * u64::from(*n)).sum();
        prop_assert!(bits <= 8 * total + total / 8, "{} bits for {}", bits, total);
    }
}
