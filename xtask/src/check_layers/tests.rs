//! A checker that never fails proves nothing: bad manifests and bad sources, each with the one message expected.

use super::{
    check, cycles, edges,
    road::{self, Road},
    rules::{RULES, check_source},
    source::{self, Place, SourceFile},
    table::{LAYERS, REACH},
};
use crate::{finding::assert_none, manifests, tree};
use std::{
    collections::BTreeSet,
    fmt::Write as _,
    path::{Path, PathBuf},
};

#[test]
fn layers() {
    let findings = check(&tree::root().expect("a tree")).expect("the tree reads");
    assert_none(&findings);
}

/// Crate, file in it, source, and "line rule: start of the message", or nothing.
#[rustfmt::skip]
const SOURCES: &[(&str, &str, &str, &str)] = &[
    // Domains stay apart.
    ("engines", "src/incidents/open.rs", "use crate::policies::Limit;", "1 domains-apart: engines::incidents names engines::policies::Limit"),
    ("engines", "src/incidents/open.rs", "use super::super::policies::Limit;", "1 domains-apart: engines::incidents names engines::policies::Limit"),
    ("engines", "src/incidents.rs", "use drivers::policies::Policies;", "1 domains-apart: engines::incidents names drivers::policies::Policies"),
    ("drivers", "src/activity/mod.rs", "\nuse models::{activity::Run, logs::AuditEntry};", "2 domains-apart: drivers::activity names models::logs::AuditEntry"),
    ("drivers", "src/overview.rs", "fn f() { vec![models::policies::MAX]; }", "1 domains-apart: drivers::overview names models::policies::MAX"),
    ("drivers", "src/overview.rs", "use entities::incidents::incidents;", "1 domains-apart: drivers::overview names entities::incidents::incidents"),
    ("entities", "src/policies/permits.rs", "struct A(crate::incidents::incidents::Model);", "1 domains-apart: entities::policies names entities::incidents::incidents::Model"),
    ("models", "src/policies/mod.rs", "struct A(crate::incidents::Incident);", "1 domains-apart: models::policies names models::incidents::Incident"),
    ("engines", "src/incidents/open.rs", "use models::{ids::RunId, incidents::Incident};\nuse rules::policies::X;", ""),
    ("engines", "src/logs/mod.rs", "mod policies;\nuse policies::Word;\nfn f(policies: u8) { proof::policies::x(policies) }", ""),
    ("drivers", "src/tx.rs", "use crate::{incidents::Incidents, policies::Policies};", ""),
    ("drivers", "tests/it/incidents.rs", "use drivers::{incidents::Incidents, policies::Policies};", ""),
    ("orchestrator", "src/incidents.rs", "use crate::policies::x;\nuse engines::{incidents, policies};", ""),
    // Globs.
    ("api", "src/lib.rs", "use orchestrator::*;", "1 glob: orchestrator::*"),
    ("hoc", "src/main.rs", "fn f() { use models::incidents::*; }", "1 glob: models::incidents::*"),
    ("drivers", "src/logs.rs", "use super::*;", "1 glob: drivers::*"),
    ("rules", "src/lib.rs", "macro_rules! m { () => { use proof::words::*; } }", "1 glob: proof::words::*"),
    ("drivers", "src/logs.rs", "use models::logs::AuditEvent::*;\nmod tests { use super::*; }", ""),
    // One name.
    ("engines", "src/lib.rs", "use drivers as d;", "1 one-name: drivers gets another name"),
    ("engines", "src/lib.rs", "use drivers::{self as store, StoreError};", "1 one-name: drivers gets another name"),
    ("engines", "src/lib.rs", "extern crate models as values;", "1 one-name: models gets another name"),
    ("engines", "src/lib.rs", "use models::incidents::Incident as Row;", ""),
    // Re-exports.
    ("orchestrator", "src/lib.rs", "pub use models::ids::RunId;", "1 re-export: orchestrator passes models::ids::RunId on"),
    ("engines", "src/lib.rs", "pub(crate) use drivers::StoreError;", "1 re-export: engines passes drivers::StoreError on"),
    ("orchestrator", "src/errors.rs", "pub use engines::incidents::AcknowledgeError;", ""),
    ("rules", "src/lib.rs", "mod proof;\npub use proof::Facts;\npub use self::proof::Fact;", ""),
    // The composition root.
    ("hoc", "src/main.rs", "use drivers::incidents::Incidents;", "1 composition-root: hoc names drivers::incidents::Incidents"),
    ("hoc", "src/serve.rs", "use drivers::Db;\nfn f() { Db::connect(&drivers::ConnectConfig {}) }", ""),
    // What the API knows of records.
    ("api", "src/logs/audit_view.rs", "use proof::{canonical, words::Scope};", "1 words-alone: api names proof::canonical"),
    ("api", "src/activity/mod.rs", "mod proof;\nfn f() { proof::proof() }", ""),
    ("api", "tests/it/logs.rs", "use proof::canonical;", ""),
    // Who commits.
    ("engines", "src/incidents/close.rs", "pub async fn close(tx: drivers::Tx) {}", "1 commit: engines names drivers::Tx"),
    ("engines", "src/incidents/close.rs", "use drivers::Tx as Work;", "1 commit: engines names drivers::Tx"),
    ("engines", "src/incidents/close.rs", "async fn f(w: impl Work) {\n  w.commit().await;\n}", "2 commit: engines names commit"),
    ("api", "src/lib.rs", "fn f(w: W) { w.commit(); }", "1 commit: api names commit"),
    ("orchestrator", "src/spine.rs", "use drivers::Tx;\nasync fn f(tx: Tx) { tx.commit().await; }", ""),
    ("drivers", "src/tx.rs", "async fn f(tx: Tx) { tx.commit().await; }", ""),
    ("drivers", "tests/it/units.rs", "async fn f(tx: drivers::Tx) { tx.commit().await; }", ""),
    // Verdicts and contexts.
    ("orchestrator", "src/incidents.rs", "fn f() { models::activity::Verdict::conclude(); }", "1 verdict: Verdict::conclude is for crates/orchestrator/src/choke"),
    ("orchestrator", "src/choke/group.rs", "fn f() { Verdict::conclude(); }", ""),
    ("engines", "src/logs/capture.rs", "fn f() { ExecutionContext::new(); }", "1 execution-context: engines makes an ExecutionContext"),
    ("api", "src/lib.rs", "fn f() { ExecutionContext { tenant: 1 }; }", "1 execution-context: api makes an ExecutionContext"),
    ("orchestrator", "src/context.rs", "fn f() { ExecutionContext { tenant: 1 }; }", ""),
    ("engines", "src/logs/capture.rs", "fn f(context: &models::logs::ExecutionContext) {}", ""),
    // A change and its audit row.
    ("orchestrator", "src/handlers/incidents.rs", "fn f(g: Governed<u8>) { let (change, _) = g.settle(); }", "1 governed: Governed::settle is for"),
    ("orchestrator", "src/handlers/incidents.rs", "use engines::ledger::Governed;\nfn f(g: Vec<Governed<u8>>) { g.map(Governed::settle) }", "2 governed: Governed::settle is for"),
    ("orchestrator", "src/ledger.rs", "fn f(g: Governed<u8>) { g.settle(); }", ""),
    ("orchestrator", "src/choke/state/mod.rs", "fn f(usage: Usage) { usage.settle(permit); }", ""),
    // What people write is kept in one way.
    ("orchestrator", "src/handlers/policies/create_rule.rs", "use engines::logs::redact::redact_text;", "1 redaction: orchestrator names engines::logs::redact::redact_text"),
    ("orchestrator", "src/once.rs", "use engines::logs::redact;\nfn f() { redact::redact_json(\"\"); }", "2 redaction: orchestrator names engines::logs::redact::redact_json"),
    ("orchestrator", "src/texts.rs", "use engines::logs::redact::redact_text;", ""),
    ("orchestrator", "src/choke/prepare/capture.rs", "use engines::logs::redact;\nfn f() { redact::redact_text(\"\"); }", ""),
    ("orchestrator", "src/handlers/logs/metadata.rs", "use engines::logs::redact::withhold;", ""),
    // JSON from outside is read in one way.
    ("adapters", "src/inbound/otlp/usage.rs", "fn f(text: &str) { serde_json::from_str::<u8>(text); }", "1 one-reader: adapters names serde_json::from_str"),
    ("adapters", "src/inbound/otlp/reader.rs", "fn f(text: &str) { serde_json::from_str::<u8>(text); }", ""),
    ("adapters", "src/inbound/otlp/usage.rs", "#[cfg(test)]\nmod tests { fn f(text: &str) { serde_json::from_str::<u8>(text); } }", ""),
    ("adapters", "src/outbound/checkpoint_file.rs", "fn f(line: &[u8]) { serde_json::from_slice::<u8>(line); }", ""),
    // What stands above the spine, and is had from it.
    ("orchestrator", "src/consequences/author.rs", "fn f(spine: &Spine) {\n  spine.choke().submit();\n}", "2 standing: orchestrator::consequences asks the spine for choke"),
    ("orchestrator", "src/ledger.rs", "fn f(spine: &Spine) { spine.streams(); }", "1 standing: orchestrator::ledger asks the spine for streams"),
    ("orchestrator", "src/handlers/activity/submit.rs", "fn f(spine: &Spine) { spine.choke(); spine.streams(); }", ""),
    ("orchestrator", "src/streams/watcher.rs", "fn f(spine: &Spine) { spine.streams(); }", ""),
    ("orchestrator", "src/choke/group.rs", "fn f(spine: &Spine) { spine.choke(); }", ""),
    // The tenant comes first.
    ("drivers", "src/logs.rs", "use entities::logs::gaps::Entity;\nfn all() { Entity::find(); }", "2 tenant-first: Entity::find outside"),
    ("drivers", "src/logs.rs", "use entities::logs::audit_ledger::Entity as Audit;\nfn all() { Audit::find_by_id(1); }", "2 tenant-first: Entity::find_by_id outside"),
    ("drivers", "src/logs.rs", "fn all() { <Audit as EntityTrait>::find(); }", "1 tenant-first: EntityTrait::find outside"),
    ("drivers", "src/logs.rs", "impl Logs { pub fn of(tenant: TenantId) { Entity::find(); } }", "1 tenant-first: Entity::find outside"),
    ("drivers", "src/logs.rs", "impl Logs { fn of(tenant: TenantId) { Entity::find(); } }", ""),
    ("drivers", "src/logs.rs", "fn heads_of(tenant: TenantId, log: LogName) { Entity::find(); }", ""),
    ("drivers", "src/logs.rs", "fn of(log: LogName, tenant: TenantId) { Entity::find(); }", "1 tenant-first: Entity::find outside"),
    ("drivers", "src/logs.rs", "fn find(tenant: TenantId) { Entity::find(); }", "1 tenant-first: Entity::find outside"),
    ("drivers", "src/driver.rs", "macro_rules! of { ($e:ident) => { fn of(log: LogName) { $e::Entity::find() } }; }", "1 tenant-first: Entity::find outside"),
    ("drivers", "src/driver.rs", "macro_rules! of { ($e:ident) => { fn of(tenant: models::ids::TenantId) -> S<$e::Entity> { $e::Entity::find() } }; }", ""),
    ("drivers", "src/driver.rs", "macro_rules! of { ($e:ident) => { pub(crate) async fn of(tenant: TenantId) { $e::Entity::find() } }; }", "1 tenant-first: Entity::find outside"),
    ("drivers", "src/driver.rs", "macro_rules! of { ($e:ident) => { fn of(tenant: TenantId) {} fn all(tenant: TenantId) { $e::Entity::find() } }; }", "1 tenant-first: Entity::find outside"),
    ("drivers", "src/exceptions.rs", "pub fn tenants() { Entity::find(); }", ""),
    // What hides names.
    ("engines", "src/lib.rs", "include!(\"generated.rs\");", "1 include: include! hides"),
    ("engines", "src/lib.rs", "fn f() { vec![include!(\"x\")]; include_str!(\"y\"); }", "1 include: include! hides"),
    ("engines", "src/lib.rs", "\n#[path = \"x.rs\"]\nmod y;", "2 path-attribute: #[path] hides"),
];

#[test]
fn each_rule_finds_what_breaks_it() {
    let mut seen = BTreeSet::new();
    for (krate, inside, text, expected) in SOURCES {
        let place = Place::new(krate, Path::new(inside));
        let source = source::read(&place, text).expect("the source parses");
        let findings = check_source(&place, inside, &source);
        let found: Vec<String> =
            findings.iter().map(|f| format!("{} {}: {}", f.line, f.rule, f.message)).collect();
        seen.extend(findings.iter().map(|f| f.rule));
        let as_expected = match found.as_slice() {
            [] => expected.is_empty(),
            [one] => !expected.is_empty() && one.starts_with(expected),
            _ => false,
        };
        assert!(as_expected, "{krate}/{inside}:\n{text}\nexpected `{expected}`, found {found:#?}");
    }
    let rules: BTreeSet<_> =
        RULES.iter().map(|(name, _)| *name).chain(["include", "path-attribute"]).collect();
    assert_eq!(seen, rules, "every rule has a source that breaks it");
}

/// Crate, what is added to its manifest, and "rule: start of the message".
#[rustfmt::skip]
const MANIFESTS: &[(&str, &str, &str)] = &[
    ("api", "[dependencies]\ndrivers = { path = \"../drivers\" }", "edge: api may not depend on drivers: a handler"),
    ("api", "[build-dependencies]\nrules = { path = \"../rules\" }", "edge: api may not depend on rules: a handler"),
    ("models", "[dependencies]\nproof = { path = \"../proof\" }", ""),
    ("proof", "[dependencies]\nmodels = { path = \"../models\", optional = true }", "edge: proof may not depend on models"),
    ("engines", "[target.'cfg(unix)'.dependencies]\norchestrator = { path = \"../orchestrator\" }", "edge: engines may not depend on orchestrator"),
    ("engines", "[dependencies]\ndrivers = { path = \"../drivers\" }", "edge: engines may not depend on drivers: an engine decides"),
    ("engines", "[dependencies]\nentities = { path = \"../entities\" }", "edge: engines may not depend on entities: an engine decides"),
    ("orchestrator", "[dev-dependencies]\nentities = { path = \"../entities\" }", "reach: orchestrator may not depend on entities, only drivers, migrations: tables are"),
    ("models", "[dependencies]\nsea-orm = \"2\"", "reach: models may not depend on sea-orm, only drivers"),
    ("drivers", "[dependencies]\nentities = { path = \"../entities\" }", ""),
    ("migrations", "[dev-dependencies]\nentities = { path = \"../entities\" }", ""),
    ("migrations", "[dependencies]\nentities = { path = \"../entities\" }", "edge: migrations may not depend on entities: a migration"),
    ("drivers", "[dependencies]\ntestkit = { path = \"../testkit\" }", "edge: drivers may not depend on testkit: it is a dev-dependency only"),
    ("testkit", "[dependencies]\ndrivers = { path = \"../drivers\" }", "edge: testkit may not depend on drivers: a test of the schema"),
    ("kit", "[dependencies]\napi = { path = \"../api\" }", "edge: kit may not depend on api: tests may build"),
    ("kit", "[dependencies]\ntestkit = { path = \"../testkit\" }", ""),
    ("proof", "[dependencies]\npins = { path = \"../pins\" }", "edge: proof may not depend on pins: it is a dev-dependency only"),
    ("proof", "[dev-dependencies]\npins = { path = \"../pins\" }", ""),
    ("pins", "[dependencies]\nsqlx-core = \"0.9\"", ""),
    ("pins", "[dependencies]\nproof = { path = \"../proof\" }", "edge: pins may not depend on proof: it has third parties"),
    ("orchestrator", "[dependencies]\nkit = { path = \"../kit\" }", "edge: orchestrator may not depend on kit: it is a dev-dependency only"),
    ("drivers", "[dev-dependencies]\ntestkit = { path = \"../testkit\" }", ""),
    ("xtask", "[dependencies]\nproof = { path = \"../proof\" }", "edge: xtask may not depend on proof: the tools"),
    ("engines", "[dependencies]\nd = { path = \"../drivers\", package = \"drivers\" }", "one-name: drivers is called d here"),
    ("engines", "[dependencies]\nsea-orm = \"2\"", "reach: engines may not depend on sea-orm, only drivers"),
    ("api", "[dev-dependencies]\nsqlx-core = \"0.9\"", "reach: api may not depend on sqlx-core, only drivers"),
    ("orchestrator", "[dependencies]\nweb = { version = \"0.8\", package = \"axum\" }", "reach: orchestrator may not depend on axum, only api"),
    ("hoc", "[dependencies]\nreqwest = \"0.13\"", "reach: hoc may not depend on reqwest, only adapters"),
    ("orchestrator", "[dependencies]\nredis = \"1\"", "reach: orchestrator may not depend on redis, only drivers"),
    ("engines", "[dependencies]\ncedar-policy = \"4\"", "reach: engines may not depend on cedar-policy, only rules"),
    ("verify", "[dependencies]\ntokio = \"1\"", "reach: verify may not depend on tokio"),
    ("verify", "[dev-dependencies]\ntokio = \"1\"", ""),
];

#[test]
fn each_edge_that_is_not_in_the_table_is_found() {
    let workspace = Workspace::new();
    assert_eq!(workspace.findings(), Vec::<String>::new(), "the bare workspace is clean");
    let mut rules = BTreeSet::new();
    for (krate, addition, expected) in MANIFESTS {
        let line = workspace.write(krate, "", addition);
        let findings = workspace.findings();
        workspace.write(krate, "", "");
        rules.extend(findings.iter().filter_map(|found| found.split([' ', ':']).nth(1).map(str::to_owned)));
        // What was added last is what breaks the rule.
        let expected = if expected.is_empty() { String::new() } else { format!("{line} {expected}") };
        let as_expected = match findings.as_slice() {
            [] => expected.is_empty(),
            [one] => !expected.is_empty() && one.starts_with(&expected),
            _ => false,
        };
        assert!(as_expected, "{krate}:\n{addition}\nexpected `{expected}`, found {findings:#?}");
    }
    assert_eq!(rules.len(), 3, "edge, one-name and reach each have a manifest that breaks them: {rules:?}");
    let tried = |p: &str| MANIFESTS.iter().any(|(_, addition, _)| addition.contains(p.trim_end_matches('*')));
    assert!(REACH.iter().all(|reach| reach.packages.iter().any(|p| tried(p))), "each reach has its manifest");
}

#[test]
fn each_crate_has_the_layer_of_the_table() {
    let workspace = Workspace::new();
    workspace.write("engines", "metadata.layer = 4", "");
    assert_eq!(workspace.findings(), ["4 layer: engines says layer 4, the table says 5"]);
    workspace.write("engines", "", "");
    workspace.write("helpers", "", "");
    let unknown = "2 layer: helpers is in no layer; add it to xtask/src/check_layers/table.rs";
    assert_eq!(workspace.findings(), [unknown]);
}

/// The manifest of engines beyond its name, its library, a test of it, and the dependencies that are found to be named
/// nowhere.
const UNUSED: &[(&str, &str, &str, &[&str])] = &[
    ("[dependencies]\nmodels = { path = \"../models\" }", "", "", &["models"]),
    ("[dependencies]\nmodels = { path = \"../models\" }", "// models::ids\nfn models() {}", "", &["models"]),
    ("[dependencies]\nmodels = { path = \"../models\" }", "use models::ids::RunId;", "", &[]),
    ("[dependencies]\nmodels = { path = \"../models\" }", "", "use models::ids::RunId;", &["models"]),
    (
        "[dependencies]\nmodels = { path = \"../models\" }",
        "#[cfg(test)]\nmod tests { use models::A; }",
        "",
        &["models"],
    ),
    (
        "[dependencies]\nmodels = { path = \"../models\" }",
        "#[cfg(test)]\nfn f(a: models::A) {}",
        "",
        &["models"],
    ),
    ("[dependencies]\nserde-json = \"1\"", "fn f() { vec![serde_json::json!({})]; }", "", &[]),
    ("[dependencies]\nserde = \"1\"", "#[derive(::serde::Serialize)]\nstruct A;", "", &[]),
    ("[dependencies]\nserde = \"1\"\nhex = \"0.4\"", "fn hex() {}", "", &["hex", "serde"]),
    ("[dev-dependencies]\nproptest = \"1\"", "", "", &["proptest"]),
    ("[dev-dependencies]\npins = { path = \"../pins\" }", "", "", &[]),
    ("[dev-dependencies]\nproptest = \"1\"", "", "proptest::proptest! {}", &[]),
    (
        "[dev-dependencies]\nproptest = \"1\"",
        "#[cfg(test)]\nmod tests { use proptest::prelude::any; }",
        "",
        &[],
    ),
];

#[test]
fn each_dependency_that_is_named_nowhere_is_found() {
    let workspace = Workspace::new();
    for (manifest, library, test, expected) in UNUSED {
        workspace.write("engines", "", manifest);
        workspace.source("engines/src/lib.rs", library);
        workspace.source("engines/tests/it.rs", test);
        let findings = check(&workspace.root()).expect("the workspace reads");
        let found: BTreeSet<&str> = findings
            .iter()
            .filter(|finding| finding.rule == "unused")
            .filter_map(|finding| finding.message.split(' ').nth(3))
            .collect();
        assert_eq!(found, expected.iter().copied().collect(), "{manifest}\n{library}\n{test}\n{findings:#?}");
    }
}

/// The files of a crate `k`, as pairs of a path in it and a text; and how each finding begins.
type Round = (&'static [(&'static str, &'static str)], &'static [&'static str]);

#[rustfmt::skip]
const ROUNDS: &[Round] = &[
    // By file: straight back, by way of a third, in an expression, in a macro, and with the folder's own file.
    (&[("src/a.rs", "use crate::b::B;"), ("src/b.rs", "fn b() {}")], &[]),
    (&[("src/a.rs", "use crate::b::B;"), ("src/b.rs", "\nuse super::a::A;")], &["src/a.rs:1 imports come round: k::a names k::b names k::a;"]),
    (&[("src/a.rs", "use crate::b::B;"), ("src/b.rs", "use crate::c::C;"), ("src/c.rs", "fn c() { crate::a::f() }")],
        &["src/a.rs:1 imports come round: k::a names k::b names k::c names k::a;"]),
    (&[("src/a.rs", "fn f() { vec![crate::b::B] }"), ("src/b.rs", "use super::a;\nfn f() { a::f() }")], &["src/a.rs:1 imports come round: k::a names k::b"]),
    (&[("src/lib.rs", "mod a;\nfn f() { a::g() }"), ("src/a.rs", "use crate::f;\nfn g() {}")], &["src/lib.rs:2 imports come round: k names k::a names k;"]),
    (&[("src/a.rs", "use crate::b;\nfn f(b: b::B) {}"), ("src/b.rs", "use crate::a;")], &[]),
    // Tests are cut off.
    (&[("src/a.rs", "use crate::b::B;"), ("src/b.rs", "#[cfg(test)]\nmod tests { use crate::a::A; }")], &[]),
    (&[("src/a.rs", "use crate::b::B;\n#[cfg(test)] mod samples;"), ("src/a/samples.rs", "use crate::c::C;"), ("src/b.rs", ""), ("src/c.rs", "use crate::a::A;")], &[]),
    (&[("src/a.rs", "use crate::b::B;"), ("src/b.rs", ""), ("tests/it.rs", "use k::a::A;")], &[]),
    // What is passed on counts where it is defined, and passing on is no use of it.
    (&[("src/a/mod.rs", "mod x;\nmod y;\npub(crate) use self::x::X;"), ("src/a/x.rs", ""), ("src/a/y.rs", "use super::X;")], &[]),
    (&[("src/a/mod.rs", "mod x;\nmod y;\npub use self::x::X;"), ("src/a/x.rs", "use crate::b::B;"), ("src/b.rs", "use crate::a::X;")],
        &["src/a/x.rs:1 imports come round: k::a::x names k::b names k::a::x;", "src/a/x.rs:1 imports come round: k::a names k::b names k::a;"]),
    (&[("src/a/mod.rs", "mod x;\npub use self::x::X;\nfn f(x: X) {}"), ("src/a/x.rs", "use super::f;")], &["src/a/mod.rs:3 imports come round: k::a names k::a::x names k::a;"]),
    // By folder, where no file comes round.
    (&[("src/a/x.rs", "use crate::b::y::Y;"), ("src/b/y.rs", ""), ("src/b/z.rs", "use crate::a::w::W;"), ("src/a/w.rs", "")],
        &["src/a/x.rs:1 imports come round: k::a names k::b names k::a;"]),
];

#[test]
fn imports_that_come_round_are_found() {
    for (files, expected) in ROUNDS {
        let mut sources = sources_of_k(files);
        if !sources.iter().any(|file| file.path == "src/lib.rs") {
            sources.extend(sources_of_k(&[("src/lib.rs", "mod a;\nmod b;\nmod c;")]));
        }
        let mut found: Vec<String> = cycles::check(&sources)
            .into_iter()
            .map(|finding| format!("{}:{} {}", finding.file, finding.line, finding.message))
            .collect();
        found.dedup();
        let as_expected = found.len() == expected.len()
            && found.iter().zip(*expected).all(|(found, start)| found.starts_with(start));
        assert!(as_expected, "{files:#?}\nexpected {expected:#?}\nfound {found:#?}");
    }
}

/// The files of a folder `k::f` that has a road, as pairs of a path and a text; and how each finding begins.
type OffTheRoad = (&'static [(&'static str, &'static str)], &'static [&'static str]);

#[rustfmt::skip]
const OFF_THE_ROAD: &[OffTheRoad] = &[
    (&[("src/f/a.rs", ""), ("src/f/b.rs", "use super::a::A;"), ("src/f/c/mod.rs", ""), ("src/f/c/x.rs", "fn f() { crate::f::a::f() }")], &[]),
    // Straight against the road, out of a folder's depth, side by side, and in a test, where it counts for nothing.
    (&[("src/f/a.rs", "\nuse super::b::B;"), ("src/f/b.rs", ""), ("src/f/c.rs", "")], &["src/f/a.rs:2 k::f::a names k::f::b, which"]),
    (&[("src/f/a.rs", "use crate::f::c::x::X;"), ("src/f/b.rs", ""), ("src/f/c/mod.rs", ""), ("src/f/c/x.rs", "")], &["src/f/a.rs:1 k::f::a names k::f::c, which"]),
    (&[("src/f/a.rs", ""), ("src/f/b.rs", "use super::c::C;"), ("src/f/c.rs", "")], &["src/f/b.rs:1 k::f::b names k::f::c, which"]),
    (&[("src/f/a.rs", "#[cfg(test)]\nmod tests { use crate::f::b::B; }"), ("src/f/b.rs", ""), ("src/f/c.rs", "")], &[]),
    // Beyond the folder, and from its own file, there is no road.
    (&[("src/f/mod.rs", "use self::{a::A, c::C};"), ("src/f/a.rs", "use crate::g::G;"), ("src/f/b.rs", ""), ("src/f/c.rs", ""), ("src/g.rs", "use crate::f::c::C;")], &[]),
    // The road is whole, and nothing is on it that is not there.
    (&[("src/f/a.rs", ""), ("src/f/b.rs", ""), ("src/f/c.rs", ""), ("src/f/d.rs", "")], &["xtask/src/check_layers/road.rs:1 k::f::d stands nowhere"]),
    (&[("src/f/a.rs", ""), ("src/f/b.rs", "")], &["xtask/src/check_layers/road.rs:1 k::f::c is on the road of k::f and not there"]),
];

#[test]
fn what_names_against_the_road_is_found() {
    let roads = [Road { folder: &["k", "f"], order: &[&["a"], &["b", "c"]] }];
    for (files, expected) in OFF_THE_ROAD {
        let found: Vec<String> = road::check("k", &sources_of_k(files), &roads)
            .into_iter()
            .map(|finding| format!("{}:{} {}", finding.file, finding.line, finding.message))
            .collect();
        let as_expected = found.len() == expected.len()
            && found.iter().zip(*expected).all(|(found, start)| found.starts_with(start));
        assert!(as_expected, "{files:#?}\nexpected {expected:#?}\nfound {found:#?}");
    }
}

/// The files of a crate `k`, read, from pairs of a path in it and a text.
fn sources_of_k(files: &[(&str, &str)]) -> Vec<SourceFile> {
    let read = |(path, text): &(&str, &str)| {
        let place = Place::new("k", Path::new(path));
        let source = source::read(&place, text).expect("the source parses");
        SourceFile { place, path: (*path).to_owned(), source }
    };
    files.iter().map(read).collect()
}

/// A workspace with a crate for each line of the table, in a folder of its own.
struct Workspace(tempfile::TempDir);

impl Workspace {
    fn new() -> Self {
        let workspace = Self(tempfile::tempdir().expect("a folder"));
        let members = "[workspace]\nresolver = \"3\"\nmembers = [\"*\"]\n";
        std::fs::write(workspace.0.path().join("Cargo.toml"), members).expect("written");
        for layer in LAYERS {
            workspace.write(layer.name, "", "");
        }
        workspace
    }

    /// Writes a crate's manifest, with the level of the table unless `package` says another; answers its last line.
    fn write(&self, krate: &str, package: &str, addition: &str) -> usize {
        let folder = self.0.path().join(krate);
        std::fs::create_dir_all(folder.join("src")).expect("made");
        std::fs::write(folder.join("src/lib.rs"), "").expect("written");
        let mut manifest = format!("[package]\nname = \"{krate}\"\nedition = \"2024\"\n{package}\n");
        let level = LAYERS.iter().find(|layer| layer.name == krate).and_then(|layer| layer.level);
        if let (Some(level), true) = (level, package.is_empty()) {
            writeln!(manifest, "metadata.layer = {level}").expect("a string takes it");
        }
        manifest += addition;
        std::fs::write(folder.join("Cargo.toml"), &manifest).expect("written");
        manifest.lines().count()
    }

    fn root(&self) -> PathBuf {
        self.0.path().canonicalize().expect("there")
    }

    /// Writes a source, by its path from the top.
    fn source(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }

    /// "line rule: message" of every finding.
    fn findings(&self) -> Vec<String> {
        let root = self.root();
        let manifests = manifests::read(&root).expect("manifests read");
        let findings = edges::check(&root, &manifests).expect("manifests read");
        findings.into_iter().map(|f| format!("{} {}: {}", f.line, f.rule, f.message)).collect()
    }
}
