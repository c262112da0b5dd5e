//! What a command reaches: the hosts among its words, which say so by their place alone.

use super::{flagged, programs::program};

/// Stands in a word for what the shell alone knows.
pub(super) const UNKNOWN: char = '\u{fffc}';

/// Programs whose first word is a host, or an address at one.
const FIRST: &[&str] =
    &["ssh", "autossh", "ssh-copy-id", "mosh", "sftp", "telnet", "ftp", "lftp", "nc", "ncat", "netcat"];
/// Programs of which every word may be one.
const EACH: &[&str] = &[
    "ping",
    "ping6",
    "hping3",
    "dig",
    "nslookup",
    "host",
    "traceroute",
    "tracepath",
    "mtr",
    "whois",
    "nmap",
];
/// Programs that open URLs, also those without a scheme.
#[rustfmt::skip]
const OPEN: &[&str] = &[
    "curl", "wget", "http", "https", "xh", "aria2c", "lynx", "w3m", "links", "elinks", "xdg-open", "chromium", "chromium-browser",
    "google-chrome", "chrome", "firefox",
];
/// Programs to which `host:path` is somewhere else.
const COPY: &[&str] = &["scp", "rsync", "sshfs", "mount", "git", "rclone"];
const IMAGES: &[&str] = &["docker", "podman", "nerdctl", "skopeo", "crane", "helm"];
/// Programs of PostgreSQL, whose words may be a connection by its parts.
const CONNECT: &[&str] = &["psql", "pg_dump", "pg_restore", "pg_isready"];
/// Kinds of address of `socat` in which a host is next.
#[rustfmt::skip]
const SOCKETS: &[&str] = &[
    "tcp", "tcp4", "tcp6", "tcp-connect", "tcp4-connect", "tcp6-connect", "udp", "udp4", "udp6", "udp-connect", "udp-sendto", "openssl",
    "openssl-connect", "ssl", "socks4", "socks4a", "socks5", "proxy", "sctp", "sctp-connect",
];
/// Flags of `docker login` and the like behind which another word stands.
const OF_A_LOGIN: &[&str] = &["-u", "--username", "-p", "--password"];

/// Options of those that open URLs behind which no URL stands.
#[rustfmt::skip]
const WITH_A_VALUE: &[&str] = &[
    "--output", "--request", "--header", "--data", "--data-raw", "--data-binary", "--data-urlencode", "--form", "--user", "--cookie",
    "--cookie-jar", "--user-agent", "--upload-file", "--max-time", "--connect-timeout", "--retry", "--write-out", "--cacert", "--cert",
    "--key", "--config", "--output-document", "--directory-prefix", "--output-file", "--range", "--json", "--limit-rate",
    "--retry-delay", "--retry-max-time", "--max-redirs", "--form-string", "--referer", "--interface", "--unix-socket", "--url-query",
    "--oauth2-bearer", "--aws-sigv4", "--mail-from", "--mail-rcpt", "--dump-header", "--proxy-user", "--pass", "--capath", "--ciphers",
    "--timeout", "--tries", "--wait", "--method", "--post-data", "--post-file", "--body-data", "--body-file", "--stderr",
];
const PROXIES: &[&str] = &[
    "-x",
    "--proxy",
    "--preproxy",
    "--socks4",
    "--socks4a",
    "--socks5",
    "--socks5-hostname",
    "--url",
    "--doh-url",
];
/// Letters of such options.
const LETTERS: &str = "oXHTKAauwP";
const LETTERS_OF_CURL: &str = "oXHTKAuwPdFbcmeDErCtyYzUQ";
const LETTERS_OF_WGET: &str = "oOaieBtTwQPUAXDlRI";
/// Extensions of files that people name where a host could be.
#[rustfmt::skip]
const FILES: &[&str] = &[
    "json", "txt", "html", "xml", "csv", "log", "yaml", "yml", "gz", "tgz", "tar", "bz2", "xz", "conf", "cfg", "ini", "key", "pem", "crt",
    "js", "ts", "py", "rb", "go", "rs", "sh", "md", "pdf", "png", "jpg", "zip", "sql", "db", "toml", "lock", "out", "tmp",
    "jpeg", "gif", "webp", "svg", "mp3", "mp4", "doc", "docx", "xls", "xlsx", "pptx", "java", "kt", "cpp", "hpp", "php", "css", "vue",
    "tsx", "jsx", "ipynb", "parquet", "bin", "exe", "bak", "htm", "odt", "ods", "epub",
];

/// Whether a word is more likely a file, unless a port stands behind it.
fn is_file(word: &str) -> bool {
    let is_path = word.starts_with(['.', '/', '~', '@']);
    is_path
        || word.rsplit_once('.').is_some_and(|(_, end)| FILES.contains(&end.to_ascii_lowercase().as_str()))
}

/// The words of a program that are a host, or begin with one.
pub(super) fn places<'w>(words: &[&'w str], mut each: impl FnMut(&'w str)) {
    let Some((first, behind)) = words.split_first() else { return };
    let is = |known: &[&str]| known.contains(&program(first));
    flagged::hosts(words, |value, is_sure| {
        let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
        let is_name = is_sure && !is_number && !value.starts_with('-') && !value.contains(['=', ' ']);
        told(value).or(Some(value).filter(|_| is_name)).into_iter().for_each(&mut each);
    });
    if is(FIRST) {
        let with_a_value = if is(&["autossh"]) { "bcDEeFIiJLlMmOopQRSsWw" } else { "bcDEeFIiJLlmOopQRSsWw" };
        first_of(behind, with_a_value, each);
    } else if is(EACH) {
        let words = behind.iter().copied().filter(|word| !word.starts_with(['-', '+', '@']));
        words.filter(|word| *word == "localhost" || is_bare_place(word)).for_each(&mut each);
        behind.last().copied().filter(|word| word.starts_with(UNKNOWN)).into_iter().for_each(each);
    } else if is(OPEN) {
        let with_a_value = match program(first) {
            "curl" => LETTERS_OF_CURL,
            "wget" => LETTERS_OF_WGET,
            _ => LETTERS,
        };
        opened(behind, with_a_value, each);
    } else if is(COPY) {
        behind.iter().copied().filter_map(elsewhere).for_each(each);
    } else if is(IMAGES) {
        behind.iter().copied().filter_map(registry).for_each(&mut each);
        logged_in_to(behind).into_iter().for_each(each);
    } else if is(CONNECT) {
        let parts = behind.iter().copied().flat_map(|word| word.split([' ', '?', '&', ';']));
        let hosts =
            parts.filter_map(|part| part.strip_prefix("host=").or_else(|| part.strip_prefix("hostaddr=")));
        hosts.flat_map(|hosts| hosts.trim_matches(['\'', '"']).split(',')).for_each(each);
    } else if is(&["socat"]) {
        let parts = |word: &'w str| word.split_once(':');
        let sockets = behind.iter().copied().filter_map(parts);
        let sockets = sockets.filter(|(kind, _)| SOCKETS.contains(&kind.to_ascii_lowercase().as_str()));
        sockets.filter_map(|(_, rest)| rest.split([':', ',']).next()).for_each(each);
    } else if is(&["openssl"]) {
        // `openssl s_client h.example:443`
        let words = behind.iter().copied().filter(|word| word.contains(':') && !word.starts_with('-'));
        words.filter_map(elsewhere).for_each(each);
    }
}

/// `docker login h.example`
fn logged_in_to<'w>(words: &[&'w str]) -> Option<&'w str> {
    let login = words.iter().position(|word| *word == "login")?;
    let behind = &words[login + 1..];
    let is_value = |at: usize| at > 0 && OF_A_LOGIN.contains(&behind[at - 1]);
    let host = (0..behind.len()).find(|at| !behind[*at].starts_with('-') && !is_value(*at))?;
    told(behind[host])
}

/// What stands where a host has to: `h.example`, `u@h.example:22`, `8080:h.example:80`. What has a scheme is found as a
/// URL.
pub(super) fn told(value: &str) -> Option<&str> {
    if value.starts_with(UNKNOWN) {
        return Some(value);
    }
    let place = behind_a_user(value);
    // A port before it is one on the machine itself.
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let place = place.split_once(':').filter(|(port, _)| is_port(port)).map_or(place, |(_, rest)| rest);
    let is_other = |c: char| c.is_whitespace() || matches!(c, '=' | '{' | '"' | '(');
    let is_told = place.contains(['.', ':'])
        && !place.contains("://")
        && !place.starts_with(['.', '/', '~', '@', '-'])
        && !place.contains(is_other);
    is_told.then_some(place)
}

fn first_of<'w>(words: &[&'w str], with_a_value: &str, mut each: impl FnMut(&'w str)) {
    let mut has_value = false;
    for word in words.iter().copied() {
        if std::mem::take(&mut has_value) {
            continue;
        }
        if let Some(option) = word.strip_prefix('-') {
            // `-p 22`, `-i key`; `-v` has none.
            has_value = option.len() == 1 && with_a_value.contains(option);
            continue;
        }
        let host = behind_a_user(word);
        if !host.is_empty() {
            each(host);
        }
        return;
    }
}

fn behind_a_user(word: &str) -> &str {
    word.rsplit('@').next().unwrap_or(word)
}

fn opened<'w>(words: &[&'w str], with_a_value: &str, mut each: impl FnMut(&'w str)) {
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        if PROXIES.contains(&name) {
            if let Some(value) = value.or_else(|| words.next()) {
                each(value);
            }
        } else if name == "--resolve" || name == "--connect-to" {
            // `h.example:443:127.0.0.1`, `:443:h.example:443`
            let value = value.or_else(|| words.next()).unwrap_or_default();
            let parts = value.split(':').filter(|part| !part.is_empty());
            parts.filter(|part| !part.bytes().all(|byte| byte.is_ascii_digit())).for_each(&mut each);
        } else if word.starts_with("--") {
            if value.is_none() && WITH_A_VALUE.contains(&name) {
                words.next();
            }
        } else if let Some(short) = word.strip_prefix('-') {
            if let Some(proxy) = short.strip_prefix('x').filter(|proxy| !proxy.is_empty()) {
                each(proxy);
            } else if short
                .find(|letter: char| with_a_value.contains(letter))
                .is_some_and(|at| at + 1 == short.len())
            {
                // `-o x`, `-so x`; of `-XPUT` the value stands in the word.
                words.next();
            }
        } else if word.starts_with(UNKNOWN) || is_bare_place(word) || is_globbed(word) {
            each(word);
        }
    }
}

/// `h.{example,com}`, which curl takes apart itself.
fn is_globbed(word: &str) -> bool {
    let of_a_place = |c: char| c.is_alphanumeric() || ".-_{},[]:/".contains(c);
    let is_a_list = word.contains('{') && word.contains(',') && word.contains('}');
    is_a_list && word.contains('.') && word.chars().all(of_a_place)
}

/// Whether the host of a place is not known here.
pub(super) fn is_unknown(place: &str) -> bool {
    let behind = place.split_once("://").map_or(place, |(_, behind)| behind);
    let host = behind.split(['/', '?', '#']).next().unwrap_or_default();
    host.contains([UNKNOWN, '{'])
}

/// `h.example`, `localhost:3000/x`
fn is_bare_place(word: &str) -> bool {
    let is_other = |c: char| c.is_whitespace() || matches!(c, '=' | '{' | ',');
    word.contains(['.', ':']) && !word.contains(is_other) && !is_file(word)
}

/// What stands where anything else could: `h.example`, `h.example:80`, `h.example/name:latest`, `h.example:path`.
pub(super) fn whole_place(text: &str) -> Option<&str> {
    if text.contains(char::is_whitespace) || text.contains("://") {
        return None;
    }
    let place = registry(text).or_else(|| elsewhere(text)).unwrap_or(text);
    let (host, port) = place.split_once(':').unwrap_or((place, ""));
    let last = host.rsplit_once('.')?.1;
    let is_known = host.chars().all(|c| c.is_alphanumeric() && !c.is_uppercase() || matches!(c, '.' | '-'));
    let is_name =
        last.len() > 1 && last.chars().all(char::is_alphabetic) && (!port.is_empty() || !is_file(host));
    let is_address = host.parse::<std::net::Ipv4Addr>().is_ok();
    (is_known && (is_name || is_address)).then_some(place)
}

/// `user@h.example:path`, `h.example::module`
fn elsewhere(word: &str) -> Option<&str> {
    let (host, _) = word.split_once(':')?;
    let host = behind_a_user(host);
    let is_host = host.contains('.') && !host.contains(['/', '=']) && !host.starts_with('-');
    (is_host && !is_file(host)).then_some(host)
}

/// `h.example/name:latest`
fn registry(word: &str) -> Option<&str> {
    let (host, name) = word.split_once('/')?;
    let (bare, port) = host.split_once(':').unwrap_or((host, ""));
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
    let is_host = bare.contains('.') || bare == "localhost" || !port.is_empty();
    let known = |c: char| c.is_alphanumeric() || ".-".contains(c);
    let is_known = !bare.starts_with(['.', '-']) && bare.chars().all(known);
    (is_host && is_port && is_known && !name.is_empty()).then_some(host)
}

/// `/dev/tcp/h.example/80`
pub(super) fn devices<'t>(text: &'t str, mut each: impl FnMut(&'t str)) {
    for device in ["/dev/tcp/", "/dev/udp/"] {
        for (at, _) in text.match_indices(device) {
            let rest = &text[at + device.len()..];
            let end = rest.find(|c: char| c == '/' || c.is_whitespace()).unwrap_or(rest.len());
            each(&rest[..end]);
        }
    }
}
