//! `hoc demo --once`: the main job, from a key to a verified bundle.

use testkit::Store;

use crate::harness::Place;

async fn the_demo_ends_complete(store: Store) {
    let Some(place) = Place::on(store).await else { return };
    // Twice: the second finds the first's tenant, keys and logs.
    for _ in 0..2 {
        let printed = place.succeed(&["demo", "--once"]);
        let actions: Vec<&str> = printed.lines().filter_map(verdict).collect();
        assert_eq!(actions, ["ALLOW", "ALLOW", "ALLOW", "WARN", "BLOCK", "BLOCK"], "{printed}");
        assert!(printed.contains("approved-models") && printed.contains("weather-tokens"), "{printed}");
        assert!(printed.contains("POLICY_VIOLATION") && printed.contains("BUDGET_EXCEEDED"), "{printed}");
        assert!(printed.lines().any(|line| line == "COMPLETE"), "{printed}");
        let bundle = printed.lines().find_map(|line| line.trim().strip_prefix("bundle")).expect("its path");
        let (path, _) = bundle.trim().split_once(" (").expect("its path and size");
        let public = place.public_keys();
        let args = ["verify", path, "--key", public.to_str().expect("UTF-8")];
        assert!(place.succeed(&args).ends_with("COMPLETE\n"));
    }
}

/// The verdict at the end of a line of the timeline.
fn verdict(line: &str) -> Option<&str> {
    let last = line.split_whitespace().last()?;
    ["ALLOW", "WARN", "BLOCK", "STOP", "KILL", "ABORT"].into_iter().find(|action| *action == last)
}

#[tokio::test]
async fn the_demo_ends_complete_on_sqlite() {
    the_demo_ends_complete(Store::Sqlite).await;
}

#[tokio::test]
async fn the_demo_ends_complete_on_postgres() {
    the_demo_ends_complete(Store::Postgres).await;
}
