//! The closed vocabularies that appear in hashed records, each said once, as it is written and read.

/// A text that is no word of the vocabulary it was read for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not one of {allowed}")]
pub struct UnknownWord {
    /// What was given.
    pub text: String,
    /// What would have been right, comma separated.
    pub allowed: String,
}

/// A closed vocabulary, for what is done alike with each of them. The macro [`words!`](crate::words!) declares one.
pub trait Vocabulary: Copy + std::str::FromStr<Err = UnknownWord> + 'static {
    /// What it is called.
    const NAME: &'static str;

    /// Every word, in order.
    const ALL: &'static [Self];

    /// As a word is written, everywhere.
    fn as_str(self) -> &'static str;
}

/// Declares a closed vocabulary: an enum whose written form is fixed, in serde, `Display` and `FromStr` alike.
#[macro_export]
macro_rules! words {
    ($($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal),+ $(,)? })+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::serde::Serialize, ::serde::Deserialize)]
        pub enum $name {
            $($(#[$vmeta])* #[doc = concat!("`", $text, "`")] #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every word, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// As it is written, everywhere.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl $crate::words::Vocabulary for $name {
            const NAME: &'static str = stringify!($name);
            const ALL: &'static [Self] = Self::ALL;
            fn as_str(self) -> &'static str { Self::as_str(self) }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result { f.write_str(self.as_str()) }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::words::UnknownWord;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($crate::words::UnknownWord {
                        text: text.to_owned(),
                        allowed: [$($text),+].join(", "),
                    }),
                }
            }
        }
    )+};
}

words! {
    /// What the choke point answers, mildest first: the order is the severity (spec 3, step 6).
    Action { Allow = "ALLOW", Warn = "WARN", Block = "BLOCK", Stop = "STOP", Kill = "KILL", Abort = "ABORT" }

    /// What was done, as it is stored. Converted once from [`Action`], on write.
    ActionTaken { Warned = "WARNED", Blocked = "BLOCKED", Stopped = "STOPPED", Killed = "KILLED",
        Aborted = "ABORTED", Audited = "AUDITED" }

    /// What a rule does when its condition holds.
    EnforcementMode { Block = "BLOCK", Stop = "STOP", Kill = "KILL", Abort = "ABORT", Warn = "WARN",
        Audit = "AUDIT", DryRun = "DRY_RUN", Disabled = "DISABLED" }

    /// The nature of a rule.
    RuleType { System = "SYSTEM", Safety = "SAFETY", Ethical = "ETHICAL", Temporal = "TEMPORAL" }

    /// Where a rule or limit applies. `PROVIDER` is for limits only.
    Scope { Global = "GLOBAL", Tenant = "TENANT", Project = "PROJECT", Agent = "AGENT", Provider = "PROVIDER" }

    /// The moment at which a rule is evaluated.
    BindAt { RunStart = "RUN_START", StepPre = "STEP_PRE", StepPost = "STEP_POST" }

    /// The moments that one decision covered. A step without permit is evaluated for both at once; INTERVENTION is a
    /// person's kill, which no step asked for.
    Moment { RunStart = "RUN_START", StepPre = "STEP_PRE", StepPost = "STEP_POST", StepBoth = "STEP_PRE_POST",
        Intervention = "INTERVENTION" }

    /// What a person does to runs: end one, let an agent's or all of them do nothing more, and take that back.
    InterventionKind { Kill = "KILL", Freeze = "FREEZE", Unfreeze = "UNFREEZE" }

    /// What an intervention is aimed at.
    InterventionTarget { Tenant = "TENANT", Agent = "AGENT", Run = "RUN" }

    /// Where a rule came from.
    RuleSource { Manual = "MANUAL", System = "SYSTEM", Learned = "LEARNED" }

    /// A rule or a limit.
    PolicyKind { Rule = "RULE", Limit = "LIMIT" }

    /// What a limit counts over.
    LimitCategory { Budget = "BUDGET", Rate = "RATE", Threshold = "THRESHOLD" }

    /// What a limit counts.
    LimitType { CostUsd = "COST_USD", TokensTotal = "TOKENS_TOTAL", TokensInput = "TOKENS_INPUT",
        TokensOutput = "TOKENS_OUTPUT", Steps = "STEPS", ToolCalls = "TOOL_CALLS",
        RequestsPerSecond = "REQUESTS_PER_SECOND", RequestsPerMinute = "REQUESTS_PER_MINUTE",
        RequestsPerHour = "REQUESTS_PER_HOUR", TokensPerMinute = "TOKENS_PER_MINUTE",
        RunCostUsd = "RUN_COST_USD", RunTokens = "RUN_TOKENS", RunSteps = "RUN_STEPS",
        RunDurationMs = "RUN_DURATION_MS", StepCostUsd = "STEP_COST_USD", StepTokens = "STEP_TOKENS",
        LatencyMs = "LATENCY_MS", RetryCount = "RETRY_COUNT", ErrorRatePct = "ERROR_RATE_PCT" }

    /// When a budget starts anew.
    ResetPeriod { Daily = "DAILY", Weekly = "WEEKLY", Monthly = "MONTHLY", None = "NONE" }

    /// What passing a limit does to the step.
    LimitEnforcement { Block = "BLOCK", Stop = "STOP", Kill = "KILL", Warn = "WARN", Reject = "REJECT",
        Queue = "QUEUE", Degrade = "DEGRADE", Alert = "ALERT" }

    /// What passing a limit does beyond the step.
    Consequence { Alert = "ALERT", Incident = "INCIDENT", Abort = "ABORT" }

    /// Whether a limit is in force.
    LimitStatus { Active = "ACTIVE", Disabled = "DISABLED" }

    /// Where use stands against a limit: below 80 %, from 80 %, above the cap.
    LimitStanding { Ok = "OK", NearThreshold = "NEAR_THRESHOLD", Breached = "BREACHED" }

    /// How a limit was passed.
    BreachType { Breached = "BREACHED", Exhausted = "EXHAUSTED", Throttled = "THROTTLED", Violated = "VIOLATED" }

    /// Why a verdict was not a plain ALLOW.
    HaltReason { PolicyStop = "policy_stop", PolicyKill = "policy_kill", BudgetExceeded = "budget_exceeded",
        RateLimited = "rate_limited", EvaluationError = "evaluation_error",
        PermitRequired = "permit_required" }

    /// The outcome of a prevention record, the canonical ledger of what fired.
    PreventionOutcome { Warned = "WARNED", Blocked = "BLOCKED", Stopped = "STOPPED", Killed = "KILLED",
        Aborted = "ABORTED", Audited = "AUDITED", LimitBreached = "LIMIT_BREACHED", Prevented = "PREVENTED",
        NoViolation = "NO_VIOLATION" }

    /// Where a run is in its life.
    RunStatus { Running = "RUNNING", Succeeded = "SUCCEEDED", Failed = "FAILED", Halted = "HALTED",
        Aborted = "ABORTED" }

    /// Why a run ended.
    TerminationReason { Completed = "completed", PolicyBlock = "policy_block", BudgetExceeded = "budget_exceeded",
        RateLimited = "rate_limited", Timeout = "timeout", SystemFailure = "system_failure",
        UserAbort = "user_abort", Abandoned = "abandoned" }

    /// Who or what drives a run, or acted in the Audit Ledger.
    ActorType { Human = "HUMAN", System = "SYSTEM", Agent = "AGENT" }

    /// How a run reached HOC.
    RunSource { Agent = "agent", Human = "human", Sdk = "sdk", Otlp = "otlp" }

    /// How a replay run works.
    ReplayMode { Full = "FULL", TraceOnly = "TRACE_ONLY" }

    /// What a replayed step does.
    ReplayBehavior { Execute = "execute", Skip = "skip", Check = "check" }

    /// How much a run's record says of what was decided before it was done, the most first (spec 4). ENFORCED: every
    /// step had a permit that served before it was done, or is a refused permit. RECORDED: every step was decided
    /// before it counted, and some were only told after they had been done. REPORTED: told after the fact, or with a
    /// gap.
    Assurance { Enforced = "ENFORCED", Recorded = "RECORDED", Reported = "REPORTED" }

    /// By which way a run came in: the REST operations; spans over OTLP, and in which encoding; a file of spans that
    /// somebody imported who has the store itself. UNKNOWN: it began under a build that did not note it.
    WayIn { Rest = "REST", OtlpJson = "OTLP_JSON", OtlpProtobuf = "OTLP_PROTOBUF", File = "FILE",
        Unknown = "UNKNOWN" }

    /// Whether leave for a step was asked before it was done, or the step was only told after.
    Asked { Before = "BEFORE", After = "AFTER" }

    /// What is to be known of a cost: that the counts of its tokens contradict each other; that no price book has a
    /// price of its model; that nothing tells its tokens; that its caller said 0 where the price book says more.
    CostNote { CountsContradict = "COUNTS_CONTRADICT", NoPrice = "NO_PRICE", NoTokens = "NO_TOKENS",
        ReportedZero = "REPORTED_ZERO" }

    /// Why the permit that a record names does not serve: its time is over or it served before; it was for something
    /// else; the run has none of that id, also where it served while the store was down and was lost.
    PermitNote { Lapsed = "permit_lapsed", Mismatch = "permit_mismatch", Unknown = "permit_unknown" }

    /// What a step is.
    StepKind { LlmCall = "LLM_CALL", ToolCall = "TOOL_CALL", Retrieval = "RETRIEVAL", HttpCall = "HTTP_CALL",
        Transform = "TRANSFORM", Other = "OTHER" }

    /// What a call to a model is for, as the last word of its `skill_name` says: calls for different things are
    /// different calls. Any other word is that of a call for text.
    CallClass { Text = "text", Embeddings = "embeddings", Images = "image_generation", Speech = "speech",
        Transcription = "transcription", Video = "video_generation" }

    /// How a step ended.
    StepStatus { Success = "SUCCESS", Failure = "FAILURE", Retry = "RETRY", Skipped = "SKIPPED", Refused = "REFUSED" }

    /// The nature of a step's outcome.
    OutcomeCategory { Success = "SUCCESS", Transient = "TRANSIENT", Permanent = "PERMANENT", Refused = "REFUSED" }

    /// The level of a step in a log view: failure ERROR, retry and refused WARN, else INFO.
    StepLevel { Info = "INFO", Warn = "WARN", Error = "ERROR" }

    /// Where a step's record came from.
    StepSource { Engine = "engine", External = "external", Replay = "replay" }

    /// Where a trace is in its life.
    TraceStatus { Running = "RUNNING", Completed = "COMPLETED", Failed = "FAILED", Aborted = "ABORTED" }

    /// The classes of evidence (spec 4).
    EvidenceClass { Run = "A", Trace = "T", Environment = "H", Activity = "B", Provider = "G", Decision = "D",
        Integrity = "J" }

    /// Why a capture failed.
    CaptureFailureReason { CaptureFailed = "capture_failed", ProviderTimeout = "provider_timeout",
        NetworkPartition = "network_partition", DatabaseError = "database_error", PreAttach = "pre_attach",
        ContextInvalid = "context_invalid" }

    /// What became of a failed capture.
    FailureResolution { Transient = "transient", Permanent = "permanent", Superseded = "superseded" }

    /// Whether a run's evidence is final.
    IntegrityState { Pending = "PENDING", Sealed = "SEALED" }

    /// The quality of a run's evidence, best first.
    IntegrityGrade { Pass = "PASS", Warn = "WARN", Fail = "FAIL" }

    /// A run's standing: UNKNOWN until sealed, then from its grade.
    IntegrityStatus { Unknown = "UNKNOWN", Verified = "VERIFIED", Degraded = "DEGRADED", Failed = "FAILED" }

    /// How bad an incident is, worst first. Lower case by decision (spec 1).
    Severity { Critical = "critical", High = "high", Medium = "medium", Low = "low" }

    /// What sort of thing went wrong.
    IncidentCategory { PolicyViolation = "POLICY_VIOLATION", BudgetExceeded = "BUDGET_EXCEEDED",
        RateLimit = "RATE_LIMIT", Threshold = "THRESHOLD", ExecutionFailure = "EXECUTION_FAILURE",
        IntegrityFailure = "INTEGRITY_FAILURE", UngovernedAction = "UNGOVERNED_ACTION" }

    /// What a run did of an incident: it opened it, or joined one that was open.
    IncidentRelation { Source = "SOURCE", Affected = "AFFECTED" }

    /// What an incident came from.
    CauseType { LlmRun = "LLM_RUN", System = "SYSTEM", Human = "HUMAN" }

    /// The fifteen canonical audit events (PIN-413, V1 lock). Nothing else makes an audit row, and no change of an
    /// operation adds one: CONTRIBUTING.md says what to do where none fits.
    AuditEventType { PolicyRuleCreated = "PolicyRuleCreated", PolicyRuleModified = "PolicyRuleModified",
        PolicyRuleRetired = "PolicyRuleRetired", PolicyProposalApproved = "PolicyProposalApproved",
        PolicyProposalRejected = "PolicyProposalRejected", LimitCreated = "LimitCreated",
        LimitUpdated = "LimitUpdated", LimitBreached = "LimitBreached",
        LimitOverrideGranted = "LimitOverrideGranted", LimitOverrideRevoked = "LimitOverrideRevoked",
        IncidentAcknowledged = "IncidentAcknowledged", IncidentResolved = "IncidentResolved",
        IncidentManuallyClosed = "IncidentManuallyClosed",
        EmergencyOverrideActivated = "EmergencyOverrideActivated",
        EmergencyOverrideDeactivated = "EmergencyOverrideDeactivated" }

    /// What an audit event is about (PIN-413).
    AuditEntityType { PolicyRule = "POLICY_RULE", PolicyProposal = "POLICY_PROPOSAL", Limit = "LIMIT",
        Incident = "INCIDENT" }

    /// The two logs of a tenant.
    LogName { Audit = "audit", Runs = "runs" }
}

/// What is said wherever a step is shown that was refused and had been done by then.
pub const REFUSED_AFTER: &str = "refused after it was done";

impl Moment {
    /// Whether what is decided at this moment was asked before it was done; none where it is no step.
    #[must_use]
    pub const fn asked(self) -> Option<Asked> {
        match self {
            Self::StepPre | Self::StepPost => Some(Asked::Before),
            Self::StepBoth => Some(Asked::After),
            Self::RunStart | Self::Intervention => None,
        }
    }

    /// Whether what is decided at this moment had been done by then, permitted or not: a record tells of what happened,
    /// so nothing is prevented by what it comes to.
    #[must_use]
    pub const fn is_of_done(self) -> bool {
        matches!(self, Self::StepPost | Self::StepBoth)
    }
}

impl Action {
    /// BLOCK and above: the step does not count.
    #[must_use]
    pub fn refuses(self) -> bool {
        self >= Self::Block
    }

    /// The verb as what was done; `None` for ALLOW, which leaves no enforcement row.
    #[must_use]
    pub fn taken(self) -> Option<ActionTaken> {
        match self {
            Self::Allow => None,
            Self::Warn => Some(ActionTaken::Warned),
            Self::Block => Some(ActionTaken::Blocked),
            Self::Stop => Some(ActionTaken::Stopped),
            Self::Kill => Some(ActionTaken::Killed),
            Self::Abort => Some(ActionTaken::Aborted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_reads_back_as_it_is_written() {
        for action in Action::ALL {
            assert_eq!(action.as_str().parse(), Ok(*action));
        }
        assert_eq!((<Action as Vocabulary>::NAME, <Action as Vocabulary>::ALL), ("Action", Action::ALL));
        let err = "PAUSE".parse::<Action>().expect_err("no such action");
        assert_eq!(err.to_string(), "`PAUSE` is not one of ALLOW, WARN, BLOCK, STOP, KILL, ABORT");
    }

    #[test]
    fn severity_is_the_order_of_the_actions() {
        assert!(Action::Abort > Action::Kill && Action::Block > Action::Warn);
        assert!(!Action::Warn.refuses() && Action::Block.refuses());
    }
}
