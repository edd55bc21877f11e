//! What holds for any input.

use gcs_thumbnailer::render::{Limits, Plan, SourceFormats, Target};

/// Headers that announce more are refused, so that the fuzzer's time goes to decoding.
const LIMITS: Limits = Limits {
    max_pixels: 1 << 20,
    formats: SourceFormats::ALL,
};

/// Renders and panics if the thumbnail doesn't fit or took more memory than planned.
pub fn render_checked(source: &[u8]) {
    let Ok(plan) = Plan::new(source, &LIMITS, &[Target::default()]) else {
        return;
    };
    let planned = plan.memory_bytes();
    let source_sides = [plan.width, plan.height];
    let mut rendered = None;
    let peak = allocation_counter::measure(|| rendered = plan.render().ok()).bytes_max;
    assert!(
        peak <= planned,
        "took {peak} bytes, but {planned} were planned"
    );
    for thumbnail in rendered.into_iter().flat_map(|rendered| rendered.outputs) {
        let largest = source_sides.into_iter().max().unwrap_or(0).min(128);
        assert_eq!(thumbnail.width.max(thumbnail.height), largest);
        assert!(thumbnail.width.min(thumbnail.height) >= 1);
    }
}
