//! All detectors of a text, in order.

use std::sync::LazyLock;

use super::{
    bound::BOUND,
    cluster::CLUSTER,
    columns::COLUMNS,
    detect::Table,
    drawn::DRAWN,
    forms::FORMS,
    hashes::HASHES,
    lines::LINES,
    places::PLACES,
    private::PRIVATE,
    settings::SETTINGS,
    shapes::{CHATS, HEADERS, KEYS, NAMED, TOKENS},
};

/// In the order in which they are applied, what is more telling first: what is known by its own shape or a name stands
/// before; then what is known by its place.
pub(super) static DETECTORS: LazyLock<Table> = LazyLock::new(|| {
    Table::new(
        [
            PRIVATE, TOKENS, CHATS, KEYS, HASHES, HEADERS, NAMED, LINES, FORMS, PLACES, SETTINGS, COLUMNS,
            BOUND, DRAWN, CLUSTER,
        ]
        .into_iter()
        .flatten(),
    )
});
