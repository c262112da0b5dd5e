//! docs/operations.md is done as it stands there, on both stores.
//!
//! A block that begins with `# while no server runs` is done while none runs, every other one beside a server. What is
//! under a heading of one store is done on that store.

use std::{collections::BTreeMap, process::Command};

use serde_json::json;
use testkit::{Store, TestDatabase};

use crate::{
    chrome::variable,
    harness::{Place, Server},
    pages::{Block, blocks},
};

const OPERATIONS: &str = include_str!("../../../../docs/operations.md");
const ALONE: &str = "# while no server runs";
const RUNS: &str = "/api/v1/runtime/activity/runs";
/// What the page has in place of the id of a key.
const SOME_KEY: &str = "key_0199...";

/// An operator with the page.
struct Operator {
    place: Place,
    /// What was exported.
    exported: BTreeMap<String, String>,
    server: Option<Server>,
    admin: Option<String>,
    /// All that was printed.
    printed: String,
}

impl Operator {
    fn settings(&self) -> BTreeMap<String, String> {
        let command = self.place.command(&[]);
        let text = |text: &std::ffi::OsStr| text.to_str().expect("text").to_owned();
        let mut settings: BTreeMap<_, _> =
            command.get_envs().filter_map(|(name, value)| Some((text(name), text(value?)))).collect();
        let binary = std::path::Path::new(command.get_program()).parent().expect("a folder");
        let path = format!("{}:{}", binary.display(), variable("PATH").expect("a PATH"));
        settings.insert("PATH".to_owned(), path);
        settings.insert("HOC_DATA_DIR".to_owned(), self.place.path("hoc-data").display().to_string());
        settings.extend(self.exported.clone());
        settings
    }

    fn serve(&mut self) -> &Server {
        if self.server.is_none() {
            let mut command = self.place.command(&["serve"]);
            command.env_clear().envs(self.settings());
            let server = Server::start(command);
            if self.admin.is_none() {
                self.admin = Some(server.admin_key().to_owned());
            }
            self.server = Some(server);
        }
        self.server.as_ref().expect("it was started")
    }

    fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            let (code, log) = server.stop();
            assert_eq!(code, Some(0), "{log}");
        }
    }

    /// Types a line into a shell; it must succeed.
    fn types(&mut self, line: &str) -> String {
        let mut command = Command::new("sh");
        command.args(["-c", line]).env_clear().envs(self.settings()).current_dir(self.place.folder.path());
        let ran = command.output().expect("a shell");
        let [printed, told] = [ran.stdout, ran.stderr].map(|it| String::from_utf8_lossy(&it).into_owned());
        assert!(ran.status.success(), "{line}: {:?}\n{printed}{told}", ran.status.code());
        self.printed.push_str(&printed);
        printed
    }

    /// Does what a block of shell says.
    fn does(&mut self, block: &str) {
        let alone = block.starts_with(ALONE);
        if alone {
            self.stop();
        }
        for line in block.lines().filter(|line| !line.starts_with('#')) {
            if let Some((name, value)) = line.strip_prefix("export ").and_then(|it| it.split_once('=')) {
                self.exported.entry(name.to_owned()).or_insert_with(|| value.to_owned());
            } else if line == "hoc serve" {
                self.serve();
            } else {
                if !alone {
                    self.serve();
                }
                let line = line.replace(SOME_KEY, &self.last_key());
                self.types(&line);
            }
        }
    }

    /// The id of the key that was made last.
    fn last_key(&self) -> String {
        let mut ids = self.printed.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        ids.rfind(|word| word.starts_with("key_")).unwrap_or(SOME_KEY).to_owned()
    }

    /// An agent's run, of which no backup may lose anything.
    fn is_used(&mut self) {
        let made = self.types("hoc keys create --role agent --any-agent --json");
        let made: serde_json::Value =
            serde_json::from_str(made.lines().last().expect("a line")).expect("a line of JSON");
        let agent = made["key"].as_str().expect("a key").to_owned();
        let mut http = self.serve().http();
        let run = http.post(RUNS, &agent, &json!({ "agent_id": "billing-bot" })).expect(201);
        let run = format!("{RUNS}/{}", run["run_id"].as_str().expect("an id"));
        let step =
            json!({ "kind": "TOOL_CALL", "skill_name": "look", "status": "SUCCESS", "params": { "at": 1 } });
        http.post(&format!("{run}/steps"), &agent, &step).expect(200);
        http.post(&format!("{run}/complete"), &agent, &json!({ "status": "SUCCEEDED" })).expect(200);
    }
}

/// The role and the database that the page makes, under a name that no other test has; and their URL.
struct Made {
    name: String,
    url: String,
    database: TestDatabase,
}

impl Made {
    /// By which URL somebody may make databases; none where there is no Postgres to ask.
    async fn prepared() -> Option<Self> {
        let database = TestDatabase::empty(Store::Postgres).await?;
        let url = database.url().to_owned();
        let (server, rest) = url.split_once("://").expect("a URL");
        let (authority, rest) = rest.split_once('/').expect("a database");
        let host = authority.rsplit('@').next().expect("a host");
        let (old, options) = rest.split_once('?').map_or((rest, ""), |(old, options)| (old, options));
        let name = format!("{old}_page");
        let mark = if options.is_empty() { "" } else { "?" };
        let url = format!("{server}://{name}:choose%20one@{host}/{name}{mark}{options}");
        Some(Self { name, url, database })
    }

    /// Does what a block of SQL says.
    fn does(&self, block: &str) {
        for statement in block.lines() {
            let statement = statement.replace(" hoc", &format!(" {}", self.name));
            self.asks(&statement);
        }
    }

    fn asks(&self, statement: &str) {
        let mut psql = Command::new("psql");
        let ran = psql.args(["-qX", "-v", "ON_ERROR_STOP=1", "-c", statement, self.database.url()]).output();
        let ran = ran.expect("psql starts");
        assert!(ran.status.success(), "{statement}: {}", String::from_utf8_lossy(&ran.stderr));
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.asks(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
            self.asks(&format!("DROP ROLE {}", self.name));
        }
    }
}

async fn done_as_written(store: Store) {
    let made = match store {
        Store::Sqlite => None,
        Store::Postgres => match Made::prepared().await {
            Some(made) => Some(made),
            None => return,
        },
    };
    let other = if made.is_some() { "SQLite" } else { "Postgres" };
    let mut operator = Operator {
        place: Place::sqlite(),
        exported: BTreeMap::new(),
        server: None,
        admin: None,
        printed: String::new(),
    };
    if let Some(made) = &made {
        // The Postgres of the tests does not sync, which `production` refuses.
        operator.exported.insert("HOC_ENV".to_owned(), "test".to_owned());
        operator.exported.insert("HOC_DATABASE_URL".to_owned(), made.url.clone());
    }
    let mut count = 0;
    for Block { heading, language, text } in blocks(OPERATIONS) {
        if heading.contains(other) {
            continue;
        }
        match (language, &made) {
            ("sql", Some(made)) => made.does(text),
            ("sh", _) => {
                operator.does(text);
                if count == 0 {
                    operator.is_used();
                }
                count += 1;
            }
            other => panic!("nobody does {other:?}", other = other.0),
        }
    }
    assert!(count > 6, "the page says how");
    let admin = operator.admin.clone().expect("the admin key");
    let mut http = operator.serve().http();
    let runs = http.get(RUNS, &admin).expect(200);
    assert_eq!(runs["items"].as_array().map(Vec::len), Some(1), "{runs}");
    assert_eq!(runs["items"][0]["status"], "SUCCEEDED");
    operator.stop();
}

#[tokio::test]
async fn the_page_is_done_as_written_on_sqlite() {
    done_as_written(Store::Sqlite).await;
}

#[tokio::test]
async fn the_page_is_done_as_written_on_postgres() {
    done_as_written(Store::Postgres).await;
}
