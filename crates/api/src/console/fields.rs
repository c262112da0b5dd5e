//! What forms send: fields, each once, where an empty one is as good as none.

use std::fmt::Debug;

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{header, request::Parts},
};
use chrono::{DateTime, NaiveDateTime, Timelike as _, Utc};
use models::page::{Order, PageRequest};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};

use crate::{
    Problem,
    extract::{PageParams, list_id, page, pairs_of, read_body, read_pairs},
    problem::Code,
    view::Time,
};

/// The longest form that is read.
const LONGEST: usize = 64 << 10;

/// The fields of a posted form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Posted<T>(pub(super) T);

/// The fields in an address.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<T>(pub(super) T);

/// The filters of a list, and which page of it.
#[derive(Clone, Debug)]
pub(super) struct Listed<T> {
    pub(super) filter: T,
    pub(super) page: PageRequest,
}

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Posted<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Problem::new(Code::UnsupportedMediaType, "a page takes what its form sends"));
        }
        fields(&read_body(request, LONGEST).await?).map(Self)
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        fields(parts.uri.query().unwrap_or_default().as_bytes()).map(Self)
    }
}

impl<T: DeserializeOwned + Debug, S: Sync> FromRequestParts<S> for Listed<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut pairs = pairs_of(parts.uri.query().unwrap_or_default().as_bytes())?;
        pairs.retain(|(_, value)| !value.0.is_empty());
        let (paging, filters): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(name, _)| name == "cursor");
        let filter: T = read_pairs(filters)?;
        let page = page(read_pairs::<PageParams>(paging)?, Order::Newest, list_id(parts, &filter))?;
        Ok(Self { filter, page })
    }
}

/// Which page of a list by urgency.
#[derive(Clone, Copy, Debug)]
pub(super) struct Urgent(pub(super) PageRequest);

impl<S: Sync> FromRequestParts<S> for Urgent {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let asked: PageParams = fields(parts.uri.query().unwrap_or_default().as_bytes())?;
        page(asked, Order::Urgency, list_id(parts, &())).map(Self)
    }
}

fn fields<T: DeserializeOwned>(form: &[u8]) -> Result<T, Problem> {
    let mut pairs = pairs_of(form)?;
    pairs.retain(|(_, value)| !value.0.is_empty());
    read_pairs(pairs)
}

/// A moment as a form's field has it, in UTC, or as the API writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct When(pub(super) DateTime<Utc>);

impl When {
    /// As the field takes it. The next page is asked for with it, so nothing of it is left out.
    pub(super) fn text(self) -> String {
        let whole = self.0.second() == 0 && self.0.nanosecond() == 0;
        let form = if whole { "%Y-%m-%dT%H:%M" } else { "%Y-%m-%dT%H:%M:%S%.f" };
        self.0.format(form).to_string()
    }

    /// The same of a field that may be empty.
    pub(super) fn typed(when: Option<Self>) -> String {
        when.map(Self::text).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(from)?;
        let forms = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f"];
        let at = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok());
        let text = at.map_or(text.into_owned(), |at| models::time::text(at.and_utc()));
        let time = Time::deserialize(serde::de::value::StringDeserializer::<D::Error>::new(text));
        time.map(|time| Self(time.into())).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Form {
        note: Option<String>,
        after: Option<When>,
    }

    #[test]
    fn an_empty_field_is_none_and_an_unknown_one_is_refused() {
        let form = fields::<Form>(b"note=&after=2026-01-31T23%3A59").expect("a form");
        assert_eq!(form.note, None);
        assert_eq!(form.after.map(When::text).as_deref(), Some("2026-01-31T23:59"));
        let api = fields::<Form>(b"after=2026-01-31T23:59:59.5Z").expect("the API's own form");
        let text = api.after.map(When::text).expect("a time");
        assert_eq!(text, "2026-01-31T23:59:59.500");
        assert_eq!(fields::<Form>(format!("after={text}").as_bytes()).expect("as a link has it"), api);
        for odd in [&b"note=a&note=b"[..], b"evil=1", b"after=yesterday", b"note=%00"] {
            assert!(fields::<Form>(odd).is_err(), "{odd:?}");
        }
    }
}
