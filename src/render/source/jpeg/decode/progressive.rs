//! Progressive frames (ITU-T T.81, Annex G).
//!
//! The file is walked twice. The first walk goes by markers alone and finds the scans, the second decodes those that
//! the reduced picture needs: for 1/8 of the size the DC scans, a twentieth to a fifth of the bytes.

use super::{
    Refusal, Sides, Sink,
    band_table::{BandTable, Symbol},
    bits::{Bits, Fault},
    coefficients::{Coefficients, Size},
    header::Header,
    huffman::DcTable,
    markers::{self, Segments},
    refinement,
    scan::{Run, Runs, Scan},
    selection::{self, Found, Steps},
    tables::Tables,
};

pub(super) fn decode(
    header: &Header,
    source: &[u8],
    sides: [Sides; 4],
    sink: &mut Sink,
) -> Result<(), Refusal> {
    let (mut found, steps) = selection::find(header, source)?;
    let Some(made) = sizes(header, &found, &steps, sides) else {
        return decode_apart(header, source, sides, sink);
    };
    let largest = sides.map(Sides::largest);
    selection::select(header, &mut found, &steps, largest)?;
    let components = header.components.iter().zip(largest).zip(steps);
    let mut planes: Vec<_> = components
        .map(|((component, side), steps)| Coefficients::new(header, component, side, steps))
        .collect();
    let mut segments = Segments::new(source)?;
    let mut tables = Tables::default();
    let mut found = found.iter();
    loop {
        let segment = segments.next()?;
        match segment.marker {
            markers::EOI => break,
            markers::SOS => {
                let Some(Found { scan, used, end }) = found.next() else {
                    break;
                };
                if *used {
                    decode_scan(
                        scan,
                        &tables,
                        Bits::new(source, segments.position()),
                        &mut planes,
                    )?;
                }
                segments.seek(*end);
            }
            _ => tables.read(&segment)?,
        }
    }
    let planes = planes.iter().zip(&header.components).zip(made);
    for (index, ((plane, component), sizes)) in planes.enumerate() {
        plane.reconstruct(index, component, &sizes, sink);
    }
    Ok(())
}

/// The sizes of each component, if all can be reconstructed from the coefficients of the largest.
fn sizes(
    header: &Header,
    found: &[Found],
    steps: &Steps,
    sides: [Sides; 4],
) -> Option<Vec<Vec<Size>>> {
    let components = sides.iter().enumerate().take(header.components.len());
    let made = components.map(|(index, sides)| {
        let largest = sides.largest();
        let size = |side| {
            let last_bits = selection::last_bits(header, found, steps, index, [largest, side])?;
            Some(Size::new(side, last_bits))
        };
        sides.iter().map(size).collect()
    });
    made.collect()
}

/// Decodes the file anew for each size of the components.
fn decode_apart(
    header: &Header,
    source: &[u8],
    sides: [Sides; 4],
    sink: &mut Sink,
) -> Result<(), Refusal> {
    let most = sides.iter().map(|sides| sides.iter().count()).max();
    for turn in 0..most.unwrap_or(0) {
        let own = sides.map(|sides| sides.iter().nth(turn));
        let now = std::array::from_fn(|n| Sides::one(own[n].unwrap_or(sides[n].largest())));
        decode(header, source, now, &mut |component, side, row| {
            if own.get(component) == Some(&Some(side)) {
                sink(component, side, row);
            }
        })?;
    }
    Ok(())
}

fn decode_scan(
    scan: &Scan,
    tables: &Tables,
    bits: Bits,
    planes: &mut [Coefficients],
) -> Result<(), Refusal> {
    let runs = Runs::new(scan, tables.restart_interval);
    if scan.start == 0 {
        if scan.high > 0 {
            return Ok(refinement::refine_dc(scan, runs, bits, planes)?);
        }
        let mut dc = Vec::with_capacity(4);
        for component in &scan.components {
            dc.push(DcTable::new(tables.dc(component.dc)?)?);
        }
        return Ok(decode_dc(scan, runs, &dc, bits, planes)?);
    }
    let Some((component, plane)) = scan
        .components
        .first()
        .and_then(|first| Some((first, planes.get_mut(first.index)?)))
    else {
        return Ok(());
    };
    let ac = BandTable::new(tables.ac(component.ac)?)?;
    if scan.high > 0 {
        return Ok(refinement::refine_ac(scan, runs, &ac, bits, plane)?);
    }
    Ok(decode_ac(scan, runs, &ac, bits, plane)?)
}

/// The first scan of DC coefficients (G.1.2.1).
fn decode_dc(
    scan: &Scan,
    runs: Runs,
    tables: &[Box<DcTable>],
    mut bits: Bits,
    planes: &mut [Coefficients],
) -> Result<(), Fault> {
    let mut predictions = [0; 4];
    for run in runs {
        if let Some(turn) = run.restart {
            bits.restart(turn)?;
            predictions = [0; 4];
        }
        bits = decode_dc_run(scan, &run, tables, bits, &mut predictions, planes)?;
        bits.check()?;
    }
    Ok(())
}

#[inline(never)]
fn decode_dc_run<'a>(
    scan: &Scan,
    run: &Run,
    tables: &[Box<DcTable>],
    bits: Bits<'a>,
    predictions: &mut [i32; 4],
    planes: &mut [Coefficients],
) -> Result<Bits<'a>, Fault> {
    let mut bits = bits.in_registers();
    for unit in run.x.clone() {
        let components = scan.components.iter().zip(tables);
        for ((component, table), prediction) in components.zip(&mut *predictions) {
            let Some(plane) = planes.get_mut(component.index) else {
                continue;
            };
            for y in 0..component.v {
                for x in 0..component.h {
                    bits.refill();
                    *prediction = prediction.wrapping_add(table.difference(&mut bits)?);
                    let (x, y) = (unit * component.h + x, run.y * component.v + y);
                    plane.set_dc(x, y, *prediction << scan.low);
                }
            }
        }
    }
    Ok(bits)
}

/// The first scan of a band of AC coefficients (G.1.2.2).
fn decode_ac(
    scan: &Scan,
    runs: Runs,
    table: &BandTable,
    mut bits: Bits,
    plane: &mut Coefficients,
) -> Result<(), Fault> {
    let mut end_of_band_run = 0;
    for run in runs {
        if let Some(turn) = run.restart {
            bits.restart(turn)?;
            end_of_band_run = 0;
        }
        (bits, end_of_band_run) = decode_ac_run(scan, &run, table, bits, end_of_band_run, plane)?;
        bits.check()?;
    }
    Ok(())
}

/// The next `end_of_band_run` blocks have nothing in this band; returns how many are left of them.
#[inline(never)]
fn decode_ac_run<'a>(
    scan: &Scan,
    run: &Run,
    table: &BandTable,
    bits: Bits<'a>,
    mut end_of_band_run: usize,
    plane: &mut Coefficients,
) -> Result<(Bits<'a>, usize), Fault> {
    let mut bits = bits.in_registers();
    let mut x = run.x.start;
    loop {
        let empty = end_of_band_run.min(run.x.end - x);
        x += empty;
        end_of_band_run -= empty;
        if x == run.x.end {
            return Ok((bits, end_of_band_run));
        }
        let mut block = plane.block(x, run.y);
        let mut k = scan.start;
        while k <= scan.end {
            bits.refill();
            match table.symbol(&mut bits)? {
                Symbol::Value(zeros, value) => {
                    k += zeros;
                    if k > scan.end {
                        return Err(Fault::Run);
                    }
                    block.set(k, value << scan.low);
                    k += 1;
                }
                Symbol::ZeroRun => k += 16,
                Symbol::EndOfBand(size) => {
                    end_of_band_run = (1 << size) + bits.take(size) as usize - 1;
                    break;
                }
            }
        }
        x += 1;
    }
}
