//! Halts, the end of a key and settings hold while the store is down, on every server and whichever of them took them;
//! and what this costs while the store is there.

use kit::Kit;
use models::{
    account::{FailureMode, Role},
    ids::PermitId,
};
use orchestrator::{
    CallContext, Error,
    background::{overdue, remembered},
    choke::call::StepReport,
    errors::ConflictCode,
    handlers::{
        account::{self, AuthError, SettingsChange},
        activity, policies,
    },
};
use proof::words::{Action, EnforcementMode, InterventionKind};
use tempfile::TempDir;
use testkit::{Store, Stranger, TestDatabase, on_both};

use crate::{
    agent::{Agent, ask, llm, refused},
    gaps::going_on,
};

/// The same callers at another server.
fn at<'k>(kit: &'k Kit, agent: &Agent<'_>) -> Agent<'k> {
    Agent { kit, ctx: agent.ctx.clone(), admin: agent.admin.clone() }
}

impl Agent<'_> {
    async fn freeze_researcher(&self) -> Result<(), Error> {
        let (agent, reason) = (Some("researcher".to_owned()), "stop it".to_owned());
        policies::freeze(&self.kit.spine, &self.admin, agent, reason).await.map(drop)
    }

    async fn set_mode(&self, mode: FailureMode) {
        let before = account::settings(&self.kit.spine, &self.admin).await.unwrap();
        let change = SettingsChange { failure_mode: Some(mode), ..SettingsChange::default() };
        account::update_settings(&self.kit.spine, &self.admin, before.settings_version, change)
            .await
            .unwrap();
    }
}

/// Two servers, each with a spool in a folder of its own.
async fn two_servers(db: &TestDatabase) -> ([TempDir; 2], Kit, Kit) {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let one = Kit::spooling(db, folders[0].path(), 1).await;
    let two = Kit::spooling(db, folders[1].path(), 2).await;
    (folders, one, two)
}

/// From now on the store can be read and takes nothing, as after a failover or with a full disk, until it is told to.
pub(crate) async fn take_nothing(db: &TestDatabase) -> Option<Stranger> {
    if db.store() == Store::Sqlite {
        return Some(db.stranger("UPDATE tenants SET slug = slug").await);
    }
    db.tamper(
        "CREATE FUNCTION only_read() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             RAISE EXCEPTION 'it is only read' USING ERRCODE = 'read_only_sql_transaction';
         END $$;
         CREATE TRIGGER only_read BEFORE INSERT OR UPDATE ON runs EXECUTE FUNCTION only_read()",
    )
    .await
    .unwrap();
    None
}

pub(crate) async fn take_again(db: &TestDatabase, stranger: Option<Stranger>) {
    match stranger {
        Some(stranger) => stranger.let_go().await,
        None => db.tamper("DROP FUNCTION only_read() CASCADE").await.unwrap(),
    }
}

/// From now on no commit is confirmed that adds to that table, as where the server goes in the middle of it.
async fn end_commits(db: &TestDatabase, table: &str) {
    let function = "CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             RAISE EXCEPTION 'the server goes' USING ERRCODE = 'admin_shutdown';
         END $$";
    let trigger = format!(
        "CREATE CONSTRAINT TRIGGER gone AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION gone()"
    );
    db.tamper(&format!("{function}; {trigger}")).await.unwrap();
}

async fn look(kit: &Kit) {
    remembered::tick(&kit.spine).await.unwrap();
}

pub(crate) fn unavailable<T: std::fmt::Debug>(answer: &Result<T, Error>) {
    assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
}

on_both! {
    async fn a_freeze_holds_on_every_server(db: TestDatabase) {
        let (_folders, one, two) = two_servers(db).await;
        let here = going_on(&one).await;
        let there = at(&two, &here);
        let run = here.start().await;
        for agent in [&here, &there] {
            agent.record(run, llm(1)).await.unwrap();
        }
        look(&two).await;
        here.freeze_researcher().await.unwrap();
        look(&two).await;
        one.db.close().await;
        two.db.close().await;
        for agent in [&here, &there] {
            let halted = refused(agent.record(run, llm(1)).await);
            assert_eq!((halted.verdict.action, halted.recorded), (Action::Block, false));
            assert_eq!(halted.verdict.intervention.unwrap().kind, InterventionKind::Freeze);
            assert!(!refused(agent.permit(run, ask("get_weather")).await).recorded);
        }
    }

    /// Nobody here knows what the permit is: so nothing is recorded of it, and the halt is told all the same.
    async fn a_freeze_is_told_of_what_names_a_permit_that_is_not_known(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (run, permit_id) = (agent.start().await, Some(PermitId(uuid::Uuid::from_u128(7))));
        agent.record(run, llm(1)).await.unwrap();
        agent.freeze_researcher().await.unwrap();
        kit.db.close().await;
        let told = agent.record(run, StepReport { permit_id, ..llm(1) }).await.unwrap_err();
        assert!(matches!(told, Error::Conflict { code: ConflictCode::AgentFrozen, .. }), "{told}");
    }

    async fn a_kill_holds_on_every_server(db: TestDatabase) {
        let (_folders, one, two) = two_servers(db).await;
        let here = going_on(&one).await;
        let there = at(&two, &here);
        let (doomed, ended, calm) = (here.start().await, here.start().await, here.start().await);
        for run in [doomed, ended, calm] {
            for agent in [&here, &there] {
                agent.record(run, llm(1)).await.unwrap();
            }
        }
        activity::kill(&one.spine, &here.admin, doomed, Some("stop it".to_owned())).await.unwrap();
        here.complete(ended).await.unwrap();
        look(&two).await;
        one.db.close().await;
        two.db.close().await;
        for agent in [&here, &there] {
            let killed = [agent.record(doomed, llm(1)).await.map(drop), agent.permit(doomed, ask("x")).await.map(drop)];
            assert!(killed.iter().all(|told| matches!(told, Err(Error::RunKilled { .. }))), "{killed:?}");
            let over = agent.record(ended, llm(1)).await;
            assert!(matches!(over, Err(Error::RunNotRunning { .. })), "{over:?}");
            assert!(!agent.record(calm, llm(1)).await.unwrap().recorded, "of that nothing was said");
        }
    }

    /// docs/operations.md says so: whoever halts a run while the store goes asks every server.
    async fn a_halt_holds_here_from_its_answer_and_elsewhere_from_the_next_look(db: TestDatabase) {
        let (_folders, one, two) = two_servers(db).await;
        let here = going_on(&one).await;
        let there = at(&two, &here);
        let doomed = here.start().await;
        for agent in [&here, &there] {
            agent.record(doomed, llm(1)).await.unwrap();
        }
        look(&two).await;
        activity::kill(&one.spine, &here.admin, doomed, Some("stop it".to_owned())).await.unwrap();
        one.db.close().await;
        two.db.close().await;
        let killed = here.record(doomed, llm(1)).await;
        assert!(matches!(killed, Err(Error::RunKilled { .. })), "{killed:?}");
        assert!(!there.record(doomed, llm(1)).await.unwrap().recorded, "it has not looked since");
        let asked = activity::kill(&two.spine, &there.admin, doomed, Some("stop it".to_owned())).await;
        assert!(asked.is_err(), "{asked:?}");
        let held = there.record(doomed, llm(1)).await;
        assert!(held.is_err(), "whoever is asked while the store is gone lets nothing of it pass: {held:?}");
    }

    async fn a_key_that_ended_opens_nothing_on_any_server(db: TestDatabase) {
        let (one, two) = (Kit::on(db).await, Kit::replica(db, 1).await);
        let here = going_on(&one).await;
        let [revoked, kept] = [one.token("acme", Role::Agent).await, one.token("acme", Role::Agent).await];
        let opens = async |kit: &Kit, token: &str| account::authenticate(&kit.spine, token).await;
        let ctx: CallContext = opens(&one, &revoked).await.unwrap();
        let agent = Agent { kit: &one, ctx: ctx.clone(), admin: here.admin.clone() };
        let run = agent.start().await;
        for kit in [&one, &two] {
            opens(kit, &kept).await.unwrap();
            opens(kit, &revoked).await.unwrap();
            at(kit, &agent).record(run, llm(1)).await.unwrap();
        }
        account::revoke_key(&one.spine, &here.admin, ctx.key).await.unwrap();
        look(&two).await;
        one.db.close().await;
        two.db.close().await;
        for kit in [&one, &two] {
            let shut = opens(kit, &revoked).await;
            assert!(matches!(shut, Err(AuthError::Revoked | AuthError::Failed(Error::Unavailable(_)))), "{shut:?}");
            opens(kit, &kept).await.unwrap();
        }
    }

    async fn a_tenant_that_stops_going_on_stops_on_every_server(db: TestDatabase) {
        let (_folders, one, two) = two_servers(db).await;
        let here = going_on(&one).await;
        let there = at(&two, &here);
        let run = here.start().await;
        for agent in [&here, &there] {
            agent.record(run, llm(1)).await.unwrap();
        }
        look(&two).await;
        here.set_mode(FailureMode::FailClosed).await;
        look(&two).await;
        one.db.close().await;
        two.db.close().await;
        for agent in [&here, &there] {
            unavailable(&agent.record(run, llm(1)).await);
            unavailable(&agent.permit(run, ask("get_weather")).await);
        }
    }

    async fn who_begins_to_go_on_knows_nothing_of_runs_that_no_look_has_asked_for(db: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (Kit::spooling(db, folder.path(), 1).await, Kit::replica(db, 2).await);
        let here = Agent::of(&one, "acme").await;
        let (doomed, calm) = (here.start().await, here.start().await);
        // Where the tenant does not go on, it makes no difference who was stopped, and no look asks.
        activity::kill(&two.spine, &here.admin, doomed, Some("stop it".to_owned())).await.unwrap();
        one.clock.advance(chrono::Duration::seconds(10));
        look(&one).await;
        here.record(calm, llm(1)).await.unwrap();
        here.set_mode(FailureMode::Degrade).await;
        one.db.close().await;
        unavailable(&here.record(doomed, llm(1)).await);
        assert!(!here.record(calm, llm(1)).await.unwrap().recorded, "it was read when it was called");
    }

    async fn what_was_not_looked_at_for_long_is_not_gone_by(db: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let kit = Kit::spooling(db, folder.path(), 1).await;
        let agent = going_on(&kit).await;
        let (idle, busy) = (agent.start().await, agent.start().await);
        look(&kit).await;
        // The store answers calls, and no look comes through.
        kit.clock.advance(chrono::Duration::seconds(4));
        agent.record(busy, llm(1)).await.unwrap();
        kit.db.close().await;
        unavailable(&agent.record(idle, llm(1)).await);
        assert!(!agent.record(busy, llm(1)).await.unwrap().recorded, "it was read when it was called");
    }

    async fn what_is_looked_at_is_gone_by_however_long_it_was_silent(db: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let kit = Kit::spooling(db, folder.path(), 1).await;
        let agent = going_on(&kit).await;
        let (idle, busy) = (agent.start().await, agent.start().await);
        kit.clock.advance(chrono::Duration::minutes(9));
        agent.record(busy, llm(1)).await.unwrap();
        look(&kit).await;
        kit.db.close().await;
        for run in [idle, busy] {
            assert!(!agent.record(run, llm(1)).await.unwrap().recorded);
        }
    }

    async fn a_store_that_can_only_be_read_is_not_back(db: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let kit = Kit::spooling(db, folder.path(), 1).await;
        let agent = going_on(&kit).await;
        let (doomed, calm) = (agent.start().await, agent.start().await);
        look(&kit).await;
        let stranger = take_nothing(db).await;
        unavailable(&activity::kill(&kit.spine, &agent.admin, doomed, Some("stop it".to_owned())).await);
        kit.clock.advance(chrono::Duration::seconds(1));
        look(&kit).await;
        unavailable(&agent.record(doomed, llm(1)).await);
        assert!(!agent.record(calm, llm(1)).await.unwrap().recorded, "nobody asked for that");

        take_again(db, stranger).await;
        kit.clock.advance(chrono::Duration::seconds(1));
        assert!(agent.record(doomed, llm(1)).await.unwrap().recorded, "it is back, and nobody asked again");
        kit.db.close().await;
        for run in [doomed, calm] {
            assert!(!agent.record(run, llm(1)).await.unwrap().recorded, "what was asked for before is over");
        }
    }

    async fn a_halt_that_the_store_does_not_take_lets_nothing_pass_meanwhile(db: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let kit = Kit::spooling(db, folder.path(), 1).await;
        let agent = going_on(&kit).await;
        let (run, other) = (agent.start().await, agent.start().await);
        kit.db.close().await;
        for run in [run, other] {
            assert!(!agent.record(run, llm(1)).await.unwrap().recorded);
        }
        unavailable(&activity::kill(&kit.spine, &agent.admin, run, Some("stop it".to_owned())).await);
        unavailable(&agent.record(run, llm(1)).await);
        assert!(!agent.permit(other, ask("get_weather")).await.unwrap().recorded);
        unavailable(&agent.freeze_researcher().await);
        unavailable(&agent.record(other, llm(1)).await);
        unavailable(&agent.permit(other, ask("get_weather")).await);
    }

    async fn a_person_at_the_console_can_halt_without_the_store(db: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let kit = Kit::spooling(db, folder.path(), 1).await;
        let agent = going_on(&kit).await;
        let (run, other) = (agent.start().await, agent.start().await);
        let [key, revoked] = [kit.token("acme", Role::Admin).await, kit.token("acme", Role::Admin).await];
        let open = async |key: &str| account::open_session(&kit.spine, key).await.unwrap().token;
        let enter = async |token: &account::Token| account::authenticate_session(&kit.spine, token.expose()).await;
        let (here, left, unseen, taken) = (open(&key).await, open(&key).await, open(&key).await, open(&revoked).await);
        let person = enter(&here).await.unwrap();
        enter(&left).await.unwrap();
        let taken_from = enter(&taken).await.unwrap().key;
        account::close_session(&kit.spine, left.expose()).await.unwrap();
        account::revoke_key(&kit.spine, &agent.admin, taken_from).await.unwrap();
        enter(&here).await.unwrap();
        kit.db.close().await;

        for run in [run, other] {
            assert!(!agent.record(run, llm(1)).await.unwrap().recorded);
        }
        for shut in [&left, &unseen, &taken] {
            let shut = enter(shut).await;
            assert!(matches!(shut, Err(AuthError::Failed(Error::Unavailable(_)))), "{shut:?}");
        }
        let known = enter(&here).await.unwrap();
        assert_eq!((known.key, known.role, known.tenant.id), (person.key, person.role, person.tenant.id));
        unavailable(&activity::kill(&kit.spine, &known, run, Some("stop it".to_owned())).await);
        unavailable(&agent.record(run, llm(1)).await);
        let (all, reason) = (None, "stop them".to_owned());
        unavailable(&policies::freeze(&kit.spine, &known, all, reason).await);
        unavailable(&agent.record(other, llm(1)).await);

        // Who logs out is out, though nobody can write it down.
        let out = account::close_session(&kit.spine, here.expose()).await;
        assert!(matches!(out, Err(AuthError::Failed(Error::Unavailable(_)))), "{out:?}");
        assert!(enter(&here).await.is_err());
    }

    async fn who_asks_that_nothing_passes_without_the_store_is_heard_without_it(db: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let kit = Kit::spooling(db, folder.path(), 1).await;
        let agent = going_on(&kit).await;
        let run = agent.start().await;
        let known = account::settings(&kit.spine, &agent.admin).await.unwrap().settings_version;
        let set = async |failure_mode: FailureMode| {
            let change = SettingsChange { failure_mode: Some(failure_mode), ..SettingsChange::default() };
            account::update_settings(&kit.spine, &agent.admin, known, change).await
        };
        kit.db.close().await;
        unavailable(&set(FailureMode::Degrade).await);
        assert!(!agent.record(run, llm(1)).await.unwrap().recorded);
        unavailable(&set(FailureMode::FailClosed).await);
        unavailable(&agent.record(run, llm(1)).await);
        unavailable(&agent.permit(run, ask("get_weather")).await);
    }

    async fn a_key_whose_end_the_store_does_not_take_lets_nothing_pass_meanwhile(db: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let kit = Kit::spooling(db, folder.path(), 1).await;
        let agent = going_on(&kit).await;
        let other = Agent::of(&kit, "acme").await;
        let (run, others) = (agent.start().await, other.start().await);
        kit.db.close().await;
        unavailable(&account::revoke_key(&kit.spine, &agent.admin, agent.ctx.key).await);
        unavailable(&agent.record(run, llm(1)).await);
        unavailable(&agent.permit(run, ask("get_weather")).await);
        assert!(!other.record(others, llm(1)).await.unwrap().recorded, "nobody asked for that");
    }

    async fn a_look_takes_as_much_for_many_runs_as_for_one_and_nothing_for_none(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = going_on(&kit).await;
        let looked = async || {
            let before = kit.db.statements();
            look(&kit).await;
            kit.db.statements() - before
        };
        assert_eq!(looked().await, 0, "nothing is remembered");
        agent.start().await;
        looked().await;
        let of_one = looked().await;
        let other = Agent::of(&kit, "other").await;
        for _ in 0..5 {
            agent.start().await;
            other.start().await;
        }
        looked().await;
        assert_eq!(looked().await, of_one);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_freeze_refused_without_the_store_is_written_and_a_lifted_one_holds_no_more() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    let (_folders, one, two) = two_servers(&db).await;
    let here = going_on(&one).await;
    let there = at(&two, &here);
    let run = here.start().await;
    there.record(run, llm(1)).await.unwrap();
    here.freeze_researcher().await.unwrap();
    look(&two).await;
    db.take_away().await;
    let halted = refused(there.record(run, llm(1)).await);
    db.bring_back().await;
    overdue::tick(&two.spine).await.unwrap();
    let known = activity::interventions(&one.spine, &here.admin, run).await.unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!(
        halted.verdict.intervention.unwrap().intervention_id,
        known[0].intervention.id.to_string(),
        "the run's records name the freeze that was told"
    );
    assert_eq!(here.run(run).await.refused_count, 1);

    policies::unfreeze(&one.spine, &here.admin, Some("researcher".to_owned()), None).await.unwrap();
    look(&two).await;
    db.take_away().await;
    assert!(!there.record(run, llm(1)).await.unwrap().recorded);
    db.bring_back().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_freeze_that_was_not_taken_holds_for_a_run_that_is_not_written_whatever_others_are() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let kit = Kit::spooling(&db, folder.path(), 1).await;
    let agent = going_on(&kit).await;
    let (held, free) = (agent.start().await, agent.start().await);
    let locks = format!(
        "LOCK TABLE freezes IN EXCLUSIVE MODE; SELECT * FROM runs WHERE id = '{}' FOR UPDATE",
        held.0
    );
    let stranger = db.stranger(&locks).await;
    unavailable(&agent.freeze_researcher().await);
    kit.clock.advance(chrono::Duration::seconds(1));
    look(&kit).await;
    assert!(agent.record(free, llm(1)).await.unwrap().recorded, "for that run the store is there");
    unavailable(&agent.record(held, llm(1)).await);
    stranger.let_go().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_of_which_nobody_knows_whether_it_is_in_lets_nothing_pass_meanwhile() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let kit = Kit::spooling(&db, folder.path(), 1).await;
    let agent = going_on(&kit).await;
    let run = agent.start().await;
    end_commits(&db, "interventions").await;
    let killed = activity::kill(&kit.spine, &agent.admin, run, Some("stop it".to_owned())).await;
    assert!(matches!(killed, Err(Error::CommitUnknown(_))), "{killed:?}");
    kit.db.close().await;
    unavailable(&agent.record(run, llm(1)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_may_have_been_stopped_lets_nothing_pass() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let kit = Kit::spooling(&db, folder.path(), 1).await;
    let agent = going_on(&kit).await;
    agent.rule(EnforcementMode::Kill, "context.step.cost_microusd > 500000").await;
    let (doomed, calm) = (agent.start().await, agent.start().await);
    end_commits(&db, "run_segments").await;
    for (run, cost) in [(doomed, 600_000), (calm, 1)] {
        let unknown = agent.record(run, llm(cost)).await;
        assert!(matches!(unknown, Err(Error::CommitUnknown(_))), "{unknown:?}");
    }
    kit.db.close().await;
    unavailable(&agent.record(doomed, llm(1)).await);
    assert!(!agent.record(calm, llm(1)).await.unwrap().recorded, "whatever became of that step, it goes on");
}
