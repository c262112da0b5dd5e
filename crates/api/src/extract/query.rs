//! Query parameters, read strictly: one that is unknown, repeated or not valid is 400.

use std::fmt::Debug;

use chrono::Datelike as _;
use models::page::{Cursor, ListId, Order, PageError, PageRequest};
use serde::{
    Deserialize,
    de::{
        DeserializeOwned, Deserializer, IntoDeserializer, Visitor,
        value::{Error, MapDeserializer},
    },
};
use utoipa::IntoParams;

use axum::{extract::FromRequestParts, http::request::Parts};

use super::nul;
use crate::{
    Problem,
    carried::{About, BodyShare},
    problem::Code,
    view::YEARS,
};

/// The parameters that a route takes: a struct that denies unknown fields.
pub(crate) trait Params: DeserializeOwned + Debug {
    /// Which order its list has.
    const ORDER: Order = Order::Newest;
}

/// No parameters of its own.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoParams {}

impl Params for NoParams {}

/// The parameters of a route that is no list.
#[derive(Clone, Debug)]
pub(crate) struct Query<P>(pub(crate) P);

/// The parameters of a list: its filters, and which page.
#[derive(Clone, Debug)]
pub(crate) struct List<P> {
    /// The filters.
    pub(crate) filter: P,
    /// Which page.
    pub(crate) page: PageRequest,
}

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageParams {
    /// How many entries.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u64>,
    /// The `next_cursor` of the page before.
    #[param(pattern = "^AQA[A-Za-z0-9_-]{41}$")]
    cursor: Option<String>,
    /// Whether to count all that pass the filters.
    #[param(default = false)]
    total: Option<bool>,
}

impl<P: Params, S: Sync> FromRequestParts<S> for Query<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read(pairs(parts)?).map(Self)
    }
}

impl<P: Params, S: Sync> FromRequestParts<S> for List<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let is_paging = |(name, _): &(String, Text)| ["limit", "cursor", "total"].contains(&name.as_str());
        let (paging, filters) = pairs(parts)?.into_iter().partition(is_paging);
        let filter: P = read(filters)?;
        let page = page(read(paging)?, P::ORDER, list_id(parts, &filter))?;
        Ok(Self { filter, page })
    }
}

/// Which list is asked for: its address, whose entries it has, and its filters as they were understood, however they
/// were written.
pub(crate) fn list_id(parts: &Parts, filter: &impl Debug) -> ListId {
    let path = parts.extensions.get::<About>().map_or(parts.uri.path(), |about| &about.instance);
    let tenant = parts.extensions.get::<BodyShare>().and_then(BodyShare::tenant);
    let tenant = tenant.map(|tenant| tenant.to_string()).unwrap_or_default();
    ListId::of(&[path, &tenant, &format!("{filter:?}")])
}

/// Which page of the list was asked for.
pub(crate) fn page(params: PageParams, order: Order, list: ListId) -> Result<PageRequest, Problem> {
    let refuse = |err: PageError| {
        let pointer = if err == PageError::Limit { "/limit" } else { "/cursor" };
        Problem::field(Code::InvalidParameter, pointer, err.to_string())
    };
    let PageParams { limit, cursor, total } = params;
    let page = PageRequest::of(list, limit, cursor.as_deref(), total.unwrap_or(false)).map_err(refuse)?;
    // A cursor that was made up may name what no store can compare with.
    let fits = match page.cursor {
        None => true,
        Some(cursor) if cursor.order() != order => false,
        Some(Cursor::Before { at, .. } | Cursor::Ranked { at, .. }) => YEARS.contains(&at.year()),
        Some(Cursor::After(index)) => i64::try_from(index).is_ok(),
    };
    if fits { Ok(page) } else { Err(refuse(PageError::Cursor)) }
}

/// The parameters as they came, each once.
fn pairs(parts: &Parts) -> Result<Vec<(String, Text)>, Problem> {
    pairs_of(parts.uri.query().unwrap_or_default().as_bytes())
}

/// What a form holds, each field once.
pub(crate) fn pairs_of(form: &[u8]) -> Result<Vec<(String, Text)>, Problem> {
    if !is_utf8(form) {
        return Err(Problem::new(Code::InvalidParameter, "what stands behind the percent signs is no UTF-8"));
    }
    let mut pairs: Vec<(String, Text)> = Vec::new();
    for (name, value) in form_urlencoded::parse(form).into_owned() {
        let pointer = format!("/{}", nul::escaped(&name));
        if name.contains('\0') || value.contains('\0') {
            return Err(Problem::field(Code::InvalidRequest, pointer, nul::MESSAGE));
        }
        if pairs.iter().any(|(other, _)| *other == name) {
            return Err(Problem::field(Code::InvalidParameter, pointer, "is given more than once"));
        }
        pairs.push((name, Text(value)));
    }
    Ok(pairs)
}

/// Whether a form is text: what is none would be read as other characters than those that were sent.
fn is_utf8(form: &[u8]) -> bool {
    let mut bytes = Vec::with_capacity(form.len());
    let mut rest = form;
    while let Some((first, after)) = rest.split_first() {
        let hex = |at: usize| char::from(*after.get(at)?).to_digit(16);
        let escaped = (*first == b'%').then(|| Some((hex(0)? << 4) + hex(1)?)).flatten();
        let escaped = escaped.and_then(|byte| u8::try_from(byte).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    std::str::from_utf8(&bytes).is_ok()
}

/// The fields as what is asked for, which says what it does not know.
pub(crate) fn read<P: DeserializeOwned>(pairs: Vec<(String, Text)>) -> Result<P, Problem> {
    serde_path_to_error::deserialize(MapDeserializer::<_, Error>::new(pairs.into_iter())).map_err(|err| {
        let message = err.inner().to_string();
        if let Some(rest) = message.strip_prefix("unknown field ") {
            let name = rest.split('`').nth(1).unwrap_or_default();
            let pointer = format!("/{}", nul::escaped(name));
            return Problem::field(Code::InvalidParameter, pointer, format!("unknown parameter {rest}"));
        }
        if let Some(name) = message.strip_prefix("missing field ") {
            let pointer = format!("/{}", nul::escaped(name.trim_matches('`')));
            return Problem::field(Code::InvalidParameter, pointer, "is required");
        }
        Problem::field(Code::InvalidParameter, format!("/{}", err.path()), message)
    })
}

/// One parameter's text, as what is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Text(pub(crate) String);

impl IntoDeserializer<'_, Error> for Text {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Text {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.parse() {
            Ok(flag) => visitor.visit_bool(flag),
            Err(_) => Err(serde::de::Error::custom(format!("`{}` is neither true nor false", self.0))),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let whole = self.0.bytes().all(|b| b.is_ascii_digit());
        match self.0.parse() {
            Ok(number) if whole => visitor.visit_u64(number),
            _ => Err(serde::de::Error::custom(format!("`{}` is no whole number", self.0))),
        }
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i64 u8 u16 u32 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use models::page::ListCursor;

    use super::*;
    use crate::view::{Time, words};

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Filters {
        state: Option<words::RunState>,
        agent_id: Option<String>,
        after: Option<Time>,
    }

    impl Params for Filters {}

    /// Which list the address has with these filters.
    fn id(filter: &Filters) -> ListId {
        let (parts, ()) = Request::get("/x").body(()).expect("a request").into_parts();
        list_id(&parts, filter)
    }

    async fn list(query: &str) -> Result<List<Filters>, String> {
        let (mut parts, ()) = Request::get(format!("/x?{query}")).body(()).expect("a request").into_parts();
        List::from_request_parts(&mut parts, &()).await.map_err(|problem| {
            let told = serde_json::to_value(problem.view("", "")).expect("a problem");
            format!(
                "{} {}",
                told["code"].as_str().expect("a code"),
                told["detail"].as_str().expect("a detail")
            )
        })
    }

    #[tokio::test]
    async fn filters_and_page() {
        let place =
            Cursor::Before { at: "2026-01-01T00:00:00Z".parse().expect("a time"), id: uuid::Uuid::nil() };
        let odd = list("agent_id=%C3%A9%zz%").await.expect("text").filter.agent_id;
        assert_eq!(odd.as_deref(), Some("é%zz%"), "a percent sign may stand for itself");
        let said = "state=LIVE&agent_id=a%20b&after=2026-01-01T00:00:00Z";
        let first = list(said).await.expect("the first page");
        let after = ListCursor { place, list: id(&first.filter) };
        let query = format!(
            "after=2026-01-01T01:00:00%2B01:00&agent_id=a+b&limit=2&total=true&cursor={after}&state=LIVE"
        );
        let List { filter, page } = list(&query).await.expect("a list");
        assert_eq!(filter.agent_id.as_deref(), Some("a b"));
        assert_eq!(filter.state, Some("LIVE".parse().expect("a word")));
        assert_eq!((page.limit(), page.cursor, page.total), (2, Some(place), true));
        let List { filter, page } = list("").await.expect("a list");
        let first = PageRequest::of(id(&filter), None, None, false).expect("a page");
        assert_eq!((filter, page), (Filters::default(), first));
    }

    const FOREIGN: &str = "invalid_parameter /cursor: the cursor is not one that this list gave with these filters: ask for \
                           its first page, without a cursor, and then with the `next_cursor` of each page and the same \
                           filters";

    #[tokio::test]
    async fn what_is_wrong_is_named() {
        let cases = [
            ("state=live", "invalid_parameter /state: `live` is not one of LIVE, COMPLETED"),
            ("state=LIVE&state=LIVE", "invalid_parameter /state: is given more than once"),
            ("limit=1&limit=2", "invalid_parameter /limit: is given more than once"),
            (
                "x=1",
                "invalid_parameter /x: unknown parameter `x`, expected one of `state`, `agent_id`, `after`",
            ),
            (
                "severity",
                "invalid_parameter /severity: unknown parameter `severity`, expected one of `state`, `agent_id`, `after`",
            ),
            ("limit=0", "invalid_parameter /limit: limit must be from 1 to 200"),
            ("limit=201", "invalid_parameter /limit: limit must be from 1 to 200"),
            ("limit=-1", "invalid_parameter /limit: `-1` is no whole number"),
            ("limit=%2B1", "invalid_parameter /limit: `+1` is no whole number"),
            ("total=yes", "invalid_parameter /total: `yes` is neither true nor false"),
            ("cursor=AA", FOREIGN),
            (
                "after=now",
                "invalid_parameter /after: `now` is no RFC 3339 time, such as 2026-01-31T23:59:59Z",
            ),
            ("agent_id=%00", "invalid_request /agent_id: must not contain U+0000"),
            ("agent_id=%ff", "invalid_parameter what stands behind the percent signs is no UTF-8"),
            ("agent_id=a%ED%A0%80b", "invalid_parameter what stands behind the percent signs is no UTF-8"),
        ];
        for (query, expected) in cases {
            assert_eq!(list(query).await.expect_err(query), expected, "{query}");
        }
        let unfiltered = id(&Filters::default());
        for (place, list_of) in [
            (Cursor::After(1), unfiltered),
            (
                Cursor::Before { at: chrono::DateTime::<chrono::Utc>::MAX_UTC, id: uuid::Uuid::nil() },
                unfiltered,
            ),
            (Cursor::Before { at: chrono::DateTime::UNIX_EPOCH, id: uuid::Uuid::nil() }, ListId::default()),
        ] {
            let cursor = ListCursor { place, list: list_of };
            assert_eq!(list(&format!("cursor={cursor}")).await.expect_err("another list's"), FOREIGN);
        }
        let cursor = ListCursor {
            place: Cursor::Before { at: chrono::DateTime::UNIX_EPOCH, id: uuid::Uuid::nil() },
            list: unfiltered,
        };
        list(&format!("cursor={cursor}")).await.expect("its own");
        let err = list(&format!("cursor={cursor}&agent_id=a")).await.expect_err("other filters");
        assert_eq!(err, FOREIGN);
    }
}
