//! Secrets as the tools of every day dress them: in the colours of a terminal, in pages, in tables, in parts.

use serde_json::json;

use super::{redact_json, redact_text};

/// Stands for a secret: nothing else in a text looks like it.
const V: &str = "Zx9QwErTy7";
const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// The beginning of a key of RSA (PKCS #8), and three lines of it.
const LINES: [&str; 3] = [
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj",
    "MzEfYyjiWA4R4/M2bS1GB4t7NXp98C3SC6dVMvDuictGeurT8jNbvJZHtCSuYEvu",
    "NMoSfm76oqFvAp8Gy0iz5sxjZmSnXyCdPEovGhLa0VzMaQ8s",
];
const TOKENS: [&str; 6] = [
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "sk-proj-Ab3dEf6hIj9lMn2pQr5tUv8x",
    "hvs.CAESIJ4kzq1x2Q9wErTy7Zx9Qw",
    "pypi-AgEIcHlwaS5vcmcCJGI0Zx9QwErTy7",
    "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",
    "bob@example.com",
];

fn is_gone(text: &str, secret: &str) {
    let kept = redact_text(text).value;
    assert!(!kept.contains(secret), "{text:?}: {kept:?}");
    assert_eq!(redact_text(&kept).value, kept, "twice: {text:?}");
    let kept = redact_json(&json!({ "a": [text] }).to_string()).expect("is JSON").value;
    assert!(!kept.contains(&json!(secret).to_string()[1..=secret.len()]), "{text:?}: {kept:?}");
}

#[test]
fn the_colours_of_a_terminal_hide_nothing() {
    for (on, off) in [
        ("\u{1b}[31m", "\u{1b}[0m"),
        ("\u{1b}[38;5;12;1m", "\u{1b}[m\u{1b}[K"),
        ("\u{9b}1m", "\u{9b}0m"),
        ("\\u001b[31m", "\\u001b[0m"),
        ("\\033[1;31m", "\\033[0m"),
        ("\\e[1m", "\\e[0m"),
        ("^[[31m", "^[[0m"),
        ("[31m", "[0m"),
    ] {
        for token in TOKENS {
            is_gone(&format!("{on}{token}{off}"), token);
            is_gone(&format!("found {on}{token}{off} here"), token);
        }
        is_gone(&format!("{on}password{off}: {on}{V}{off}"), V);
        is_gone(&format!("{on}DB_PASSWORD{off}={on}{V}{off}"), V);
        is_gone(&format!("  {on}\"password\"{off}{on}:{off} {on}\"{V}\"{off},"), V);
        is_gone(&format!("{on}4111111111111111{off}"), "4111111111111111");
    }
}

#[test]
fn the_references_of_a_page_hide_nothing() {
    for token in TOKENS {
        let all = |spell: fn(char) -> String| token.chars().map(spell).collect::<Vec<_>>().concat();
        for text in [all(|c| format!("&#{};", u32::from(c))), all(|c| format!("&#x{:X};", u32::from(c)))] {
            let kept = redact_text(&text).value;
            assert!(kept.starts_with("<REDACTED:"), "{text}: {kept}");
        }
    }
    for text in [
        "<div data-props=\"{&quot;password&quot;:&quot;VV&quot;}\">",
        "&#34;password&#34;: &#34;VV&#34;",
        "password&#61;VV",
        "password&equals;VV",
        "\u{ff50}\u{ff41}\u{ff53}\u{ff53}\u{ff57}\u{ff4f}\u{ff52}\u{ff44}\u{ff1d}VV",
        "PASSWORD\u{ff1d}VV",
        "<string name=\"password\">VV</string>",
        "<property name=\"password\"><value>VV</value></property>",
    ] {
        is_gone(&text.replace("VV", V), V);
    }
    is_gone("mail bob&#64;example.com", "bob&#64;example.com");
}

#[test]
fn a_secret_of_aws_goes_with_the_id_beside_it() {
    for text in [
        "Access key ID,Secret access key\nID,SS\n",
        "| AccessKeyId | ID |\n| SecretAccessKey | SS |",
        "ID SS",
        "ID:SS",
        "ID\nSS",
        "SS\nID",
        "keys: ID / SS and ID,SS",
        "a,ID,SS\nb,ID,SS\nc,ID,SS",
        "SS,ID\nSS,ID\nSS,ID",
    ] {
        let text = text.replace("ID", ID).replace("SS", SECRET);
        is_gone(&text, SECRET);
        is_gone(&text, ID);
    }
    // The digest of a commit, and what is far away.
    for stays in ["da39a3ee5e6b4b0d3255bfef95601890afd80709", &format!("{}{SECRET}", "x ".repeat(150))] {
        let kept = redact_text(&format!("{ID} {stays}")).value;
        assert!(kept.ends_with(stays), "{kept}");
    }
}

#[test]
fn no_part_of_a_private_key_is_kept() {
    let lines = LINES.join("\n");
    let (first, last) = ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----");
    for text in [
        lines.clone(),
        format!("cat key\n{lines}\n"),
        LINES.concat(),
        LINES.join("\\n"),
        format!("{}\n{}\n{last}\n", LINES[1], LINES[2]),
        format!("{first}\n{}", LINES[0]),
        format!("{}\n{last}", LINES[2]),
    ] {
        for line in LINES.into_iter().filter(|line| text.contains(line)) {
            is_gone(&text, line);
        }
    }
    let file: Vec<&str> = std::iter::once(first).chain(LINES).chain([last, "# that is all"]).collect();
    let kept = redact_json(&json!({ "lines": file }).to_string()).expect("is JSON").value;
    assert!(LINES.iter().all(|line| !kept.contains(line)) && kept.contains("# that is all"), "{kept}");
    for stays in
        ["-----END PRIVATE KEY----- ends one", "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"]
    {
        assert_eq!(redact_text(stays).value, stays);
    }
}

#[test]
fn what_is_dressed_and_holds_nothing_stays_dressed() {
    for stays in [
        "\u{1b}[32mok\u{1b}[0m 12 passed",
        "\u{1b}]0;a title\u{7}$ ls",
        "Tom &amp; Jerry &lt;b&gt;",
        "a[1m] = b[0]; ^[ [0m",
        "\u{ff21}\u{ff22}\u{ff23}\u{ff1a}\u{4e2d}\u{6587}",
    ] {
        assert_eq!(redact_text(stays).value, stays);
    }
}
