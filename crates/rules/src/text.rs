//! Canonical JSON as text, and numbers as people read them.

use serde::Serialize;

use crate::count::Count;

/// RFC 8785 text of a value of ours. Ours hold no floats, and every integer in them is a [`Count`].
pub(crate) fn canonical(value: &impl Serialize) -> String {
    proof::canonical::to_text(value)
}

/// Micro-USD as dollars, without needless zeros: `0.5 USD`.
pub(crate) fn usd(micro: Count) -> String {
    let (whole, part) = (micro.get() / 1_000_000, micro.get() % 1_000_000);
    if part == 0 {
        return format!("{whole} USD");
    }
    let part = format!("{part:06}");
    format!("{whole}.{} USD", part.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::usd;

    #[test]
    fn money_reads_as_dollars() {
        for (micro, text) in
            [(0, "0 USD"), (1_000_000, "1 USD"), (500_000, "0.5 USD"), (12_000_001, "12.000001 USD")]
        {
            assert_eq!(usd(micro.into()), text);
        }
    }
}
