//! What a command reaches: the hosts among its words, which say so by their place alone.

use super::shell::program;

/// Programs whose first word is a host, or an address at one.
const FIRST: &[&str] = &["ssh", "mosh", "sftp", "telnet", "ftp", "nc", "ncat", "netcat"];
/// Programs of which every word may be one.
const EACH: &[&str] =
    &["ping", "ping6", "dig", "nslookup", "host", "traceroute", "tracepath", "mtr", "whois", "nmap"];
/// Programs that open URLs, also those without a scheme.
const OPEN: &[&str] = &["curl", "wget", "http", "https", "xh", "aria2c", "lynx", "w3m"];
/// Programs to which `host:path` is somewhere else.
const COPY: &[&str] = &["scp", "rsync", "git", "rclone"];
const IMAGES: &[&str] = &["docker", "podman", "nerdctl", "skopeo", "crane", "helm"];
const ASK: &[&str] = &["psql", "pg_dump", "mysql", "mariadb", "mysqldump", "redis-cli", "mongosh", "sqlcmd"];

/// Options of those that open URLs behind which no URL stands.
#[rustfmt::skip]
const WITH_A_VALUE: &[&str] = &[
    "--output", "--request", "--header", "--data", "--data-raw", "--data-binary", "--data-urlencode", "--form", "--user", "--cookie",
    "--cookie-jar", "--user-agent", "--upload-file", "--max-time", "--connect-timeout", "--retry", "--write-out", "--cacert", "--cert",
    "--key", "--config", "--output-document", "--directory-prefix", "--output-file", "--range", "--json", "--limit-rate",
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
/// Extensions of files that people name where a host could be.
#[rustfmt::skip]
const FILES: &[&str] = &[
    "json", "txt", "html", "xml", "csv", "log", "yaml", "yml", "gz", "tgz", "tar", "bz2", "xz", "conf", "cfg", "ini", "key", "pem", "crt",
    "js", "ts", "py", "rb", "go", "rs", "sh", "md", "pdf", "png", "jpg", "zip", "sql", "db", "toml", "lock", "out", "tmp",
    "jpeg", "gif", "webp", "svg", "mp3", "mp4", "doc", "docx", "xls", "xlsx", "pptx", "java", "kt", "cpp", "hpp", "php", "css", "vue",
    "tsx", "jsx", "ipynb", "parquet", "bin", "exe", "bak",
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
    if is(FIRST) {
        first_of(behind, each);
    } else if is(EACH) {
        let words = behind.iter().copied().filter(|word| !word.starts_with(['-', '+', '@']));
        words.filter(|word| *word == "localhost" || is_bare_place(word)).for_each(each);
    } else if is(OPEN) {
        opened(behind, each);
    } else if is(COPY) {
        behind.iter().copied().filter_map(elsewhere).for_each(each);
    } else if is(IMAGES) {
        behind.iter().copied().filter_map(registry).for_each(each);
    } else if is(ASK) {
        for pair in behind.windows(2).filter(|pair| matches!(pair[0], "-h" | "--host")) {
            each(pair[1]);
        }
        behind.iter().copied().filter_map(|word| word.strip_prefix("--host=")).for_each(each);
    }
}

fn first_of<'w>(words: &[&'w str], mut each: impl FnMut(&'w str)) {
    let mut has_value = false;
    for word in words.iter().copied() {
        if std::mem::take(&mut has_value) {
            continue;
        }
        if let Some(option) = word.strip_prefix('-') {
            // `-p 22`, `-i key`; `-v` has none.
            has_value = option.len() == 1 && "bcDEeFIiJLlmOopQRSsWw".contains(option);
            continue;
        }
        // What a variable says is not known.
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

fn opened<'w>(words: &[&'w str], mut each: impl FnMut(&'w str)) {
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
            } else if short.ends_with(['o', 'X', 'H', 'T', 'K', 'A', 'u', 'w', 'P']) {
                words.next();
            }
        } else if is_bare_place(word) {
            each(word);
        }
    }
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
