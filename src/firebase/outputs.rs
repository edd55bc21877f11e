//! Converts sizes, image types and the folder of resized images to renditions.

use super::remarks::remark;
use super::sharp::Options;
use super::{Parameters, Remark};
use crate::render::MAX_BOX_SIDE;
use crate::rendition::{MAX_RENDITIONS, Renditions, written};

/// A parameter and what is wrong with it.
type Fault = (&'static str, String);

/// Converts the parameters to renditions; an error is the first parameter that can't be converted.
pub(super) fn renditions(
    parameters: &Parameters,
    remarks: &mut Vec<Remark>,
) -> Result<Renditions, Fault> {
    let path = parameters.value("RESIZED_IMAGES_PATH").unwrap_or_default();
    let folder = folder(path, remarks)?;
    let sizes = sizes(parameters.value("IMG_SIZES").unwrap_or("200x200"), remarks)?;
    let types = types(parameters.value("IMAGE_TYPE").unwrap_or("false"))?;
    let options = Options::read(parameters, &types, remarks);
    let mut texts = Vec::new();
    let mut left_out = Vec::new();
    for kind in &types {
        let Some((extension, format)) = encoding(kind, &options) else {
            left_out.push(kind.as_str());
            continue;
        };
        let fit = if options.cover { "cover" } else { "inside" };
        texts.extend(sizes.iter().map(|Size { name, size }| {
            let name = format!("{{dir}}{folder}{{stem:firebase}}_{name}{extension}");
            format!("{name}?size={size}&fit={fit}&format={format}")
        }));
    }
    if !left_out.is_empty() {
        let words = format!(
            "left out for want of a counterpart: {}; jpeg, png and webp are made, and false for the source's own of these",
            left_out.join(", ")
        );
        remark(remarks, "IMAGE_TYPE", &words);
    }
    if types.iter().any(|kind| kind == "false") {
        let words = "false keeps JPEG, PNG and WebP as they are; of a GIF or TIFF a PNG is made, under the source's extension";
        remark(remarks, "IMAGE_TYPE", words);
    }
    if texts.is_empty() {
        return Err(("IMAGE_TYPE", "leaves no output that can be made".to_owned()));
    }
    if texts.len() > MAX_RENDITIONS {
        let fault = format!(
            "sizes times types are {}, and a deployment has {MAX_RENDITIONS} outputs at most: divide the sizes among two files and deploy each",
            texts.len()
        );
        return Err(("IMG_SIZES", fault));
    }
    Renditions::parse(&texts.join(" ")).map_err(|fault| ("IMG_SIZES", fault.to_string()))
}

/// The folder within each source's own as a part of a pattern: `a/b/`, or nothing.
fn folder(path: &str, remarks: &mut Vec<Remark>) -> Result<String, Fault> {
    let steps: Vec<_> = path
        .split('/')
        .filter(|step| !matches!(*step, "" | "."))
        .collect();
    if steps.contains(&"..") || path.contains('\\') || path.contains(['\r', '\n']) {
        let fault = format!(
            "{path:?} leads out of the source's folder or isn't one: only folders in it have a counterpart, such as thumbs/small"
        );
        return Err(("RESIZED_IMAGES_PATH", fault));
    }
    if path.starts_with('/') {
        let words = "begins with a slash: so do the extension's names for pictures in no folder, and ours don't";
        remark(remarks, "RESIZED_IMAGES_PATH", words);
    }
    let steps = steps.iter().map(|step| format!("{}/", written(step)));
    Ok(steps.collect())
}

/// A size as written in names and in a rendition.
struct Size {
    name: String,
    size: String,
}

/// The distinct sizes, without those of no pixels.
fn sizes(list: &str, remarks: &mut Vec<Remark>) -> Result<Vec<Size>, Fault> {
    let mut sizes: Vec<Size> = Vec::new();
    for name in list.split(',') {
        let (width, height) = sides(name).ok_or_else(|| {
            let fault = format!("{name:?} is no size such as 200x200; commas separate several");
            ("IMG_SIZES", fault)
        })?;
        if sizes.iter().any(|size| size.name == name) {
            continue;
        }
        if width == 0 || height == 0 {
            let words = format!("{name} is left out: there is no picture without columns or rows");
            remark(remarks, "IMG_SIZES", &words);
            continue;
        }
        let size = format!("{width}x{height}");
        if [width, height].contains(&MAX_BOX_SIDE) && name != size {
            let words = format!("{name} is made as {size}, which has the longest side there is");
            remark(remarks, "IMG_SIZES", &words);
        }
        sizes.push(Size {
            name: name.to_owned(),
            size,
        });
    }
    if sizes.is_empty() {
        return Err(("IMG_SIZES", "has no size that can be made".to_owned()));
    }
    Ok(sizes)
}

/// Width and height, no longer than the longest side.
fn sides(name: &str) -> Option<(u16, u16)> {
    let (width, height) = name.split_once('x')?;
    Some((bounded(width)?, bounded(height)?))
}

/// Parses a side, capped at the longest; a number that overflows is capped too.
fn bounded(digits: &str) -> Option<u16> {
    if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let side: u64 = digits.parse().unwrap_or(u64::MAX);
    u16::try_from(side.min(MAX_BOX_SIDE.into())).ok()
}

/// The image types, each once: separated by commas, or as the kit has them, a JSON list.
fn types(list: &str) -> Result<Vec<String>, Fault> {
    let listed: Vec<String> = if list.starts_with('[') {
        serde_json::from_str(list).map_err(|_| {
            let fault = format!("{list} is no JSON list of texts");
            ("IMAGE_TYPE", fault)
        })?
    } else {
        list.split(',').map(|kind| kind.trim().to_owned()).collect()
    };
    let mut types: Vec<String> = Vec::new();
    for kind in listed {
        if !types.contains(&kind) {
            types.push(kind);
        }
    }
    Ok(types)
}

/// An image type's extension and format; sharp makes transparency black in JPEG.
fn encoding(kind: &str, options: &Options) -> Option<(String, String)> {
    let quality = options.quality(kind).unwrap_or(80);
    let (extension, format) = match kind {
        "false" => (".ext", "source&background=000000".to_owned()),
        "jpeg" | "jpg" => (kind, format!("jpeg&quality={quality}&background=000000")),
        "png" => (kind, "png".to_owned()),
        "webp" => (kind, format!("webp&quality={quality}")),
        _ => return None,
    };
    let extension = extension.trim_start_matches('.');
    Some((format!("{{.{extension}}}"), format))
}
