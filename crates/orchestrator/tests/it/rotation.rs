//! Another key signs: what a server does that still has the old one, and who rotates second.

use std::sync::Arc;

use kit::Kit;
use models::account::Role;
use orchestrator::{
    Error, Parts, Spine,
    background::signer,
    coordinators::export_bundle,
    handlers::{
        account::{self, RotationError, SystemCaller},
        logs,
        system::{self, NotReady},
    },
};
use proof::{keys::SigningKey, words::LogName};
use testkit::{Store, TestDatabase, on_both};

use crate::agent::{Agent, llm};

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

/// Another process on the same store, with that key.
fn process(kit: &Kit, number: u64, signing_key: SigningKey) -> Spine {
    Spine::new(Parts { signing_key: Arc::new(signing_key), ..kit::parts(kit.db.clone(), number) })
}

fn cli() -> SystemCaller {
    SystemCaller { name: "ana".to_owned() }
}

on_both! {
    async fn a_server_with_the_old_key_decides_and_signs_nothing(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        signer::tick(&kit.spine).await.unwrap();
        system::readyz(&kit.spine).await.unwrap();
        account::rotate_signing_key(&kit.spine, &key(4).public(), &cli()).await.unwrap();
        let renewed = process(&kit, 1, key(4));

        for others_have_signed in [false, true] {
            if others_have_signed {
                assert!(signer::tick(&renewed).await.unwrap() > 0, "there is news");
            }
            let not_ready = system::readyz(&kit.spine).await.unwrap_err();
            let told = |why: &str| why.contains(&key(4).public().id()) && why.contains("HOC_SIGNING_KEY_FILE");
            assert!(matches!(&not_ready, NotReady::OtherSigningKey(why) if told(why.as_str())), "{not_ready}");
            for answer in [
                signer::tick(&kit.spine).await.map(drop),
                logs::get_checkpoint(&kit.spine, &agent.admin, LogName::Runs).await.map(drop),
                export_bundle::bundle(&kit.spine, &agent.admin, run).await.map(drop),
            ] {
                assert!(matches!(answer, Err(Error::OtherSigningKey(_))), "{others_have_signed}: {answer:?}");
            }
        }

        // Nothing of a step, nor of a seal, is signed.
        agent.record(run, llm(1)).await.unwrap();
        assert!(agent.complete(run).await.unwrap().completed_at.is_some());
        system::readyz(&renewed).await.unwrap();
        export_bundle::bundle(&renewed, &agent.admin, run).await.unwrap();
    }

    async fn of_two_rotations_one_comes_first_and_the_other_changes_nothing(db: TestDatabase) {
        let kit = Kit::on(db).await;
        kit.caller("acme", Role::Admin).await;
        let (second, by) = (process(&kit, 1, kit::signing_key()), cli());
        let (one, other) = (key(4).public(), key(5).public());
        let at_once = futures::future::join(
            account::rotate_signing_key(&kit.spine, &one, &by),
            account::rotate_signing_key(&second, &other, &by),
        );
        let (winner, refused) = match Box::pin(at_once).await {
            (Ok(()), Err(refused)) => (&one, refused),
            (Err(refused), Ok(())) => (&other, refused),
            both => panic!("one of them comes first: {both:?}"),
        };
        match refused {
            RotationError::CameFirst { signs, .. } => assert_eq!(signs, winner.id()),
            // It did not get its turn in time.
            RotationError::UnderWay => {}
            RotationError::Failed(err) => panic!("{err:?}"),
        }
        let keys = account::public_keys(&kit.spine).await.unwrap();
        assert_eq!(keys.len(), 2, "that of the other is not published");

        let late = account::rotate_signing_key(&second, &key(6).public(), &by).await.unwrap_err();
        assert!(late.to_string().contains(&winner.id()), "it says which key file is needed: {late}");
    }
}

#[tokio::test]
async fn who_meets_a_rotation_under_way_is_told_so() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    let kit = Kit::on(&db).await;
    let stranger = db.stranger("SELECT * FROM installation FOR UPDATE").await;
    let refused = account::rotate_signing_key(&kit.spine, &key(4).public(), &cli()).await.unwrap_err();
    assert!(matches!(refused, RotationError::UnderWay), "{refused}");
    stranger.let_go().await;
    account::rotate_signing_key(&kit.spine, &key(4).public(), &cli()).await.unwrap();
}
