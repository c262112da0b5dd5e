//! What describes a secret of a cluster in JSON: `{"data": {"a": ".."}, "kind": "Secret"}`.

use super::Rewriter;
use crate::logs::redact::{
    cluster::held,
    fields::classify,
    json::{MAX_DEPTH, Reader, too_deep, unescape},
    members::says,
    nothing::is_nothing,
};

/// How many members behind the values may stand before the kind.
const MEMBERS_AHEAD: usize = 4;

impl Rewriter<'_, '_> {
    /// Whether the object that comes next holds the values of a secret, by the kind that is told behind it.
    pub(super) fn is_secret_behind(&self) -> Result<bool, serde_json::Error> {
        let mut ahead = Reader { text: self.reader.text, at: self.reader.at + 1 };
        while !ahead.take_if(b'}') {
            ahead.string();
            ahead.take_if(b':');
            if !passes(&mut ahead) {
                return Ok(false);
            }
            ahead.take_if(b',');
        }
        for _ in 0..MEMBERS_AHEAD {
            if !ahead.take_if(b',') {
                return Ok(false);
            }
            let name = unescape(ahead.string())?;
            ahead.take_if(b':');
            if name == "kind" && ahead.peek() == b'"' {
                return Ok(unescape(ahead.string())? == "Secret");
            }
            if !passes(&mut ahead) {
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// The object that comes next, of which each text is a secret.
    pub(super) fn secrets(&mut self, depth: usize) -> Result<(), serde_json::Error> {
        if depth >= MAX_DEPTH {
            return Err(too_deep());
        }
        self.reader.at += 1;
        while !self.reader.take_if(b'}') {
            let (name, redacted) = self.string(None, depth)?;
            let class = held(says(&name, redacted.as_deref(), classify));
            self.reader.take_if(b':');
            if self.reader.peek() == b'"' {
                let class = Some(class).filter(|_| !self.is_nothing_next());
                self.string(class, depth + 1)?;
            } else {
                self.value(None, depth + 1)?;
            }
            self.reader.take_if(b',');
        }
        Ok(())
    }

    /// Whether the string that comes next only stands for a secret: `${DB_PASSWORD}`.
    fn is_nothing_next(&self) -> bool {
        let mut ahead = Reader { text: self.reader.text, at: self.reader.at };
        unescape(ahead.string()).is_ok_and(|text| is_nothing(&text))
    }
}

/// Goes on behind a value that holds no others; `false` if it does.
fn passes(ahead: &mut Reader<'_>) -> bool {
    match ahead.peek() {
        b'{' | b'[' => return false,
        b'"' => drop(ahead.string()),
        _ => drop(ahead.scalar()),
    }
    true
}
