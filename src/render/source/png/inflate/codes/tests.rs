use super::*;

#[test]
fn fixed_codes_are_made_once_and_anew_after_others() {
    let mut codes = Codes::new();
    codes.set_fixed().unwrap();
    let fixed = codes.symbols.first.clone();
    codes.symbols.first.fill(Entry::NONE);
    codes.set_fixed().unwrap();
    assert_eq!(codes.symbols.first(0), Entry::NONE, "made again");
    let mut symbols = [0; 258];
    (symbols[0], symbols[END]) = (1, 1);
    codes.set(&symbols, &[1]).unwrap();
    codes.set_fixed().unwrap();
    assert!(codes.symbols.first == fixed);
}
