//! Whose call it is, and of which model: by what is said of it, in all the ways in which people say it.

use super::super::{
    BOOK, Call, Tokens,
    places::{Place, place},
    price,
    words::{Between, Word, word},
};

/// What the price is that a call has: a seller's, and what that one calls the model.
fn at(seller: &str, model: &str) -> u64 {
    let model = BOOK.as_ref().and_then(|book| book.known(seller, model));
    model.unwrap_or_else(|| panic!("{seller} has it")).cost(TOKENS, None).expect("a price")
}

const TOKENS: Tokens =
    Tokens { input: 1_000, output: 1_000, cache_read: 0, cache_write: 0, cache_write_hour: 0, reasoning: 0 };

/// A call as it is written below: provider, address, model, and a dash for what is not said.
fn of<'a>(provider: &'a str, address: &'a str, model: &'a str) -> Option<u64> {
    let said = |text: &'a str| (text != "-").then_some(text);
    let call = Call { provider: said(provider), address: said(address), model, minute: None };
    price(&call, TOKENS).map(|priced| priced.cost_nanousd)
}

fn all_are(seller: &str, model: &str, calls: &[(&str, &str, &str)]) {
    for (provider, address, name) in calls {
        assert_eq!(of(provider, address, name), Some(at(seller, model)), "{provider} {address} {name}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn one_model_has_many_names() {
    all_are(
        "openai",
        "gpt-4o-mini",
        &[
            ("openai", "-", "gpt-4o-mini"),
            ("openai", "-", "gpt-4o-mini-2024-07-18"),
            ("openai", "-", "gpt-4o-mini-20240718"),
            (" OpenAI ", "-", " GPT-4o-mini\n"),
            ("openai", "-", "openai/gpt-4o-mini"),
            ("openai.chat", "api.openai.com", "gpt-4o-mini"),
            ("openai.responses", "https://api.openai.com:443/v1", "gpt-4o-mini"),
            ("-", "-", "openai/gpt-4o-mini"),
            ("-", "-", "openai:gpt-4o-mini"),
            ("-", "-", "gpt-4o-mini"),
            ("", "", "gpt-4o-mini"),
            ("litellm", "-", "openai/gpt-4o-mini"),
            ("-", "-", "litellm_proxy/gpt-4o-mini"),
            ("openai", "localhost:4000", "gpt-4o-mini"),
            ("openai", "10.0.3.7", "openai/gpt-4o-mini"),
            ("openai", "https://llm-gateway.acme.com/v1", "gpt-4o-mini"),
            ("gateway", "-", "openai/gpt-4o-mini"),
            ("gcp.vertex.agent", "-", "openai/gpt-4o-mini"),
            ("llama_index", "-", "gpt-4o-mini"),
            ("haystack", "-", "gpt-4o-mini"),
            ("DSPy", "-", "openai/gpt-4o-mini"),
            ("smolagents", "-", "gpt-4o-mini"),
            ("agno", "-", "gpt-4o-mini"),
            ("openai_agents", "-", "gpt-4o-mini"),
            ("mastra", "-", "gpt-4o-mini"),
            ("mlflow", "-", "gpt-4o-mini"),
            ("instructor", "-", "gpt-4o-mini"),
            ("portkey", "-", "@openai/gpt-4o-mini"),
            ("-", "-", "@openai/gpt-4o-mini"),
        ],
    );
    all_are(
        "azure",
        "gpt-4o",
        &[
            ("azure", "-", "gpt-4o"),
            ("azure", "-", "azure/gpt-4o"),
            ("azure.chat", "-", "gpt-4o"),
            ("azure.responses", "-", "gpt-4o-2024-11-20"),
            ("az.ai.inference", "-", "gpt-4o"),
            ("azure.ai.openai", "acme.openai.azure.com", "gpt-4o"),
            ("Azure OpenAI", "-", "gpt-4o"),
            ("azure_ai", "-", "azure_ai/global/gpt-4o"),
            ("openai", "acme-eastus.services.ai.azure.com:443", "gpt-4o"),
            ("openai", "10.1.1.1", "azure/gpt-4o"),
            ("openai", "api.acme.com", "azure/gpt-4o"),
        ],
    );
    all_are(
        "google",
        "gemini-2.5-flash",
        &[
            ("gcp.gen_ai", "-", "gemini-2.5-flash"),
            ("gcp.gemini", "-", "models/gemini-2.5-flash"),
            ("gcp.vertex_ai", "-", "publishers/google/models/gemini-2.5-flash"),
            (
                "vertex_ai",
                "-",
                "projects/acme/locations/us-central1/publishers/google/models/gemini-2.5-flash",
            ),
            ("google.generative-ai.chat", "-", "gemini-2.5-flash"),
            ("google-vertex", "-", "gemini-2.5-flash"),
            ("VertexAI", "europe-west4-aiplatform.googleapis.com", "gemini-2.5-flash"),
            ("openai", "generativelanguage.googleapis.com", "gemini-2.5-flash"),
            ("gcp.vertex.agent", "-", "gemini-2.5-flash"),
            ("-", "-", "models/gemini-2.5-flash"),
            ("-", "-", "gemini/gemini-2.5-flash"),
            ("-", "-", "google-gla:gemini-2.5-flash"),
            ("-", "-", "google/gemini-2.5-flash"),
        ],
    );
    all_are(
        "x-ai",
        "grok-4",
        &[
            ("x_ai", "-", "grok-4"),
            ("xai.chat", "-", "grok-4-0709"),
            ("x.ai", "-", "xai/grok-4"),
            ("openai", "api.x.ai", "grok-4"),
            ("openai", "us-east-1.api.x.ai", "grok-4-latest"),
        ],
    );
    all_are(
        "groq",
        "llama-3.3-70b-versatile",
        &[
            ("groq.chat", "-", "llama-3.3-70b-versatile"),
            ("openai", "api.groq.com", "llama-3.3-70b-versatile"),
            ("-", "-", "groq/llama-3.3-70b-versatile"),
            ("groq", "localhost:4000", "llama-3.3-70b-versatile"),
        ],
    );
    all_are(
        "groq",
        "openai/gpt-oss-20b",
        &[("groq", "-", "openai/gpt-oss-20b"), ("groq", "-", "groq/openai/gpt-oss-20b")],
    );
}

#[test]
fn claude_is_sold_by_many() {
    all_are(
        "anthropic",
        "claude-sonnet-4-5",
        &[
            ("anthropic", "-", "claude-sonnet-4-5-20250929"),
            ("anthropic.messages", "-", "claude-sonnet-4-5@20250929"),
            ("-", "-", "anthropic/claude-sonnet-4.5"),
            ("openai", "litellm:4000", "anthropic/claude-sonnet-4-5"),
            ("openai", "ai-gateway.vercel.sh", "anthropic/claude-sonnet-4.5"),
        ],
    );
    all_are(
        "aws",
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        &[
            ("aws.bedrock", "-", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
            ("amazon-bedrock", "-", "EU.anthropic.claude-sonnet-4-5-20250929-v1:0"),
            ("bedrock_converse", "-", "apac.anthropic.claude-sonnet-4-5-20250929-v1:0"),
            ("anthropic", "-", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
            ("-", "-", "bedrock/converse/us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
            ("AWS", "-", "bedrock/us-east-1/anthropic.claude-sonnet-4-5-20250929-v1:0"),
            (
                "anthropic",
                "bedrock-runtime.eu-central-1.amazonaws.com",
                "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
            ),
            (
                "aws.bedrock",
                "-",
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            ),
            (
                "-",
                "-",
                "arn:aws:bedrock:us-west-2::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0",
            ),
        ],
    );
    all_are(
        "aws",
        "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
        &[
            ("aws.bedrock", "-", "global.anthropic.claude-sonnet-4-5-20250929-v1:0"),
            (
                "-",
                "bedrock-runtime.eu-west-1.amazonaws.com",
                "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
            ),
        ],
    );
    all_are(
        "aws",
        "amazon.nova-pro-v1:0",
        &[
            ("aws.bedrock", "-", "us.amazon.nova-pro-v1:0"),
            ("AWS", "-", "nova-pro-v1:0"),
            ("-", "-", "amazon.nova-pro-v1:0"),
        ],
    );
    all_are(
        "google",
        "claude-3-5-sonnet",
        &[
            ("gcp.vertex_ai", "-", "claude-3-5-sonnet@20240620"),
            ("anthropic", "us-east5-aiplatform.googleapis.com", "claude-3-5-sonnet-v2@20241022"),
            (
                "-",
                "-",
                "projects/p/locations/us-east5/publishers/anthropic/models/claude-3-5-sonnet@20240620",
            ),
            ("vertex.anthropic.messages", "-", "vertex_ai/claude-3-5-sonnet"),
        ],
    );
    all_are(
        "google",
        "claude-sonnet-4",
        &[
            ("gcp.vertex_ai", "us-east5-aiplatform.googleapis.com", "claude-sonnet-4@20250514"),
            ("gcp.vertex_ai", "aiplatform.googleapis.com", "claude-sonnet-4"),
        ],
    );
    all_are(
        "openrouter",
        "anthropic/claude-sonnet-4",
        &[
            ("openrouter", "-", "anthropic/claude-sonnet-4"),
            ("openai", "openrouter.ai", "anthropic/claude-sonnet-4"),
            ("openai", "https://openrouter.ai/api/v1", "anthropic/claude-sonnet-4:beta"),
            ("openrouter", "-", "anthropic/claude-sonnet-4:nitro"),
            ("-", "-", "openrouter/anthropic/claude-sonnet-4"),
            ("openai", "localhost", "openrouter/anthropic/claude-sonnet-4"),
        ],
    );
    assert_eq!(of("openrouter", "-", "deepseek/deepseek-r1:free"), Some(0), "free, and said so");
    assert_eq!(of("-", "-", "openrouter/meta-llama/llama-3.3-70b-instruct:free"), Some(0));
}

#[test]
fn what_is_in_doubt_has_no_price() {
    for (provider, address, model) in [
        // Nobody's, somebody else's, and none.
        ("openai", "-", "no-such-model"),
        ("-", "-", "no-such-model"),
        ("-", "-", ""),
        ("my-gateway", "-", "gpt-4o-mini"),
        ("openai", "-", "claude-sonnet-4-5"),
        ("openai", "-", "anthropic/claude-sonnet-4"),
        ("openai", "-", "acme/gpt-4o"),
        ("-", "-", "acme/gpt-4o"),
        ("anthropic", "-", "gpt-4o"),
        ("openai", "api.openai.com", "azure/gpt-4o"),
        ("groq", "-", "gpt-4o"),
        ("gcp.vertex_ai", "-", "openai/gpt-4o"),
        // A host that sells at prices of its own, or none at all.
        ("openai", "api.acme-models.com", "gpt-4o"),
        ("openai", "api.acme-models.com", "openai/gpt-4o"),
        ("openai", "8.8.8.8", "gpt-4o"),
        // Another model in time, and older in one source than in the other.
        ("mistral", "-", "mistral-large-latest"),
        ("-", "-", "mistral/magistral-small-latest"),
        ("openai", "api.mistral.ai", "magistral-medium-latest"),
        ("openai", "2001:db8::7", "gpt-4o"),
        ("openai", "models.github.ai", "openai/gpt-4o"),
        ("azure.ai.openai", "acme.openai.azure.us", "gpt-4o"),
        ("openai", "localhost:11434", "llama3.2"),
        ("openai", "localhost:8000", "openai/gpt-oss-120b"),
        ("-", "localhost:1234", "google/gemma-3-12b"),
        ("-", "localhost:11434", "mistral-small-latest"),
        ("openai", "vllm:8000", "mistralai/Mistral-7B-Instruct-v0.3"),
        ("ollama", "-", "mistral:7b"),
        ("-", "-", "mistral:7b"),
        ("-", "-", "deepseek-r1:7b"),
        // What an account named, trained or reserved itself.
        (
            "aws.bedrock",
            "-",
            "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc123def456",
        ),
        ("aws.bedrock", "-", "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abc123def456"),
        ("aws.bedrock", "-", "arn:aws:bedrock:us-east-1:123456789012:custom-model/amazon.nova-lite-v1:0/abc"),
        ("gcp.vertex_ai", "-", "projects/acme/locations/us-central1/endpoints/1234567890"),
        ("gcp.vertex_ai", "-", "publishers/meta/models/gemini-2.5-flash"),
        // Dearer in a region than worldwide.
        ("gcp.vertex_ai", "us-east5-aiplatform.googleapis.com", "claude-sonnet-4-5@20250929"),
        ("anthropic", "europe-west1-aiplatform.googleapis.com", "claude-opus-4-6"),
        ("anthropic", "aiplatform.us.rep.googleapis.com", "claude-haiku-4-5"),
        ("-", "-", "projects/p/locations/us-east5/publishers/anthropic/models/claude-sonnet-4-5@20250929"),
        ("azure", "acme.openai.azure.com", "my-o4-mini"),
        ("azure", "acme.openai.azure.com", "gpt-4o-prod"),
        ("openai", "-", "ft:gpt-4.1-2025-04-14:acme::abc123"),
        // Where a price of the same name is another's, or there is one for each zone.
        ("openai", "-", "gpt-oss-120b"),
        ("azure", "-", "deepseek-r1"),
        ("azure", "-", "grok-3-mini"),
        ("azure", "-", "azure/eu/gpt-4o"),
        ("aws.bedrock", "-", "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        (
            "aws.bedrock",
            "bedrock-runtime.us-gov-west-1.amazonaws.com",
            "anthropic.claude-3-haiku-20240307-v1:0",
        ),
        ("aws.bedrock", "bedrock-runtime.eu-west-1.amazonaws.com", "meta.llama3-70b-instruct-v1:0"),
        ("aws.bedrock", "-", "eu.amazon.nova-lite-v1:0"),
        ("aws.sagemaker", "-", "meta.llama3-70b-instruct-v1:0"),
        // Another model, by one word more.
        ("google", "-", "gemini-3.8-flash-cyber"),
        ("google", "-", "gemini-1.5-flash-8b"),
        ("anthropic", "-", "claude-sonnet-4-5-acme-tuned"),
        ("openai", "-", "gpt-4o-2024-01-01"),
        // What costs by the search, by the hour of a day that nobody told, or by who happens to serve it.
        ("perplexity", "-", "sonar-pro"),
        ("openai", "-", "gpt-4o-search-preview"),
        ("deepseek", "-", "deepseek-v4-flash"),
        ("openrouter", "-", "anthropic/claude-sonnet-4:online"),
        ("openrouter", "-", "deepseek/deepseek-chat:nitro"),
    ] {
        assert_eq!(of(provider, address, model), None, "{provider} {address} {model}");
    }
}

#[test]
fn providers_go_by_many_words() {
    for (said, seller) in [
        ("az.ai.openai", "azure"),
        ("azure.ai.inference", "azure"),
        ("azure-openai", "azure"),
        ("AWS Bedrock", "aws"),
        ("aws.bedrock", "aws"),
        ("bedrock_converse", "aws"),
        ("gemini", "google"),
        ("google_genai", "google"),
        ("google.vertex.chat", "google"),
        ("vertex_ai-language-models", "google"),
        ("MistralAI", "mistral"),
        ("mistral_ai", "mistral"),
        ("cohere_chat", "cohere"),
        ("TogetherAI", "together"),
        ("together_ai", "together"),
        ("fireworks_ai", "fireworks"),
        ("x-ai", "x-ai"),
        ("z.ai", "zai"),
        ("perplexity-ai", "perplexity"),
        ("huggingface_together", "huggingface_together"),
    ] {
        assert_eq!(word(said), Word::Seller(seller), "{said}");
        assert!(BOOK.as_ref().is_some_and(|book| book.has(seller)), "{seller}");
    }
    for (said, is) in [
        ("", Word::Nothing),
        ("  ", Word::Nothing),
        ("OpenAI", Word::Sdk("openai")),
        ("openai.completion", Word::Sdk("openai")),
        ("anthropic.messages", Word::Sdk("anthropic")),
        ("LiteLLM", Word::Between(Between::Gateway)),
        ("strands-agents", Word::Between(Between::Gateway)),
        ("gateway.chat", Word::Between(Between::Market)),
        ("ollama", Word::Other),
        ("ibm.watsonx.ai", Word::Other),
        ("aws.sagemaker", Word::Other),
        ("my-openai", Word::Other),
    ] {
        assert_eq!(word(said), is, "{said}");
    }
}

#[test]
fn places_tell_who_sells() {
    for (address, is) in [
        ("api.openai.com", Place::Seller("openai")),
        ("HTTPS://API.OpenAI.com:443/v1/chat?x=1#y", Place::Seller("openai")),
        ("https://key@api.anthropic.com./v1", Place::Seller("anthropic")),
        ("api.openai.com.evil.org", Place::Other),
        ("notopenrouter.ai", Place::Other),
        ("openrouter.ai", Place::Seller("openrouter")),
        ("acme.openai.azure.com", Place::Seller("azure")),
        ("models.inference.ai.azure.com", Place::Unlisted),
        ("bedrock-runtime.us-east-1.amazonaws.com", Place::Seller("aws")),
        ("vpce-0a1b.bedrock-runtime.us-west-2.vpce.amazonaws.com", Place::Seller("aws")),
        ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com", Place::Unlisted),
        ("bedrock-runtime.ap-northeast-1.amazonaws.com", Place::Abroad("aws")),
        ("runtime.sagemaker.us-east-1.amazonaws.com", Place::Other),
        ("aiplatform.googleapis.com", Place::Seller("google")),
        ("us-central1-aiplatform.googleapis.com", Place::Abroad("google")),
        ("aiplatform.eu.rep.googleapis.com", Place::Abroad("google")),
        ("storage.googleapis.com", Place::Other),
        ("dbc-1a2b.cloud.databricks.com", Place::Seller("databricks")),
        ("localhost", Place::Between(Between::Gateway)),
        ("http://127.0.0.1:11434", Place::Between(Between::Gateway)),
        ("[::1]:8000", Place::Between(Between::Gateway)),
        ("::1", Place::Between(Between::Gateway)),
        ("172.16.4.5:80", Place::Between(Between::Gateway)),
        ("ollama", Place::Between(Between::Gateway)),
        ("proxy.llm.svc.cluster.local", Place::Between(Between::Gateway)),
        ("gateway.ai.cloudflare.com", Place::Between(Between::Gateway)),
        ("acme.azure-api.net", Place::Between(Between::Gateway)),
        ("ai-gateway.vercel.sh", Place::Between(Between::Market)),
        ("172.32.4.5", Place::Other),
        ("2001:4860:4860::8888", Place::Other),
        ("", Place::Nowhere),
        (" ", Place::Nowhere),
        ("://", Place::Nowhere),
    ] {
        assert_eq!(place(address), is, "{address}");
        if let Place::Seller(seller) = is {
            assert!(BOOK.as_ref().is_some_and(|book| book.has(seller)), "{seller}");
        }
    }
}
