//! What is said of many things of a kind, in one text.

/// How many are told of one by one.
const TOLD: usize = 10;

/// What is said of several, as one text: where there are many, the first say enough.
pub(crate) fn together(all: impl ExactSizeIterator<Item = String>) -> String {
    let count = all.len();
    let mut told: Vec<String> = all.take(TOLD).collect();
    if count > TOLD {
        told.push(format!("and {} more", count - TOLD));
    }
    told.join("; ")
}
