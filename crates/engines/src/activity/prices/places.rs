//! Where a call went, and who sells there.

use std::net::IpAddr;

use super::words::Between;

/// What a host says of who sells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// None is known.
    Nowhere,
    Seller(&'static str),
    /// Of a region where the seller asks for some models what the book does not say.
    Abroad(&'static str),
    /// A seller's, at prices that the book does not have.
    Unlisted,
    /// It passes calls on; within somebody's own network it may as well answer them itself.
    Between(Between),
    /// Somebody's.
    Other,
}

/// Reads an address: a host, with or without a port, or a URL.
pub(super) fn place(address: &str) -> Place {
    let host = host(address);
    let host = host.as_str();
    if host.is_empty() {
        return Place::Nowhere;
    }
    let within =
        |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if UNLISTED.into_iter().any(within) {
        return Place::Unlisted;
    }
    if let Some((_, seller)) = HOSTS.into_iter().find(|(name, _)| *name == host) {
        return Place::Seller(seller);
    }
    if let Some((_, seller)) = DOMAINS.into_iter().find(|(domain, _)| within(domain)) {
        return Place::Seller(seller);
    }
    if within("amazonaws.com") || within("api.aws") {
        return bedrock(host);
    }
    // The worldwide one is among the domains; any other is of a region, or of several.
    if within("googleapis.com") && host.split('.').next().is_some_and(|first| first.ends_with("aiplatform")) {
        return Place::Abroad("google");
    }
    if within("ai-gateway.vercel.sh") {
        return Place::Between(Between::Market);
    }
    if is_own(host) { Place::Between(Between::Gateway) } else { Place::Other }
}

/// Hosts of one name.
const HOSTS: [(&str, &str); 30] = [
    ("api.openai.com", "openai"),
    ("api.anthropic.com", "anthropic"),
    ("generativelanguage.googleapis.com", "google"),
    ("api.groq.com", "groq"),
    ("api.deepseek.com", "deepseek"),
    ("api.mistral.ai", "mistral"),
    ("codestral.mistral.ai", "mistral"),
    ("api.cohere.com", "cohere"),
    ("api.cohere.ai", "cohere"),
    ("api.together.xyz", "together"),
    ("api.together.ai", "together"),
    ("api.fireworks.ai", "fireworks"),
    ("api.perplexity.ai", "perplexity"),
    ("api.cerebras.ai", "cerebras"),
    ("api.moonshot.ai", "moonshotai"),
    ("api.z.ai", "zai"),
    ("open.bigmodel.cn", "zhipuai"),
    ("api.minimax.io", "minimax"),
    ("api.minimaxi.com", "minimax"),
    ("api.novita.ai", "novita"),
    ("api.voyageai.com", "voyageai"),
    ("api.cloudflare.com", "cloudflare"),
    ("api.avian.io", "avian"),
    ("api.arcee.ai", "arcee"),
    ("inference.baseten.co", "baseten"),
    ("api.cursor.com", "cursor"),
    ("api.doubleword.ai", "doubleword"),
    ("api.meta.ai", "meta"),
    ("oai.endpoints.kepler.ai.cloud.ovh.net", "ovhcloud"),
    ("api.quicksilverpro.io", "quicksilverpro"),
];

/// Domains that every customer, or every region, has a name of its own in.
const DOMAINS: [(&str, &str); 14] = [
    ("openrouter.ai", "openrouter"),
    ("openai.azure.com", "azure"),
    ("services.ai.azure.com", "azure"),
    ("cognitiveservices.azure.com", "azure"),
    ("inference.ai.azure.com", "azure"),
    ("models.ai.azure.com", "azure"),
    ("api.x.ai", "x-ai"),
    ("cloud.databricks.com", "databricks"),
    ("azuredatabricks.net", "databricks"),
    ("gcp.databricks.com", "databricks"),
    ("githubcopilot.com", "github-copilot"),
    ("elevenlabs.io", "elevenlabs"),
    ("api.typesafe.ai", "typesafe"),
    ("aiplatform.googleapis.com", "google"),
];

/// Clouds of their own, markets that pass calls to whom they like, and what is paid by the month.
const UNLISTED: [&str; 8] = [
    "openai.azure.us",
    "azure.us",
    "azure.cn",
    "amazonaws.com.cn",
    "models.inference.ai.azure.com",
    "models.github.ai",
    "huggingface.co",
    "chatgpt.com",
];

/// A host of Amazon's: of Bedrock's, with its region.
fn bedrock(host: &str) -> Place {
    if !host.split('.').any(|part| part.starts_with("bedrock")) {
        return Place::Other;
    }
    let region =
        |part: &&str| part.matches('-').count() > 1 && part.ends_with(|end: char| end.is_ascii_digit());
    match host.split('.').find(region) {
        Some(region) if region.starts_with("us-gov-") => Place::Unlisted,
        Some(region) if !region.starts_with("us-") => Place::Abroad("aws"),
        _ => Place::Seller("aws"),
    }
}

/// The host of an address, in lower case.
fn host(address: &str) -> String {
    let address = address.trim();
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    let address = address.split(['/', '?', '#']).next().unwrap_or_default();
    let address = address.rsplit_once('@').map_or(address, |(_, rest)| rest);
    let host = match address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _)) => host,
        None if address.matches(':').count() > 1 => address,
        None => address.split(':').next().unwrap_or_default(),
    };
    host.trim_end_matches('.').to_lowercase()
}

/// Whether a host is within somebody's own network, or says that it passes calls on.
fn is_own(host: &str) -> bool {
    if let Ok(address) = host.parse::<IpAddr>() {
        return match address {
            IpAddr::V4(four) => {
                let shared = four.octets()[0] == 100 && (64..128).contains(&four.octets()[1]);
                four.is_loopback()
                    || four.is_private()
                    || four.is_link_local()
                    || four.is_unspecified()
                    || shared
            }
            IpAddr::V6(six) => {
                six.is_loopback()
                    || six.is_unspecified()
                    || six.is_unique_local()
                    || six.is_unicast_link_local()
            }
        };
    }
    let (_, top) = host.rsplit_once('.').unwrap_or_default();
    let own = [
        "",
        "localhost",
        "local",
        "localdomain",
        "internal",
        "intranet",
        "lan",
        "corp",
        "home",
        "private",
        "svc",
        "test",
    ];
    let passes_on = |part: &str| ["gateway", "litellm", "proxy"].iter().any(|word| part.contains(word));
    own.contains(&top)
        || host.ends_with(".home.arpa")
        || host.ends_with(".azure-api.net")
        || host.ends_with(".helicone.ai")
        || host == "api.portkey.ai"
        || host.split('.').any(passes_on)
}
