//! What was said to a model and what it said, in one form for all dialects.
//!
//! A prompt that is one message of the user, and a response that is one message, are their text; anything else is a
//! JSON list of `{role, content, name, tool_calls: [{id, name, arguments}], tool_call_id, is_error}`, empty members left out.
//! What is no text stays as it came, but for pictures and other files: they are told by kind, size and hash.

mod flat;
mod given;
mod media;
mod message;
mod parts;

use std::borrow::Cow;

pub(super) use media::marked;

use message::{Own, text};

use super::{
    field::Field,
    fields::Fields,
    value::{self, whole_of},
    wire::Event,
};

/// What was said, as far as the span tells.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) prompt: Option<String>,
    pub(super) response: Option<String>,
    pub(super) finish_reason: Option<String>,
    /// Parts lay too deep within each other, and stayed JSON.
    pub(super) cut: bool,
}

/// Reads a model call's messages, wherever its dialect keeps them.
pub(super) fn of(fields: &Fields<'_>, events: &[Event<'_>]) -> Said {
    let mut said = Said::default();
    let (input, output) = flat::of(fields.all());
    said.prompt = text(input, "user", &mut said.cut);
    said.response = text(output, "assistant", &mut said.cut);
    let told = [Told::of_span(fields)].into_iter().chain(events.iter().map(Told::of_event));
    for told in told {
        if said.prompt.is_none() {
            said.prompt = match told.system {
                Some(system) => given::join(&system, told.input.as_deref(), &mut said.cut),
                None => told.input.and_then(|raw| given::list(&raw, "user", &mut said.cut).0),
            };
        }
        if said.response.is_none()
            && let Some(raw) = told.output
        {
            let (response, finish) = given::list(&raw, "assistant", &mut said.cut);
            said.response = response;
            said.finish_reason = said.finish_reason.or(finish);
        }
    }
    if said.prompt.is_none() && said.response.is_none() {
        by_events(events, &mut said);
    }
    said
}

/// What the messages of a tool's own span say of its call.
#[derive(Debug, Default)]
pub(super) struct Answered {
    pub(super) arguments: Option<String>,
    pub(super) result: Option<String>,
}

impl Answered {
    fn says_no_arguments(&self) -> bool {
        self.arguments.as_deref().is_none_or(value::is_hollow_text)
    }
}

/// Reads a tool's messages: what it was called with is what went in, and what it answered is what came out.
pub(super) fn of_tool(fields: &Fields<'_>, events: &[Event<'_>]) -> Answered {
    let mut answered = Answered::default();
    let own = Own { id: fields.text(Field::ToolCallId), name: fields.text(Field::ToolName) };
    let told = [Told::of_span(fields)].into_iter().chain(events.iter().map(Told::of_event));
    for told in told {
        if answered.says_no_arguments() {
            answered.arguments =
                told.input.and_then(|raw| given::arguments(&raw, own)).or(answered.arguments);
        }
        if answered.result.is_none() {
            answered.result = told.output.and_then(|raw| given::answer(&raw, own));
        }
    }
    for event in events {
        let said = |key: &str| whole_of(&event.attributes, &[key]);
        match event.name.as_ref() {
            "gen_ai.tool.message" if answered.says_no_arguments() => {
                answered.arguments = said("content").map(Cow::into_owned).or(answered.arguments);
            }
            "gen_ai.choice" if answered.result.is_none() => {
                let result = said("message").or_else(|| said("content"));
                answered.result = result.and_then(|result| given::plain(&result));
            }
            _ => {}
        }
    }
    answered
}

/// Messages that a span or an event carries whole.
#[derive(Default)]
struct Told<'a> {
    system: Option<Cow<'a, str>>,
    input: Option<Cow<'a, str>>,
    output: Option<Cow<'a, str>>,
}

impl<'a> Told<'a> {
    fn of_span(fields: &'a Fields<'_>) -> Self {
        let whole = |field| fields.get(field).and_then(value::whole);
        Self {
            system: whole(Field::SystemMessages),
            input: whole(Field::InputMessages),
            output: whole(Field::OutputMessages),
        }
    }

    fn of_event(event: &'a Event<'_>) -> Self {
        let carries = matches!(
            event.name.as_ref(),
            "gen_ai.client.inference.operation.details"
                | "gen_ai.content.prompt"
                | "gen_ai.content.completion"
        );
        if !carries {
            return Self::default();
        }
        Self {
            system: whole_of(&event.attributes, &["gen_ai.system_instructions"]),
            input: whole_of(&event.attributes, &["gen_ai.input.messages", "gen_ai.prompt"]),
            output: whole_of(&event.attributes, &["gen_ai.output.messages", "gen_ai.completion"]),
        }
    }
}

/// The oldest form: an event for each message, with its parts as attributes or all of it as JSON in one.
fn by_events(events: &[Event<'_>], said: &mut Said) {
    let (mut input, mut output) = (Vec::new(), Vec::new());
    for event in events {
        let (role, list) = match event.name.as_ref() {
            "gen_ai.system.message" => ("system", &mut input),
            "gen_ai.user.message" => ("user", &mut input),
            "gen_ai.assistant.message" => ("assistant", &mut input),
            "gen_ai.tool.message" => ("tool", &mut input),
            "gen_ai.choice" => ("assistant", &mut output),
            _ => continue,
        };
        let finish = given::of_event(role, &event.attributes, list);
        if event.name == "gen_ai.choice" {
            said.finish_reason = finish.or(said.finish_reason.take());
        }
    }
    said.prompt = text(input, "user", &mut said.cut);
    said.response = text(output, "assistant", &mut said.cut);
}
