//! Secrets under the names and in the forms that they have every day, and texts that look a little like them.

use super::{redact_json, redact_text};
use serde_json::json;

/// Stands for a secret: nothing else in a text looks like it.
const V: &str = "Zx9QwErTy7";

/// Texts with `VV` in the place of `V`, and what is kept of each.
#[rustfmt::skip]
pub(super) const TEXTS: &[(&str, &str)] = &[
    ("PGPASSWORD=VV psql -h db", "PGPASSWORD=<PASSWORD> psql -h db"),
    ("export DB_PASS=VV", "export DB_PASS=<PASSWORD>"),
    ("SMTP_PASS_2: VV", "SMTP_PASS_2: <PASSWORD>"),
    ("password1=VV&x=1", "password1=<PASSWORD>&x=1"),
    ("API_KEY_PROD=VV", "API_KEY_PROD=<API_KEY>"),
    // What is a name of a secret is one in every shape.
    ("deploy_key=VV ssh-key: VV", "deploy_key=<API_KEY> ssh-key: <API_KEY>"),
    ("<storage-key>VV</storage-key>", "<storage-key><API_KEY></storage-key>"),
    ("run --webhook-key VV", "run --webhook-key <API_KEY>"),
    ("jwt: VV", "jwt: <JWT>"),
    ("bearer=VV", "bearer=<BEARER_TOKEN>"),
    ("pass=VV&x=1", "pass=<PASSWORD>&x=1"),
    ("pass: VV", "pass: <PASSWORD>"),
    ("pass=swordfish", "pass=<PASSWORD>"),
    ("smtp.pass = VV", "smtp.pass = <PASSWORD>"),
    ("{ user: 'bob', pass: 'VV' }", "{ user: 'bob', pass: '<PASSWORD>' }"),
    ("x --pass VV y", "x --pass <PASSWORD> y"),
    ("session_id=VV; path=/", "session_id=<TOKEN>; path=/"),
    ("password := \"VV\"", "password := \"<PASSWORD>\""),
    ("if password == \"VV\" {", "if password == \"<PASSWORD>\" {"),
    ("if password==\"VV\" {", "if password==\"<PASSWORD>\" {"),
    ("token === 'VV'", "token === '<TOKEN>'"),
    ("if (API_KEY == VV)", "if (API_KEY == <API_KEY>)"),
    // What sets the environment of a process.
    ("os.environ['DB_PASSWORD'] = 'VV'", "os.environ['DB_PASSWORD'] = '<PASSWORD>'"),
    ("config[\"api_key\"]=\"VV\"", "config[\"api_key\"]=\"<API_KEY>\""),
    ("os.environ.setdefault('DB_PASSWORD', 'VV')", "os.environ.setdefault('DB_PASSWORD', '<PASSWORD>')"),
    ("os.putenv(\"TOKEN\", \"VV\")", "os.putenv(\"TOKEN\", \"<TOKEN>\")"),
    ("FROM scratch\nENV DB_PASSWORD VV\nRUN x", "FROM scratch\nENV DB_PASSWORD <PASSWORD>\nRUN x"),
    ("setx DB_PASSWORD VV", "setx DB_PASSWORD <PASSWORD>"),
    ("set -gx DB_PASSWORD VV", "set -gx DB_PASSWORD <PASSWORD>"),
    // XML.
    ("<password>VV</password>", "<password><PASSWORD></password>"),
    ("<wsse:Password Type=\"x\">VV</wsse:Password>", "<wsse:Password Type=\"x\"><PASSWORD></wsse:Password>"),
    ("<secret><![CDATA[VV x]]></secret>", "<secret><![CDATA[<SECRET>]]></secret>"),
    ("&lt;password&gt;VV&lt;/password&gt;", "&lt;password&gt;<PASSWORD>&lt;/password&gt;"),
    ("<db><password>VV", "<db><password><PASSWORD>"),
    ("<add key=\"password\" value=\"VV\"/>", "<add key=\"password\" value=\"<PASSWORD>\"/>"),
    ("<add value='VV' key='password'/>", "<add value='<PASSWORD>' key='password'/>"),
    ("<entry key=\"db.password\">VV</entry>", "<entry key=\"db.password\"><PASSWORD></entry>"),
    ("<key>password</key>\n<string>VV</string>", "<key>password</key>\n<string><PASSWORD></string>"),
    ("<name>api-key</name><value>VV</value>", "<name>api-key</name><value><API_KEY></value>"),
    // YAML.
    ("password: |\n  VV\n  more\nuser: x", "password: |\n  <PASSWORD>\nuser: x"),
    ("db:\n  password: >-\n\n    VV\n  user: x", "db:\n  password: >-\n\n    <PASSWORD>\n  user: x"),
    // Files and flags of tools.
    ("machine x login bob password VV", "machine x login bob password <PASSWORD>"),
    ("machine x\n  login bob\n  password VV\n", "machine x\n  login bob\n  password <PASSWORD>\n"),
    ("sshpass -p VV ssh -p 22 x", "sshpass -p <PASSWORD> ssh -p 22 x"),
    ("sshpass -pVV ssh x", "sshpass -p<PASSWORD> ssh x"),
    ("sshpass -p 'VV x' ssh y", "sshpass -p '<PASSWORD>' ssh y"),
    ("mysql -ubob -pVV db", "mysql -ubob -p<PASSWORD> db"),
    ("mysqldump -h \"a b\" -p'VV' db > x", "mysqldump -h \"a b\" -p'<PASSWORD>' db > x"),
    ("/usr/bin/mysql \\\n  -pVV", "/usr/bin/mysql \\\n  -p<PASSWORD>"),
    ("redis-cli -h x -a VV ping", "redis-cli -h x -a <PASSWORD> ping"),
    ("mongosh --port 1 -u x -p VV", "mongosh --port 1 -u x -p <PASSWORD>"),
    ("docker login -u x -p VV registry", "docker login -u x -p <PASSWORD> registry"),
    ("sqlcmd -S x -P VV", "sqlcmd -S x -P <PASSWORD>"),
    ("zip -P VV a.zip b", "zip -P <PASSWORD> a.zip b"),
    ("ldapsearch -D x -w VV", "ldapsearch -D x -w <PASSWORD>"),
    ("keytool -storepass VV -alias x", "keytool -storepass <PASSWORD> -alias x"),
    ("openssl rsa -passin pass:VV", "openssl rsa -passin <PASSWORD>"),
    // Escaped for a URL.
    ("https://x/?next=%2Fy%3Ftoken%3DVV", "https://x/?next=/y?token=<TOKEN>"),
];

#[test]
fn secrets_under_everyday_names_and_forms_are_removed() {
    for (text, kept) in TEXTS {
        let (text, kept) = (text.replace("VV", V), marked(kept));
        assert_eq!(redact_text(&text).value, kept, "{text}");
        assert_eq!(redact_text(&kept).value, kept, "twice: {text}");
        let carried = redact_json(&json!({ "note": text }).to_string()).expect("is JSON").value;
        assert!(!carried.contains(V), "{carried}");
    }
}

/// `<PASSWORD>` stands for its marker.
fn marked(kept: &str) -> String {
    ["PASSWORD", "API_KEY", "JWT", "BEARER_TOKEN", "TOKEN", "SECRET"]
        .iter()
        .fold(kept.to_owned(), |kept, class| {
            kept.replace(&format!("<{class}>"), &format!("<REDACTED:{class}>"))
        })
}

#[test]
fn fields_and_lists_of_words_are_read_in_the_same_way() {
    for params in [
        json!({"env": {"PGPASSWORD": V}}),
        json!({"DB_PASS": V}),
        json!({"password1": V}),
        json!({"user": "bob", "pass": V}),
        json!({"smtpPass": V}),
        json!({"jwt": V}),
        json!({"bearer": V}),
        json!({"session_id": V}),
        json!({"headers": {"Mcp-Session-Id": V}}),
        json!({"argv": ["sshpass", "-p", V, "ssh", "x"]}),
        json!({"argv": ["/usr/bin/mysql", "-ubob", format!("-p{V}"), "db"]}),
        json!({"argv": ["sudo", "docker", "login", "-p", V]}),
        json!({"program": "mysql", "args": ["-ubob", format!("-p{V}")]}),
        json!({"command": format!("mysql -ubob -p{V} db")}),
    ] {
        let kept = redact_json(&params.to_string()).expect("is JSON").value;
        assert!(!kept.contains(V) && kept.contains("<REDACTED:"), "{kept}");
        assert_eq!(redact_json(&kept).expect("is JSON").value, kept);
    }
    assert_eq!(
        redact_json(&json!(["mysql", format!("-p{V}"), "db"]).to_string()).expect("is JSON").value,
        r#"["mysql","-p<REDACTED:PASSWORD>","db"]"#
    );
}

#[test]
fn tokens_of_more_vendors_and_escaped_ones_are_found() {
    let (hex, mixed) = ("0123456789abcdef".repeat(4), "aB3dE5gH7j".repeat(7));
    for token in [
        format!("glsa_{}_deadbeef", &mixed[..32]),
        format!("dp.pt.{}", &mixed[..43]),
        format!("lin_api_{}", &mixed[..40]),
        format!("sntrys_eyJ{}", &mixed[..60]),
        format!("figd_{}", &mixed[..40]),
        format!("AGE-SECRET-KEY-1{}", "QPZRY9X8GF".repeat(5)),
        format!("SK{}", &hex[..32]),
        format!("ntn_{}", &mixed[..46]),
        format!("PMAK-{}-{}", &hex[..24], &hex[..34]),
        format!("ghp%5F{}", &mixed[..36]),
        format!("%67hp%255F{}", &mixed[..36]),
        format!("glpat%2D{}", &mixed[..20]),
    ] {
        let kept = redact_text(&format!("https://x.example/?a={token}&b=1")).value;
        let body = &token[token.len() - 20..];
        assert!(
            !kept.contains(body) && kept.contains("<REDACTED:") && kept.ends_with("&b=1"),
            "{token}: {kept}"
        );
    }
}

#[test]
fn a_card_is_one_with_whatever_stands_between_its_digits() {
    for between in ["", " ", "-", ".", "/", "_", "\u{a0}", "\u{2009}", "\u{202f}", "\u{2011}", "\u{2013}"] {
        let card = ["4111", "1111", "1111", "1111"].join(between);
        assert_eq!(redact_text(&format!("card {card}, please")).value, "card <REDACTED:CARD_NUMBER>, please");
    }
    assert_eq!(redact_text("amex 3782.822463.10005").value, "amex <REDACTED:CARD_NUMBER>");
    for text in [
        "4111.1111.1111.1112",
        "1.4111.1111.1111.1111",
        "4111.1111.1111.1111.2",
        "4.111.111.111.111.111",
        "0.4111111111111111",
        "12.4111 1111 1111 1111",
        "4111/1111-1111_1111",
        "2026.11.28 10.20.30.123456",
    ] {
        assert_eq!(redact_text(text).value, text);
    }
}

/// What the shapes of this page look at, and what is none of theirs.
#[test]
fn ordinary_texts_stay_as_they_are() {
    for text in [
        // Prose.
        "Pass the salt, please; the pass is closed: take the other one.",
        "All tests pass: nothing to do. You shall not pass!",
        "PASS: TestParse2 (0.00s)\nPASS: 12\nFAIL: 1\npass=12 fail=0",
        "--- PASS: TestUser1 (0.01s)",
        "pass=yes fail=no, pass: 'ok', \"pass\": \"yes\"",
        "pass = shadow\nrender_pass = depth; self.pass = next",
        "ffmpeg -i a.wav -af \"highpass=f=200,lowpass=f=3000\" b.wav",
        "ffmpeg -i a.mov -pass 1 -b:v 1M -passlogfile x b.mp4",
        "forward_pass: \"relu6\" test_pass=\"true\" season_pass: \"2026ab\" HIGHPASS=200Hz",
        "bypass: on, compass: north, passport: none, passenger: Bob",
        "The bearer is entitled to a seat, and a JWT is three parts with dots.",
        "A session id is not a conversation id; sessions: 12",
        "conversation_id=c-7f3a9b21 thread_id: t-99aa88bb",
        "Use <password> and <token> in place of yours, as in psql -U <user>.",
        "Type <b>password</b>, then press <i>return</i>.",
        "<label id=\"password\">Password</label> <input name=\"password\" type=\"password\">",
        "<input name=\"token\" value=\"\"> <password/> <password></password>",
        "The machine that login and password fields are on",
        "a machine learning login page with a password field",
        "[password]: https://docs.example/passwords/reset2",
        "if token == nil || password == null {",
        // Code that reads a language.
        "if token == \"EOF\" { if token == '+' { if tok.token === \"function\" {",
        "if token==\"EOF\" || next_token == \"identifier_reference_list\" || token === 'StringLiteral' {",
        "if token == END_OF_THE_WHOLE_INPUT || token == \"Float64\" || token == 'BigInt64Array' {",
        "if auth == \"basic\" || auth == 'oauth2' || secret == \"x\" || cookie == \"accepted\" {",
        // Commands.
        "mysql -u bob -p db",
        "mysql -P3306 --protocol=tcp -ubob db",
        "mysql -p$DB_PASSWORD -h x; mysql -p\"${PASS}\" db; mysql -p$(cat secret) db",
        "mysql is a database; use mysql -h host and sshpass with care",
        "docker run -p 8080:80 image; docker run -p'8080:80' image",
        "sshpass -e ssh -p 22 host",
        "ssh -p 2222 host; mkdir -p a/b; cp -p a b; nc -w 5 h 80",
        "redis-cli -a $REDIS_PASSWORD ping",
        "zip -r a.zip b; unzip -P <password> a.zip",
        "go test -run x --pass-with-no-tests -passive",
        "bob ALL=(ALL) NOPASSWD: /usr/bin/apt2 update",
        // Files of settings.
        "description: |\n  a text of several\n  lines\n",
        "secret: |\nnot indented, so it is no block",
        "| password | the password of the user |",
        "ENV PATH /usr/bin\nsetx PATH x",
        // URLs, numbers, identifiers.
        "https://x.example/a%20b?q=100%25&c=%C3%A9&d=%5Bx%5D",
        "SELECT * FROM t WHERE a LIKE '%abc%' AND b = '%5d'",
        "SKU1234567890, SK-learn, figd, dp.pt, sntrys, lin_api, glsa_, AGE-SECRET-KEY",
        "glc_create_new_framebuffer_object configd_some_long_identifier_name",
    ] {
        assert_eq!(redact_text(text).value, text);
    }
    for value in [
        json!({"conversation_id": "0b1c9d2e-6a77-4c1e-9a55-5a3f7d2b8c10", "thread_id": "t-99aa88bb"}),
        json!({"session": {"id": 7, "name": "morning"}, "session_count": 3, "bypass": "yes", "passed": 12}),
        json!({"argv": ["mysql", "-u", "bob", "-p", "db"], "ports": ["docker", "run", "-p", "8080:80"]}),
        json!({"tools": ["mysql", "zip", "docker"], "argv": ["mysql", "-p<password>"], "auth0": "tenant"}),
        json!({"program": "mkdir", "args": ["-p", "a1b2c3d4"]}),
        json!({"highpass": "200 Hz", "lowpass": "3 kHz", "render_pass": "shadow", "season_pass": "2026/27"}),
        json!({"pass1": "a first draft", "pass_2": "a second draft", "test_pass": "true", "backward_pass": "12 ms"}),
        json!({"pass": "yes", "reason": "it is right"}),
        json!({"pass": 12, "fail": 3}),
    ] {
        assert_eq!(redact_json(&value.to_string()).expect("is JSON").value, value.to_string());
    }
}
