//! Outputs of other sizes, fits and formats than the default, and several at once.

use gcs_thumbnailer::render::{Encoded, Format, Plan, Target};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, crop_imm, resize};
use image::{ImageFormat, RgbImage};

use crate::cases;
use crate::golden::ALL_FORMATS;
use crate::mutations::measured;

const SIX: [&str; 6] = [
    "size=128x128",
    "size=200x200&fit=cover&format=webp",
    "size=400x",
    "size=600x600&format=jpeg",
    "size=x90&format=source",
    "size=30x300&fit=cover&format=jpeg&quality=95&background=102030",
];

fn targets(texts: &[&str]) -> Vec<Target> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn rendered(source: &[u8], texts: &[&str]) -> Vec<Encoded> {
    let plan = Plan::new(source, &ALL_FORMATS, &targets(texts)).unwrap();
    plan.render().unwrap().outputs
}

fn photo() -> Vec<u8> {
    let root = env!("CARGO_MANIFEST_DIR");
    std::fs::read(format!("{root}/tests/photos/launch.jpg")).unwrap()
}

/// The photo's pixels as a JPEG without a profile, so that other decoders show the same colours.
fn plain_photo() -> (Vec<u8>, RgbImage) {
    let pixels = image::load_from_memory(&photo()).unwrap().to_rgb8();
    let mut file = std::io::Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut file, 95)
        .encode_image(&pixels)
        .unwrap();
    let file = file.into_inner();
    let decoded = image::load_from_memory(&file).unwrap().to_rgb8();
    (file, decoded)
}

fn format_of(encoded: &Encoded) -> ImageFormat {
    match encoded.format {
        Format::Png => ImageFormat::Png,
        Format::Jpeg => ImageFormat::Jpeg,
        Format::WebP => ImageFormat::WebP,
    }
}

/// The pixels by a decoder that isn't ours.
fn decoded(encoded: &Encoded) -> RgbImage {
    let picture = match encoded.format {
        Format::Png | Format::Jpeg => {
            image::load_from_memory_with_format(&encoded.bytes, format_of(encoded))
                .unwrap()
                .to_rgb8()
        }
        Format::WebP => {
            let mut decoder =
                image_webp::WebPDecoder::new(std::io::Cursor::new(&encoded.bytes)).unwrap();
            let (width, height) = decoder.dimensions();
            let mut samples = vec![0; decoder.output_buffer_size().unwrap()];
            decoder.read_image(&mut samples).unwrap();
            let channels = if decoder.has_alpha() { 4 } else { 3 };
            let samples = samples
                .chunks_exact(channels)
                .flat_map(|pixel| pixel[..3].to_vec());
            RgbImage::from_raw(width, height, samples.collect()).unwrap()
        }
    };
    assert_eq!(picture.dimensions(), (encoded.width, encoded.height));
    picture
}

/// The ratio of a signal of 255 to the difference, in decibels.
pub fn psnr(one: &RgbImage, other: &RgbImage) -> f64 {
    assert_eq!(one.dimensions(), other.dimensions());
    let squares = one.as_raw().iter().zip(other.as_raw());
    let squares: f64 = squares
        .map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2))
        .sum();
    let count = f64::from(u32::try_from(one.as_raw().len()).unwrap());
    10.0 * (255.0 * 255.0 * count / squares.max(1e-9)).log10()
}

#[test]
fn an_output_depends_on_source_and_target_and_not_on_its_siblings() {
    let pictures = cases::rendered().into_iter().map(|case| case.source);
    for source in pictures.step_by(5).chain([photo()]) {
        let together = rendered(&source, &SIX);
        for (text, output) in SIX.iter().zip(together) {
            assert_eq!(rendered(&source, &[text]), [output], "{text}");
        }
    }
}

#[test]
fn outputs_have_their_targets_sizes_and_formats() {
    // 640x427.
    let expected = [
        ((128, 85), Format::Png),
        ((200, 200), Format::WebP),
        ((400, 267), Format::Png),
        ((600, 400), Format::Jpeg),
        ((135, 90), Format::Jpeg),
        ((30, 300), Format::Jpeg),
    ];
    let outputs = rendered(&photo(), &SIX);
    let found: Vec<_> = outputs
        .iter()
        .map(|output| ((output.width, output.height), output.format))
        .collect();
    assert_eq!(found, expected);
    for output in &outputs {
        decoded(output);
    }
}

#[test]
fn larger_outputs_match_a_full_decode_and_an_exact_resize() {
    let (source, full) = plain_photo();
    for (text, size, least) in [
        ("size=500x500", (500, 334), 40.0),
        ("size=300x300", (300, 200), 40.0),
        ("size=200x200", (200, 133), 40.0),
        ("size=500x500&format=jpeg&quality=95", (500, 334), 34.0),
        ("size=500x500&format=webp&quality=90", (500, 334), 32.0),
    ] {
        let exact = resize(&full, size.0, size.1, FilterType::Lanczos3);
        let output = &rendered(&source, &[text])[0];
        let psnr = psnr(&decoded(output), &exact);
        println!("{text}: {psnr:.1} dB");
        assert!(psnr > least, "{text}: {psnr:.1} dB");
    }
}

#[test]
fn cover_shows_the_middle() {
    let (source, full) = plain_photo();
    for (text, (x, y, width, height), (across, down)) in [
        ("size=200x200&fit=cover", (106, 0, 427, 427), (200, 200)),
        ("size=320x100&fit=cover", (0, 113, 640, 200), (320, 100)),
        // Larger than the picture: cut, and not enlarged.
        ("size=427x2000&fit=cover", (274, 0, 91, 427), (91, 427)),
    ] {
        let middle = crop_imm(&full, x, y, width, height).to_image();
        let exact = resize(&middle, across, down, FilterType::Lanczos3);
        let output = &rendered(&source, &[text])[0];
        assert_eq!((output.width, output.height), (across, down), "{text}");
        // The reference is cut at whole pixels and sees nothing beyond its cut.
        let psnr = psnr(&decoded(output), &exact);
        println!("{text}: {psnr:.1} dB");
        assert!(psnr > 30.0, "{text}: {psnr:.1} dB");
    }
}

#[test]
fn any_list_of_targets_keeps_to_its_plan() {
    for case in cases::rendered().into_iter().step_by(3) {
        for count in [1, 2, 6] {
            let outputs = measured(
                &case.name,
                &case.source,
                ALL_FORMATS,
                &targets(&SIX[..count]),
            );
            assert_eq!(
                outputs.map(|outputs| outputs.len()),
                Ok(count),
                "{}",
                case.name
            );
        }
    }
}

#[test]
fn large_outputs_keep_to_their_plan() {
    let large = [
        "size=1600x1600",
        "size=1600x1600&format=jpeg",
        "size=1600x1600&fit=cover&format=webp",
        "size=3000x&format=jpeg&quality=100",
    ];
    let noise = RgbImage::from_fn(2000, 1500, |x, y| {
        let value =
            (x.wrapping_mul(73_856_093) ^ y.wrapping_mul(19_349_663)).wrapping_mul(2_654_435_761);
        image::Rgb([
            value.to_le_bytes()[1],
            value.to_le_bytes()[2],
            value.to_le_bytes()[3],
        ])
    });
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let mut source = std::io::Cursor::new(Vec::new());
        noise.write_to(&mut source, format).unwrap();
        for count in [1, 4] {
            let name = format!("{format:?} noise");
            let outputs = measured(
                &name,
                source.get_ref(),
                ALL_FORMATS,
                &targets(&large[..count]),
            );
            assert_eq!(outputs.map(|outputs| outputs.len()), Ok(count));
        }
    }
}
