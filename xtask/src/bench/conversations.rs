//! Conversations as chat agents trace them: each call to the model carries all that was said before.

use super::{bodies::Bodies, otlp};

/// Turns of one conversation: a question, a call to the model, its answer.
const TURNS: usize = 20;

/// Conversations that go on side by side. A request has a turn of each: an exporter sends what ended in some seconds,
/// and a turn takes longer than that.
pub(super) const SIDE_BY_SIDE: usize = 20;

/// Bytes of what is said at once; so a call has about 17 kB on average.
const MESSAGE: usize = 732;

/// Requests of one exporter, no two alike.
pub(super) struct Conversations {
    bodies: Bodies,
    open: Vec<Conversation>,
    turn: usize,
    body: Vec<u8>,
}

impl Conversations {
    /// Other conversations for each seed.
    pub(super) fn new(seed: usize) -> Self {
        Self { bodies: Bodies::new(900_000 + seed), open: Vec::new(), turn: TURNS, body: Vec::new() }
    }

    /// A request of the next turn of each; after the last one, new ones begin.
    pub(super) fn turn(&mut self) -> &[u8] {
        let Self { bodies, open, turn, body } = self;
        if *turn == TURNS {
            *turn = 0;
            *open =
                (0..SIDE_BY_SIDE).map(|_| Conversation { trace: bodies.id(), said: String::new() }).collect();
        }
        let at = *turn;
        otlp::request(body, open.iter_mut().map(|conversation| conversation.call(at, bodies)));
        *turn += 1;
        body
    }
}

struct Conversation {
    trace: u128,
    /// Every message so far, as JSON with commas between.
    said: String,
}

impl Conversation {
    /// The next call to the model.
    fn call(&mut self, at: usize, bodies: &mut Bodies) -> Vec<u8> {
        self.add(&message("user", &bodies.text(MESSAGE)));
        let answer = message("assistant", &bodies.text(MESSAGE));
        let call = otlp::call(self.trace, at, &format!("[{}]", self.said), &format!("[{answer}]"));
        self.add(&answer);
        call
    }

    fn add(&mut self, message: &str) {
        if !self.said.is_empty() {
            self.said.push(',');
        }
        self.said.push_str(message);
    }
}

/// As the GenAI conventions write one.
fn message(role: &str, text: &str) -> String {
    format!(r#"{{"role":"{role}","parts":[{{"type":"text","content":"{text}"}}]}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn a_prompt_is_the_whole_conversation_so_far() {
        let mut one = Conversation { trace: 1, said: String::new() };
        let mut bodies = Bodies::new(0);
        for turn in 0..3 {
            let call = one.call(turn, &mut bodies);
            let said: Value = serde_json::from_str(&format!("[{}]", one.said)).expect("JSON");
            let said = said.as_array().expect("messages");
            assert_eq!(said.len(), 2 * turn + 2);
            assert_eq!(
                (&said[2 * turn]["role"], &said[2 * turn + 1]["role"]),
                (&"user".into(), &"assistant".into())
            );
            // The call is made of all of them.
            assert!((one.said.len()..one.said.len() + 900).contains(&call.len()), "{} bytes", call.len());
        }
    }

    #[test]
    fn a_call_has_seventeen_kilobytes_on_average() {
        let mut conversations = Conversations::new(0);
        let lengths: Vec<usize> = (0..TURNS).map(|_| conversations.turn().len()).collect();
        let each = lengths.iter().sum::<usize>() / (TURNS * SIDE_BY_SIDE);
        assert!((16_500..17_500).contains(&each), "{each} bytes");
        assert!(lengths.is_sorted(), "each turn is longer than the last: {lengths:?}");
        let of_the_next = conversations.turn().len();
        assert!(of_the_next < 2 * lengths[0], "new ones begin: {of_the_next} bytes");
    }
}
