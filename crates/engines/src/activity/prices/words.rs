//! The words that stand for a seller of models: of tracing conventions, of SDKs and of gateways, before a dot or a
//! slash.

/// What is said of who answers a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Nothing.
    Nothing,
    /// An SDK that others' hosts are called with as well.
    Sdk(&'static str),
    /// A seller of the book.
    Seller(&'static str),
    Between(Between),
    /// Somebody whose prices the book does not have.
    Other,
}

/// What stands between who calls and who sells, and asks for nothing itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Between {
    /// It passes a call to the seller that it is told, or to one that the model's name tells; a framework that names
    /// itself does the same.
    Gateway,
    /// It names models by their makers, and looks itself for who sells them.
    Market,
}

/// Reads a provider's name, as `openai`, `azure.chat`, `gcp.vertex_ai`, `Mistral AI` or `bedrock_converse`.
pub(super) fn word(provider: &str) -> Word {
    let provider = plain(provider);
    if provider.is_empty() {
        return Word::Nothing;
    }
    // What stands behind a dot is the way in, which costs nothing of its own.
    let mut name = provider.as_str();
    loop {
        if let Some(between) = between(name) {
            return Word::Between(between);
        }
        match named(name) {
            Some(seller @ ("openai" | "anthropic")) => return Word::Sdk(seller),
            Some(seller) => return Word::Seller(seller),
            None => {}
        }
        match name.rsplit_once('.') {
            // Not all of a cloud's ways to models have one price.
            Some(("aws" | "amazon", _)) | None => return Word::Other,
            Some((before, _)) => name = before,
        }
    }
}

/// In lower case, with one sign between the parts of a name.
fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace(['_', ' '], "-")
}

/// What passes calls on.
pub(super) fn between(name: &str) -> Option<Between> {
    match name {
        "litellm"
        | "litellm-proxy"
        | "litellm_proxy"
        | "portkey"
        | "helicone"
        | "cloudflare-ai-gateway"
        | "gcp.vertex.agent"
        | "langchain"
        | "langgraph"
        | "llamaindex"
        | "llama-index"
        | "haystack"
        | "dspy"
        | "smolagents"
        | "agno"
        | "openai-agents"
        | "mastra"
        | "mlflow"
        | "instructor"
        | "crewai"
        | "autogen"
        | "strands"
        | "strands-agents"
        | "pydantic-ai"
        | "spring-ai"
        | "semantic-kernel"
        | "microsoft.semantic-kernel"
        | "microsoft.agent-framework" => Some(Between::Gateway),
        "gateway" | "ai-gateway" | "vercel" | "vercel-ai-gateway" | "vercel_ai_gateway" => {
            Some(Between::Market)
        }
        _ => None,
    }
}

/// The seller of the book that a word stands for; a dash or a line between its parts is the same. Portkey writes `@`
/// before it.
pub(super) fn named(name: &str) -> Option<&'static str> {
    let name = name.strip_prefix('@').unwrap_or(name);
    if name.contains('_') {
        return named(&name.replace('_', "-"));
    }
    let seller = match name {
        "openai" | "open-ai" | "openai-chat" | "openai-responses" | "text-completion-openai" => "openai",
        "anthropic" | "anthropic-text" | "claude" => "anthropic",
        "az" | "azure" | "azureopenai" | "microsoft.foundry" => "azure",
        "aws" | "amazon" | "bedrock" | "aws.bedrock" | "amazon.bedrock" | "aws-bedrock"
        | "amazon-bedrock" | "awsbedrock" | "amazonbedrock" => "aws",
        "google" | "gcp" | "gemini" | "vertex" | "vertexai" | "googleai" | "googlegenai" => "google",
        "xai" | "x-ai" | "x.ai" | "grok" => "x-ai",
        "mistral" | "mistralai" | "mistral-ai" | "codestral" | "text-completion-codestral" => "mistral",
        "groq" => "groq",
        "deepseek" => "deepseek",
        "cohere" | "cohere-chat" => "cohere",
        "perplexity" | "perplexityai" | "perplexity-ai" => "perplexity",
        "openrouter" | "open-router" => "openrouter",
        "together" | "togetherai" | "together-ai" => "together",
        "fireworks" | "fireworksai" | "fireworks-ai" => "fireworks",
        "cerebras" => "cerebras",
        "moonshot" | "moonshotai" | "moonshot-ai" => "moonshotai",
        "zai" | "z-ai" | "z.ai" => "zai",
        "zhipu" | "zhipuai" | "zhipu-ai" | "bigmodel" => "zhipuai",
        "minimax" => "minimax",
        "novita" | "novitaai" | "novita-ai" => "novita",
        "voyage" | "voyageai" | "voyage-ai" => "voyageai",
        "databricks" => "databricks",
        "cloudflare" | "cloudflare-workers-ai" | "workers-ai" => "cloudflare",
        "github-copilot" | "githubcopilot" | "copilot" => "github-copilot",
        "avian" => "avian",
        "arcee" | "arcee-ai" => "arcee",
        "baseten" => "baseten",
        "cursor" => "cursor",
        "doubleword" => "doubleword",
        "elevenlabs" => "elevenlabs",
        "meta" | "meta-llama-api" => "meta",
        "ovhcloud" => "ovhcloud",
        "quicksilverpro" => "quicksilverpro",
        "typesafe" => "typesafe",
        "huggingface-cerebras" => "huggingface_cerebras",
        "huggingface-fireworks-ai" => "huggingface_fireworks-ai",
        "huggingface-groq" => "huggingface_groq",
        "huggingface-hyperbolic" => "huggingface_hyperbolic",
        "huggingface-nebius" => "huggingface_nebius",
        "huggingface-novita" => "huggingface_novita",
        "huggingface-nscale" => "huggingface_nscale",
        "huggingface-ovhcloud" => "huggingface_ovhcloud",
        "huggingface-publicai" => "huggingface_publicai",
        "huggingface-sambanova" => "huggingface_sambanova",
        "huggingface-together" => "huggingface_together",
        _ if ["azure-", "azureai"].iter().any(|start| name.starts_with(start)) => "azure",
        _ if name.starts_with("bedrock-") => "aws",
        _ if ["google-", "vertex-", "vertexai-", "gemini-"].iter().any(|start| name.starts_with(start)) => {
            "google"
        }
        _ => return None,
    };
    Some(seller)
}

/// A word and what stands behind it: `openai/gpt-4o`, `openai:gpt-4o`.
pub(super) fn prefixed(model: &str) -> Option<(&str, &str)> {
    let (before, rest) = model.split_once(['/', ':'])?;
    (!before.is_empty() && !rest.is_empty()).then_some((before, rest))
}

/// Whether the name before a model's may be that of its maker as well as of its seller: markets list models so.
pub(super) fn is_maker(word: &str) -> bool {
    matches!(
        word,
        "openai"
            | "anthropic"
            | "google"
            | "x-ai"
            | "mistralai"
            | "deepseek"
            | "cohere"
            | "perplexity"
            | "moonshotai"
            | "minimax"
            | "z-ai"
            | "amazon"
            | "meta"
            | "arcee-ai"
    )
}

/// The maker of a model that nobody else may copy: whoever passes the call on buys it there, or where it costs the
/// same.
pub(super) fn closed_maker(name: &str) -> Option<&'static str> {
    let numbered =
        |start: &str| name.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    let starts = |any: &[&str]| any.iter().any(|start| name.starts_with(start));
    if starts(&["gpt-oss", "gemma"]) {
        None
    } else if starts(&["gpt-", "chatgpt-", "codex-mini", "computer-use-preview", "ft:gpt-"])
        || starts(&["text-embedding-3-", "text-embedding-ada-"])
        || ["o1", "o3", "o4"].into_iter().any(numbered)
    {
        Some("openai")
    } else if starts(&["claude-"]) {
        Some("anthropic")
    } else if starts(&["gemini-"]) {
        Some("google")
    } else if starts(&["grok-"]) {
        Some("x-ai")
    } else {
        None
    }
}

/// The seller whose own way of naming models a bare name has, where nobody says who sells it.
pub(super) fn by_name(name: &str) -> Option<&'static str> {
    let starts = |any: &[&str]| any.iter().any(|start| name.starts_with(start));
    if let Some(maker) = closed_maker(name) {
        Some(maker)
    } else if starts(&["command-"]) {
        Some("cohere")
    } else if starts(&["mistral-", "ministral-", "codestral-", "magistral-", "devstral-", "pixtral-"]) {
        Some("mistral")
    } else if starts(&["sonar"]) {
        Some("perplexity")
    } else if starts(&["voyage-"]) {
        Some("voyageai")
    } else if starts(&["moonshot-v1"]) {
        Some("moonshotai")
    } else if starts(&["databricks-"]) {
        Some("databricks")
    } else if starts(&["eleven_"]) {
        Some("elevenlabs")
    } else {
        None
    }
}
