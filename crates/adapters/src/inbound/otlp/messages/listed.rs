//! Messages that Pydantic AI lists in one attribute: the events of a call as they would have been events of its span,
//! or all that was said in a run.

use std::borrow::Cow;

use super::{
    super::{value::whole_of, wire::Attribute},
    given,
    message::{Message, Sides},
    object::{Object, items},
};

/// The two forms.
#[derive(Default)]
pub(super) struct Listed<'a> {
    events: Option<Cow<'a, str>>,
    all: Option<Cow<'a, str>>,
}

/// What attributes list.
pub(super) fn told<'a>(attributes: &'a [Attribute<'_>]) -> Listed<'a> {
    Listed {
        events: whole_of(attributes, &["events", "all_messages_events"]),
        all: whole_of(attributes, &["pydantic_ai.all_messages"]),
    }
}

/// The messages of either.
pub(super) fn messages<'a>(listed: &'a Listed<'_>) -> Sides<'a> {
    let of_events = listed.events.as_deref().and_then(of_events);
    of_events.or_else(|| listed.all.as_deref().map(of_all)).unwrap_or_default()
}

/// None where it is somebody else's list.
fn of_events(raw: &str) -> Option<Sides<'_>> {
    let events = given::is_json(raw).then(|| items(raw.trim_start())).flatten()?;
    let (mut input, mut output, mut finish) = (Vec::new(), Vec::new(), None);
    for event in events {
        let object = Object::of(event)?;
        let name = object.text(&["event.name"])?;
        if name == "gen_ai.choice" {
            finish = object.text(&["finish_reason"]).map(Cow::into_owned).or(finish);
            let said = object.json(&["message"]).unwrap_or(event);
            add(said, "assistant", &mut output);
        } else if let Some(role) = role(&name) {
            add(event, role, &mut input);
        }
    }
    Some((input, output, finish))
}

fn role(event: &str) -> Option<&'static str> {
    Some(match event {
        "gen_ai.system.message" => "system",
        "gen_ai.user.message" => "user",
        "gen_ai.assistant.message" => "assistant",
        "gen_ai.tool.message" => "tool",
        _ => return None,
    })
}

fn add<'a>(json: &'a str, role: &'static str, list: &mut Vec<Message<'a>>) {
    let before = list.len();
    match Object::of(json) {
        Some(object) => given::message(json, &object, list),
        None => list.append(&mut given::list(json, role).0),
    }
    for message in &mut list[before..] {
        if message.role.is_empty() {
            message.role = Cow::Borrowed(role);
        }
    }
}

/// The last of them is the answer, where it is the model's.
fn of_all(raw: &str) -> Sides<'_> {
    let (mut input, finish) = given::list(raw, "user");
    let output = input.pop_if(|last| last.role == "assistant");
    (input, output.into_iter().collect(), finish.map(Cow::into_owned))
}
