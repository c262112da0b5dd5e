//! Names of fields whose values are not stored, whatever they look like.

use std::sync::LazyLock;

use regex::Regex;
use rules::facts::{PiiClass, SecretKind};

use super::{findings::Class, pieces::whole};

/// Longer names are no names.
const MAX_NAME: usize = 128;

/// The stems without which no name is sensitive: most names are done with here.
pub(super) static STEMS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&whole("(?i)(?&stems)|(?&stems_of_members)"))
        .unwrap_or_else(|error| unreachable!("a fixed pattern: {error}"))
});

/// Last words of names that speak about a secret and do not hold it: `token_count`, `password_policy`.
const ABOUT: &[&str] = &[
    "at",
    "attempts",
    "budget",
    "cost",
    "count",
    "counts",
    "details",
    "dir",
    "enabled",
    "endpoint",
    "expiration",
    "expires",
    "expiry",
    "field",
    "file",
    "filename",
    "files",
    "hint",
    "id",
    "ids",
    "in",
    "index",
    "kind",
    "label",
    "language",
    "length",
    "limit",
    "limits",
    "logprobs",
    "manager",
    "name",
    "names",
    "offset",
    "path",
    "placeholder",
    "policy",
    "position",
    "price",
    "prompt",
    "rate",
    "ratio",
    "ref",
    "required",
    "reset",
    "rules",
    "size",
    "status",
    "strength",
    "ttl",
    "type",
    "types",
    "uri",
    "url",
    "usage",
    "used",
    "valid",
    "verified",
    "version",
];

/// Tokens of texts and of pages, not of access.
const NOT_OF_ACCESS: &[&str] = &[
    "bos",
    "continuation",
    "end",
    "eos",
    "mask",
    "next",
    "pad",
    "page",
    "sep",
    "special",
    "start",
    "stop",
    "unk",
];

/// Ends of words that are the name of a password, whatever is put before them: `PGPASSWORD`, `dbpasswd`.
#[rustfmt::skip]
const PASSWORDS: &[&str] = &[
    "password", "passwords", "passwd", "pwd", "passphrase", "passcode", "passwort", "kennwort",
    "motdepasse", "contrase\u{f1}a", "contrasena", "senha", "wachtwoord", "has\u{142}o", "haslo", "l\u{f6}senord", "losenord",
    "\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}", "\u{5bc6}\u{7801}", "\u{5bc6}\u{78bc}",
    "\u{30d1}\u{30b9}\u{30ef}\u{30fc}\u{30c9}", "\u{be44}\u{bc00}\u{bc88}\u{d638}",
    "heslo", "jelsz\u{f3}", "jelszo", "salasana", "adgangskode", "passord", "lozinka", "\u{15f}ifre", "sifre", "katasandi", "matkhau",
    "\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{430}", "\u{43b}\u{43e}\u{437}\u{438}\u{43d}\u{43a}\u{430}", "\u{3c3}\u{3c5}\u{3bd}\u{3b8}\u{3b7}\u{3bc}\u{3b1}\u{3c4}\u{3b9}\u{3ba}\u{3cc}", "\u{5e1}\u{5d9}\u{5e1}\u{5de}\u{5d4}", "\u{5e1}\u{5d9}\u{5e1}\u{5de}\u{5d0}",
];

/// The same of several words.
#[rustfmt::skip]
const PASSWORDS_OF_WORDS: &[&[&str]] = &[
    &["mot", "de", "passe"], &["kata", "sandi"], &["mat", "khau"], &["m\u{1ead}t", "kh\u{1ea9}u"], &["\u{643}\u{644}\u{645}\u{629}", "\u{627}\u{644}\u{645}\u{631}\u{648}\u{631}"], &["\u{643}\u{644}\u{645}\u{629}", "\u{627}\u{644}\u{633}\u{631}"],
    &["\u{631}\u{645}\u{632}", "\u{639}\u{628}\u{648}\u{631}"], &["\u{3ba}\u{3c9}\u{3b4}\u{3b9}\u{3ba}\u{3cc}\u{3c2}", "\u{3c0}\u{3c1}\u{3cc}\u{3c3}\u{3b2}\u{3b1}\u{3c3}\u{3b7}\u{3c2}"],
];

/// Last words that are the name of a password, and of nothing if something is glued to them.
const SHORT_PASSWORDS: &[&str] = &["bindpw", "dbpw", "masterauth", "psk", "psw", "pw", "rootpw", "userpw"];

/// Words that end in the same way and are none.
const NO_PASSWORDS: &[&str] = &["nopassword", "nopasswd", "oldpwd"];

/// What has a pass that is a password: `db_pass`, `smtpPass`, `keypass`. Any other pass is one through something, or
/// one to be let in somewhere: `highpass`, `render_pass`, `season_pass`.
#[rustfmt::skip]
const HAVE_A_PASS: &[&str] = &[
    "account", "acct", "admin", "amqp", "api", "app", "auth", "backup", "become", "bind", "broker", "ca", "cert", "client",
    "confirm", "credentials", "creds", "database", "datasource", "db", "default", "elastic", "encrypted", "ftp", "git", "guest",
    "hashed", "http", "https", "imap", "jenkins", "jks", "kafka", "key", "ldap", "login", "mail", "mariadb", "master", "mongo", "mongodb",
    "mq", "mqtt", "mssql", "my", "mysql", "new", "old", "oracle", "owner", "p12", "pem", "pfx", "pg", "pgsql", "pop", "pop3",
    "postgres", "postgresql", "proxy", "rabbit", "rabbitmq", "rdp", "redis", "registry", "repeat", "require", "root", "router",
    "sender", "server", "service", "sftp", "smb", "smtp", "sql", "ssh", "store", "su", "sudo", "svc", "user", "usr", "vnc", "vpn",
    "wifi", "wlan",
];

/// What a pass is that is no password in the name of an environment variable either: `BYPASS`, `FIRST_PASS`. Any other
/// one in capitals is one.
#[rustfmt::skip]
const NO_PASS: &[&str] = &[
    "all", "back", "backward", "band", "boarding", "bus", "by", "com", "day", "encom", "final", "first", "forward", "hall",
    "high", "last", "low", "multi", "next", "one", "over", "render", "season", "second", "shader", "single", "ski", "sub",
    "sur", "test", "tests", "third", "tres", "two", "under",
];

/// Last words that tell one of several: `DB_PASSWORD_PROD`, `api_key_2`.
#[rustfmt::skip]
const WHICH: &[&str] = &[
    "b64", "base64", "dev", "development", "live", "old", "primary", "prod", "production", "secondary", "stage",
    "staging",
];

/// What makes a key secret: `api_key`, but not `primary_key` or `public_key`.
const SECRET_KEYS: &[&str] = &[
    "access",
    "account",
    "admin",
    "aes",
    "anthropic",
    "api",
    "app",
    "auth",
    "azure",
    "client",
    "deploy",
    "enc",
    "encryption",
    "gemini",
    "groq",
    "hmac",
    "jwt",
    "mailgun",
    "master",
    "mistral",
    "openai",
    "secret",
    "sendgrid",
    "service",
    "session",
    "shared",
    "signing",
    "ssh",
    "storage",
    "stripe",
    "subscription",
    "webhook",
];

/// What the value of a field of that name is, if its name says that it must not be stored.
pub(super) fn classify(name: &str) -> Option<Class> {
    if name.len() > MAX_NAME || !STEMS.is_match(name) {
        return None;
    }
    let words = words(name);
    let words = without_which(words.iter().map(String::as_str).collect());
    let last = *words.last()?;
    let has = |word: &str| words.contains(&word);
    let ends = |end: &[&str]| words.ends_with(end);
    if ABOUT.contains(&last) && !ends(&["secret", "id"]) && !is_session(&words) {
        return None;
    }
    personal(&words).map(Class::Pii).or_else(|| {
        let secret = if is_password(name, &words) {
            SecretKind::Password
        } else if has("private") && last == "key" || has("privatekey") {
            SecretKind::PrivateKey
        } else if is_secret_key(&words) {
            SecretKind::ApiKey
        } else if has("secret") || has("secrets") {
            SecretKind::Secret
        } else if is_token(&words) || is_session(&words) {
            SecretKind::Token
        } else if last == "jwt" {
            SecretKind::Jwt
        } else if last == "bearer" {
            SecretKind::BearerToken
        } else if has("authorization") || last == "auth" || ends(&["auth", "header"]) {
            SecretKind::Authorization
        } else if matches!(last, "cookie" | "cookies") {
            SecretKind::Cookie
        } else if matches!(last, "credential" | "credentials" | "creds" | "dsn" | "connectionstring")
            || ends(&["connection", "string"])
        {
            SecretKind::Credential
        } else if CODE.iter().any(|end| ends(end)) {
            SecretKind::SecurityCode
        } else {
            return None;
        };
        Some(Class::Secret(secret))
    })
}

/// Last words that say it all, alone or in pairs.
#[rustfmt::skip]
const CARD: &[&[&str]] = &[
    &["card", "number"], &["card", "no"], &["credit", "card"], &["cc", "number"], &["cc", "num"],
    &["cardnumber"], &["creditcard"], &["creditcardnumber"], &["ccnumber"], &["ccnum"],
];
#[rustfmt::skip]
const CODE: &[&[&str]] = &[
    &["cvv"], &["cvc"], &["otp"], &["totp"], &["security", "code"], &["pin", "code"],
    &["card", "pin"], &["user", "pin"], &["mfa", "code"], &["otp", "code"],
];

fn personal(words: &[&str]) -> Option<PiiClass> {
    let social = words.windows(2).any(|pair| pair == ["social", "security"]);
    if social || words.contains(&"ssn") || words.ends_with(&["socialsecuritynumber"]) {
        Some(PiiClass::Ssn)
    } else if CARD.iter().any(|end| words.ends_with(end)) {
        Some(PiiClass::CardNumber)
    } else if words.ends_with(&["iban"]) {
        Some(PiiClass::Iban)
    } else {
        None
    }
}

/// The words of a name up to what tells one of several.
fn without_which(mut words: Vec<&str>) -> Vec<&str> {
    while let Some(last) = words.pop() {
        let plain = last.trim_end_matches(|digit: char| digit.is_ascii_digit());
        if !plain.is_empty() && !WHICH.contains(&last) {
            // A vendor of that name.
            words.push(if last == "auth0" { last } else { plain });
            break;
        }
    }
    words
}

fn is_password(name: &str, words: &[&str]) -> bool {
    let holds = |word: &&str| {
        !NO_PASSWORDS.contains(word) && PASSWORDS.iter().any(|password| word.ends_with(password))
    };
    let [before @ .., last] = words else { return false };
    words.iter().any(holds)
        || SHORT_PASSWORDS.contains(last)
        || PASSWORDS_OF_WORDS.iter().any(|password| words.ends_with(password))
        || last.strip_suffix("pass").is_some_and(|glued| is_pass(name, before, glued))
        || matches!(*last, "passin" | "passout")
        || ["word", "phrase", "code"].contains(last) && before.last() == Some(&"pass")
}

/// Whether a name that ends in `pass` is that of a password, by what stands before it: words, or what is glued to it.
fn is_pass(name: &str, before: &[&str], glued: &str) -> bool {
    let whose = if glued.is_empty() { before.last().copied() } else { Some(glued) };
    match whose {
        _ if is_pass_alone(name) => true,
        // One of several that are gone through: `pass1`, `pass_2`.
        None => false,
        Some(whose) => has_a_pass(whose) || is_in_capitals(name) && !NO_PASS.contains(&whose),
    }
}

/// Whether a name is `pass` and nothing else, or that of one member: `smtp.pass`.
fn is_pass_alone(name: &str) -> bool {
    let own = name.rsplit('.').next().unwrap_or(name);
    own.trim_matches(|c: char| !c.is_alphanumeric()).eq_ignore_ascii_case("pass")
}

/// Whether a name may as well say how something went, or which of several it is: `pass`, but not `smtp.pass`.
pub(super) fn says_little(name: &str) -> bool {
    is_pass_alone(name) && !words(name).iter().rev().nth(1).is_some_and(|whose| has_a_pass(whose))
}

fn has_a_pass(word: &str) -> bool {
    let plain = word.trim_end_matches(|digit: char| digit.is_ascii_digit());
    // `mydb`, `truststore`, `webmail`; of the short ones many words end in one by chance.
    let ends = |owner: &str| (owner.len() > 3 || owner == "db") && plain.ends_with(owner);
    HAVE_A_PASS.iter().any(|owner| [word, plain].contains(owner) || ends(owner))
}

/// As environment variables are named.
fn is_in_capitals(name: &str) -> bool {
    !name.chars().any(char::is_lowercase)
}

/// The name of what a browser or a client shows to go on with a session. A conversation is none.
fn is_session(words: &[&str]) -> bool {
    let last = words.last().copied().unwrap_or_default();
    words.ends_with(&["session", "id"])
        || words.ends_with(&["sess", "id"])
        || last.ends_with("sessionid")
        || last.ends_with("sessid")
}

fn is_secret_key(words: &[&str]) -> bool {
    let last = words.last().map_or("", |last| last.strip_suffix('s').unwrap_or(last));
    if let Some(compact) = last.strip_suffix("key").filter(|kind| !kind.is_empty()) {
        return SECRET_KEYS.iter().any(|kind| compact.ends_with(kind));
    }
    last == "key" && words.len() > 1 && SECRET_KEYS.contains(&words[words.len() - 2])
}

fn is_token(words: &[&str]) -> bool {
    let of_access = !words.iter().any(|word| NOT_OF_ACCESS.contains(word));
    let last = words.last().copied().unwrap_or_default();
    let named =
        ["access", "refresh", "auth", "bearer", "api", "session"].iter().any(|word| words.contains(word));
    of_access
        && (last == "token"
            || last.ends_with("token")
            || last == "tokens" && named
            || words.contains(&"token") && matches!(last, "value" | "string" | "header"))
}

/// The words of a name in any of the usual spellings: `clientSecret`, `CLIENT_SECRET`, `x-client-secret`.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    let letters: Vec<char> = name.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        if !letter.is_alphanumeric() {
            open = false;
            continue;
        }
        let before = at.checked_sub(1).map(|before| letters[before]);
        let starts = letter.is_uppercase()
            && (before.is_some_and(char::is_lowercase)
                || before.is_some_and(char::is_uppercase)
                    && letters.get(at + 1).is_some_and(|after| after.is_lowercase()));
        if !open || starts {
            words.push(String::new());
        }
        open = true;
        if let Some(word) = words.last_mut() {
            word.extend(letter.to_lowercase());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(name: &str) -> &'static str {
        classify(name).map_or("", Class::word)
    }

    #[rustfmt::skip]
    const HOLDING: &[(&str, &str)] = &[
        ("password", "PASSWORD"), ("PASSWORD", "PASSWORD"), ("dbPassword", "PASSWORD"),
        ("user_pass", "PASSWORD"), ("passwd", "PASSWORD"), ("pwd", "PASSWORD"),
        ("ssh-passphrase", "PASSWORD"), ("password_hash", "PASSWORD"), ("secret", "SECRET"),
        ("client_secret", "SECRET"), ("clientSecret", "SECRET"), ("secret_id", "SECRET"),
        ("token", "TOKEN"), ("accessToken", "TOKEN"), ("X-Auth-Token", "TOKEN"),
        ("refresh_tokens", "TOKEN"), ("authtoken", "TOKEN"), ("id_token", "TOKEN"),
        ("token_value", "TOKEN"), ("CSRFToken", "TOKEN"), ("Authorization", "AUTHORIZATION"),
        ("proxy-authorization", "AUTHORIZATION"), ("auth", "AUTHORIZATION"), ("api_key", "API_KEY"),
        ("apiKey", "API_KEY"), ("X-API-Key", "API_KEY"), ("apikey", "API_KEY"),
        ("openai_api_keys", "API_KEY"), ("secretAccessKey", "API_KEY"), ("AccountKey", "API_KEY"),
        ("xapikey", "API_KEY"), ("private_key", "PRIVATE_KEY"), ("privateKey", "PRIVATE_KEY"),
        ("ssn", "SSN"), ("employee_ssn", "SSN"), ("socialSecurityNumber", "SSN"),
        ("card_number", "CARD_NUMBER"), ("cardNumber", "CARD_NUMBER"), ("credit_card", "CARD_NUMBER"),
        ("creditcardnumber", "CARD_NUMBER"), ("cvv", "SECURITY_CODE"), ("security-code", "SECURITY_CODE"), ("cvc2", "SECURITY_CODE"),
        ("otp", "SECURITY_CODE"), ("iban", "IBAN"), ("Set-Cookie", "COOKIE"),
        ("credentials", "CREDENTIAL"), ("connectionString", "CREDENTIAL"), ("DB_DSN", "CREDENTIAL"),
        ("PGPASSWORD", "PASSWORD"), ("MYSQL_PWD", "PASSWORD"), ("DB_PASS", "PASSWORD"), ("SMTPPASS", "PASSWORD"),
        ("password1", "PASSWORD"), ("DB_PASSWORD_PROD", "PASSWORD"), ("pass_word", "PASSWORD"),
        ("DB_PASS_2", "PASSWORD"), ("Passwort", "PASSWORD"), ("api_key_2", "API_KEY"), ("token2", "TOKEN"),
        ("jwt", "JWT"), ("userJwt", "JWT"), ("bearer", "BEARER_TOKEN"), ("session_id", "TOKEN"),
        ("sessionId", "TOKEN"), ("JSESSIONID", "TOKEN"), ("PHPSESSID", "TOKEN"), ("Mcp-Session-Id", "TOKEN"),
        ("session_key", "API_KEY"), ("keypass", "PASSWORD"), ("pass", "PASSWORD"), ("Pass", "PASSWORD"),
        ("dbPass", "PASSWORD"), ("mydb_pass", "PASSWORD"), ("db1_pass", "PASSWORD"), ("truststorepass", "PASSWORD"),
        ("new_pass", "PASSWORD"), ("smtp.pass", "PASSWORD"), ("spring.mail.pass", "PASSWORD"), ("WHATEVER_PASS", "PASSWORD"),
        ("db_pw", "PASSWORD"), ("wpa_psk", "PASSWORD"), ("requirepass", "PASSWORD"), ("ansible_become_pass", "PASSWORD"),
        ("Contrase\u{f1}a", "PASSWORD"), ("mot de passe", "PASSWORD"), ("\u{5bc6}\u{7801}", "PASSWORD"), ("STRIPE_KEY", "API_KEY"),
    ];

    #[rustfmt::skip]
    const SPEAKING: &[&str] = &[
        "input_tokens", "output_tokens", "max_tokens", "total_tokens", "tokens", "token_count",
        "tokenCount", "token_type", "token_limit", "token_url", "eos_token", "stop_token",
        "next_page_token", "completion_tokens", "reasoning_tokens", "cache_read_input_tokens", "tokenizer",
        "password_policy", "password_length", "secret_name", "public_key", "primary_key", "foreign_key",
        "cache_key", "idempotency_key", "partition_key", "key", "keys", "keyboard", "monkey", "author",
        "authority", "authenticated", "card", "discard", "postcard_text", "code", "status_code",
        "zip_code", "pin", "shipping", "compass", "passenger", "passed", "description", "adsn",
        "connection", "secretary", "credit", "accredited", "cookie_consent", "api_version", "", "___",
        "ünïcödé", "model", "skill", "bypass", "OLDPWD", "NOPASSWD", "first_pass", "pass_rate", "pass_through",
        "passport", "passive", "passes", "auth0", "jwt_issuer", "bearer_type", "session", "session_count",
        "conversation_id", "thread_id", "trace_id", "assessment_id", "obsession", "primary_key_2", "prod", "2",
        "highpass", "lowpass", "bandpass", "allpass", "forward_pass", "backward_pass", "render_pass", "season_pass",
        "day_pass", "multipass", "pass1", "pass_2", "test_pass", "boardingPass", "season pass", "HIGHPASS", "TEST_PASS",
        "upward", "turkey", "password_file", "secretKeyRef", "secret_ref", "secret_path", "password_reset", "BYPASS", "RENDER_PASS_2", "encompass", "trespass", "Compass",
    ];

    #[test]
    fn names_that_hold_a_secret_are_known_in_every_spelling() {
        for (name, class) in HOLDING {
            assert_eq!(word(name), *class, "{name}");
        }
    }

    #[test]
    fn names_that_only_speak_about_one_are_not() {
        for name in SPEAKING {
            assert_eq!(word(name), "", "{name}");
        }
    }
}
