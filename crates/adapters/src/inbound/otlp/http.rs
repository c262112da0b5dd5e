//! What a span tells of a request over HTTP.

use std::{borrow::Cow, net::Ipv6Addr};

use serde_json::{Map, Value};

use super::{
    field::Field,
    fields::Fields,
    value::{object_of, whole_of},
};

/// JSON text of the request: all that is told of it, its URL and its method by one name each.
pub(super) fn request(fields: &Fields<'_>) -> String {
    let mut members = match object_of(fields.all()) {
        Value::Object(members) => members,
        told => Map::from_iter([("attributes".to_owned(), told)]),
    };
    let url = fields.owned(Field::Url).or_else(|| url_of_parts(fields));
    members.extend(url.map(|url| ("url".to_owned(), url.into())));
    members.extend(fields.owned(Field::HttpMethod).map(|method| ("method".to_owned(), method.into())));
    Value::Object(members).to_string()
}

/// Where a request went, which some tell in parts: a rule on hosts is to see it.
fn url_of_parts(fields: &Fields<'_>) -> Option<String> {
    let part = |keys: &[&str]| whole_of(fields.all(), keys);
    let host = fields.text(Field::ServerAddress).and_then(host)?;
    let scheme = part(&["url.scheme", "http.scheme"]).unwrap_or(Cow::Borrowed("https"));
    let path = part(&["url.path", "http.target"]).unwrap_or_default();
    let path = path.trim_start_matches('/');
    // An address of IPv6 has brackets in a URL.
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    Some(format!("{scheme}://{host}/{path}"))
}

/// The host of an address, which may be a URL.
pub(super) fn host(address: &str) -> Option<String> {
    let address = address.trim();
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = address.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    // An address of IPv6 stands in brackets where a port may follow.
    let six = host.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(host, |(six, _)| six);
    if six.parse::<Ipv6Addr>().is_ok() {
        return Some(six.to_ascii_lowercase());
    }
    let host = host.split(':').next().unwrap_or_default();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    (!host.is_empty() && host.len() <= 253 && host.bytes().all(is_name)).then(|| host.to_ascii_lowercase())
}
