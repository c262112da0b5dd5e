//! The shapes of secrets and personal data, and the judges that tell them from what only looks alike.
//!
//! Every shape is ASCII where it can be: a Unicode word boundary would make the scan of other scripts slow. What begins
//! as nothing else does needs no boundary: a name may be glued to it, as in `KEY_ghp_..`. To others a name may be glued
//! with a `_` on either side.

use regex::Captures;
use rules::facts::{PiiClass as P, SecretKind as S};

use super::{
    commands::{TOOL, command},
    encoded::decoded,
    findings::{Class, is_marker},
    listed::{LIST, written},
    markup::{attribute, element, pair},
    nothing::{looks_random, stands_for_one},
    numbers::{cards, iban, ssn},
    pairs::cloud_key,
    ruling::{Judge, Ruling, over},
    users::{USER, user_and_password},
    values::{FLAG, flag, is_way, named, until},
};

/// What begins as nothing else does. Shapes and judges, in the order in which they are applied.
pub(super) const TOKENS: &[(&str, Judge)] = &[
    (r"(?:(?-u:\b)|_)eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]{4,}){1,2}(?:\.[A-Za-z0-9_-]*){0,2}", |_, m| {
        all(m, S::Jwt)
    }),
    (r"hoc_[0-9A-Za-z]+_[0-9A-Za-z_-]{16,}", |_, m| all(m, S::HocKey)),
    (
        concat!(
            r"(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}|AIza[0-9A-Za-z_-]{35}|(?:(?-u:\b)|_)ya29\.[0-9A-Za-z_-]{20,}",
            r"|GOCSPX-[0-9A-Za-z_-]{20,}|do[opr]_v1_[a-f0-9]{64}|(?:(?-u:\b)|_)LTAI[0-9A-Za-z]{12,}",
            r"|(?:(?-u:\b)|_)hv[sb]\.[0-9A-Za-z_-]{20,}|(?:(?-u:\b)|_)dapi[a-f0-9]{32}",
        ),
        cloud_key,
    ),
    (
        concat!(
            r"gh[pousr]_[0-9A-Za-z]{16,}|github_pat_[0-9A-Za-z_]{16,}",
            r"|gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent)-[0-9A-Za-z_-]{16,}|(?:(?-u:\b)|_)AT(?:BB|ATT3)[0-9A-Za-z_=-]{20,}",
        ),
        |_, m| all(m, S::GitToken),
    ),
];

/// Tokens of chats; they are applied behind those. One of them may begin wherever a word does and counts its letters
/// from there, which has as many places as there are sets of beginnings: it is alone, so that what is made for it is
/// slow in no other shape.
pub(super) const CHATS: &[(&str, Judge)] = &[(
    concat!(
        r"xox[abeoprs]-[0-9A-Za-z-]{10,}|xapp-[0-9A-Za-z-]{10,}",
        r"|hooks\.slack\.com/(?:services|workflows|triggers)/[0-9A-Za-z/_+-]{20,}",
        r"|discord(?:app)?\.com/api/webhooks/[0-9]+/[0-9A-Za-z_-]{20,}|(?-u:\b)[0-9]{8,10}:AA[0-9A-Za-z_-]{32,}",
        r"|(?-u:\b)[MNO][0-9A-Za-z_-]{23,25}\.[0-9A-Za-z_-]{6}\.[0-9A-Za-z_-]{27,}",
    ),
    |_, m| all(m, S::ChatToken),
)];

/// More of what begins as nothing else does; they are applied behind those.
pub(super) const KEYS: &[(&str, Judge)] = &[
    (
        concat!(
            r"(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{10,}|whsec_[0-9A-Za-z+/=]{16,}",
            r"|sq0(?:atp|csp)-[0-9A-Za-z_-]{20,}|shp(?:at|ca|pa|ss)_[0-9A-Fa-f]{32}",
        ),
        |_, m| all(m, S::PaymentKey),
    ),
    (
        concat!(
            r"(?:(?-u:\b)|_)sk-[0-9A-Za-z_-]{16,}|gsk_[0-9A-Za-z]{20,}|hf_[0-9A-Za-z]{20,}|(?:(?-u:\b)|_)r8_[0-9A-Za-z]{20,}",
            r"|(?:(?-u:\b)|_)pplx-[0-9A-Za-z]{20,}|(?:(?-u:\b)|_)xai-[0-9A-Za-z]{20,}|nvapi-[0-9A-Za-z_-]{20,}",
            r"|lsv2_(?:pt|sk)_[0-9a-f_]{20,}|pcsk_[0-9A-Za-z_]{20,}",
        ),
        llm_key,
    ),
    (
        concat!(
            r"npm_[0-9A-Za-z]{30,}|(?:(?-u:\b)|_)pypi-[0-9A-Za-z_-]{16,}|dckr_pat_[0-9A-Za-z_-]{20,}",
            r"|rubygems_[0-9a-f]{48}|(?:(?-u:\b)|_)oy2[0-9a-z]{43}",
        ),
        |_, m| all(m, S::RegistryToken),
    ),
    (
        concat!(
            r"(?:(?-u:\b)|_)SG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}|(?:(?-u:\b)|_)key-[0-9a-f]{32}(?:(?-u:\b)|_)|NRAK-[0-9A-Z]{20,}",
            r"|glsa_[0-9A-Za-z]{32}_[0-9a-f]{8}|(?:(?-u:\b)|_)glc_eyJ[0-9A-Za-z+/=]{20,}",
            r"|(?:(?-u:\b)|_)dp\.(?:pt|st|ct|sa|scim|audit)\.[0-9A-Za-z._-]{20,}|lin_(?:api|oauth)_[0-9A-Za-z]{32,}",
            r"|sntry[su]_[0-9A-Za-z+/=_-]{20,}|(?:(?-u:\b)|_)figd_[0-9A-Za-z_-]{20,}|(?:(?-u:\b)|_)SK[0-9a-f]{32}(?:(?-u:\b)|_)",
            r"|(?:(?-u:\b)|_)(?:ntn_[0-9A-Za-z]{40,}|secret_[0-9A-Za-z]{43}(?:(?-u:\b)|_))|PMAK-[0-9a-f]{24}-[0-9a-f]{34}",
            r"|pscale_(?:tkn|pw|oauth)_[0-9A-Za-z_.-]{20,}|dt0[cs][0-9]{2}\.[0-9A-Z]{24}\.[0-9A-Z]{64}",
            r"|(?:(?-u:\b)|_)(?:sbp_[0-9a-f]{40}|pul-[0-9a-f]{40}|tvly-[0-9A-Za-z_-]{20,})|xkeysib-[0-9a-f]{64}",
            r"|[0-9A-Za-z]{14}\.atlasv1\.[0-9A-Za-z_=-]{60,}|ops_eyJ[0-9A-Za-z_-]{50,}|HRKU-[0-9A-Za-z_-]{20,}",
        ),
        |_, m| all(m, S::ApiKey),
    ),
    (
        concat!(
            r"tskey-(?:auth|api|client|scim|webhook)-[0-9A-Za-z]{6,}-[0-9A-Za-z]{16,}|fm[12]_[0-9A-Za-z+/=]{40,}",
            r"|CFPAT-[0-9A-Za-z_-]{40,}|apify_api_[0-9A-Za-z]{30,}|tgp_v1_[0-9A-Za-z_-]{40,}|AKCp[0-9A-Za-z]{60,}",
            r"|jina_[0-9a-f]{32}[0-9A-Za-z_-]{20,}|(?:(?-u:\b)|_)pat[0-9A-Za-z]{14}\.[0-9a-f]{64}",
            r"|(?:(?-u:\b)|_)(?:nfp_[0-9A-Za-z]{36,}|phx_[0-9A-Za-z]{40,}|rpa_[0-9A-Z]{40,}|e2b_[0-9a-f]{40})",
        ),
        |_, m| all(m, S::ApiKey),
    ),
    (r"AGE-SECRET-KEY-1[0-9A-Z]{20,}", |_, m| all(m, S::PrivateKey)),
];

/// What is in headers and in URLs, and numbers; they are applied behind those.
pub(super) const HEADERS: &[(&str, Judge)] = &[
    (
        concat!(
            r#"(?i)authorization(?:\\*["']?[ \t]*[:=][ \t]*(?:\\*["'])?|\\*["'][ \t]*,[ \t]*\\*["'])"#,
            r"(?:basic|bearer|token|digest|negotiate|apikey|aws4-hmac-sha256)[ \t]+",
        ),
        |text, m| header(text, m, S::Authorization),
    ),
    (r"(?i)(?-u:\b)bearer[ \t]+([0-9A-Za-z._~+/=-]{8,})", bearer),
    (r"(?i)(?-u:\b)basic[ \t]+([0-9A-Za-z+/_-]{4,}={0,2})", basic),
    (r"(?i)(?-u:\b)(?:set-)?cookie:[ \t]*", |text, m| header(text, m, S::Cookie)),
    (r#"://[^\s/?#:@"'<>]*:([^\s/?#"'<>]+)@"#, url_password),
    (r#"://([^\s/?#:@"'<>]{16,})@"#, url_token),
    (r"(?i)(?-u:\b)[a-z]{2}[0-9]{2}(?:[ ]?[a-z0-9]){11,30}", iban),
    (r"(?-u:\b)[0-9](?:[ \-./_\x{a0}\x{2000}-\x{200a}\x{2010}-\x{2015}\x{202f}\x{2212}]?[0-9]){12,}", cards),
    (r"(?-u:\b)[0-9]{3}-[0-9]{2}-[0-9]{4}(?-u:\b)", ssn),
];

/// What a name says, or the flag of a tool; and addresses.
pub(super) const NAMED: &[(&str, Judge)] = &[
    (
        concat!(
            r"(?i)([0-9a-z_.\-]*(?:(?&stems))[0-9a-z_.\-]*(?:[ ](?:number|code|key|no))?)",
            r#"\\*(?:["'`]\]?|\*\*)?(?:[ \t]+(?:for|of)(?:[ \t]+[^\s:="'`<>,.]+){1,3}?)?"#,
            r"(?:[ \t]*(?:=>|={1,3}|:=|:(?:\*\*)?|\x{ff1a})|[ \t](?:is|ist|lautet)[ \t:])[ \t]*",
        ),
        named,
    ),
    // `os.environ.setdefault('DB_PASSWORD', '..')`
    (
        r#"(?i)(?:putenv|setenv|setdefault|setproperty|environmentvariable)\([ \t]*\\*["'](?&name)\\*["'][ \t]*,[ \t]*"#,
        named,
    ),
    (FLAG, flag),
    // Of files for containers, and of shells.
    (
        r#"(?i)(?:(?m:^)[ \t]*(?-i:ENV)|(?:^|[\s;&|"'])(?:setenv|setx|set[ \t]+-[gux]{1,3}))[ \t]+(?&name)[ \t]+"#,
        flag,
    ),
    (TOOL, command),
    // `npm config set //registry/:_authToken ..`, `aws configure set ..`
    (r"(?i)config(?:ure)?[ \t]+set[ \t]+(?:--\S+[ \t]+)*(?:[^\s<]*[/:])?(?&name)[ \t]+", flag),
    (r"(?m:^)[ \t]*(requirepass|masterauth|rootpw|bindpw)[ \t]+", flag),
    // A `.netrc`.
    (
        concat!(
            r#"(?i)(?:^|[\r\n"'`])[ \t]*(?:machine[ \t\r\n]+\S+|default)[ \t\r\n]+"#,
            r"(?:login[ \t\r\n]+\S+[ \t\r\n]+(?:account[ \t\r\n]+\S+[ \t\r\n]+)?",
            r"password[ \t\r\n]+([^\s<]+)|password[ \t\r\n]+([^\s<]+)[ \t\r\n]+login(?-u:\b))",
        ),
        netrc,
    ),
    (r"(?i)(?:<|&lt;)(?:[0-9a-z_.\-]+:)?(?&name)(?:[ \t\r\n][^<>]*?)?(?:>|&gt;)", element),
    (
        concat!(
            r"(?i)<(?:key|name|[a-z]+-name)>[ \t\r\n]*(?&name)",
            r"[ \t\r\n]*</[a-z\-]+>[ \t\r\n]*<(?:string|value|data|[a-z]+-value)>",
        ),
        pair,
    ),
    (
        r#"(?i)(?-u:\b)(?:key|name|id|property|field|param|header|type)[ \t]*=[ \t]*\\*["'](?&name)\\*["']"#,
        attribute,
    ),
    (USER, user_and_password),
    (LIST, written),
    (r"(?i)[?&;](?:sig|signature|x-(?:amz|goog)-signature|hmac)=([0-9a-z%+/=_.\-]{16,})", |_, m| {
        part(m, S::Token)
    }),
    (
        concat!(
            r#"[^\s@<>"'(),;:\[\]{}\\/=&?|`]+(?:'[^\s@<>"'(),;:\[\]{}\\/=&?|`]+)*(?:@|%40)[0-9A-Za-z\x{80}-\x{10FFFF}-]+"#,
            r"(?:\.[0-9A-Za-z\x{80}-\x{10FFFF}-]+)*\.[A-Za-z\x{80}-\x{10FFFF}]{2,}",
        ),
        email,
    ),
];

fn all(matched: &Captures<'_>, kind: S) -> Ruling {
    Ruling::Remove(vec![(matched.get_match().range(), Class::Secret(kind))])
}

fn part(matched: &Captures<'_>, kind: S) -> Ruling {
    let range = matched.get(1).map_or_else(|| matched.get_match().range(), |part| part.range());
    Ruling::Remove(vec![(range, Class::Secret(kind))])
}

/// `sk-` also begins names of packages, of classes of style and of agents.
fn llm_key(_: &str, matched: &Captures<'_>) -> Ruling {
    let key = matched.get_match().as_str();
    if key.starts_with("sk-") && is_of_words(key) { over(matched) } else { all(matched, S::LlmKey) }
}

/// Whether a text is words that hyphens join, as names are: `sk-learn-pipeline-v2`. A key mixes letters and digits, or
/// has no end.
fn is_of_words(text: &str) -> bool {
    text.split(['-', '_']).all(|part| {
        let number = part.strip_prefix('v').unwrap_or(part);
        let is_word = part.len() <= 14 && part.bytes().all(|byte| byte.is_ascii_lowercase());
        is_word || number.len() <= 6 && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn bearer(_: &str, matched: &Captures<'_>) -> Ruling {
    let token = matched.get(1).map_or("", |token| token.as_str());
    let digits = token.bytes().any(|byte| byte.is_ascii_digit());
    if digits || token.len() >= 20 { part(matched, S::BearerToken) } else { over(matched) }
}

/// A name and a password, encoded.
fn basic(_: &str, matched: &Captures<'_>) -> Ruling {
    let credentials = matched.get(1).and_then(|encoded| decoded(encoded.as_str()));
    if credentials.is_some_and(|text| text.contains(':')) {
        part(matched, S::Authorization)
    } else {
        over(matched)
    }
}

/// `://bob:..@`, but not `://bob:${PASSWORD}@`.
fn url_password(_: &str, matched: &Captures<'_>) -> Ruling {
    let is_reference = matched.get(1).is_some_and(|password| stands_for_one(password.as_str()));
    if is_reference { over(matched) } else { part(matched, S::UrlCredentials) }
}

fn url_token(_: &str, matched: &Captures<'_>) -> Ruling {
    let user = matched.get(1).map_or("", |user| user.as_str());
    if looks_random(user) { part(matched, S::UrlCredentials) } else { over(matched) }
}

/// `machine .. login .. password ..`
fn netrc(_: &str, matched: &Captures<'_>) -> Ruling {
    let password = matched.get(1).or_else(|| matched.get(2));
    password.map_or_else(
        || over(matched),
        |part| Ruling::Remove(vec![(part.range(), Class::Secret(S::Password))]),
    )
}

/// The rest of a header: to the end of its line or of the string that it stands in.
fn header(text: &str, matched: &Captures<'_>, kind: S) -> Ruling {
    let start = matched.get_match().end();
    let end = until(text, start, |c| matches!(c, '\r' | '\n' | '"' | '\'' | '\\'));
    let value = text[start..end].trim_end();
    let is_none = kind == S::Cookie && is_way(Class::Secret(kind), value);
    if value.is_empty() || is_marker(value) || is_none || stands_for_one(value) {
        return over(matched);
    }
    Ruling::Remove(vec![(start..start + value.len(), Class::Secret(kind))])
}

fn email(text: &str, matched: &Captures<'_>) -> Ruling {
    let address = matched.get_match();
    // `git@github.com:owner/repository` names a repository.
    if address.as_str().starts_with("git@") && text[address.end()..].starts_with(':') {
        return over(matched);
    }
    Ruling::Remove(vec![(address.range(), Class::Pii(P::Email))])
}
