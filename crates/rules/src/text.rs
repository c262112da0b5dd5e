//! Canonical JSON as text, numbers as people read them, and what is said of a rule that says nothing.

use serde::Serialize;

use crate::count::Count;

/// RFC 8785 text of a value of ours. Ours hold no floats, and every integer in them is a [`Count`].
pub(crate) fn canonical(value: &impl Serialize) -> String {
    proof::canonical::to_text(value)
}

/// What is said of a rule whose author says nothing.
pub(crate) fn applies(name: &str) -> String {
    format!("Rule `{name}` applies.")
}

/// Nano-USD as rules count money: in whole micro-USD, rounded half up.
pub(crate) fn micro(nano: Count) -> Count {
    Count::from((nano.get() + 500) / 1_000)
}

/// Nano-USD as dollars, without needless zeros: `0.5 USD`.
pub(crate) fn usd(nano: Count) -> String {
    let (whole, part) = (nano.get() / 1_000_000_000, nano.get() % 1_000_000_000);
    if part == 0 {
        return format!("{whole} USD");
    }
    let part = format!("{part:09}");
    format!("{whole}.{} USD", part.trim_end_matches('0'))
}

/// Micro-USD as people write dollars: `$0.50`.
pub(crate) fn dollars(micro: Count) -> String {
    let part = format!("{:06}", micro.get() % 1_000_000);
    let kept = part.trim_end_matches('0').len().max(2);
    format!("${}.{}", micro.get() / 1_000_000, &part[..kept])
}

#[cfg(test)]
mod tests {
    use super::{dollars, micro, usd};

    #[test]
    fn money_reads_as_dollars() {
        for (nano, text) in [
            (0, "0 USD"),
            (1_000_000_000, "1 USD"),
            (500_000_000, "0.5 USD"),
            (12_000_000_001, "12.000000001 USD"),
        ] {
            assert_eq!(usd(nano.into()), text);
        }
        assert_eq!([0, 499, 500, 1_499].map(|nano| micro(nano.into()).get()), [0, 0, 1, 1]);
        assert_eq!(
            [0, 610_000, 138, 12_000_000].map(|micro| dollars(micro.into())),
            ["$0.00", "$0.61", "$0.000138", "$12.00"]
        );
    }
}
