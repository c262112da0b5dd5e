//! The vocabularies of the wire, as the OpenAPI document lists them and as bodies and parameters are read.
//!
//! They are twins of the enums below L4, which this crate does not see; a test holds the two equal.

use std::{fmt::Display, str::FromStr};

use serde::de::{Deserialize, Deserializer, Error as _};

use crate::Problem;

/// A word of a closed vocabulary.
pub(crate) trait Word: Copy {
    /// Every word, in order.
    const ALL: &'static [&'static str];

    /// As it is written.
    fn text(self) -> &'static str;

    /// The same word as L4 knows it.
    fn to<T: FromStr<Err: Display>>(self) -> Result<T, Problem> {
        self.text().parse().map_err(|err: T::Err| {
            tracing::error!(%err, "a word of the API is unknown to the operation");
            Problem::of_framework(axum::http::StatusCode::INTERNAL_SERVER_ERROR)
        })
    }
}

/// The same word as L4 knows it, where one was given.
pub(crate) fn known<W: Word, T: FromStr<Err: Display>>(word: Option<W>) -> Result<Option<T>, Problem> {
    word.map(Word::to).transpose()
}

fn find(text: &str, all: &[&'static str]) -> Result<&'static str, String> {
    let found = all.iter().find(|word| **word == text);
    found.copied().ok_or_else(|| format!("`{text}` is not one of {}", all.join(", ")))
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $($word:literal)+;)+) => {
        /// The schema of every vocabulary, by name.
        pub(crate) fn schemas() -> Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)> {
            vec![$((stringify!($name).to_owned(), <$name as utoipa::PartialSchema>::schema())),+]
        }

        $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) struct $name(&'static str);

        impl Word for $name {
            const ALL: &'static [&'static str] = &[$($word),+];

            fn text(self) -> &'static str { self.0 }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(from)?;
                text.parse().map_err(D::Error::custom)
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> { find(text, Self::ALL).map(Self) }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .enum_values(Some(Self::ALL.iter().copied()))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    )+};
}

words! {
    /// What the choke point answers.
    Action = "ALLOW" "WARN" "BLOCK" "STOP" "KILL" "ABORT";
    /// How an agent came to know.
    AckVia = "CALL" "STREAM";
    /// What was done.
    ActionTaken = "WARNED" "BLOCKED" "STOPPED" "KILLED" "ABORTED" "AUDITED";
    /// Who or what drives a run, or acted.
    ActorType = "HUMAN" "SYSTEM" "AGENT";
    /// Whether leave for a step was asked before it was done.
    Asked = "BEFORE" "AFTER";
    /// Whether every step was asked for before it was done, only decided before it counted, or told after the fact.
    Assurance = "ENFORCED" "RECORDED" "REPORTED";
    /// What an audit event is about.
    AuditEntityType = "POLICY_RULE" "POLICY_PROPOSAL" "LIMIT" "INCIDENT";
    /// The canonical audit events.
    AuditEventType = "PolicyRuleCreated" "PolicyRuleModified" "PolicyRuleRetired" "PolicyProposalApproved"
        "PolicyProposalRejected" "LimitCreated" "LimitUpdated" "LimitBreached" "LimitOverrideGranted"
        "LimitOverrideRevoked" "IncidentAcknowledged" "IncidentResolved" "IncidentManuallyClosed"
        "EmergencyOverrideActivated" "EmergencyOverrideDeactivated";
    /// The moment at which a rule is evaluated.
    BindAt = "RUN_START" "STEP_PRE" "STEP_POST";
    /// How a limit was passed.
    BreachType = "BREACHED" "EXHAUSTED" "THROTTLED" "VIOLATED";
    /// Whether content is kept (redacted), or only fingerprints and lengths.
    CaptureMode = "full" "metadata";
    /// What an incident came from.
    CauseType = "LLM_RUN" "SYSTEM" "HUMAN";
    /// What passing a limit does beyond the step.
    Consequence = "ALERT" "INCIDENT" "ABORT";
    /// What a rule does when its condition holds.
    EnforcementMode = "BLOCK" "STOP" "KILL" "ABORT" "WARN" "AUDIT" "DRY_RUN" "DISABLED";
    /// Whether a run's evidence arrives.
    EvidenceHealth = "FLOWING" "DEGRADED" "MISSING";
    /// How a call to a model ended.
    ExecutionStatus = "SUCCEEDED" "FAILED" "ABORTED" "TIMEOUT";
    /// What a step gets that would pass while the store is down.
    FailureMode = "fail_closed" "degrade";
    /// The type of a fact.
    FactType = "flag" "number" "text" "set";
    /// What a number counts.
    FactUnit = "bytes" "calls" "micro-USD" "ms" "steps" "tokens";
    /// Why a rule or limit could not be evaluated, or a fact not be read.
    Fault = "content_withheld" "cost_unknown" "facts_missing" "invalid_condition" "overflow" "tampered"
        "too_many_readings" "unevaluable";
    /// Why a verdict was not a plain ALLOW.
    HaltReason = "policy_stop" "policy_kill" "budget_exceeded" "rate_limited" "evaluation_error" "permit_required";
    /// What sort of thing went wrong.
    IncidentCategory = "POLICY_VIOLATION" "BUDGET_EXCEEDED" "RATE_LIMIT" "THRESHOLD" "EXECUTION_FAILURE"
        "INTEGRITY_FAILURE" "UNGOVERNED_ACTION";
    /// What happened to an incident.
    IncidentEventType = "created" "severity_escalated" "acknowledged" "resolved" "manually_closed"
        "evidence_captured" "recurred" "notified";
    /// What a run did of an incident.
    IncidentRelation = "SOURCE" "AFFECTED";
    /// A run's, rule's or limit's standing.
    IntegrityStatus = "UNKNOWN" "VERIFIED" "DEGRADED" "FAILED";
    /// Why a cost is not known, or not to be trusted: counts of tokens that contradict each other; no price in the book; no
    /// count of tokens; a 0 by its caller where the book has a price.
    CostNote = "COUNTS_CONTRADICT" "NO_PRICE" "NO_TOKENS" "REPORTED_ZERO";
    /// Why a permit that is named does not serve.
    PermitNote = "permit_lapsed" "permit_mismatch" "permit_unknown";
    /// Whether a step may come without a permit that serves.
    Permits = "optional" "required";
    /// What a person does to runs.
    InterventionKind = "KILL" "FREEZE" "UNFREEZE";
    /// What is known of an intervention's effect.
    InterventionOutcome = "ACKED" "UNACKED" "ENDED";
    /// Whether what a person did still holds. A kill is for good.
    InterventionState = "IN_FORCE" "LIFTED";
    /// What an intervention is aimed at.
    InterventionTarget = "TENANT" "AGENT" "RUN";
    /// How a run's duration compares with what was expected.
    LatencyBucket = "OK" "SLOW" "STALLED";
    /// The state of an incident.
    LifecycleState = "ACTIVE" "ACKED" "RESOLVED";
    /// What a limit counts over.
    LimitCategory = "BUDGET" "RATE" "THRESHOLD";
    /// What passing a limit does to the step.
    LimitEnforcement = "BLOCK" "STOP" "KILL" "WARN" "REJECT" "QUEUE" "DEGRADE" "ALERT";
    /// Where use stands against a limit: below 80 %, from 80 %, above the cap.
    LimitStanding = "OK" "NEAR_THRESHOLD" "BREACHED";
    /// Whether a limit is in force.
    LimitStatus = "ACTIVE" "DISABLED";
    /// What a limit counts.
    LimitType = "COST_USD" "TOKENS_TOTAL" "TOKENS_INPUT" "TOKENS_OUTPUT" "STEPS" "TOOL_CALLS"
        "REQUESTS_PER_SECOND" "REQUESTS_PER_MINUTE" "REQUESTS_PER_HOUR" "TOKENS_PER_MINUTE" "RUN_COST_USD"
        "RUN_TOKENS" "RUN_STEPS" "RUN_DURATION_MS" "STEP_COST_USD" "STEP_TOKENS" "LATENCY_MS" "RETRY_COUNT"
        "ERROR_RATE_PCT";
    /// The two logs of a tenant.
    LogName = "audit" "runs";
    /// Where a fact that Logs answers came from.
    Origin = "SYSTEM" "HUMAN" "AGENT" "MIGRATION" "REPLAY";
    /// The nature of a step's outcome.
    OutcomeCategory = "SUCCESS" "TRANSIENT" "PERMANENT" "REFUSED";
    /// Whose a key is.
    OwnerType = "person" "service";
    /// A rule or a limit.
    PolicyKind = "RULE" "LIMIT";
    /// The outcome of a prevention record.
    PreventionOutcome = "WARNED" "BLOCKED" "STOPPED" "KILLED" "ABORTED" "AUDITED" "LIMIT_BREACHED" "PREVENTED"
        "NO_VIOLATION";
    /// How a replay run works.
    ReplayMode = "FULL" "TRACE_ONLY";
    /// When a budget starts anew.
    ResetPeriod = "DAILY" "WEEKLY" "MONTHLY" "NONE";
    /// How an incident was settled.
    ResolutionType = "fixed" "false_positive" "accepted_risk" "duplicate" "manual" "manual_closure";
    /// How near a run is to trouble.
    RiskLevel = "NORMAL" "NEAR_THRESHOLD" "AT_RISK" "VIOLATED";
    /// What a key may do.
    Role = "agent" "viewer" "operator" "policy" "auditor" "admin";
    /// Where a rule came from.
    RuleSource = "MANUAL" "SYSTEM" "LEARNED";
    /// Where a rule applies.
    RuleScope = "GLOBAL" "TENANT" "PROJECT" "AGENT";
    /// Whether a rule is in force.
    RuleStatus = "ACTIVE" "RETIRED";
    /// The nature of a rule.
    RuleType = "SYSTEM" "SAFETY" "ETHICAL" "TEMPORAL";
    /// How a run reached HOC.
    RunSource = "agent" "human" "sdk" "otlp";
    /// Whether a run is sealed.
    RunState = "LIVE" "COMPLETED";
    /// Where a run is in its life.
    RunStatus = "RUNNING" "SUCCEEDED" "FAILED" "HALTED" "ABORTED";
    /// Where a rule or limit applies. `PROVIDER` is for limits only.
    Scope = "GLOBAL" "TENANT" "PROJECT" "AGENT" "PROVIDER";
    /// How bad an incident is.
    Severity = "critical" "high" "medium" "low";
    /// What a step is.
    StepKind = "LLM_CALL" "TOOL_CALL" "RETRIEVAL" "HTTP_CALL" "TRANSFORM" "OTHER";
    /// The level of a step in a log view.
    StepLevel = "INFO" "WARN" "ERROR";
    /// Where a step's record came from.
    StepSource = "engine" "external" "replay";
    /// How a step ended. `REFUSED` is said by the choke point alone.
    StepStatus = "SUCCESS" "FAILURE" "RETRY" "SKIPPED" "REFUSED";
    /// How a step ended, as its agent may report it.
    ReportedStatus = "SUCCESS" "FAILURE" "RETRY" "SKIPPED";
    /// What happened to the system itself.
    SystemEventType = "STARTUP" "SHUTDOWN" "RESTART" "DEPLOY" "MIGRATION" "AUTH_CHANGE" "CONFIG_CHANGE" "ERROR"
        "HEALTH_CHECK";
    /// Whom a system event concerns.
    SystemScope = "TENANT" "INSTALLATION";
    /// How bad a system event is.
    SystemSeverity = "info" "warning" "error" "critical";
    /// Why a run ended.
    TerminationReason = "completed" "policy_block" "budget_exceeded" "rate_limited" "timeout" "system_failure"
        "user_abort" "abandoned";
    /// Where a trace is in its life.
    TraceStatus = "RUNNING" "COMPLETED" "FAILED" "ABORTED";
    /// What the verification of a run came to.
    VerificationStatus = "VERIFIED" "FAILED" "UNSUPPORTED";
    /// How a run ends by its agent's word.
    FinalStatus = "SUCCEEDED" "FAILED";
    /// Which incidents: `ACTIVE` gives ACTIVE and ACKED.
    IncidentTopic = "ACTIVE" "RESOLVED" "HISTORICAL";
    /// Where a budget stands: below 80 %, from 80 %, above its cap.
    BudgetStatus = "OK" "NEAR_THRESHOLD" "BREACHED";
    /// What a budget counts.
    BudgetUnit = "USD" "TOKENS" "STEPS" "CALLS";
    /// The system in one word.
    PulseStatus = "HEALTHY" "ATTENTION_NEEDED" "CRITICAL";
    /// Whose table a pending decision comes from.
    SourceDomain = "INCIDENT" "POLICY";
    /// What a pending decision is about.
    EntityType = "INCIDENT" "POLICY_PROPOSAL";
    /// What is asked of a person.
    DecisionType = "ACK" "APPROVE";
    /// How soon.
    Priority = "CRITICAL" "HIGH" "MEDIUM" "LOW";
}

#[cfg(test)]
mod tests {
    use models::{account, activity, incidents, logs, policies};
    use orchestrator::{
        coordinators::run_proof,
        handlers::{overview, policies as facts},
    };
    use proof::words as proof_words;

    use super::{Word, *};

    /// The twin's own refusal lists its words.
    fn agrees<W: Word, T: FromStr<Err: Display>>() {
        let err = "?".parse::<T>().err().expect("`?` is no word").to_string();
        assert_eq!(err, format!("`?` is not one of {}", W::ALL.join(", ")));
    }

    macro_rules! agree {
        ($($module:ident: $($name:ident)+;)+) => {$($(agrees::<$name, $module::$name>();)+)+};
    }

    #[test]
    fn what_may_be_asked_for_is_part_of_what_there_is() {
        for (part, whole) in [
            (ReportedStatus::ALL, StepStatus::ALL),
            (RuleScope::ALL, Scope::ALL),
            (FinalStatus::ALL, RunStatus::ALL),
        ] {
            assert!(part.iter().all(|word| whole.contains(word)), "{part:?}");
        }
    }

    #[test]
    fn every_word_is_known_below() {
        agree! {
            proof_words: Action ActionTaken ActorType Assurance AuditEntityType AuditEventType BindAt BreachType
                CauseType Consequence EnforcementMode HaltReason IncidentCategory IncidentRelation IntegrityStatus InterventionKind
                InterventionTarget LimitCategory
                LimitEnforcement LimitStanding LimitStatus LimitType LogName OutcomeCategory PolicyKind
                PreventionOutcome ReplayMode ResetPeriod RuleSource RuleType RunSource RunStatus
                Scope Severity StepKind StepLevel StepSource StepStatus TerminationReason TraceStatus;
            account: CaptureMode FailureMode OwnerType Role;
            facts: FactType FactUnit Fault;
            activity: AckVia EvidenceHealth InterventionOutcome InterventionState LatencyBucket RiskLevel
                RunState;
            incidents: IncidentEventType IncidentTopic LifecycleState ResolutionType;
            logs: ExecutionStatus Origin SystemEventType SystemScope SystemSeverity;
            overview: BudgetStatus BudgetUnit DecisionType EntityType Priority PulseStatus SourceDomain;
            policies: RuleStatus;
            run_proof: VerificationStatus;
        }
    }
}
