use super::*;

fn bytes(source: &[u8], count: usize) -> (Vec<u32>, Result<(), Fault>) {
    let mut bits = Bits::new(source, 0);
    let read = (0..count)
        .map(|_| {
            bits.refill();
            bits.take(8)
        })
        .collect();
    (read, bits.check())
}

#[test]
fn stuffed_bytes_are_unstuffed_at_every_offset() {
    for offset in 0..20_u8 {
        let mut source: Vec<u8> = (0..offset).collect();
        source.extend([0xFF, 0x00]);
        source.extend(100..120);
        let mut plain: Vec<u32> = (0..u32::from(offset)).collect();
        plain.push(0xFF);
        plain.extend(100..120);
        assert_eq!(bytes(&source, plain.len()), (plain, Ok(())));
    }
}

#[test]
fn bits_past_a_marker_or_the_end_are_zeros_and_told() {
    assert_eq!(bytes(&[7, 0xFF, 0xD9], 1), (vec![7], Ok(())));
    assert_eq!(bytes(&[7, 0xFF, 0xD9], 2), (vec![7, 0], Err(Fault::Short)));
    assert_eq!(bytes(&[7, 9], 3), (vec![7, 9, 0], Err(Fault::End)));
    assert_eq!(bytes(&[7, 0xFF], 2), (vec![7, 0], Err(Fault::End)));
}

#[test]
fn extend_splits_each_size_into_negative_and_positive() {
    assert_eq!([0, 1].map(|bits| extend(bits, 1)), [-1, 1]);
    assert_eq!([0, 3, 4, 7].map(|bits| extend(bits, 3)), [-7, -4, 4, 7]);
    assert_eq!(extend(0, 0), 0);
}

#[test]
fn restart_takes_only_the_marker_whose_turn_it_is() {
    let source = [0x12, 0xFF, 0xD3, 0x34];
    let mut bits = Bits::new(&source, 0);
    bits.refill();
    assert_eq!(bits.restart(2), Err(Fault::Restart));
    assert_eq!(bits.restart(3), Ok(()));
    bits.refill();
    assert_eq!(bits.take(8), 0x34);
}
