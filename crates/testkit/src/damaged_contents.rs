//! What a failing disk, or whoever owns the database, does to the texts of runs: a statement each, behind the drivers'
//! back.

use crate::{
    contents::StoredContents,
    databases::{Store, TestDatabase},
};

/// The columns of a body besides its key.
const COLUMNS: &str = "key_record, base_record, text_count, codec, raw_length, body";

/// What is done to the texts of a run.
#[derive(Clone, Debug)]
pub enum ContentsDamage {
    /// A body says and holds something else, in its place.
    Put(StoredContents),
    /// One is gone.
    Gone(StoredContents),
    /// One is there once more, in this place.
    Again(StoredContents, i64),
    /// The salt of the run with this id is gone: 32 hexadecimal digits.
    NoSalt(String),
    /// It is these bytes, in hexadecimal digits.
    Salt(String, &'static str),
}

impl StoredContents {
    /// With another byte in its body.
    #[must_use]
    pub fn flipped(&self, at: usize) -> Self {
        let mut changed = self.clone();
        changed.body[at] ^= 0xff;
        changed
    }

    /// With the beginning of its body alone.
    #[must_use]
    pub fn cut(&self, at: usize) -> Self {
        let mut changed = self.clone();
        changed.body.truncate(at);
        changed
    }

    /// With what another one holds, in its own place.
    #[must_use]
    pub fn holding(&self, other: &Self) -> Self {
        let Self { text_count, codec, raw_length, body, .. } = other.clone();
        Self { text_count, codec, raw_length, body, ..self.clone() }
    }

    /// With each of its columns in the open saying something else, one at a time. Its place is not among them.
    #[must_use]
    pub fn lies(&self) -> Vec<Self> {
        let lie = |change: &dyn Fn(&mut Self)| {
            let mut changed = self.clone();
            change(&mut changed);
            changed
        };
        vec![
            lie(&|it: &mut Self| it.raw_length -= 1),
            lie(&|it: &mut Self| it.raw_length = i64::MAX),
            lie(&|it: &mut Self| it.codec += 1),
            lie(&|it: &mut Self| it.text_count += 1),
            lie(&|it: &mut Self| it.key_record += 1),
            lie(&|it: &mut Self| it.base_record = None),
            lie(&|it: &mut Self| it.base_record = Some(it.first_record)),
            lie(&|it: &mut Self| it.base_record = Some(it.first_record + 999)),
        ]
    }
}

impl TestDatabase {
    /// Keeps all texts as they are, to restore them. From now on nothing else does: anybody can change them.
    ///
    /// # Panics
    /// Where the store fails.
    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    pub async fn keep_contents(&self) {
        for table in ["run_contents", "run_salts"] {
            self.disarm(table).await;
            self.tamper(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}")).await.expect("kept");
        }
    }

    /// Makes all texts what they were when they were kept.
    ///
    /// # Panics
    /// Where the store fails.
    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    pub async fn restore_contents(&self) {
        for table in ["run_contents", "run_salts"] {
            let restored = format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}");
            self.tamper(&restored).await.expect("restored");
        }
    }

    /// Does it.
    ///
    /// # Panics
    /// Where the store fails.
    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    pub async fn damage_contents(&self, damage: &ContentsDamage) {
        let statement = match damage {
            ContentsDamage::Put(contents) => return self.put_contents(contents).await,
            ContentsDamage::Gone(StoredContents { key, .. }) => {
                format!("DELETE FROM run_contents WHERE {key}")
            }
            ContentsDamage::Again(StoredContents { key, .. }, place) => format!(
                "INSERT INTO run_contents (tenant_id, run_id, first_record, {COLUMNS}) \
                 SELECT tenant_id, run_id, {place}, {COLUMNS} FROM kept_run_contents WHERE {key}"
            ),
            ContentsDamage::NoSalt(run) => format!("DELETE FROM run_salts WHERE run_id = {}", self.id(run)),
            ContentsDamage::Salt(run, digits) => {
                let bytes = match self.store() {
                    Store::Sqlite => format!("x'{digits}'"),
                    Store::Postgres => format!("decode('{digits}', 'hex')"),
                };
                format!("UPDATE run_salts SET salt = {bytes} WHERE run_id = {}", self.id(run))
            }
        };
        self.tamper(&statement).await.expect("done");
    }

    /// The bodies of a run's texts, in order.
    ///
    /// # Panics
    /// Where the store fails.
    pub async fn contents_of(&self, run: &str) -> Vec<StoredContents> {
        let digits = run.rsplit('_').next().unwrap_or(run);
        let mut contents = self.run_contents().await;
        contents.retain(|body| body.run == digits);
        contents
    }
}
