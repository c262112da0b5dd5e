//! Secrets beside their names in other orders and in other languages, and apart from the command that reads them; and
//! what looks alike and holds none. `VV` stands for what must go.

use super::{
    answers::{go, go_in_json, stay, stay_in_json},
    redact_text,
};

#[test]
fn pairs_that_are_turned_or_have_something_between_them_go() {
    go(&[
        "env:\n- value: VV\n  name: DB_PASSWORD\n- name: A\n",
        "- value: \"VV\"\n  # of the database\n  name: API_TOKEN\n",
        "- name: DB_PASSWORD\n  # of the database\n  value: VV\n",
        "- name: DB_PASSWORD # of the database\n  value: VV\n",
        "set name=DB_PASSWORD value=VV",
        "key=\"api_token\", val=\"VV\"",
        "password: !!str VV",
        "password: &pw VV",
        "Authorization: Digest username=\"bob\", realm=\"x\", nonce=\"y\", response=\"VV\"",
        "document.cookie=\"sid=VV; path=/\"",
        "document.cookie += 'sid=VV'",
        "git clone //bob:VV@h/x",
        "psql bob:VV@localhost:5432/db",
        "dsn := \"bob:VV@tcp(127.0.0.1:3306)/db\"",
        "curl \\\n  -u \\\n  bob:VV https://h",
        "curl -s --user \\\nbob:VV https://h",
    ]);
    go_in_json(&[r#"{"k":"password","v":"VV"}"#, r#"{"headers":[{"key":"X-Api-Key","val":"VV"}]}"#]);
    assert_eq!(redact_text("password: !!str swordfish").value, "password: !!str <REDACTED:PASSWORD>");
    stay(&[
        "- value: Ab3xY9zQ1\n  name: MODE\n- name: DB_PASSWORD\n  valueFrom: x1\n",
        "- name: A\n  value: Ab3xY9zQ1\n- name: DB_PASSWORD\n  valueFrom:\n    key: x1\n",
        "- value: $(DB_PASSWORD1)\n  name: DB_PASSWORD\n",
        "fn f(password: &str, token: &Token) {}",
        "let password: &str = name;\nfn g(password: &dyn Secret2a) {}",
        "name=password value=changed; key=token value=word",
        "a digest of it; response=200 and response=\"ok\"",
        "document.cookie = \"theme=dark; path=/\"; document.cookie = `sid=${sid2}`",
        "// a comment: bob@x\n//cdn.h.example/a:1@2x\n//TODO:ask@bob",
        "redis:7.2@localhost is an image; nginx:1.25@sha256:9f86d081884c7d65",
        "listen h:5432/db; dev:3000@h:54321",
        "docker run -u \\\n  node:node img",
    ]);
    stay_in_json(&[r#"{"k":"mode","v":"Zx9QwErTy7"}"#, r#"{"v":"Zx9QwErTy7","n":1}"#]);
}

#[test]
fn what_is_piped_to_a_command_that_reads_a_password_goes() {
    go_in_json(&[
        r#"{"cmd":"docker login -u bob --password-stdin","stdin":"VV"}"#,
        r#"{"args":["login","-u","bob","--password-stdin"],"program":"docker","stdin":"VV\n"}"#,
        r#"{"input":"VV","command":"sudo -S apt update"}"#,
        r#"{"command":"sudo passwd bob","stdin":"VV\nVV\n"}"#,
        r#"{"prompt":"Password:","input":"VV"}"#,
        r#"{"question":"What is your password?","answer":"VV"}"#,
    ]);
    stay_in_json(&[
        r#"{"cmd":"docker login -u bob","stdin":"Zx9QwErTy7"}"#,
        r#"{"cmd":"sudo -S apt install x","stdin":"y\n"}"#,
        r#"{"cmd":"cat /etc/passwd","input":"Zx9QwErTy7"}"#,
        r#"{"cmd":"passwd --help","input":"a text of several words"}"#,
        r#"{"prompt":"How do I reset a password?","text":"Step1"}"#,
        r#"{"prompt":"Write a function that checks a password","input":"python3"}"#,
    ]);
}

#[test]
fn names_of_a_password_are_known_in_more_languages() {
    go(&[
        "heslo: VV",
        "jelsz\u{f3}=VV",
        "jelszo: VV",
        "salasana: VV",
        "adgangskode = VV",
        "passord: VV",
        "lozinka: VV",
        "\u{15f}ifre: VV",
        "SIFRE=VV",
        "kata_sandi=VV",
        "Kata sandi: VV",
        "m\u{1ead}t kh\u{1ea9}u: VV",
        "M\u{1ead}t kh\u{1ea9}u = VV",
        "\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{430}: VV",
        "\u{41b}\u{43e}\u{437}\u{438}\u{43d}\u{43a}\u{430}: VV",
        "\u{3ba}\u{3c9}\u{3b4}\u{3b9}\u{3ba}\u{3cc}\u{3c2} \u{3c0}\u{3c1}\u{3cc}\u{3c3}\u{3b2}\u{3b1}\u{3c3}\u{3b7}\u{3c2}: VV",
        "\u{3c3}\u{3c5}\u{3bd}\u{3b8}\u{3b7}\u{3bc}\u{3b1}\u{3c4}\u{3b9}\u{3ba}\u{3cc}: VV",
        "\u{5e1}\u{5d9}\u{5e1}\u{5de}\u{5d4}: VV",
        "\u{643}\u{644}\u{645}\u{629} \u{627}\u{644}\u{645}\u{631}\u{648}\u{631}: VV",
        "\u{643}\u{644}\u{645}\u{629} \u{627}\u{644}\u{633}\u{631}=VV",
        "\u{631}\u{645}\u{632} \u{639}\u{628}\u{648}\u{631}: VV",
    ]);
    go_in_json(&[
        r#"{"heslo":"VV"}"#,
        "{\"m\u{1ead}t kh\u{1ea9}u\":\"VV\"}",
        "{\"\u{5e1}\u{5d9}\u{5e1}\u{5de}\u{5d4}\":\"VV\"}",
    ]);
    stay(&[
        "parola: Ab3xY9zQ1",
        "Sandi Metz: Ab3xY9zQ1",
        "\u{39a}\u{3c9}\u{3b4}\u{3b9}\u{3ba}\u{3cc}\u{3c2} \u{3c0}\u{3c1}\u{3bf}\u{3ca}\u{3cc}\u{3bd}\u{3c4}\u{3bf}\u{3c2}: Ab3xY9zQ1",
    ]);
}

#[test]
fn what_is_bound_to_a_statement_in_code_goes() {
    go(&[
        "cur.execute(\"INSERT INTO users (name, password) VALUES (%s, %s)\", (\"bob\", \"VV\"))",
        "cur.execute(\"\"\"\n  UPDATE users SET password = %s\n  WHERE id = %s\"\"\", ('VV', 7))",
        "await db.query('UPDATE users SET password=$2 WHERE id=$1', [7, 'VV'])",
        "db.Exec(`INSERT INTO users (name, api_key) VALUES (?, ?)`, user.name, \"VV\")",
    ]);
    stay(&[
        "cur.execute(\"INSERT INTO users (name, password) VALUES (%s, %s)\", (name, password))",
        "cur.execute(\"SELECT name FROM users WHERE id = %s\", (\"Zx9QwErTy7\",))",
        "cur.execute(\"UPDATE users SET name = ? WHERE id = ?\", (\"Zx9QwErTy7\", 7))",
        "say(\"select the password of yours\", \"Zx9QwErTy7\")",
    ]);
}
