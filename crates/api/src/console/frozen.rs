//! What is frozen, for the pages that show runs: read once a page, however many runs it has.

use models::activity::Freeze;
use orchestrator::{CallContext, Spine, handlers::policies};

use super::show::Badge;
use crate::Problem;

/// How many agents a line names.
const NAMED: usize = 5;

/// The freezes that are in force.
pub(super) struct Frozen(Vec<Freeze>);

impl Frozen {
    pub(super) async fn now(spine: &Spine, ctx: &CallContext) -> Result<Self, Problem> {
        Ok(Self(policies::freezes(spine, ctx).await?))
    }

    /// The freeze that holds for an agent: that of all, where there is one.
    pub(super) fn of(&self, agent_id: &str) -> Option<&Freeze> {
        self.0.iter().find(|freeze| freeze.holds(agent_id))
    }

    /// The badge of a run that does nothing more until a freeze is lifted.
    pub(super) fn badge(&self, agent_id: &str) -> Option<Badge> {
        self.of(agent_id).map(|_| Badge::toned("FROZEN", "info"))
    }

    /// Who is frozen, in a line; nothing where nobody is.
    pub(super) fn line(&self) -> Option<String> {
        let agents: Vec<&str> = self.0.iter().map(|freeze| freeze.target_id.as_str()).collect();
        match agents.as_slice() {
            [] => None,
            agents if agents.contains(&"") => {
                Some("All agents are frozen: none begins a run or takes a step.".to_owned())
            }
            [agent] => Some(format!("1 agent is frozen: {agent}.")),
            agents => {
                let named = agents[..agents.len().min(NAMED)].join(", ");
                let more = agents.len().saturating_sub(NAMED);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                Some(format!("{} agents are frozen: {named}{more}.", agents.len()))
            }
        }
    }
}
