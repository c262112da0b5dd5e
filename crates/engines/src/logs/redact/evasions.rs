//! Parameters that are put so that a rule should not see them, and secrets that are spelt so that a scan should not.

use proof::hmac::TenantKey;
use proptest::prelude::*;
use rules::facts::ParamFacts;
use serde_json::{Value, json};

use super::{Raw, derive, redact_json, redact_text, screen};

fn facts_of(params: &str) -> ParamFacts {
    derive(&TenantKey::new("key_1", [7; 32]), Some(params), None, None).1
}

fn facts(params: &Value) -> ParamFacts {
    facts_of(&params.to_string())
}

/// Hosts of URL parameters: what a rule that reads `url_host` is judged against.
fn url_hosts(facts: &ParamFacts) -> Vec<&str> {
    let several = facts.urls.iter().map(|url| url.host.as_str());
    std::iter::once(facts.url_host.as_str()).chain(several).collect()
}

/// Names are glued to them when people paste.
#[test]
fn a_token_right_behind_a_word_is_found() {
    for glued in ["t_", "KEY_", "x", "1", "GITHUB_TOKEN_"] {
        for token in [
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "AKIAIOSFODNN7EXAMPLE",
            "glpat-16C7e42F292c6912E771",
            "npm_16C7e42F292c6912E7710c838347Ae178B4a",
        ] {
            let text = redact_text(&format!("{glued}{token} rest")).value;
            assert!(!text.contains(token), "{glued}{token}: {text}");
            assert!(text.ends_with(" rest"), "{text}");
        }
    }
    for glued in
        ["_sk-ant-api03-abcdefghijklmnopqrstuvwx", "_eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"]
    {
        let text = redact_text(&format!("KEY{glued}")).value;
        assert!(!text.contains(&glued[1..]), "{text}");
    }
    for plain in
        ["task-management-of-everything-else", "keyJumping.json", "a weighty half_done_list_of_things_to_do"]
    {
        assert_eq!(redact_text(plain).value, plain);
    }
}

#[test]
fn a_url_parameter_is_found_wherever_it_stands() {
    let good = "https://good.example";
    let evil = "https://evil.example/x";
    let text = json!({ "url": evil }).to_string();
    for params in [
        json!({"URL": good, "url": evil}),
        json!({"target": {"url": evil}}),
        json!({"url": [evil]}),
        json!({"url": [good, [evil]]}),
        json!({"url": {"href": evil}}),
        json!({"url": {"raw": evil}}),
        json!({"target_url": evil, "url": good}),
        json!({"args": [{"imageUrl": evil}]}),
        json!({"kwargs": {"u\u{200b}rl": evil}}),
        json!({ "arguments": text }),
        json!({ "input": json!({ "arguments": text }).to_string() }),
        json!({ "input": format!(" \u{feff}{}", json!(text)) }),
        json!({"url": json!([evil]).to_string()}),
        json!([{"name": "url", "value": evil}]),
        json!({"value": evil, "key": "URL"}),
        json!({"hosts": ["good.example", "evil.example"]}),
        json!({"hostname": "EVIL.example."}),
        json!({"domain": "evil.example:443"}),
        json!({"headers": {"Host": "evil.example"}}),
        json!({"base_url": "evil.example", "path_url": "/x"}),
        json!({"url": {"protocol": "https", "hostname": ["evil", "example"], "path": ["x"]}}),
        json!({"url": {"protocol": "https", "host": {"0": "evil", "1": "example"}}}),
        json!({"url": {"0": evil}}),
        json!({"url": {"host": ["evil", "example"]}}),
        json!({"scheme": "https", "host": ["evil", "example"]}),
        json!({"host": json!(["evil", "example"]).to_string(), "path": ["x"]}),
    ] {
        let facts = facts(&params);
        assert!(url_hosts(&facts).contains(&"evil.example"), "{params}: {facts:?}");
        assert!(facts.hosts.contains("evil.example"), "{params}");
        assert!(!facts.facts_cut, "{params}");
    }
    for several in
        [json!({"host": ["web1", "web2"]}), json!({"server": ["web1", "web2"], "path": "/var/log"})]
    {
        let facts = facts(&several);
        assert_eq!(
            facts.hosts,
            ["web1", "web2"].map(str::to_owned).into(),
            "nobody named another: {several}"
        );
        assert!(facts.url_host == "web1" && facts.facts_cut, "they may be one together: {several}");
    }
    // Of two members of one name, one parser takes the first, and another the last.
    let twice = json!({"input": format!("{{\"url\":{},\"url\":{}}}", json!(evil), json!(good))});
    assert_eq!(url_hosts(&facts(&twice)), ["evil.example", "evil.example", "good.example"]);
    // A number that is too large to calculate with hides nothing.
    assert_eq!(
        facts_of(r#"{"input": "{\"n\":1e400,\"url\":\"https://evil.example\"}"}"#).url_host,
        "evil.example"
    );
    assert_eq!(facts(&json!({"host": 2_130_706_433_u32})).url_host, "127.0.0.1");
}

#[test]
fn a_host_is_found_in_any_text() {
    for text in [
        "see https://evil.example.",
        "(https://evil.example)",
        "[x](https://evil.example),",
        "a,https://evil.example,b",
        "curl HTTPS:\\\\evil.example/x",
        "curl https:/evil.example/x",
        "curl https:evil.example",
        "go //evil.example/x now",
        "'//evil.example'",
        "\\\\evil.example\\share",
        "https://good.example@evil.example/",
        "http://good.example\\@evil.example/x",
        "url=http%3A%2F%2Fevil.example&x=1",
        "https://good.example)@evil.example/",
        "https://u:p@EVIL\u{ff0e}example:8443?x",
        "jdbc:postgresql://evil.example:5432/db",
        "git+ssh://git@evil.example/x",
        "{\"broken\": \"https:\\/\\/evil.example",
        "https://evil.example|https://good.example",
        "https://ev\til.example",
        "a https://e\u{200b}vil.example/ b",
    ] {
        assert!(facts(&json!({ "body": text })).hosts.contains("evil.example"), "{text}");
        assert!(facts(&json!({ text: 1 })).hosts.contains("evil.example"), "as a name: {text}");
    }
    for text in [
        "// a comment",
        "http: the protocol",
        "https:443, http:80",
        "C:\\dir\\file",
        "a//b",
        "://",
        "news: x",
    ] {
        let facts = facts(&json!({ "body": text }));
        assert!(facts.hosts.is_empty() && !facts.facts_cut, "{text}: {facts:?}");
    }
}

#[test]
fn a_command_is_found_wherever_it_stands_and_however_it_is_spaced() {
    for params in [
        json!({"COMMAND": "ls", "command": "rm -rf /"}),
        json!({"command": "ls", "script": "rm -rf /"}),
        json!({"args": {"command": "rm -rf /"}}),
        json!({"argv": ["rm", "-rf", "/"]}),
        json!({"argv": [["rm"], ["-rf", "/"]]}),
        json!({"args": ["rm", "-rf", "/"]}),
        json!({"args": "rm -rf /"}),
        json!({"command": "rm", "args": ["-rf", "/"]}),
        json!({"command": "rm", "arguments": "-rf /"}),
        json!({"command": "rm  -rf\t\u{a0}/ "}),
        json!({"command": "rm \\\n -rf /"}),
        json!({"command": "rm${IFS}-rf$IFS/"}),
        json!({"command": "r\u{200b}m -rf /"}),
        json!({"command": ["ls", "rm -rf /"]}),
        json!({"commands": ["ls", "rm -rf /"]}),
        json!({"command": {"line": "rm -rf /"}}),
        json!({"input": json!({"cmd": ["rm", "-rf", "/"]}).to_string()}),
        json!({"command": json!(["rm", "-rf", "/"]).to_string()}),
        json!({"key": "command", "value": "rm -rf /"}),
        json!({"program": "rm", "argv": ["-rf", "/"]}),
        json!({"command": ["rm"], "args": ["-rf", "/"]}),
        json!({"entrypoint": ["rm"], "command": ["-rf", "/"]}),
        json!({"command": {"0": "rm", "1": "-rf", "2": "/"}}),
        json!({"argv": {"1": "-rf", "0": "rm", "2": {"0": "/"}}}),
        json!({"args": {"0": "rm -rf /"}}),
        json!({"run": "rm -rf /"}),
        json!({"run": ["rm", "-rf", "/"]}),
        json!({"run": {"0": "rm", "1": "-rf", "2": "/"}}),
        json!({"run": {"script": "rm -rf /"}}),
        json!({"command": "r\"\"m -rf /"}),
        json!({"command": "r''m '-rf' /"}),
        json!({"command": "r\\m -rf /"}),
        json!({"command": "\"rm\" \"\" -rf \"/\""}),
        json!({"command": "rm", "args": ["\"-rf\"", "/"]}),
    ] {
        let facts = facts(&params);
        assert!(facts.commands.contains("rm -rf /"), "{params}: {facts:?}");
        assert!(facts.commands.contains(&facts.command) && !facts.facts_cut, "{params}");
    }
    let beside = facts(&json!({"command": {"line": "git status", "cwd": "/tmp"}, "shell": true}));
    assert_eq!(beside.commands, ["git status".to_owned()].into());
    let a_thing = facts(&json!({"run": {"id": "run_1", "state": "done"}, "dry_run": "yes"}));
    assert!(a_thing.commands.is_empty() && !a_thing.facts_cut, "{a_thing:?}");
    let quoted = facts(&json!({"command": "echo \"a  b\""}));
    assert_eq!(quoted.commands, ["echo \"a b\"".to_owned(), "echo a b".to_owned()].into());
    assert_eq!(quoted.command, "echo \"a b\"", "as it was told");
    assert_eq!(quoted.commands_read, ["echo a b".to_owned()].into(), "nobody told it");
    let both = facts(&json!({"commands": ["echo \"a b\"", "echo a b"]}));
    assert!(!both.commands_read.contains("echo a b"), "somebody told it: {both:?}");
}

/// Frameworks give a tool that takes one text that text alone, without the name of its parameter.
#[test]
fn a_text_that_is_all_that_a_tool_gets_is_a_command_too() {
    for params in [
        json!({"input": "rm  -rf /"}),
        json!({"__arg1": "rm -rf /"}),
        json!({"tool_input": "rm -rf /"}),
        json!({"input": json!({"__arg1": "rm -rf /"}).to_string()}),
        json!({"input": "{'__arg1': 'rm -rf /'}"}),
        json!({"input": "\"rm -rf /\""}),
        json!({"input": "[\"rm\", \"-rf\", \"/\"]"}),
        json!({"input": ["rm", "-rf", "/"]}),
        json!(["rm", "-rf", "/"]),
        json!("rm -rf /"),
    ] {
        let known = facts(&params);
        assert_eq!((known.command.as_str(), known.facts_cut), ("rm -rf /", true), "{params}");
        let text = params.to_string();
        let raw = Raw { params: Some(&text), ..Raw::default() };
        let other = screen(&TenantKey::new("key_1", [7; 32]), raw).expect("is JSON").param_facts;
        assert!(other.commands.is_empty(), "what an agent is asked runs nothing: {params}");
    }
    assert_eq!(facts(&json!({"input": "https://evil.example/x"})).url_host, "evil.example");
    for named in [json!({"query": "rm -rf /"}), json!({"input": {"query": "rm -rf /"}})] {
        assert!(facts(&named).commands.is_empty(), "{named}");
    }
}

/// A shell leaves U+0000 out, a terminal others; and what stands for bytes that were no text may have been any of them.
#[test]
fn what_cannot_be_read_within_a_fact_hides_none() {
    for c in ['\0', '\u{1}', '\u{8}', '\u{1b}', '\u{7f}', '\u{9b}', '\u{fffd}'] {
        let joined = json!({"command": format!("r{c}m -rf /")});
        for params in [
            joined.clone(),
            json!({ "input": joined.to_string() }),
            json!({"command": format!("rm{c} -rf /")}),
            json!({"command": format!("rm{c}-rf{c}/")}),
            json!({"argv": [format!("r{c}m"), "-rf", "/"]}),
            json!({"command": "rm", "args": format!("-r{c}f /")}),
            json!({"input": format!("r{c}m -rf /")}),
        ] {
            let facts = facts(&params);
            assert!(facts.commands.contains("rm -rf /") && facts.facts_cut, "{params}: {facts:?}");
        }
        let table = facts(&json!({"table": format!("cus{c}tomers")}));
        assert!(table.tables.contains("customers") && table.facts_cut, "{table:?}");
        let to = facts(&json!({"to": format!("bob@ev{c}il.example")}));
        assert!(to.recipients.contains("evil.example") && to.facts_cut, "{to:?}");
        let url = facts(&json!({"url": format!("https://evil.example/ad{c}min/x")}));
        assert!(url.urls.iter().any(|url| url.path == "/admin/x") && url.facts_cut, "{url:?}");
    }
    for plain in [
        json!({"command": "rm -rf /\t-v\r\n"}),
        json!({"body": "\u{1b}[31mred\u{fffd}", "command": "ls"}),
        json!({"command": "ls", "description": "\u{1b}[31mred"}),
    ] {
        assert!(!facts(&plain).facts_cut, "no fact is in it: {plain}");
    }
}

#[test]
fn tables_and_recipients_are_found_wherever_they_stand() {
    for params in [
        json!({"table": "Users"}),
        json!({"table": "orders", "TABLE": " \"users\" "}),
        json!({"tables": ["orders", "`users`"]}),
        json!({"kwargs": {"table_name": "[users]"}}),
        json!({"input": "{\"tableName\": \"USERS\"}"}),
        json!({"table": "public.users"}),
        json!({"table": "\"shop\".\"Public\".\"Users\""}),
        json!({"tables": ["[dbo].[users]"]}),
        json!({"table": {"0": "db.users"}}),
    ] {
        assert!(facts(&params).tables.contains("users"), "{params}");
    }
    for params in [
        json!({"TO": "bob@EVIL.example"}),
        json!({"message": {"cc": [{"address": "Bob <bob@evil.example.>"}]}}),
        json!({"input": "{\"to_emails\": [\"bob@evil.example\"]}"}),
        json!({"to": "bob\u{ff20}evil\u{3002}example"}),
        json!({"to": "bob%40evil.example"}),
        json!({"to": "\"a@good.example\"@evil.example"}),
        json!({"to": "@evil.example"}),
        json!({"to": {"user": "bob", "domain": "evil.example"}}),
        json!({"link": "mailto:bob@evil.example"}),
        json!([{"name": "to", "value": "bob@evil.example"}]),
        json!({"to": "bob @ evil.example"}),
        json!({"to": "bob@ evil.example, eve@good.example"}),
        json!({"to": {"0": "bob\t@evil.example"}}),
    ] {
        assert!(facts(&params).recipients.contains("evil.example"), "{params}: {:?}", facts(&params));
    }
    let whose = facts(&json!({"table": "Public.Users"}));
    assert_eq!(whose.tables, ["public.users".to_owned(), "users".to_owned()].into());
    assert_eq!(whose.table, "public.users");
    assert_eq!(whose.tables_read, ["users".to_owned()].into(), "nobody told it");
    for both in [json!({"tables": ["public.users", "users"]}), json!({"tables": ["users", "public.users"]})] {
        assert!(facts(&both).tables_read.is_empty(), "{both}");
    }
    assert_eq!(
        facts(&json!({"to": "bob@ home, eve@good.example"})).recipients,
        ["good.example".to_owned()].into()
    );
    assert_eq!(facts(&json!({"to": "bob@[127.0.0.1]"})).recipients, ["127.0.0.1".to_owned()].into());
    assert_eq!(facts(&json!({"to": "bob@[IPv6:::1]"})).recipients, ["::1".to_owned()].into());
}

#[test]
fn what_cannot_be_read_or_is_too_much_says_so() {
    let many = |name: &str| json!({ name: (0..65).map(|n| format!("x{n} -y")).collect::<Vec<_>>() });
    let deep = |inner: Value| (0..70).fold(inner, |inner, _| json!([inner]));
    let deeper = deep(json!(deep(json!({"url": "https://evil.example"})).to_string()));
    for params in [
        json!({"url": "https://$(echo evil).example/"}),
        json!({"body": "curl https://${HOST}/x"}),
        json!({"url": "https://[::1%25eth0]/"}),
        json!({"host": "%zz"}),
        json!({"input": "{'command': 'rm -rf /'}"}),
        json!({"input": "[\"rm\", \"-rf\""}),
        // What came as one text has no names.
        json!({"input": "command: rm -rf /"}),
        json!({"input": "<command>rm -rf /</command>"}),
        json!({"input": "rm -rf /"}),
        json!({"input": "[\"rm\", \"-rf\", \"/\"]"}),
        json!({"input": "\"rm -rf /\""}),
        json!("rm -rf /"),
        json!(["rm", "-rf", "/"]),
        json!(["rm -rf /", {"url": "https://good.example"}]),
        json!({"to": "bob@(a comment)evil.example"}),
        json!({"command": "x".repeat(20_000)}),
        json!({"command": "x".repeat(200_000)}),
        json!({"commands": [vec!["y".repeat(12_000)], vec!["z".repeat(12_000)], vec!["w".repeat(12_000)]]}),
        many("commands"),
        many("tables"),
        json!({"body": (0..2_000).map(|_| "https://h.example ").collect::<String>()}),
        deeper,
    ] {
        let facts = facts(&params);
        let shown: String = params.to_string().chars().take(100).collect();
        assert!(facts.facts_cut, "{shown}");
        assert!(facts.commands.len() <= 64 && facts.tables.len() <= 64 && facts.hosts.len() <= 64);
        assert!(facts.commands.iter().map(String::len).sum::<usize>() <= 32_768);
    }
    // It may be a command, and one that somebody runs who drops what nobody reads.
    for params in [
        json!({"input": "rm -rf /"}),
        json!({"input": "\"rm -rf /\""}),
        json!({"input": "[\"rm\", \"-rf\", \"/\"]"}),
        json!({"__arg1": "rm -rf /"}),
        json!({"input": ["rm", "-rf", "/"]}),
        json!({"input": {"0": "rm", "1": "-rf", "2": "/"}}),
        json!({"input": {"input": "rm -rf /"}}),
        json!("rm -rf /"),
        json!("\"rm -rf /\""),
        json!(["rm", ["-rf"], "/"]),
        json!({"0": "rm", "1": "-rf", "2": "/"}),
        json!(["echo", "rm -rf /"]),
        json!(["rm -rf /", {"url": "https://good.example"}]),
        json!({"command": "r\u{0}m -rf /"}),
        json!({"command": "rm\u{fffd} -rf /"}),
        json!({"args": ["rm", "-r\u{0}f", "/"]}),
    ] {
        let facts = facts(&params);
        assert!(facts.commands.contains("rm -rf /") && facts.facts_cut, "{params}: {facts:?}");
    }
    let plain = facts(
        &json!({"q": "what is [x] and {y}?", "url": "https://good.example", "domain": "machine learning"}),
    );
    assert!(!plain.facts_cut);
    for named in [
        json!({"input": ""}),
        json!({"input": "{\"q\": \"a text\"}"}),
        json!({"input": json!("{\"q\": \"a text\"}").to_string()}),
        json!({"input": "a text", "n": 1}),
        json!({"input": 5}),
        json!([1, 2]),
        json!([{"q": "a text"}]),
        json!(5),
        json!(""),
        json!({"q": "a text"}),
        json!({"1001": "ship to Bob"}),
        json!({"2024": "five", "2025": "six"}),
        json!({"input": {"17": "a text", "18": "another"}}),
    ] {
        let facts = facts(&named);
        assert!(!facts.facts_cut && facts.commands.is_empty(), "{named}");
    }
    for asked in
        [json!({"input": "what is new?"}), json!({"input": ["tell me", "all"]}), json!("hello there")]
    {
        let text = asked.to_string();
        let raw = Raw { params: Some(&text), ..Raw::default() };
        let screened = screen(&TenantKey::new("key_1", [7; 32]), raw).expect("is JSON");
        assert!(!screened.param_facts.facts_cut && !screened.content.truncated, "{asked}");
    }
}

#[test]
fn no_fact_holds_a_secret() {
    let token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
    for params in [
        json!({ "url": format!("https://{token}.example/{token}") }),
        json!({ "url": format!("https://h.example/%67{}", &token[1..]) }),
        json!({ "host": token }),
        json!({ "table": token }),
        json!({ "to": format!("bob@{token}.example") }),
        json!({ "command": format!("x\u{200b} {}\u{200b}{}", &token[..7], &token[7..]) }),
        json!({ "command": format!("x {}\"\"{}", &token[..7], &token[7..]) }),
    ] {
        let kept = format!("{:?}", facts(&params)).to_lowercase();
        assert!(!kept.contains(&token.to_lowercase()), "{kept}");
    }
    // Without its quotes it would end with the first word.
    let quoted = format!("{:?}", facts(&json!({"command": "login password='correct horse battery'"})));
    assert!(!quoted.contains("horse"), "{quoted}");
}

/// Parameters that are made to be slow.
#[test]
fn hostile_parameters_take_no_longer_than_others() {
    let size = 60_000;
    for piece in
        ["http:a", "https://", "//a", "a@", "@", "://", ":", "/", "\\", "{", "[\"", "x ", "%40", "http://a@"]
    {
        let text = piece.repeat(size / piece.len());
        for name in ["url", "host", "command", "table", "to", "body"] {
            let _ = facts(&json!({ name: text }));
        }
    }
    let nested = (0..60).fold(json!("x y ".repeat(size / 4)), |inner, _| json!([inner]));
    let _ = facts(&json!({ "command": nested }));
    let twice: Vec<_> = (0..2_000).map(|n| format!("\"cmd\":\"a{n}\",\"args\":[\"b{n}\"]")).collect();
    let twice = twice.join(",");
    assert!(facts(&json!({ "input": format!("{{{twice}}}") })).facts_cut);
}

const TOKEN: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";

/// The token with each character as it is, escaped, or with characters that nobody sees around it.
fn spelt() -> impl Strategy<Value = String> {
    let spelling = |c: char| {
        let code = u32::from(c);
        prop_oneof![
            4 => Just(c.to_string()),
            1 => Just(format!("\\u{code:04x}")),
            1 => Just(format!("\\u{code:04X}")),
            1 => Just(format!("\\\\u{code:04x}")),
            1 => Just(format!("\\x{code:02x}")),
            1 => Just(format!("{c}\u{200b}")),
            1 => Just(format!("\u{feff}{c}\u{ad}")),
            1 => Just(format!("{c}\\u200d")),
            1 => Just(format!("\\u005cu{code:04x}")),
        ]
    };
    TOKEN.chars().map(spelling).collect::<Vec<_>>().prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_token_is_not_kept_however_it_is_spelt(
        spelt in spelt(), before in prop_oneof![Just(""), Just("{\"a\": \""), Just("[{\"role\":\"user\",\"content\":\"hi\\n"), Just("\u{200b} x ")],
        after in prop_oneof![Just(""), Just("\", "), Just(" \u{200b}")],
    ) {
        let text = format!("{before}{spelt}{after}");
        for kept in [redact_text(&text), redact_json(&json!({ "a": text }).to_string()).expect("is JSON")] {
            prop_assert!(kept.value.contains("<REDACTED:GIT_TOKEN>"), "{}", kept.value);
            let seen = super::unveil::unveil(&kept.value).unwrap_or(kept.value);
            prop_assert!(!seen.contains(TOKEN) && !seen.contains(&TOKEN[4..]), "{}", seen);
        }
        let once = redact_text(&text).value;
        prop_assert_eq!(redact_text(&once).value, once);
    }
}

#[test]
fn a_text_without_a_secret_keeps_what_nobody_sees() {
    for text in [
        "\u{645}\u{6cc}\u{200c}\u{62e}",
        "\u{1f469}\u{200d}\u{1f4bb}",
        "{\"a\": \"\\u00e4\\n",
        "C:\\new\\table",
    ] {
        assert_eq!(redact_text(text).value, text);
    }
    assert_eq!(
        redact_json("{\"pass\u{200b}word\": \"hunter2\"}").expect("is JSON").value,
        "{\"pass\u{200b}word\": \"<REDACTED:PASSWORD>\"}"
    );
}
