//! What the filter of runs asks of their columns: lists find rows by it, and counters the kinds that pass.

use models::{activity::RunFilter, ids::KeyId};

/// What a column is to hold.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asked<'f> {
    /// A word of a closed vocabulary.
    Word(&'static str),
    /// Whether it is so.
    Is(bool),
    /// What a caller calls something.
    Text(&'f str),
    /// A credential.
    Key(KeyId),
}

/// The columns that a filter asks for, each of which has an index, with what they are to hold. When a run started is
/// asked otherwise. `at_risk` is a generated column: nobody writes it, so the entity does not have it.
pub(crate) fn asked(filter: &RunFilter) -> impl Iterator<Item = (&'static str, Asked<'_>)> {
    let RunFilter {
        state,
        status,
        risk,
        risk_level,
        agent_id,
        project_id,
        conversation_id,
        source,
        provider_type,
        is_synthetic,
        started_after: _,
        started_before: _,
        integrity_status,
        evidence_health,
        latency_bucket,
        assurance,
        key_id,
    } = filter;
    let all: [(&'static str, Option<Asked<'_>>); 15] = [
        ("state", state.map(|word| Asked::Word(word.as_str()))),
        ("status", status.map(|word| Asked::Word(word.as_str()))),
        ("at_risk", risk.map(Asked::Is)),
        ("risk_level", risk_level.map(|word| Asked::Word(word.as_str()))),
        ("agent_id", agent_id.as_deref().map(Asked::Text)),
        ("project_id", project_id.as_deref().map(Asked::Text)),
        ("conversation_id", conversation_id.as_deref().map(Asked::Text)),
        ("source", source.map(|word| Asked::Word(word.as_str()))),
        ("provider_type", provider_type.as_deref().map(Asked::Text)),
        ("is_synthetic", is_synthetic.map(Asked::Is)),
        ("integrity_status", integrity_status.map(|word| Asked::Word(word.as_str()))),
        ("evidence_health", evidence_health.map(|word| Asked::Word(word.as_str()))),
        ("latency_bucket", latency_bucket.map(|word| Asked::Word(word.as_str()))),
        ("assurance", assurance.map(|word| Asked::Word(word.as_str()))),
        ("key_id", key_id.map(Asked::Key)),
    ];
    all.into_iter().filter_map(|(column, asked)| Some((column, asked?)))
}
