//! How many tokens a model call used, from the counts that its caller reports.
//!
//! In the result, cached tokens are part of the input, and reasoning tokens part of the output. Some providers and
//! instrumentations report them beside input and output, and bill the sum (Anthropic's cache, Gemini's thoughts). The
//! reported total says which of the two it is. Without a total, a part that is larger than its whole says it.
//!
//! Counts that fit neither are not believed, and the cost of the call is not known. A count that nobody reported is not
//! taken for zero: if neither a side nor the total is reported, that side is not known, and neither is the cost.

use proof::{canonical::MAX_INTEGER, words::CostNote};

use super::{prices::Tokens, told::Counts};

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
    let counts = counts.believed();
    // A total of nothing, beside counts of something, is one that nobody filled in.
    let said = counts.input.unwrap_or(0) | counts.output.unwrap_or(0);
    let total = counts.total.filter(|total| *total > 0 || said == 0);
    let (read, reasoning) = (counts.cache_read, counts.reasoning);
    let write = counts.cache_write.max(counts.cache_write_hour);
    let is_more_than_its_whole = counts.cache_write > 0 && counts.cache_write_hour > counts.cache_write;
    let (input, output) = match (counts.input, counts.output) {
        (input, None) if counts.gives_none => (input.or(total), Some(0)),
        told => told,
    };
    let mut ways = WAYS;
    if counts.thoughts_beside {
        ways.swap(1, 2);
    }
    if counts.thoughts_beside && counts.thoughts_as_billed && !counts.parts_within && total.is_none() {
        ways.sort_by_key(|(_, _, thoughts)| !thoughts);
    }
    let fits = |input: Option<u64>, total: Option<u64>, way: (bool, bool, bool)| {
        let (cache_read, cache_write, thoughts) = way;
        let of = |is: bool, count: u64| if is { count } else { 0 };
        let input = input.map(|input| input + of(cache_read, read) + of(cache_write, write));
        let output = output.map(|output| output + of(thoughts, reasoning));
        let (input, output) = match (input, output, total) {
            (Some(input), Some(output), None) => (input, output),
            (Some(input), Some(output), Some(total)) if input + output == total => (input, output),
            // A side that is not told is the rest of the total.
            (Some(input), None, Some(total)) => (input, total.checked_sub(input)?),
            (None, Some(output), Some(total)) => (total.checked_sub(output)?, output),
            _ => return None,
        };
        let kept = input <= MAX_INTEGER && output <= MAX_INTEGER;
        (kept && read + write <= input && reasoning <= output).then_some((input, output))
    };
    // Many add the total up from the two sides as they have them: it says nothing of what lies beside those.
    let is_sum = input.zip(output).is_some_and(|(input, output)| total == Some(input + output));
    let only_within = counts.parts_within && (total.is_none() || is_sum);
    let is_beside = !only_within && input.is_some_and(|input| read + write > input);
    let says_nothing = is_sum || total.is_none();
    let may_be_within = output.is_some_and(|output| reasoning > 0 && reasoning <= output);
    let in_doubt = says_nothing
        && (counts.cache_in_doubt && read + write > 0 && !is_beside
            || counts.reasoning_in_doubt && may_be_within);
    let witness = total.filter(|_| !(is_sum && is_beside));
    let ways = &ways[..if only_within { 1 } else { WAYS.len() }];
    let with_beside = input.map(|input| input + counts.beside_input);
    let sides = [with_beside, input]
        .into_iter()
        .find_map(|input| ways.iter().find_map(|way| fits(input, witness, *way)));
    let (told_in, told_out) = (input.is_some(), output.is_some());
    // What contradicts itself is kept as it was told; which of a total went in nobody knows.
    let as_told = (input.or(total.filter(|_| !told_out)).unwrap_or(0), output.unwrap_or(0));
    let (input, output) = sides.unwrap_or(as_told);
    let tokens = Tokens {
        input,
        output,
        cache_read: read,
        cache_write: write,
        cache_write_hour: counts.cache_write_hour,
        reasoning,
    };
    // Of what went in, what came out and their total, two tell the third.
    let enough = [told_in, told_out, total.is_some()].into_iter().filter(|told| *told).count() > 1;
    let note = if counts.unreadable || !enough || (tokens.input == 0 && tokens.output == 0) {
        Some(CostNote::NoTokens)
    } else if sides.is_none() || in_doubt || is_more_than_its_whole {
        Some(CostNote::CountsContradict)
    } else if tokens.input == 0 {
        // No model is asked with nothing: a stream that lost its beginning tells none of what went in.
        Some(CostNote::NoTokens)
    } else {
        counts.paid_otherwise.then_some(CostNote::NoPrice)
    };
    Used { tokens, note }
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
        let cases: [Case; 31] = [
            ([100, 20, NO, 0, 0, 0], (100, 20), None),
            ([100, 20, 120, 80, 0, 10], (100, 20), None),
            // Anthropic's own counts: beside.
            ([5, 100, 129_060, 128_955, 0, 0], (128_960, 100), None),
            ([3, 550, NO, 0, 12_304, 0], (12_307, 550), None),
            ([3, 550, NO, 1_000, 12_304, 0], (13_307, 550), None),
            // So they are where the total is but the sum of what is told.
            ([5, 100, 105, 100_000, 0, 0], (100_005, 100), None),
            ([5, 100, 105, 1_000, 12_304, 0], (13_309, 100), None),
            ([100, 20, 170, 50, 0, 0], (150, 20), None),
            ([100, 20, 180, 10, 50, 0], (160, 20), None),
            // Gemini's thoughts: beside.
            ([100, 20, NO, 0, 0, 300], (100, 320), None),
            ([100, 50, 190, 0, 0, 40], (100, 90), None),
            ([100, 50, 150, 0, 0, 40], (100, 50), None),
            // One of the two is told by the total.
            ([100, NO, 120, 0, 0, 0], (100, 20), None),
            ([NO, 20, 120, 0, 0, 0], (100, 20), None),
            ([100, NO, 100, 0, 0, 0], (100, 0), None),
            // So it is of what lies beside the other.
            ([5, NO, 125, 100, 0, 0], (105, 20), None),
            ([NO, 20, 160, 0, 0, 40], (100, 60), None),
            ([100, NO, 130, 0, 0, 20], (100, 30), None),
            // Nobody tells it.
            ([100, NO, NO, 0, 0, 0], (100, 0), Some(NoTokens)),
            ([NO, 20, NO, 0, 0, 0], (0, 20), Some(NoTokens)),
            ([100, NO, 0, 0, 0, 0], (100, 0), Some(NoTokens)),
            // The total is less than what is told.
            ([100, NO, 50, 0, 0, 0], (100, 0), Some(CountsContradict)),
            ([NO, 150, 120, 0, 0, 0], (0, 150), Some(CountsContradict)),
            ([100, NO, 110, 0, 0, 20], (100, 0), Some(CountsContradict)),
            // A total that nobody filled in.
            ([100, 20, 0, 0, 0, 0], (100, 20), None),
            // Which of the total went in nobody knows.
            ([NO, NO, 120, 0, 0, 0], (120, 0), Some(NoTokens)),
            ([NO, NO, NO, 0, 0, 0], (0, 0), Some(NoTokens)),
            ([0, 0, 0, 0, 0, 0], (0, 0), Some(NoTokens)),
            // Nothing went in, unless it was cached.
            ([0, 20, NO, 0, 0, 0], (0, 20), Some(NoTokens)),
            ([0, 20, NO, 80, 0, 0], (80, 20), None),
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
    fn of_a_call_that_gives_nothing_back_all_went_in() {
        let of = |input: Option<u64>, output: Option<u64>, total: Option<u64>| {
            let used = used(Counts { input, output, total, gives_none: true, ..Counts::default() });
            ((used.tokens.input, used.tokens.output), used.note)
        };
        assert_eq!(of(Some(100), None, None), ((100, 0), None));
        assert_eq!(of(None, None, Some(100)), ((100, 0), None));
        assert_eq!(of(Some(100), None, Some(100)), ((100, 0), None));
        assert_eq!(of(Some(100), None, Some(90)), ((100, 0), Some(CountsContradict)));
        assert_eq!(of(Some(100), Some(5), None), ((100, 5), None), "told is told");
        assert_eq!(of(None, None, None), ((0, 0), Some(NoTokens)));
    }

    #[test]
    fn what_is_paid_otherwise_has_no_price_and_is_counted() {
        let counts = Counts { input: Some(100), output: Some(20), paid_otherwise: true, ..Counts::default() };
        let of = |counts: Counts| (used(counts).tokens.input, used(counts).tokens.output, used(counts).note);
        assert_eq!(of(counts), (100, 20, Some(CostNote::NoPrice)));
        assert_eq!(of(Counts { output: None, ..counts }), (100, 0, Some(NoTokens)));
        assert_eq!(of(Counts { paid_otherwise: false, ..counts }), (100, 20, None));
    }

    /// OpenAI's cached tokens are within its input: more of them contradicts it, unless the total says otherwise.
    #[test]
    fn a_part_that_lies_within_is_no_more_than_its_whole() {
        let of = |total: Option<u64>, cache_read: u64, reasoning: u64| {
            let (input, output) = (Some(100), Some(10));
            let told = Counts {
                input,
                output,
                total,
                cache_read,
                reasoning,
                parts_within: true,
                ..Counts::default()
            };
            let used = used(told);
            ((used.tokens.input, used.tokens.output), used.note)
        };
        assert_eq!(of(None, 80, 5), ((100, 10), None));
        for total in [None, Some(110)] {
            assert_eq!(of(total, 800, 0), ((100, 10), Some(CountsContradict)), "{total:?}");
            assert_eq!(of(total, 0, 50), ((100, 10), Some(CountsContradict)), "{total:?}");
        }
        assert_eq!(of(Some(910), 800, 0), ((900, 10), None));
        assert_eq!(of(Some(160), 0, 50), ((100, 60), None));
    }

    /// Of Bedrock's calls some tell the fresh tokens, and some all that went in; both add their total up from that.
    #[test]
    fn cached_tokens_that_may_lie_within_or_beside_are_in_doubt() {
        let of = |input: u64, total: Option<u64>, cache_read: u64| {
            let (input, output) = (Some(input), Some(100));
            let counts =
                Counts { input, output, total, cache_read, cache_in_doubt: true, ..Counts::default() };
            let used = used(counts);
            (used.tokens.input, used.note)
        };
        assert_eq!(of(2_000, Some(2_100), 1_500), (2_000, Some(CountsContradict)));
        assert_eq!(of(2_000, Some(2_100), 0), (2_000, None), "nothing is cached");
        assert_eq!(of(2_000, Some(3_600), 1_500), (3_500, None), "the total says it");
        assert_eq!(of(5, Some(105), 1_500), (1_505, None), "their number says it");
        assert_eq!(
            of(2_000, None, 1_500),
            (2_000, Some(CountsContradict)),
            "no total says no more than a sum"
        );
        assert_eq!(of(5, None, 1_500), (1_505, None));
    }

    /// xAI's Chat counts reasoning beside what came out, and its Responses within.
    #[test]
    fn reasoning_that_may_lie_within_or_beside_is_in_doubt() {
        let of = |output: u64, total: Option<u64>, reasoning: u64| {
            let (input, output) = (Some(100), Some(output));
            let counts =
                Counts { input, output, total, reasoning, reasoning_in_doubt: true, ..Counts::default() };
            let used = used(counts);
            (used.tokens.output, used.note)
        };
        for total in [None, Some(300)] {
            assert_eq!(of(200, total, 94), (200, Some(CountsContradict)), "{total:?}");
            assert_eq!(of(200, total, 0), (200, None), "nothing was thought");
        }
        assert_eq!(of(200, Some(394), 94), (294, None), "the total says it");
        assert_eq!(of(9, None, 94), (103, None), "their number says it");
    }

    #[test]
    fn no_more_is_kept_for_an_hour_than_was_written() {
        let of = |cache_write: u64, cache_write_hour: u64| {
            let (input, output) = (Some(140), Some(10));
            let used = used(Counts { input, output, cache_write, cache_write_hour, ..Counts::default() });
            (used.tokens.input, used.tokens.cache_write, used.note)
        };
        assert_eq!(of(90, 50), (140, 90, None));
        assert_eq!(of(0, 90), (140, 90, None), "of those that were written the others are none");
        assert_eq!(of(50, 90), (140, 90, Some(CountsContradict)));
    }

    /// Where as many are cached as were thought, the total says both that either lies beside.
    #[test]
    fn thoughts_lie_beside_where_it_is_them_or_the_cached() {
        let counts = Counts {
            input: Some(100),
            output: Some(50),
            total: Some(190),
            cache_read: 40,
            reasoning: 40,
            ..Counts::default()
        };
        let sides = |counts: Counts| (used(counts).tokens.input, used(counts).tokens.output);
        assert_eq!(sides(counts), (140, 50));
        assert_eq!(sides(Counts { thoughts_beside: true, ..counts }), (100, 90));
    }

    /// Gemini's own counts without their total: the answer's tokens are those that were not thought.
    #[test]
    fn thoughts_by_their_own_name_are_added_where_no_total_says_otherwise() {
        let of = |total: Option<u64>, cache_read: u64, parts_within: bool| {
            let told = Counts {
                input: Some(100),
                output: Some(50),
                total,
                cache_read,
                reasoning: 40,
                thoughts_beside: true,
                thoughts_as_billed: true,
                parts_within,
                ..Counts::default()
            };
            let used = used(told);
            ((used.tokens.input, used.tokens.output), used.note)
        };
        assert_eq!(of(None, 0, false), ((100, 90), None));
        assert_eq!(of(None, 60, false), ((100, 90), None), "the cached ones lie within");
        assert_eq!(of(None, 300, false), ((400, 90), None), "but for more than went in");
        assert_eq!(of(Some(190), 0, false), ((100, 90), None));
        assert_eq!(of(Some(150), 0, false), ((100, 50), None), "the total says it");
        assert_eq!(of(None, 0, true), ((100, 50), None), "OpenAI's way of counting has them within");
    }

    /// What Gemini's tools read is in its total, and not in its prompt.
    #[test]
    fn what_went_in_beside_the_input_is_added_where_no_total_says_otherwise() {
        let of = |total: Option<u64>, reasoning: u64| {
            let told = Counts {
                input: Some(100),
                output: Some(10),
                total,
                reasoning,
                beside_input: 5_000,
                thoughts_beside: true,
                thoughts_as_billed: true,
                ..Counts::default()
            };
            let used = used(told);
            ((used.tokens.input, used.tokens.output), used.note)
        };
        assert_eq!(of(None, 0), ((5_100, 10), None));
        assert_eq!(of(None, 40), ((5_100, 50), None));
        assert_eq!(of(Some(5_110), 0), ((5_100, 10), None));
        assert_eq!(of(Some(5_150), 40), ((5_100, 50), None));
        assert_eq!(of(Some(110), 0), ((100, 10), None), "the total says it");
        assert_eq!(of(Some(900), 0), ((100, 10), Some(CountsContradict)));
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
            ..Counts::default()
        };
        assert_eq!((used(most).tokens, used(most).note), (Tokens::default(), Some(NoTokens)));
        let beside = Counts { input: Some(12), output: Some(3), cache_read: 1 << 53, ..Counts::default() };
        assert_eq!((used(beside).tokens.input, used(beside).note), (12, Some(CountsContradict)));
    }
}
