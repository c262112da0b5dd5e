//! Who calls, and under which policies.

use kit::Kit;
use models::{account::Role, ids::LimitId};
use orchestrator::{CallContext, Spine, handlers::account};
use proof::words::{EnforcementMode, LimitType};

use crate::agent::Agent;

/// A tenant of its own: the tokens of its agent and of its administrator, and its limits.
pub(super) struct Cast {
    pub(super) tokens: [String; 2],
    pub(super) limits: Vec<LimitId>,
}

impl Cast {
    /// A tenant of that slug, with a rule that refuses what is expensive, and limits that nobody reaches.
    pub(super) async fn of(kit: &Kit, slug: &str) -> Self {
        let tokens = [kit.token(slug, Role::Agent).await, kit.token(slug, Role::Admin).await];
        let mut cast = Self { tokens, limits: Vec::new() };
        let agent = cast.agent(kit).await;
        agent.rule(EnforcementMode::Block, "context.step.cost_microusd > 500000").await;
        let most = [
            (LimitType::TokensTotal, 1_000_000),
            (LimitType::Steps, 1_000),
            (LimitType::CostUsd, 100_000_000),
        ];
        let mut limits = Vec::new();
        for (limit_type, max) in most {
            limits.push(agent.limit(limit_type, max).await.parse().unwrap());
        }
        cast.limits = limits;
        cast
    }

    /// Its agent, at that process.
    pub(super) async fn agent<'k>(&self, kit: &'k Kit) -> Agent<'k> {
        let [ctx, admin] = callers(&kit.spine, &self.tokens).await;
        Agent { kit, ctx, admin }
    }
}

/// The callers that two tokens are, at that process.
pub(super) async fn callers(spine: &Spine, [agent, admin]: &[String; 2]) -> [CallContext; 2] {
    [account::authenticate(spine, agent).await.unwrap(), account::authenticate(spine, admin).await.unwrap()]
}
