//! What the items of a row are, by the columns that somebody named.

use crate::logs::redact::findings::Class;

/// What the items of a row are, each by its column.
#[derive(Clone, Copy, Default)]
pub(super) struct Columns<'c> {
    pub(super) classes: &'c [Option<Class>],
    /// They are told to be columns, and do not only look like it.
    pub(super) told: bool,
}

impl<'c> Columns<'c> {
    pub(super) fn told(classes: &'c [Option<Class>]) -> Self {
        Self { classes, told: true }
    }

    /// Those of the items of a list within, which is the item there: as they are told, or as the first one has named
    /// them for those behind it.
    pub(super) fn within<'h>(self, heads: &'h [Option<Class>], item: usize) -> Columns<'h>
    where
        'c: 'h,
    {
        match item {
            _ if self.told => self,
            0 => Columns::default(),
            _ => Columns { classes: heads, told: false },
        }
    }
}

/// Whether a member is names of columns.
pub(super) fn is_head(name: &str) -> bool {
    ["columns", "cols", "fields", "header", "headers", "names", "column_names", "columnNames"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

/// Whether a member is rows, or values of one.
pub(super) fn is_rows(name: &str) -> bool {
    #[rustfmt::skip]
    let known = [
        "rows", "row", "data", "values", "records", "result", "results", "params", "parameters", "args", "arguments", "bind", "binds",
        "bindings", "vars",
    ];
    known.iter().any(|known| name.eq_ignore_ascii_case(known))
}
