//! Finished samples that were never red, green and blue.

/// Rows of 8-bit samples of luma and chroma as JPEG stores them: full range, of sRGB (ITU-T T.871, section 6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::render) struct Planes {
    pub(in crate::render) width: usize,
    pub(in crate::render) height: usize,
    pub(in crate::render) luma: Vec<u8>,
    /// Nothing where the picture is grey.
    pub(in crate::render) chroma: Option<Chroma>,
}

/// The two planes of colour differences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::render) struct Chroma {
    pub(in crate::render) blue: Vec<u8>,
    pub(in crate::render) red: Vec<u8>,
    /// Whether a sample stands for 2x2 pixels, centred among them; the last of an odd side for less.
    pub(in crate::render) halved: bool,
}

impl Chroma {
    /// The samples along a side of `length` pixels.
    pub(in crate::render) fn side(halved: bool, length: usize) -> usize {
        if halved { length.div_ceil(2) } else { length }
    }

    /// Halves a plane of `width` columns: the means of 2x2 samples, or of as many as there are.
    pub(in crate::render) fn halve(samples: &[u8], width: usize) -> Vec<u8> {
        let mut halved = Vec::with_capacity(samples.len() / 4 + width);
        for rows in samples.chunks(2 * width.max(1)) {
            let (above, below) = rows.split_at(width.min(rows.len()));
            let below = if below.is_empty() { above } else { below };
            let pairs = above.chunks(2).zip(below.chunks(2));
            halved.extend(pairs.map(|(above, below)| {
                let sum: usize = above.iter().chain(below).map(|s| usize::from(*s)).sum();
                let count = 2 * above.len();
                u8::try_from((sum + count / 2) / count).unwrap_or(u8::MAX)
            }));
        }
        halved
    }
}
