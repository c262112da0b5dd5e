//! What a record names of its caller's texts, which are kept apart from it.

use drivers::logs::RunSalt;
use models::ids::RunId;
use proof::contents::{Content, Salt};

use crate::{
    choke::{call::StepReport, state::State},
    errors::Error,
};

/// The texts of a report, in the order of a record's.
pub(in crate::choke) fn of_report(report: &StepReport) -> [Option<&str>; 4] {
    let llm = report.llm.as_ref();
    [
        report.params.as_deref(),
        report.outcome_data.as_deref(),
        llm.and_then(|llm| llm.prompt.as_deref()),
        llm.and_then(|llm| llm.response.as_deref()),
    ]
}

/// Refuses texts of a run whose salt is lost: nobody could tell them again. Whatever brings none is no worse for it, so
/// the run is halted and ended as any other.
pub(in crate::choke) fn keepable(state: &State, run_id: RunId, said: &[Option<&str>]) -> Result<(), Error> {
    match state.salts.get(&run_id) {
        Some(RunSalt::Lost(why)) if said.iter().any(Option::is_some) => {
            Err(Error::Damaged { table: "run_salts", row: run_id.to_string(), why: why.clone() })
        }
        _ => Ok(()),
    }
}

/// Names these texts, and keeps them with what the group adds to the run. Where the run's were erased, nothing is kept
/// of what comes after: they are named by a salt that nobody has. Where the salt is lost, they are not even named: a
/// permit that is refused halts its run all the same.
pub(in crate::choke) fn keep<const N: usize>(
    state: &mut State,
    run_id: RunId,
    said: [Option<&str>; N],
) -> Result<[Option<Content>; N], Error> {
    let mut names = [None; N];
    if said.iter().all(Option::is_none) {
        return Ok(names);
    }
    let salt = match state.salts.get(&run_id) {
        Some(RunSalt::Kept(salt)) => salt,
        Some(RunSalt::Lost(_)) => return Ok(names),
        // Erased; or the store is down, and what is decided now is decided again when it is back.
        Some(RunSalt::Erased { .. }) | None => {
            let salt = Salt::new(state.spine.secret());
            return Ok(said.map(|text| text.map(|text| salt.name(text))));
        }
    };
    let texts = state.new.texts.entry(run_id).or_default();
    for (name, text) in names.iter_mut().zip(said) {
        let Some(text) = text else { continue };
        let of_text = salt.name(text);
        if !texts.add(&of_text, text) {
            return Err(Error::HalfDone("a text is longer than any may be".to_owned()));
        }
        *name = Some(of_text);
    }
    Ok(names)
}
