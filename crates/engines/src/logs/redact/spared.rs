//! Texts that speak of secrets and hold none, and beside each what differs from it by holding one. Who removes too much
//! destroys evidence.

use super::{redact_json, redact_text};
use serde_json::json;

/// Stands for a secret: nothing else in a text looks like it.
const V: &str = "Zx9QwErTy7";

/// What stays as it is.
#[rustfmt::skip]
pub(super) const STAYS: &[&str] = &[
    // How a secret is.
    "session_id is missing", "session_id: missing", "the session id is required", "session id: 12", "sess_id = 5",
    "password is incorrect", "password: invalid", "password=unset", "Password: changed", "password: <required>",
    "token is expired", "authorization: denied", "private key: missing", "secrets: inherit", "secrets: 3 found",
    "no password set", "password is required", "passwordless: true", "passwords: 3", "password is too short",
    "the password is fine", "the token is weak.",
    // Limits, counts, and other words beside one.
    "token limit: 4096", "token limit = 4096", "max_tokens: 4096", "max tokens=4096", "token budget: 12000", "token: 12",
    "my-sk-learn-pipeline-runner-v2", "app-sk-slovakia-region-bratislava-1", "sk-proj-management-assistant-0001", "secret santa: bob2026", "secret sauce: ketchup", "password policy: 12 characters", "password manager: 1Password",
    "To reset a password:\n1. open the page2\n2. click", "password reset:\n  - open2\n  - click", "Password reset: completed1",
    "password_file=/run/secrets/db1", "passwordFile: /run/secrets/x1", "key: value1234", "keyword: foo1234",
    // Where a shell is.
    "pwd", "pwd /srv/home/x1", "pwd: /srv/app", "PWD=/srv/home/user1/project", "pwd=~/work2", "PWD=C:\\Users\\dana2", "$ pwd\n/srv/home/x/Project1",
    "\"pwd\": \"/srv/home/user1/app2\"", "private key: /etc/ssl/site1.key",
    // Code.
    "password = os.environ[\"X1\"]", "password = os.getenv(\"X1\")", "password = getpass()", "password = getpass.getpass(\"Password: \")",
    "password = input(\"Password: \")", "password = config.password", "password = config[\"password\"]", "password: this.password,",
    "password: process.env.DB_PASSWORD,", "token = tokens[0]", "token = parser.token", "const token = await getToken();",
    "fn f(token: &Token) -> Token {", "password = %s", "WHERE token = @token", "password = f\"{x}\"", "password=\"{{ password }}\"",
    "password: \"{{ lookup('env','X') }}\"", "password: !vault |", "password: ${db.password}", "password=\"$password\"",
    "password=\"$(cat /run/secrets/x1)\"", "login --password $password", "\"password\" => \"required|min:8\",",
    "SyntaxError: Unexpected token = in JSON", "Unexpected token: identifier123", "auth: basic", "auth=oauth2", "auth: \"digest\"",
    "api_key=\"YOUR_API_KEY\"", "api_key: \"<your key>\"", "password: your-password-here",
    "os.getenv('DB_PASSWORD', default)", "os.environ.get('PASSWORD', None)", "labels.put(\"password\", \"Kennwort\");",
    "builder.add('password', PasswordField)", "fields [\"password\", \"address2\"]", "const type = show ? 'text' : 'password'",
    "errors.password || 'required'", "const password = `${x1.y2}`", "{name: 'password', value: ''}",
    "- name: DB_PASSWORD\n  value: $(DB_PASSWORD1)", "- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef: x1",
    "f(user,\n  password,\n  protocol2,\n)", "apt\tpasswd\t1:4.13\napt\tbash1\t5.2.15", "Enter your name, password\nand, then2",
    "SELECT name,password\nFROM users,roles", "Method,Password\nSupported,yes", "user,pwd\nbob,/srv/bob", "user,password\nbob,12",
    "SELECT name, password\nFROM users1, roles2", "| password | string | required |", "| Method | Password |\n|---|---|\n| Supported | yes |",
    "| password | VARCHAR(255) |", "`token`: `src/auth2`", "**Password:** required", "Password: `redis://h.example:6379/1`", "**Token**: `string`",
    "INSERT INTO users (name, password) VALUES (?, ?)", "INSERT INTO users (name, password) VALUES ($1, $2)", "password IN ('changed', 'expired')",
    "SELECT count(*) AS passwords", "WHERE password LIKE '%x%'", "read -s PASS <<< \"$X\"", "curl -b cookies.txt https://h",
    // What others take behind the flag of a user.
    "date -u +%H:%M", "date -u +%Y-%m-%dT%H:%M:%SZ", "docker run -u node:node img", "docker run --user www-data:www-data img",
    "podman run --userns=keep-id:uid=200 img", "git push -u origin:main", "rsync -u host:/srv/data .", "rsync -vu host:/srv/x .", "python -u app:run",
    "lld-link -subsystem:console", "csc -subsystemversion:6.02", "x -Subnet:10.0.0.0", "x -suffix:abc", "x -full:yes", "curl h; date -u +%H:%M",
    // What is put in the place of one.
    "self.password = password", "this.password = password;", "conn = connect(host=h, password=pw)", "User(name, password=password, age=3)",
    "password = random_password.db.result", "secret = get_secret_value(SecretId=\"prod/db\")",
    "aws secretsmanager get-secret-value --secret-id prod/db", "fetch(url, { credentials: 'include' })",
    "headers = {\"Authorization\": f\"Bearer {token}\"}", "'Authorization': 'Bearer ' + token", "Cookie: none",
    "curl -H \"Authorization: Bearer $TOKEN\" https://h.example", "curl -u \"$USER:$PASS\" https://h.example",
    "create_engine(f\"postgresql://{user}:{password}@{host}/{db}\")", "redis://:${REDIS_PASSWORD}@redis:6379",
    "expect \"password:\" \"yes\"", "child.expect('password:'); child.sendline(password)", "getpass('Password: ', 'x')",
    // Pages and styles.
    "<input type=\"password\" value=\"Password\">", "<input type=\"token\" value=\"abc12345\">",
    ".token.string{color:#123456}", ".password { color: red; }", "input[type=password]{width:100px}",
    "<span class=\"token keyword\">fn</span>", "<label for=\"password\">Password:</label>",
    // Sentences.
    "the password was changed", "the password was reset by Bob2", "password to the vault", "1Password is my password manager", "SHA256 is the password hash",
    "password -> login page", "password (optional): string", "Password:\nLast login: today", "To set a password - open the page2",
    "10:30:15: login failed",
    // Elements that hold prose, or words of a text.
    "<password_policy>at least 12 characters, one of them a digit</password_policy>", "<token>word</token>", "<token>fn main</token>",
    "<token>the</token><token>quick</token>", "<password>at least 12 characters and a digit</password>",
    "<secret>the cake is a lie</secret>", "<auth>This section tells who is let in</auth>",
];

/// What differs from the former by holding a secret, in the place of `VV`.
#[rustfmt::skip]
pub(super) const GOES: &[&str] = &[
    "session_id is VV", "session_id: VV", "session_id=swordfish", "password is VV", "password: VV", "password=swordfish",
    "token: VV", "token: 123456", "secret: VV", "password policy: password=VV", "pwd: VV", "PWD=VV", "pwd=/VV",
    "private_key: VV", "password = \"VV\"", "password = b\"VV\"", "password = f'VV'", "password: $'VV'", "token = VV[0]",
    "password = hunter2.VV", "password=\"{{VV}}\"", "password=${VV}", "auth: VV", "auth=\"VV\"", "<token>VV</token>",
    "password = Password1", "password=@Password1", "password=\"$Password1\"", "smtp.login('bob', 'Password1')", "password=Password1[2",
    "password: VV user = bob", "SSN: 123456789 social security number = 12", "<password>VV is the password of the server</password>", "<password>swordfish</password>", "<auth>Basic VV</auth>",
    "self.password = swordfish", "connect(host=h, password=swordfish)", "password = swordfish;", "password = random_password.VV",
    "get_secret_value(SecretId=\"VV\")", "secret_id=/prod/VV", "login --secret-id VV", "fetch(url, { credentials: 'VV' })",
    "Authorization: Bearer $VV", "'Authorization': 'Bearer VV' + x", "curl -u admin:$VV https://h.example", "curl -uadmin:swordfish https://h.example",
    "curl -s \\\n  -u admin:swordfish https://h.example", "wget --user=bob:swordfish h", "git fetch -u bob:VV", "Cookie: none=VV",
    "{a: \"b!\", password: \"VV\"}", "bob's password: 'VV'", "{'password_': 'VV'}", "x('a', password: 'VV')",
    "https://u:{VV}@h.example", "redis://:$VV@redis:6379",
];

#[test]
fn what_speaks_of_a_secret_and_holds_none_stays() {
    for text in STAYS {
        assert_eq!(redact_text(text).value, *text);
    }
    for value in [
        json!({"pwd": "/srv/app", "PWD": "/srv/home/user1/x", "token_limit": 4096}),
        json!(["reset a password", "2026-01-01"]),
        json!({"steps": ["How to reset a password", "ticket-4711", "password reset", "KB-1234567"]}),
        json!([["reset a password", "page2"], ["change the password", "page3"]]),
        json!({"properties": {"api_key": {"type": "string", "description": "the key of the account", "minLength": 20}}}),
        json!({"logprobs": [{"token": " the", "logprob": -0.1}, {"token": "Hello", "logprob": -2.5, "bytes": null}]}),
        json!({"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}),
        json!({"auth": "none", "SecretId": "prod/db", "headers": {"Authorization": "Bearer ${TOKEN}"}}),
        json!({"private_key": "/etc/ssl/site.key", "password_file": "/run/secrets/db1"}),
    ] {
        assert_eq!(redact_json(&value.to_string()).expect("is JSON").value, value.to_string());
    }
    let first = r#"{"token": " the", "logprob": -0.1, "bytes": null}"#;
    assert_eq!(redact_json(first).expect("is JSON").value, first);
}

#[test]
fn what_differs_from_it_by_a_secret_goes() {
    for text in GOES {
        let text = text.replace("VV", V);
        let kept = redact_text(&text).value;
        let is_there = [V, "swordfish", "Password1"].iter().any(|secret| kept.contains(secret));
        assert!(!is_there && kept.contains("<REDACTED:"), "{text}: {kept}");
        assert_eq!(redact_text(&kept).value, kept, "twice: {text}");
    }
    for value in [
        json!({"pwd": V}),
        json!({"pwd": format!("/srv/app {V}")}),
        json!({"api_key": {"type": "string", "default": V}}),
        json!({"api_key": {"type": "string", "description": format!("password={V}")}}),
        json!({"password": {"user": "bob", "description": V}}),
        json!({"token": V, "logprob": -0.1}),
        json!({"password_hash": V}),
        json!({"auth": format!("Bearer ${V}"), "secret_id": V}),
        json!(["the password", V]),
        json!([["password", V]]),
        json!({"private_key": V}),
    ] {
        let kept = redact_json(&value.to_string()).expect("is JSON").value;
        assert!(!kept.contains(V), "{kept}");
        assert_eq!(redact_json(&kept).expect("is JSON").value, kept);
    }
}
