//! What the OpenAPI document says before its routes.

use utoipa::{OpenApi as _, openapi::OpenApi};

use crate::problem::ProblemView;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "HOC",
        description = "The governor and flight recorder of AI agent runs.\n\nEvery error is \
            `application/problem+json` (docs/errors.md). `X-Request-Id` is taken over and given back; W3C trace \
            context is continued. Long answers to what only reads may be packed by `Accept-Encoding` (zstd, gzip). \
            Times are RFC 3339 in UTC with microseconds; money is a JSON number of USD with at most nine decimals; \
            ids are opaque.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(ProblemView)),
    tags(
        (name = "overview", description = "Is the system okay right now?"),
        (name = "activity", description = "What ran, what is running?"),
        (name = "incidents", description = "What went wrong?"),
        (name = "policies", description = "How is behaviour defined?"),
        (name = "logs", description = "What is the raw truth?"),
        (name = "jobs", description = "What do the servers still have to do?"),
        (name = "account", description = "Who calls, with which key?"),
        (name = "system", description = "The server itself."),
    ),
)]
struct Head;

/// The document without its routes.
pub(crate) fn preface() -> OpenApi {
    Head::openapi()
}
