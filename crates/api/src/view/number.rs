//! Numbers, as they are written: exact, money in USD with at most nine decimals.

use serde::Serialize;
use serde_json::value::RawValue;

/// A number that was never a float: its decimal text, without trailing zeros.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Number(Box<RawValue>);

impl Number {
    /// Nano-USD as USD.
    pub(crate) fn usd(nanousd: u64) -> Self {
        Self::scaled(nanousd, 9)
    }

    /// Thousandths as per cent.
    pub(crate) fn percent(permille: u64) -> Self {
        Self::scaled(permille, 1)
    }

    /// A value of a limit in its type's own unit: USD where it counts money, else whole.
    pub(crate) fn of_limit(counts_money: bool, value: u64) -> Self {
        Self::scaled(value, if counts_money { 9 } else { 0 })
    }

    fn scaled(number: u64, decimals: usize) -> Self {
        let digits = format!("{number:0width$}", width = decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        let fraction = fraction.trim_end_matches('0');
        let text = if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") };
        Self(RawValue::from_string(text).unwrap_or_else(|_| unreachable!("digits and a point are a number")))
    }
}

impl utoipa::PartialSchema for Number {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::Number)
            .description(Some("A decimal number with at most nine decimals."))
            .into()
    }
}

impl utoipa::ToSchema for Number {}

#[cfg(test)]
mod tests {
    use super::Number;

    #[test]
    fn exact_and_short() {
        let usd = |nano| serde_json::to_string(&Number::usd(nano)).expect("a number");
        let texts = [0, 1, 10_000, 999_999_999, 1_000_000_000, 1_234_560_000_000, u64::MAX].map(usd);
        assert_eq!(
            texts,
            ["0", "0.000000001", "0.00001", "0.999999999", "1", "1234.56", "18446744073.709551615"]
        );
        assert_eq!(serde_json::to_string(&Number::percent(805)).expect("a number"), "80.5");
        assert_eq!(serde_json::to_string(&Number::of_limit(false, 2_000)).expect("a number"), "2000");
        assert_eq!(serde_json::to_string(&Number::of_limit(true, 2_000_000)).expect("a number"), "0.002");
    }
}
