//! Why a rule or limit could not be evaluated.

proof::words! {
    /// Why a rule or limit could not be evaluated.
    Fault { ContentWithheld = "content_withheld", CostUnknown = "cost_unknown", FactsMissing = "facts_missing", InvalidCondition = "invalid_condition",
        Overflow = "overflow", Tampered = "tampered", TooManyReadings = "too_many_readings", Unevaluable = "unevaluable" }
}

impl Fault {
    pub(crate) const fn told(self) -> &'static str {
        match self {
            Self::ContentWithheld => "it reads what this tenant does not keep",
            Self::CostUnknown => "the cost is not known",
            Self::FactsMissing => "the facts of the step are missing",
            Self::InvalidCondition => "its stored condition is not valid",
            Self::Overflow => "its arithmetic overflows",
            Self::Tampered => "its stored definition does not match its integrity record",
            Self::TooManyReadings => "the parameters hold too many values of the facts that it reads",
            Self::Unevaluable => "its condition has no value",
        }
    }
}
