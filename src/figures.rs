//! Numbers as people read them: `28,996,000`, GFLOP, MiB.

/// 28996000 as "28,996,000".
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Operations in units of 10^9.
pub fn giga(operations: u64) -> String {
    brief(operations as f64 / 1e9)
}

/// Bytes in units of 2^20.
pub fn mebi(bytes: u64) -> String {
    brief(bytes as f64 / f64::from(1 << 20))
}

/// Three digits or more: "0.02", "4.51", "86.5", "1,730"; "-" for nothing.
fn brief(amount: f64) -> String {
    match amount {
        0.0 => "-".to_owned(),
        ..0.005 => "<0.01".to_owned(),
        ..9.995 => format!("{amount:.2}"),
        ..99.95 => format!("{amount:.1}"),
        // From 100 up to 2^64 / 10^6, so inside of a u64.
        _ => thousands(amount.round() as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::{brief, thousands};

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([0, 999, 1_000, 28_996_000].map(thousands), ["0", "999", "1,000", "28,996,000"]);
    }

    #[test]
    fn amounts_have_three_digits_or_more() {
        let amounts = [0.0, 0.001, 0.024, 9.99, 9.996, 86.49, 99.96, 1729.6].map(brief);
        assert_eq!(amounts, ["-", "<0.01", "0.02", "9.99", "10.0", "86.5", "100", "1,730"]);
    }
}
