//! What was erased and is there again, as from a backup: the log says that it was erased, and whoever reads goes by
//! that.

use kit::Kit;
use models::logs::KeptText;
use orchestrator::{
    background::checker::Checker,
    coordinators::{look_into, run_proof},
    handlers::logs,
};
use testkit::{ContentsDamage as Damage, on_both};
use verify::Word;

use crate::{
    agent::Agent,
    damaged_contents::{named, paged, talked, verified},
    tampering::{failures, pass},
};

on_both! {
    async fn what_was_erased_and_is_there_again_is_named(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = talked(&agent).await;
        let first = db.contents_of(&run.to_string()).await.remove(0);
        // Kept before it is erased, as somebody with a backup has it.
        db.tamper("CREATE TABLE kept_run_contents AS SELECT * FROM run_contents").await.unwrap();
        db.tamper("CREATE TABLE kept_run_salts AS SELECT * FROM run_salts").await.unwrap();
        logs::erase_contents(&kit.spine, agent.admin.tenant.id, run, "ann", "asked for").await.unwrap();
        let again = Damage::Again(first.clone(), first.first_record);
        let refused = "INSERT INTO run_contents SELECT * FROM kept_run_contents";
        assert!(db.tamper(refused).await.is_err(), "a trigger keeps it out");
        db.disarm("run_contents").await;
        db.damage_contents(&again).await;
        let name = named(run, Some(first.first_record));
        let proof = run_proof::proof(&kit.spine, &agent.admin, run, false).await.unwrap();
        assert!(proof.integrity.failure_reason.is_some_and(|why| why.contains(&name)));
        let (bundle, report) = verified(&agent, run).await;
        assert_eq!(report.word, Word::Truncated, "{report}");
        assert!(report.to_string().contains(&name) && !bundle.contains("\"Ann\""), "{report}");
        let looked = look_into::look_into(&kit.spine, agent.admin.tenant.id, None).await.unwrap();
        assert!(looked.faults.iter().any(|(_, why)| why.contains(&name)), "{:?}", looked.faults);
        db.disarm("run_salts").await;
        db.tamper("INSERT INTO run_salts SELECT * FROM kept_run_salts").await.unwrap();
        // The log says that it was erased, and whoever reads goes by that.
        let names = [name, named(run, None)];
        let proof = run_proof::proof(&kit.spine, &agent.admin, run, false).await.unwrap();
        let why = proof.integrity.failure_reason.unwrap();
        let (texts, _) = paged(&agent, run, 2).await;
        assert!(texts.iter().all(|of| matches!(of.response, Some(KeptText::Erased(3)))), "{texts:?}");
        let (bundle, report) = verified(&agent, run).await;
        assert_eq!(report.word, Word::Truncated, "{report}");
        assert!(!bundle.contains("\"Ann\""));
        let looked = look_into::look_into(&kit.spine, agent.admin.tenant.id, None).await.unwrap();
        for name in names {
            assert!(why.contains(&name), "{why}");
            assert!(report.to_string().contains(&name), "{report}");
            assert!(looked.faults.iter().any(|(_, why)| why.contains(&name)), "{:?}", looked.faults);
        }
        pass(&kit, &Checker::default()).await;
        assert_eq!(failures(&agent).await.len(), 1);
        // Asked for once more, it goes again; and there is no second leaf.
        logs::erase_contents(&kit.spine, agent.admin.tenant.id, run, "ann", "it came back").await.unwrap();
        let again = logs::erase_contents(&kit.spine, agent.admin.tenant.id, run, "ann", "again").await;
        assert!(again.is_err(), "nothing is there: {again:?}");
        let proof = run_proof::proof(&kit.spine, &agent.admin, run, false).await.unwrap();
        assert_eq!(proof.integrity.failure_reason, None);
    }

    async fn a_damaged_run_is_erased_as_any_other(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        for table in ["run_contents", "run_salts"] {
            db.disarm(table).await;
        }
        for at in 0.. {
            let run = talked(&agent).await;
            let body = db.contents_of(&run.to_string()).await.remove(1);
            let mut damages: Vec<Damage> = body.lies().into_iter().map(Damage::Put).collect();
            damages.push(Damage::Put(body.cut(0)));
            damages.push(Damage::Gone(body));
            damages.push(Damage::NoSalt(run.0.simple().to_string()));
            let Some(damage) = damages.get(at) else { break };
            db.damage_contents(damage).await;
            let erased = logs::erase_contents(&kit.spine, agent.admin.tenant.id, run, "ann", "asked for").await;
            assert!(erased.is_ok(), "{damage:?}: {erased:?}");
            assert!(db.contents_of(&run.to_string()).await.is_empty(), "{damage:?}");
            let proof = run_proof::proof(&kit.spine, &agent.admin, run, false).await.unwrap();
            assert_eq!(proof.integrity.failure_reason, None, "{damage:?}");
        }
    }
}
