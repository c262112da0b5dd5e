//! How long what a caller says may be. One list for all operations: the door refuses what is longer, the API's document
//! says it, and what an exporter of spans says is cut to it.
//!
//! A store indexes what names something, and an entry of an index has room for a few kilobytes at most: with these
//! bounds no text of a caller is too long for either store.

/// Characters of what names something, or is looked up or grouped by: agents, skills, tools, models, providers,
/// projects, keys of idempotency, labels, codes of errors, rules, limits, owners.
pub const NAME: usize = 256;

/// Characters of what a person says of an act: a reason, a note, a description.
pub const REASON: usize = 4_000;

/// Characters of what an agent says at length: a goal, an error with its traceback.
pub const TEXT: usize = 65_536;

/// Bytes of a JSON document beside the steps: metadata, environment.
pub const DOCUMENT: usize = 65_536;

/// Labels of a run or of a step.
pub const LABELS: usize = 64;

/// Tools that a run is known by. It may use more; that it did is known too.
pub const TOOLS: usize = 64;
