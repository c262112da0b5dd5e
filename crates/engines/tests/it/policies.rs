//! What rules and limits may become, by table.

use chrono::{DateTime, Duration, Utc};
use engines::{
    ledger::{AuditDraft, AuditLedgerService, Governed},
    policies::{
        Authored, DisableError, ModifyError, RetireError, Retirement, UpdateError, Version, counts_money,
        create_limit, create_rule, disable_limit, modify_rule, retire_rule, update_limit,
    },
};
use models::policies::{Amount, Limit, LimitChange, LimitDraft, Rule, RuleChange, RuleDraft, RuleStatus};
use proof::words::{
    ActorType, AuditEventType, BindAt, Consequence, EnforcementMode, IntegrityStatus, LimitCategory,
    LimitEnforcement, LimitStatus, LimitType, ResetPeriod, RuleType, Scope,
};
use rules::fields::FieldErrors;
use serde_json::json;

const TOKEN: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
const COSTLY: &str = "context.step.cost_microusd > 500000";

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(prefix: &str, n: u64) -> T {
    format!("{prefix}{n:032x}").parse().expect("an id")
}

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Duration::days(20_000)
}

fn later() -> DateTime<Utc> {
    now() + Duration::hours(1)
}

fn ledger() -> AuditLedgerService {
    AuditLedgerService::new(ActorType::Human, Some("ana".to_owned()), "cor".to_owned())
}

fn rule_draft() -> RuleDraft {
    RuleDraft {
        name: "no costly steps".to_owned(),
        description: None,
        rule_type: None,
        enforcement_mode: EnforcementMode::Block,
        scope: None,
        scope_id: None,
        bind_at: None,
        precedence: None,
        condition: Some(COSTLY.to_owned()),
        conditions: None,
    }
}

fn make_rule(draft: RuleDraft) -> Result<(Version<Rule>, AuditDraft), FieldErrors> {
    let author = Authored { ledger: &ledger(), by: "ana", now: now() };
    create_rule(id("ten_", 1), id("rule_", 2), draft, author).map(Governed::settle)
}

fn rule() -> Rule {
    make_rule(rule_draft()).expect("a rule").0.of
}

fn modify(
    rule: &Rule,
    version: u64,
    change: RuleChange,
) -> Result<Option<(Version<Rule>, AuditDraft)>, ModifyError> {
    let author = Authored { ledger: &ledger(), by: "ben", now: later() };
    modify_rule(rule, version, change, author).map(|changed| changed.map(Governed::settle))
}

fn retire(rule: &Rule, reason: &str) -> Result<(Rule, AuditDraft), RetireError> {
    let author = Authored { ledger: &ledger(), by: "ben", now: later() };
    let how = Retirement { reason: reason.to_owned(), superseded_by: Some(id("rule_", 9)) };
    retire_rule(rule, &how, author).map(Governed::settle)
}

fn limit_draft() -> LimitDraft {
    LimitDraft {
        name: "daily budget".to_owned(),
        limit_category: LimitCategory::Budget,
        limit_type: LimitType::CostUsd,
        scope: None,
        scope_id: None,
        max_value: Amount { billionths: 12_500_000_000 },
        reset_period: Some(ResetPeriod::Daily),
        window_seconds: None,
        measurement_window_seconds: None,
        degrade_to: None,
        enforcement: None,
        consequence: None,
    }
}

fn make_limit(draft: LimitDraft) -> Result<(Version<Limit>, AuditDraft), FieldErrors> {
    let author = Authored { ledger: &ledger(), by: "ana", now: now() };
    create_limit(id("ten_", 1), id("lim_", 3), draft, author).map(Governed::settle)
}

fn limit() -> Limit {
    make_limit(limit_draft()).expect("a limit").0.of
}

fn update(
    limit: &Limit,
    version: u64,
    change: LimitChange,
) -> Result<Option<(Version<Limit>, AuditDraft)>, UpdateError> {
    let author = Authored { ledger: &ledger(), by: "ben", now: later() };
    update_limit(limit, version, change, author).map(|changed| changed.map(Governed::settle))
}

fn disable(limit: &Limit) -> Result<(Limit, AuditDraft), DisableError> {
    disable_limit(limit, Authored { ledger: &ledger(), by: "ben", now: later() }).map(Governed::settle)
}

fn pointers(refused: FieldErrors) -> Vec<String> {
    refused.0.into_iter().map(|field| field.pointer).collect()
}

#[test]
fn a_rule_gets_the_defaults_its_hash_and_its_audit_row() {
    let (made, owed) = make_rule(rule_draft()).expect("a rule");
    let definition = &made.of.definition;
    assert_eq!(
        (
            definition.rule_type,
            definition.scope,
            definition.bind_at,
            definition.precedence,
            definition.version
        ),
        (RuleType::Safety, Scope::Tenant, BindAt::StepPost, 100, 1)
    );
    assert_eq!(made.of.status, RuleStatus::Active);
    assert_eq!(made.integrity.hash_root, definition.hash_root());
    assert_eq!((made.integrity.status, made.integrity.score_permille), (IntegrityStatus::Verified, 1000));
    assert_eq!((owed.event_type, owed.before_state), (AuditEventType::PolicyRuleCreated, None));
    let after = owed.after_state.expect("created: after");
    assert_eq!((&after["condition"], &after["status"]), (&json!(COSTLY), &json!("ACTIVE")));
}

#[test]
fn the_json_form_is_stored_as_cedar() {
    let form = json!({"all": [{"fact": "step.cost_microusd", "op": ">", "value": 500_000}]});
    let draft = RuleDraft { condition: None, conditions: Some(form), ..rule_draft() };
    assert_eq!(make_rule(draft).expect("a rule").0.of.definition.condition, COSTLY);
}

#[test]
fn a_rule_is_refused_with_every_field_that_is_wrong() {
    type Bent = fn(RuleDraft) -> RuleDraft;
    let refused = |change: Bent| pointers(make_rule(change(rule_draft())).expect_err("is refused"));
    let table: &[(Bent, &[&str])] = &[
        (|d| RuleDraft { name: " ".into(), ..d }, &["/name"]),
        (|d| RuleDraft { name: "x".repeat(257), ..d }, &["/name"]),
        (|d| RuleDraft { description: Some("a\0b".into()), ..d }, &["/description"]),
        (|d| RuleDraft { precedence: Some(i64::MIN), ..d }, &["/precedence"]),
        (|d| RuleDraft { scope: Some(Scope::Agent), ..d }, &["/scope_id"]),
        (|d| RuleDraft { scope_id: Some("a".into()), ..d }, &["/scope_id"]),
        (|d| RuleDraft { scope: Some(Scope::Provider), ..d }, &["/scope"]),
        (|d| RuleDraft { condition: None, ..d }, &["/condition"]),
        (|d| RuleDraft { condition: Some("true\0".into()), ..d }, &["/condition"]),
        (
            |d| RuleDraft { condition: Some(format!("context.step.skill == \"{TOKEN}\"")), ..d },
            &["/condition"],
        ),
        (
            |d| RuleDraft {
                condition: None,
                conditions: Some(json!({"fact": "step.skill", "op": "==", "value": TOKEN})),
                ..d
            },
            &["/conditions"],
        ),
        (|d| RuleDraft { conditions: Some(json!({})), ..d }, &["/conditions"]),
        (
            |d| RuleDraft { condition: None, conditions: Some(json!({"any": [{"fact": "step.x"}]})), ..d },
            &["/conditions/any/0/fact", "/conditions/any/0/op", "/conditions/any/0/value"],
        ),
        (
            |d| RuleDraft { name: String::new(), condition: Some("context.step.price > 1".into()), ..d },
            &["/condition", "/name"],
        ),
    ];
    for (change, expected) in table {
        assert_eq!(refused(*change), *expected);
    }
}

#[test]
fn what_is_wrong_with_a_condition_is_told_without_its_secrets() {
    let forms = [
        (Some(format!("context.step.{TOKEN} == 1")), None),
        (Some(format!("context.step.skill == \"{TOKEN}")), None),
        (None, Some(json!({"fact": TOKEN, "op": "==", "value": 1}))),
        (None, Some(json!({"fact": "step.skill", "op": TOKEN, "value": 1}))),
        (None, Some(json!({"all": [{"fact": "step.skill", "op": "==", "value": 1, TOKEN: 1}]}))),
    ];
    for (condition, conditions) in forms {
        let draft = RuleDraft { condition, conditions, ..rule_draft() };
        let change = RuleChange {
            condition: draft.condition.clone(),
            conditions: draft.conditions.clone(),
            ..RuleChange::default()
        };
        let Err(ModifyError::Invalid(changed)) = modify(&rule(), 1, change) else { panic!("{draft:?}") };
        let refused = make_rule(draft).expect_err("is refused");
        assert_eq!(refused, changed);
        assert!(refused.0[0].message.contains("must not hold a secret"), "{refused:?}");
        assert!(!format!("{refused:?}").contains(TOKEN), "{refused:?}");
    }
}

#[test]
fn a_misspelt_attribute_is_refused_with_its_place_and_a_hint() {
    let draft =
        RuleDraft { condition: Some("true &&\n  context.step.cost_microsd > 5".into()), ..rule_draft() };
    let refused = make_rule(draft).expect_err("is refused").0;
    assert!(refused[0].message.starts_with("line 2, column 3: "), "{}", refused[0].message);
    assert!(
        refused[0]
            .message
            .contains("did you mean `context.step.cost_microusd`? `context.step` has: kind, skill,"),
        "{}",
        refused[0].message
    );
}

#[test]
fn a_rule_reads_only_what_is_known_where_it_is_bound() {
    let at_start = |draft| RuleDraft { bind_at: Some(BindAt::RunStart), ..draft };
    assert_eq!(pointers(make_rule(at_start(rule_draft())).expect_err("no step yet")), ["/condition"]);
    let change = RuleChange { bind_at: Some(BindAt::RunStart), ..RuleChange::default() };
    let err = modify(&rule(), 1, change).expect_err("the condition stays, and reads a step");
    assert!(matches!(err, ModifyError::Invalid(fields) if pointers(fields.clone()) == ["/condition"]));
}

#[test]
fn a_change_is_a_new_version_on_the_one_that_was_read() {
    let rule = rule();
    let change = RuleChange { enforcement_mode: Some(EnforcementMode::Kill), ..RuleChange::default() };
    let (changed, owed) = modify(&rule, 1, change.clone()).expect("is allowed").expect("changes something");
    let after = &changed.of;
    assert_eq!((after.definition.version, after.created_at, after.updated_at), (2, now(), later()));
    assert_eq!(changed.integrity.hash_root, after.definition.hash_root());
    assert_ne!(changed.integrity.hash_root, rule.definition.hash_root());
    assert_eq!(owed.event_type, AuditEventType::PolicyRuleModified);
    assert_eq!(owed.before_state.expect("before")["enforcement_mode"], "BLOCK");
    assert_eq!(owed.after_state.expect("after")["enforcement_mode"], "KILL");
    assert_eq!(modify(after, 1, change.clone()), Err(ModifyError::Stale { current: 2 }));
    assert_eq!(modify(after, 2, change), Ok(None), "nothing changes, nothing is owed");
}

#[test]
fn a_scope_id_can_be_taken_away() {
    let scoped = RuleDraft { scope: Some(Scope::Agent), scope_id: Some("support".into()), ..rule_draft() };
    let rule = make_rule(scoped).expect("a rule").0.of;
    let change = RuleChange { scope: Some(Scope::Tenant), scope_id: Some(None), ..RuleChange::default() };
    let (changed, _) = modify(&rule, 1, change).expect("is allowed").expect("changes something");
    assert_eq!(changed.of.definition.scope_id, None);
}

#[test]
fn retired_is_final_and_needs_a_reason() {
    let rule = rule();
    assert!(matches!(retire(&rule, "  "), Err(RetireError::Invalid(_))));
    let (retired, owed) = retire(&rule, "superseded").expect("is retired");
    assert_eq!((retired.status, retired.definition.version), (RuleStatus::Retired, 1));
    assert_eq!((retired.retired_by.as_deref(), retired.retired_at), (Some("ben"), Some(later())));
    assert_eq!(owed.event_type, AuditEventType::PolicyRuleRetired);
    assert_eq!(owed.action_reason.as_deref(), Some("superseded"));
    assert_eq!(owed.after_state.expect("after")["status"], "RETIRED");
    assert_eq!(retire(&retired, "again"), Err(RetireError::Retired));
    assert_eq!(modify(&retired, 1, RuleChange::default()), Err(ModifyError::Retired));
}

#[test]
fn a_limit_gets_the_defaults_its_hash_and_its_audit_row() {
    let (made, owed) = make_limit(limit_draft()).expect("a limit");
    let definition = &made.of.definition;
    assert_eq!(
        (definition.scope, definition.enforcement, definition.consequence, definition.version),
        (Scope::Tenant, LimitEnforcement::Block, Consequence::Alert, 1)
    );
    assert_eq!(definition.max_value, 12_500_000_000, "USD become nano-USD");
    assert_eq!(made.integrity.hash_root, definition.hash_root());
    assert_eq!((made.of.status, owed.event_type), (LimitStatus::Active, AuditEventType::LimitCreated));
    let never = LimitDraft { reset_period: Some(ResetPeriod::None), ..limit_draft() };
    assert_eq!(make_limit(never).expect("a limit").0.of.definition.reset_period, Some(ResetPeriod::None));
}

#[test]
fn only_money_has_fractions() {
    let tokens = |billionths| LimitDraft {
        limit_type: LimitType::TokensTotal,
        max_value: Amount { billionths },
        ..limit_draft()
    };
    assert_eq!(make_limit(tokens(100_000_000_000)).expect("a limit").0.of.definition.max_value, 100);
    for billionths in [0, 1, 1_500_000_000, u128::MAX, u128::from(u64::MAX) * 1_000_000_000] {
        assert_eq!(
            pointers(make_limit(tokens(billionths)).expect_err("is refused"))[0],
            "/max_value",
            "{billionths}"
        );
    }
    for limit_type in LimitType::ALL {
        assert_eq!(counts_money(*limit_type), limit_type.as_str().contains("COST"), "{limit_type}");
    }
}

#[test]
fn a_limit_is_what_its_category_and_scope_allow() {
    let refused = |draft| pointers(make_limit(draft).expect_err("is refused"));
    assert_eq!(
        refused(LimitDraft { limit_category: LimitCategory::Rate, ..limit_draft() }),
        ["/limit_category"]
    );
    assert_eq!(refused(LimitDraft { scope: Some(Scope::Provider), ..limit_draft() }), ["/scope_id"]);
    assert_eq!(refused(LimitDraft { name: "a\0".into(), ..limit_draft() }), ["/name"]);
    assert_eq!(
        refused(LimitDraft { reset_period: None, ..limit_draft() }),
        ["/reset_period"],
        "for life, or not?"
    );
}

#[test]
fn category_and_type_of_a_limit_never_change() {
    let limit = limit();
    let other = LimitChange {
        limit_category: Some(LimitCategory::Threshold),
        limit_type: Some(LimitType::RunCostUsd),
        ..LimitChange::default()
    };
    let err = update(&limit, 1, other).expect_err("is refused");
    assert!(
        matches!(&err, UpdateError::Invalid(fields) if pointers(fields.clone()) == ["/limit_category", "/limit_type"])
    );
    let same = LimitChange {
        limit_category: Some(LimitCategory::Budget),
        limit_type: Some(LimitType::CostUsd),
        max_value: Some(Amount { billionths: 20_000_000_000 }),
        ..LimitChange::default()
    };
    let (changed, owed) = update(&limit, 1, same.clone()).expect("is allowed").expect("changes something");
    assert_eq!((changed.of.definition.max_value, changed.of.definition.version), (20_000_000_000, 2));
    assert_eq!(owed.event_type, AuditEventType::LimitUpdated);
    assert_eq!(update(&changed.of, 2, same.clone()), Ok(None));
    assert_eq!(update(&changed.of, 1, same), Err(UpdateError::Stale { current: 2 }));
}

#[test]
fn what_a_limit_counts_never_changes() {
    let agents = LimitDraft {
        scope: Some(Scope::Agent),
        scope_id: Some("a".to_owned()),
        reset_period: Some(ResetPeriod::Daily),
        ..limit_draft()
    };
    let rate = LimitDraft {
        name: "rate".to_owned(),
        limit_category: LimitCategory::Rate,
        limit_type: LimitType::RequestsPerMinute,
        max_value: Amount { billionths: 1_000_000_000 },
        reset_period: None,
        window_seconds: Some(60),
        ..limit_draft()
    };
    let errors = LimitDraft {
        name: "errors".to_owned(),
        limit_category: LimitCategory::Threshold,
        limit_type: LimitType::ErrorRatePct,
        max_value: Amount { billionths: 1_000_000_000 },
        reset_period: None,
        measurement_window_seconds: Some(60),
        ..limit_draft()
    };
    let change = LimitChange::default;
    let cases = [
        (&agents, "/scope", LimitChange { scope: Some(Scope::Project), ..change() }),
        (&agents, "/scope_id", LimitChange { scope_id: Some(Some("b".to_owned())), ..change() }),
        (&agents, "/scope_id", LimitChange { scope_id: Some(None), ..change() }),
        (&agents, "/reset_period", LimitChange { reset_period: Some(ResetPeriod::None), ..change() }),
        (&agents, "/window_seconds", LimitChange { window_seconds: Some(60), ..change() }),
        (&rate, "/window_seconds", LimitChange { window_seconds: Some(1), ..change() }),
        (&rate, "/reset_period", LimitChange { reset_period: Some(ResetPeriod::Daily), ..change() }),
        (
            &errors,
            "/measurement_window_seconds",
            LimitChange { measurement_window_seconds: Some(1), ..change() },
        ),
    ];
    for (draft, pointer, change) in cases {
        let limit = make_limit(draft.clone()).expect("is a limit").0.of;
        match update(&limit, 1, change.clone()) {
            Err(UpdateError::Invalid(fields)) => {
                assert!(
                    fields.0.iter().any(|field| {
                        field.pointer == pointer && field.message.contains("make a new limit")
                    }),
                    "{fields:?}"
                );
            }
            other => panic!("{change:?}: {other:?}"),
        }
    }
    let limit = make_limit(agents).expect("is a limit").0.of;
    let as_read = LimitChange {
        scope: Some(Scope::Agent),
        scope_id: Some(Some("a".to_owned())),
        reset_period: Some(ResetPeriod::Daily),
        ..change()
    };
    assert_eq!(update(&limit, 1, as_read), Ok(None), "who sends back what it read changes nothing");
}

#[test]
fn a_disabled_limit_changes_no_more() {
    let (disabled, owed) = disable(&limit()).expect("is disabled");
    assert_eq!((disabled.status, disabled.definition.version), (LimitStatus::Disabled, 1));
    assert_eq!(owed.after_state.expect("after")["status"], "DISABLED");
    assert_eq!(disable(&disabled), Err(DisableError));
    assert_eq!(update(&disabled, 1, LimitChange::default()), Err(UpdateError::Disabled));
}
