//! Conversion of finished pixels to sRGB.

use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

use super::pixels::{Model, Pixels, to_sample};

/// The heap that [`to_srgb`] takes beyond the pixels for a profile of `bytes`: its tables, parsed and as transforms.
pub(super) fn memory_bytes(bytes: usize) -> u64 {
    const TRANSFORM: u64 = 4 << 20;
    u64::try_from(bytes)
        .unwrap_or(u64::MAX)
        .saturating_mul(8)
        .saturating_add(TRANSFORM)
}

/// Whether a profile shows RGB colours as sRGB does, to 2 of 255.
///
/// A profile that is ignored, being broken or neither RGB nor grey, counts as one that does.
pub(super) fn is_srgb(profile: &[u8]) -> bool {
    const STEP: usize = 51;
    let Ok(profile) = ColorProfile::new_from_slice(profile) else {
        return true;
    };
    match profile.color_space {
        DataColorSpace::Rgb => {}
        other => return other != DataColorSpace::Gray,
    }
    let levels = || (0..=u8::MAX).step_by(STEP);
    let colours =
        levels().flat_map(|r| levels().flat_map(move |g| levels().map(move |b| [r, g, b])));
    let colours: Vec<u8> = colours.flatten().collect();
    let mut shown = vec![0; colours.len()];
    transform(&profile, Layout::Rgb, Layout::Rgb, &colours, &mut shown)
        && colours
            .iter()
            .zip(shown)
            .all(|(colour, shown)| colour.abs_diff(shown) <= 2)
}

/// Converts pixels to sRGB if their profile is valid and fits their model; otherwise leaves them unchanged.
pub(super) fn to_srgb(pixels: Pixels, profile: Option<&[u8]>) -> Pixels {
    let Some(profile) = profile.and_then(|profile| ColorProfile::new_from_slice(profile).ok())
    else {
        return pixels;
    };
    let (space, from, model, to) = match pixels.model {
        Model::Grey => (DataColorSpace::Gray, Layout::Gray, Model::Rgb, Layout::Rgb),
        Model::GreyAlpha => (
            DataColorSpace::Gray,
            Layout::GrayAlpha,
            Model::Rgba,
            Layout::Rgba,
        ),
        Model::Rgb => (DataColorSpace::Rgb, Layout::Rgb, Model::Rgb, Layout::Rgb),
        Model::Rgba => (DataColorSpace::Rgb, Layout::Rgba, Model::Rgba, Layout::Rgba),
    };
    if profile.color_space != space {
        return pixels;
    }
    let mut samples = vec![0; pixels.width * pixels.height * model.channels()];
    if transform(&profile, from, to, &pixels.samples, &mut samples) {
        Pixels {
            model,
            samples,
            ..pixels
        }
    } else {
        pixels
    }
}

/// Converts `samples` to sRGB; returns whether it could.
fn transform(
    profile: &ColorProfile,
    from: Layout,
    to: Layout,
    samples: &[u8],
    converted: &mut [u8],
) -> bool {
    profile
        .create_transform_8bit(
            from,
            &ColorProfile::new_srgb(),
            to,
            TransformOptions::default(),
        )
        .and_then(|transform| transform.transform(samples, converted))
        .is_ok()
}

/// Converts planes of cyan, magenta, yellow and black ink to sRGB.
///
/// `inverted` says that 0 is full ink. Without a valid profile, red is `(255 - cyan) * (255 - black) / 255`, and so on.
pub(super) fn cmyk_to_srgb(
    [c, m, y, k]: [Vec<f32>; 4],
    inverted: bool,
    width: usize,
    profile: Option<&[u8]>,
) -> Pixels {
    let inks = c
        .iter()
        .zip(&m)
        .zip(&y)
        .zip(&k)
        .flat_map(|(((c, m), y), k)| [*c, *m, *y, *k]);
    let inks: Vec<u8> = inks
        .map(|ink| to_sample(if inverted { 255.0 - ink } else { ink }))
        .collect();
    let mut samples = vec![0; c.len() * 3];
    let profile = profile.and_then(|profile| ColorProfile::new_from_slice(profile).ok());
    let profile = profile.filter(|profile| profile.color_space == DataColorSpace::Cmyk);
    let converted = profile
        .is_some_and(|profile| transform(&profile, Layout::Rgba, Layout::Rgb, &inks, &mut samples));
    if !converted {
        for (pixel, inks) in samples
            .as_chunks_mut::<3>()
            .0
            .iter_mut()
            .zip(inks.as_chunks::<4>().0)
        {
            let [c, m, y, k] = inks.map(|ink| f32::from(u8::MAX - ink));
            *pixel = [c, m, y].map(|light| to_sample(light * k / 255.0));
        }
    }
    Pixels {
        width,
        height: c.len() / width.max(1),
        model: Model::Rgb,
        samples,
    }
}
