//! Hosts, as what opens a URL reads them: the parser is that of browsers (WHATWG), and a text that is none to it may
//! still be one to a tool that adds what is missing.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use super::unveil::visible;

/// The longest authority that is read: a host name has 253 characters.
const MAX_AUTHORITY: usize = 1_024;
/// Schemes that a parser reads a host for, whatever slashes follow.
const WEB: &[&str] = &["http", "https", "ws", "wss", "ftp"];
/// Schemes of which no URL has a host.
const HOSTLESS: &[&str] = &[
    "about",
    "blob",
    "cid",
    "data",
    "geo",
    "javascript",
    "jdbc",
    "mailto",
    "node",
    "sms",
    "tel",
    "urn",
    "view-source",
];

/// What a URL parameter says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Host and path.
    At(String, String),
    /// A path alone.
    Path(String),
    /// Nothing that has a host.
    Nowhere,
    /// Something that may have one.
    Unreadable,
}

/// Reads a URL parameter.
pub(super) fn place(text: &str) -> Place {
    let text = visible(text);
    // A parser takes these out wherever they stand.
    let text = text.trim().replace(['\t', '\r', '\n'], "");
    if text.is_empty() {
        return Place::Nowhere;
    }
    if text.starts_with(is_slash) && text[1..].starts_with(is_slash) {
        let url = Url::parse(&format!("https:{text}")).ok();
        return url.and_then(|url| at(&url)).unwrap_or(Place::Unreadable);
    }
    match Url::parse(&text) {
        Ok(url) => at(&url).unwrap_or_else(|| match url.scheme() {
            "file" => Place::Path(path(&url)),
            scheme if HOSTLESS.contains(&scheme) => Place::Nowhere,
            // `h.example:8080/x` has no scheme but a port.
            _ => without_scheme(&text).unwrap_or(Place::Nowhere),
        }),
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            let relative = text.starts_with(['/', '\\', '?', '#', '.']);
            let guess = if relative { None } else { without_scheme(&text) };
            guess.unwrap_or_else(|| {
                let url = Url::parse("https://relative.invalid/").and_then(|base| base.join(&text));
                match url {
                    Ok(_) if text.contains(' ') && !relative => Place::Nowhere,
                    Ok(url) => Place::Path(path(&url)),
                    Err(_) => Place::Unreadable,
                }
            })
        }
        Err(_) => Place::Unreadable,
    }
}

/// Reads the parameter that is a host, or holds a URL in its place.
pub(super) fn host(text: &str) -> Option<String> {
    match place(text) {
        Place::At(host, _) => Some(host),
        Place::Path(_) | Place::Nowhere | Place::Unreadable => authority(visible(text).trim()),
    }
}

/// The domain of an address, from behind its `@`.
pub(super) fn domain(text: &str) -> Option<String> {
    authority(text).filter(|domain| !domain.is_empty())
}

/// Whether a text begins with the scheme of the web, whose servers give names in a query their own meaning.
pub(super) fn is_web(text: &str) -> bool {
    let scheme = visible(text).trim_start().split(':').next().unwrap_or_default().to_ascii_lowercase();
    WEB.contains(&scheme.as_str())
}

fn at(url: &Url) -> Option<Place> {
    host_of(url).map(|host| Place::At(host, path(url)))
}

/// What a tool that puts a scheme before it would open. A word alone is more likely a path.
fn without_scheme(text: &str) -> Option<Place> {
    let Ok(url) = Url::parse(&format!("https://{text}")) else {
        // `git@h.example:owner/name` has no port.
        let front = text.split(['/', '\\', '?', '#']).next().unwrap_or_default();
        let (user, _) = front.rsplit_once(':')?;
        return authority(user)
            .filter(|host| user.contains('@') || host.contains('.'))
            .map(|host| Place::At(host, String::new()));
    };
    let telling = match url.host()? {
        Host::Domain(name) => name.contains('.') || name == "localhost" || text.contains('@'),
        Host::Ipv4(address) => address.octets()[0] != 0,
        Host::Ipv6(_) => true,
    };
    telling.then(|| at(&url)).flatten()
}

/// The host of what stands between the slashes of a URL: in lower case and ASCII, without user, port and last dot.
fn authority(text: &str) -> Option<String> {
    if let Ok(address) = text.parse::<std::net::Ipv6Addr>() {
        return authority(&format!("[{address}]"));
    }
    let read = |text: &str| Url::parse(&format!("https://{text}/")).ok().and_then(|url| host_of(&url));
    read(text).or_else(|| {
        // What is behind the last colon may be no port.
        let (host, port) = text.rsplit_once(':')?;
        (!port.contains(['@', ']'])).then(|| read(host)).flatten()
    })
}

fn host_of(url: &Url) -> Option<String> {
    let host = match url.host()? {
        Host::Domain(name) if url.is_special() => name.to_owned(),
        // Other schemes leave it as it is written.
        Host::Domain(name) => match Url::parse(&format!("https://{name}/")) {
            Ok(url) => return host_of(&url),
            Err(_) => name.to_lowercase(),
        },
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => {
            address.to_ipv4_mapped().map_or_else(|| address.to_string(), |address| address.to_string())
        }
    };
    let host = host.trim_end_matches('.');
    (!host.is_empty()).then(|| host.to_owned())
}

/// The path as a server reads it: without dots in it, and without escapes.
fn path(url: &Url) -> String {
    let path = url.path();
    percent_decode_str(path).decode_utf8().unwrap_or(Cow::Borrowed(path)).into_owned()
}

/// Whether a host is none to a name server: it was put together from what cannot be known here.
pub(super) fn is_strange(host: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    !host.bytes().all(known) && host.parse::<std::net::Ipv6Addr>().is_err()
}

fn is_slash(c: char) -> bool {
    matches!(c, '/' | '\\')
}

/// What a text that mentions URLs gives, one after the other.
pub(super) enum Mention {
    Host(String),
    /// There is a URL whose host cannot be read.
    Unreadable,
}

/// Finds the URLs in a text, as long as any are `left` to be read.
pub(super) fn mentions(text: &str, left: &mut usize, mut each: impl FnMut(Mention)) {
    let text = visible(text);
    // A whole text that is one URL is read as its parser does, blanks that it takes out and all.
    let whole = text.trim();
    if whole.len() <= 2 * MAX_AUTHORITY && whole.contains(['\t', '\r', '\n']) && !whole.contains(' ') {
        let url = Url::parse(whole).ok().filter(Url::is_special);
        if let Some(host) = url.and_then(|url| host_of(&url)).filter(|host| !is_strange(host)) {
            each(Mention::Host(host));
        }
    }
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate().filter(|(_, byte)| matches!(byte, b':' | b'/' | b'\\')) {
        let before = &bytes[..at];
        let slashes = |from: usize| bytes[from..].iter().take_while(|b| matches!(b, b'/' | b'\\')).count();
        if *byte == b':' {
            let scheme = before.iter().rev().take_while(|b| b.is_ascii_alphanumeric() || b"+.-".contains(b));
            let length = scheme.take(MAX_AUTHORITY).count();
            let scheme = text[at - length..at].to_ascii_lowercase();
            let web = WEB.contains(&scheme.as_str());
            let count = slashes(at + 1);
            if web || count == 2 && bytes[at + 1..].starts_with(b"//") {
                mention(&text[at + 1 + count..], web && count == 0, left, &mut each);
            }
        } else if before.last().is_none_or(|before| b" \t\r\n\"'`(<>[{=,;|".contains(before)) {
            let count = slashes(at);
            if count >= 2 {
                mention(&text[at + count..], true, left, &mut each);
            }
        }
    }
}

/// The host at the start of a text. Where it is `doubtful` that there is one, only what looks like one counts.
fn mention(rest: &str, doubtful: bool, left: &mut usize, each: &mut impl FnMut(Mention)) {
    let ends =
        |c: char| matches!(c, '/' | '\\' | '?' | '#' | '"' | '\'' | '<' | '>' | '`') || c.is_whitespace();
    let longest = (0..=MAX_AUTHORITY.min(rest.len())).rev().find(|at| rest.is_char_boundary(*at));
    let rest = &rest[..longest.unwrap_or(0)];
    let whole = &rest[..rest.find(ends).unwrap_or(rest.len())];
    if let Some(other) = behind_a_backslash(&rest[whole.len()..]) {
        if let Some(host) = authority(other).filter(|host| !is_strange(host)) {
            each(Mention::Host(host));
        }
        each(Mention::Unreadable);
    }
    let is_v6 = whole.rsplit('@').next().is_some_and(|host| host.starts_with('['));
    let marks: &[char] =
        if is_v6 { &['.', ',', ';', '!'] } else { &['.', ',', ';', ':', '!', ')', ']', '}', '*'] };
    let whole = whole.trim_end_matches(marks);
    if whole.is_empty() {
        return;
    }
    *left = left.saturating_sub(1);
    if *left == 0 {
        each(Mention::Unreadable);
    } else if let Some(host) = authority(whole).filter(|host| !is_strange(host)) {
        if !doubtful || host.contains(['.', ':']) && !host.starts_with("0.") {
            each(Mention::Host(host));
        }
    } else if !doubtful {
        // In prose and in code it ends where a sentence or an expression does; which it is cannot be known.
        let end = whole.find(|c: char| !(c.is_alphanumeric() || "-_.:@%[]。．｡".contains(c)));
        let host = end.and_then(|end| authority(&whole[..end]));
        if let Some(host) = host.filter(|host| !is_strange(host)) {
            each(Mention::Host(host));
        }
        each(Mention::Unreadable);
    }
}

/// To a browser `h.example\\@evil.example` ends at the backslash; to other tools all before the `@` is a user, and what
/// is behind it the host. Which of them will open it cannot be known, so the other host counts too.
fn behind_a_backslash(rest: &str) -> Option<&str> {
    let rest = rest.strip_prefix('\\')?;
    let ends = |c: char| matches!(c, '/' | '?' | '#' | '"' | '\'' | '<' | '>' | '`') || c.is_whitespace();
    Some(rest[..rest.find(ends).unwrap_or(rest.len())].rsplit_once('@')?.1)
}

/// The domains of every address in a text; `None` for one that cannot be read.
pub(super) fn domains(text: &str, mut each: impl FnMut(Option<String>)) {
    let text = visible(text).replace("%40", "@").replace('\u{ff20}', "@");
    for (at, _) in text.match_indices('@') {
        // Blanks may stand on both sides of it.
        let behind = &text[at + 1..];
        let rest = behind.trim_start();
        let literal = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let name = if let Some((address, _)) = literal {
            address
        } else {
            let part = |c: char| c.is_alphanumeric() || ".-_%。．｡".contains(c);
            &rest[..rest.find(|c| !part(c)).unwrap_or(rest.len())]
        };
        let name = name.trim_matches('.');
        let name = name
            .get(..5)
            .filter(|tag| tag.eq_ignore_ascii_case("ipv6:"))
            .map_or_else(|| name.to_owned(), |_| format!("[{}]", &name[5..]));
        let addressed = text[..at].chars().next_back().is_some_and(|c| !c.is_whitespace());
        if name.is_empty() {
            // A comment may stand there, or the domain in quotes.
            if addressed && rest.starts_with(['(', '"', '\\']) {
                each(None);
            }
        } else if addressed && rest.len() == behind.len() || name.contains('.') {
            each(domain(&name));
        }
    }
}
