//! A whole run comes back as it went.

use models::ids::RunId;

use crate::{
    sample::{self, OTHER, TENANT, uuid},
    whole,
};

testkit::on_both! {
    async fn a_whole_run_comes_back_as_it_went(db: TestDatabase) {
        let db = sample::store(db).await;
        let first = whole::store_run(&db, TENANT, 1).await;
        let second = whole::store_run(&db, TENANT, 2).await;
        let tx = db.read().await.expect("read");
        assert_eq!(tx.bundles().get_run(TENANT, first.run.id).await.expect("whole"), Some(first.clone()));
        assert_eq!(tx.bundles().get_run(TENANT, second.run.id).await.expect("whole"), Some(second));
        assert_eq!(tx.bundles().get_run(OTHER, first.run.id).await.expect("not theirs"), None);
        assert_eq!(tx.bundles().get_run(TENANT, RunId(uuid(404))).await.expect("none"), None);
    }
}
