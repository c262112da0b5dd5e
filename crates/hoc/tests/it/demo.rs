//! `hoc demo --once`: the main job, from a key to a verified bundle.

use std::os::unix::fs::PermissionsExt as _;

use crate::harness::{Place, Server, on_both};

async fn the_demo_ends_complete(place: Place) {
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

#[test]
fn the_demo_tells_a_machine_in_one_line() {
    let place = Place::sqlite();
    let printed = place.succeed(&["demo", "--once", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&printed).expect("JSON and nothing else");
    let steps = told["steps"].as_array().expect("steps");
    let actions: Vec<&str> = steps.iter().filter_map(|step| step["verdict"]["action"].as_str()).collect();
    assert_eq!(actions, ["ALLOW", "ALLOW", "ALLOW", "WARN", "BLOCK", "BLOCK"], "{told:#}");
    assert_eq!(
        (&told["verified"]["word"], &told["run"]["status"]),
        (&"COMPLETE".into(), &"SUCCEEDED".into())
    );
    assert_eq!(told["incidents"].as_array().map(Vec::len), Some(2), "{told:#}");
    assert!(told.get("admin_key").is_none(), "a server that is gone has no key");
    let [file, key] = ["bundle", "public_keys"].map(|name| told[name].as_str().expect("a path"));
    for written in [file, key] {
        let mode = std::fs::metadata(written).expect("it is there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{written}: both are written as any file that is made for somebody");
    }
    assert!(place.succeed(&["verify", file, "--key", key]).ends_with("COMPLETE\n"));
}

#[test]
fn who_ends_the_demo_by_ctrl_c_is_told_of_no_fault() {
    let place = Place::sqlite();
    let demo = Server::start_until(place.command(&["demo"]), |line| line.contains("/api/v1/openapi.json"));
    let (code, said) = demo.stop_by("INT");
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("panicked") && !said.to_lowercase().contains("error"), "{said}");
}

/// The verdict at the end of a line of the timeline.
fn verdict(line: &str) -> Option<&str> {
    let last = line.split_whitespace().last()?;
    ["ALLOW", "WARN", "BLOCK", "STOP", "KILL", "ABORT"].into_iter().find(|action| *action == last)
}

on_both!(the_demo_ends_complete);
