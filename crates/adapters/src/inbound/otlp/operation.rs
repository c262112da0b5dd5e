//! What kind of step a span is. Its kind alone decides whether the tokens that it names are counted.

use orchestrator::ports::{CallClass, SpanAct};

use super::{field::Field, fields::Fields, wire::CLIENT};

/// The call that gives no tokens back.
pub(super) const EMBEDDINGS: &str = CallClass::Embeddings.as_str();

/// Whether a call is paid by its tokens: of pictures, sounds and films some are paid by their number or their length,
/// and all by prices that are not those of text.
pub(super) fn is_paid_as_text(call: &str) -> bool {
    match CallClass::of(call) {
        CallClass::Text | CallClass::Embeddings => true,
        CallClass::Images | CallClass::Speech | CallClass::Transcription | CallClass::Video => false,
    }
}

/// What a span did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// A call to a model, by the name that all dialects share.
    Model(&'static str),
    /// A tool's call, by either side: where both tell of it, the tree decides that it is one.
    Tool,
    Retrieval,
    Transform,
    /// An agent, a chain, a workflow: it sums up what its children did.
    Parent,
    Http,
    /// It counts tokens, and uses none.
    Counting,
    Other,
}

impl Operation {
    pub(super) const fn act(self) -> SpanAct {
        match self {
            Self::Model(_) => SpanAct::ModelCall,
            Self::Tool => SpanAct::ToolCall,
            Self::Retrieval => SpanAct::Retrieval,
            Self::Transform => SpanAct::Transform,
            Self::Http => SpanAct::HttpCall,
            Self::Parent | Self::Counting | Self::Other => SpanAct::Other,
        }
    }
}

/// The span's own word for itself first; only a span that has none that is known is judged by what it carries. A word
/// that says that a tool was called says more than one that something was wrapped.
pub(super) fn operation(fields: &Fields<'_>, kind: u64) -> Operation {
    // LangSmith writes the conventions' word that is next to its own: of a template that it is a chat.
    let of_langsmith = fields.text(Field::LangSmithKind).and_then(of_word);
    let is_model = matches!(of_langsmith, Some(Operation::Model(_)));
    let said = [
        Field::OpenInferenceKind,
        if is_model { Field::Operation } else { Field::LangSmithKind },
        Field::Operation,
        Field::RequestType,
        Field::TraceloopKind,
        Field::McpMethod,
        Field::OtherKind,
        Field::LangSmithKind,
    ];
    let mut words = said.into_iter().filter_map(|field| of_word(fields.text(field)?));
    match words.next() {
        None => guessed(fields, kind),
        Some(Operation::Parent) if words.any(|word| word == Operation::Tool) || carries_a_call(fields) => {
            Operation::Tool
        }
        Some(Operation::Parent) => called_by_a_chain(fields).unwrap_or(Operation::Parent),
        Some(first) => first,
    }
}

/// The call to a model that a chain's span is by the conventions' own word. A chain may be anything that is wrapped; an
/// agent of which that is said makes such calls, and is none.
fn called_by_a_chain(fields: &Fields<'_>) -> Option<Operation> {
    let is_chain = fields.text(Field::OpenInferenceKind)?.trim().eq_ignore_ascii_case("chain");
    let mut said = [Field::Operation, Field::RequestType].into_iter().filter_map(|field| fields.text(field));
    let call = said.find_map(of_word)?;
    let is_call = matches!(call, Operation::Model(_));
    (is_chain && is_call && !fields.has(Field::AgentName)).then_some(call)
}

/// Whether it names a tool and what that was called with, and no use that would be an agent's.
fn carries_a_call(fields: &Fields<'_>) -> bool {
    let used = [Field::InputTokens, Field::OutputTokens, Field::TotalTokens, Field::Cost];
    fields.has(Field::ToolName)
        && fields.has(Field::ToolArguments)
        && !used.into_iter().any(|field| fields.has(field))
}

/// What a word says, whatever its case and whatever stands between its parts, if anything does. Python's calls that
/// somebody waits for have an `a` before their names: `acompletion`.
fn of_word(word: &str) -> Option<Operation> {
    let mut word = word.trim().to_ascii_lowercase();
    // MLflow's is JSON.
    word.retain(|of| !matches!(of, '.' | '-' | '_' | ' ' | '"'));
    known(&word).or_else(|| known(word.strip_prefix('a')?))
}

fn known(word: &str) -> Option<Operation> {
    Some(match word {
        "llm"
        | "generation"
        | "chat"
        | "chatcompletion"
        | "chatcompletions"
        | "chatstream"
        | "responses"
        | "createresponse"
        | "messages"
        | "anthropicmessages"
        | "converse"
        | "conversestream"
        | "invokemodel"
        | "invokemodelwithresponsestream"
        | "llmcall"
        | "chatmodel"
        | "inference" => Operation::Model("chat"),
        "textcompletion" | "textcompletions" | "completion" | "completions" | "textgeneration"
        | "generatetext" => Operation::Model("text_completion"),
        "generatecontent" | "generatecontentstream" | "streamgeneratecontent" => {
            Operation::Model("generate_content")
        }
        "embedding" | "embeddings" => Operation::Model(EMBEDDINGS),
        "imagegeneration" | "generateimage" | "generateimages" | "image" | "images" | "imageedit"
        | "imagevariation" => Operation::Model(CallClass::Images.as_str()),
        "speech" | "texttospeech" | "tts" | "audio" | "audiogeneration" | "generateaudio"
        | "generatespeech" => Operation::Model(CallClass::Speech.as_str()),
        "transcription" | "transcriptions" | "transcribe" | "audiotranscription" | "speechtotext"
        | "audiotranslation" => Operation::Model(CallClass::Transcription.as_str()),
        "video" | "videogeneration" | "generatevideo" | "createvideo" => {
            Operation::Model(CallClass::Video.as_str())
        }
        "tool" | "toolcall" | "executetool" | "tools/call" => Operation::Tool,
        "retriever" | "retrieval" | "reranker" | "rerank" => Operation::Retrieval,
        "prompt" | "parser" => Operation::Transform,
        "agent" | "chain" | "workflow" | "task" | "createagent" | "invokeagent" | "invokeworkflow" => {
            Operation::Parent
        }
        "guardrail" | "evaluator" | "moderation" => Operation::Other,
        "counttokens" => Operation::Counting,
        // Anybody may have a word of their own, and a later version has more.
        _ => return None,
    })
}

fn guessed(fields: &Fields<'_>, kind: u64) -> Operation {
    if fields.has(Field::ToolName) {
        return Operation::Tool;
    }
    let any = |of: &[Field]| of.iter().any(|field| fields.has(*field));
    let names_a_model = any(&[Field::Model, Field::ModelRequested]);
    let names_a_seller = fields.has(Field::Provider);
    let counted = any(&[Field::InputTokens, Field::OutputTokens, Field::TotalTokens]);
    // A word that is not known is said of something that has a model and was answered.
    let own_word = fields.has(Field::Operation);
    let answered = any(&[Field::RequestId, Field::FinishReason, Field::OutputMessages]);
    // An agent has a model and an answer too; but what names seller, model and usage is a call, whoever's it is.
    let names_an_agent = fields.has(Field::AgentName);
    let is_a_call = if names_an_agent {
        names_a_seller && counted
    } else {
        counted || own_word && answered || names_a_seller && kind == CLIENT
    };
    if names_a_model && is_a_call {
        return Operation::Model(guessed_class(fields));
    }
    if fields.has(Field::ToolArguments) {
        return Operation::Tool;
    }
    if names_an_agent {
        return Operation::Parent;
    }
    if fields.has(Field::HttpMethod) && kind == CLIENT {
        return Operation::Http;
    }
    Operation::Other
}

/// What a call is for by a word of somebody's own, or a word that says it in it.
fn guessed_class(fields: &Fields<'_>) -> &'static str {
    const PARTS: [(&str, CallClass); 6] = [
        ("embed", CallClass::Embeddings),
        ("image", CallClass::Images),
        ("transcri", CallClass::Transcription),
        ("speech", CallClass::Speech),
        ("audio", CallClass::Speech),
        ("video", CallClass::Video),
    ];
    let said = [Field::Operation, Field::RequestType].into_iter().filter_map(|field| fields.text(field));
    let class = said
        .map(str::to_ascii_lowercase)
        .find_map(|word| PARTS.iter().find(|(part, _)| word.contains(part)).map(|(_, class)| class.as_str()));
    class.unwrap_or("chat")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Else what a trace tells of such a call would be taken for one of text.
    #[test]
    fn each_class_of_calls_is_known_by_its_word() {
        for class in CallClass::ALL.iter().filter(|class| **class != CallClass::Text) {
            assert_eq!(of_word(class.as_str()), Some(Operation::Model(class.as_str())), "{class}");
        }
    }

    /// As LiteLLM calls what its proxy does.
    #[test]
    fn a_call_that_is_waited_for_is_the_same_call() {
        for word in [
            "completion",
            "text_completion",
            "embedding",
            "image_generation",
            "image_edit",
            "transcription",
            "speech",
            "rerank",
            "responses",
            "generate_content",
            "generate_content_stream",
            "create_video",
            "moderation",
        ] {
            assert!(of_word(word).is_some(), "{word}");
            assert_eq!(of_word(&format!("a{word}")), of_word(word), "{word}");
        }
        for none in ["a", "aa", "aaudit", "account", "another"] {
            assert_eq!(of_word(none), None, "{none}");
        }
    }
}
