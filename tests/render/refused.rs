//! Every case under `tests/golden/refused/LABEL` is refused with that label.

use std::fmt::Write;

use gcs_thumbnailer::render::{Limits, Plan, Refusal, Target, render};

use crate::cases;
use crate::pictures::{flat_jpeg, flat_png};

#[test]
fn refusals_bear_their_labels() {
    let mut report = String::new();
    for label in cases::refusals() {
        for case in cases::of(&format!("refused/{label}")) {
            match render(&case.source, &Limits::default()) {
                Err(refusal) if refusal.label() == label => {}
                Err(refusal) => {
                    writeln!(report, "{}: {} ({refusal})", case.name, refusal.label()).unwrap();
                }
                Ok(_) => writeln!(report, "{}: rendered", case.name).unwrap(),
            }
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

#[test]
fn the_limit_is_the_last_size_that_passes() {
    for source in [flat_png(30, 20, 9), flat_jpeg(30, 20)] {
        let refused = Refusal::TooManyPixels {
            pixels: 600,
            limit: 599,
        };
        assert!(
            render(
                &source,
                &Limits {
                    max_pixels: 600,
                    ..Limits::default()
                }
            )
            .is_ok()
        );
        assert_eq!(
            render(
                &source,
                &Limits {
                    max_pixels: 599,
                    ..Limits::default()
                }
            )
            .err(),
            Some(refused)
        );
    }
}

#[test]
fn dimensions_over_the_limit_are_refused_from_the_header_alone() {
    for case in cases::of("refused/too_many_pixels") {
        let mut refusal = None;
        let peak = allocation_counter::measure(|| {
            refusal = Plan::new(&case.source, &Limits::default(), &[Target::default()]).err();
        })
        .bytes_max;
        assert!(
            matches!(refusal, Some(Refusal::TooManyPixels { .. })),
            "{}: {refusal:?}",
            case.name
        );
        assert!(peak <= 1 << 20, "{}: {peak} bytes", case.name);
    }
}
