//! The conversation of the demo: what a real agent said and did, as its instrumentation captured it.

use serde::Deserialize;
use serde_json::{Map, Value, json};

const CAPTURED: &str = include_str!("conversation.json");

/// A recorded conversation.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Conversation {
    pub(super) agent_id: String,
    pub(super) goal: String,
    pub(super) trace_id: String,
    pub(super) sdk_version: String,
    pub(super) turns: Vec<Turn>,
}

/// One thing that the agent did.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Turn {
    pub(super) kind: String,
    pub(super) skill_name: String,
    pub(super) params: Value,
    pub(super) duration_ms: u64,
    /// What a tool answered.
    pub(super) data: Option<Value>,
    #[serde(flatten)]
    pub(super) model_call: Option<ModelCall>,
}

/// The part of a turn that only a model call has.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ModelCall {
    pub(super) provider: String,
    pub(super) model: String,
    pub(super) input_tokens: u64,
    pub(super) output_tokens: u64,
    cache_read_tokens: u64,
    reasoning_tokens: u64,
    cost_usd: Value,
    request_id: Option<String>,
    prompt: String,
    response: Option<String>,
    finish_reason: Option<String>,
}

impl Conversation {
    pub(super) fn captured() -> anyhow::Result<Self> {
        Ok(serde_json::from_str(CAPTURED)?)
    }

    /// How long all of it took.
    pub(super) fn duration_ms(&self) -> u64 {
        self.turns.iter().map(|turn| turn.duration_ms).sum()
    }

    /// The body of `POST /runs`.
    pub(super) fn start(&self) -> Value {
        json!({
            "agent_id": self.agent_id,
            "goal": self.goal,
            "source": "sdk",
            "provider_type": "openai",
            "environment": { "sdk": "opentelemetry", "version": self.sdk_version, "environment": "demo" },
            "metadata": { "captured_trace_id": self.trace_id },
        })
    }
}

impl Turn {
    /// The body of a permit: what the agent is about to do, and what it expects to use.
    pub(super) fn permit(&self) -> Value {
        let mut body = json!({ "kind": self.kind, "skill_name": self.skill_name, "params": self.params });
        if let Some(call) = &self.model_call {
            body["provider"] = call.provider.as_str().into();
            body["model"] = call.model.as_str().into();
            body["estimate"] = json!({
                "input_tokens": call.input_tokens,
                "output_tokens": call.output_tokens,
                "cost_usd": call.cost_usd,
            });
        }
        body
    }

    /// The body of the step, once it was done under a permit.
    pub(super) fn step(&self, permit_id: &str) -> Value {
        let mut outcome = Map::from_iter([("category".to_owned(), "SUCCESS".into())]);
        outcome.extend(self.data.clone().map(|data| ("data".to_owned(), data)));
        let mut body = json!({
            "kind": self.kind,
            "skill_name": self.skill_name,
            "params": self.params,
            "status": "SUCCESS",
            "outcome": outcome,
            "duration_ms": self.duration_ms,
            "permit_id": permit_id,
        });
        if let Some(call) = &self.model_call {
            body["llm"] = json!({
                "provider": call.provider,
                "model": call.model,
                "input_tokens": call.input_tokens,
                "output_tokens": call.output_tokens,
                "cache_read_tokens": call.cache_read_tokens,
                "reasoning_tokens": call.reasoning_tokens,
                "cost_usd": call.cost_usd,
                "request_id": call.request_id,
                "prompt": call.prompt,
                "response": call.response,
                "finish_reason": call.finish_reason,
            });
        }
        body
    }

    /// What it is, in a few words.
    pub(super) fn title(&self) -> String {
        match &self.model_call {
            Some(call) => format!("{} {}", self.skill_name, call.model),
            None => format!("{} {}", self.skill_name, self.params),
        }
    }

    /// What came in and what came out, in a few words.
    pub(super) fn gist(&self) -> String {
        let Some(call) = &self.model_call else {
            return format!("-> {}", self.data.as_ref().map_or_else(String::new, ToString::to_string));
        };
        let said = gist_of(&call.prompt);
        match &call.response {
            Some(response) => format!("{said} -> {}", gist_of(response)),
            None => said,
        }
    }

    pub(super) fn tokens(&self) -> u64 {
        self.model_call.as_ref().map_or(0, |call| call.input_tokens + call.output_tokens)
    }

    pub(super) fn cost_usd(&self) -> Option<f64> {
        self.model_call.as_ref().and_then(|call| call.cost_usd.as_f64())
    }

    #[cfg(test)]
    pub(super) fn say_cost(&mut self, cost_usd: Value) {
        if let Some(call) = &mut self.model_call {
            call.cost_usd = cost_usd;
        }
    }
}

/// The last part of the last message.
fn gist_of(messages: &str) -> String {
    let messages: Value = serde_json::from_str(messages).unwrap_or_default();
    let last = |value: &Value| value.as_array().and_then(|items| items.last()).cloned().unwrap_or_default();
    let part = last(&last(&messages)["parts"]);
    match part["type"].as_str() {
        Some("tool_call") => {
            format!("calls {} {}", part["name"].as_str().unwrap_or_default(), part["arguments"])
        }
        Some("tool_call_response") => format!("tool said {}", part["response"]),
        _ => part["content"].to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_capture_reads_and_adds_up() {
        let conversation = Conversation::captured().expect("it reads");
        let calls: Vec<&ModelCall> =
            conversation.turns.iter().filter_map(|turn| turn.model_call.as_ref()).collect();
        // What the capture's own description says: 4 chats and 1 embedding, 87 tokens in and 36 out.
        assert_eq!(calls.len(), 5);
        assert_eq!(calls.iter().map(|call| call.input_tokens).sum::<u64>(), 87);
        assert_eq!(calls.iter().map(|call| call.output_tokens).sum::<u64>(), 36);
        assert_eq!(conversation.turns.iter().filter(|turn| turn.kind == "TOOL_CALL").count(), 1);
    }

    #[test]
    fn a_cost_is_what_the_prices_make_to_the_last_digit() {
        let conversation = Conversation::captured().expect("it reads");
        for call in conversation.turns.iter().filter_map(|turn| turn.model_call.as_ref()) {
            let (read, cached, said) = (call.input_tokens, call.cache_read_tokens, call.output_tokens);
            let nanousd = match call.model.as_str() {
                "gpt-4o" => (read - cached) * 2_500 + cached * 1_250 + said * 10_000,
                _ => read * 20,
            };
            let nanousd = u32::try_from(nanousd).expect("it is small");
            assert_eq!(call.cost_usd.as_f64(), Some(f64::from(nanousd) / 1e9), "{}", call.model);
        }
    }

    #[test]
    fn a_turn_is_told_in_a_few_words() {
        let conversation = Conversation::captured().expect("it reads");
        let told: Vec<String> =
            conversation.turns.iter().map(|turn| format!("{}: {}", turn.title(), turn.gist())).collect();
        assert_eq!(
            told,
            [
                "openai.chat gpt-4o: \"Weather in Oslo?\" -> calls get_weather {\"city\":\"Oslo\"}",
                "get_weather {\"city\":\"Oslo\"}: -> \"4C\"",
                "openai.chat gpt-4o: tool said \"4C\" -> \"It is 4C in Oslo.\"",
                "openai.chat gpt-4o: \"Weather in Oslo?\" -> \"It is 4C in Oslo.\"",
                "openai.embeddings text-embedding-3-small: \"x\"",
                "openai.chat gpt-4o: \"Weather in Oslo?\" -> \"It is 4C in Oslo.\"",
            ]
        );
    }
}
