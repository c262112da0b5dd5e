//! Every problem that a caller can meet: one table, which docs/errors.md explains. It only grows.

use axum::http::StatusCode;

macro_rules! codes {
    ($($name:ident = $text:literal, $status:ident, $title:literal;)+) => {
        /// The stable name of a problem.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "docs/errors.md says what each means and what to do")]
        pub enum Code { $($name,)+ }

        impl Code {
            /// Every code, in the order of docs/errors.md.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// As it stands in `code`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The status that it is answered with.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            /// The same words whenever it occurs.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }
        }
    };
}

codes! {
    BadRequest = "bad_request", BAD_REQUEST, "The request cannot be read";
    MalformedJson = "malformed_json", BAD_REQUEST, "The body is not JSON";
    InvalidParameter = "invalid_parameter", BAD_REQUEST, "A parameter is not valid";
    InvalidHeader = "invalid_header", BAD_REQUEST, "A header is not valid";
    IdempotencyKeyMismatch = "idempotency_key_mismatch", BAD_REQUEST, "Two idempotency keys that differ";
    Unauthenticated = "unauthenticated", UNAUTHORIZED, "No credential that is in force";
    Forbidden = "forbidden", FORBIDDEN, "The role does not allow this";
    AgentNotBound = "agent_not_bound", FORBIDDEN, "The key does not speak for this agent";
    CrossSiteRequest = "cross_site_request", FORBIDDEN, "The request came from another site";
    StepHalted = "step_halted", FORBIDDEN, "The step was refused";
    NotFound = "not_found", NOT_FOUND, "No such thing";
    RouteNotFound = "route_not_found", NOT_FOUND, "No such route";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "The route does not take this method";
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT, "The body did not arrive in time";
    RunNotRunning = "run_not_running", CONFLICT, "The run takes no steps any more";
    RunKilled = "run_killed", CONFLICT, "The run was killed";
    RunEnded = "run_ended", CONFLICT, "The run has ended otherwise";
    StepOutOfOrder = "step_out_of_order", CONFLICT, "Not the next step";
    IdempotencyConflict = "idempotency_conflict", CONFLICT, "The idempotency key was used for another request";
    AnswerLost = "answer_lost", CONFLICT, "The answer of the first request is lost";
    IncidentResolved = "incident_resolved", CONFLICT, "The incident is resolved";
    IncidentAcknowledgedByOther = "incident_acknowledged_by_other", CONFLICT,
        "The incident was acknowledged by somebody else";
    RuleRetired = "rule_retired", CONFLICT, "The rule is retired";
    RuleNameTaken = "rule_name_taken", CONFLICT, "An active rule has this name";
    LimitDisabled = "limit_disabled", CONFLICT, "The limit is disabled";
    LimitNameTaken = "limit_name_taken", CONFLICT, "An active limit has this name";
    AgentFrozen = "agent_frozen", CONFLICT, "No run of this agent may begin";
    TenantFrozen = "tenant_frozen", CONFLICT, "No run of any agent may begin";
    AlreadyFrozen = "already_frozen", CONFLICT, "It is frozen already";
    KeyRevoked = "key_revoked", CONFLICT, "The key is revoked";
    JobOver = "job_over", CONFLICT, "The job is over";
    JobInQueue = "job_in_queue", CONFLICT, "The job is in the queue";
    JobStanding = "job_standing", CONFLICT, "The job comes round again by itself";
    TooManyJobs = "too_many_jobs", CONFLICT, "Too many jobs are not over";
    TenantExists = "tenant_exists", CONFLICT, "A tenant has this slug";
    PreconditionFailed = "precondition_failed", PRECONDITION_FAILED, "The stored version is another";
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE, "The body is too large";
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The body is of a type that the route does not take";
    InvalidRequest = "invalid_request", UNPROCESSABLE_ENTITY, "The request breaks a rule";
    PreconditionRequired = "precondition_required", PRECONDITION_REQUIRED, "If-Match is missing";
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too fast";
    Internal = "internal", INTERNAL_SERVER_ERROR, "The server failed";
    RecordDamaged = "record_damaged", INTERNAL_SERVER_ERROR, "A stored record is damaged";
    StoreUnavailable = "store_unavailable", SERVICE_UNAVAILABLE, "The store cannot be reached";
    StoreBehind = "store_behind", SERVICE_UNAVAILABLE, "An older backup was restored";
    ClockOff = "clock_off", SERVICE_UNAVAILABLE, "The server's clock is wrong";
    OtherSigningKey = "other_signing_key", SERVICE_UNAVAILABLE, "Another key signs for the store";
    CommitUnknown = "commit_unknown", SERVICE_UNAVAILABLE, "The store did not confirm the commit";
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, "Too many calls are waiting";
    Timeout = "timeout", SERVICE_UNAVAILABLE, "The answer took too long";
    NotReady = "not_ready", SERVICE_UNAVAILABLE, "The server is not ready";
}

impl Code {
    /// The code for an answer of the framework itself, by its status.
    pub(crate) fn of_framework(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::RouteNotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::REQUEST_TIMEOUT => Self::RequestTimeout,
            StatusCode::PAYLOAD_TOO_LARGE => Self::BodyTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            StatusCode::UNPROCESSABLE_ENTITY => Self::InvalidRequest,
            status if status.is_client_error() => Self::BadRequest,
            _ => Self::Internal,
        }
    }

    /// After how many seconds a retry may help.
    pub(crate) const fn retry_after(self) -> Option<u64> {
        match self {
            Self::StoreUnavailable
            | Self::ClockOff
            | Self::OtherSigningKey
            | Self::CommitUnknown
            | Self::Overloaded
            | Self::Timeout
            | Self::NotReady
            | Self::RateLimited => Some(1),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    const ERRORS: &str = include_str!("../../../../docs/errors.md");

    #[test]
    fn every_code_has_a_heading_in_the_docs_and_no_other() {
        let documented: Vec<&str> =
            ERRORS.lines().filter_map(|line| line.strip_prefix("## `")?.strip_suffix('`')).collect();
        let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(documented, codes, "docs/errors.md has one heading for each code, in order");
    }

    #[test]
    fn each_heading_says_status_and_title_and_what_to_do() {
        let sections: Vec<&str> = ERRORS.split("\n## `").skip(1).collect();
        for (code, section) in Code::ALL.iter().zip(sections) {
            let lines: Vec<&str> = section.lines().filter(|line| !line.is_empty()).collect();
            let status = code.status().as_u16();
            assert_eq!(lines[1], format!("**{status}** {}.", code.title()), "{}", code.as_str());
            assert!(lines.len() > 2, "{} does not say what to do", code.as_str());
        }
    }
}
