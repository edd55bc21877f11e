//! Chance that can be repeated: the seed is printed, and can be given.

/// `SplitMix64` (Steele, Lea and Flood 2014).
pub struct Rng(u64);

impl Rng {
    /// Seeds from the variable `TEST_SEED` or else from the clock, and prints the seed.
    pub fn from_environment(test: &str) -> Self {
        Self(Self::seed_from_environment(test))
    }

    /// Seeds with this number.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The variable `TEST_SEED` or else a number from the clock, printed.
    pub fn seed_from_environment(test: &str) -> u64 {
        let given = std::env::var("TEST_SEED").ok();
        let given = given.map(|text| text.parse().expect("TEST_SEED is a number"));
        let seed = given.unwrap_or_else(|| {
            let now = std::time::SystemTime::UNIX_EPOCH.elapsed();
            u64::from(now.expect("the clock is past 1970").subsec_nanos())
        });
        println!("{test}: TEST_SEED={seed}");
        seed
    }

    /// A number below `bound`, which isn't 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bound = u64::try_from(bound).expect("a bound fits 64 bits");
        usize::try_from((mixed ^ (mixed >> 31)) % bound).expect("it is below a usize")
    }

    /// Puts the elements into a random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, elements: &mut [T]) {
        for last in (1..elements.len()).rev() {
            elements.swap(last, self.below(last + 1));
        }
    }
}
