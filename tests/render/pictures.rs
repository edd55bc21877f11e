//! Pictures that tests read back or make.

/// A decoded PNG of 8 bits a sample.
pub struct Picture {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The file's colour type.
    pub colour: png::ColorType,
    /// Premultiplied red, green and blue, and alpha, each 0.0 to 255.0: what is clear has no colour to compare.
    pub pixels: Vec<[f64; 4]>,
}

/// Decodes a thumbnail or an expected picture.
pub fn decode(file: &[u8]) -> Picture {
    let mut reader = png::Decoder::new(std::io::Cursor::new(file))
        .read_info()
        .unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut bytes).unwrap();
    assert_eq!(frame.bit_depth, png::BitDepth::Eight);
    let pixels = bytes
        .chunks_exact(frame.color_type.samples())
        .map(|samples| match *samples {
            [grey] => [grey, grey, grey, 255],
            [grey, alpha] => [grey, grey, grey, alpha],
            [red, green, blue] => [red, green, blue, 255],
            [red, green, blue, alpha] => [red, green, blue, alpha],
            _ => panic!("a palette"),
        });
    Picture {
        width: frame.width,
        height: frame.height,
        colour: frame.color_type,
        pixels: pixels.map(premultiplied).collect(),
    }
}

fn premultiplied([red, green, blue, alpha]: [u8; 4]) -> [f64; 4] {
    let alpha = f64::from(alpha);
    let times = |sample: u8| f64::from(sample) * alpha / 255.0;
    [times(red), times(green), times(blue), alpha]
}

/// A PNG of the given size whose samples are `value`, for tests where only the size counts.
pub fn flat_png(width: u32, height: u32, value: u8) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let samples = vec![value; usize::try_from(width * height).unwrap()];
    encoder
        .write_header()
        .unwrap()
        .write_image_data(&samples)
        .unwrap();
    file
}

/// The marker segment that defines a Huffman table of one code, `0`, for the symbol 0 (T.81, B.2.4.2).
fn one_code(class_and_id: u8) -> Vec<u8> {
    let mut table = vec![class_and_id, 1];
    table.resize(17, 0);
    table.push(0);
    segment(0xC4, &table)
}

/// A marker segment of a JPEG (T.81, B.1.1.4).
pub fn segment(marker: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 2).unwrap().to_be_bytes();
    [&[0xFF, marker], length.as_slice(), payload].concat()
}

/// SOI, tables and a grey frame whose blocks take two bits each in a sequential scan: "no change" and "end of block".
pub fn grey_jpeg_head(sof: u8, width: u16, height: u16) -> Vec<u8> {
    let [[h1, h0], [w1, w0]] = [height.to_be_bytes(), width.to_be_bytes()];
    [
        vec![0xFF, 0xD8],
        segment(0xDB, &[&[0], [1; 64].as_slice()].concat()),
        segment(sof, &[8, h1, h0, w1, w0, 1, 1, 0x11, 0]),
        one_code(0x00),
        one_code(0x10),
    ]
    .concat()
}

/// A scan of the grey component over the coefficients `first..=last`, followed by `bits` zero bits.
pub fn grey_scan(first: u8, last: u8, approximation: u8, bits: usize) -> Vec<u8> {
    let mut scan = segment(0xDA, &[1, 1, 0, first, last, approximation]);
    scan.resize(scan.len() + bits.div_ceil(8), 0);
    scan
}

/// A flat grey baseline JPEG of the given size.
pub fn flat_jpeg(width: u16, height: u16) -> Vec<u8> {
    let blocks = usize::from(width.div_ceil(8)) * usize::from(height.div_ceil(8));
    [
        grey_jpeg_head(0xC0, width, height),
        grey_scan(0, 63, 0, 2 * blocks),
        vec![0xFF, 0xD9],
    ]
    .concat()
}
