//! Log lines for machines: one JSON object each, in which an error is told with all its causes.
//!
//! tracing-subscriber's own JSON prints an error without what lies under it, so that "the store failed" was all that a
//! log held. What is logged as an error anywhere in the product comes through here.

use std::{error::Error, fmt};

use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields,
        format::Writer,
        time::{FormatTime as _, SystemTime},
    },
    registry::LookupSpan,
};

use crate::causes;

/// Writes an event as a line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let meta = event.metadata();
        let mut members =
            Members(vec![("timestamp", timestamp.into()), ("level", meta.level().as_str().into())]);
        event.record(&mut members);
        members.0.push(("target", meta.target().into()));
        if let Some(span) = event.parent().and_then(|id| ctx.span(id)).or_else(|| ctx.lookup_current()) {
            let fields = span.extensions().get::<FormattedFields<N>>().map(|fields| fields.fields.clone());
            let fields = fields.and_then(|fields| serde_json::from_str::<Map<String, Value>>(&fields).ok());
            let mut fields = fields.unwrap_or_default();
            fields.insert("name".to_owned(), span.name().into());
            members.0.push(("span", fields.into()));
        }
        let mut before = '{';
        for (name, value) in members.0 {
            write!(writer, "{before}{}:{value}", Value::from(name))?;
            before = ',';
        }
        writeln!(writer, "}}")
    }
}

/// The members of a line, in the order in which they are written.
struct Members(Vec<(&'static str, Value)>);

impl Visit for Members {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.push((field.name(), value.into()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.push((field.name(), value.into()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.push((field.name(), value.into()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.push((field.name(), value.into()));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), value.into()));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.0.push((field.name(), causes::line(value).into()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push((field.name(), format!("{value:?}").into()));
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex, PoisonError},
    };

    use drivers::StoreError;
    use tracing_subscriber::fmt::format::JsonFields;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_error_is_logged_with_what_lies_under_it() {
        let written = Written::default();
        let writer = written.clone();
        let lines = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .fmt_fields(JsonFields::new())
            .event_format(JsonLines)
            .finish();
        tracing::subscriber::with_default(lines, || {
            let span = tracing::info_span!("request", request.id = "req_1", operation = "activity.start");
            let _in = span.enter();
            let cause = StoreError::Database("index row size 2712 exceeds btree maximum".into());
            let err = orchestrator::Error::from(cause);
            tracing::error!(error = &err as &dyn Error, tries = 3, refused = true, "the \"request\" failed");
        });
        let line = String::from_utf8(written.0.lock().expect("no test failed").clone()).expect("UTF-8");
        let line: Value = serde_json::from_str(&line).expect("a line of JSON");
        assert_eq!(line["error"], "the store failed: index row size 2712 exceeds btree maximum");
        assert_eq!(line["message"], "the \"request\" failed");
        assert_eq!(
            (&line["tries"], &line["refused"], &line["level"]),
            (&3.into(), &true.into(), &"ERROR".into())
        );
        assert_eq!(line["span"]["name"], "request");
        assert_eq!(line["span"]["request.id"], "req_1");
        assert!(line["timestamp"].is_string() && line["target"].is_string(), "{line}");
    }
}
