//! One of the binaries that are measured, on a store of its own.

use super::{
    bundles,
    cpu::{self, Watched},
    database::Database,
    evaluations::{self, Evaluation},
    found::Found,
    hoc::{Hoc, Server},
    lists,
    options::{Kind, Options},
    phase::Phase,
    plain,
    progress::Progress,
    rate::Rate,
    server::Bench,
    standing::{Disk, Left},
    store::Store,
    tenant, traces,
};
use anyhow::Context as _;
use std::{
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A binary, under the name that it has beside another.
pub(super) struct Binary {
    pub(super) name: &'static str,
    pub(super) file: PathBuf,
}

impl Binary {
    /// What evaluating rules takes in it.
    pub(super) fn evaluations(&self) -> anyhow::Result<Vec<Evaluation>> {
        let folder = folder()?;
        evaluations::measure(&Hoc::new(&self.file, folder.path(), String::new()))
    }
}

fn folder() -> anyhow::Result<TempDir> {
    Ok(tempfile::Builder::new().prefix("hoc-bench-").tempdir()?)
}

/// What is measured of a binary on a store that is made for this and gone afterwards.
pub(super) struct Side<'a> {
    place: Place<'a>,
    progress: Progress,
    store: Store,
    /// After its loads, until its memory is looked at again.
    resting: Option<(Server, Instant)>,
    /// Goes last: the store is in it.
    _folder: TempDir,
}

/// What every measurement needs.
struct Place<'a> {
    options: &'a Options,
    hoc: Hoc,
    database: Database,
    /// Keys of these roles.
    admin: String,
    agent: String,
}

impl<'a> Side<'a> {
    /// Makes the store and its tenant, with limits and rules.
    pub(super) fn new(
        kind: Kind,
        binary: &Binary,
        options: &'a Options,
        began: Instant,
    ) -> anyhow::Result<Self> {
        let folder = folder()?;
        let database = Database::start(kind, folder.path())?;
        let hoc = Hoc::new(&binary.file, folder.path(), database.url());
        let mut store = Store::new(kind, database.name());
        let progress = Progress::new(began, format!("{} {}", store.name, binary.name));
        progress.say("making the store");
        let (admin, agent) = (hoc.key("admin")?, hoc.key("agent")?);
        let server = hoc.serve()?;
        let governed = tenant::govern(&mut server.client(&admin));
        Found { store: &mut store, progress: &progress }
            .or_missed("ten limits and a hundred rules", governed);
        server.stop()?;
        let place = Place { options, hoc, database, admin, agent };
        Ok(Self { place, progress, store, resting: None, _folder: folder })
    }

    /// What the store itself can do, whichever binary is measured on it.
    pub(super) fn limits(&self) -> anyhow::Result<Vec<Rate>> {
        let Place { database, options, .. } = &self.place;
        let limits = plain::limits(database, options, &self.progress)?;
        database.checkpoint()?;
        Ok(limits)
    }

    /// Takes over what the store itself can do.
    pub(super) fn know(&mut self, limits: &[Rate]) {
        self.store.rates.extend(limits.iter().cloned());
    }

    /// Has its turn in a phase.
    pub(super) fn measure(&mut self, phase: Phase, round: u32) {
        let measured = self.phase(phase, round).and_then(|()| self.place.database.checkpoint());
        Found { store: &mut self.store, progress: &self.progress }.or_missed(&phase.name(), measured);
    }

    fn phase(&mut self, phase: Phase, round: u32) -> anyhow::Result<()> {
        match phase {
            Phase::Steps => {
                let disk = self.loaded(round, |bench, found| {
                    bench.rates(found);
                    Ok(())
                })?;
                self.store.standing.steps += disk;
            }
            Phase::Spans => {
                let disk = self.loaded(round, |bench, found| {
                    bench.span_rates(found);
                    let trace = traces::measure(bench, traces::SPANS);
                    if let Some(trace) = found.or_missed("one long trace", trace) {
                        found.progress.say(&trace.line());
                        found.store.add_trace(trace);
                    }
                    Ok(())
                })?;
                self.store.standing.spans += disk;
            }
            Phase::Conversations => {
                let disk = self.loaded(round, |bench, found| {
                    found.rate(Rate::TURNS, 4, bench.turns(4));
                    Ok(())
                })?;
                self.store.standing.turns += disk;
            }
            Phase::Bundle(steps) => self.bundle(steps, round)?,
            Phase::Memory => self.every_load(round)?,
            Phase::Start => self.restart()?,
            Phase::Lists => {
                let Place { options, hoc, admin, agent, .. } = &self.place;
                let mut found = Found { store: &mut self.store, progress: &self.progress };
                lists::measure(hoc, options.rows(), (admin, agent), &mut found)?;
            }
        }
        Ok(())
    }

    /// Does some work on a server of its own: what it took of the disk.
    fn loaded(
        &mut self,
        round: u32,
        work: impl FnOnce(&Bench<'_>, &mut Found<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<Disk> {
        let before = self.place.database.size();
        let server = self.place.hoc.serve()?;
        let bench = self.place.bench(&server, round)?;
        let worked = work(&bench, &mut Found { store: &mut self.store, progress: &self.progress });
        let (count, sent) = (bench.taken.load(Ordering::Relaxed), bench.sent.load(Ordering::Relaxed));
        let memory = cpu::resident(server.pid());
        let store = self.place.database.whole()?;
        server.stop()?;
        let stored = self.place.database.size().saturating_sub(before);
        worked?;
        Ok(self.store.standing.after(&Left { disk: Disk { count, stored, sent }, memory, store }))
    }

    fn bundle(&mut self, steps: usize, round: u32) -> anyhow::Result<()> {
        let mut sealed = None;
        let disk = self.loaded(round, |bench, _| {
            sealed = Some(bundles::fill(bench, steps)?);
            Ok(())
        })?;
        self.store.standing.steps += disk;
        let sealed = sealed.context("a run was filled")?;
        let bundle = bundles::measure(&self.place.hoc, &self.place.admin, &sealed)?;
        self.progress.say(&bundle.line());
        self.store.bundles.push(bundle);
        Ok(())
    }

    /// Every kind of load on one server, which rests from then on.
    fn every_load(&mut self, round: u32) -> anyhow::Result<()> {
        let server = self.place.hoc.serve()?;
        let bench = self.place.bench(&server, round)?;
        bench.every_load(&mut Found { store: &mut self.store, progress: &self.progress });
        let memory = cpu::resident(server.pid());
        self.store.standing.loaded_memory = self.store.standing.loaded_memory.max(memory);
        self.resting = Some((server, Instant::now()));
        Ok(())
    }

    /// Lets a server rest that had every kind of load, if there is one, and looks at its memory. The rest may have
    /// begun while another had its loads.
    pub(super) fn rest(&mut self, rest: Duration) {
        let Some((server, since)) = self.resting.take() else { return };
        thread::sleep(rest.saturating_sub(since.elapsed()));
        self.store.standing.rested_memory = cpu::resident(server.pid());
        let mut found = Found { store: &mut self.store, progress: &self.progress };
        found.or_missed("the end of a rest", server.stop());
    }

    /// Starts on the store as it now is, and stops.
    fn restart(&mut self) -> anyhow::Result<()> {
        let server = self.place.hoc.serve()?;
        server.client("").get("/readyz")?.expect(200)?;
        self.store.standing.start = Some(server.started_in);
        self.store.standing.idle_memory = cpu::resident(server.pid());
        server.stop()
    }

    /// Ends it; gives what was measured.
    pub(super) fn end(self) -> anyhow::Result<Store> {
        self.place.database.stop()?;
        Ok(self.store)
    }
}

impl Place<'_> {
    /// A server under load.
    fn bench<'b>(&'b self, server: &'b Server, round: u32) -> anyhow::Result<Bench<'b>> {
        let mut watched = vec![
            Watched { name: "server", pid: server.pid(), with_children: false },
            Watched { name: "callers", pid: std::process::id(), with_children: false },
        ];
        watched.extend(self.database.watched()?);
        let (taken, sent) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Ok(Bench { options: self.options, server, agent: &self.agent, watched, round, taken, sent })
    }
}
