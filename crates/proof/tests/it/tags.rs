//! The tag that a type states is one that serde knows.

use proof::{
    leaves::{AuditLeaf, AuditRecord, OpenedLeaf, RunLeaf, SealedLeaf},
    records::{
        ActivityRecord, BreachRecord, CaptureFailureRecord, DecisionRecord, EnforcementRecord,
        EnvironmentRecord, GapRecord, IncidentRecord, IntegrityRecord, InterventionRecord, PreventionRecord,
        ProviderRecord, Record, RunRecord, StepRecord,
    },
    tagged::Tagged,
};
use serde::de::DeserializeOwned;
use serde_json::json;

/// Of an object with nothing but a known tag, serde misses the fields; of an unknown one, the tag.
fn refusal<T: DeserializeOwned>(tag: &str) -> String {
    match serde_json::from_value::<T>(json!({ "type": tag })) {
        Ok(_) => "nothing".to_owned(),
        Err(refused) => refused.to_string(),
    }
}

#[test]
fn a_tag_is_known_to_serde() {
    for tag in [
        ActivityRecord::TYPE,
        BreachRecord::TYPE,
        CaptureFailureRecord::TYPE,
        DecisionRecord::TYPE,
        EnforcementRecord::TYPE,
        EnvironmentRecord::TYPE,
        GapRecord::TYPE,
        IncidentRecord::TYPE,
        IntegrityRecord::TYPE,
        InterventionRecord::TYPE,
        PreventionRecord::TYPE,
        ProviderRecord::TYPE,
        RunRecord::TYPE,
        StepRecord::TYPE,
    ] {
        assert_eq!(refusal::<Record>(tag), "missing field `tenant_id`", "{tag}");
    }
    assert_eq!(refusal::<RunLeaf>(OpenedLeaf::TYPE), "missing field `tenant_id`");
    assert_eq!(refusal::<RunLeaf>(SealedLeaf::TYPE), "missing field `tenant_id`");
    assert_eq!(refusal::<AuditLeaf>(AuditRecord::TYPE), "missing field `tenant_id`");
    assert!(refusal::<Record>("hoc/step/v2").starts_with("unknown variant `hoc/step/v2`"));
}
