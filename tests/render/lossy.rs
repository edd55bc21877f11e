//! Lossy frames of `WebP`, as libwebp codes them: decoded as another decoder does it, resized like what that shows, in few rows.

use std::io::Cursor;

use gcs_thumbnailer::render::{Encoded, Plan, Refusal, Target};
use image::{ExtendedColorType, ImageEncoder, RgbImage};
use webpx::{EncoderConfig, Unstoppable};

use crate::golden::ALL_FORMATS;
use crate::mutations::measured;
use crate::rng::Rng;
use crate::targets::psnr;

/// Keeps the size of what is smaller.
const WHOLE: &str = "size=2000x2000";

fn rendered(source: &[u8], texts: &[&str]) -> Result<Vec<Encoded>, Refusal> {
    let targets: Vec<Target> = texts.iter().map(|text| text.parse().unwrap()).collect();
    measured("lossy", source, ALL_FORMATS, &targets)
}

fn pixels(png: &[u8]) -> RgbImage {
    image::load_from_memory(png).unwrap().to_rgb8()
}

/// What another decoder shows, if it doesn't refuse.
fn decoded(webp: &[u8]) -> Option<RgbImage> {
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(webp)).ok()?;
    let (width, height) = decoder.dimensions();
    let mut samples = vec![0; decoder.output_buffer_size()?];
    decoder.read_image(&mut samples).ok()?;
    RgbImage::from_raw(width, height, samples)
}

fn photo() -> RgbImage {
    let root = env!("CARGO_MANIFEST_DIR");
    image::open(format!("{root}/tests/photos/launch.jpg"))
        .unwrap()
        .to_rgb8()
}

fn coded(picture: &RgbImage, config: &EncoderConfig) -> Vec<u8> {
    let (width, height) = picture.dimensions();
    config
        .encode_rgb(picture, width, height, Unstoppable)
        .unwrap()
}

/// A part of the photo at whole size, or noise, which takes the longest codes.
fn sample(random: &mut Rng) -> RgbImage {
    const SIDES: [u32; 9] = [1, 2, 3, 15, 16, 17, 33, 70, 131];
    let mut side = || SIDES[random.below(SIDES.len())];
    let (width, height) = (side(), side());
    if random.below(4) == 0 {
        let samples = (0..width * height * 3).map(|_| u8::try_from(random.below(256)).unwrap());
        return RgbImage::from_raw(width, height, samples.collect()).unwrap();
    }
    let (x, y) = (random.below(400), random.below(250));
    let corner = [x, y].map(|at| u32::try_from(at).unwrap());
    image::imageops::crop_imm(&photo(), corner[0], corner[1], width, height).to_image()
}

fn config(random: &mut Rng) -> EncoderConfig {
    let mut pick = |values: &[u8]| values[random.below(values.len())];
    let quality = f32::from(pick(&[0, 5, 40, 75, 95, 100]));
    EncoderConfig::new()
        .quality(quality)
        .method(pick(&[0, 2, 4, 6]))
        .segments(pick(&[1, 2, 4]))
        .partitions(pick(&[0, 1, 2, 3]))
        .filter_type(pick(&[0, 1]))
        .filter_strength(pick(&[0, 20, 60, 100]))
        .filter_sharpness(pick(&[0, 1, 4, 7]))
        .sns_strength(pick(&[0, 50, 100]))
}

#[test]
fn frames_of_all_kinds_are_those_of_another_decoder() {
    let mut random = Rng::new(5);
    for round in 0..400 {
        let (picture, config) = (sample(&mut random), config(&mut random));
        let webp = coded(&picture, &config);
        let shown = rendered(&webp, &[WHOLE]).unwrap();
        let same = Some(pixels(&shown[0].bytes)) == decoded(&webp);
        assert!(same, "{round}: {:?}, {config:?}", picture.dimensions());
    }
}

/// The same file with a shorter chunk, whose lengths fit.
fn shortened(webp: &[u8], length: usize) -> Vec<u8> {
    let mut short = webp[..20 + length].to_vec();
    short[4..8].copy_from_slice(&u32::try_from(12 + length).unwrap().to_le_bytes());
    short[16..20].copy_from_slice(&u32::try_from(length).unwrap().to_le_bytes());
    short
}

#[test]
fn a_frame_that_ends_early_is_refused_as_by_another_decoder() {
    let mut random = Rng::new(6);
    let mut refused = 0;
    for round in 0..40 {
        let webp = coded(&sample(&mut random), &config(&mut random));
        let length = webp.len() - 20;
        let step = (length / 300).max(1);
        for length in (10..length).step_by(step).chain(length - 8..length) {
            let short = shortened(&webp, length);
            let shown = rendered(&short, &[WHOLE]).ok();
            let shown = shown.map(|outputs| pixels(&outputs[0].bytes));
            refused += usize::from(shown.is_none());
            // One byte may be left out, and is taken for zeros.
            assert!(shown == decoded(&short), "{round}: {length} bytes");
        }
    }
    assert!(refused > 3000, "{refused}");
}

fn near(picture: &RgbImage, texts: &[(&str, f64)]) {
    let webp = coded(picture, &EncoderConfig::new().quality(60.0));
    let full = decoded(&webp).unwrap();
    let mut png = Vec::new();
    image::codecs::png::PngEncoder::new(&mut png)
        .write_image(&full, full.width(), full.height(), ExtendedColorType::Rgb8)
        .unwrap();
    for (text, least) in texts {
        let [planes, whole] = [&webp, &png].map(|source| {
            let output = rendered(source, &[text]).unwrap().remove(0);
            pixels(&output.bytes)
        });
        let near = psnr(&planes, &whole);
        assert!(near >= *least, "{text}: {near:.1} dB");
    }
}

#[test]
fn resized_planes_look_like_resized_pixels() {
    // By 2, which is too few, 3 and a bit, 8, and 25, where the loop filter is left out; and a part.
    let texts = [
        ("size=320x320", 60.0),
        ("size=200x200", 50.0),
        ("size=80x80", 50.0),
        ("size=25x25", 46.0),
        ("size=90x90&fit=cover", 50.0),
    ];
    near(&photo(), &texts);
    let enlarged = image::imageops::FilterType::CatmullRom;
    let large = image::imageops::resize(&photo(), 1290, 860, enlarged);
    near(
        &large,
        &[
            ("size=700x700", 60.0),
            ("size=640x640", 50.0),
            ("size=52x52", 50.0),
        ],
    );
}

#[test]
fn outputs_do_not_depend_on_those_decoded_in_other_ways() {
    let webp = coded(&photo(), &EncoderConfig::new().quality(20.0));
    // Pixels, filtered planes and unfiltered ones; two of them by the same boxes.
    let texts = [
        "size=24x24",
        "size=400x400",
        "size=100x100",
        "size=25x25&fit=cover",
        "size=25x25",
        "size=99x99&format=jpeg",
    ];
    let together = rendered(&webp, &texts).unwrap();
    for (text, output) in texts.iter().zip(together) {
        assert_eq!(rendered(&webp, &[text]).unwrap(), [output], "{text}");
    }
}

#[test]
fn a_frame_takes_a_few_rows() {
    let (width, height) = (4000, 1500);
    let picture = RgbImage::from_fn(width, height, |x, y| {
        let [x, y] = [x, y].map(|at| u8::try_from(at / 16 % 256).unwrap());
        image::Rgb([x, y, x ^ y])
    });
    let config = EncoderConfig::new().quality(50.0).method(0);
    let wide = coded(&picture, &config);
    let tall = coded(&image::imageops::rotate90(&picture), &config);
    for webp in [wide, tall] {
        let all = ["size=128x128", "size=1000x1000", "size=1500x1500"];
        for (text, most) in all.into_iter().zip([7, 60, 140]) {
            let targets = [text.parse().unwrap()];
            let planned = Plan::new(&webp, &ALL_FORMATS, &targets)
                .unwrap()
                .memory_bytes();
            assert!(planned <= most << 20, "{text}: {planned}");
            rendered(&webp, &[text]).unwrap();
        }
        // Whatever each of them takes.
        rendered(&webp, &all).unwrap();
    }
}

#[test]
fn the_plan_holds_for_frames_of_any_shape() {
    let config = EncoderConfig::new().quality(50.0).method(0);
    let sizes = [(1, 9000), (9000, 1), (16_383, 40), (40, 16_383), (600, 500)];
    for (width, height) in sizes {
        let webp = coded(&RgbImage::new(width, height), &config);
        let texts = [
            "size=8000x8000",
            "size=4000x4000",
            "size=300x300",
            "size=20x20",
            "size=9x9&fit=cover",
        ];
        let targets: Vec<Target> = texts.iter().map(|text| text.parse().unwrap()).collect();
        for targets in targets.chunks(1).chain([&targets[..]]) {
            let plan = Plan::new(&webp, &ALL_FORMATS, targets).unwrap();
            let planned = plan.memory_bytes();
            let peak = allocation_counter::measure(|| drop(plan.render())).bytes_max;
            assert!(
                peak <= planned,
                "{width}x{height}, {targets:?}: {peak} of {planned}"
            );
        }
    }
}
