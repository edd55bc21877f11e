//! The orientation that EXIF gives a picture (CIPA DC-008, tag 0x0112), in JPEG's APP1 and PNG's eXIf alike.

use super::pixels::Pixels;
use super::size::Framing;
use super::target::Target;

/// The turn from pixels as stored to pixels as shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Orientation {
    /// First, rows and columns are swapped.
    transpose: bool,
    /// Then the columns are reversed.
    mirror: bool,
    /// Then the rows are reversed.
    flip: bool,
}

impl Orientation {
    /// Reads the tag from a TIFF structure (what follows `Exif\0\0` in a JPEG); upright if it is absent or malformed.
    pub(super) fn from_exif(tiff: &[u8]) -> Self {
        find_tag(tiff)
            .and_then(Self::from_value)
            .unwrap_or_default()
    }

    fn from_value(value: u32) -> Option<Self> {
        let (transpose, mirror, flip) = match value {
            1 => (false, false, false),
            2 => (false, true, false),
            3 => (false, true, true),
            4 => (false, false, true),
            5 => (true, false, false),
            6 => (true, true, false),
            7 => (true, true, true),
            8 => (true, false, true),
            _ => return None,
        };
        Some(Self {
            transpose,
            mirror,
            flip,
        })
    }

    /// The size as shown of a picture stored as `width` x `height`; its own inverse.
    pub(super) fn turn_size<T>(self, (width, height): (T, T)) -> (T, T) {
        if self.transpose {
            (height, width)
        } else {
            (width, height)
        }
    }

    /// Frames stored pixels of this size for a target; the framing's axes are as stored.
    pub(super) fn frame(self, width: u32, height: u32, target: &Target) -> Framing {
        let (width, height) = self.turn_size((width, height));
        let framing = Framing::new(width, height, target);
        // A centred part stays the same when it is mirrored.
        if self.transpose {
            framing.transposed()
        } else {
            framing
        }
    }

    /// Turns pixels from as stored to as shown.
    pub(super) fn turn(self, pixels: Pixels) -> Pixels {
        if self == Self::default() {
            return pixels;
        }
        let channels = pixels.model.channels();
        let (width, height) = self.turn_size((pixels.width, pixels.height));
        let mut samples = Vec::with_capacity(pixels.samples.len());
        for y in 0..height {
            let y = if self.flip { height - 1 - y } else { y };
            for x in 0..width {
                let x = if self.mirror { width - 1 - x } else { x };
                let (column, row) = self.turn_size((x, y));
                let at = (row * pixels.width + column) * channels;
                samples.extend_from_slice(&pixels.samples[at..at + channels]);
            }
        }
        Pixels {
            width,
            height,
            samples,
            ..pixels
        }
    }
}

/// The orientation tag's value in the first directory, stored as SHORT or (as some writers do) as LONG.
fn find_tag(tiff: &[u8]) -> Option<u32> {
    let order = match tiff.get(..4)? {
        b"II*\0" => Order::Little,
        b"MM\0*" => Order::Big,
        _ => return None,
    };
    let directory = tiff.get(usize::try_from(order.u32(tiff, 4)?).ok()?..)?;
    let entries = directory.get(2..)?.chunks_exact(12);
    let count = usize::from(order.u16(directory, 0)?);
    let entry = entries
        .take(count)
        .find(|entry| order.u16(entry, 0) == Some(0x0112))?;
    if order.u32(entry, 4)? == 0 {
        return None;
    }
    match order.u16(entry, 2)? {
        3 => order.u16(entry, 8).map(u32::from),
        4 => order.u32(entry, 8),
        _ => None,
    }
}

/// The byte order of a TIFF structure.
#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        })
    }

    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::pixels::Model;

    /// A directory of one other tag and the orientation.
    fn exif(big: bool, kind: u16, value: u32) -> Vec<u8> {
        let short = |v: u16| {
            if big {
                v.to_be_bytes()
            } else {
                v.to_le_bytes()
            }
        };
        let long = |v: u32| {
            if big {
                v.to_be_bytes()
            } else {
                v.to_le_bytes()
            }
        };
        let mut tiff = if big {
            b"MM\0*".to_vec()
        } else {
            b"II*\0".to_vec()
        };
        tiff.extend(long(8));
        tiff.extend(short(2));
        for (tag, kind, value) in [(0x0100, 4, 9), (0x0112, kind, value)] {
            tiff.extend(short(tag));
            tiff.extend(short(kind));
            tiff.extend(long(1));
            if kind == 3 {
                tiff.extend(short(u16::try_from(value).unwrap()));
                tiff.extend([0, 0]);
            } else {
                tiff.extend(long(value));
            }
        }
        tiff
    }

    #[test]
    fn the_tag_is_read_in_both_byte_orders_as_short_and_as_long() {
        for big in [false, true] {
            for kind in [3, 4] {
                for value in 1..=8 {
                    assert_eq!(find_tag(&exif(big, kind, value)), Some(value));
                }
            }
        }
    }

    #[test]
    fn malformed_exif_leaves_the_picture_upright() {
        let good = exif(true, 3, 6);
        for cut in 0..good.len() - 4 {
            let _ = Orientation::from_exif(&good[..cut]);
        }
        let mut cases = vec![
            exif(false, 3, 0),
            exif(false, 3, 9),
            exif(true, 4, u32::MAX),
            exif(true, 2, 6),
        ];
        cases.push(b"MM\0*\xFF\xFF\xFF\xFF\0\0".to_vec());
        cases.push(good[..good.len() - 5].to_vec());
        for case in cases {
            assert_eq!(Orientation::from_exif(&case), Orientation::default());
        }
    }

    #[test]
    fn every_orientation_shows_the_first_row_and_column_where_exif_says() {
        // Stored:  A B C
        //          D E F
        let shown = [
            "ABCDEF", "CBAFED", "FEDCBA", "DEFABC", "ADBECF", "DAEBFC", "FCEBDA", "CFBEAD",
        ];
        for (value, shown) in (1..).zip(shown) {
            let turned =
                Orientation::from_value(value)
                    .unwrap()
                    .turn(stored(Model::Grey, b"ABCDEF", 3));
            assert_eq!(turned.samples, shown.as_bytes(), "{value}");
            let size = if value > 4 { (2, 3) } else { (3, 2) };
            assert_eq!((turned.width, turned.height), size);
        }
    }

    #[test]
    fn pixels_of_several_bytes_stay_whole() {
        let turned =
            Orientation::from_value(6)
                .unwrap()
                .turn(stored(Model::GreyAlpha, b"aabbccdd", 2));
        assert_eq!(turned.samples, b"ccaaddbb");
    }

    fn stored(model: Model, samples: &[u8], width: usize) -> Pixels {
        let height = samples.len() / model.channels() / width;
        Pixels {
            width,
            height,
            model,
            samples: samples.to_vec(),
        }
    }
}
