//! One group: load, decide, write, commit, answer; and what happens when that fails.

use std::sync::Arc;

use drivers::StoreError;
use models::ids::TenantId;

use super::{
    decide,
    follow::causes,
    item::{Bond, Item},
    load::{self, Late},
    outage::{self, overdue},
    parts::{Answers, Unit, Waiting, apart, halves},
    prepare::Call,
    races::{Patience, Races},
    seal::{self, addendum},
    state::{kept, kept_texts, tree},
    write,
};
use crate::{
    consequences::{
        found::of_damage,
        mismatches::{report_mismatches, tell},
    },
    context::TenantSettings,
    errors::Error,
    spine::Spine,
};

/// Decides a group and answers each of its calls, after the commit.
pub(super) async fn run(spine: Spine, items: Vec<Item>) {
    // Before anything is gone by that was seen in what somebody accepted as lost.
    let Some(first) = items.first() else { return };
    spine.choke().accept(&spine, first.tenant.id);
    let Some(tenant) = spine.choke().queue.newest(&items) else { return };
    let (calls, replies): (Vec<_>, Vec<_>) = items.into_iter().map(Item::divide).unzip();
    let mut waiting = Waiting::on(calls.iter().map(|(calls, _)| calls.len()).zip(replies));
    let units: Vec<Unit<'_>> =
        calls.iter().enumerate().map(|(n, (calls, bond))| Unit::whole(n, calls, *bond)).collect();
    let mut group = Group { spine: &spine, tenant: &tenant, races: Races::begin(&spine) };
    Box::pin(group.run(units, &mut waiting)).await;
}

/// What the calls of a group are decided with.
struct Group<'s> {
    spine: &'s Spine,
    tenant: &'s Arc<TenantSettings>,
    races: Races<'s>,
}

impl Group<'_> {
    async fn run(&mut self, units: Vec<Unit<'_>>, waiting: &mut Waiting) {
        // Answers that were given while the store was down come before anything else of their run.
        let overdue = match overdue::write(self.spine, self.tenant, &mut self.races).await {
            Ok(overdue) => overdue,
            Err(err) if err.is_busy() => return answer(&units, || Error::Busy, waiting),
            Err(err) => return self.answer_from_memory(&units, err, waiting).await,
        };
        let [units, behind] = apart(units, |run| overdue.contains(&run));
        let stuck = self.spine.choke().stuck.runs();
        let [free, stuck] = apart(units, |run| stuck.contains(&run));
        self.decide(free, Patience::Usual, waiting).await;
        self.decide(stuck, Patience::Brief, waiting).await;
        if !behind.is_empty() {
            let err = StoreError::Unavailable("earlier answers of the run are still to be written".into());
            self.answer_from_memory(&behind, err, waiting).await;
        }
    }

    /// Decides calls together. If that fails for another reason than an absent store, it is rolled back and they go in
    /// halves, so that in the end only the culprit fails.
    async fn decide(&mut self, units: Vec<Unit<'_>>, patience: Patience, waiting: &mut Waiting) {
        let mut parts = vec![(units, patience)];
        while let Some((part, patience)) = parts.pop() {
            if part.is_empty() {
                continue;
            }
            if patience == Patience::Brief && self.races.is_late() {
                let err = StoreError::Locked("there was no time left to try".into());
                self.answer_from_memory(&part, err, waiting).await;
                continue;
            }
            let attempted = self.attempt(&part, patience).await;
            // Whoever is refused for it finds the incident.
            tell_of_tampering(self.spine, self.tenant.id).await;
            let err = match attempted {
                Ok(answers) => {
                    self.spine.choke().stuck.forget(part.iter().flat_map(|unit| unit.runs()));
                    for (unit, answers) in part.iter().zip(answers) {
                        waiting.tell(unit, answers);
                    }
                    continue;
                }
                Err(err) => err,
            };
            let locked = err.is_locked();
            // Where all connections are taken, halves would only wait one after another.
            let of_the_store =
                outage::is_outage(&err) || err.is_busy() || matches!(err, StoreError::ReadOnly(_));
            let divided = if of_the_store && !locked { None } else { halves(&part, locked) };
            match divided {
                Some([first, second]) if !self.races.is_late() => {
                    tracing::warn!(
                        error = &err as &dyn std::error::Error,
                        units = part.len(),
                        "calls failed together; trying each half"
                    );
                    let patience = if locked { Patience::Brief } else { patience };
                    parts.extend([(second, patience), (first, patience)]);
                }
                // There is no time to find out which of them it was.
                Some(_) if !locked => answer(&part, || Error::Busy, waiting),
                _ if outage::is_outage(&err) => {
                    if locked {
                        self.spine.choke().stuck.note(part.iter().flat_map(|unit| unit.runs()));
                    }
                    self.answer_from_memory(&part, err, waiting).await;
                }
                _ => {
                    tell_of_damage(self.spine, self.tenant.id, &err).await;
                    let err = Arc::new(err);
                    answer(&part, || Error::from_group(&err), waiting);
                }
            }
        }
    }

    async fn attempt(&mut self, units: &[Unit<'_>], patience: Patience) -> Result<Vec<Answers>, StoreError> {
        loop {
            match once(self.spine, self.tenant, units, patience).await {
                Err(err) if self.races.lost(&err).await => {}
                other => return other,
            }
        }
    }

    /// Answers each call by what this replica remembers: the store took none of them.
    async fn answer_from_memory(&self, units: &[Unit<'_>], err: StoreError, waiting: &mut Waiting) {
        let err = Arc::new(err);
        for unit in units {
            if unit.calls.is_empty() {
                waiting.tell(unit, Vec::new());
            }
            for atom in unit.atoms() {
                let answers = outage::answers(self.spine, self.tenant, atom.calls, &err).await;
                waiting.tell(&atom, answers);
            }
        }
    }
}

/// Answers each call alike.
fn answer(units: &[Unit<'_>], answer: impl Fn() -> Error, waiting: &mut Waiting) {
    for unit in units {
        waiting.tell(unit, unit.calls.iter().map(|_| Some(Err(answer()))).collect());
    }
}

/// Opens the incidents of definitions that the group met and that do not match. Where that fails, the next group tells
/// of them.
async fn tell_of_tampering(spine: &Spine, tenant: TenantId) {
    let found = spine.choke().snapshots.untold(tenant);
    if let Err(err) = report_mismatches(spine, tenant, &found).await {
        tracing::error!(error = &err as &dyn std::error::Error, %tenant, "an incident could not be opened");
        spine.choke().snapshots.still_untold(tenant, found);
    }
}

/// Opens the incident of a run of which a segment failed calls that needed it.
async fn tell_of_damage(spine: &Spine, tenant: TenantId, err: &StoreError) {
    if let Some(found) = of_damage(err) {
        tell(spine, tenant, &[found]).await;
    }
}

async fn once(
    spine: &Spine,
    tenant: &Arc<TenantSettings>,
    units: &[Unit<'_>],
    patience: Patience,
) -> Result<Vec<Answers>, StoreError> {
    let tx = spine.begin().await?;
    patience.of(&tx).await?;
    let calls: Vec<&[Call]> = units.iter().map(|unit| unit.calls).collect();
    let mut state = load::load(spine, tenant, &tx, &calls, &Late::default()).await?;
    let decide = |unit: &Unit<'_>| match unit.bond {
        Bond::Together => decide::item(&mut state, unit.calls),
        Bond::EachAlone => decide::each(&mut state, unit.calls),
    };
    let mut answers: Vec<Answers> = units.iter().map(decide).collect();
    if let Some(half_done) = half_done(&answers) {
        return Err(half_done);
    }
    seal::strike_failed(&mut state);
    causes::settle(&mut state, &tx).await?;
    seal::seal_ended(&mut state, &tx).await?;
    addendum::seal(&mut state).map_err(|err| corrupt(err.to_string()))?;
    seal::complete(&state, units, &mut answers);
    state.new.answers = kept::answers(&mut state, units, &answers)?;
    if state.has_writes() {
        write::write(&mut state, &tx).await?;
        tx.commit().await.inspect_err(|err| spine.choke().memory.doubt(&state, err))?;
    }
    tree::keep(&mut state);
    kept_texts::keep(&mut state);
    spine.choke().memory.remember(state);
    Ok(answers)
}

/// Why nothing of a group may be stored, where one of its calls left the working state half changed. One that could not
/// be answered for what it read has changed nothing, and is told another error: see
/// [`super::decide::gates::unreadable`].
fn half_done(answers: &[Answers]) -> Option<StoreError> {
    answers.iter().flatten().flatten().find_map(|answer| match answer {
        Err(Error::HalfDone(why)) => Some(corrupt(why.clone())),
        _ => None,
    })
}

fn corrupt(why: String) -> StoreError {
    StoreError::Corrupt { table: "runs", row: "of the group".to_owned(), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_leaves_the_state_half_changed_costs_its_whole_group() {
        let refused = || Some(Err(Error::Busy));
        assert!(half_done(&[vec![refused(), None], vec![refused()]]).is_none());
        let half = Some(Err(Error::HalfDone("an id that is none".to_owned())));
        assert!(half_done(&[vec![refused()], vec![None, half]]).is_some());
    }
}
