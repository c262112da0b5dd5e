//! What a failing disk, or whoever owns the database, does to the segments of runs: a statement each, behind the
//! drivers' back.

use crate::{
    databases::TestDatabase,
    records::{COLUMNS, StoredSegment},
};

/// What is done to the segments of a run.
#[derive(Clone, Debug)]
pub enum Damage {
    /// One says and holds something else, in its place.
    Put(StoredSegment),
    /// One is gone.
    Gone(StoredSegment),
    /// One is there once more, in this place.
    Again(StoredSegment, i64),
}

impl StoredSegment {
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
        let Self { record_count, counts, codec, raw_length, body, .. } = other.clone();
        Self { record_count, counts, codec, raw_length, body, ..self.clone() }
    }

    /// With each of its columns in the open saying something else, one at a time. Its place is not among them.
    #[must_use]
    pub fn lies(&self) -> Vec<Self> {
        let lie = |change: &dyn Fn(&mut Self)| {
            let mut changed = self.clone();
            change(&mut changed);
            changed
        };
        let mut lies = vec![
            lie(&|it: &mut Self| it.record_count += 1),
            lie(&|it: &mut Self| it.first_step += 1),
            lie(&|it: &mut Self| it.codec += 1),
            lie(&|it: &mut Self| it.raw_length -= 1),
            lie(&|it: &mut Self| it.raw_length = i64::MAX),
            lie(&|it: &mut Self| it.counts[0] = 0),
        ];
        lies.extend((0..self.counts.len()).map(|at| lie(&|it: &mut Self| it.counts[at] += 1)));
        lies
    }
}

impl TestDatabase {
    /// Keeps all segments as they are, to restore them. From now on nothing else does: anybody can change them.
    ///
    /// # Panics
    /// Where the store fails.
    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    pub async fn keep_segments(&self) {
        self.disarm("run_segments").await;
        self.tamper("CREATE TABLE kept_segments AS SELECT * FROM run_segments").await.expect("kept");
    }

    /// Makes all segments what they were when they were kept.
    ///
    /// # Panics
    /// Where the store fails.
    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    pub async fn restore_segments(&self) {
        let restored = "DELETE FROM run_segments; INSERT INTO run_segments SELECT * FROM kept_segments";
        self.tamper(restored).await.expect("restored");
    }

    /// Does it.
    ///
    /// # Panics
    /// Where the store fails.
    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    pub async fn damage(&self, damage: &Damage) {
        match damage {
            Damage::Put(segment) => self.put_segment(segment).await,
            Damage::Gone(StoredSegment { key, .. }) => {
                self.tamper(&format!("DELETE FROM run_segments WHERE {key}")).await.expect("deleted");
            }
            Damage::Again(StoredSegment { key, .. }, place) => {
                let again = format!(
                    "INSERT INTO run_segments (tenant_id, run_id, first_record, {COLUMNS}) \
                     SELECT tenant_id, run_id, {place}, {COLUMNS} FROM kept_segments WHERE {key}"
                );
                self.tamper(&again).await.expect("doubled");
            }
        }
    }

    /// The segments of a run, in order.
    ///
    /// # Panics
    /// Where the store fails.
    pub async fn segments_of(&self, run: &str) -> Vec<StoredSegment> {
        let digits = run.rsplit('_').next().unwrap_or(run);
        let mut segments = self.segments().await;
        segments.retain(|segment| segment.run == digits);
        segments
    }
}
