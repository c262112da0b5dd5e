//! Whoever changes something that is governed leaves the audit row that is owed, in the same transaction; and nothing
//! else makes a row (INV-LOGS-002).

use std::{collections::BTreeSet, fs, path::Path};

use kit::Kit;
use models::{
    ids::{IncidentId, LimitId, RuleId},
    incidents::{IncidentEventType, LifecycleState, ResolutionType},
    logs::{AuditEntry, AuditFilter},
    page::PageRequest,
    policies::{Amount, LimitChange, RuleChange, RuleStatus},
};
use orchestrator::{
    CallContext, Error,
    errors::ConflictCode,
    handlers::{
        account::{self, NewKey, SettingsChange},
        incidents::{self, Resolve, Taken},
        logs,
        policies::{self, Retirement, RuleCheck},
    },
};
use proof::words::{ActorType, AuditEventType, EnforcementMode, LimitStatus};
use testkit::on_both;

use crate::agent::{Agent, llm, refused};

const COSTLY: &str = "context.step.cost_microusd > 500000";

/// Every operation that is not of Activity, by name, and the audit event that it owes. Activity owes LimitBreached
/// alone, once for a limit, window and run: the choke point's tests hold that.
const OWES: &[(&str, Option<AuditEventType>)] = &[
    ("account.accept_restore", None),
    ("account.authenticate", None),
    ("account.authenticate_session", None),
    ("account.close_session", None),
    ("account.create_key", None),
    ("account.create_login_link", None),
    ("account.create_tenant", None),
    ("account.ensure_installation", None),
    ("account.list_keys", None),
    ("account.open_session", None),
    ("account.open_session_by_link", None),
    ("account.public_keys", None),
    ("account.public_keys_pem", None),
    ("account.record_migration", None),
    ("account.record_outage", None),
    ("account.record_start", None),
    ("account.record_stop", None),
    ("account.revoke_key", None),
    ("account.rotate_signing_key", None),
    ("account.settings", None),
    ("account.update_settings", None),
    ("account.whoami", None),
    ("incidents.acknowledge", Some(AuditEventType::IncidentAcknowledged)),
    ("incidents.acknowledge_many", Some(AuditEventType::IncidentAcknowledged)),
    ("incidents.by_run", None),
    ("incidents.close", Some(AuditEventType::IncidentManuallyClosed)),
    ("incidents.get", None),
    ("incidents.integrity_failure", None),
    ("incidents.list", None),
    ("incidents.resolve", Some(AuditEventType::IncidentResolved)),
    ("incidents.runs", None),
    ("jobs.cancel", None),
    ("jobs.create", None),
    ("jobs.events", None),
    ("jobs.get", None),
    ("jobs.list", None),
    ("jobs.requeue", None),
    ("logs.erase_contents", None),
    ("logs.get_audit", None),
    ("logs.get_checkpoint", None),
    ("logs.get_llm_run", None),
    ("logs.get_system", None),
    ("logs.list_audit", None),
    ("logs.list_checkpoints", None),
    ("logs.list_llm_runs", None),
    ("logs.list_system", None),
    ("logs.prove_audit", None),
    ("logs.prove_consistency", None),
    ("overview.costs", None),
    ("overview.costs_trend", None),
    ("overview.decisions", None),
    ("overview.decisions_count", None),
    ("overview.highlights", None),
    ("policies.create_limit", Some(AuditEventType::LimitCreated)),
    ("policies.create_rule", Some(AuditEventType::PolicyRuleCreated)),
    ("policies.disable_limit", Some(AuditEventType::LimitUpdated)),
    ("policies.freeze", None),
    ("policies.freezes", None),
    ("policies.get_limit", None),
    ("policies.get_rule", None),
    ("policies.limit_breaches", None),
    ("policies.list_facts", None),
    ("policies.list_freezes", None),
    ("policies.list_limits", None),
    ("policies.list_rules", None),
    ("policies.modify_rule", Some(AuditEventType::PolicyRuleModified)),
    ("policies.retire_rule", Some(AuditEventType::PolicyRuleRetired)),
    ("policies.rule_enforcements", None),
    ("policies.unfreeze", None),
    ("policies.update_limit", Some(AuditEventType::LimitUpdated)),
    ("policies.validate_rule", None),
    ("system.readyz", None),
];

/// A new operation is named in [`OWES`], and so is what it owes.
#[test]
fn every_operation_says_what_it_owes() {
    let mut found = BTreeSet::new();
    for folder in ["src/handlers", "src/consequences"] {
        names_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
    }
    let told: Vec<&str> = OWES.iter().map(|(name, _)| *name).collect();
    assert_eq!(found.iter().collect::<Vec<_>>(), told);
}

/// The names of the operations in a folder's sources, but for those of Activity.
fn names_in(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names_in(&path, found);
            continue;
        }
        for line in fs::read_to_string(&path).unwrap().lines() {
            let Some((_, rest)) = line.split_once("instrument(name = \"") else { continue };
            let name = rest.split('"').next().unwrap();
            if !name.starts_with("activity.") {
                found.insert(name.to_owned());
            }
        }
    }
}

/// The tenant's rows, oldest first.
async fn ledger(kit: &Kit, ctx: &CallContext) -> Vec<AuditEntry> {
    let page = PageRequest::new(Some(200), None, false).unwrap();
    let mut rows = logs::list_audit(&kit.spine, ctx, AuditFilter::default(), page).await.unwrap().items;
    rows.sort_by_key(|row| row.leaf_index);
    rows
}

/// What was added to the ledger since it had `before` rows.
async fn added(kit: &Kit, ctx: &CallContext, before: usize) -> Vec<AuditEventType> {
    ledger(kit, ctx).await[before..].iter().map(|row| row.record.event_type).collect()
}

/// So many incidents, each of a rule and a run of its own.
async fn incidents_of(agent: &Agent<'_>, count: usize) -> Vec<IncidentId> {
    let mut ids = Vec::new();
    for n in 0..count {
        let condition = format!("context.step.cost_microusd == {}", 600_000 + n);
        agent.rule_named(&format!("refuses {n}"), EnforcementMode::Block, &condition).await;
        let run = agent.start().await;
        refused(agent.record(run, llm(600_000 + n as u64)).await);
        ids.push(incidents::by_run(&agent.kit.spine, &agent.admin, run).await.unwrap()[0].incident.id);
    }
    ids
}

on_both! {
    async fn a_state_change_writes_the_event_that_it_owes(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (spine, admin) = (&kit.spine, &agent.admin);
        let mut owed = Vec::new();
        let mut owe = |name: &str| {
            let event = OWES.iter().find(|(known, _)| *known == name).and_then(|(_, event)| *event);
            owed.push(event.expect("it owes an event"));
        };

        let rule: RuleId = agent.rule(EnforcementMode::Warn, COSTLY).await.parse().unwrap();
        owe("policies.create_rule");
        let change = RuleChange { precedence: Some(5), ..RuleChange::default() };
        policies::modify_rule(spine, admin, rule, 1, change.clone()).await.unwrap();
        owe("policies.modify_rule");
        policies::modify_rule(spine, admin, rule, 2, change).await.unwrap(); // changes nothing, owes nothing
        let why = Retirement { reason: "no longer needed".to_owned(), superseded_by: None };
        policies::retire_rule(spine, admin, rule, why).await.unwrap();
        owe("policies.retire_rule");
        let limit: LimitId = agent.budget("month", 900_000_000).await.parse().unwrap();
        owe("policies.create_limit");
        let change = LimitChange { max_value: Some(Amount { billionths: 1 }), ..LimitChange::default() };
        policies::update_limit(spine, admin, limit, 1, change).await.unwrap();
        owe("policies.update_limit");
        policies::disable_limit(spine, admin, limit).await.unwrap();
        owe("policies.disable_limit");

        let before = ledger(&kit, admin).await.len();
        assert_eq!(before, owed.len());
        let taken = incidents_of(&agent, 3).await;
        let made = added(&kit, admin, before).await;
        assert_eq!(made, [AuditEventType::PolicyRuleCreated; 3], "refusals and incidents make no row");
        owed.extend(made);
        let mut owe = |name: &str| owed.extend(OWES.iter().find(|(known, _)| *known == name).and_then(|(_, event)| *event));
        incidents::acknowledge(spine, admin, taken[0], Some("mine".to_owned())).await.unwrap();
        owe("incidents.acknowledge");
        incidents::acknowledge(spine, admin, taken[0], None).await.unwrap(); // again: nothing
        incidents::resolve(spine, admin, taken[1], Resolve::default()).await.unwrap();
        owe("incidents.resolve");
        incidents::close(spine, admin, taken[2], None).await.unwrap();
        owe("incidents.close");

        let made = account::create_key(spine, admin, NewKey::of_role(models::account::Role::Viewer)).await.unwrap();
        account::revoke_key(spine, admin, made.key.id).await.unwrap();
        let rows = ledger(&kit, admin).await;
        assert_eq!(rows.iter().map(|row| row.record.event_type).collect::<Vec<_>>(), owed);
        for (event, _) in OWES.iter().filter_map(|(name, event)| Some((event.as_ref()?, name))) {
            assert!(owed.contains(event), "{event} was not tried");
        }
        for row in &rows {
            assert_eq!(row.record.actor_type, ActorType::Human);
            assert_eq!(row.record.actor_id.as_deref(), Some("admin of acme"));
            assert!(row.record.after_state.is_some());
            let created = row.record.event_type.as_str().ends_with("Created");
            assert_eq!(row.record.before_state.is_none(), created, "{:?}", row.record.event_type);
            assert_eq!(row.record.run_id.is_some(), row.record.event_type.as_str().starts_with("Incident"));
        }
        let indexes: Vec<u64> = rows.iter().map(|row| row.leaf_index).collect();
        assert_eq!(indexes, (0..rows.len() as u64).collect::<Vec<_>>(), "no leaf is missing");
    }

    async fn what_is_refused_changes_nothing_and_leaves_no_row(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (spine, admin) = (&kit.spine, &agent.admin);
        let rule: RuleId = agent.rule_named("one", EnforcementMode::Warn, COSTLY).await.parse().unwrap();
        let other: RuleId = agent.rule_named("two", EnforcementMode::Warn, COSTLY).await.parse().unwrap();
        let before = ledger(&kit, admin).await.len();

        let renamed = RuleChange { name: Some("one".to_owned()), ..RuleChange::default() };
        let err = policies::modify_rule(spine, admin, other, 1, renamed.clone()).await.unwrap_err();
        assert!(matches!(err, Error::Conflict { code: ConflictCode::RuleNameTaken, .. }), "{err}");
        let stale = policies::modify_rule(spine, admin, other, 7, renamed).await.unwrap_err();
        assert!(matches!(stale, Error::PreconditionFailed { current: 1 }), "{stale}");
        let misspelt = RuleChange { condition: Some("context.step.cots > 1".to_owned()), ..RuleChange::default() };
        let err = policies::modify_rule(spine, admin, other, 1, misspelt).await.unwrap_err();
        let Error::Invalid(fields) = err else { panic!("{err}") };
        assert_eq!(fields[0].pointer, "/condition");
        assert!(fields[0].message.contains("line 1, column 1"), "{}", fields[0].message);
        let silent = policies::retire_rule(spine, admin, rule, Retirement::default()).await.unwrap_err();
        assert!(matches!(&silent, Error::Invalid(fields) if fields[0].pointer == "/reason"), "{silent}");
        let unknown = RuleId(uuid::Uuid::from_u128(9));
        let err = policies::get_rule(spine, admin, unknown).await.unwrap_err();
        assert!(matches!(err, Error::NotFound { .. }), "{err}");

        assert_eq!(added(&kit, admin, before).await, []);
        let still = policies::get_rule(spine, admin, other).await.unwrap().rule.definition;
        assert_eq!((still.version, still.name.as_str()), (1, "two"));
    }

    async fn a_name_is_free_again_when_its_rule_is_retired(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (spine, admin) = (&kit.spine, &agent.admin);
        let first: RuleId = agent.rule_named("same", EnforcementMode::Warn, COSTLY).await.parse().unwrap();
        let second = agent.rule_named("other", EnforcementMode::Warn, COSTLY).await;
        let how = Retirement { reason: "replaced".to_owned(), superseded_by: Some(second.clone()) };
        let retired = policies::retire_rule(spine, admin, first, how.clone()).await.unwrap().rule;
        assert_eq!((retired.status, retired.superseded_by.map(|id| id.to_string())), (RuleStatus::Retired, Some(second)));
        agent.rule_named("same", EnforcementMode::Warn, COSTLY).await;
        let again = policies::retire_rule(spine, admin, first, how).await.unwrap_err();
        assert!(matches!(again, Error::Conflict { code: ConflictCode::RuleRetired, .. }), "{again}");
    }

    async fn a_disabled_limit_stays_as_it_is(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (spine, admin) = (&kit.spine, &agent.admin);
        let limit: LimitId = agent.budget("month", 900_000_000).await.parse().unwrap();
        let view = policies::disable_limit(spine, admin, limit).await.unwrap();
        assert_eq!(view.limit.status, LimitStatus::Disabled);
        for err in [
            policies::disable_limit(spine, admin, limit).await.unwrap_err(),
            policies::update_limit(spine, admin, limit, 1, LimitChange::default()).await.unwrap_err(),
        ] {
            assert!(matches!(err, Error::Conflict { code: ConflictCode::LimitDisabled, .. }), "{err}");
        }
    }

    async fn several_incidents_are_taken_in_one_move_each_with_its_row(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (spine, admin) = (&kit.spine, &agent.admin);
        let operator = kit.caller("acme", models::account::Role::Operator).await;
        let ids = incidents_of(&agent, 4).await;
        incidents::acknowledge(spine, &operator, ids[1], None).await.unwrap();
        incidents::resolve(spine, &operator, ids[2], Resolve::default()).await.unwrap();
        let before = ledger(&kit, admin).await.len();
        let unknown = IncidentId(models::ids::KeyId::NOBODY.0);
        let asked = vec![ids[3], ids[1], unknown, ids[2], ids[0], ids[3]];
        let take = |note: &str| incidents::acknowledge_many(spine, admin, asked.clone(), Some(note.to_owned()));
        for _ in 0..2 {
            let answers = take("all of them").await.unwrap();
            assert_eq!(answers.iter().map(|taken| taken.id).collect::<Vec<_>>(), asked);
            let answers: Vec<_> = answers.into_iter().map(Taken::answer).collect();
            let state = |n: usize| answers[n].as_ref().map(|incident| incident.lifecycle_state).ok();
            for taken in [0, 4, 5] {
                assert_eq!(state(taken), Some(LifecycleState::Acked), "{taken}");
            }
            let code = |n: usize| match &answers[n] {
                Err(Error::Conflict { code, .. }) => Some(*code),
                _ => None,
            };
            assert_eq!(code(1), Some(ConflictCode::IncidentAcknowledgedByOther));
            assert_eq!(code(3), Some(ConflictCode::IncidentResolved));
            assert!(matches!(answers[2], Err(Error::NotFound { .. })), "{:?}", answers[2]);
            // The second time nothing is new.
            let rows = &ledger(&kit, admin).await[before..];
            assert_eq!(rows.len(), 2, "{rows:#?}");
            assert!(rows.iter().all(|row| row.record.event_type == AuditEventType::IncidentAcknowledged
                && row.record.action_reason.as_deref() == Some("all of them")));
            let mut named: Vec<String> = rows.iter().map(|row| row.record.entity_id.clone()).collect();
            named.sort();
            let mut due = vec![ids[0].to_string(), ids[3].to_string()];
            due.sort();
            assert_eq!(named, due);
        }
        for ids in [Vec::new(), vec![unknown; 201]] {
            let err = incidents::acknowledge_many(spine, admin, ids, None).await.unwrap_err();
            assert!(matches!(err, Error::Invalid(_)), "{err}");
        }
        let stranger = kit.caller("other", models::account::Role::Admin).await;
        let theirs = incidents::acknowledge_many(spine, &stranger, vec![ids[0]], None).await.unwrap().remove(0);
        assert!(matches!(theirs.answer(), Err(Error::NotFound { .. })));
    }

    async fn an_incident_moves_forward_only(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (spine, admin) = (&kit.spine, &agent.admin);
        let operator = kit.caller("acme", models::account::Role::Operator).await;
        let id = incidents_of(&agent, 1).await[0];
        let secret = "key sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH".to_owned();
        let taken = incidents::acknowledge(spine, admin, id, Some(secret)).await.unwrap();
        assert_eq!((taken.lifecycle_state, taken.acknowledged_by.as_deref()), (LifecycleState::Acked, Some("admin of acme")));
        let err = incidents::acknowledge(spine, &operator, id, None).await.unwrap_err();
        assert!(matches!(err, Error::Conflict { code: ConflictCode::IncidentAcknowledgedByOther, .. }), "{err}");
        let how = Resolve { note: Some("fixed the prompt".to_owned()), resolution_type: Some(ResolutionType::Fixed) };
        let over = incidents::resolve(spine, &operator, id, how).await.unwrap();
        assert_eq!((over.lifecycle_state, over.resolution_type), (LifecycleState::Resolved, Some(ResolutionType::Fixed)));
        for err in [
            incidents::acknowledge(spine, admin, id, None).await.unwrap_err(),
            incidents::resolve(spine, admin, id, Resolve::default()).await.unwrap_err(),
            incidents::close(spine, admin, id, None).await.unwrap_err(),
        ] {
            assert!(matches!(err, Error::Conflict { code: ConflictCode::IncidentResolved, .. }), "{err}");
        }

        let detail = incidents::get(spine, admin, id).await.unwrap();
        let events: Vec<_> = detail.timeline.iter().map(|event| event.event_type).collect();
        assert_eq!(events, [IncidentEventType::Created, IncidentEventType::Acknowledged, IncidentEventType::Resolved]);
        assert_eq!(detail.timeline[2].details.as_deref(), Some(r#"{"note":"fixed the prompt"}"#));
        assert!(!detail.timeline[1].details.as_deref().unwrap().contains("sk-proj"), "redacted before it is written");
        assert!(detail.rule.is_some() && detail.limit.is_none());
        assert_eq!(detail.runs.items.first().map(|run| run.run.id), detail.incident.source_run_id);
        let stranger = kit.caller("other", models::account::Role::Admin).await;
        let err = incidents::get(spine, &stranger, id).await.unwrap_err();
        assert!(matches!(err, Error::NotFound { .. }), "{err}");
    }

    async fn what_changes_nothing_keeps_its_key(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (spine, admin) = (&kit.spine, &agent.admin);
        let rule: RuleId = agent.rule(EnforcementMode::Block, COSTLY).await.parse().unwrap();
        let limit: LimitId = agent.budget("month", 1_000_000).await.parse().unwrap();
        let run = agent.start().await;
        refused(agent.record(run, llm(600_000)).await);
        let [incident] = incidents::by_run(spine, admin, run).await.unwrap().try_into().unwrap();
        let id = incident.incident.id;
        incidents::acknowledge(spine, admin, id, None).await.unwrap();
        let keyed = |key: &str| CallContext { idempotency_key: Some(key.to_owned()), ..admin.clone() };
        let taken = |what: &str, again: Result<(), Error>| {
            assert!(matches!(again, Err(Error::IdempotencyConflict { .. })), "{what}: {again:?}");
        };

        let (take, many) = (keyed("take"), keyed("many"));
        let first = incidents::acknowledge(spine, &take, id, None).await.unwrap();
        assert_eq!(incidents::acknowledge(spine, &take, id, None).await.unwrap(), first);
        taken("acknowledge", incidents::acknowledge(spine, &take, id, Some("mine".to_owned())).await.map(drop));
        incidents::acknowledge_many(spine, &many, vec![id], None).await.unwrap();
        taken("acknowledge_many", incidents::acknowledge_many(spine, &many, vec![id, id], None).await.map(drop));

        let change = |name: &str| RuleChange { name: Some(name.to_owned()), ..RuleChange::default() };
        policies::modify_rule(spine, &keyed("rule"), rule, 1, RuleChange::default()).await.unwrap();
        taken("modify_rule", policies::modify_rule(spine, &keyed("rule"), rule, 1, change("x")).await.map(drop));
        let change = |name: &str| LimitChange { name: Some(name.to_owned()), ..LimitChange::default() };
        policies::update_limit(spine, &keyed("limit"), limit, 1, LimitChange::default()).await.unwrap();
        taken("update_limit", policies::update_limit(spine, &keyed("limit"), limit, 1, change("x")).await.map(drop));

        let before = account::settings(spine, admin).await.unwrap();
        let change = |name: &str| SettingsChange { name: Some(name.to_owned()), ..SettingsChange::default() };
        let same = account::update_settings(spine, &keyed("set"), before.settings_version, SettingsChange::default()).await.unwrap();
        assert_eq!((&same, account::settings(spine, admin).await.unwrap()), (&before, before.clone()), "nothing has changed");
        let other = account::update_settings(spine, &keyed("set"), before.settings_version, change("x")).await;
        taken("update_settings", other.map(drop));
    }

    async fn a_rule_shows_how_often_it_fired_and_a_limit_how_much_is_used(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (spine, admin) = (&kit.spine, &agent.admin);
        let rule: RuleId = agent.rule(EnforcementMode::Warn, COSTLY).await.parse().unwrap();
        let limit: LimitId = agent.budget("month", 1_000_000).await.parse().unwrap();
        let fresh = policies::get_limit(spine, admin, limit).await.unwrap();
        assert_eq!((fresh.utilization_permille, fresh.breach_count_30d), (Some(0), 0));
        let run = agent.start().await;
        agent.record(run, llm(600_000)).await.unwrap();
        refused(agent.record(run, llm(600_000)).await);

        let view = policies::get_rule(spine, admin, rule).await.unwrap();
        assert_eq!((view.trigger_count_30d, view.last_triggered_at), (2, Some(spine.now())));
        assert_eq!(view.integrity_status, proof::words::IntegrityStatus::Verified);
        let view = policies::get_limit(spine, admin, limit).await.unwrap();
        assert_eq!((view.breach_count_30d, view.last_breached_at), (1, Some(spine.now())));
        assert_eq!(view.utilization_permille, Some(1200), "what was spent is counted, refused or not");
        let breaches = policies::limit_breaches(spine, admin, limit, PageRequest::default()).await.unwrap();
        assert_eq!(breaches.items[0].threshold_value, 1_000_000_000);
        let done = policies::rule_enforcements(spine, admin, rule, PageRequest::default()).await.unwrap();
        assert_eq!(done.items.len(), 2);
        let listed = policies::list_rules(spine, admin, models::policies::RuleFilter::default(), PageRequest::default());
        assert_eq!(listed.await.unwrap().items[0].trigger_count_30d, 2);
        kit.clock.advance(chrono::Duration::days(31));
        let later = policies::get_rule(spine, admin, rule).await.unwrap();
        assert_eq!(later.trigger_count_30d, 0);
        assert!(later.last_triggered_at.is_some(), "ever, not only in 30 days");
    }

    async fn a_condition_is_looked_at_without_being_taken(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let admin = kit.caller("acme", models::account::Role::Admin).await;
        let check = |condition: &str| RuleCheck { condition: Some(condition.to_owned()), ..RuleCheck::default() };
        let good = policies::validate_rule(&admin, check(COSTLY)).unwrap();
        assert!(good.valid && good.policy.unwrap().contains(COSTLY));
        let bad = policies::validate_rule(&admin, check("context.step.cots > 1")).unwrap();
        assert_eq!((bad.valid, bad.errors[0].pointer.as_str()), (false, "/condition"));
        let secret = "context.step.skill == \"ghp_16C7e42F292c6912E7710c838347Ae178B4a\"";
        let secret = policies::validate_rule(&admin, check(secret)).unwrap();
        assert_eq!((secret.valid, secret.condition, secret.policy), (false, None, None), "as making the rule would");
        assert!(secret.errors[0].message.contains("must not hold a secret"), "{:?}", secret.errors);
        assert!(matches!(policies::validate_rule(&admin, RuleCheck::default()), Err(Error::Invalid(_))));
    }
}
