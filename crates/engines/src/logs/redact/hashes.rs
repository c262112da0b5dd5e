//! Passwords as stores of them keep them: hashed. Each kind says what it is by how it begins, and whoever has one can
//! guess the password without asking anybody.

use regex::Captures;
use rules::facts::SecretKind as S;

use super::{
    findings::Class,
    ruling::{Judge, Ruling},
};

/// Shapes and judges, as `shapes` has them.
pub(super) const HASHES: &[(&str, Judge)] = &[
    // Of crypt(3) and its relatives, as in `/etc/shadow` and `.htpasswd`.
    (
        concat!(
            r"\$2[abxy]\$[0-9]{2}\$[./0-9A-Za-z]{53}|\$(?:1|apr1)\$[./0-9A-Za-z]{0,16}\$[./0-9A-Za-z]{22}",
            r#"|\$[56]\$(?:rounds=[0-9]{1,9}\$)?[^$\s:"'<>]{0,16}\$[./0-9A-Za-z]{43,86}"#,
            r"|\$g?y\$[./0-9A-Za-z]{1,16}\$[./0-9A-Za-z]{1,86}\$[./0-9A-Za-z]{43}",
            r"|\$argon2(?:id|i|d)\$v=[0-9]{1,9}\$[a-z0-9=,]+\$[0-9A-Za-z+/]+\$[0-9A-Za-z+/]{20,}",
            r"|\$pbkdf2(?:-sha(?:256|512))?\$[0-9]{1,9}\$[./0-9A-Za-z+]+\$[./0-9A-Za-z+]{20,}",
            r"|\$P\$[./0-9A-Za-z]{31}|\$S\$[./0-9A-Za-z]{52}",
        ),
        hash,
    ),
    // Of directories (RFC 2307), frameworks, PostgreSQL.
    (
        concat!(
            r"\{S?SHA(?:256|384|512)?\}[0-9A-Za-z+/]{27,}={0,2}|\{S?MD5\}[0-9A-Za-z+/]{22,}={0,2}",
            r#"|pbkdf2_sha(?:1|256|512)\$[0-9]{1,9}\$[^$\s"'<>]+\$[0-9A-Za-z+/]{20,}={0,2}"#,
            r#"|pbkdf2:sha(?:1|256|512)(?::[0-9]{1,9})?\$[^$\s"'<>]+\$[0-9a-f]{40,}"#,
            r#"|scrypt:[0-9]{1,9}:[0-9]{1,9}:[0-9]{1,9}\$[^$\s"'<>]+\$[0-9a-f]{64,}"#,
            r"|SCRAM-SHA-(?:1|256|512)\$[0-9]{1,9}:[0-9A-Za-z+/=]+\$[0-9A-Za-z+/=]+:[0-9A-Za-z+/=]{20,}",
        ),
        hash,
    ),
    // Both hashes of a user of Windows, as they are dumped: `bob:1001:LM:NT:::`.
    (r":[0-9]{1,10}:([0-9A-Fa-f]{32}:[0-9A-Fa-f]{32}):::", hash),
];

fn hash(_: &str, matched: &Captures<'_>) -> Ruling {
    let part = matched.get(1).unwrap_or_else(|| matched.get_match());
    Ruling::Remove(vec![(part.range(), Class::Secret(S::Password))])
}
