//! Calls that want the same thing at the same moment: one has it, and each of the others is told so. None fails.

use futures::future::join_all;
use kit::{Kit, limit};
use models::{
    account::{FailureMode, Role},
    activity::InterventionOutcome,
    policies::{LimitChange, LimitDraft, RuleDraft},
};
use orchestrator::{
    CallContext, Error,
    errors::ConflictCode,
    handlers::{
        account::{self, NewKey, NewTenant, SettingsChange, SystemCaller},
        activity, policies,
    },
};
use proof::words::{EnforcementMode, LimitType};
use testkit::on_both;

use crate::agent::Agent;

const AT_ONCE: usize = 6;
const ROUNDS: usize = 5;

/// The one that came first; every other was refused as `refused` says.
fn one<T>(answers: Vec<Result<T, Error>>, refused: impl Fn(&Error) -> bool) -> T {
    let count = answers.len();
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    for err in lost.into_iter().filter_map(Result::err) {
        assert!(refused(&err), "{err:?}");
    }
    assert_eq!(won.len(), 1, "of {count}");
    won.into_iter().next().unwrap().unwrap_or_else(|err| panic!("{err}"))
}

/// What all of them were answered.
fn same<T: PartialEq + std::fmt::Debug>(answers: Vec<Result<T, Error>>) -> T {
    let mut answers = answers.into_iter().map(|answer| answer.expect("each is answered"));
    let first = answers.next().expect("there are some");
    for answer in answers {
        assert_eq!(answer, first);
    }
    first
}

fn conflict(code: ConflictCode) -> impl Fn(&Error) -> bool {
    move |err| matches!(err, Error::Conflict { code: of, .. } if *of == code)
}

on_both! {
    async fn one_freeze_begins_and_one_call_lifts_it(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let Agent { admin, .. } = Agent::of(&kit, "acme").await;
        for round in 0..ROUNDS {
            // The whole tenant, too.
            let agent = (round > 0).then(|| format!("agent-{round}"));
            let freeze = || policies::freeze(&kit.spine, &admin, agent.clone(), "it runs wild".to_owned());
            one(join_all((0..AT_ONCE).map(|_| freeze())).await, conflict(ConflictCode::AlreadyFrozen));
            assert!(conflict(ConflictCode::AlreadyFrozen)(&freeze().await.unwrap_err()));
            let lift = || policies::unfreeze(&kit.spine, &admin, agent.clone(), None);
            one(join_all((0..AT_ONCE).map(|_| lift())).await, |err| matches!(err, Error::NotFound { .. }));
        }
    }

    async fn one_rule_has_a_name(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let Agent { admin, .. } = Agent::of(&kit, "acme").await;
        for round in 0..ROUNDS {
            let draft = || RuleDraft {
                name: format!("rule {round}"),
                description: None,
                rule_type: None,
                enforcement_mode: EnforcementMode::Block,
                scope: None,
                scope_id: None,
                bind_at: None,
                precedence: None,
                condition: Some("true".to_owned()),
                conditions: None,
            };
            let create = (0..AT_ONCE).map(|_| policies::create_rule(&kit.spine, &admin, draft()));
            one(join_all(create).await, conflict(ConflictCode::RuleNameTaken));
        }
    }

    async fn one_of_equals_is_done_and_all_are_told_the_same(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        for round in 0..ROUNDS {
            let key = CallContext { idempotency_key: Some(format!("k{round}")), ..agent.admin.clone() };
            let limit = || LimitDraft { name: format!("limit {round}"), ..limit(LimitType::CostUsd, 1_000) };
            same(join_all((0..AT_ONCE).map(|_| policies::create_limit(&kit.spine, &key, limit()))).await);
            let key = CallContext { idempotency_key: Some(format!("f{round}")), ..agent.admin.clone() };
            let freeze = || policies::freeze(&kit.spine, &key, Some(format!("a{round}")), "wild".to_owned());
            same(join_all((0..AT_ONCE).map(|_| freeze())).await);
            let key = CallContext { idempotency_key: Some(format!("x{round}")), ..agent.admin.clone() };
            let run = agent.start().await;
            let kill = || activity::kill(&kit.spine, &key, run, Some("enough".to_owned()));
            let killed = same(join_all((0..AT_ONCE).map(|_| kill())).await);
            assert_eq!(killed.intervention.outcome, InterventionOutcome::Unacked, "the one that ended it");
            assert_eq!(kill().await.expect("told again"), killed);
            let other = activity::kill(&kit.spine, &key, run, Some("too much".to_owned())).await;
            assert!(matches!(other, Err(Error::IdempotencyConflict { .. })), "{other:?}");
        }
    }

    async fn one_limit_has_a_name(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (spine, admin) = (&kit.spine, &agent.admin);
        for round in 0..ROUNDS {
            let draft = || LimitDraft { name: format!("limit {round}"), ..limit(LimitType::CostUsd, 1_000) };
            let create = (0..AT_ONCE).map(|_| policies::create_limit(spine, admin, draft()));
            one(join_all(create).await, conflict(ConflictCode::LimitNameTaken));
        }
        // Nor is it got by a change; and with the limit the name is free again.
        let other = agent.budget("another", 1_000).await.parse().unwrap();
        let to = |name: &str| LimitChange { name: Some(name.to_owned()), ..LimitChange::default() };
        let taken = policies::update_limit(spine, admin, other, 1, to("limit 0")).await.unwrap_err();
        assert!(conflict(ConflictCode::LimitNameTaken)(&taken), "{taken:?}");
        let rename = (0..AT_ONCE).map(|_| policies::update_limit(spine, admin, other, 1, to("renamed")));
        one(join_all(rename).await, |err| matches!(err, Error::PreconditionFailed { current: 2 }));
        policies::disable_limit(spine, admin, other).await.unwrap();
        agent.budget("renamed", 1_000).await;
    }

    async fn one_tenant_has_a_slug_and_one_key_is_its_first(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let by = SystemCaller { name: "an operator".to_owned() };
        for round in 0..ROUNDS {
            let slug = format!("made-{round}");
            let create = (0..AT_ONCE).map(|_| account::create_tenant(&kit.spine, &by, NewTenant::of_slug(&slug)));
            one(join_all(create).await, conflict(ConflictCode::TenantExists));
            let first = (0..AT_ONCE).map(|_| account::create_first_key_as(&kit.spine, &by, &slug, NewKey::of_role(Role::Admin)));
            let made = join_all(first).await.into_iter().filter_map(Result::unwrap).count();
            assert_eq!(made, 1);
            // Of a tenant that is made with it, each gets a key.
            let slug = format!("needed-{round}");
            let keys = (0..AT_ONCE).map(|_| account::create_key_as(&kit.spine, &by, &slug, NewKey::of_role(Role::Admin)));
            let keys: Vec<_> = join_all(keys).await.into_iter().map(Result::unwrap).collect();
            assert!(keys.iter().all(|key| key.key.tenant == keys[0].key.tenant));
            let revoke = (0..AT_ONCE).map(|_| account::revoke_key_as(&kit.spine, &by, keys[0].key.id));
            one(join_all(revoke).await, conflict(ConflictCode::KeyRevoked));
        }
    }

    async fn one_change_of_settings_is_made_on_a_version(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let settings = async || account::settings(&kit.spine, &agent.admin).await.unwrap();
        for round in 0..ROUNDS {
            let read = settings().await.settings_version;
            let change = SettingsChange { name: Some(format!("name {round}")), ..SettingsChange::default() };
            let update = (0..AT_ONCE).map(|_| account::update_settings(&kit.spine, &agent.admin, read, change.clone()));
            let stored = one(join_all(update).await, |err| matches!(err, Error::PreconditionFailed { current } if *current == read + 1));
            assert_eq!(stored.settings_version, read + 1);
        }
        // What is changed beside the settings does not stand in the way of a change of them.
        let before = settings().await;
        agent.rule(EnforcementMode::Block, "context.step.retry_count > 1000").await;
        let change = SettingsChange { failure_mode: Some(FailureMode::Degrade), ..SettingsChange::default() };
        let after = account::update_settings(&kit.spine, &agent.admin, before.settings_version, change.clone()).await.unwrap();
        assert_eq!((after.settings_version, after.failure_mode), (before.settings_version + 1, FailureMode::Degrade));
        // Nor does a change that changes nothing.
        let again = account::update_settings(&kit.spine, &agent.admin, after.settings_version, change).await.unwrap();
        assert_eq!(again.settings_version, after.settings_version);
        assert_eq!(settings().await, again);
    }
}
