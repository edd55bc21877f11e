//! Unpacks objects stored with `Content-Encoding: gzip` (RFC 1952) here, so that checksum and size limit hold.

use std::io::Read as _;

use flate2::bufread::GzDecoder;

use crate::outcome::Failure;
use crate::render::Refusal;

const MAGIC: [u8; 2] = [0x1f, 0x8b];
/// The size of the first piece that is unpacked; each further one is as long as all before it.
const FIRST_PIECE: u64 = 1 << 20;
/// The most members in one file; block compressors make one for each 64 KiB.
const MAX_MEMBERS: u32 = 1 << 16;

pub(super) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// Unpacks gzip, at most `limit` bytes of it.
///
/// Members are concatenated and zeros after them ignored, as gzip(1) does: they pad tapes' blocks. `reserve` is called
/// with the total of unpacked bytes before each piece.
///
/// # Errors
/// [`Failure::TooLarge`] over the limit, [`Refusal::Corrupt`] for broken gzip, and any error of `reserve`.
pub(super) fn gunzip<E: From<Failure>>(
    packed: &[u8],
    limit: u64,
    mut reserve: impl FnMut(u64) -> Result<(), E>,
) -> Result<Vec<u8>, E> {
    let mut unpacked = Vec::new();
    let mut rest = packed;
    for _ in 0..MAX_MEMBERS {
        let mut member = GzDecoder::new(rest);
        loop {
            let have = unpacked.len() as u64;
            let piece = have.max(FIRST_PIECE).min((limit - have).saturating_add(1));
            reserve(have + piece)?;
            let read = member.by_ref().take(piece).read_to_end(&mut unpacked);
            let read = read.map_err(|error| broken(&error))?;
            if unpacked.len() as u64 > limit {
                let bytes = limit.saturating_add(1);
                return Err(Failure::TooLarge { bytes, limit }.into());
            }
            if (read as u64) < piece {
                break;
            }
        }
        rest = member.into_inner();
        if rest.iter().all(|byte| *byte == 0) {
            return Ok(unpacked);
        }
    }
    Err(broken(&"too many members").into())
}

fn broken(fault: &dyn std::fmt::Display) -> Failure {
    Refusal::Corrupt(format!("its gzip Content-Encoding is broken: {fault}")).into()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_is_told_and_unpacked() {
        let bytes = vec![7; 5 << 20];
        assert_eq!(
            gunzip(&gzip(&bytes), 6 << 20, |_| Ok::<_, Failure>(())).unwrap(),
            bytes
        );
        assert!(is_gzip(&gzip(&bytes)) && !is_gzip(b"\x89PNG"));
    }

    #[test]
    fn a_bomb_ends_at_the_limit_with_its_memory_asked_for() {
        let bomb = gzip(&vec![0; 64 << 20]);
        let mut asked = 0;
        let unpacked = gunzip(&bomb, 3 << 20, |bytes| {
            asked = bytes;
            Ok(())
        });
        assert!(matches!(unpacked, Err(Failure::TooLarge { limit, .. }) if limit == 3 << 20));
        assert_eq!(asked, (3 << 20) + 1);
    }

    #[test]
    fn members_are_joined_and_zeros_behind_them_ignored() {
        let (first, second) = (gzip(&[7; 10_000]), gzip(&[8; 10_000]));
        let joined = [&[7; 10_000][..], &[8; 10_000]].concat();
        let padded = [&first[..], &second, &[0; 512]].concat();
        let unpacked = gunzip(&padded, 1 << 20, |_| Ok::<_, Failure>(()));
        assert_eq!(unpacked.unwrap(), joined);
    }

    #[test]
    fn broken_gzip_is_the_input_s_fault() {
        let whole = gzip(&[7; 10_000]);
        let padded_with_more = [&whole[..], &[0; 512], b"x"].concat();
        let empty = gzip(&[]).repeat(1 << 17);
        for broken in [&whole[..20], &padded_with_more, &empty] {
            assert!(matches!(
                gunzip(broken, 1 << 20, |_| Ok::<_, Failure>(())),
                Err(Failure::Refused(Refusal::Corrupt(_)))
            ));
        }
    }
}
