//! What a model call used, from counts as its caller tells them.
//!
//! Here cached tokens are within those that went in, and reasoning within those that came out. Some providers and
//! instrumentations count them beside each other: their sum is what is billed (Anthropic's cache, Gemini's thoughts). Which
//! of the two it is, the total says; without one, a part that is larger than its whole. Counts that fit neither are not
//! believed: their cost is not known, and no count that nobody told is taken for a zero.

use proof::{canonical::MAX_INTEGER, words::CostNote};

use super::prices::Tokens;

/// Counts as they were told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Counts {
    pub input: Option<u64>,
    pub output: Option<u64>,
    pub total: Option<u64>,
    pub cache_read: u64,
    pub cache_write: u64,
    /// Of those that were written, the ones that are kept for an hour.
    pub cache_write_hour: u64,
    pub reasoning: u64,
    /// A count was told that nobody can read.
    pub unreadable: bool,
}

/// What a call used, and why that is not to be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Used {
    pub tokens: Tokens,
    pub note: Option<CostNote>,
}

/// What lies beside a count that others have within it: cached tokens, reasoning.
const WAYS: [(bool, bool, bool); 8] = [
    (false, false, false),
    (true, true, false),
    (false, false, true),
    (true, true, true),
    (true, false, false),
    (false, true, false),
    (true, false, true),
    (false, true, true),
];

/// What was used.
#[must_use]
pub fn used(counts: Counts) -> Used {
    let counts = believed(counts);
    // A total of nothing, beside counts of something, is one that nobody filled in.
    let said = counts.input.unwrap_or(0) | counts.output.unwrap_or(0);
    let total = counts.total.filter(|total| *total > 0 || said == 0);
    let rest = |known: Option<u64>| Some(total?.saturating_sub(known?));
    let input = counts.input.or_else(|| rest(counts.output)).or(total).unwrap_or(0);
    let output = counts.output.or_else(|| rest(counts.input)).unwrap_or(0);
    let (read, reasoning) = (counts.cache_read, counts.reasoning);
    let write = counts.cache_write.max(counts.cache_write_hour);
    let both = counts.input.is_some() && counts.output.is_some();
    let fits = |way: &&(bool, bool, bool)| {
        let (input, output) = sums(input, output, read, write, reasoning, **way);
        let kept = input <= MAX_INTEGER && output <= MAX_INTEGER;
        let within = kept && read.saturating_add(write) <= input && reasoning <= output;
        within && total.filter(|_| both).is_none_or(|total| input.saturating_add(output) == total)
    };
    let way = WAYS.iter().find(fits);
    // What contradicts itself is kept as it was told.
    let (input, output) =
        way.map_or((input, output), |way| sums(input, output, read, write, reasoning, *way));
    let tokens = Tokens {
        input,
        output,
        cache_read: read,
        cache_write: write,
        cache_write_hour: counts.cache_write_hour,
        reasoning,
    };
    let neither = counts.input.is_none() && counts.output.is_none();
    let note = if counts.unreadable || neither || (tokens.input == 0 && tokens.output == 0) {
        Some(CostNote::NoTokens)
    } else if way.is_none() {
        Some(CostNote::CountsContradict)
    } else {
        None
    };
    Used { tokens, note }
}

/// A count that no record holds is one that nobody can read.
fn believed(counts: Counts) -> Counts {
    let Counts { input, output, total, cache_read, cache_write, cache_write_hour, reasoning, unreadable } =
        counts;
    let parts = [cache_read, cache_write, cache_write_hour, reasoning];
    let beyond = |count: u64| count > MAX_INTEGER;
    let some = |count: Option<u64>| count.filter(|count| !beyond(*count));
    let part = |count: u64| if beyond(count) { 0 } else { count };
    Counts {
        input: some(input),
        output: some(output),
        total: some(total),
        cache_read: part(cache_read),
        cache_write: part(cache_write),
        cache_write_hour: part(cache_write_hour),
        reasoning: part(reasoning),
        unreadable: unreadable
            || parts.into_iter().any(beyond)
            || [input, output].into_iter().flatten().any(beyond),
    }
}

/// What went in and came out, with what lies beside it.
fn sums(
    input: u64,
    output: u64,
    read: u64,
    write: u64,
    reasoning: u64,
    beside: (bool, bool, bool),
) -> (u64, u64) {
    let of = |is: bool, count: u64| if is { count } else { 0 };
    let input = input.saturating_add(of(beside.0, read)).saturating_add(of(beside.1, write));
    (input, output.saturating_add(of(beside.2, reasoning)))
}

#[cfg(test)]
mod tests {
    use proof::words::CostNote::{self, CountsContradict, NoTokens};

    use super::{Counts, Tokens, used};

    /// Input, output, total, read, written, reasoning: and what it came to, in and out.
    #[test]
    fn parts_lie_within_or_beside_as_the_total_or_their_size_says() {
        const NO: u64 = u64::MAX;
        type Case = ([u64; 6], (u64, u64), Option<CostNote>);
        let cases: [Case; 18] = [
            ([100, 20, NO, 0, 0, 0], (100, 20), None),
            ([100, 20, 120, 80, 0, 10], (100, 20), None),
            // Anthropic's own counts: beside.
            ([5, 100, 129_060, 128_955, 0, 0], (128_960, 100), None),
            ([3, 550, NO, 0, 12_304, 0], (12_307, 550), None),
            ([3, 550, NO, 1_000, 12_304, 0], (13_307, 550), None),
            ([100, 20, 170, 50, 0, 0], (150, 20), None),
            ([100, 20, 180, 10, 50, 0], (160, 20), None),
            // Gemini's thoughts: beside.
            ([100, 20, NO, 0, 0, 300], (100, 320), None),
            ([100, 50, 190, 0, 0, 40], (100, 90), None),
            ([100, 50, 150, 0, 0, 40], (100, 50), None),
            // One of the two is told by the total.
            ([100, NO, 120, 0, 0, 0], (100, 20), None),
            ([NO, 20, 120, 0, 0, 0], (100, 20), None),
            ([100, NO, NO, 0, 0, 0], (100, 0), None),
            // A total that nobody filled in.
            ([100, 20, 0, 0, 0, 0], (100, 20), None),
            // Which of the total went in nobody knows.
            ([NO, NO, 120, 0, 0, 0], (120, 0), Some(NoTokens)),
            ([NO, NO, NO, 0, 0, 0], (0, 0), Some(NoTokens)),
            ([0, 0, 0, 0, 0, 0], (0, 0), Some(NoTokens)),
            ([100, 20, 900, 0, 0, 0], (100, 20), Some(CountsContradict)),
        ];
        for (told, sums, note) in cases {
            let [input, output, total, cache_read, cache_write, reasoning] = told;
            let some = |count: u64| Some(count).filter(|count| *count != NO);
            let counts = Counts {
                input: some(input),
                output: some(output),
                total: some(total),
                cache_read,
                cache_write,
                reasoning,
                ..Counts::default()
            };
            let used = used(counts);
            assert_eq!(((used.tokens.input, used.tokens.output), used.note), (sums, note), "{told:?}");
        }
    }

    #[test]
    fn what_nobody_can_read_is_not_believed_and_nothing_overflows() {
        let counts = Counts { input: Some(5), output: Some(5), unreadable: true, ..Counts::default() };
        assert_eq!(used(counts).note, Some(NoTokens));
        let most = Counts {
            input: Some(u64::MAX),
            output: Some(u64::MAX),
            total: Some(u64::MAX),
            cache_read: u64::MAX,
            cache_write: u64::MAX,
            cache_write_hour: u64::MAX,
            reasoning: u64::MAX,
            unreadable: false,
        };
        assert_eq!((used(most).tokens, used(most).note), (Tokens::default(), Some(NoTokens)));
        let beside = Counts { input: Some(12), output: Some(3), cache_read: 1 << 53, ..Counts::default() };
        assert_eq!((used(beside).tokens.input, used(beside).note), (12, Some(CountsContradict)));
    }
}
