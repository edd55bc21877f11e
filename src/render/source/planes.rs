//! Components that are resized on their own, for all outputs at once.

use crate::render::resize::{Axis, Form, Resized, Shrink};

/// The resizers of a picture's components, each of which may be decoded in several kinds.
pub(super) struct PlaneResizers<'a, K> {
    resizers: Vec<Resizer<'a, K>>,
}

/// The resizer of one component for one output, or for several with the same boxes.
struct Resizer<'a, K> {
    component: usize,
    kind: K,
    outputs: Vec<usize>,
    /// The next row.
    y: usize,
    shrink: Shrink<'a, u16, 1>,
}

impl<'a, K: Copy + PartialEq> PlaneResizers<'a, K> {
    pub(super) fn new() -> Self {
        Self {
            resizers: Vec::new(),
        }
    }

    /// Adds what an output makes of one of its components.
    pub(super) fn add(
        &mut self,
        output: usize,
        component: usize,
        kind: K,
        (columns, rows): &'a (Axis, Axis),
        form: Form,
    ) {
        let mut fitting = self.resizers.iter_mut();
        let fitting = fitting.find_map(|resizer| {
            let same = resizer.component == component && resizer.kind == kind;
            (same && resizer.shrink.shares(columns, rows, form)).then_some(resizer)
        });
        if let Some(resizer) = fitting {
            resizer.outputs.push(output);
        } else {
            self.resizers.push(Resizer {
                component,
                kind,
                outputs: vec![output],
                y: 0,
                shrink: Shrink::new(columns, rows, 1, form),
            });
        }
    }

    /// Takes the next row of a component.
    pub(super) fn take(&mut self, component: usize, kind: K, row: &[u8]) {
        for resizer in &mut self.resizers {
            if resizer.component == component && resizer.kind == kind {
                let sums = resizer.shrink.row(resizer.y).as_flattened_mut();
                for (sum, sample) in sums.iter_mut().zip(row) {
                    *sum += u16::from(*sample);
                }
                resizer.y += 1;
            }
        }
    }

    /// The planes of each of so many outputs, in the order of the components.
    pub(super) fn finish(self, outputs: usize) -> Vec<Vec<Resized>> {
        let mut planes = vec![Vec::new(); outputs];
        for resizer in self.resizers {
            let component = resizer.component;
            for (output, [plane]) in resizer.outputs.into_iter().zip(resizer.shrink.finish()) {
                if let Some(planes) = planes.get_mut(output) {
                    planes.push((component, plane));
                }
            }
        }
        let in_order = |mut planes: Vec<(usize, Resized)>| {
            planes.sort_by_key(|(component, _)| *component);
            planes.into_iter().map(|(_, plane)| plane).collect()
        };
        planes.into_iter().map(in_order).collect()
    }
}
