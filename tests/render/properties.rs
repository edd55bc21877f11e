//! What holds for pictures of any size.

use gcs_thumbnailer::render::{Limits, render};

use crate::pictures::{decode, flat_jpeg, flat_png};
use crate::rng::Rng;

/// The rule of sizes, written another way than the renderer's: over exact fractions, by trying every length.
///
/// Among the whole lengths within one of the exact one, the one whose width / height is nearest the source's wins.
fn fit(width: u32, height: u32) -> (u32, u32) {
    if width <= 128 && height <= 128 {
        return (width, height);
    }
    let (width, height) = (i128::from(width), i128::from(height));
    // |width / height - w / h| as a fraction.
    let distance = |(w, h): (i128, i128)| ((width * h - w * height).abs(), height * h);
    let nearby = (1..=128).filter_map(|free| {
        let size = if width > height {
            (128, free)
        } else {
            (free, 128)
        };
        // How far the free side is from the exact one, times the longer side.
        let off = (size.0 * height - size.1 * width).abs();
        (off < width.max(height)).then_some(size)
    });
    let nearest = nearby.min_by(|&a, &b| {
        let ((an, ad), (bn, bd)) = (distance(a), distance(b));
        (an * bd).cmp(&(bn * ad))
    });
    let (w, h) = nearest.unwrap_or(if width > height { (128, 1) } else { (1, 128) });
    (u32::try_from(w).unwrap(), u32::try_from(h).unwrap())
}

#[test]
fn any_size_fits() {
    let mut random = Rng::new(1);
    for _ in 0..400 {
        let [width, height] = [(); 2].map(|()| u16::try_from(random.below(300) + 1).unwrap());
        let (columns, rows) = (u32::from(width), u32::from(height));
        for source in [flat_png(columns, rows, 77), flat_jpeg(width, height)] {
            let thumbnail = render(&source, &Limits::default()).unwrap();
            assert_eq!(
                (thumbnail.width, thumbnail.height),
                fit(columns, rows),
                "{width}x{height}"
            );
        }
    }
}

#[test]
fn a_flat_picture_stays_flat() {
    for (width, height) in [
        (1, 1),
        (7, 300),
        (128, 128),
        (129, 128),
        (300, 299),
        (1027, 31),
        (4099, 3),
    ] {
        for value in [0, 1, 77, 254, 255] {
            let thumbnail = render(&flat_png(width, height, value), &Limits::default()).unwrap();
            let mut samples = decode(&thumbnail.bytes).pixels.into_iter();
            let grey = f64::from(value);
            let same = |pixel: [f64; 4]| {
                let off = pixel
                    .iter()
                    .zip([grey, grey, grey, 255.0])
                    .map(|(a, b)| (a - b).abs());
                off.fold(0.0, f64::max) < 0.01
            };
            assert!(samples.all(same), "{width}x{height} of {value}");
        }
    }
}
