//! Passwords in the forms in which agents come by them: commands, SQL, calls, settings, conversations, in several
//! languages.

use super::{redact_json, redact_text};
use serde_json::json;

/// Stands for a password: nothing else in a text looks like it.
pub(super) const V: &str = "Zx9QwErTy7";

/// Texts with `VV` in the place of `V`, of which nothing else goes.
#[rustfmt::skip]
pub(super) const FORMS: &[&str] = &[
    // Commands.
    "htpasswd -b file bob VV", "htpasswd -nb bob VV", "htpasswd -bnBC 10 \"\" VV", "sudo htpasswd -bc f bob 'VV' && x",
    "net user bob VV /add", "net user bob VV", "net use Z: \\\\srv\\share /user:bob VV", "net use \\\\srv\\share VV /user:bob",
    "rabbitmqctl add_user bob VV", "rabbitmqctl change_password bob VV", "wpa_passphrase \"a net\" VV", "vault login VV",
    "sqlplus bob/VV@host", "sqlplus -s system/VV@//h:1521/x", "jdbc:oracle:thin:bob/VV@host:1521/x", "impacket-psexec bob:VV@10.0.0.4",
    "lftp -u bob,VV host", "smbclient //x/y -U bob%VV", "xfreerdp /u:bob /p:VV /v:h", "winrs -u:bob -p:VV dir",
    "schtasks /create /ru bob /rp VV", "kubectl create secret generic x --from-literal=key=VV", "useradd -p VV bob",
    "twine upload -u bob -p VV", "cqlsh -u bob -p VV", "evil-winrm -i h -p 'VV'", "ipmitool -U x -P VV", "mosquitto_pub -u x -P VV",
    "ssh-keygen -t rsa -N 'VV' -f x", "openssl enc -k VV", "rar a -hpVV x", "unrar x -pVV y", "snmpwalk -A VV -X VV h",
    "echo \"bob:VV\" | chpasswd", "echo bob:VV | sudo chpasswd", "chpasswd <<< \"bob:VV\"", "chpasswd <<EOF\nbob:VV\nEOF",
    "echo VV | sudo -S ls", "echo 'VV' | passwd --stdin bob", "printf '%s' VV | docker login -u x --password-stdin", "echo VV | kinit bob",
    "http -a bob:VV GET https://h.example", "http -a 'bob:VV' u", "x -U bob:VV y", "rsync a b; http -a bob:VV u",
    "npm config set //registry/:_authPassword VV", "redis-cli config set requirepass \"VV\"", "requirepass VV", "masterauth VV",
    "nmcli dev wifi connect ssid password VV", "default login bob password VV",
    // SQL.
    "CREATE USER bob IDENTIFIED BY 'VV'", "create user bob identified by VV;", "ALTER USER bob IDENTIFIED WITH mysql_native_password BY 'VV';",
    "ALTER USER bob WITH PASSWORD 'VV'", "ALTER ROLE bob LOGIN ENCRYPTED PASSWORD 'VV' VALID UNTIL 'x'",
    "SET PASSWORD FOR 'bob'@'x' = PASSWORD('VV')", "SET PASSWORD FOR 'bob'@'x' = 'VV'", "OPTIONS (user 'bob', password 'VV')",
    // Calls.
    "smtp.login(\"bob\", \"VV\")", "server.login('bob', 'VV')", "requests.get(u, auth=(\"bob\", \"VV\"))", "HTTPBasicAuth('bob', 'VV')",
    "new NetworkCredential(\"bob\", \"VV\")", "ConvertTo-SecureString \"VV\" -AsPlainText -Force", "builder.password(\"VV\")",
    "setPassword('VV');", "keyring.set_password(\"svc\", \"bob\", \"VV\")", "page.fill('#password', 'VV')", "zip.setpassword(b\"VV\")",
    "await page.getByLabel('Password').fill('VV')", "driver.find_element(By.ID,'password').send_keys('VV')",
    "cy.get('#password').type('VV')", "page.locator('input[type=\"password\"]').first().pressSequentially('VV')",
    "document.getElementById('password').value = 'VV'", "child.expect('password:'); child.sendline('VV')",
    "password: str = \"VV\"", "const DB_PASSWORD: &'static str = \"VV\";",
    // What is told to a server.
    "USER bob\r\nPASS VV\r\n", "USER bob\n331 go on\nPASS VV", "AUTH bob VV", "10.0.0.1:6379> AUTH VV",
    // Conversations.
    "the password for bob is VV", "password for the admin user: VV", "Das Passwort ist VV", "Passwort lautet VV", "mot de passe : VV",
    "contrase\u{f1}a: VV", "senha: VV", "wachtwoord: VV", "has\u{142}o: VV", "l\u{f6}senord: VV",
    "\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}: VV", "\u{5bc6}\u{7801}\u{ff1a}VV", "\u{30d1}\u{30b9}\u{30ef}\u{30fc}\u{30c9}: VV",
    "pw: VV", "wpa_psk=VV", "user bob, password VV", "username: bob / VV", "credentials: bob / VV", "log in with bob:VV",
    // Code and settings.
    "os.getenv('DB_PASSWORD', 'VV')", "os.environ.get(\"PASSWORD\", \"VV\")", "env('DB_PASSWORD', 'VV')", "define('DB_PASSWORD', 'VV');",
    "std::env::set_var(\"PASSWORD\", \"VV\");", "localStorage.setItem('password', 'VV')", "map.put(\"password\", \"VV\");",
    "setattr(cfg, 'password', 'VV')", "see [\"password\",\"VV\"]", "const pw = process.env.PW || 'VV'", "const password = process.env.PW ?? 'VV'",
    "password: System.get_env(\"X\") || \"VV\"", "const password = `VV`", "password = ('VV')", "password = '''VV'''", "password = N'VV'",
    "var dbPassword string = \"VV\"", "Dim password As String = \"VV\"", "password <- \"VV\"", "#define DB_PASSWORD \"VV\"",
    "variable \"db_password\" { default = \"VV\" }", "new mysqli('h','bob','VV','db')", "DriverManager.getConnection(url, \"bob\", \"VV\");",
    "server.login(user, 'VV')", "db.auth('bob','VV')", "env:\n - name: DB_PASSWORD\n   value: VV\n", "- {name: DB_PASSWORD, value: 'VV'}",
    "<input type=\"password\" value=\"VV\">", "| password | VV |", "| user | password |\n|---|---|\n| bob | VV |\n| al | VV |", "user,password\nbob,VV\nal,VV",
    "user,password\nbob,swordfish\n", "user\tpassword\nbob\tVV", "**Password:** VV", "- **password**: `VV`", "Password: `VV`",
    // Commands and SQL that others have.
    "sudo -S ls <<< VV", "sudo -S <<< 'VV' ls", "read -s PASS <<< VV", "wrangler secret put X <<< VV", "mc alias set s https://h KEY VV",
    "rclone config create x sftp pass VV", "ConvertTo-SecureString VV -AsPlainText -Force", "sqlplus -s scott/VV", "h.example:5432:db:bob:VV",
    "ALTER ROLE bob PASSWORD E'VV'", "ALTER ROLE bob PASSWORD $$VV$$", "SELECT 1 FROM users WHERE password LIKE 'VV'",
    "SELECT 1 FROM users WHERE password IN ('a1', 'VV')", "UPDATE u SET pw = crypt('VV', gen_salt('bf'))", "SELECT 'bob' AS name, 'VV' AS password",
    "INSERT INTO users (name, password) VALUES ('bob', 'VV')", "INSERT INTO users (name, password, n) VALUES ('b', 'VV', f(1, 'x')), ('al', 'swordfish', 2)",
    "CONNECT scott/VV@orcl", "user,password\n\"Doe, Jane\",VV\nbob,VV", "user,password\n\"Doe \"\"J\"\", Jane\",VV", "user,password\nDoe, J,x\nbob,VV",
    "INSERT INTO users (name, password) VALUES ('O\\'Brien', 'VV')", "INSERT INTO users (name, password) VALUES ('O''Brien', 'VV'), ('C:\\', 'VV')",
    // Sentences that others say.
    "his password was VV", "the new password is now VV", "I have reset your password to VV", "password set to VV",
    "VV is my password", "use VV as the password", "log in as bob with VV as your password", "password - VV", "password -> VV", "password \u{2192} VV",
    "password \u{2014} VV", "the admin password's VV", "password (for prod): VV", "password [prod] = VV", "Password:\nVV", "Your temporary password:\n\n    VV\n",
    "le mot de passe est VV", "la contrase\u{f1}a es VV", "la password \u{e8} VV", "pass word: VV",
    "Summer2026 is the password for root", "log in as bob with Summer2026 as your password", "server.login(user, 'Summer2026')",
    "my password is swordfish", "My password is: swordfish", "our password is swordfish, and it is old",
];

/// What looks like one of them and has no password in it.
#[rustfmt::skip]
pub(super) const ORDINARY: &[&str] = &[
    "htpasswd is a tool of a server", "htpasswd -c file bob", "net user growth rate", "net user bob /delete", "net use Z: /delete",
    "rabbitmqctl list_users", "vault login failed again", "vault login -method=oidc", "sqlplus / as sysdba", "sqlplus /nolog",
    "smbclient -L //x", "echo hello | sort -S 10", "echo x | tee y", "useradd -m bob", "openssl enc -aes-256-cbc -in a -out b",
    "ssh-keygen -t rsa -f x", "hydra is a tool; rar x a.rar", "npm config set registry https://r.example/",
    "a user identified by email", "the library identified by 'name'", "SELECT id FROM users WHERE name = 'password'",
    "get_password(\"svc\", \"bob\")", "validatePassword('too short')", "t.string \"password\"", "form.fill('#email', 'x1y2z3w4')",
    "child.expect('password:'); child.sendline(password)", "expect \"password:\"; send \"$password\\r\"",
    "page.getByLabel('Email').fill('x1y2z3w4')", "page.getByLabel('Password').fill(password)", "page.getByLabel('Password').click()",
    "expect_token(\"EOF\")", "login(\"the page\")", "cache_token = current_token", "let token: Option<String> = None;",
    "PASS src/a1b2.test.js", "AUTH is a command of SMTP", "the password must not be told", "my password is not working",
    "OAuth2Client is the password grant", "server.login(user, 'the page')",
    "my password is weak!", "my password is expiring.", "password for bob was reset", "the token of a list is next",
    "rsync -a deploy@h:/var/backups/2026-11-28 .", "rsync -a u@h:/srv/data1 .", "rsync -a host:backup2026 .", "java -analyzer:StyleCop12",
    "pip install -U git+https://github.com/org/repo@v1.2", "java -agentlib:jdwp=transport=dt_socket,address=5005", "ls -a C:\\Users\\bob2",
    "open -a https://h.example/a1b2c3", "docker images -a shop:release-2026", "x -a nginx:1.25.3-alpine", "x -U shop:v1.20.3",
    "user bob/feature-one", "login: see https://x.example/a1b2c3", "the user id:4f3c9e2a1b", "upward: north12", "a monkey=banana12",
];

#[test]
fn passwords_are_found_by_their_place_and_nothing_else_goes() {
    for text in FORMS {
        let kept = text.replace("VV", "<REDACTED:PASSWORD>").replace("swordfish", "<REDACTED:PASSWORD>");
        let kept = kept.replace("Summer2026", "<REDACTED:PASSWORD>");
        let text = text.replace("VV", V);
        assert_eq!(redact_text(&text).value, kept, "{text}");
        assert_eq!(redact_text(&kept).value, kept, "twice: {text}");
        let carried = redact_json(&json!({ "note": text }).to_string()).expect("is JSON").value;
        assert!(!carried.contains(V), "{carried}");
    }
}

#[test]
fn what_only_looks_like_one_of_the_forms_stays() {
    for text in ORDINARY {
        assert_eq!(redact_text(text).value, *text);
    }
}

#[test]
fn a_row_of_sql_is_read_to_its_end_and_one_without_an_end_hides_no_other() {
    for (text, kept) in [
        (
            "INSERT INTO u (n, password) VALUES ('bob','hunter''2xyz');",
            "INSERT INTO u (n, password) VALUES ('bob','<REDACTED:PASSWORD>');",
        ),
        (
            "INSERT INTO u (n, password) VALUES ('O\nINSERT INTO u (n, password) VALUES ('bob', 'swordfish');",
            "INSERT INTO u (n, password) VALUES ('O\nINSERT INTO u (n, password) VALUES ('bob', '<REDACTED:PASSWORD>');",
        ),
    ] {
        assert_eq!(redact_text(text).value, kept);
        assert_eq!(redact_text(kept).value, kept);
    }
}

#[test]
fn a_list_of_words_is_read_as_a_command_is() {
    for words in [
        json!(["keytool", "-storepass", V, "-alias", "x"]),
        json!(["useradd", "-p", V, "bob"]),
        json!(["snmpwalk", "-A", V, "-X", V]),
        json!(["rar", "a", format!("-hp{V}"), "x"]),
    ] {
        let kept = redact_json(&words.to_string()).expect("is JSON").value;
        assert!(!kept.contains(V) && kept.contains("<REDACTED:PASSWORD>"), "{kept}");
        assert_eq!(redact_json(&kept).expect("is JSON").value, kept);
    }
    for words in [
        json!(["ffmpeg", "-pass", "1", "-auth", "basic"]),
        json!(["useradd", "-m", "bob"]),
        json!(["- reset a password", "- open page2"]),
    ] {
        assert_eq!(redact_json(&words.to_string()).expect("is JSON").value, words.to_string());
    }
}

#[test]
fn a_user_and_a_password_in_a_list_of_words_are_told_apart() {
    for words in [
        json!(["curl", "-u", format!("admin:{V}"), "https://h"]),
        json!(["curl", "--user", format!("admin:{V}")]),
        json!(["/usr/bin/curl", "-fsSu", "admin:swordfish"]),
        json!(["git", "fetch", "-u", format!("admin:{V}")]),
        json!({"program": "curl", "args": ["-s", "-su", format!("bob@x.example:{V}")]}),
    ] {
        let kept = redact_json(&words.to_string()).expect("is JSON").value;
        assert!(!kept.contains(V) && !kept.contains("bob@"), "{kept}");
        assert!(kept.contains(":<REDACTED:URL_CREDENTIALS>\""), "{kept}");
        assert_eq!(redact_json(&kept).expect("is JSON").value, kept);
    }
    for words in [
        json!(["docker", "run", "-u", "1000:1000", "x"]),
        json!(["docker", "run", "-u", "node:node", "x"]),
        json!(["date", "-u", "+%H:%M:%S"]),
        json!(["rsync", "-u", "host:/srv"]),
        json!(["mysql", "-u", "root", "shop"]),
        json!(["git", "push", "-u", "origin", "main"]),
        json!(["curl", "-u", "bob:$PASSWORD"]),
    ] {
        assert_eq!(redact_json(&words.to_string()).expect("is JSON").value, words.to_string());
    }
}

/// `VV` stands for a password.
#[rustfmt::skip]
pub(super) const LISTS: &[&str] = &[
    r#"["htpasswd","-b","f","bob","VV"]"#, r#"{"command":["vault","login","VV"]}"#, r#"{"cmd":["net","user","bob","VV"]}"#,
    r#"["net","user","bob","VV","/add"]"#, r#"["smbclient","//h/s","-U","bob%VV"]"#, r#"["curl","-b","session=VV; a=b","https://h"]"#,
    r#"["sudo","-S","ls","<<<","VV"]"#, r#"["echo","VV","|","sudo","-S","ls"]"#, r#"["lftp","-u","bob,VV","sftp://h"]"#,
    r#"["rabbitmqctl","add_user","bob","VV"]"#, r#"["sqlplus","scott/VV@orcl"]"#, r#"["wpa_passphrase","a net","VV"]"#,
    r#"["xfreerdp","/u:bob","/p:VV"]"#, r#"["mc","alias","set","s","https://h","KEY","VV"]"#, r#"["curl","-fsSu","admin:VV"]"#,
    r#"{"command":"vault","args":["login","VV"]}"#, r#"{"args":["login","VV"],"command":"vault"}"#,
    r#"{"args":["-p","VV","ssh","h"],"cwd":"/srv","program":"sshpass"}"#, r#"{"command":"net user","args":["bob","VV"]}"#,
];

/// `VV` stands for a password here as well.
#[rustfmt::skip]
pub(super) const WRITTEN: &[&str] = &[
    "['curl','-u','admin:VV']", "['curl', '-u', 'bob@x.example:VV']", "subprocess.run(['curl', '-u', 'admin:VV', url])", "exec.Command(\"curl\", \"--user\", \"admin:VV\")",
    "spawn('vault', ['login', 'VV'])", "run(['mysql', '-u', 'root', '--password', 'VV'], check=True)", "['sshpass','-p','VV','ssh','h']",
    "['htpasswd', '-b', 'f', 'bob', 'VV']", "[\n  'curl',\n  '-b',\n  'session=VV',\n]", "['net', 'user', 'bob', 'VV']",
    "curl -u  admin:VV https://h", "expect \"password:\"; send \"VV\\r\"", "expect \"bob's password:\" {\n  send -- \"VV\\r\"\n}",
];

#[test]
fn what_is_typed_into_a_field_for_a_password_goes() {
    for call in [
        json!({"selector": "#password", "text": V}),
        json!({"selector": "input[name=password]", "value": "swordfish"}),
        json!({"element": "Password textbox", "ref": "e5", "text": V}),
        json!({"text": V, "ref": "e5", "slowly": false, "element": "Password field"}),
        json!({"action": "type", "selector": "[type=password]", "text": V}),
        json!({"locator": "page.getByLabel('Password')", "value": V}),
        json!({"placeholder": "Enter your password", "keys": "correct horse"}),
        json!({"css": "#passwordField", "input": V}),
        json!({"ariaLabel": "One-time OTP", "text": "123456"}),
    ] {
        let kept = redact_json(&call.to_string()).expect("is JSON").value;
        let is_there = [V, "swordfish", "correct horse", "123456"].iter().any(|typed| kept.contains(typed));
        assert!(!is_there && kept.contains("<REDACTED:"), "{kept}");
        assert_eq!(redact_json(&kept).expect("is JSON").value, kept);
    }
    for call in [
        json!({"selector": "#email", "text": "swordfish"}),
        json!({"element": "Show password button", "text": "Show"}),
        json!({"label": "Password resets", "value": "12"}),
        json!({"label": "Password", "text": "Passwort"}),
        json!({"label": "Password", "text": "It must be at least 12 characters"}),
        json!({"element": "Password strength", "text": "weakly"}),
        json!({"label": "token", "text": "hello"}),
        json!({"selector": "#password", "text": "$PASSWORD"}),
    ] {
        assert_eq!(redact_json(&call.to_string()).expect("is JSON").value, call.to_string());
    }
}

#[test]
fn a_password_in_a_list_of_words_is_known_by_its_place_in_the_line() {
    for list in LISTS {
        let kept = redact_json(&list.replace("VV", V)).expect("is JSON").value;
        assert!(!kept.contains(V) && kept.contains("<REDACTED:"), "{kept}");
        assert_eq!(redact_json(&kept).expect("is JSON").value, kept);
    }
    for text in WRITTEN {
        let text = text.replace("VV", V);
        let kept = redact_text(&text).value;
        assert!(!kept.contains(V) && kept.contains("<REDACTED:"), "{kept}");
        assert_eq!(redact_text(&kept).value, kept, "twice: {text}");
    }
    for list in [
        json!(["vault", "login", "-method=oidc"]),
        json!(["net", "user", "bob", "/delete"]),
        json!(["curl", "-b", "cookies.txt", "https://h"]),
        json!(["htpasswd", "-c", "file", "bob"]),
        json!(["echo", "hello", "|", "sort", "-S", "10"]),
        json!(["vault", "login", "<token>"]),
        json!({"name": "net", "tags": ["user", "growth", "rate"]}),
    ] {
        assert_eq!(redact_json(&list.to_string()).expect("is JSON").value, list.to_string());
    }
    for text in [
        "parser.add_argument('--password', dest='pw', help='x')",
        "@click.option(\"--password\", prompt=True)",
        "program.option('--token', 'the token of an account')",
        "['mysql', '--password', password]",
        "['curl', '-u', user, 'https://h.example:8443/x']",
        "Command(\"docker\", \"run\", \"-u\", \"1000:1000\")",
    ] {
        assert_eq!(redact_text(text).value, text);
    }
}
