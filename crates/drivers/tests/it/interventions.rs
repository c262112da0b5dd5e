//! Kills and freezes: as they were asked for, as runs met them, as agents came to know.

use drivers::activity::FreezeEffect;
use models::{
    activity::{
        Ack, AckVia, Freeze, Intervention, InterventionFilter, InterventionOutcome, InterventionState, Run,
    },
    ids::{InterventionId, RunId},
    page::PageRequest,
};
use proof::words::{ActorType, InterventionKind, InterventionTarget};

use crate::{
    sample::{self, ODD, OTHER, TENANT, at, run, trace, uuid},
    whole,
};

fn freeze(n: u128, target_id: &str) -> Freeze {
    Freeze {
        tenant: TENANT,
        target_id: target_id.to_owned(),
        intervention_id: InterventionId(uuid(n)),
        actor_type: ActorType::Human,
        actor_id: Some(ODD.to_owned()),
        reason: None,
        requested_at: at(i64::try_from(n).unwrap_or(0)),
    }
}

fn kill(n: u128, of: RunId) -> Intervention {
    Intervention {
        tenant: TENANT,
        id: InterventionId(uuid(n)),
        kind: InterventionKind::Kill,
        target_type: InterventionTarget::Run,
        target_id: Some(of.to_string()),
        actor_type: ActorType::System,
        actor_id: None,
        reason: Some(ODD.to_owned()),
        requested_at: at(i64::try_from(n).unwrap_or(0)),
        outcome: InterventionOutcome::Ended,
        effective_at: None,
        lifts: None,
    }
}

testkit::on_both! {
    async fn a_run_that_is_locked_says_whether_it_is_frozen(db: TestDatabase) {
        let db = sample::store(db).await;
        let runs = [("", 1), ("researcher", 2), (ODD, 3)].map(|(agent, n)| Run { agent_id: agent.to_owned(), ..run(TENANT, n) });
        let ids = runs.each_ref().map(|run| run.id);
        let tx = db.begin().await.expect("begin");
        tx.activity().insert_runs(&runs).await.expect("inserted");
        let traces = [1, 2, 3].map(|n| trace(TENANT, n));
        tx.traces().start_traces(&traces).await.expect("inserted");
        let locked = tx.run_locks().lock_whole(TENANT, &ids, at(0)).await.expect("locked");
        let whole = locked.into_iter().map(|locked| (locked.run, locked.trace));
        assert_eq!(whole.collect::<Vec<_>>(), runs.into_iter().zip(traces).collect::<Vec<_>>());
        // Who remembers them is told the same.
        let frozen = async || {
            let locked = tx.run_locks().lock_whole(TENANT, &ids, at(0)).await.expect("locked");
            let states = tx.run_locks().lock_states(TENANT, &ids, at(0)).await.expect("locked");
            let told = states.iter().map(|state| (state.run, state.version, state.frozen)).collect::<Vec<_>>();
            let read = locked.iter().map(|locked| (locked.run.id, locked.version, locked.frozen));
            assert_eq!(read.collect::<Vec<_>>(), told);
            told.into_iter().map(|(_, _, frozen)| frozen).collect::<Vec<_>>()
        };
        assert_eq!(frozen().await, [false; 3]);
        for target in ["researcher", ODD] {
            assert!(tx.activity().insert_freeze(&freeze(5, target)).await.expect("frozen"));
        }
        assert_eq!(frozen().await, [false, true, true]);
        assert!(tx.activity().lift_freeze(OTHER, ODD).await.expect("not theirs").is_none());
        assert_eq!(tx.activity().lift_freeze(TENANT, ODD).await.expect("lifted"), Some(freeze(5, ODD)));
        assert_eq!(tx.activity().lift_freeze(TENANT, ODD).await.expect("lifted"), None);
        assert_eq!(frozen().await, [false, true, false]);
        assert!(tx.activity().insert_freeze(&freeze(6, "")).await.expect("all of them"));
        assert_eq!(frozen().await, [true; 3]);
        assert_eq!(tx.activity().freezes(TENANT).await.expect("read"), [freeze(6, ""), freeze(5, "researcher")]);
        assert_eq!(tx.activity().freezes(OTHER).await.expect("none"), []);
        let page = PageRequest::new(Some(1), None, true).expect("a page");
        let first = tx.activity().list_freezes(TENANT, &page).await.expect("listed");
        assert_eq!((first.items, first.total, first.has_more), (vec![freeze(6, "")], Some(2), true));
        assert!(!tx.activity().insert_freeze(&freeze(7, "")).await.expect("told"), "it is frozen already");
    }

    async fn what_was_asked_met_and_known_comes_back(db: TestDatabase) {
        let db = sample::store(db).await;
        let (one, two) = (RunId(uuid(1)), RunId(uuid(2)));
        let tx = db.begin().await.expect("begin");
        tx.activity().insert_runs(&[run(TENANT, 1), run(TENANT, 2)]).await.expect("inserted");
        tx.activity().insert_interventions(&[kill(3, one), kill(4, one), kill(5, two)]).await.expect("asked");
        assert_eq!(tx.activity().interventions_on(TENANT, one).await.expect("read"), [kill(4, one), kill(3, one)]);
        assert_eq!(tx.activity().interventions_on(OTHER, one).await.expect("none"), []);

        let met = [whole::intervention(TENANT, 1, 0), whole::intervention(TENANT, 1, 1), whole::intervention(TENANT, 2, 0)];
        tx.activity().insert_met(&met).await.expect("met");
        assert_eq!(tx.activity().interventions_met(TENANT, &[two, one]).await.expect("read"), met);
        assert_eq!(tx.activity().interventions_met(OTHER, &[two, one]).await.expect("none"), []);
        let id: InterventionId = met[0].intervention_id.parse().expect("an id");
        let counted = tx.activity().runs_met(TENANT, &[id, InterventionId(uuid(99))]).await.expect("counted");
        assert_eq!(counted.get(&id), Some(&1));

        let freezes = |ids: [InterventionId; 3]| {
            let targets = ["", ODD, "nobody"].into_iter().zip(ids);
            targets.map(|(target, intervention_id)| Freeze { intervention_id, ..freeze(5, target) }).collect::<Vec<_>>()
        };
        let effect = |live_runs, unacked_runs| FreezeEffect { live_runs, unacked_runs };
        let other = |n| InterventionId(uuid(n));
        let frozen = freezes([id, other(98), other(97)]);
        let effects = tx.activity().freeze_effects(TENANT, &frozen).await.expect("counted");
        assert_eq!(effects, [effect(2, 2), effect(2, 2), effect(0, 0)]);
        let ack = Ack { tenant: TENANT, intervention_id: id, run_id: one, via: AckVia::Stream, acked_at: at(9) };
        tx.activity().insert_acks(&[ack.clone()]).await.expect("known");
        tx.activity().insert_acks(&[Ack { via: AckVia::Call, ..ack.clone() }]).await.expect("known already");
        assert_eq!(tx.activity().acks_of_runs(TENANT, &[one, two]).await.expect("read"), [ack]);
        assert_eq!(tx.activity().acks_of_runs(OTHER, &[one]).await.expect("none"), []);
        let effects = tx.activity().freeze_effects(TENANT, &frozen).await.expect("counted");
        assert_eq!(effects, [effect(2, 1), effect(2, 2), effect(0, 0)]);
        assert_eq!(tx.activity().freeze_effects(OTHER, &frozen).await.expect("counted"), [effect(0, 0); 3]);
    }

    async fn what_was_stopped_is_listed_with_what_ended_it(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        let id = |n| InterventionId(uuid(n));
        let frozen = |n, target: &str| Intervention {
            kind: InterventionKind::Freeze,
            target_type: if target.is_empty() { InterventionTarget::Tenant } else { InterventionTarget::Agent },
            target_id: Some(target.to_owned()).filter(|target| !target.is_empty()),
            ..kill(n, RunId(uuid(1)))
        };
        let run = RunId(uuid(1));
        let end = Intervention { kind: InterventionKind::Unfreeze, lifts: Some(id(4)), ..frozen(5, ODD) };
        let all = [kill(3, run), frozen(4, ODD), end.clone(), frozen(6, ODD), frozen(7, "")];
        tx.activity().insert_interventions(&all).await.expect("asked");
        for (n, target) in [(6, ODD), (7, "")] {
            let held = Freeze { intervention_id: id(n), ..freeze(n, target) };
            assert!(tx.activity().insert_freeze(&held).await.expect("frozen"));
        }
        let (state, target_type) = (InterventionState::Lifted, InterventionTarget::Agent);
        for (filter, found) in [
            (InterventionFilter::default(), vec![7, 6, 4, 3]),
            (InterventionFilter { state: Some(InterventionState::InForce), ..Default::default() }, vec![7, 6, 3]),
            (InterventionFilter { state: Some(state), ..Default::default() }, vec![4]),
            (InterventionFilter { target_type: Some(target_type), ..Default::default() }, vec![6, 4]),
            (InterventionFilter { target_id: Some(run.to_string()), ..Default::default() }, vec![3]),
        ] {
            let page = PageRequest::new(Some(50), None, true).expect("a page");
            let listed = tx.activity().list_interventions(TENANT, &filter, &page).await.expect("listed");
            let ids: Vec<_> = listed.items.iter().map(|one| one.id).collect();
            assert_eq!(ids, found.iter().copied().map(id).collect::<Vec<_>>(), "{filter:?}");
            assert_eq!(listed.total, Some(found.len() as u64));
            let theirs = tx.activity().list_interventions(OTHER, &filter, &page).await.expect("listed");
            assert_eq!(theirs.items, []);
        }
        assert_eq!(tx.activity().lifts_of(TENANT, &[id(3), id(4), id(6)]).await.expect("read"), [end]);
        assert_eq!(tx.activity().lifts_of(OTHER, &[id(4)]).await.expect("none"), []);
    }

    async fn what_freezes_come_to_takes_a_few_statements_however_many_there_are(db: TestDatabase) {
        let db = sample::store(db).await;
        let few = [freeze(5, ""), freeze(6, "researcher")];
        let many: Vec<Freeze> = few.iter().cloned().chain((7..57).map(|n| freeze(n, &format!("bot-{n}")))).collect();
        let mut counts = Vec::new();
        for freezes in [&few[..], &many] {
            let before = db.statements();
            let store = db.read().await.expect("read");
            assert_eq!(store.activity().freeze_effects(TENANT, freezes).await.expect("counted").len(), freezes.len());
            drop(store);
            counts.push(db.statements() - before);
        }
        assert_eq!(counts[0], counts[1]);
    }
}
