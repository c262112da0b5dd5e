//! What the segments of runs hold, behind the drivers' back: to look into, and to change as whoever owns the database
//! can.

use std::collections::BTreeMap;

use proof::segment::{FEED, NEWEST, open, press};
use sea_orm::{ConnectionTrait as _, QueryResult, Statement, Value as Bound};
use serde_json::Value;

use crate::databases::{Store, TestDatabase, ask};

/// What a segment counts in the open: the column, and the type of the records.
const COUNTED: [(&str, &str); 5] = [
    ("step_count", "hoc/step/v1"),
    ("decision_count", "hoc/policy-decision/v1"),
    ("environment_count", "hoc/environment-evidence/v1"),
    ("activity_count", "hoc/activity-evidence/v1"),
    ("provider_count", "hoc/provider-evidence/v1"),
];

/// The columns of a segment besides its key.
pub(crate) const COLUMNS: &str = "record_count, first_step, step_count, decision_count, environment_count, activity_count, \
                                  provider_count, codec, raw_length, body";

/// A segment as it is stored.
#[derive(Clone, Debug)]
pub struct StoredSegment {
    pub(crate) key: String,
    /// The id of its run: 32 hexadecimal digits.
    pub run: String,
    /// How many records the run's segments hold before it.
    pub first_record: i64,
    /// How many it says that it holds.
    pub record_count: i64,
    /// The index of its first step, as it says.
    pub first_step: i64,
    /// How many steps it says that it holds, decisions, environments, activities and providers.
    pub counts: [i64; 5],
    /// The number of the codec of its body.
    pub codec: i64,
    /// How long its lines are, as it says.
    pub raw_length: i64,
    /// Its lines, pressed.
    pub body: Vec<u8>,
}

impl StoredSegment {
    /// Its records.
    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    fn records(&self) -> Vec<Value> {
        let length = usize::try_from(self.raw_length).expect("a length");
        let lines = open(self.codec, &self.body, length).expect("it opens");
        let lines = lines.split(|byte| *byte == FEED).filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).expect("a record")).collect()
    }

    /// The same with other records in it, which it counts.
    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    fn with(self, records: &[Value]) -> Self {
        let lines: Vec<String> = records.iter().map(Value::to_string).collect();
        let lines = lines.join("\n");
        let [raw_length, record_count] =
            [lines.len(), records.len()].map(|n| i64::try_from(n).expect("a length"));
        let counts = COUNTED.map(|(_, of)| {
            let count = records.iter().filter(|record| record["type"] == of).count();
            i64::try_from(count).expect("a count")
        });
        let body = press(lines.as_bytes()).expect("pressed");
        Self { record_count, counts, codec: NEWEST, raw_length, body, ..self }
    }
}

impl TestDatabase {
    /// The records that the segments of all runs hold, in the order of their runs and segments.
    ///
    /// # Panics
    /// Where the store fails, or a segment does not open.
    pub async fn records(&self) -> Vec<Value> {
        self.segments().await.iter().flat_map(StoredSegment::records).collect()
    }

    /// Those of a type, such as `hoc/step/v1`.
    ///
    /// # Panics
    /// As [`Self::records`].
    pub async fn records_of(&self, record_type: &str) -> Vec<Value> {
        let mut records = self.records().await;
        records.retain(|record| record["type"] == record_type);
        records
    }

    /// Changes those records of which `change` gives another, and takes away those of which it gives none; their
    /// segment says how many it has.
    ///
    /// # Panics
    /// Where the store fails, or nothing was changed.
    pub async fn change_records(&self, change: impl Fn(&Value) -> Option<Value>) {
        self.disarm("run_segments").await;
        let mut changed = false;
        for segment in self.segments().await {
            let records = segment.records();
            let now: Vec<Value> = records.iter().filter_map(&change).collect();
            if now != records {
                changed = true;
                self.put_segment(&segment.with(&now)).await;
            }
        }
        assert!(changed, "no record was changed");
    }

    /// Stores a segment in its place as it is given here, where nothing keeps segments as they are.
    ///
    /// # Panics
    /// Where the store fails.
    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    pub async fn put_segment(&self, segment: &StoredSegment) {
        let StoredSegment { key, record_count, first_step, counts, codec, raw_length, body, .. } = segment;
        let place = match self.store() {
            Store::Sqlite => "?",
            Store::Postgres => "$1",
        };
        let counts = COUNTED.iter().zip(counts).map(|((column, _), count)| format!(", {column} = {count}"));
        let counts = counts.collect::<Vec<_>>().concat();
        let sql = format!(
            "UPDATE run_segments SET body = {place}, raw_length = {raw_length}, codec = {codec}, \
             record_count = {record_count}, first_step = {first_step}{counts} WHERE {key}"
        );
        let values: [Bound; 1] = [body.clone().into()];
        let connection = self.connection().await;
        let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
        connection.execute_raw(statement).await.expect("changed");
    }

    /// The segments of all runs, in the order of their runs and places.
    ///
    /// # Panics
    /// Where the store fails.
    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    pub async fn segments(&self) -> Vec<StoredSegment> {
        let [tenant, run] = ["tenant_id", "run_id"].map(|column| match self.store() {
            Store::Sqlite => format!("lower(hex({column}))"),
            Store::Postgres => format!("replace({column}::text, '-', '')"),
        });
        let counts = COUNTED.map(|(column, _)| column).join(", ");
        let sql = format!(
            "SELECT {tenant} AS tenant, {run} AS run, first_record, record_count, first_step, {counts}, codec, \
             raw_length, body FROM run_segments ORDER BY tenant_id, run_id, first_record"
        );
        let rows = ask(&self.connection().await, sql).await;
        let read = |row: QueryResult| {
            let number = |name: &str| row.try_get::<i64>("", name).expect("a number");
            let text = |name: &str| row.try_get::<String>("", name).expect("a text");
            let (tenant, run, first_record) = (text("tenant"), text("run"), number("first_record"));
            let (of_tenant, of_run) = (self.id(&tenant), self.id(&run));
            StoredSegment {
                key: format!(
                    "tenant_id = {of_tenant} AND run_id = {of_run} AND first_record = {first_record}"
                ),
                run,
                first_record,
                record_count: number("record_count"),
                first_step: number("first_step"),
                counts: COUNTED.map(|(column, _)| number(column)),
                codec: number("codec"),
                raw_length: number("raw_length"),
                body: row.try_get("", "body").expect("a body"),
            }
        };
        rows.into_iter().map(read).collect()
    }

    /// An id such as `run_..`, as SQL says it.
    #[must_use]
    pub fn id(&self, text: &str) -> String {
        let digits = text.rsplit('_').next().unwrap_or(text);
        match self.store() {
            Store::Sqlite => format!("x'{digits}'"),
            Store::Postgres => format!("'{digits}'"),
        }
    }

    /// What they say, as text, for whoever looks for a word in all that is stored.
    pub(crate) async fn records_as_text(&self, contents: &mut BTreeMap<String, String>) {
        let records: Vec<String> = self.records().await.iter().map(Value::to_string).collect();
        contents.insert("run_segments".to_owned(), records.join("\n"));
    }
}
