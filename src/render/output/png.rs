//! The PNG encoder (W3C PNG specification, third edition).
//!
//! A small photograph, once filtered, hardly repeats: codes of its own and runs ([`deflate`]) make smaller files than
//! zlib's search for matches, in a fraction of the time. Only what compresses like a drawing is also searched.

mod deflate;

use flate2::Crc;
use zlib_rs::{DeflateConfig, ReturnCode, Strategy, compress_bound, compress_slice};

use crate::render::Refusal;
use crate::render::paeth::paeth;
use crate::render::pixels::{Model, Pixels};

/// Below this many bytes, blocks that are stored or have fixed codes may be smaller, so zlib is tried.
const SHORT: usize = 2048;
/// The filtered bytes of a thumbnail of 128x128 RGBA pixels.
const LONG: usize = (128 * 4 + 1) * 128;

/// Encodes the pixels as a PNG without metadata.
pub(in crate::render) fn encode(pixels: &Pixels) -> Result<Vec<u8>, Refusal> {
    let side = |length: usize| u32::try_from(length).map_err(|_| Refusal::TooComplex("output"));
    let (width, height) = (side(pixels.width)?, side(pixels.height)?);
    let colour_type = match pixels.model {
        Model::Grey => 0,
        Model::Rgb => 2,
        Model::GreyAlpha => 4,
        Model::Rgba => 6,
    };
    let filtered = filtered(pixels);
    let mut data = deflate::zlib(&filtered);
    // zlib is tried where the data shrank to a third. A large photograph may be smooth enough for that, and searching
    // it would take long to save a thousandth.
    let (least, level) = if filtered.len() > LONG {
        (10, 6)
    } else {
        (3, 8)
    };
    if data.len() * least < filtered.len() || filtered.len() < SHORT {
        let searched = searched(&filtered, level)?;
        if searched.len() < data.len() {
            data = searched;
        }
    }
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([8, colour_type, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, content) in [(b"IHDR", &header), (b"IDAT", &data), (b"IEND", &Vec::new())] {
        push_chunk(&mut png, *kind, content);
    }
    Ok(png)
}

/// An upper bound of the heap that [`encode`] takes, the file included, and turning the pixels before.
pub(in crate::render) fn memory_bytes(width: u32, height: u32) -> u64 {
    // An RGBA pixel is held twice while it is turned. Then it is held with its filtered form and the stream; seven
    // filtered bytes may make a run, whose segment has 24 bytes, and each part has its counts.
    const PIXEL: u64 = 48;
    u64::from(width) * u64::from(height) * PIXEL
}

/// Appends a chunk (section 5.3).
fn push_chunk(png: &mut Vec<u8>, kind: [u8; 4], content: &[u8]) {
    // A thumbnail's chunk is far shorter than 2^32 bytes.
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    let mut sum = Crc::new();
    sum.update(&kind);
    sum.update(content);
    png.extend(length.to_be_bytes());
    png.extend(kind);
    png.extend(content);
    png.extend(sum.sum().to_be_bytes());
}

/// Compresses by zlib, which searches for matches and stores what doesn't shrink.
fn searched(filtered: &[u8], level: i32) -> Result<Vec<u8>, Refusal> {
    let config = DeflateConfig {
        level,
        strategy: Strategy::Filtered,
        mem_level: 7,
        ..DeflateConfig::default()
    };
    let mut data = vec![0; compress_bound(filtered.len())];
    let (written, outcome) = compress_slice(&mut data, filtered, config);
    if outcome != ReturnCode::Ok {
        // The bound leaves room for anything, so this is an allocation that failed.
        return Err(Refusal::TooComplex("no memory to code the thumbnail"));
    }
    let length = written.len();
    data.truncate(length);
    Ok(data)
}

/// Filters the scanlines, each by the filter that suits an entropy coder best (section 12.7).
fn filtered(pixels: &Pixels) -> Vec<u8> {
    let channels = pixels.model.channels();
    let length = pixels.width * channels;
    // A pixel of zeros leads each row, so that the left neighbours are a slice too.
    let mut above = vec![0; channels + length];
    let mut row = above.clone();
    let mut forms: [Vec<u8>; 5] = std::array::from_fn(|_| vec![0; length]);
    let mut history = History::new();
    let mut filtered = Vec::with_capacity(pixels.samples.len() + pixels.height);
    for samples in pixels.samples.chunks_exact(length.max(1)) {
        row[channels..].copy_from_slice(samples);
        filter(&row, &above, channels, &mut forms);
        if let Some((kind, form)) = history.likeliest(&forms) {
            history.add(form);
            filtered.push(kind);
            filtered.extend_from_slice(form);
        }
        std::mem::swap(&mut row, &mut above);
    }
    filtered
}

/// Counts of each byte in the scanlines so far, which decay from scanline to scanline.
struct History([i32; 256]);

impl History {
    /// The count of an occurrence in the last scanline.
    const ONE: i32 = 64;

    /// The counts before the first scanline: the smaller a difference, the likelier.
    fn new() -> Self {
        let magnitudes = (0..=128).chain((1..128).rev());
        let mut counts = [0; 256];
        for (count, magnitude) in counts.iter_mut().zip(magnitudes) {
            *count = 20 * Self::ONE / (1 + magnitude);
        }
        Self(counts)
    }

    /// The filter type and form that take the fewest bits, if code lengths follow from the counts.
    fn likeliest<'a>(&self, forms: &'a [Vec<u8>; 5]) -> Option<(u8, &'a [u8])> {
        // A float's bits approximate its logarithm. A byte that never occurred counts as a quarter of an occurrence.
        #[expect(clippy::cast_precision_loss, reason = "a logarithm needs less")]
        let logarithms = self
            .0
            .map(|count| ((count + Self::ONE / 4) as f32).to_bits() >> 15);
        let likelihood =
            |form: &[u8]| -> u32 { form.iter().map(|byte| logarithms[usize::from(*byte)]).sum() };
        let numbered = (0..).zip(forms.iter().map(Vec::as_slice));
        numbered.max_by_key(|(_, form)| likelihood(form))
    }

    /// Reduces all counts to three quarters, then adds a scanline's.
    fn add(&mut self, form: &[u8]) {
        for count in &mut self.0 {
            *count -= *count / 4;
        }
        for byte in form {
            self.0[usize::from(*byte)] += Self::ONE;
        }
    }
}

/// Applies each of the five filters to `row`.
fn filter(row: &[u8], above: &[u8], channels: usize, forms: &mut [Vec<u8>; 5]) {
    let [none, sub, up, average, by_paeth] = forms;
    let here = &row[channels..];
    none.copy_from_slice(here);
    let neighbours = || here.iter().zip(row).zip(&above[channels..]).zip(above);
    for (form, (((here, left), _), _)) in sub.iter_mut().zip(neighbours()) {
        *form = here.wrapping_sub(*left);
    }
    for (form, (((here, _), above), _)) in up.iter_mut().zip(neighbours()) {
        *form = here.wrapping_sub(*above);
    }
    for (form, (((here, left), above), _)) in average.iter_mut().zip(neighbours()) {
        *form = here.wrapping_sub(left.midpoint(*above));
    }
    for (form, (((here, left), above), corner)) in by_paeth.iter_mut().zip(neighbours()) {
        *form = here.wrapping_sub(paeth(*left, *above, *corner));
    }
}

#[cfg(test)]
mod tests {
    use image::ImageFormat::Png;

    use super::*;

    fn decoded(pixels: &Pixels) -> image::DynamicImage {
        let png = encode(pixels).unwrap();
        image::load_from_memory_with_format(&png, Png).unwrap()
    }

    fn pixels(model: Model, sample: impl Fn(usize, usize, usize) -> usize) -> Pixels {
        let (width, height) = (37, 23);
        let all = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let samples = all.flat_map(|(x, y)| (0..model.channels()).map(move |c| (x, y, c)));
        let samples = samples
            .map(|(x, y, c)| sample(x, y, c).to_le_bytes()[0])
            .collect();
        Pixels {
            width,
            height,
            model,
            samples,
        }
    }

    #[test]
    fn another_decoder_reads_every_model_back_as_it_was() {
        for model in [Model::Grey, Model::GreyAlpha, Model::Rgb, Model::Rgba] {
            let noisy = pixels(model, |x, y, c| x * 37 + y * y * 91 + c * 55 + x * x * y);
            let smooth = pixels(model, |x, y, c| x * 3 + y * 2 + c * 40);
            let flat = pixels(model, |x, _, _| if x < 9 { 3 } else { 200 });
            for pixels in [noisy, smooth, flat] {
                let read = decoded(&pixels);
                assert_eq!(usize::from(read.color().channel_count()), model.channels());
                assert_eq!(read.as_bytes(), pixels.samples);
            }
        }
    }

    #[test]
    fn a_flat_picture_takes_next_to_nothing() {
        let png = encode(&pixels(Model::Rgba, |_, _, _| 77)).unwrap();
        assert!(png.len() < 110, "{} bytes", png.len());
    }

    #[test]
    fn a_large_drawing_is_searched_too() {
        // A glyph over and over, no two of whose rows are alike.
        let glyph = |x: usize, y: usize| ((x + 4 * y) * 7919 % 251).to_le_bytes()[0];
        let all = (0..300).flat_map(|y| (0..400).map(move |x| (x % 100, y % 8)));
        let samples = all.map(|(x, y)| if x < 4 { glyph(x, y) } else { 255 });
        let pixels = Pixels {
            width: 400,
            height: 300,
            model: Model::Grey,
            samples: samples.collect(),
        };
        assert_eq!(decoded(&pixels).as_bytes(), pixels.samples);
        let (png, codes) = (encode(&pixels).unwrap(), deflate::zlib(&filtered(&pixels)));
        assert!(
            png.len() * 2 < codes.len(),
            "{} of {}",
            png.len(),
            codes.len()
        );
    }

    #[test]
    fn a_single_pixel_needs_no_code_of_its_own() {
        let pixel = Pixels {
            width: 1,
            height: 1,
            model: Model::Rgb,
            samples: vec![1, 2, 3],
        };
        assert_eq!(decoded(&pixel).as_bytes(), [1, 2, 3]);
        let png = encode(&pixel).unwrap();
        assert!(png.len() < 72, "{} bytes", png.len());
    }

    #[test]
    fn a_pattern_is_found_again() {
        // Noise in itself, but the same in every row.
        let noise = |x: usize, c: usize| (x * 7919 + c * 104_729) % 251;
        let same = encode(&pixels(Model::Rgb, |x, _, c| noise(x, c))).unwrap();
        assert!(same.len() < 300, "{} bytes", same.len());
    }
}
