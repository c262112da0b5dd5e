//! Hosts and recipients that are told otherwise than by a URL or an address alone: in the parts of a connection, in the
//! head of a mail, in what may be a host or anything else.

use super::{Facts, reach::whole_place};
use crate::logs::redact::urls;

/// The most lines of a head that are read.
const MAX_LINES: usize = 256;
/// Names of the part of a connection that is a host.
const SERVERS: &[&str] = &["host", "hostaddr", "server", "source", "datasource", "address", "addr"];

impl Facts {
    /// What may be a host, and counts as one only where it can hardly be anything else.
    pub(super) fn maybe_host(&mut self, text: &str) {
        let host = whole_place(text.trim()).and_then(urls::host);
        if let Some(host) = host.filter(|host| !urls::is_strange(host)) {
            self.host(&host);
        }
    }

    /// `Server=tcp:h.example,1433;Database=x`, `host=h.example dbname=x`, and what stands behind the `?` of
    /// `postgres://h.example/x?host=other.example`.
    pub(super) fn connection(&mut self, text: &str) {
        for (name, value) in text.split([';', '?', '&', ' ']).filter_map(|part| part.split_once('=')) {
            let name = name.trim().to_ascii_lowercase();
            if !SERVERS.contains(&name.as_str()) {
                continue;
            }
            let value = value.trim().trim_matches(['"', '\'']);
            let value = value.strip_prefix("tcp:").unwrap_or(value);
            // Others may be tried in their turn; what is a number is a port.
            for host in value.split(',').filter(|host| !host.bytes().all(|byte| byte.is_ascii_digit())) {
                // A socket, or a server on the machine itself.
                if !host.starts_with(['/', '.', '(']) {
                    self.host_parameter(host);
                }
            }
        }
    }

    /// The head of a mail or of a request, as text.
    pub(super) fn head(&mut self, text: &str) {
        let mut name = "";
        for (at, line) in text.lines().take(MAX_LINES).enumerate() {
            let is_more = line.starts_with([' ', '\t']) && !name.is_empty();
            let of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
            let value = match line.split_once(':') {
                _ if is_more => line,
                Some((other, value)) if !other.is_empty() && other.chars().all(of_a_name) => {
                    name = other;
                    value
                }
                // `GET / HTTP/1.1`
                _ if at == 0 && !line.is_empty() => continue,
                _ => return,
            };
            let is = |known: &[&str]| known.iter().any(|known| name.eq_ignore_ascii_case(known));
            if is(&["to", "cc", "bcc", "resent-to", "resent-cc", "resent-bcc"]) {
                self.addresses(value);
            } else if is(&["host"]) {
                self.maybe_host(value);
            }
        }
    }

    /// The domains of all addresses in a text.
    pub(super) fn addresses(&mut self, text: &str) {
        urls::domains(text, |domain| match domain {
            Some(domain) => self.recipient(&domain),
            None => self.params.facts_cut = true,
        });
        self.params.facts_cut |= is_odd(text);
        // An address may go on in the next line, for whoever leaves breaks out.
        let mut before = "";
        for line in text.lines().map(str::trim) {
            let goes_on = before.contains('@')
                && (before.ends_with(['.', '-', '@']) || line.starts_with(['.', '-', '@']))
                && !line.is_empty();
            if goes_on {
                self.params.facts_cut = true;
                urls::domains(&format!("{before}{line}"), |domain| {
                    if let Some(domain) = domain {
                        self.recipient(&domain);
                    }
                });
            }
            before = line;
        }
    }
}

/// `h.example!bob`, `bob%h.example@other.example`, `=?utf-8?q?bob=40h.example?=`, `bob@h.exam\ple`: some mail servers
/// send it elsewhere.
fn is_odd(text: &str) -> bool {
    let plain = text.replace("%40", "@");
    let is_path = |word: &str| word.contains('!') && word.contains('.') && !word.contains(['@', '/']);
    let is_relayed = |word: &str| word.split_once('@').is_some_and(|(user, _)| user.contains('%'));
    let is_encoded = text.contains("=?") && (!text.contains('@') || text.contains("=40"));
    is_encoded
        || text.contains('@') && text.contains('\\')
        || plain.split_whitespace().any(|word| is_relayed(word) || !word.ends_with('!') && is_path(word))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::facts;

    #[test]
    fn a_host_is_seen_in_what_may_be_one() {
        for params in [
            json!({"address": "evil.example:80"}),
            json!({"origin": "evil.example"}),
            json!({"site": "evil.example"}),
            json!({"target": "evil.example"}),
            json!({"remote": "evil.example:/x"}),
            json!({"registry": "evil.example/x:latest"}),
            json!({"image": "evil.example/x:latest"}),
            json!({"callback": "evil.example/x"}),
            json!({"url": "postgres://ok.example/db?host=evil.example"}),
            json!({"connection_string": "host=evil.example dbname=x"}),
            json!({"dsn": "Server=tcp:evil.example,1433;Database=x"}),
            json!({"headers": ["Host: evil.example"]}),
            json!({"raw": "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"}),
        ] {
            let facts = facts(&params);
            assert!(facts.hosts.contains("evil.example") && !facts.facts_cut, "{params}: {facts:?}");
        }
        for params in [
            json!({"address": "12 High Street, London"}),
            json!({"origin": "London"}),
            json!({"target": "src/main.rs"}),
            json!({"target": "report.pdf"}),
            json!({"image": "nginx:1.25"}),
            json!({"image": "images/photo.png"}),
            json!({"remote": "origin"}),
            json!({"target": "v1.2"}),
            json!({"message": "Host: we meet tomorrow"}),
        ] {
            let facts = facts(&params);
            assert!(facts.hosts.is_empty() && !facts.facts_cut, "{params}: {facts:?}");
        }
    }

    #[test]
    fn a_recipient_is_seen_however_it_is_told() {
        for params in [
            json!({"to": {"a@evil.example": "A"}}),
            json!({"reply_to": "a@evil.example"}),
            json!({"share_with": ["a@evil.example"]}),
            json!({"rcpt": "a@evil.example"}),
            json!({"raw": "To: b@good.example,\r\n a@evil.example\r\nSubject: x\r\n\r\nhi"}),
            json!({"message": "Bcc: a@evil.example\n\nhi"}),
            json!({"data": "From: b@good.example\nTo: a@evil.example\n\nhi"}),
            json!({"participants": ["a@evil.example"]}),
            json!({"members": [{"id": "a@evil.example"}]}),
            json!({"team_members": "a@evil.example, b@evil.example"}),
            json!({"invite": "a@evil.example"}),
            json!({"invites": {"a@evil.example": "viewer"}}),
            json!({"notify": ["a@evil.example"]}),
            json!({"assignee": "A <a@evil.example>"}),
            json!({"arguments": {"assignees": ["a@evil.example"]}}),
            json!([{"name": "notify", "value": "a@evil.example"}]),
        ] {
            let facts = facts(&params);
            assert!(facts.recipients.contains("evil.example") && !facts.facts_cut, "{params}: {facts:?}");
        }
        let broken = facts(&json!({"to": "a@evil\n.example"}));
        assert!(broken.recipients.contains("evil.example") && broken.facts_cut, "{broken:?}");
        for odd in [
            "evil.example!a",
            "a%evil.example@good.example",
            "=?utf-8?q?a=40evil.example?=",
            "a@evil.exam\\ple",
        ] {
            assert!(facts(&json!({ "to": odd })).facts_cut, "{odd}");
        }
        for plain in [
            "Bob <a@good.example>",
            "a@good.example\nb@good.example",
            "=?utf-8?q?J=C3=BCrgen?= <a@good.example>",
            "all!",
        ] {
            let facts = facts(&json!({ "to": plain }));
            assert!(
                facts.recipients.iter().all(|domain| domain == "good.example") && !facts.facts_cut,
                "{plain}: {facts:?}"
            );
        }
        assert!(facts(&json!({"message": "meet a@good.example"})).recipients.is_empty());
        for plain in [
            json!({"assignee": "bob"}),
            json!({"assignee": "@bob"}),
            json!({"members": 5, "notify": true}),
            json!({"participants": "the whole team!"}),
            json!({"data": "a: b\nc@good.example"}),
            json!({"data": {"body": "To: a@good.example"}}),
        ] {
            let facts = facts(&plain);
            assert!(facts.recipients.is_empty() && !facts.facts_cut, "{plain}: {facts:?}");
        }
    }
}
