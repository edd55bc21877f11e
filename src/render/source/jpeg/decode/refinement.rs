//! Successive approximation: scans that add one bit to coefficients (ITU-T T.81, G.1.2.3).

use super::{
    band_table::{BandTable, Symbol},
    bits::{Bits, Fault},
    coefficients::{BlockMut, Coefficients},
    scan::{Run, Runs, Scan},
};

/// Reads one more bit of each DC coefficient (G.1.2.1).
pub(super) fn refine_dc(
    scan: &Scan,
    runs: Runs,
    mut bits: Bits,
    planes: &mut [Coefficients],
) -> Result<(), Fault> {
    for run in runs {
        if let Some(turn) = run.restart {
            bits.restart(turn)?;
        }
        bits = refine_dc_run(scan, &run, bits, planes);
        bits.check()?;
    }
    Ok(())
}

#[inline(never)]
fn refine_dc_run<'a>(
    scan: &Scan,
    run: &Run,
    bits: Bits<'a>,
    planes: &mut [Coefficients],
) -> Bits<'a> {
    let mut bits = bits.in_registers();
    for unit in run.x.clone() {
        for component in &scan.components {
            let Some(plane) = planes.get_mut(component.index) else {
                continue;
            };
            // A unit has at most sixteen blocks of a component.
            bits.refill();
            for y in 0..component.v {
                for x in 0..component.h {
                    let bit = i32::from(bits.take_bit());
                    let (x, y) = (unit * component.h + x, run.y * component.v + y);
                    plane.add_dc_bit(x, y, bit << scan.low);
                }
            }
        }
    }
    bits
}

/// Reads one more bit of each coefficient of a band that isn't zero, and the first bit of those that become so.
pub(super) fn refine_ac(
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
        (bits, end_of_band_run) = refine_ac_run(scan, &run, table, bits, end_of_band_run, plane)?;
        bits.check()?;
    }
    Ok(())
}

#[inline(never)]
fn refine_ac_run<'a>(
    scan: &Scan,
    run: &Run,
    table: &BandTable,
    bits: Bits<'a>,
    mut end_of_band_run: u32,
    plane: &mut Coefficients,
) -> Result<(Bits<'a>, u32), Fault> {
    let mut bits = bits.in_registers();
    for x in run.x.clone() {
        let mut block = plane.block(x, run.y);
        let mut k = scan.start;
        if end_of_band_run == 0 {
            (k, end_of_band_run) = refine_band(scan, table, &mut bits, &mut block)?;
        }
        if end_of_band_run > 0 {
            let rest = block.history() & from(k) & !from(scan.end + 1);
            correct(rest, scan.low, &mut bits, &mut block);
            end_of_band_run -= 1;
        }
    }
    Ok((bits, end_of_band_run))
}

/// Reads a band up to its end or to an end-of-band run; returns where it stopped, and the blocks of the run.
#[inline(always)]
fn refine_band(
    scan: &Scan,
    table: &BandTable,
    bits: &mut Bits,
    block: &mut BlockMut,
) -> Result<(u32, u32), Fault> {
    let mut k = scan.start;
    while k <= scan.end {
        bits.refill();
        let (zeros, value) = match table.symbol(bits)? {
            Symbol::Value(run, value @ (-1 | 1)) => (run, value),
            Symbol::Value(..) => return Err(Fault::Code),
            Symbol::ZeroRun => (15, 0),
            Symbol::EndOfBand(size) => return Ok((k, (1 << size) + bits.take(size))),
        };
        // The run counts only coefficients that are still zero: it stops at the one that has `zeros` others before it.
        let mut free = !block.history() & from(k);
        for _ in 0..zeros {
            free &= free.wrapping_sub(1);
        }
        let stop = free.trailing_zeros().min(scan.end + 1);
        correct(
            block.history() & from(k) & !from(stop),
            scan.low,
            bits,
            block,
        );
        if value != 0 {
            if stop > scan.end {
                return Err(Fault::Run);
            }
            block.set(stop, value << scan.low);
        }
        k = stop + 1;
    }
    Ok((k, 0))
}

/// All coefficients from `k` on (1 to 64), as a set of bits.
#[inline(always)]
fn from(k: u32) -> u64 {
    u64::MAX << ((k - 1) & 63) << 1
}

/// Reads a correction bit for each coefficient in `history`.
#[inline(always)]
fn correct(history: u64, low: u32, bits: &mut Bits, block: &mut BlockMut) {
    // Bits of coefficients behind the last one that is kept are skipped at once.
    let mut near = history & block.near();
    let mut far = (history ^ near).count_ones();
    let mut left = 0;
    while near != 0 {
        if left == 0 {
            bits.refill();
            left = 56;
        }
        left -= 1;
        let k = near.trailing_zeros();
        near &= near - 1;
        block.correct(k, i16::from(bits.take_bit()) << low);
    }
    while far > 0 {
        bits.refill();
        let now = far.min(56);
        bits.consume(now);
        far -= now;
    }
}
