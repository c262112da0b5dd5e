//! Steps as an agent reports them, about 1 kB each, no two alike: a store that keeps equal content once gains nothing.

use std::fmt::Write as _;

const WORDS: [&str; 64] = [
    "account", "after", "again", "agent", "answer", "asked", "balance", "because", "before", "between",
    "billing", "business", "cancel", "change", "charge", "check", "clear", "contact", "contract", "could",
    "customer", "day", "delivery", "email", "every", "first", "found", "further", "invoice", "item",
    "kindly", "later", "letter", "line", "message", "missing", "month", "number", "offer", "order", "other",
    "parcel", "payment", "period", "please", "price", "question", "reason", "receipt", "refund", "report",
    "return", "service", "shipped", "should", "since", "store", "ticket", "today", "tracking", "under",
    "update", "week", "which",
];

/// Numbers without end, the same ones for the same seed (xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// What one caller reports, step after step.
pub(super) struct Bodies {
    numbers: Numbers,
    count: u64,
}

impl Bodies {
    /// Bodies of one caller, other ones for each seed.
    pub(super) fn new(seed: usize) -> Self {
        let mut numbers = Numbers((seed as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        numbers.next();
        Self { numbers, count: 0 }
    }

    /// The next step of the run: a call to the model and a call to a tool by turns.
    pub(super) fn step(&mut self) -> String {
        self.count += 1;
        if self.count % 2 == 1 { self.llm_call() } else { self.tool_call(None) }
    }

    /// Asks for a call to a tool, and reports it: the permit's body, and the step's up to where the permit goes.
    pub(super) fn permitted(&mut self) -> (String, impl FnOnce(&str) -> String) {
        let params = self.params();
        let permit = format!(
            r#"{{"kind":"TOOL_CALL","skill_name":"order_lookup","params":{params},"estimate":{{"input_tokens":0,"output_tokens":0,"cost_usd":0.001}}}}"#
        );
        (permit, move |id: &str| self.tool_call(Some((&params, id))))
    }

    fn llm_call(&mut self) -> String {
        let (prompt, response) = (self.text(430), self.text(330));
        let (input, output) = (self.numbers.next() % 900 + 100, self.numbers.next() % 300 + 20);
        let cost = input * 3 + output * 15;
        format!(
            r#"{{"kind":"LLM_CALL","skill_name":"chat","status":"SUCCESS","duration_ms":{},"llm":{{"provider":"openai","model":"gpt-4o-mini","input_tokens":{input},"output_tokens":{output},"cost_usd":0.{cost:06},"request_id":"req_{:016x}","prompt":"{prompt}","response":"{response}","finish_reason":"stop"}}}}"#,
            output * 12,
            self.numbers.next(),
        )
    }

    fn tool_call(&mut self, permitted: Option<(&str, &str)>) -> String {
        let params = permitted.map_or_else(|| self.params(), |(params, _)| params.to_owned());
        let mut body = format!(
            r#"{{"kind":"TOOL_CALL","skill_name":"order_lookup","params":{params},"status":"SUCCESS","outcome":{{"category":"SUCCESS","code":"ok","data":{{"orders":{},"note":"{}"}}}},"duration_ms":{}"#,
            self.numbers.next() % 9,
            self.text(330),
            self.numbers.next() % 200,
        );
        if let Some((_, permit)) = permitted {
            let _ = write!(body, r#","permit_id":"{permit}""#);
        }
        body + "}"
    }

    fn params(&mut self) -> String {
        format!(
            r#"{{"customer":"c-{:08x}","url":"https://shop.example/orders","limit":20,"query":"{}"}}"#,
            self.numbers.next() % (1 << 32),
            self.text(380),
        )
    }

    /// An id that nobody else has.
    pub(super) fn id(&mut self) -> u128 {
        u128::from(self.numbers.next()) << 64 | u128::from(self.numbers.next())
    }

    /// Words up to that many bytes.
    pub(super) fn text(&mut self, length: usize) -> String {
        let mut text = String::with_capacity(length);
        loop {
            let word = WORDS[usize::try_from(self.numbers.next() % 64).unwrap_or(0)];
            if text.len() + word.len() + 1 > length {
                return text;
            }
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
        }
    }
}

/// Steps as the batch endpoint takes them.
pub(super) fn batch(bodies: &mut Bodies, count: usize) -> String {
    let steps: Vec<String> = (0..count).map(|_| bodies.step()).collect();
    format!(r#"{{"steps":[{}]}}"#, steps.join(","))
}

/// Where a run takes its calls.
pub(super) fn path(run: &str, call: &str) -> String {
    format!("/api/v1/runtime/activity/runs/{run}{call}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn steps_are_json_of_about_a_kilobyte_and_no_two_are_alike() {
        let (mut one, mut other) = (Bodies::new(0), Bodies::new(1));
        let mut steps: Vec<String> = (0..50).flat_map(|_| [one.step(), other.step()]).collect();
        for step in &steps {
            let read: Value = serde_json::from_str(step).expect("JSON");
            assert!(read["kind"] == "LLM_CALL" || read["kind"] == "TOOL_CALL");
            assert!((800..1_200).contains(&step.len()), "{} bytes", step.len());
        }
        steps.sort_unstable();
        steps.dedup();
        assert_eq!(steps.len(), 100);
    }

    #[test]
    fn a_permitted_step_has_the_permits_params() {
        let mut bodies = Bodies::new(3);
        let (permit, step) = bodies.permitted();
        let read = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        let (permit, step) = (read(&permit), read(&step("prm_1")));
        assert_eq!(permit["params"], step["params"]);
        assert_eq!((&permit["kind"], &step["permit_id"]), (&step["kind"], &Value::from("prm_1")));
    }

    #[test]
    fn a_batch_holds_its_steps() {
        let batch: Value = serde_json::from_str(&batch(&mut Bodies::new(0), 3)).expect("JSON");
        assert_eq!(batch["steps"].as_array().map(Vec::len), Some(3));
    }
}
