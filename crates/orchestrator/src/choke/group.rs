//! One group: load, decide, write, commit, answer; and what happens when that fails.

use std::{collections::BTreeSet, sync::Arc};

use drivers::StoreError;
use models::ids::TenantId;

use super::{
    Answer, addendum, decide, load, outage, overdue,
    prepare::Call,
    queue::{Bond, Item},
    seal,
    state::State,
    write,
};
use crate::{context::TenantSettings, errors::Error, handlers::incidents::report_mismatches, spine::Spine};

/// How often a group that lost a race against another replica is tried again, whole.
const RETRIES: usize = 8;

type Answers = Vec<Vec<Option<Answer>>>;

/// Decides a group and answers each of its calls, after the commit.
///
/// If the group fails for another reason than an absent store, it is rolled back and its items go one by one,
/// so that only the culprit fails: one call's failure is never its neighbours'.
pub(super) async fn run(spine: Spine, tenant: Arc<TenantSettings>, items: Vec<Item>) {
    // Answers that were given while the store was down come before anything else.
    if let Err(err) = overdue::write(&spine, &tenant).await {
        return from_memory(&spine, &tenant, items, err).await;
    }
    let attempted = attempt(&spine, &tenant, &units(&items)).await;
    tell_of_tampering(&spine, tenant.id).await;
    match attempted {
        Ok(answers) => send(items, answers),
        Err(err) if outage::is_outage(&err) => from_memory(&spine, &tenant, items, err).await,
        Err(err) if items.len() == 1 && items[0].is_one() => fail(items, &Arc::new(err)),
        Err(err) => {
            tracing::warn!(
                error = &err as &dyn std::error::Error,
                calls = items.len(),
                "a group failed; trying each"
            );
            for item in items {
                alone(&spine, &tenant, item).await;
            }
        }
    }
}

/// Opens the incidents of definitions that the group met and that do not match. Where that fails, the integrity check
/// finds them again.
async fn tell_of_tampering(spine: &Spine, tenant: TenantId) {
    let found = spine.choke().snapshots.untold(tenant);
    if let Err(err) = report_mismatches(spine, tenant, &found).await {
        tracing::error!(error = &err as &dyn std::error::Error, %tenant, "an incident could not be opened");
    }
}

/// Answers each call by what this replica remembers: the store took none of them.
async fn from_memory(spine: &Spine, tenant: &Arc<TenantSettings>, items: Vec<Item>, err: StoreError) {
    let err = Arc::new(err);
    for item in items {
        let answers = outage::answers(spine, tenant, &item.calls, &err).await;
        send(vec![item], vec![answers]);
    }
}

/// Decides an item by itself; where its calls stand alone and it fails, each of them.
async fn alone(spine: &Spine, tenant: &Arc<TenantSettings>, item: Item) {
    let item = vec![item];
    let failure = match attempt(spine, tenant, &units(&item)).await {
        Ok(answers) => return send(item, answers),
        Err(err) => err,
    };
    let Some(one) = item.first().filter(|one| !one.is_one()) else { return fail(item, &Arc::new(failure)) };
    let mut answers = Vec::with_capacity(one.calls.len());
    for call in &one.calls {
        let unit = [Unit { calls: std::slice::from_ref(call), bond: Bond::EachAlone }];
        answers.push(match attempt(spine, tenant, &unit).await {
            Ok(mut answers) => answers.pop().and_then(|mut answers| answers.pop()).flatten(),
            Err(err) => Some(Err(Error::from_group(&Arc::new(err)))),
        });
    }
    send(item, vec![answers]);
}

/// The calls of an item, lent.
#[derive(Clone, Copy)]
struct Unit<'a> {
    calls: &'a [Call],
    bond: Bond,
}

fn units(items: &[Item]) -> Vec<Unit<'_>> {
    items.iter().map(|item| Unit { calls: &item.calls, bond: item.bond }).collect()
}

impl Unit<'_> {
    fn decide(&self, state: &mut State) -> Vec<Option<Answer>> {
        match self.bond {
            Bond::Together => decide::item(state, self.calls),
            Bond::EachAlone => decide::each(state, self.calls),
        }
    }
}

impl Item {
    /// Whether it fails or passes as one.
    fn is_one(&self) -> bool {
        self.bond == Bond::Together || self.calls.len() < 2
    }
}

async fn attempt(
    spine: &Spine,
    tenant: &Arc<TenantSettings>,
    items: &[Unit<'_>],
) -> Result<Answers, StoreError> {
    let mut races = Races::default();
    loop {
        match once(spine, tenant, items).await {
            Err(err) if races.lost(&err) => {}
            other => return other,
        }
    }
}

/// Counts the races that a unit of work lost against other replicas; whoever lost one tries again, whole.
#[derive(Default)]
pub(super) struct Races {
    lost: usize,
}

impl Races {
    /// Whether it is worth another try. A unique key that another replica took meanwhile is a race too: the next try
    /// finds what it stored.
    pub(super) fn lost(&mut self, err: &StoreError) -> bool {
        let again = matches!(err, StoreError::Retry(_) | StoreError::Conflict(_)) && self.lost < RETRIES;
        if again {
            self.lost += 1;
            tracing::debug!(error = %err, tries = self.lost, "a group lost a race; trying again");
        }
        again
    }
}

async fn once(
    spine: &Spine,
    tenant: &Arc<TenantSettings>,
    items: &[Unit<'_>],
) -> Result<Answers, StoreError> {
    let tx = spine.begin().await?;
    let calls: Vec<&[Call]> = items.iter().map(|item| item.calls).collect();
    let mut state = load::load(spine, tenant, &tx, &calls, &BTreeSet::new()).await?;
    let mut answers: Answers = items.iter().map(|item| item.decide(&mut state)).collect();
    if let Some(broken) = broken(&answers) {
        return Err(broken);
    }
    seal::seal_ended(&mut state, &tx, &mut answers).await?;
    addendum::seal(&mut state).map_err(|err| corrupt(err.to_string()))?;
    if state.has_writes() {
        write::write(&mut state, &tx).await?;
        tx.commit().await?;
    }
    spine.choke().memory.remember(state);
    Ok(answers)
}

/// A call that met something that cannot be leaves the working state half changed: none of it is stored.
fn broken(answers: &Answers) -> Option<StoreError> {
    answers.iter().flatten().flatten().find_map(|answer| match answer {
        Err(Error::Internal(why)) => Some(corrupt(why.clone())),
        _ => None,
    })
}

fn corrupt(why: String) -> StoreError {
    StoreError::Corrupt { table: "runs", row: "of the group".to_owned(), why }
}

fn send(items: Vec<Item>, answers: Answers) {
    for (item, answers) in items.into_iter().zip(answers) {
        // A caller that went away does not want its answer; what was decided stays.
        let _ = item.answer.send(answers);
    }
}

fn fail(items: Vec<Item>, err: &Arc<StoreError>) {
    let answers =
        items.iter().map(|item| item.calls.iter().map(|_| Some(Err(Error::from_group(err)))).collect());
    let answers: Answers = answers.collect();
    send(items, answers);
}
