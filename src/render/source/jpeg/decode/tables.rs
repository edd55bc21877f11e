//! Table segments: quantization, Huffman, restart interval (ITU-T T.81, B.2.4).

use super::{
    Refusal,
    huffman::Specification,
    markers::{self, Segment},
    standard,
};

/// The tables in force at a point of the file.
#[derive(Debug, Clone, Default)]
pub(super) struct Tables {
    quantization: [Option<[u16; 64]>; 4],
    dc: [Option<Specification>; 4],
    ac: [Option<Specification>; 4],
    /// Minimum coded units between restart markers; 0 for none.
    pub(super) restart_interval: u32,
}

impl Tables {
    /// Reads a segment if it holds tables.
    pub(super) fn read(&mut self, segment: &Segment) -> Result<(), Refusal> {
        match segment.marker {
            markers::DQT => self.read_quantization(segment.payload),
            markers::DHT => self.read_huffman(segment.payload),
            markers::DRI => self.read_restart_interval(segment.payload),
            _ => Ok(()),
        }
    }

    /// The quantization table `index`, in zigzag order.
    pub(super) fn quantization(&self, index: u8) -> Result<&[u16; 64], Refusal> {
        let table = self
            .quantization
            .get(usize::from(index))
            .and_then(Option::as_ref);
        table.ok_or_else(|| Refusal::Corrupt("JPEG scan without its quantization table".into()))
    }

    /// The DC table `index`; the standard one where the file defines none, as in frames of Motion JPEG.
    pub(super) fn dc(&self, index: u8) -> Result<&Specification, Refusal> {
        defined(&self.dc, &standard::DC, index)
    }

    /// The AC table `index`, likewise.
    pub(super) fn ac(&self, index: u8) -> Result<&Specification, Refusal> {
        defined(&self.ac, &standard::AC, index)
    }

    /// DQT, B.2.4.1.
    fn read_quantization(&mut self, mut payload: &[u8]) -> Result<(), Refusal> {
        let short = || Refusal::Corrupt("JPEG quantization table cut short".into());
        while let Some((&header, rest)) = payload.split_first() {
            let table = self
                .quantization
                .get_mut(usize::from(header & 15))
                .ok_or_else(|| Refusal::Corrupt("JPEG quantization table number above 3".into()))?;
            let mut steps = [0; 64];
            payload = match header >> 4 {
                0 => {
                    let (values, rest) = rest.split_first_chunk::<64>().ok_or_else(short)?;
                    for (step, &value) in steps.iter_mut().zip(values) {
                        *step = u16::from(value);
                    }
                    rest
                }
                1 => {
                    let (values, rest) = rest.split_first_chunk::<128>().ok_or_else(short)?;
                    for (step, value) in steps.iter_mut().zip(values.as_chunks().0) {
                        *step = u16::from_be_bytes(*value);
                    }
                    rest
                }
                _ => {
                    return Err(Refusal::Corrupt(
                        "JPEG quantization table of no known precision".into(),
                    ));
                }
            };
            *table = Some(steps);
        }
        Ok(())
    }

    /// DHT, B.2.4.2.
    fn read_huffman(&mut self, mut payload: &[u8]) -> Result<(), Refusal> {
        let short = || Refusal::Corrupt("JPEG Huffman table cut short".into());
        while let Some((&header, rest)) = payload.split_first() {
            let class = match header >> 4 {
                0 => &mut self.dc,
                1 => &mut self.ac,
                _ => {
                    return Err(Refusal::Corrupt(
                        "JPEG Huffman table of no known class".into(),
                    ));
                }
            };
            let table = class
                .get_mut(usize::from(header & 15))
                .ok_or_else(|| Refusal::Corrupt("JPEG Huffman table number above 3".into()))?;
            let (&counts, rest) = rest.split_first_chunk::<16>().ok_or_else(short)?;
            let coded = counts.iter().map(|&count| usize::from(count)).sum();
            let (coded, rest) = rest.split_at_checked(coded).ok_or_else(short)?;
            let mut symbols = [0; 256];
            symbols
                .get_mut(..coded.len())
                .ok_or_else(|| {
                    Refusal::Corrupt("JPEG Huffman table with more than 256 codes".into())
                })?
                .copy_from_slice(coded);
            *table = Some(Specification { counts, symbols });
            payload = rest;
        }
        Ok(())
    }

    /// DRI, B.2.4.4.
    fn read_restart_interval(&mut self, payload: &[u8]) -> Result<(), Refusal> {
        let interval = payload
            .try_into()
            .map_err(|_| Refusal::Corrupt("JPEG restart interval of a wrong length".into()))?;
        self.restart_interval = u32::from(u16::from_be_bytes(interval));
        Ok(())
    }
}

fn defined<'a>(
    tables: &'a [Option<Specification>; 4],
    standard: &'a [Specification; 2],
    index: u8,
) -> Result<&'a Specification, Refusal> {
    let index = usize::from(index);
    let table = tables
        .get(index)
        .and_then(Option::as_ref)
        .or_else(|| standard.get(index));
    table.ok_or_else(|| Refusal::Corrupt("JPEG scan without its Huffman table".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_tables_of_both_precisions_share_a_segment() {
        let mut payload = vec![0x01];
        payload.extend(1..=64);
        payload.push(0x12);
        payload.extend((0..64).flat_map(|_| [0x01, 0x02]));
        let mut tables = Tables::default();
        tables
            .read(&Segment {
                marker: markers::DQT,
                payload: &payload,
                start: 0,
            })
            .unwrap();
        assert_eq!(tables.quantization(1).unwrap()[63], 64);
        assert_eq!(tables.quantization(2).unwrap(), &[0x0102; 64]);
        assert!(tables.quantization(0).is_err());
    }

    #[test]
    fn a_huffman_table_cut_short_is_corrupt() {
        let mut tables = Tables::default();
        let mut payload = vec![0x00; 17];
        payload[1] = 2;
        payload.push(9);
        let read = tables.read(&Segment {
            marker: markers::DHT,
            payload: &payload,
            start: 0,
        });
        assert!(matches!(read, Err(Refusal::Corrupt(_))), "{read:?}");
    }

    #[test]
    fn only_the_standard_tables_need_no_definition() {
        let tables = Tables::default();
        assert_eq!(tables.ac(1).unwrap().symbols[..3], [0x00, 0x01, 0x02]);
        assert!(tables.dc(2).is_err());
    }
}
