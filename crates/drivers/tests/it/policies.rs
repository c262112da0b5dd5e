//! Rules, limits, snapshots, proposals, permits, use, decisions, enforcements, preventions, breaches.

use std::collections::BTreeSet;

use drivers::{StoreError, Tx, logs::RunRecords};
use models::{
    ids::{DecisionId, LimitId, PermitId, ProposalId, RuleId, RunId, SnapshotId, TenantId},
    page::PageRequest,
    policies::{
        BreachKey, Limit, LimitFilter, OpenPermit, Permit, PermitStatus, Proposal, ProposalFilter,
        ProposalStatus, ProposalType, Rule, RuleFilter, RuleStatus, Usage,
    },
};
use proof::{
    definitions::{LimitDefinition, RuleDefinition},
    records::{DecisionRecord, EnforcementRecord},
    words::{Action, EnforcementMode, LimitCategory, LimitStatus, Moment, RuleSource, RuleType, Scope},
};

use crate::{
    sample::{self, MOST, ODD, OTHER, TENANT, at, decision, hash, snapshot, uuid},
    whole::{
        self, breach, definition_integrity as integrity, enforcement, limit, permit, prevention, proposal,
        rule, usage_key,
    },
};

/// Of these runs, in order of their ids, at that second.
async fn open_of(tx: &Tx, tenant: TenantId, runs: &[u128], second: i64) -> Vec<OpenPermit> {
    let runs: Vec<RunId> = runs.iter().map(|run| RunId(uuid(*run))).collect();
    let mut open = tx.policies().open_permits(tenant, &runs, at(second)).await.expect("open");
    open.sort_by_key(|permit| permit.id);
    open
}

testkit::on_both! {
    async fn a_rule_goes_from_version_to_version(db: TestDatabase) {
        let db = sample::store(db).await;
        let first = rule(TENANT, 1);
        let tx = db.begin().await.expect("begin");
        tx.policies().insert_rule(&first, &integrity(1)).await.expect("inserted");
        tx.commit().await.expect("commit");

        let tx = db.begin().await.expect("begin");
        let id = RuleId(uuid(1));
        assert_eq!(tx.policies().lock_rule(TENANT, id).await.expect("locked"), Some(first.clone()));
        assert_eq!(tx.policies().lock_rule(OTHER, id).await.expect("not theirs"), None);
        let second = Rule {
            definition: RuleDefinition {
                version: 2, name: "n".into(), description: ODD.into(), rule_type: RuleType::Safety,
                enforcement_mode: EnforcementMode::Kill, scope: Scope::Tenant, scope_id: None,
                bind_at: proof::words::BindAt::RunStart, precedence: 1 << 53, condition: "true".into(),
                ..first.definition.clone()
            },
            updated_at: at(5), ..first.clone()
        };
        tx.policies().save_rule(&second, &integrity(2)).await.expect("saved");
        assert_eq!(tx.policies().find_rule(TENANT, id).await.expect("found"), Some(second.clone()));
        let versions = tx.policies().rule_versions(TENANT, id).await.expect("both");
        assert_eq!(versions, [first.definition.clone(), second.definition.clone()]);
        let integrities = tx.policies().rule_integrities(TENANT, &[(id, 2), (id, 1), (id, 3)]).await.expect("both");
        assert_eq!(integrities.len(), 2);
        assert!(integrities.contains(&(id, integrity(2))));
        assert_eq!(tx.policies().rule_versions(OTHER, id).await.expect("not theirs"), []);

        let retired = Rule {
            status: RuleStatus::Retired, superseded_by: Some(RuleId(uuid(2))), updated_at: at(6), retired_at: Some(at(6)),
            retired_by: Some(ODD.into()), retirement_reason: Some("old".into()), ..second
        };
        let renamed = Rule { definition: RuleDefinition { name: "x".into(), version: 3, ..retired.definition.clone() }, ..retired.clone() };
        tx.policies().save_rule_status(&renamed).await.expect("retired");
        assert_eq!(tx.policies().find_rule(TENANT, id).await.expect("found"), Some(retired));
        tx.commit().await.expect("commit");
    }

    async fn a_version_without_its_integrity_cannot_be_committed(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        tx.policies().insert_rule(&rule(TENANT, 1), &integrity(1)).await.expect("inserted");
        let forged = Rule { definition: RuleDefinition { version: 2, ..rule(TENANT, 1).definition }, ..rule(TENANT, 1) };
        tx.policies().save_rule(&forged, &integrity(2)).await.expect("a version with its integrity");
        tx.commit().await.expect("commit");
        let tx = db.begin().await.expect("begin");
        let limit = Limit { definition: LimitDefinition { version: 9, ..limit(TENANT, 1).definition }, ..limit(TENANT, 1) };
        tx.policies().insert_limit(&limit, &integrity(1)).await.expect("inserted");
        tx.commit().await.expect("commit");
        let twice = db.begin().await.expect("begin");
        assert!(matches!(twice.policies().save_rule(&forged, &integrity(3)).await, Err(StoreError::Conflict(_))));
    }

    async fn a_limit_goes_from_version_to_version(db: TestDatabase) {
        let db = sample::store(db).await;
        let first = limit(TENANT, 1);
        let tx = db.begin().await.expect("begin");
        tx.policies().insert_limit(&first, &integrity(1)).await.expect("inserted");
        let id = LimitId(uuid(1));
        assert_eq!(tx.policies().lock_limit(TENANT, id).await.expect("locked"), Some(first.clone()));
        assert_eq!(tx.policies().lock_limit(OTHER, id).await.expect("not theirs"), None);
        let second = Limit {
            definition: LimitDefinition {
                version: 2, name: "n".into(), max_value: 0, scope: Scope::Global, scope_id: Some(ODD.into()), reset_period: None,
                window_seconds: Some(MOST), measurement_window_seconds: None, enforcement: proof::words::LimitEnforcement::Queue,
                degrade_to: Some("another".into()), consequence: proof::words::Consequence::Alert, ..first.definition.clone()
            },
            updated_at: at(5), ..first.clone()
        };
        tx.policies().save_limit(&second, &integrity(2)).await.expect("saved");
        assert_eq!(tx.policies().find_limit(TENANT, id).await.expect("found"), Some(second.clone()));
        assert_eq!(tx.policies().limit_versions(TENANT, id).await.expect("both"), [first.definition, second.definition.clone()]);
        assert_eq!(tx.policies().limit_integrities(TENANT, &[(id, 2)]).await.expect("one"), [(id, integrity(2))]);
        let disabled = Limit { status: LimitStatus::Disabled, updated_at: at(6), ..second };
        tx.policies().save_limit_status(&disabled).await.expect("disabled");
        assert_eq!(tx.policies().find_limit(TENANT, id).await.expect("found"), Some(disabled));
    }

    async fn what_is_active_comes_with_its_hash(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        let retired = Rule {
            status: RuleStatus::Retired, retired_at: Some(at(1)), retired_by: Some("a".into()), retirement_reason: Some("b".into()),
            ..rule(TENANT, 3)
        };
        for (n, rule) in [(2, rule(TENANT, 2)), (1, rule(TENANT, 1)), (3, retired)] {
            tx.policies().insert_rule(&rule, &integrity(n)).await.expect("rule");
        }
        let disabled = Limit { status: LimitStatus::Disabled, ..limit(TENANT, 5) };
        for (n, limit) in [(4, limit(TENANT, 4)), (5, disabled)] {
            tx.policies().insert_limit(&limit, &integrity(n)).await.expect("limit");
        }
        let (rules, limits) = tx.policies().active_definitions(TENANT).await.expect("active");
        assert_eq!(rules, [1, 2].map(|n| (rule(TENANT, n).definition, Some(hash(u64::try_from(n).expect("small"))))));
        assert_eq!(limits, [(limit(TENANT, 4).definition, Some(hash(4)))]);
        let (rules, limits) = tx.policies().active_definitions(OTHER).await.expect("not theirs");
        assert!(rules.is_empty() && limits.is_empty());
    }

    async fn lists_have_their_filters(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        let (a, b) = (rule(TENANT, 1), Rule {
            definition: RuleDefinition {
                enforcement_mode: EnforcementMode::Block, rule_type: RuleType::Safety, scope: Scope::Global,
                source: RuleSource::Manual, ..rule(TENANT, 2).definition
            },
            status: RuleStatus::Retired, retired_at: Some(at(1)), retired_by: Some("a".into()), retirement_reason: Some("b".into()),
            ..rule(TENANT, 2)
        });
        tx.policies().insert_rule(&a, &integrity(1)).await.expect("rule");
        tx.policies().insert_rule(&b, &integrity(2)).await.expect("rule");
        let page = PageRequest::default();
        let f = RuleFilter::default;
        for filter in [
            RuleFilter { status: Some(RuleStatus::Retired), ..f() }, RuleFilter { enforcement_mode: Some(EnforcementMode::Block), ..f() },
            RuleFilter { rule_type: Some(RuleType::Safety), ..f() }, RuleFilter { scope: Some(Scope::Global), ..f() },
            RuleFilter { source: Some(RuleSource::Manual), ..f() }, RuleFilter { created_after: Some(at(1)), ..f() },
        ] {
            assert_eq!(tx.policies().list_rules(TENANT, &filter, &page).await.expect("listed").items, [b.clone()], "{filter:?}");
        }
        let before = RuleFilter { created_before: Some(at(2)), ..f() };
        assert_eq!(tx.policies().list_rules(TENANT, &before, &page).await.expect("listed").items, [a.clone()]);
        assert_eq!(tx.policies().list_rules(TENANT, &f(), &page).await.expect("listed").items, [b, a]);
        assert_eq!(tx.policies().list_rules(OTHER, &f(), &page).await.expect("not theirs").items, []);

        let (c, d) = (limit(TENANT, 1), Limit {
            definition: LimitDefinition { limit_category: LimitCategory::Rate, scope: Scope::Agent, ..limit(TENANT, 2).definition },
            status: LimitStatus::Disabled, ..limit(TENANT, 2)
        });
        tx.policies().insert_limit(&c, &integrity(1)).await.expect("limit");
        tx.policies().insert_limit(&d, &integrity(2)).await.expect("limit");
        let f = LimitFilter::default;
        for filter in [
            LimitFilter { status: Some(LimitStatus::Disabled), ..f() }, LimitFilter { limit_category: Some(LimitCategory::Rate), ..f() },
            LimitFilter { scope: Some(Scope::Agent), ..f() }, LimitFilter { created_after: Some(at(1)), ..f() },
        ] {
            assert_eq!(tx.policies().list_limits(TENANT, &filter, &page).await.expect("listed").items, [d.clone()], "{filter:?}");
        }
        assert_eq!(tx.policies().list_limits(TENANT, &f(), &page).await.expect("listed").items, [d, c]);
    }

    async fn a_name_is_unique_among_active_rules(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        tx.policies().insert_rule(&rule(TENANT, 1), &integrity(1)).await.expect("rule");
        let same = Rule { definition: RuleDefinition { name: rule(TENANT, 1).definition.name, ..rule(TENANT, 2).definition }, ..rule(TENANT, 2) };
        assert!(matches!(tx.policies().insert_rule(&same, &integrity(2)).await, Err(StoreError::Conflict(_))));
    }

    async fn a_name_is_unique_among_active_limits(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        let (first, mut second) = (limit(TENANT, 1), limit(TENANT, 2));
        tx.policies().insert_limit(&first, &integrity(1)).await.expect("limit");
        tx.policies().insert_limit(&second, &integrity(2)).await.expect("limit");
        let (name, id) = (first.definition.name.clone(), LimitId(uuid(2)));
        assert!(tx.policies().limit_has_name(TENANT, &name, id).await.expect("asked"));
        assert!(!tx.policies().limit_has_name(TENANT, &name, LimitId(uuid(1))).await.expect("but itself"));
        assert!(!tx.policies().limit_has_name(OTHER, &name, id).await.expect("not theirs"));
        tx.policies().save_limit_status(&Limit { status: LimitStatus::Disabled, ..first.clone() }).await.expect("disabled");
        assert!(!tx.policies().limit_has_name(TENANT, &name, id).await.expect("free again"));
        tx.policies().save_limit_status(&first).await.expect("as it was");
        (second.definition.name, second.definition.version) = (name, 2);
        assert!(matches!(tx.policies().save_limit(&second, &integrity(2)).await, Err(StoreError::Conflict(_))));
    }

    async fn a_snapshot_is_found_by_id_and_by_content(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        let mine = snapshot(TENANT);
        assert_eq!(tx.policies().find_snapshot(TENANT, mine.id).await.expect("found"), Some(mine.clone()));
        assert_eq!(tx.policies().find_snapshots(TENANT, &[mine.id, SnapshotId(uuid(404))]).await.expect("found"), [mine.clone()]);
        assert_eq!(tx.policies().find_snapshot_by_digest(TENANT, mine.digest).await.expect("found"), Some(mine.clone()));
        assert_eq!(tx.policies().find_snapshot_by_digest(TENANT, hash(404)).await.expect("none"), None);
        assert_eq!(tx.policies().find_snapshot(OTHER, mine.id).await.expect("not theirs"), None);
        let again = models::policies::Snapshot { id: SnapshotId(uuid(1)), ..mine };
        assert!(matches!(tx.policies().insert_snapshot(&again).await, Err(StoreError::Conflict(_))));
    }

    async fn a_proposal_is_reviewed(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        let (draft, other) = (proposal(TENANT, 1), Proposal { proposal_type: ProposalType::Create, target_rule_id: None, ..proposal(TENANT, 2) });
        tx.policies().insert_proposal(&draft).await.expect("draft");
        tx.policies().insert_proposal(&other).await.expect("draft");
        let id = ProposalId(uuid(1));
        assert_eq!(tx.policies().lock_proposal(TENANT, id).await.expect("locked"), Some(draft.clone()));
        assert_eq!(tx.policies().lock_proposal(OTHER, id).await.expect("not theirs"), None);
        let approved = Proposal {
            status: ProposalStatus::Approved, reviewed_at: Some(at(3)), reviewed_by: Some(ODD.into()), review_notes: Some(String::new()), ..draft
        };
        tx.policies().save_proposal(&Proposal { name: "x".into(), ..approved.clone() }).await.expect("saved");
        assert_eq!(tx.policies().find_proposal(TENANT, id).await.expect("found"), Some(approved.clone()));
        let f = ProposalFilter::default;
        let drafts = ProposalFilter { status: Some(ProposalStatus::Draft), ..f() };
        let creates = ProposalFilter { proposal_type: Some(ProposalType::Create), ..f() };
        let page = PageRequest::default();
        for filter in [drafts, creates, ProposalFilter { created_after: Some(at(1)), ..f() }] {
            assert_eq!(tx.policies().list_proposals(TENANT, &filter, &page).await.expect("listed").items, [other.clone()]);
            assert_eq!(tx.policies().count_proposals(TENANT, &filter).await.expect("counted"), 1);
        }
        assert_eq!(tx.policies().list_proposals(TENANT, &f(), &page).await.expect("listed").items, [other, approved]);
    }

    async fn permits_come_back_and_lapse(db: TestDatabase) {
        let db = sample::store(db).await;
        let permits: Vec<Permit> = (0..5).map(|n| permit(TENANT, 1, n)).collect();
        let mut known = permits[4].clone();
        known.estimate.cost_nanousd = Some(MOST);
        known.idempotency_key = None;
        known.reservations = vec![];
        let tx = db.begin().await.expect("begin");
        tx.policies().insert_permits(&[&permits[..4], &[known.clone()]].concat()).await.expect("granted");
        tx.commit().await.expect("commit");

        let tx = db.begin().await.expect("begin");
        let keys: Vec<_> = [1, 3].iter().map(|n| (RunId(uuid(1)), format!("{ODD}{n}"))).collect();
        let mut found = tx.policies().find_permits_by_keys(TENANT, &keys).await.expect("found");
        found.sort_by_key(|permit| permit.id);
        assert_eq!(found, [permits[1].clone(), permits[3].clone()]);
        assert_eq!(tx.policies().find_permits_by_keys(OTHER, &keys).await.expect("not theirs"), []);
        assert_eq!(tx.policies().find_permit(TENANT, known.id).await.expect("found"), Some(known.clone()));

        let holds = |permit: &Permit| {
            let Permit { id, run_id, estimate, expires_at, .. } = *permit;
            OpenPermit { id, run_id, estimate, expires_at }
        };
        let mut all: Vec<OpenPermit> = permits[..4].iter().chain([&known]).map(holds).collect();
        all.sort_by_key(|permit| permit.id);
        assert_eq!(open_of(&tx, TENANT, &[1, 404, 1], 9).await, all);
        let serving = [holds(&permits[3]), holds(&known)];
        assert_eq!(open_of(&tx, TENANT, &[1], 12).await, serving, "whoever releases the others, and when");
        assert_eq!(open_of(&tx, TENANT, &[404], 9).await, []);
        assert_eq!(open_of(&tx, OTHER, &[1], 9).await, [], "not theirs");

        // 0, 1 and 2 have expired at 12; 4 is named, and so is 1. 3 is named for a run that it is not of, and 2 as
        // well.
        let own = |id| (id, RunId(uuid(1)));
        let other = |id| (id, RunId(uuid(2)));
        let named = [
            own(known.id), own(permits[1].id), own(PermitId(uuid(404))), other(permits[2].id), other(permits[3].id),
        ];
        let before = db.statements();
        let locked = tx.policies().lock_permits(TENANT, &named, at(12), 500).await.expect("locked");
        assert_eq!(db.statements() - before, 1, "those that are named, and those that lapsed");
        assert_eq!(locked, [permits[1].clone(), known.clone(), permits[0].clone(), permits[2].clone()]);
        assert_eq!(tx.policies().lock_permits(TENANT, &named, at(12), 0).await.expect("named").len(), 2);
        assert_eq!(tx.policies().lock_permits(TENANT, &[], at(12), 1).await.expect("one"), permits[..1]);
        assert_eq!(tx.policies().lock_permits(OTHER, &named, at(99), 500).await.expect("not theirs"), []);
        let done: Vec<Permit> = locked.into_iter().map(|permit| Permit {
            status: if permit.id == known.id { PermitStatus::Used } else { PermitStatus::Lapsed },
            used_by_step: (permit.id == known.id).then_some(MOST), ..permit
        }).collect();
        let granted = PermitStatus::Granted;
        tx.policies().save_permits(granted, &done).await.expect("saved");
        assert_eq!(open_of(&tx, TENANT, &[1], 9).await, [holds(&permits[3])], "what is used or lapsed holds nothing");
        // The run of one that is still open ends: it lapses at once, and what is settled stays as it is.
        let open = tx.policies().find_permit(TENANT, permits[3].id).await.expect("found").expect("there");
        tx.policies().end_permits(TENANT, &[RunId(uuid(404))]).await.expect("nothing");
        assert_eq!(tx.policies().lock_permits(TENANT, &[], at(12), 500).await.expect("it is open"), []);
        tx.policies().end_permits(OTHER, &[open.run_id]).await.expect("not theirs");
        assert_eq!(tx.policies().lock_permits(TENANT, &[], at(12), 500).await.expect("it is open"), []);
        tx.policies().end_permits(TENANT, &[open.run_id, RunId(uuid(404))]).await.expect("ended");
        let ended = Permit { lapses_at: open.granted_at, ..open.clone() };
        assert_eq!(tx.policies().lock_permits(TENANT, &[], at(12), 500).await.expect("it lapsed"), [ended.clone()]);
        assert_eq!(tx.policies().find_permit(TENANT, done[0].id).await.expect("found").as_ref(), Some(&done[0]));
        let ended = Permit { status: PermitStatus::Lapsed, ..ended };
        tx.policies().save_permits(granted, &[ended]).await.expect("given back");
        let again = tx.policies().save_permits(granted, &done[..1]).await;
        assert!(matches!(again, Err(StoreError::RowsAffected { actual: 0, .. })), "{again:?}: it lapsed before");
        tx.policies().save_permits(PermitStatus::Lapsed, &done[..1]).await.expect("as it stands");
        assert_eq!(tx.policies().lock_permits(TENANT, &[], at(12), 500).await.expect("none left"), []);
        assert_eq!(tx.policies().find_permit(TENANT, known.id).await.expect("found").as_ref(), Some(&done[1]));
        let stolen = Permit { tenant: OTHER, ..known };
        assert!(matches!(tx.policies().save_permits(granted, &[stolen]).await, Err(StoreError::RowsAffected { actual: 0, .. })));
    }

    async fn who_locks_a_run_learns_whether_a_permit_has_lapsed(db: TestDatabase) {
        let db = sample::store(db).await;
        whole::start(&db, 1..2).await;
        let tx = db.begin().await.expect("begin");
        let asked = async |second: i64| {
            let (ids, now) = ([RunId(uuid(1))], at(second));
            let whole = tx.run_locks().lock_whole(TENANT, &ids, now).await.expect("locked");
            let states = tx.run_locks().lock_states(TENANT, &ids, now).await.expect("locked");
            [whole[0].lapsed, states[0].lapsed]
        };
        assert_eq!(asked(99).await, [false; 2], "there is none");
        let of_another_run = permit(TENANT, 2, 0);
        tx.policies().insert_permits(std::slice::from_ref(&of_another_run)).await.expect("granted");
        assert_eq!(asked(9).await, [false; 2]);
        assert_eq!(asked(10).await, [true; 2]);
        let released = Permit { status: PermitStatus::Lapsed, ..of_another_run };
        tx.policies().save_permits(PermitStatus::Granted, &[released]).await.expect("saved");
        assert_eq!(asked(99).await, [false; 2]);
    }

    async fn use_is_counted_in_its_window(db: TestDatabase) {
        let (one, two) = (sample::store(db).await, sample::open(db).await);
        let windows: Vec<_> = [3, 1, 2, 3].map(usage_key).to_vec();
        let opened: Vec<_> = windows.iter().cloned().map(|key| (key, Some(at(50)))).collect();
        let tx = one.begin().await.expect("begin");
        tx.policies().ensure_usage(TENANT, &opened, at(1)).await.expect("made");
        tx.policies().ensure_usage(TENANT, &opened, at(2)).await.expect("there");
        tx.commit().await.expect("commit");
        let tx = two.begin().await.expect("begin");
        let locked = tx.policies().lock_usage(TENANT, &windows).await.expect("locked");
        let new = |n| Usage::none(TENANT, usage_key(n), Some(at(50)), at(1));
        assert_eq!(locked, [1, 2, 3].map(new));
        let counted: Vec<Usage> = locked.into_iter().map(|usage| Usage { used: MOST, reserved: 7, updated_at: at(3), ..usage }).collect();
        tx.policies().save_usage(&counted).await.expect("saved");
        assert_eq!(tx.policies().find_usage(TENANT, &[usage_key(2), usage_key(404)]).await.expect("found"), counted[1..2]);
        assert_eq!(tx.policies().usage_of(TENANT, &[LimitId(uuid(3)), LimitId(uuid(1))]).await.expect("found"), [counted[0].clone(), counted[2].clone()]);
        assert_eq!(tx.policies().lock_usage(OTHER, &windows).await.expect("not theirs"), []);
        let stolen = Usage { tenant: OTHER, ..counted[0].clone() };
        assert!(matches!(tx.policies().save_usage(&[stolen]).await, Err(StoreError::RowsAffected { actual: 0, .. })));
    }

    async fn windows_are_forgotten_when_they_are_over_and_nobody_holds_any_of_them(db: TestDatabase) {
        let db = sample::store(db).await;
        let opened = |n, over_by| (usage_key(n), over_by);
        let tx = db.begin().await.expect("begin");
        let of_tenant = [opened(1, Some(at(10))), opened(2, Some(at(20))), opened(3, Some(at(30))), opened(4, None)];
        tx.policies().ensure_usage(TENANT, &of_tenant, at(1)).await.expect("made");
        tx.policies().ensure_usage(OTHER, &[opened(1, Some(at(20)))], at(1)).await.expect("made");
        let held = Permit { granted_at: at(15), ..permit(TENANT, 1, 0) };
        tx.policies().insert_permits(std::slice::from_ref(&held)).await.expect("granted");
        let left = async |tx: &drivers::Tx, tenant| {
            let keys = [1, 2, 3, 4].map(usage_key);
            tx.policies().find_usage(tenant, &keys).await.expect("found").into_iter().map(|usage| usage.limit_id).collect::<Vec<_>>()
        };
        let ids = |of: &[u128]| of.iter().map(|n| LimitId(uuid(*n))).collect::<Vec<_>>();
        assert_eq!(tx.policies().forget_windows(at(9)).await.expect("none is over"), 0);
        // 2 was open when the permit was granted, which is of one tenant alone.
        assert_eq!(tx.policies().forget_windows(at(20)).await.expect("forgotten"), 2);
        assert_eq!((left(&tx, TENANT).await, left(&tx, OTHER).await), (ids(&[2, 3, 4]), vec![]));
        let used = Permit { status: PermitStatus::Used, used_by_step: Some(0), ..held };
        tx.policies().save_permits(PermitStatus::Granted, &[used]).await.expect("saved");
        tx.policies().keep_windows(TENANT, at(25), at(60)).await.expect("kept");
        assert_eq!(tx.policies().forget_windows(at(59)).await.expect("forgotten"), 1);
        assert_eq!(left(&tx, TENANT).await, ids(&[3, 4]));
        assert_eq!(tx.policies().forget_windows(at(60)).await.expect("forgotten"), 1);
        assert_eq!(left(&tx, TENANT).await, ids(&[4]), "that one never ends");
    }

    async fn decisions_are_found_by_run_by_id_and_by_moment(db: TestDatabase) {
        let db = sample::store(db).await;
        let bare = DecisionRecord {
            moment: Moment::RunStart, step_index: None, permit_id: None, action: Action::Allow, would_have: None,
            halt_reason: None, deciding_policy_id: None, overridden_by: None, permit_note: None, intervention: None, ..decision(TENANT, 1, 0)
        };
        let fired = DecisionRecord { fired: r#"[{"kind":"RULE"}]"#.to_owned(), ..decision(TENANT, 1, 1) };
        let records = [bare.clone(), fired, decision(TENANT, 2, 0)];
        whole::start(&db, [1, 2]).await;
        let tx = db.begin().await.expect("begin");
        let of = |decisions: &[DecisionRecord]| RunRecords { decisions: decisions.to_vec(), ..RunRecords::default() };
        let (first, second) = (of(&records[..2]), of(&records[2..]));
        let segments = [whole::segment(TENANT, 1, &first, vec![]), whole::segment(TENANT, 2, &second, vec![])];
        tx.traces().append(&segments).await.expect("decided");
        let run = RunId(uuid(1));
        assert_eq!(tx.traces().decisions_of_run(TENANT, run, |_| true).await.expect("of run").0, records[..2]);
        let is_first = |decision: &DecisionRecord| decision.seq == 0;
        assert_eq!(tx.traces().decisions_of_run(TENANT, run, is_first).await.expect("of run").0, records[..1]);
        let id = |record: &DecisionRecord| -> (RunId, DecisionId) {
            (record.run_id.parse().expect("a run"), record.decision_id.parse().expect("an id"))
        };
        let ids: Vec<_> = records.iter().map(id).collect();
        let mut found = tx.traces().find_decisions(TENANT, &ids[1..]).await.expect("by id");
        found.sort_by(|a, b| a.run_id.cmp(&b.run_id));
        assert_eq!(found, records[1..]);
        assert_eq!(tx.traces().start_decisions(TENANT, &[run, RunId(uuid(2))]).await.expect("starts"), [bare]);
        assert_eq!(tx.traces().decisions_of_run(OTHER, run, |_| true).await.expect("not theirs").0, []);
        assert_eq!(tx.traces().find_decisions(OTHER, &ids).await.expect("not theirs"), []);
    }

    async fn enforcements_are_counted_and_listed(db: TestDatabase) {
        let db = sample::store(db).await;
        let of = |policy: &str, n| EnforcementRecord { policy_id: policy.into(), ..enforcement(TENANT, 1, n) };
        let records = [of("a", 1), of("a", 2), of("b", 3), of("a", 4)];
        let bare = EnforcementRecord {
            run_id: None, seq: None, rule_id: None, incident_id: None, step_index: None, ..of("c", 5)
        };
        let tx = db.begin().await.expect("begin");
        tx.enforcements().record_enforcement(&records).await.expect("recorded");
        tx.policies().insert_enforcements(std::slice::from_ref(&bare)).await.expect("recorded");
        let stats = tx.enforcements().stats(TENANT, &["a", "b", "c", "none"].map(str::to_owned), at(2)).await.expect("stats");
        let seen: Vec<_> = stats.values().map(|s| (s.policy_id.as_str(), s.trigger_count_30d, s.last_triggered_at)).collect();
        assert_eq!(seen, [("a", 1, Some(at(4))), ("b", 1, Some(at(3))), ("c", 1, Some(at(5))), ("none", 0, None)]);
        let page = PageRequest::new(Some(2), None, true).expect("a page");
        let listed = tx.enforcements().list_by_policy(TENANT, "a", &page).await.expect("listed");
        assert_eq!((&listed.items[..], listed.total, listed.has_more), (&[records[3].clone(), records[1].clone()][..], Some(3), true));
        assert_eq!(tx.enforcements().of_run(TENANT, RunId(uuid(1))).await.expect("of run"), records);
        let id = bare.enforcement_id.parse().expect("an id");
        assert_eq!(tx.enforcements().find(TENANT, id).await.expect("found"), Some(bare));
        assert_eq!(tx.enforcements().find(OTHER, id).await.expect("not theirs"), None);
        assert_eq!(tx.enforcements().of_run(OTHER, RunId(uuid(1))).await.expect("not theirs"), []);
        let theirs = tx.enforcements().stats(OTHER, &["a".to_owned()], at(0)).await.expect("not theirs");
        assert_eq!(theirs["a"].last_triggered_at, None);
    }

    async fn preventions_and_breaches_of_a_run(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        let preventions = [prevention(TENANT, 1, 0), prevention(TENANT, 1, 1)];
        tx.preventions().insert(&preventions[..1]).await.expect("recorded");
        tx.policies().insert_preventions(&preventions[1..]).await.expect("recorded");
        let run = RunId(uuid(1));
        assert_eq!(tx.preventions().of_run(TENANT, run).await.expect("of run"), preventions);
        assert_eq!(tx.preventions().of_run(OTHER, run).await.expect("not theirs"), []);

        let breaches = [breach(TENANT, 1, 0), breach(TENANT, 1, 1), breach(TENANT, 2, 2)];
        tx.policies().insert_breaches(&breaches).await.expect("recorded");
        assert_eq!(tx.policies().breaches_of_run(TENANT, run).await.expect("of run"), breaches[..2]);
        assert_eq!(tx.policies().breaches_since(TENANT, at(0)).await.expect("counted"), 2);
        let limit = LimitId(uuid(1));
        let key = |n: usize| BreachKey { limit_id: limit, window_start: breaches[n].window_start.clone(), run_id: breaches[n].run_id.parse().expect("an id") };
        let wanted = [key(2), key(0), BreachKey { window_start: ODD.into(), ..key(0) }];
        assert_eq!(tx.policies().existing_breaches(TENANT, &wanted).await.expect("there"), BTreeSet::from([key(0), key(2)]));
        let mut keys = tx.policies().breach_keys_of_runs(TENANT, &[run]).await.expect("keys");
        keys.sort();
        assert_eq!(keys, [key(0), key(1)]);
        let listed = tx.policies().list_breaches(TENANT, limit, &PageRequest::default()).await.expect("listed");
        assert_eq!(listed.items, [breaches[2].clone(), breaches[1].clone(), breaches[0].clone()]);
        let stats = tx.policies().breach_stats(TENANT, &[limit, LimitId(uuid(2))], at(1)).await.expect("stats");
        assert_eq!((stats[&limit].breach_count_30d, stats[&limit].last_breached_at), (1, Some(at(2))));
        assert_eq!(stats[&LimitId(uuid(2))].last_breached_at, None);
        assert_eq!(tx.policies().breach_stats(OTHER, &[limit], at(0)).await.expect("not theirs")[&limit].last_breached_at, None);
        assert_eq!(tx.policies().existing_breaches(OTHER, &wanted).await.expect("not theirs"), BTreeSet::new());
        assert!(matches!(tx.policies().insert_breaches(&[whole::breach(TENANT, 1, 0)]).await, Err(StoreError::Conflict(_))));
    }
}
