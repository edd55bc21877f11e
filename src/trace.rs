//! Parses trace headers, by which Cloud Logging shows our line beside the request's own.

/// A trace and a span in it, as Cloud Logging names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trace {
    /// 32 lower-case hexadecimal digits.
    pub trace_id: String,
    /// 16 lower-case hexadecimal digits.
    pub span_id: Option<String>,
}

impl Trace {
    /// Parses `traceparent` (W3C Trace Context, section 3.2) or, failing that, `X-Cloud-Trace-Context`
    /// (`TRACE_ID/SPAN_ID;o=OPTIONS`, the span in decimal); malformed ones are ignored.
    #[must_use]
    pub(crate) fn parse(
        traceparent: Option<&str>,
        cloud_trace_context: Option<&str>,
    ) -> Option<Self> {
        traceparent
            .and_then(from_traceparent)
            .or_else(|| cloud_trace_context.and_then(from_cloud))
    }
}

fn from_traceparent(header: &str) -> Option<Trace> {
    let mut parts = header.trim().split('-');
    let version = parts
        .next()
        .filter(|version| is_hex(version, 2) && *version != "ff")?;
    let trace_id = parts.next().filter(|id| is_id(id, 32))?;
    let span_id = parts.next().filter(|id| is_id(id, 16))?;
    parts.next().filter(|flags| is_hex(flags, 2))?;
    if version == "00" && parts.next().is_some() {
        return None;
    }
    Some(Trace {
        trace_id: trace_id.to_owned(),
        span_id: Some(span_id.to_owned()),
    })
}

fn from_cloud(header: &str) -> Option<Trace> {
    let (trace_id, rest) = header.trim().split_once('/').unwrap_or((header.trim(), ""));
    let trace_id = trace_id.to_ascii_lowercase();
    let span: Option<u64> = rest
        .split(';')
        .next()
        .and_then(|span| span.parse().ok())
        .filter(|span| *span != 0);
    is_id(&trace_id, 32).then(|| Trace {
        trace_id,
        span_id: span.map(|span| format!("{span:016x}")),
    })
}

fn is_id(text: &str, digits: usize) -> bool {
    is_hex(text, digits) && text.bytes().any(|digit| digit != b'0')
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits
        && text
            .bytes()
            .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn parsed(traceparent: Option<&str>, cloud: Option<&str>) -> Option<(String, Option<String>)> {
        Trace::parse(traceparent, cloud).map(|trace| (trace.trace_id, trace.span_id))
    }

    #[test]
    fn traceparent_wins() {
        let header = format!("00-{ID}-00f067aa0ba902b7-01");
        let expected = Some((ID.to_owned(), Some("00f067aa0ba902b7".to_owned())));
        assert_eq!(
            parsed(
                Some(&header),
                Some("105445aa7843bc8bf206b12000100000/1;o=1")
            ),
            expected
        );
    }

    #[test]
    fn the_cloud_header_s_decimal_span_becomes_hexadecimal() {
        let span = |header: &str| parsed(None, Some(header)).unwrap().1;
        assert_eq!(
            span(&format!("{ID}/2205310701640571284;o=1")).as_deref(),
            Some("1e9ad6661ea75994")
        );
        assert_eq!(
            span(&format!("{ID}/1")).as_deref(),
            Some("0000000000000001")
        );
        assert_eq!(span(ID), None);
    }

    #[test]
    fn broken_headers_are_no_trace() {
        let zeros = "0".repeat(32);
        for header in [
            "",
            "00",
            "00-x-y-01",
            &format!("00-{zeros}-00f067aa0ba902b7-01"),
            &format!("ff-{ID}-00f067aa0ba902b7-01"),
        ] {
            assert_eq!(parsed(Some(header), None), None, "{header}");
        }
        assert_eq!(parsed(None, Some("x/1;o=1")), None);
    }
}
