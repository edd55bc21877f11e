//! Parses amounts of bytes and time.

use std::time::Duration;

/// The longest ack deadline that Pub/Sub grants: a longer event would be delivered again while it runs.
const LONGEST: Duration = Duration::from_mins(10);

/// Reads `1048576`, `1024KiB`, `100MiB` or `2GiB`; above zero.
pub(super) fn bytes(text: &str) -> Result<u64, &'static str> {
    const FAULT: &str =
        "is not an amount of bytes above 0, such as 1048576, 512KiB, 100MiB or 2GiB";
    let text = text.trim();
    let (digits, unit) = text.split_at(
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len()),
    );
    let factor: u64 = match unit.trim() {
        "" => 1,
        "KiB" | "Ki" => 1 << 10,
        "MiB" | "Mi" => 1 << 20,
        "GiB" | "Gi" => 1 << 30,
        _ => return Err(FAULT),
    };
    let number: u64 = digits.parse().map_err(|_| FAULT)?;
    number
        .checked_mul(factor)
        .filter(|bytes| *bytes > 0)
        .ok_or(FAULT)
}

/// Reads `50s`, `1500ms` or plain seconds; above zero and within Pub/Sub's longest ack deadline.
pub(super) fn duration(text: &str) -> Result<Duration, &'static str> {
    const FAULT: &str =
        "is not a time above 0 and below 600s (the longest ack deadline), such as 50s or 1500ms";
    let text = text.trim();
    let (digits, unit) = text.split_at(
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len()),
    );
    let number: u64 = digits.parse().map_err(|_| FAULT)?;
    let duration = match unit {
        "ms" => Duration::from_millis(number),
        "" | "s" => Duration::from_secs(number),
        _ => return Err(FAULT),
    };
    if duration > Duration::ZERO && duration < LONGEST {
        Ok(duration)
    } else {
        Err(FAULT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_bytes_have_binary_units() {
        assert_eq!(bytes("1048576"), Ok(1 << 20));
        assert_eq!(bytes("100MiB"), Ok(100 << 20));
        assert_eq!(bytes("2 Gi"), Ok(2 << 30));
        for fault in [
            "",
            "0",
            "-1",
            "1.5MiB",
            "10MB",
            "99999999999999999999",
            "18446744073709551615GiB",
        ] {
            assert!(bytes(fault).is_err(), "{fault}");
        }
    }

    #[test]
    fn times_are_seconds_or_milliseconds() {
        assert_eq!(duration("50s"), Ok(Duration::from_secs(50)));
        assert_eq!(duration("50"), Ok(Duration::from_secs(50)));
        assert_eq!(duration("1500ms"), Ok(Duration::from_millis(1500)));
        for fault in ["", "0s", "600s", "1h", "soon", "-1s"] {
            assert!(duration(fault).is_err(), "{fault}");
        }
    }
}
