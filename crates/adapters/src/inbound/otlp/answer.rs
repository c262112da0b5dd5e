//! What an exporter is answered, in the encoding of its request.

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use orchestrator::ports::{RejectedSpans, SpanEncoding};
use prost::Message as _;
use serde_json::json;

/// `google.rpc.Code.INVALID_ARGUMENT`.
const INVALID_ARGUMENT: i32 = 3;

/// `google.rpc.Status`, without details.
#[derive(Clone, PartialEq, prost::Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

/// Success; partial where spans were rejected. A response without rejections says nothing at all.
pub(super) fn answer(encoding: SpanEncoding, rejected: &RejectedSpans) -> Vec<u8> {
    let count = i64::try_from(rejected.count).unwrap_or(i64::MAX);
    let message = rejected.message();
    match encoding {
        SpanEncoding::Protobuf if count == 0 => Vec::new(),
        SpanEncoding::Protobuf => {
            let partial_success =
                Some(ExportTracePartialSuccess { rejected_spans: count, error_message: message });
            ExportTraceServiceResponse { partial_success }.encode_to_vec()
        }
        SpanEncoding::Json if count == 0 => b"{}".to_vec(),
        // 64-bit integers are strings in the JSON of protobuf.
        SpanEncoding::Json => {
            json!({ "partialSuccess": { "rejectedSpans": count.to_string(), "errorMessage": message } })
                .to_string()
                .into_bytes()
        }
    }
}

/// The body cannot be read; to send it again would not help.
pub(super) fn refusal(encoding: SpanEncoding, message: &str) -> Vec<u8> {
    match encoding {
        SpanEncoding::Protobuf => {
            Status { code: INVALID_ARGUMENT, message: message.to_owned() }.encode_to_vec()
        }
        SpanEncoding::Json => {
            json!({ "code": INVALID_ARGUMENT, "message": message }).to_string().into_bytes()
        }
    }
}
