//! Recognition of a file's format by its first bytes, never by its name.

use image::ImageFormat;

use crate::render::Refusal;

/// A format that a source may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceFormat {
    /// JPEG, always read.
    Jpeg,
    /// PNG, always read.
    Png,
    /// WebP.
    WebP,
    /// GIF, of which the first frame is shown.
    Gif,
    /// BMP.
    Bmp,
    /// TIFF, of which the first picture is shown.
    Tiff,
}

impl SourceFormat {
    /// All formats.
    pub const ALL: [Self; 6] = [
        Self::Jpeg,
        Self::Png,
        Self::WebP,
        Self::Gif,
        Self::Bmp,
        Self::Tiff,
    ];

    /// The extensions that its files have, in lower case.
    #[must_use]
    pub(crate) fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Jpeg => &["jpg", "jpeg", "jfif"],
            Self::Png => &["png"],
            Self::WebP => &["webp"],
            Self::Gif => &["gif"],
            Self::Bmp => &["bmp"],
            Self::Tiff => &["tif", "tiff"],
        }
    }

    /// The media types that its files are known by, in lower case.
    #[must_use]
    pub(crate) fn content_types(self) -> &'static [&'static str] {
        match self {
            Self::Jpeg => &["image/jpeg", "image/jpg"],
            Self::Png => &["image/png"],
            Self::WebP => &["image/webp"],
            Self::Gif => &["image/gif"],
            Self::Bmp => &["image/bmp", "image/x-ms-bmp", "image/x-bmp"],
            Self::Tiff => &["image/tiff"],
        }
    }

    /// Translates the image crate's format.
    fn of(format: ImageFormat) -> Option<Self> {
        match format {
            ImageFormat::Jpeg => Some(Self::Jpeg),
            ImageFormat::Png => Some(Self::Png),
            ImageFormat::WebP => Some(Self::WebP),
            ImageFormat::Gif => Some(Self::Gif),
            ImageFormat::Bmp => Some(Self::Bmp),
            ImageFormat::Tiff => Some(Self::Tiff),
            _ => None,
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Jpeg => 1,
            Self::Png => 2,
            Self::WebP => 4,
            Self::Gif => 8,
            Self::Bmp => 16,
            Self::Tiff => 32,
        }
    }
}

/// The formats that are read: JPEG and PNG, and those that the operator asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceFormats(u8);

impl Default for SourceFormats {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl SourceFormats {
    /// JPEG and PNG.
    pub(crate) const DEFAULT: Self = Self(SourceFormat::Jpeg.bit() | SourceFormat::Png.bit());

    /// Every format.
    pub const ALL: Self = Self::DEFAULT
        .with(SourceFormat::WebP)
        .with(SourceFormat::Gif)
        .with(SourceFormat::Bmp)
        .with(SourceFormat::Tiff);

    /// Adds a format.
    #[must_use]
    pub const fn with(self, format: SourceFormat) -> Self {
        Self(self.0 | format.bit())
    }

    /// Whether a format is among them.
    #[must_use]
    pub fn contains(self, format: SourceFormat) -> bool {
        self.0 & format.bit() != 0
    }
}

/// Signatures that the image crate doesn't know, recognised only to be refused by name: offset, bytes, name.
const UNSUPPORTED: &[(usize, &[u8], &str)] = &[
    (0, b"II+\0", "BigTIFF"),
    (0, b"MM\0+", "BigTIFF"),
    (4, b"ftypavis", "AVIF"),
    (4, b"ftyphei", "HEIC"),
    (4, b"ftyphev", "HEIC"),
    (4, b"ftypmif1", "HEIF"),
    (4, b"ftypmsf1", "HEIF"),
    (4, b"ftyp", "ISO base media"),
    (0, b"%PDF-", "PDF"),
    (0, b"8BPS", "Photoshop"),
    (0, b"\0\0\x02\0", "CUR"),
    (0, b"\xFF\x0A", "JPEG XL"),
    (0, b"\0\0\0\x0CJXL \r\n\x87\n", "JPEG XL"),
    (0, b"\0\0\0\x0CjP  \r\n\x87\n", "JPEG 2000"),
    (0, b"\xFF\x4F\xFF\x51", "JPEG 2000"),
    (0, b"\x8AMNG\r\n\x1A\n", "MNG"),
    (0, b"\x8BJNG\r\n\x1A\n", "JNG"),
    (0, b"%!PS", "PostScript"),
];

/// The common name of a format that the image crate recognises.
fn name_of(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Gif => "GIF",
        ImageFormat::WebP => "WebP",
        ImageFormat::Tiff => "TIFF",
        ImageFormat::Bmp => "BMP",
        ImageFormat::Avif => "AVIF",
        ImageFormat::Ico => "ICO",
        ImageFormat::Hdr => "Radiance HDR",
        ImageFormat::OpenExr => "OpenEXR",
        ImageFormat::Pnm => "PNM",
        other => other.to_mime_type(),
    }
}

/// Recognises the format of `source`; refuses one that isn't read by its name.
pub(super) fn recognise(source: &[u8], read: SourceFormats) -> Result<SourceFormat, Refusal> {
    if let Ok(guessed) = image::guess_format(source) {
        let format = SourceFormat::of(guessed).filter(|format| read.contains(*format));
        return format.ok_or(Refusal::Unsupported(name_of(guessed)));
    }
    let listed = UNSUPPORTED.iter().find(|(offset, magic, _)| {
        source
            .get(*offset..)
            .is_some_and(|tail| tail.starts_with(magic))
    });
    match listed {
        Some((_, _, name)) => Err(Refusal::Unsupported(name)),
        None if is_svg(source) => Err(Refusal::Unsupported("SVG")),
        None => Err(Refusal::NotAnImage),
    }
}

/// Whether `source` is markup whose first kilobyte opens an `svg` element.
fn is_svg(source: &[u8]) -> bool {
    let text = source.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(source);
    let head = text.get(..1024).unwrap_or(text);
    head.trim_ascii_start().starts_with(b"<") && head.windows(4).any(|tag| tag == b"<svg")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jpeg_and_png_are_told_by_their_first_bytes() {
        assert_eq!(
            recognise(b"\xFF\xD8\xFF\xE0", SourceFormats::default()),
            Ok(SourceFormat::Jpeg)
        );
        assert_eq!(
            recognise(b"\x89PNG\r\n\x1a\n....", SourceFormats::default()),
            Ok(SourceFormat::Png)
        );
    }

    #[test]
    fn other_formats_are_refused_by_name() {
        let cases: [(&[u8], &str); 6] = [
            (b"GIF89a....", "GIF"),
            (b"RIFF\x10\0\0\0WEBPVP8 ", "WebP"),
            (b"\0\0\0\x18ftypheic", "HEIC"),
            (b"\0\0\0\x20ftypavif", "AVIF"),
            (b"MM\0*\0\0\0\x08", "TIFF"),
            (b"%PDF-1.7", "PDF"),
        ];
        for (source, name) in cases {
            assert_eq!(
                recognise(source, SourceFormats::default()),
                Err(Refusal::Unsupported(name))
            );
        }
    }

    #[test]
    fn markup_is_svg_only_with_an_svg_element() {
        let prolog = b"\xEF\xBB\xBF \n<?xml version=\"1.0\"?><!-- a --><svg/>";
        assert_eq!(
            recognise(prolog, SourceFormats::default()),
            Err(Refusal::Unsupported("SVG"))
        );
        assert_eq!(
            recognise(b"<html></html>", SourceFormats::default()),
            Err(Refusal::NotAnImage)
        );
    }

    #[test]
    fn text_and_nothing_are_not_pictures() {
        for source in [&b""[..], b"hello", b"\xFF\xD8", b"\x89PN"] {
            assert_eq!(
                recognise(source, SourceFormats::default()),
                Err(Refusal::NotAnImage)
            );
        }
    }
}
