//! Secrets as tools answer them: hashed, in tables, in rows of JSON, in what describes a cluster; and answers that look
//! alike and hold none.

use super::{redact_json, redact_text};
use serde_json::json;

/// Stands for a secret: nothing else in a text looks like it.
const V: &str = "Zx9QwErTy7";

/// What is kept of a text, by itself and within JSON.
fn kept(text: &str) -> [String; 2] {
    let kept = redact_text(text).value;
    assert_eq!(redact_text(&kept).value, kept, "twice: {text:?}");
    let carried = redact_json(&json!({ "a": [text] }).to_string()).expect("is JSON").value;
    [kept, carried]
}

/// `VV` in each text stands for what must go.
pub(super) fn go(texts: &[&str]) {
    for text in texts {
        for kept in kept(&text.replace("VV", V)) {
            assert!(!kept.contains(V) && kept.contains("<REDACTED:"), "{text:?}: {kept:?}");
        }
    }
}

pub(super) fn stay(texts: &[&str]) {
    for text in texts {
        assert_eq!(redact_text(text).value, *text);
    }
}

#[test]
fn hashes_of_passwords_go() {
    let mixed = "aB3dE5gH7j".repeat(9);
    let hex = "0123456789abcdef".repeat(4);
    for hash in [
        format!("$2b$12${}", &mixed[..53]),
        format!("$1$salt${}", &mixed[..22]),
        format!("$apr1$salt${}", &mixed[..22]),
        format!("$5$salt${}", &mixed[..43]),
        format!("$6$rounds=5000$salt${}", &mixed[..86]),
        format!("$y$j9T$salt${}", &mixed[..43]),
        format!("$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ${}", &mixed[..43]),
        format!("$P$B{}", &mixed[..30]),
        format!("{{SHA}}{}=", &mixed[..27]),
        format!("{{SSHA}}{}==", &mixed[..38]),
        format!("pbkdf2_sha256$720000$salt${}=", &mixed[..43]),
        format!("scrypt:32768:8:1$salt${hex}"),
        format!("SCRAM-SHA-256$4096:c2FsdA==${}=:{}=", &mixed[..43], &mixed[..43]),
    ] {
        let body = &hash[hash.len() - 20..];
        for (text, rest) in [
            (format!("bob:{hash}:18000:0:99999:7:::"), ":18000:0:99999:7:::"),
            (format!("bob | {hash} | 12"), " | 12"),
            (hash.clone(), ""),
        ] {
            for kept in kept(&text) {
                assert!(!kept.contains(body) && kept.contains("<REDACTED:PASSWORD>"), "{text}: {kept}");
                assert!(kept.contains(rest), "{text}: {kept}");
            }
        }
    }
    let (lm, nt) = ("aad3b435b51404eeaad3b435b51404ee", "8846f7eaee8fb117ad06bdd830b7586c");
    assert_eq!(redact_text(&format!("bob:1001:{lm}:{nt}:::")).value, "bob:1001:<REDACTED:PASSWORD>:::");
    stay(&[
        "bob:x:1000:1000:Bob:/srv/bob:/bin/bash",
        "bob:!:18000:0:99999:7:::",
        "sed 's/\\(a\\)/$1$2/' and $5$ or $6$x$y",
        "sha1: da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "f\"{SHA}-{MD5}\" {sha}abc",
        "scrypt:32768:8:1 are its costs; pbkdf2_sha256 is how",
        "a::b:::c 12:34:::",
    ]);
}

#[test]
fn tokens_that_names_are_glued_to_and_those_of_more_vendors_go() {
    let (hex, mixed) = ("0123456789abcdef".repeat(4), "aB3dE5gH7j".repeat(7));
    for token in [
        format!("hvs.{}", &mixed[..24]),
        format!("ya29.{}", &mixed[..40]),
        format!("dapi{}", &hex[..32]),
        format!("ATATT3{}", &mixed[..40]),
        format!("r8_{}", &mixed[..37]),
        format!("xai-{}", &mixed[..60]),
        format!("pypi-{}", &mixed[..40]),
        format!("SG.{}.{}", &mixed[..22], &mixed[..43]),
        format!("key-{}", &hex[..32]),
        format!("SK{}", &hex[..32]),
        format!("sbp_{}", &hex[..40]),
        format!("ntn_{}", &mixed[..46]),
        format!("tskey-auth-k{}CNTRL-{}", &mixed[..8], &mixed[..32]),
        format!("fm2_{}", &mixed[..60]),
        format!("apify_api_{}", &mixed[..36]),
        format!("pat{}.{hex}", &mixed[..14]),
        format!("nfp_{}", &mixed[..40]),
    ] {
        let body = &token[token.len() - 16..];
        for text in [
            token.clone(),
            format!("FlyV1 {token}"),
            format!("x_{token}"),
            format!("x_{token}_y"),
            format!("f\"{{x}}_{token}_{{y}}\""),
        ] {
            for kept in kept(&text) {
                assert!(!kept.contains(body) && kept.contains("<REDACTED:"), "{text}: {kept}");
            }
        }
    }
    stay(&[
        "a_key-value_store, task_SK-learn, x_dp.pt, fm2_radio, tskey-auth, nfp_short, patches.tar.gz",
        "pattern_of_letters.0123456789abcdef and risk_0123456789abcdef",
        "apify_api_client is a package; AKCp is how one begins; CFPAT- too",
    ]);
}

#[test]
fn columns_of_tables_that_are_drawn_with_blanks_go() {
    go(&[
        " name | password \n------+----------\n bob  | VV\n al   | VV\n(2 rows)\n",
        " id |  password  |  created\n----+------------+------------\n  1 | VV | 2026-11-29\n    | VV | \n",
        " password \n----------\n VV\n(1 row)\n",
        "name|password\nbob|VV\nal|VV\n",
        "-[ RECORD 1 ]-----\nname     | bob\npassword | VV\n",
        "name  password    n\n----  ----------  -\nbob   VV  1\n      VV  2\n",
        "NAME      PASSWORD        AGE\nbob       VV      3d\nal        VV      4d\n",
        "Name Password\r\n---- --------\r\nbob  VV\r\n",
        "$ kubectl get users\nNAME   TOKEN        READY\nb\u{f6}b    VV   True\n",
        "user | api_key | role\n---|---|---\nbob | VV | admin\n",
    ]);
    let table = " name | password \n------+----------\n bob  | swordfish\n al   | hunter2\n(2 rows)\n";
    assert_eq!(
        redact_text(table).value,
        table.replace("swordfish", "<REDACTED:PASSWORD>").replace("hunter2", "<REDACTED:PASSWORD>")
    );
    stay(&[
        "  Column  |  Type   | Nullable\n----------+---------+----------\n password | text    | not null\n token    | uuid    |\n",
        "NAME                 TYPE     DATA   AGE\nmy-password-secret   Opaque   1      3d12h\n",
        "NAME      READY   SECRET                 AGE\nexample   True    example-tls-x7k2p9q4   5d\n",
        "NAME      SECRETS   AGE\ndefault   1         3d4h\n",
        "Password\n--------\nUse at least 12 characters, one of them a digit.\n",
        "Resetting a password\n--------------------\nstep1\n",
        "Method   Password\nSMTP     supported\nIMAP     yes\n",
        "  password        the password of user1\n  username        the name of user1\n",
        "user   pwd\nbob    /srv/bob1\n",
        "echo the password | sort2\ntoken | sort\n",
        "my password   is\nnot here2b3c4d\n",
        " id | password \n----+----------\n  1 | \n  2 | 12\n(2 rows)\n",
    ]);
}

/// `VV` stands for what must go from a JSON text.
pub(super) fn go_in_json(texts: &[&str]) {
    for text in texts {
        let kept = redact_json(&text.replace("VV", V)).expect("is JSON").value;
        assert!(!kept.contains(V) && kept.contains("<REDACTED:"), "{text}: {kept}");
        assert_eq!(redact_json(&kept).expect("is JSON").value, kept, "twice: {text}");
    }
}

pub(super) fn stay_in_json(texts: &[&str]) {
    for text in texts {
        assert_eq!(redact_json(text).expect("is JSON").value, *text);
    }
}

#[test]
fn rows_of_json_are_read_by_their_columns() {
    go_in_json(&[
        r#"{"columns":["name","password"],"rows":[["bob","VV"],["al","VV"]]}"#,
        r#"{"columns":["name","password"],"rows":[["bob","swordfish"],["al","VV"]]}"#,
        r#"{"columns":[{"name":"name","type":"text"},{"name":"api_key","type":"text"}],"data":[[1,"VV"]]}"#,
        r#"{"fields":["id","password_hash"],"values":[7,"VV"]}"#,
        r#"{"rows":[["name","password"],["bob","VV"]]}"#,
        r#"[["name","password"],["bob","VV"],["al","VV"]]"#,
        r#"{"result":{"columns":["password"],"rows":[["VV"]]}}"#,
        r#"{"sql":"INSERT INTO users (name, password) VALUES (?, ?)","params":["bob","VV"]}"#,
        r#"{"sql":"INSERT INTO users (name, password) VALUES (?, ?)","params":[["bob","VV"],["al","VV"]]}"#,
        r#"{"params":["bob","VV"],"sql":"INSERT INTO users (name, password) VALUES ($1, $2)"}"#,
        r#"{"text":"UPDATE users SET password = $2 WHERE id = $1","values":[7,"VV"]}"#,
        r#"{"query":"ALTER USER bob PASSWORD %s","args":["VV"]}"#,
    ]);
    let rows = r#"{"columns":["name","password"],"rows":[["bob","swordfish"],["al",""]]}"#;
    assert_eq!(redact_json(rows).expect("is JSON").value, rows.replace("swordfish", "<REDACTED:PASSWORD>"));
    stay_in_json(&[
        r#"{"columns":["Method","Password"],"rows":[["SMTP","yes"],["IMAP","no"]]}"#,
        r#"{"columns":["name","age"],"rows":[["bob","Zx9QwErTy7"]]}"#,
        r#"[["name","password"],["bob","changed"],["username","email"]]"#,
        r#"{"headers":["Token","Count"],"rows":[["the",12],["identifier",3]]}"#,
        r#"{"sql":"SELECT name FROM users WHERE id = ?","params":["a1b2c3d4"]}"#,
        r#"{"sql":"UPDATE users SET name = ? WHERE token = ?","params":["Zx9QwErTy7","EOF"]}"#,
        r#"{"query":"What is my password?","results":["Zx9QwErTy7"]}"#,
        r#"{"columns":["id","password"],"types":["int4","varchar8"]}"#,
    ]);
}

#[test]
fn what_describes_a_secret_of_a_cluster_keeps_none_of_its_values() {
    go(&[
        "apiVersion: v1\ndata:\n  key.json: VV\n  user: \"VV\"\nkind: Secret\nmetadata:\n  name: db\n",
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  conf: |\n    first VV\n\n    second VV\n  b: VV\ntype: Opaque\n",
        "apiVersion: v1\nitems:\n- apiVersion: v1\n  data:\n    a: VV\n  kind: Secret\n- apiVersion: v1\n  data:\n    b: VV\n  kind: Secret\nkind: List\n",
        "kind: ConfigMap\n---\nkind: Secret # of a database\r\ndata:\r\n  a: VV\r\n",
        "- kind: Secret\n  stringData:\n    a: 'VV'",
    ]);
    let both = "apiVersion: v1\ndata:\n  mode: Ab3xY9zQ1\nkind: ConfigMap\n---\napiVersion: v1\ndata:\n  a: VV\n  b: ''\nkind: Secret\nmetadata:\n  \
                name: db-x1\n";
    assert_eq!(redact_text(&both.replace("VV", V)).value, both.replace("VV", "<REDACTED:SECRET>"));
    go_in_json(&[
        r#"{"apiVersion":"v1","data":{"a":"VV","b":"eA=="},"kind":"Secret","metadata":{"name":"db"}}"#,
        r#"{"kind":"Secret","stringData":{"conf":"mode=VV"},"type":"Opaque"}"#,
        r#"{"items":[{"data":{"a":"VV"},"immutable":true,"kind":"Secret"}],"kind":"List"}"#,
    ]);
    stay(&[
        "apiVersion: v1\ndata:\n  mode: Ab3xY9zQ1\nkind: ConfigMap\n",
        "kind: SealedSecret\nspec:\n  a: Ab3xY9zQ1\n",
        "kind: Secret\nmetadata:\n  name: db-x7k2p9\n  labels:\n    a: Ab3xY9zQ1\ndata: {}\n",
        "kind: Secret\nstringData:\n  a: ${DB_PASSWORD}\n  b: {{ .Values.b }}\n",
        "A thing of kind: Secret\ndata:\n  a: Ab3xY9zQ1\n",
    ]);
    stay_in_json(&[
        r#"{"data":{"mode":"Ab3xY9zQ1"},"kind":"ConfigMap"}"#,
        r#"{"kind":"Secret","metadata":{"name":"db-x7k2p9"},"data":{"a":"${DB_PASSWORD}","b":""}}"#,
        r#"{"data":{"a":{"b":"Ab3xY9zQ1"}},"kind":"Secret"}"#,
    ]);
}
