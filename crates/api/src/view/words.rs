//! The vocabularies of the wire, as the OpenAPI document lists them and as bodies and parameters are read.
//!
//! The words stand below, each list once. Here is which of the lists the API knows, and which of their parts.

use std::{borrow::Cow, fmt, str::FromStr};

use models::{account, activity, incidents, jobs, logs, policies};
use orchestrator::{
    coordinators::run_proof,
    handlers::{overview, policies as facts},
};
use proof::words::{self as hashed, Vocabulary};
use serde::de::{Deserialize, Deserializer, Error as _};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

/// Words that may stand in one place: a vocabulary, or a part of one under a name of its own.
pub(crate) trait Words {
    /// Whose words they are.
    type Of: Vocabulary;

    /// As the document calls them.
    const NAME: &'static str;

    /// Each of them, in order.
    const WORDS: &'static [Self::Of];
}

impl<V: Vocabulary> Words for V {
    type Of = V;

    const NAME: &'static str = <V as Vocabulary>::NAME;
    const WORDS: &'static [V] = <V as Vocabulary>::ALL;
}

/// A word of that list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word<L: Words>(L::Of);

/// As cursors of lists name the filters that they were given with, whatever the word's type is called.
impl<L: Words> fmt::Debug for Word<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple(L::NAME).field(&self.0.as_str()).finish()
    }
}

impl<L: Words> Word<L> {
    /// Every word, as it is written.
    pub(crate) fn all() -> Vec<&'static str> {
        L::WORDS.iter().map(|word| word.as_str()).collect()
    }

    /// As it is written.
    pub(crate) fn text(self) -> &'static str {
        self.0.as_str()
    }

    /// As L4 takes it.
    pub(crate) fn known(self) -> L::Of {
        self.0
    }
}

/// As L4 takes it, where one was given.
pub(crate) fn known<L: Words>(word: Option<Word<L>>) -> Option<L::Of> {
    word.map(Word::known)
}

impl<L: Words> FromStr for Word<L> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = L::WORDS.iter().find(|word| word.as_str() == text);
        found
            .map(|word| Self(*word))
            .ok_or_else(|| format!("`{text}` is not one of {}", Self::all().join(", ")))
    }
}

impl<'de, L: Words> Deserialize<'de> for Word<L> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl<L: Words> PartialSchema for Word<L> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(Self::all())).into()
    }
}

impl<L: Words> ToSchema for Word<L> {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed(L::NAME)
    }
}

/// Parts of vocabularies.
mod part {
    use proof::words::{RunStatus, Scope, StepStatus};

    use super::Words;

    /// Where a rule applies.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct RuleScope;

    impl Words for RuleScope {
        type Of = Scope;

        const NAME: &'static str = "RuleScope";
        const WORDS: &'static [Scope] = &[Scope::Global, Scope::Tenant, Scope::Project, Scope::Agent];
    }

    /// How a step ended, as its agent may report it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct ReportedStatus;

    impl Words for ReportedStatus {
        type Of = StepStatus;

        const NAME: &'static str = "ReportedStatus";
        const WORDS: &'static [StepStatus] =
            &[StepStatus::Success, StepStatus::Failure, StepStatus::Retry, StepStatus::Skipped];
    }

    /// How a run ends by its agent's word.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct FinalStatus;

    impl Words for FinalStatus {
        type Of = RunStatus;

        const NAME: &'static str = "FinalStatus";
        const WORDS: &'static [RunStatus] = &[RunStatus::Succeeded, RunStatus::Failed];
    }
}

/// Declares which lists there are, by where each is declared.
macro_rules! lists {
    ($($module:ident: $($name:ident)+;)+) => {
        $($(pub(crate) type $name = Word<$module::$name>;)+)+

        /// The schema of every list, by name.
        pub(crate) fn schemas() -> Vec<(String, RefOr<Schema>)> {
            vec![$($(($name::name().into_owned(), $name::schema())),+),+]
        }
    };
}

lists! {
    hashed: Action ActionTaken ActorType Asked Assurance AuditEntityType AuditEventType BindAt BreachType CauseType
        Consequence CostNote EnforcementMode HaltReason IncidentCategory IncidentRelation IntegrityStatus
        InterventionKind InterventionTarget LimitCategory LimitEnforcement LimitStanding LimitStatus LimitType LogName
        OutcomeCategory PermitNote PolicyKind PreventionOutcome ReplayMode ResetPeriod RuleSource RuleType RunSource
        RunStatus Scope Severity StepKind StepLevel StepSource StepStatus TerminationReason TraceStatus;
    account: CaptureMode FailureMode OwnerType Permits Role;
    activity: AckVia EvidenceHealth InterventionOutcome InterventionState LatencyBucket RiskLevel RunState;
    incidents: IncidentEventType IncidentTopic LifecycleState ResolutionType;
    jobs: JobAuditEventType JobKind JobState ProgressStage;
    logs: ExecutionStatus Origin SystemEventType SystemScope SystemSeverity;
    policies: RuleStatus;
    facts: FactType FactUnit Fault;
    overview: BudgetStatus BudgetUnit DecisionType EntityType Priority PulseStatus SourceDomain;
    run_proof: VerificationStatus;
    part: FinalStatus ReportedStatus RuleScope;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_takes_its_own_words_and_the_document_lists_them() {
        let word = "TENANT".parse::<RuleScope>().map(Word::known);
        assert_eq!(word, Ok(hashed::Scope::Tenant));
        assert_eq!(
            format!("{:?}", "TENANT".parse::<RuleScope>()),
            "Ok(RuleScope(\"TENANT\"))",
            "cursors outlive a build"
        );
        let err = "PROVIDER".parse::<RuleScope>().expect_err("a word of limits");
        assert_eq!(err, "`PROVIDER` is not one of GLOBAL, TENANT, PROJECT, AGENT");
        assert!("PROVIDER".parse::<Scope>().is_ok());
        let schema = serde_json::to_value(RuleScope::schema()).expect("a schema");
        assert_eq!(schema["enum"], serde_json::json!(["GLOBAL", "TENANT", "PROJECT", "AGENT"]));
    }

    #[test]
    fn every_list_has_a_name_of_its_own() {
        let mut names: Vec<String> = schemas().into_iter().map(|(name, _)| name).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count, "{names:?}");
    }
}
