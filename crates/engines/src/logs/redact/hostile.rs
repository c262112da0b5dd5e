//! Texts that are made to be slow: a judge that goes over a text again at each match takes minutes for one that another
//! takes milliseconds for. What is measured is time in relation to length.

use std::time::Duration;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::json;

use super::{redact_json, redact_text};
use crate::spent::spent;

/// What is repeated. Each has begun something that a judge may look for the end of, or the beginning.
#[rustfmt::skip]
pub(super) const PIECES: &[&str] = &[
    "token='", "password=", "123-45-6789", "4111 1111 1111 1111 ", "1", "a@", "eyJ", "-----BEGIN PRIVATE KEY-----",
    "authorization: bearer ", "://a:", "DE89 ", "\\\"", "{\"a\":", "secret:\\", "token=\\\\'", "sk-", "<REDACTED:", "token: ab ",
    "AA00AA00", "max_tokens='", "cookie:", "echo a ", "password(\"a\",", "password: a ", "identified by 'a' ", "net user a b ",
    "lftp -u ", "my password is ab, ", "password = a || ", "password (", "a,password\n", "| password | a ", "name: password\nvalue: ",
    "insert into a (password) values ('", "password in ('a', ", "a is my password ", "password='''", "variable \"password\" { default ",
    "['a', ", "('a', 'b', [", "'password').fill('", "'password').clear()", "['curl', '-u', 'a:b', ", "mysql ", "mysql '", "mysql \\'",
    "docker login ", "<password>", "&lt;password&gt;", "<password ", "key=\"password\" ", "<a key=\"password\" ", "machine x login y ",
    "token: |", "token: |\n  x", "%25", "%2525", "4111.1111.1111.", "1 ", "<key>password</key>", "a,pwd\nx\n", "password:(", "token=f(",
    "cookie:$(", "pwd=/a}", "unexpected token: \\\"", "insert into a(pw)values(", "insert into a(pw)values('",
    "insert into a(pw)values(\\'", "insert into a(pw)values(''", "a,password\n\"a\"\"\n", "a,pwd\na,a,pwd\n", "-u a:b ", "curl -u a:%M ",
    ".login(\"a\",\\\"b c", "<a type='password' value='the a is it ", "password = a | ", "QUFB", "QUFBQUFBQUFBQUFB/",
    "QUFBQUFBQUFBQUFBQUFB\n", "\"a\"\",", "secret_id: \"/a/", "a  password\n", "a|password\n", "password\n---\n", "a  password\r", "kind: Secret\n", "\"update a set pw=?\",'", "value: a\nname: password\n", "//a:b@c/", "digest a ", "-u \\\n", "data:\n  a: b\nkind: Secret\n",
];

/// How long the shorter one of two texts is, and how often it is in the longer one.
const SHORT: usize = 4_000;
const TIMES: usize = 16;

/// So much longer than its length says a text may take. To go over it again at each piece takes as many times longer as
/// there are pieces.
const MORE: usize = 3;
const SLACK: Duration = Duration::from_millis(50);

fn time_of(text: &str) -> Duration {
    spent(|| redact_text(text))
}

/// Whatever else runs meanwhile only adds to a time, so the least of several counts.
fn least_of(text: &str) -> Duration {
    (0..3).map(|_| time_of(text)).min().unwrap_or_default()
}

/// The same where no more than so much is asked for, which the first time may tell.
fn least_within(most: Duration, text: &str) -> Duration {
    let mut least = time_of(text);
    for _ in 0..2 {
        if least > most {
            least = least.min(time_of(text));
        }
    }
    least
}

/// What a text may take that is so many times as long as one that takes so long.
fn at_most(least: Duration, times: usize) -> Duration {
    least * u32::try_from(times * MORE).unwrap_or(u32::MAX) + SLACK
}

/// Whether a text of so many bytes takes so much longer as it is longer.
fn is_linear(what: &str, short: usize, text: impl Fn(usize) -> String) {
    let (few, many) = (text(short), text(short * TIMES));
    let least = least_of(&few);
    let most = at_most(least, TIMES);
    let long = least_within(most, &many);
    assert!(long <= most, "{what:?}: {least:?}, and {TIMES} times as long {long:?}");
}

fn half(front: &str, piece: &str, bytes: usize) -> String {
    front.repeat(bytes / 2 / front.len()) + &piece.repeat(bytes / 2 / piece.len())
}

#[test]
fn a_piece_again_and_again_takes_as_long_as_the_text_is_long() {
    for piece in PIECES {
        is_linear(piece, SHORT, |bytes| piece.repeat(bytes / piece.len()));
        let once = redact_text(&piece.repeat(SHORT * TIMES / piece.len())).value;
        assert!(redact_text(&once).value == once, "{piece:?}");
    }
}

#[test]
fn blanks_before_it_are_not_gone_over_again() {
    for piece in PIECES {
        is_linear(piece, SHORT, |bytes| half(" ", piece, bytes));
    }
    // What is quick by itself shows in a longer text only.
    for piece in ["a,pwd\nx\n", "a,b,password\n", "token: |\n", "-u a:b "] {
        is_linear(piece, 4 * SHORT, |bytes| half("\n", piece, bytes));
        is_linear(piece, 4 * SHORT, |bytes| half(" ", piece, bytes));
    }
}

#[test]
fn quotes_before_it_are_not_gone_over_again() {
    for piece in PIECES {
        is_linear(piece, SHORT, |bytes| half("\"", piece, bytes));
    }
}

#[test]
fn a_long_line_before_it_is_not_gone_over_again() {
    for piece in PIECES {
        is_linear(piece, SHORT, |bytes| half("a", piece, bytes));
        // Behind each piece what it has begun ends at the end of the text only.
        is_linear(piece, SHORT, |bytes| {
            piece.repeat(bytes / 2 / piece.len()) + &"a".repeat(bytes / 2) + ")\n"
        });
    }
}

/// Strings that are opened in many ways, of which none closes another.
#[test]
fn quotes_of_many_kinds_are_not_each_looked_for_to_the_end() {
    for begin in [".login(\"a\",", "token == ", "identified by ", "<a type='password' value="] {
        is_linear(begin, SHORT, |bytes| {
            let pieces = (0..bytes).map(|slashes| format!("{begin}{}\"b c ", "\\".repeat(slashes % 40)));
            let mut text: String = pieces.take(bytes / 40).collect();
            text.truncate(bytes);
            text
        });
    }
}

/// What is in a member behind several values is not redacted at each of them, level by level.
#[test]
fn members_behind_values_are_read_once() {
    let mut nested = "a".to_owned();
    for _ in 0..9 {
        let name = json!(nested);
        nested = format!(r#"{{"value":"a","value":"b","value":"c","value":"d","name":{name}}}"#);
    }
    let once = redact_json(&nested).expect("is JSON").value;
    assert_eq!(once, nested);
}

/// Encoded again and again.
#[test]
fn what_is_encoded_many_times_comes_to_an_end() {
    let mut nested = "password=hunter2\u{200b}".to_owned();
    for _ in 0..20 {
        nested = format!("{}\u{200b}", STANDARD.encode(&nested));
    }
    let once = redact_text(&nested).value;
    assert_eq!(redact_text(&once).value, once);
}

/// How long a file is, and how much of it repeats where it repeats.
const FILE: usize = 192 << 10;
const PART: usize = 3 << 10;

/// What others say meanwhile.
const WORDS: &str = "the agent went to the market for bread ";

/// Bytes as a picture has them: nothing of them repeats. What they encode has nothing in it that looks like a key.
fn picture(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[6]
    };
    (0..bytes).map(|_| next()).collect()
}

/// A file as agents pass it on.
fn passed_on(file: &[u8]) -> Vec<(&'static str, String)> {
    let whole = STANDARD.encode(file);
    let parted = |length: usize, between: &str| {
        let parts = whole.as_bytes().chunks(length).map(|part| std::str::from_utf8(part).expect("ASCII"));
        parts.collect::<Vec<_>>().join(between)
    };
    let lines = parted(76, "\n");
    vec![
        ("in lines, in a text with JSON", format!("see {}", json!({ "data": lines }))),
        ("in lines, in JSON", json!({ "data": lines }).to_string()),
        ("in lines", lines),
        ("in lines of another system", parted(76, "\r\n")),
        ("as a URL", format!("data:image/png;base64,{whole}")),
        ("for URLs", URL_SAFE_NO_PAD.encode(file)),
        ("in pieces", parted(40, " ")),
        ("in a list", parted(20, "\",\"")),
    ]
}

/// What a shape has met is kept for the next text. A text that leads to more of it than can be kept is slow, and so are
/// all texts that come behind it, whoever sends them.
#[test]
fn what_does_not_repeat_is_as_quick_as_what_does_and_costs_no_other_text() {
    let words = WORDS.repeat(FILE / WORDS.len());
    let others = least_of(&words);
    let repeating = picture(PART).repeat(FILE / PART);
    let most_of_others = at_most(others, 1);
    for ((how, text), (_, repeats)) in passed_on(&picture(FILE)).into_iter().zip(passed_on(&repeating)) {
        let least = least_of(&repeats);
        let most = at_most(least, 1);
        let long = least_within(most, &text);
        assert!(long <= most, "{how}: {least:?} where it repeats, and {long:?} where not");
        let behind = least_within(most_of_others, &words);
        assert!(behind <= most_of_others, "{how}: words took {others:?}, and {behind:?} behind it");
    }
}
