//! What the bodies of runs' texts hold, behind the drivers' back: to look into, and to change as whoever owns the
//! database can.

use std::collections::{BTreeMap, HashMap};

use proof::contents::{open, texts};
use sea_orm::{ConnectionTrait as _, QueryResult, Statement, Value as Bound};

use crate::databases::{Store, TestDatabase, ask};

/// A body as it is stored.
#[derive(Clone, Debug)]
pub struct StoredContents {
    pub(crate) key: String,
    /// The id of its run: 32 hexadecimal digits.
    pub run: String,
    /// Its place.
    pub first_record: i64,
    /// The place of the one that its chain begins with.
    pub key_record: i64,
    /// The place of the one that it stands on.
    pub base_record: Option<i64>,
    /// How many texts it says that it holds.
    pub text_count: i64,
    /// The number of its codec.
    pub codec: i64,
    /// How long its texts are, as it says.
    pub raw_length: i64,
    /// Its texts, pressed.
    pub body: Vec<u8>,
}

#[expect(clippy::expect_used, reason = "a test without its store has failed")]
impl TestDatabase {
    /// The bodies of all runs' texts, in the order of their runs and places.
    ///
    /// # Panics
    /// Where the store fails.
    pub async fn run_contents(&self) -> Vec<StoredContents> {
        let [tenant, run] = ["tenant_id", "run_id"].map(|column| match self.store() {
            Store::Sqlite => format!("lower(hex({column}))"),
            Store::Postgres => format!("replace({column}::text, '-', '')"),
        });
        let sql = format!(
            "SELECT {tenant} AS tenant, {run} AS run, first_record, key_record, base_record, text_count, codec, \
             raw_length, body FROM run_contents ORDER BY tenant_id, run_id, first_record"
        );
        let rows = ask(&self.connection().await, sql).await;
        let read = |row: QueryResult| {
            let number = |name: &str| row.try_get::<i64>("", name).expect("a number");
            let text = |name: &str| row.try_get::<String>("", name).expect("a text");
            let (tenant, run, first_record) = (text("tenant"), text("run"), number("first_record"));
            let (of_tenant, of_run) = (self.id(&tenant), self.id(&run));
            StoredContents {
                key: format!(
                    "tenant_id = {of_tenant} AND run_id = {of_run} AND first_record = {first_record}"
                ),
                run,
                first_record,
                key_record: number("key_record"),
                base_record: row.try_get("", "base_record").expect("a number or none"),
                text_count: number("text_count"),
                codec: number("codec"),
                raw_length: number("raw_length"),
                body: row.try_get("", "body").expect("a body"),
            }
        };
        rows.into_iter().map(read).collect()
    }

    /// Stores a body in its place as it is given here, where nothing keeps bodies as they are.
    ///
    /// # Panics
    /// Where the store fails.
    pub(crate) async fn put_contents(&self, contents: &StoredContents) {
        let StoredContents { key, key_record, base_record, text_count, codec, raw_length, body, .. } =
            contents;
        let place = match self.store() {
            Store::Sqlite => "?",
            Store::Postgres => "$1",
        };
        let base_record = base_record.map_or_else(|| "NULL".to_owned(), |place| place.to_string());
        let sql = format!(
            "UPDATE run_contents SET body = {place}, raw_length = {raw_length}, codec = {codec}, \
             text_count = {text_count}, key_record = {key_record}, base_record = {base_record} WHERE {key}"
        );
        let values: [Bound; 1] = [body.clone().into()];
        let connection = self.connection().await;
        let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
        connection.execute_raw(statement).await.expect("changed");
    }

    /// What they say, for whoever looks for a word in all that is stored.
    pub(crate) async fn contents_as_text(&self, all: &mut BTreeMap<String, String>) {
        let mut opened: HashMap<(String, i64), Vec<u8>> = HashMap::new();
        let mut said = Vec::new();
        for stored in self.run_contents().await {
            let before = stored.base_record.and_then(|base| opened.get(&(stored.run.clone(), base)));
            let length = usize::try_from(stored.raw_length).expect("a length");
            let bytes =
                open(stored.codec, &stored.body, length, before.map(Vec::as_slice)).expect("it opens");
            said.extend(texts(&bytes).expect("texts").into_iter().map(str::to_owned));
            opened.insert((stored.run, stored.first_record), bytes);
        }
        all.insert("run_contents".to_owned(), said.join("\n"));
    }
}
