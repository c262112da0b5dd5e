//! What a record names of its caller's texts, which are kept apart from it.

use models::ids::RunId;
use proof::contents::{Content, Salt};

use crate::{choke::state::State, errors::Error};

/// Names these texts, and keeps them with what the group adds to the run. Where the run's were erased, nothing is kept
/// of what comes after: they are named by a salt that nobody has.
pub(in crate::choke) fn keep<const N: usize>(
    state: &mut State,
    run_id: RunId,
    said: [Option<&str>; N],
) -> Result<[Option<Content>; N], Error> {
    let mut names = [None; N];
    if said.iter().all(Option::is_none) {
        return Ok(names);
    }
    let Some(salt) = state.salts.get(&run_id) else {
        let salt = Salt::new(state.spine.secret());
        return Ok(said.map(|text| text.map(|text| salt.name(text))));
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
