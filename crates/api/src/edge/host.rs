//! Which server a request is for: its one `host` header (RFC 9112, 3.2).
//!
//! A request that has two such headers is refused, and since HTTP/1.1 one that has none. A proxy in front that goes by
//! the first and a server that goes by the second would take it for a request to two different servers, which is how a
//! request gets past the proxy.

use axum::{
    extract::Request,
    http::{HeaderMap, Version, header, uri::Authority},
};

use crate::{Problem, problem::Code};

/// Refuses a request that does not say once for whom it is.
pub(super) fn is_named(request: &Request) -> Result<(), Problem> {
    named(request.version(), request.headers()).map_err(|why| {
        let detail = format!(
            "{why}: send one `host` header, with this server's name and its port (`host: name:port`)"
        );
        Problem::new(Code::InvalidHeader, detail)
    })
}

fn named(version: Version, headers: &HeaderMap) -> Result<(), &'static str> {
    let mut all = headers.get_all(header::HOST).iter();
    match (all.next(), all.next()) {
        (_, Some(_)) => Err("the header `host` is given more than once"),
        (None, None) if version <= Version::HTTP_10 => Ok(()),
        (None, None) => Err("the header `host` is missing"),
        (Some(host), None) if is_host(host.as_bytes()) => Ok(()),
        (Some(_), None) => Err("the header `host` names no host"),
    }
}

/// A name or an address, with or without a port; empty where the address that is asked for has none. A comma joins two
/// headers of one name.
fn is_host(host: &[u8]) -> bool {
    host.is_empty() || (!host.iter().any(|byte| b"@,".contains(byte)) && Authority::try_from(host).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_is_named() {
        let said = |version, hosts: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(header::HOST, host.parse().expect("a value"));
            }
            named(version, &headers).err()
        };
        for host in ["hoc", "hoc.lan:8080", "127.0.0.1:8080", "[::1]:8080", "xn--hc-hka.example", ""] {
            assert_eq!(said(Version::HTTP_11, &[host]), None, "{host}");
        }
        for host in ["a b", "a,b", "a/b", "http://a", "user@a", "a:b:c", "[::1"] {
            assert_eq!(said(Version::HTTP_11, &[host]), Some("the header `host` names no host"), "{host}");
        }
        assert_eq!(said(Version::HTTP_11, &[]), Some("the header `host` is missing"));
        assert_eq!(said(Version::HTTP_10, &[]), None, "HTTP/1.0 has none");
        for version in [Version::HTTP_10, Version::HTTP_11] {
            let twice = said(version, &["hoc", "hoc"]);
            assert_eq!(twice, Some("the header `host` is given more than once"));
        }
    }
}
