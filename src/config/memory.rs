//! Derives the default memory budget from the container's limit.

use std::fs;

/// The limit that is assumed where none is found.
const FALLBACK_BYTES: u64 = 512 << 20;

/// The working memory that pictures may share, in bytes: 70 % of the container's limit. The rest is for the process
/// itself and the allocator's slack.
pub(super) fn default_budget() -> u64 {
    budget_of(limit().unwrap_or(FALLBACK_BYTES))
}

fn budget_of(limit: u64) -> u64 {
    limit / 10 * 7
}

/// The smallest of the cgroup's limit (version 2, then 1) and the machine's memory.
fn limit() -> Option<u64> {
    let read = |path: &str| fs::read_to_string(path).ok();
    let cgroup = read("/sys/fs/cgroup/memory.max")
        .or_else(|| read("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
        .and_then(|text| text.trim().parse().ok());
    let machine = read("/proc/meminfo").as_deref().and_then(total_of);
    cgroup.into_iter().chain(machine).min()
}

/// The `MemTotal` line of `/proc/meminfo`, which is in KiB.
fn total_of(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.split_whitespace()
        .next()?
        .parse::<u64>()
        .ok()?
        .checked_mul(1 << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_of_half_a_gibibyte_leaves_358_mebibytes() {
        assert_eq!(budget_of(512 << 20) >> 20, 358);
    }

    #[test]
    fn the_machine_s_memory_is_read_in_kibibytes() {
        assert_eq!(
            total_of("MemFree: 1 kB\nMemTotal:       24576 kB\n"),
            Some(24 << 20)
        );
        assert_eq!(total_of("nothing"), None);
    }
}
