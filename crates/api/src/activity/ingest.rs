//! `POST /v1/traces`: spans of outside tracers, as OTLP/HTTP sends them.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use orchestrator::{Error, Spine, handlers::activity, ports::SpanEncoding};

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, schema::Type},
};

use crate::{
    Problem,
    carried::InItsOwnWords,
    extract::{AgentWrites, Caller, SpanBody, roles},
    problem::Code,
};

/// Report spans: one trace is one run, one span is one step.
///
/// An OTLP `ExportTraceServiceRequest`, protobuf or JSON, plain or gzip; the answer is in the same encoding, and comes
/// when the spans are committed. Spans that are no steps are counted in `partialSuccess`; a body sent again changes
/// nothing. A body that cannot be read is answered with a `google.rpc.Status`.
#[utoipa::path(post, path = "/v1/traces", operation_id = "activity.ingest", tag = "activity",
    extensions(("x-roles" = json!(roles::<AgentWrites>()))),
    request_body(description = "The exported spans.", content(
        (Object = "application/json"),
        (Protobuf = "application/x-protobuf"),
    )),
    responses(
        (status = 200, description = "What was taken.", content(
            (Object = "application/json"),
            (Protobuf = "application/x-protobuf"),
        )),
        (status = 400, description = "It is no such request: a `google.rpc.Status`.", content(
            (Object = "application/json"),
            (Protobuf = "application/x-protobuf"),
        )),
    ))]
pub(super) async fn ingest(
    State(spine): State<Spine>,
    caller: Caller<AgentWrites>,
    body: Result<SpanBody, Problem>,
) -> Result<Response, Problem> {
    let SpanBody { encoding, bytes } = match body {
        Ok(body) => body,
        Err(problem) => {
            // Exporters send again only what is answered as such.
            let is_for_good =
                matches!(problem.code(), Code::BodyTooLarge | Code::BadRequest | Code::UnsupportedMediaType);
            if is_for_good {
                activity::refuse_spans(&spine, caller.context(), problem.detail()).await;
            }
            return Err(problem);
        }
    };
    match activity::ingest(&spine, caller.context(), encoding, &bytes).await {
        Ok(ingested) => {
            let body = spine.span_codec().answer(encoding, &ingested.rejected);
            Ok(answer(StatusCode::OK, encoding, body))
        }
        Err(Error::Unreadable(why)) => {
            let body = spine.span_codec().refusal(encoding, &why);
            let mut response = answer(StatusCode::BAD_REQUEST, encoding, body);
            response.extensions_mut().insert(InItsOwnWords);
            Ok(response)
        }
        Err(err) => Err(err.into()),
    }
}

/// A message in protobuf: bytes.
struct Protobuf;

impl PartialSchema for Protobuf {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
            .into()
    }
}

impl ToSchema for Protobuf {}

fn answer(status: StatusCode, encoding: SpanEncoding, body: Vec<u8>) -> Response {
    let content_type = match encoding {
        SpanEncoding::Protobuf => "application/x-protobuf",
        SpanEncoding::Json => "application/json",
    };
    (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
}
