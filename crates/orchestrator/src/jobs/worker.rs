//! The worker of one server: takes what is due, and gives back what it has not done when the server stops.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use models::jobs::JobKind;
use tokio::{
    sync::Mutex,
    task::{self, JoinError, JoinSet},
    time::timeout,
};
use uuid::Uuid;

use super::{
    claim::{Turns, claim},
    enqueue::stand,
    work::{Handler, Pace, Work},
};
use crate::{clock_check, errors::Error, spine::Spine};

/// How soon a tenant that was just made has the jobs that every tenant has.
const STAND_EVERY: TimeDelta = TimeDelta::seconds(10);

/// For how long others come first, once a job is due, where this server failed at the last of its kind: it may be the
/// server that is sick, and not the job.
const OTHERS_FIRST: TimeDelta = TimeDelta::seconds(10);

/// How long a server that stops waits until its work is broken off.
const BROKEN_OFF_WITHIN: Duration = Duration::from_secs(5);

/// What a worker can do.
#[derive(Clone)]
pub struct Skill {
    /// Jobs of this kind.
    pub kind: JobKind,
    /// By this.
    pub handler: Arc<dyn Handler>,
    /// Whether every tenant has one of them, which comes round again for ever.
    pub stands: bool,
}

/// The worker of one server. Dropped, it is cut off, as if the server had died.
pub struct Worker {
    name: String,
    skills: Vec<Skill>,
    pace: Pace,
    doing: Mutex<Doing>,
}

/// What a worker is at.
#[derive(Default)]
struct Doing {
    tasks: JoinSet<bool>,
    works: HashMap<task::Id, Arc<Work>>,
    /// The kinds of which it failed at the last job.
    failing: HashSet<JobKind>,
    stood_at: Option<DateTime<Utc>>,
    turns: Turns,
}

impl Worker {
    /// One that can do this.
    #[must_use]
    pub fn new(spine: &Spine, skills: Vec<Skill>, pace: Pace) -> Self {
        let name = format!("server_{}", spine.id::<Uuid>(spine.now()).simple());
        Self { name, skills, pace, doing: Mutex::default() }
    }

    /// Takes what is due at the spine's time, if that can be relied on, of each kind that it is not at: it works at
    /// them beside whoever asks. Gives how many it took.
    pub async fn tick(&self, spine: &Spine) -> Result<usize, Error> {
        let mut doing = self.doing.lock().await;
        doing.reap();
        let now = spine.now();
        if doing.stood_at.is_none_or(|at| now - at >= STAND_EVERY) {
            doing.stood_at = Some(now);
            self.stand(spine).await;
        }
        let mut taken = 0;
        for skill in &self.skills {
            if doing.is_at(skill.kind) {
                continue;
            }
            let by = if doing.failing.contains(&skill.kind) { now - OTHERS_FIRST } else { now };
            let claimed = Box::pin(claim(spine, skill.kind, &self.name, by, &mut doing.turns)).await?;
            if let Some(work) = claimed {
                taken += 1;
                doing.begin(work, Arc::clone(&skill.handler), self.pace);
            }
        }
        Ok(taken)
    }

    /// Has each tenant have the jobs that every tenant has. What stands in the way of that keeps nobody from what is
    /// due.
    async fn stand(&self, spine: &Spine) {
        for skill in self.skills.iter().filter(|skill| skill.stands) {
            let stood = async {
                if clock_check::may_sweep(spine).await? {
                    stand(spine, skill.kind, &self.name).await
                } else {
                    Ok(())
                }
            };
            if let Err(err) = Box::pin(stood).await {
                let error = &err as &dyn std::error::Error;
                tracing::warn!(error, kind = %skill.kind, "tenants without a standing job could not be given one");
            }
        }
    }

    /// Waits until all that it has taken is through.
    pub async fn through(&self) {
        let mut doing = self.doing.lock().await;
        while let Some(ended) = doing.tasks.join_next_with_id().await {
            doing.ended(ended);
        }
    }

    /// Breaks off what it is at, and gives it back: the server stops, and others need not wait for its leases to end.
    pub async fn stop(&self) {
        let mut doing = self.doing.lock().await;
        doing.reap();
        // One that never waits cannot be broken off: what it writes after this finds no job.
        if timeout(BROKEN_OFF_WITHIN, doing.tasks.shutdown()).await.is_err() {
            tracing::warn!("work at a job did not end; the server stops all the same");
        }
        for (_, work) in doing.works.drain() {
            // Where that fails, its lease ends.
            if work.hand_back().await.is_err() {
                tracing::debug!(job = %work.job().id, "a job could not be given back");
            }
        }
    }
}

impl Doing {
    fn is_at(&self, kind: JobKind) -> bool {
        self.works.values().any(|work| work.job().kind == kind)
    }

    fn begin(&mut self, work: Work, handler: Arc<dyn Handler>, pace: Pace) {
        let work = Arc::new(work);
        let working = Arc::clone(&work);
        let task = self.tasks.spawn(async move { working.run(handler.as_ref(), pace).await });
        self.works.insert(task.id(), work);
    }

    /// Takes note of what has ended.
    fn reap(&mut self) {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.ended(ended);
        }
    }

    fn ended(&mut self, ended: Result<(task::Id, bool), JoinError>) {
        let (id, is_well) = ended.unwrap_or_else(|err| {
            tracing::error!(error = &err as &dyn std::error::Error, "work at a job was cut off");
            (err.id(), false)
        });
        let Some(work) = self.works.remove(&id) else { return };
        let kind = work.job().kind;
        if is_well {
            self.failing.remove(&kind);
        } else {
            self.failing.insert(kind);
        }
    }
}
