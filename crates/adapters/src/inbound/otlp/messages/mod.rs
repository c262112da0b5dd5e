//! What was said to a model and what it said, in one form for all dialects.
//!
//! A prompt that is one message of the user, and a response that is one message, are their text; anything else is a
//! JSON list of `{role, content, name, tool_calls: [{id, name, arguments}], tool_call_id, is_error}`, empty members
//! left out. What is no text stays as it came, but for pictures and other files, wherever they lie: they are told by
//! kind, size and hash.

mod flat;
mod given;
mod listed;
mod media;
mod message;
mod object;
mod parts;
mod within;

use std::{borrow::Cow, collections::HashSet};

pub(super) use within::without_files;

use message::{Message, Own, Sides, text};

use super::{
    field::Field,
    fields::Fields,
    value::{self, whole_of},
    wire::Event,
};

/// The event that tells of a call what its span does not.
pub(super) const DETAILS: &str = "gen_ai.client.inference.operation.details";

/// What was said, as far as the span tells.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) prompt: Option<String>,
    pub(super) response: Option<String>,
    pub(super) finish_reason: Option<String>,
    /// A message of the answer has a text, or calls a tool.
    pub(super) is_answered: bool,
    /// The answer tells of a tool that the provider ran itself.
    pub(super) is_served: bool,
    /// Parts lay too deep within each other, and stayed JSON.
    pub(super) cut: bool,
}

/// Reads a model call's messages, wherever its dialect keeps them: each side of the first that says anything of it.
pub(super) fn of(fields: &Fields<'_>, events: &[Event<'_>]) -> Said {
    let told: Vec<Told<'_>> =
        [Told::of_span(fields)].into_iter().chain(events.iter().map(Told::of_event)).collect();
    let alone = fields.get(Field::Input).and_then(value::whole);
    let listed = listed::told(fields.all());
    let mut finish_reason = None;
    let (mut input, mut output) = flat::of(fields.all());
    for told in &told {
        if let Some(raw) = told.input.as_deref().filter(|_| !say_something(&input)) {
            input = given::list(raw, "user").0;
        }
        if let Some(raw) = told.output.as_deref().filter(|_| !say_something(&output)) {
            let (messages, finish) = given::list(raw, "assistant");
            output = messages;
            finish_reason = finish_reason.or(finish.map(Cow::into_owned));
        }
    }
    for by_list in [false, true] {
        if say_something(&input) && say_something(&output) {
            break;
        }
        let (went_in, came_out, finish) = if by_list { listed::messages(&listed) } else { by_events(events) };
        input = if say_something(&input) { input } else { went_in };
        if !say_something(&output) {
            output = came_out;
            finish_reason = finish_reason.or(finish);
        }
    }
    // Some tell what the model is told to be beside the messages, whoever tells those.
    if let Some(system) = told.iter().find_map(|told| told.system.as_deref()) {
        if let Some(raw) = alone.as_deref().filter(|_| !say_something(&input)) {
            input = given::list(raw, "user").0;
        }
        let mut all = given::instructions(system);
        // A body holds hundreds of thousands of either: one is not held against each of the others.
        let said: HashSet<Option<&str>> = input.iter().map(|one| one.content.as_deref()).collect();
        all.retain(|one| !said.contains(&one.content.as_deref()));
        all.append(&mut input);
        input = all;
    }
    let mut cut = false;
    let is_answered = output.iter().any(Message::is_an_answer);
    let is_served = output.iter().any(|message| message.served);
    let (prompt, response) = (text(input, "user", &mut cut), text(output, "assistant", &mut cut));
    Said { prompt, response, finish_reason, is_answered, is_served, cut }
}

fn say_something(messages: &[Message<'_>]) -> bool {
    messages.iter().any(Message::says_something)
}

/// What the messages of a tool's own span say of its call.
#[derive(Debug, Default)]
pub(super) struct Answered {
    pub(super) arguments: Option<String>,
    pub(super) result: Option<String>,
    /// The arguments hold something. They are asked once, and not for each event that follows.
    is_full: bool,
}

impl Answered {
    /// What it was called with, where that is told.
    fn called_with(&mut self, told: Option<String>) {
        if let Some(arguments) = told {
            self.is_full = !value::is_hollow_text(&arguments);
            self.arguments = Some(arguments);
        }
    }
}

/// Reads a tool's messages: what it was called with is what went in, and what it answered is what came out.
pub(super) fn of_tool(fields: &Fields<'_>, events: &[Event<'_>]) -> Answered {
    let mut answered = Answered::default();
    let own = Own { id: fields.text(Field::ToolCallId), name: fields.text(Field::ToolName) };
    let told = [Told::of_span(fields)].into_iter().chain(events.iter().map(Told::of_event));
    for told in told {
        if !answered.is_full {
            answered.called_with(told.input.and_then(|raw| given::arguments(&raw, own)));
        }
        if answered.result.is_none() {
            answered.result = told.output.and_then(|raw| given::answer(&raw, own));
        }
    }
    for event in events {
        let said = |key: &str| whole_of(&event.attributes, &[key]);
        match event.name.as_ref() {
            "gen_ai.tool.message" if !answered.is_full => {
                answered.called_with(said("content").map(Cow::into_owned));
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
            system: whole(Field::SystemMessages).filter(|text| is_asked(text)),
            input: whole(Field::InputMessages).filter(|text| is_asked(text)),
            output: whole(Field::OutputMessages).filter(|text| is_answered(text)),
        }
    }

    fn of_event(event: &'a Event<'_>) -> Self {
        let carries =
            matches!(event.name.as_ref(), DETAILS | "gen_ai.content.prompt" | "gen_ai.content.completion");
        if !carries {
            return Self::default();
        }
        let whole = |keys: &[&str]| whole_of(&event.attributes, keys);
        Self {
            system: whole(&["gen_ai.system_instructions"]).filter(|text| is_asked(text)),
            input: whole(&["gen_ai.input.messages", "gen_ai.prompt"]).filter(|text| is_asked(text)),
            output: whole(&["gen_ai.output.messages", "gen_ai.completion"]).filter(|text| is_answered(text)),
        }
    }
}

/// Whether a text says anything that a model is asked.
fn is_asked(text: &str) -> bool {
    !value::is_hollow_text(text)
}

/// The same of an answer, which may be `None` and be meant.
fn is_answered(text: &str) -> bool {
    !matches!(text.trim(), "" | "null" | "[]" | "{}" | "\"\"" | "[[]]")
}

/// The oldest form: an event for each message, with its parts as attributes or all of it as JSON in one.
fn by_events<'a>(events: &'a [Event<'_>]) -> Sides<'a> {
    let (mut input, mut output) = (Vec::new(), Vec::new());
    let mut finish_reason = None;
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
            finish_reason = finish.or(finish_reason.take());
        }
    }
    (input, output, finish_reason)
}
