//! Commands of which a word is a password by its place alone: what comes last, behind a user in a pair, what is given
//! by a pipe. They are found in texts, and in lists of the words of a command (`listed`).

use regex::Captures;
use rules::facts::SecretKind as S;

use super::{
    commands::is_password,
    findings::Class,
    forms::{of_a_user, placed, random},
    ruling::{Judge, Ruling, over},
    values::argument_at,
};

/// Shapes and judges, as `shapes` has them: they are applied behind those.
pub(super) const LINES: &[(&str, Judge)] = &[
    (
        concat!(
            r"(?-u:\b)(?:rabbitmqctl[ \t]+(?:-\S+[ \t]+)*(?:add_user|change_password)[ \t]+\S+",
            r#"|wpa_passphrase[ \t]+(?:"[^"\r\n]*"|[^\s"<]\S*))[ \t]+["']?([^\s"'<]+)"#,
        ),
        placed,
    ),
    (
        concat!(
            r"(?-u:\b)htpasswd[ \t]+(?:-[A-Za-z]+[ \t]+)*-[A-Za-z]*b[A-Za-z]*[ \t]+(?:-[A-Za-z]+[ \t]+|[0-9]+[ \t]+)*",
            r#"(?:[^\s<>|;&]+[ \t]+)?(?:""|''|["']?[^\s"'<>|;&]+["']?)[ \t]+["']?([^\s"'<>|;&]+)["']?(?:[ \t]*(?:$|[\r\n|>;&)])|[`"'])"#,
        ),
        placed,
    ),
    (
        r#"(?i)(?-u:\b)net1?(?:\.exe)?[ \t]+user[ \t]+["']?[^\s/"'<]+["']?[ \t]+["']?([^\s/"'<*]+)["']?[ \t]+/"#,
        placed,
    ),
    (r#"(?i)(?-u:\b)net1?(?:\.exe)?[ \t]+user[ \t]+["']?[^\s/"'<]+["']?[ \t]+["']?([^\s/"'<*]+)"#, random),
    (
        r#"(?i)(?-u:\b)net1?(?:\.exe)?[ \t]+use[ \t]+(?:[a-z*]:?[ \t]+)?\\\\+\S+[ \t]+(?:/\S+[ \t]+)*["']?([^\s/"'<*]+)"#,
        placed,
    ),
    (r"(?-u:\b)vault[ \t]+login[ \t]+(?:-\S+[ \t]+)*([^\s=<\-][^\s=<]*)", random),
    (
        concat!(
            r#"(?i)(?-u:\b)(?:(?:sqlplus|expdp|impdp|sqlldr)[ \t]+(?:-\S+[ \t]+)*["']?[^\s/"'@\-][^\s/"'@]*/["']?"#,
            r#"|jdbc:oracle:[a-z]+:[^\s/@"']+/|impacket-[a-z0-9]+[ \t]+[^\s:"']+:)([^\s"'@<]+)@"#,
        ),
        placed,
    ),
    (r#"(?-u:\b)lftp[ \t][^|;&\r\n]*?-u[ \t]*["']?[^\s,"']+,([^\s"'<]+)"#, placed),
    (
        r#"(?-u:\b)(?:smbclient|smbget|smbmap|rpcclient|winexe)[ \t][^|;&\r\n]*?(?:-U|--user)(?:[ \t]+|=)?["']?[^\s%"']+%([^\s"'<]+)"#,
        placed,
    ),
    (
        concat!(
            r"(?i)(?-u:\b)(?:(?:xfreerdp3?|wfreerdp|winrs)(?:\.exe)?[ \t][^|;&\r\n]*?[/\-]p:",
            r#"|schtasks(?:\.exe)?[ \t][^|;&\r\n]*?/rp[ \t]+)["']?([^\s"'<]+)"#,
        ),
        placed,
    ),
    (
        r#"(?i)create[ \t]+secret[ \t][^|;&\r\n]*?--from-literal(?:[ \t]+|=)["']?[^\s="']+=([^\s"'<]+)"#,
        placed,
    ),
    // What a command is given by a pipe, or in the lines behind it.
    (
        concat!(
            r#"(?-u:\b)(?:echo|printf)[ \t]+(?:-[neE]+[ \t]+)?(?:["']%s(?:\\n)?["'][ \t]+)?["']?(?:[^\s:"'|<]+:)?"#,
            r#"([^\s"'|<>&;]+)["']?[ \t]*\|[ \t]*(?:sudo[ \t]+)?(?:chpasswd|passwd[ \t]+--stdin|kinit|cryptsetup"#,
            r"|(?:-[A-Za-z]+[ \t]+)*-[A-Za-z]*S(?-u:\b)",
            r"|[a-z]+[ \t][^|;&\r\n]*?--(?:password|token|passphrase)-(?:stdin|fd))",
        ),
        placed,
    ),
    (
        concat!(
            r#"(?-u:\b)chpasswd[ \t]*(?:<<<[ \t]*["']?[^\s:"'<]+:([^\s"'<]+)"#,
            r#"|<<-?[ \t]*["']?[A-Za-z_]+["']?[ \t]*\r?\n[^\s:<]+:([^\s<]+))"#,
        ),
        placed,
    ),
    (
        concat!(
            r"(?:(?-u:\b)sudo[ \t]+(?:[^|;&\r\n<]*[ \t])?-[A-Za-z]*S(?:[ \t][^|;&\r\n<]*)?|--with-token|--password-stdin",
            r"|(?-u:\b)secret[ \t]+(?:put|set)[ \t]+[^\s<]+|(?-u:\b)read[ \t]+-[a-z]*s[a-z]*[ \t]+[A-Za-z_]+)",
            r#"[ \t]*<<<[ \t]*["']?([^\s"'<]+)"#,
        ),
        placed,
    ),
    (
        r#"(?-u:\b)mc[ \t]+alias[ \t]+set[ \t]+[^\s<]+[ \t]+[^\s<]+[ \t]+[^\s<]+[ \t]+["']?([^\s"'<\-][^\s"'<]*)"#,
        placed,
    ),
    (r#"(?-u:\b)rclone[ \t]+config[ \t][^|;&\r\n]*?[ \t]pass[ \t]+["']?([^\s"'<]+)"#, placed),
    (
        r#"(?i)convertto-securestring[ \t]+(?:-string[ \t]+)?([^\s"'$(<\-][^\s"'<]*)[ \t]+-asplaintext"#,
        placed,
    ),
    (r#"(?-u:\b)sqlplus[ \t]+(?:-\S+[ \t]+)*["']?[^\s/"'@\-][^\s/"'@]*/["']?([^\s/"'@<]+)"#, random),
    (r"(?-u:\b)curl[ \t](?:[^|;&\r\n]*?[ \t])?(?:-b|--cookie)(?:[ \t]+|=)?", cookies),
    // Behind a user. What rsync and docker are told first is a place or an image.
    (
        concat!(
            r"(?-u:\b)(?:rsync|(?:docker|podman)[ \t]+[a-z]+)(?:[ \t]+-\S+)*[ \t]+\S+",
            r#"|(?:^|\s)(?:-U|-a|--auth)(?:=|[ \t]+)["']?[^\s:"'<>]+:([^\s"'<>]+)"#,
        ),
        of_a_user,
    ),
];

/// `curl -b 'session=..'`, but not the file of cookies that it may be.
fn cookies(text: &str, matched: &Captures<'_>) -> Ruling {
    match argument_at(text, matched.get_match().end()) {
        Some((range, _)) if text[range.clone()].contains('=') && is_password(&text[range.clone()]) => {
            Ruling::Remove(vec![(range, Class::Secret(S::Cookie))])
        }
        _ => over(matched),
    }
}
