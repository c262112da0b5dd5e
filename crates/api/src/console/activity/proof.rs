//! Why a run's record may be believed (O5): recomputed when somebody asks.

use askama::Template;
use axum::extract::State;
use models::ids::RunId;
use orchestrator::{
    Spine,
    coordinators::run_proof::{self, RunProof},
    handlers::activity,
};
use serde::Deserialize;

use super::{fact::Fact, run::Head};
use crate::{
    Problem,
    console::{
        fields::Asked,
        folds::Folds as _,
        page::Page,
        show::{self, Badge, Moment},
        visitor::{Frame, Visitor},
    },
    extract::{Id, Inspects},
};

/// Whether somebody pressed the button.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pressed {
    verify: Option<bool>,
}

#[derive(Template)]
#[template(path = "proof.html")]
pub(crate) struct ProofPage {
    title: String,
    frame: Frame,
    head: Head,
    sealed: bool,
    digest: String,
    verified: Option<Verified>,
}

/// What the verification came to.
struct Verified {
    status: Badge,
    reason: Option<String>,
    facts: Vec<Fact>,
    steps: Vec<Hashed>,
    more: usize,
}

/// A step and its hash.
struct Hashed {
    index: u64,
    name: String,
    hash: String,
}

/// How many steps the page names; the bundle has all.
const NAMED: usize = 200;

/// `GET /console/activity/runs/{run_id}/proof`.
pub(crate) async fn proof(
    State(spine): State<Spine>,
    visitor: Visitor<Inspects>,
    Id(id): Id<RunId>,
    Asked(pressed): Asked<Pressed>,
) -> Result<Page<ProofPage>, Problem> {
    let run = activity::get(&spine, visitor.context(), id).await?;
    let verified = if pressed.verify == Some(true) {
        let found = run_proof::proof_with_steps(&spine, visitor.context(), id, NAMED).await?;
        Some(shown(found, spine.now()))
    } else {
        None
    };
    Ok(Page(ProofPage {
        title: format!("Proof of a run of {}", run.agent_id),
        frame: visitor.frame.clone(),
        head: Head::of(&run, "proof", true),
        sealed: run.state.as_str() == "COMPLETED",
        digest: run.snapshot_digest.to_string(),
        verified,
    }))
}

fn shown(found: RunProof, now: chrono::DateTime<chrono::Utc>) -> Verified {
    let mut facts = Vec::new();
    let mut fact = |name, value: String| facts.push(Fact { name, value });
    fact("Verified", Moment::of(found.verified_at, now).exact);
    fact("Chain", format!("{}, refused ones included", show::counted(found.integrity.chain_length, "step")));
    for trace in &found.aos_traces {
        fact("Opened in the run log", format!("leaf {}", trace.opened_leaf_index));
        if let Some(leaf) = trace.sealed_leaf_index {
            fact("Sealed in the run log", format!("leaf {leaf}"));
        }
    }
    if let Some(root) = found.integrity.root_hash {
        fact("Merkle root over the steps", root.to_string());
    }
    let all = usize::try_from(found.integrity.chain_length).unwrap_or(usize::MAX);
    let more = all.saturating_sub(found.aos_trace_steps.len());
    Verified {
        status: Badge::of(found.integrity.verification_status.as_str()),
        reason: found.integrity.failure_reason,
        facts,
        steps: found
            .aos_trace_steps
            .into_iter()
            .map(|step| Hashed {
                index: step.record.step_index,
                name: step.record.skill_name,
                hash: step.step_hash.to_string(),
            })
            .collect(),
        more,
    }
}
