//! Rows of a table in a JSON text: the names of its columns stand beside them, in the first of them, or in the
//! statement whose values they are.

use super::{Rewriter, cells::Columns};
use crate::logs::redact::{
    bound::{bound, is_statement},
    columns::{MAX_COLUMNS, is_cell, is_plain},
    fields::classify,
    findings::Class,
    json::{Reader, unescape},
    nothing::{is_name_of_item, looks_random},
};

/// Longer names of columns are none.
const MAX_NAME: usize = 128;

/// The classes, or nothing where no column holds a secret.
fn telling(classes: Vec<Option<Class>>) -> Vec<Option<Class>> {
    if classes.iter().all(Option::is_none) { Vec::new() } else { classes }
}

impl Rewriter<'_, '_> {
    /// What the columns hold that the list which comes next has the names of: `["name", "password"]`,
    /// `[{"name": "password", "type": "text"}]`.
    pub(super) fn columns_next(&self) -> Result<Vec<Option<Class>>, serde_json::Error> {
        let mut ahead = Reader { text: self.reader.text, at: self.reader.at + 1 };
        let mut classes = Vec::new();
        while classes.len() < MAX_COLUMNS {
            let class = match ahead.peek() {
                b'"' => classify(&unescape(ahead.string())?),
                b'{' => named(&mut ahead)?,
                _ => break,
            };
            classes.push(class);
            ahead.take_if(b',');
        }
        Ok(telling(classes))
    }

    /// What the values of the list that comes next are, by the statement behind it.
    pub(super) fn bound_behind(&self) -> Result<Vec<Option<Class>>, serde_json::Error> {
        let statement = self.text_behind(|name, _| is_statement(name))?;
        Ok(statement.map_or_else(Vec::new, |statement| bound(&statement)))
    }

    /// What the columns hold that the list which comes next has the names of, if it is the first of several rows: each
    /// is the name of a column, and none looks like a value.
    pub(super) fn heads_next(&self) -> Result<Vec<Option<Class>>, serde_json::Error> {
        let mut ahead = Reader { text: self.reader.text, at: self.reader.at };
        if !ahead.take_if(b'[') {
            return Ok(Vec::new());
        }
        let mut classes = Vec::new();
        while ahead.peek() == b'"' && classes.len() < MAX_COLUMNS {
            let name = unescape(ahead.string())?;
            let name = name.trim();
            if name.len() > MAX_NAME || !is_plain(name) || !is_name_of_item(name) || looks_random(name) {
                return Ok(Vec::new());
            }
            classes.push(classify(name));
            ahead.take_if(b',');
        }
        let is_over = ahead.take_if(b']');
        Ok(if is_over && classes.len() > 1 { telling(classes) } else { Vec::new() })
    }

    /// What the item that comes next is by its column, if it can be that.
    pub(super) fn cell_next(&self, columns: Columns<'_>, item: usize) -> Option<Class> {
        let class = columns.classes.get(item).copied().flatten()?;
        let mut ahead = Reader { text: self.reader.text, at: self.reader.at };
        let is_one = ahead.peek() == b'"'
            && unescape(ahead.string()).is_ok_and(|value| is_cell(class, &value, columns.told));
        is_one.then_some(class)
    }
}

/// What a column holds that an object tells of, as far as its members hold texts.
fn named(ahead: &mut Reader<'_>) -> Result<Option<Class>, serde_json::Error> {
    let mut class = None;
    ahead.take_if(b'{');
    while !ahead.take_if(b'}') {
        let name = unescape(ahead.string())?;
        ahead.take_if(b':');
        match ahead.peek() {
            b'{' | b'[' => break,
            b'"' => {
                let value = unescape(ahead.string())?;
                if ["name", "column", "column_name", "field"].contains(&name.as_ref()) {
                    class = class.or_else(|| classify(&value));
                }
            }
            _ => drop(ahead.scalar()),
        }
        ahead.take_if(b',');
    }
    Ok(class)
}
