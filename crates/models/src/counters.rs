//! Counters: what is counted as it is written, so that nobody counts it when it is asked for (ADR 44). Infrastructure:
//! they are of no domain.

proof::words! {
    /// What a counter counts, and over which time.
    Counted {
        Runs = "RUNS", RunsOfMonth = "RUNS_OF_MONTH", RunsOfDay = "RUNS_OF_DAY",
        AgentRuns = "AGENT_RUNS", AgentRunsOfDay = "AGENT_RUNS_OF_DAY",
        Calls = "CALLS", CallsOfDay = "CALLS_OF_DAY", CallsOfHour = "CALLS_OF_HOUR",
        AgentCallsOfDay = "AGENT_CALLS_OF_DAY", AgentCallsOfHour = "AGENT_CALLS_OF_HOUR",
    }
}

/// A counter that does not say what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miscount {
    /// What it counts.
    pub counted: Counted,
    /// Which of these counters it is.
    pub name: String,
    /// By how much it differs, in words.
    pub differs: String,
}
