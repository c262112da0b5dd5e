//! The records of a run as values, segment by segment: for who goes through a run of any length and keeps none of it.

use proof::segment::MissingSegment;

use super::{
    held::HeldRecords,
    lines::RunRecords,
    pages::{SegmentsEnd, StoredSegment},
};
use crate::logs::Named;

/// A run that is read, as far as it has come. Of what was given it keeps no more than the records of which a run has
/// one, so that a second one is told.
#[derive(Debug, Default)]
pub struct RunReading {
    held: HeldRecords,
}

impl RunReading {
    /// Goes on with a segment: what it holds, and nothing where it is missing.
    pub fn meet(&mut self, StoredSegment(row): &StoredSegment) -> RunRecords {
        let Self { held } = self;
        let (environment, integrity) = (held.records.environment.is_some(), held.records.integrity.is_some());
        held.meet(row);
        let records = &mut held.records;
        RunRecords {
            steps: std::mem::take(&mut records.steps),
            decisions: std::mem::take(&mut records.decisions),
            environment: records.environment.clone().filter(|_| !environment),
            activities: std::mem::take(&mut records.activities),
            providers: std::mem::take(&mut records.providers),
            integrity: records.integrity.clone().filter(|_| !integrity),
            gaps: std::mem::take(&mut records.gaps),
        }
    }

    /// The texts that the steps name which were given since this was asked last.
    pub fn take_named(&mut self) -> Named {
        std::mem::take(&mut self.held.named)
    }

    /// There are no more segments.
    pub fn end(&mut self, end: &SegmentsEnd) {
        if let Some(counted) = end.counted {
            self.held.end_at(counted);
        }
    }

    /// The segments that are not there, or not what was recorded, in order.
    #[must_use]
    pub fn missing(&self) -> &[MissingSegment] {
        &self.held.missing
    }

    /// The same, for who has read all.
    #[must_use]
    pub fn into_missing(self) -> Vec<MissingSegment> {
        self.held.missing
    }
}

#[cfg(test)]
mod tests {
    use entities::{Id, logs::run_segments::Model};
    use models::ids::{RunId, TenantId};
    use proof::{
        records::{EnvironmentRecord, GapRecord},
        segment,
        tagged::RecordRef,
        words::WayIn,
    };
    use uuid::Uuid;

    use super::*;

    const TENANT: TenantId = TenantId(Uuid::nil());
    const RUN: RunId = RunId(Uuid::max());

    /// So many gaps are in a segment.
    const GAPS: u64 = 4;

    fn environment() -> EnvironmentRecord {
        EnvironmentRecord {
            tenant_id: TENANT.to_string(),
            run_id: RUN.to_string(),
            evidence_id: "evi_1".to_owned(),
            sdk_name: None,
            sdk_version: None,
            environment: None,
            telemetry: None,
            details: None,
            way_in: WayIn::ALL[0],
            user_agent: None,
            hoc_version: "0".to_owned(),
            captured_at: String::new(),
        }
    }

    fn gap(seq: u64) -> GapRecord {
        GapRecord {
            tenant_id: TENANT.to_string(),
            run_id: RUN.to_string(),
            gap_id: format!("gap_{seq}"),
            seq,
            decision_id: "dec_1".to_owned(),
            step_index: None,
            permit_id: None,
            answered_at: String::new(),
            recorded_at: String::new(),
        }
    }

    fn stored(
        first_record: u64,
        environment: Option<&EnvironmentRecord>,
        gaps: &[GapRecord],
    ) -> StoredSegment {
        let records = environment.map(RecordRef::from).into_iter().chain(gaps.iter().map(RecordRef::from));
        let lines: Vec<Vec<u8>> = records.map(|record| record.canonical_bytes()).collect();
        let text = lines.join(&segment::FEED);
        let number = |value: usize| i64::try_from(value).expect("few");
        StoredSegment(Model {
            tenant_id: Id(TENANT),
            run_id: Id(RUN),
            first_record: i64::try_from(first_record).expect("few"),
            record_count: number(lines.len()),
            first_step: 0,
            step_count: 0,
            decision_count: 0,
            environment_count: i64::from(environment.is_some()),
            activity_count: 0,
            provider_count: 0,
            codec: segment::NEWEST,
            raw_length: number(text.len()),
            body: segment::press(&text).expect("it is pressed"),
        })
    }

    #[test]
    fn of_a_run_of_any_length_no_more_is_held_than_one_segment() {
        let (mut reading, environment) = (RunReading::default(), environment());
        let only = RunRecords { environment: Some(environment.clone()), ..RunRecords::default() };
        assert_eq!(reading.meet(&stored(0, Some(&environment), &[])), only);
        for segment in 0..100 {
            let first = segment * GAPS;
            let gaps: Vec<GapRecord> = (first..first + GAPS).map(gap).collect();
            let given = reading.meet(&stored(1 + first, None, &gaps));
            assert_eq!(given, RunRecords { gaps, ..RunRecords::default() }, "each is given once");
            assert_eq!(reading.held.records, only, "and none is kept");
        }
        assert_eq!(reading.missing(), []);
        // That a run has one of them is known all the same.
        let again = stored(1 + 100 * GAPS, Some(&environment), &[]);
        assert_eq!(reading.meet(&again), RunRecords::default());
        let told: Vec<_> = reading.into_missing().into_iter().map(|one| one.why).collect();
        assert!(
            matches!(told.as_slice(), [why] if why.contains("a second environment_evidence")),
            "{told:?}"
        );
    }
}
