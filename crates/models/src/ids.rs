//! Typed ids: one append-only list, so that ids of different kinds cannot be mixed.
//!
//! An id is a UUIDv7 made by L4. Written, it is its prefix and 32 lower-case hex digits, and nothing else
//! reads as one: to a caller, an id that is not well-formed is an id that does not exist.

use uuid::Uuid;

/// A text that is no id of the kind that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id of the form {prefix}<32 hex digits>")]
pub struct IdError {
    /// What was given.
    pub text: String,
    /// What it should have begun with.
    pub prefix: &'static str,
}

/// The uuid of `text`, if it is `prefix` and exactly 32 lower-case hex digits.
fn parse(prefix: &'static str, text: &str) -> Result<Uuid, IdError> {
    text.strip_prefix(prefix)
        .filter(|digits| digits.len() == 32 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
        .and_then(|digits| Uuid::try_parse(digits).ok())
        .ok_or_else(|| IdError { text: text.to_owned(), prefix })
}

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal),* $(,)?) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
            pub struct $name(pub Uuid);

            impl $name {
                /// What its written form begins with.
                pub const PREFIX: &'static str = $prefix;
            }

            impl From<Uuid> for $name {
                fn from(uuid: Uuid) -> Self { Self(uuid) }
            }

            impl From<$name> for Uuid {
                fn from(id: $name) -> Self { id.0 }
            }

            impl std::fmt::Display for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    write!(f, "{}{}", $prefix, self.0.simple())
                }
            }

            impl std::str::FromStr for $name {
                type Err = IdError;
                fn from_str(text: &str) -> Result<Self, IdError> { parse($prefix, text).map(Self) }
            }

            impl serde::Serialize for $name {
                fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> { to.collect_str(self) }
            }

            impl<'de> serde::Deserialize<'de> for $name {
                fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                    let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
                    text.parse().map_err(serde::de::Error::custom)
                }
            }
        )*

        /// The prefix of every kind of id.
        pub const PREFIXES: &[&str] = &[$($prefix),*];
    };
}

impl KeyId {
    /// Stands where a row must name a key and no key acted: somebody who has the store itself did. No key has this id.
    pub const NOBODY: Self = Self(Uuid::nil());

    /// The key that it is; none where nobody's stands for one.
    #[must_use]
    pub fn real(self) -> Option<Self> {
        (self != Self::NOBODY).then_some(self)
    }
}

typed_ids! {
    /// A tenant.
    TenantId = "ten_",
    /// A run.
    RunId = "run_",
    /// A trace.
    TraceId = "trc_",
    /// A policy decision.
    DecisionId = "dec_",
    /// A permit.
    PermitId = "prm_",
    /// A rule.
    RuleId = "rule_",
    /// A limit.
    LimitId = "lim_",
    /// A proposal.
    ProposalId = "prop_",
    /// An incident.
    IncidentId = "inc_",
    /// An event in an incident's timeline.
    IncidentEventId = "ine_",
    /// An entry of the Audit Ledger.
    AuditId = "aud_",
    /// A record of evidence, of whatever class.
    EvidenceId = "evi_",
    /// A failed capture.
    FailureId = "cpf_",
    /// A call that was answered while the store was down.
    GapId = "gap_",
    /// A policy enforcement.
    EnforcementId = "enf_",
    /// A prevention record.
    PreventionId = "prv_",
    /// A limit breach.
    BreachId = "brc_",
    /// A policy snapshot.
    SnapshotId = "snap_",
    /// An LLM run record.
    LlmRunId = "llm_",
    /// A system record.
    SystemRecordId = "sys_",
    /// An API key.
    KeyId = "key_",
    /// A kill, a freeze, or the end of one.
    InterventionId = "int_",
    /// A checkpoint of a log.
    CheckpointId = "chk_",
    /// A session of the console.
    SessionId = "ses_",
    /// A link that opens a session once.
    LoginLinkId = "lnk_",
    /// A job.
    JobId = "job_",
}

impl TenantId {
    /// The installation itself, where a system record belongs to no tenant. It has no row in `tenants`.
    pub const INSTALLATION: Self = Self(Uuid::nil());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_it_is_written() {
        let id = RunId(Uuid::from_u128(0x0190_aaaa_0000_7000_8000_0000_0000_00ff));
        assert_eq!(id.to_string(), "run_0190aaaa0000700080000000000000ff");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(
            serde_json::from_str::<RunId>(&serde_json::to_string(&id).expect("json")).expect("id"),
            id
        );
    }

    #[test]
    fn nothing_else_reads_as_an_id() {
        let id = RunId(Uuid::from_u128(0xab)).to_string();
        let hyphens = format!("run_{}", Uuid::from_u128(0xab).hyphenated());
        for text in [
            "",
            "run_",
            &id[4..],
            &id.to_uppercase(),
            &id.replace('a', "A"),
            &format!("{id} "),
            &hyphens,
            &id.replace("run_", "trc_"),
            &id[..id.len() - 1],
        ] {
            assert!(text.parse::<RunId>().is_err(), "{text}");
        }
    }

    #[test]
    fn no_prefix_begins_another() {
        for (i, a) in PREFIXES.iter().enumerate() {
            for (j, b) in PREFIXES.iter().enumerate() {
                assert!(i == j || !a.starts_with(b), "{a} begins with {b}");
            }
        }
    }
}
