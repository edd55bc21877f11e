//! Chance that can be repeated: the seed is printed, and can be given.

#[path = "../shared/rng.rs"]
mod shared;

pub use shared::Rng;

impl Rng {
    /// Seeds from the variable `TEST_SEED` or else from the clock, and prints the seed.
    pub fn from_environment(test: &str) -> Self {
        Self::new(Self::seed_from_environment(test))
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

    /// Puts the elements into a random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, elements: &mut [T]) {
        for last in (1..elements.len()).rev() {
            elements.swap(last, self.below(last + 1));
        }
    }
}
