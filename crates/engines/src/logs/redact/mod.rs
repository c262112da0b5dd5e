//! The one redactor in front of every sink: what must not be stored is removed before anything is written.
//!
//! It is deterministic and versioned, and the version stands in each record. What is removed leaves a marker that
//! says what it was, `<REDACTED:EMAIL>`. It finds values by the name of their field (`fields`), by their shape
//! (`shapes`), at any depth of a JSON text (`rewrite`), and in JSON inside strings. A text is scanned a second time as
//! its last reader sees it (`unveil`): broken JSON, URLs and pages (`references`) with their escapes decoded, no
//! character that is drawn as nothing, and none of what colours a terminal (`terminal`). What is encoded in base64 is
//! looked into (`encoded`). XML (`markup`) and the flags of well-known tools (`commands`) say what a value is as the
//! name of a field does. Some say it by their place alone (`lines`, `forms`, `places`): in a command, also where it is
//! a list of its words (`listed`), in SQL, in a call, or in the column of a table (`columns`, `drawn`). A field of a
//! page says what is typed into it (`inputs`). What speaks of a secret and holds none stays (`nothing`).
//!
//! - **Linear.** One pass for each table decides which detectors have anything to do; each of those is a linear scan. A
//!   judge looks no further than so far around a match, or what it has looked at is passed over or goes (`hostile`).
//! - **Idempotent.** A text is scanned until a scan finds nothing more, so redacting twice is redacting once. A text
//!   that does not settle within a few scans was made to evade, and is removed whole.
//! - **Exact.** Caller-given JSON is rewritten as text: what is not removed stays as it was, byte for byte, so
//!   64-bit integers and long decimals survive. No number goes through a float.
//!
//! What it does not see: values reversed, compressed, encoded otherwise, or spelled out; a value whose name stands far
//! behind it; names of persons and places.

mod bare;
mod bound;
mod checks;
mod cluster;
mod columns;
mod commands;
mod detect;
mod detectors;
mod drawn;
mod encoded;
mod fed;
mod fields;
mod findings;
mod forms;
mod hashes;
mod inputs;
mod json;
mod lenient;
mod lines;
mod listed;
mod markup;
mod members;
mod metadata;
mod needed;
mod nothing;
mod numbers;
mod pairs;
mod params;
mod pieces;
mod places;
mod private;
mod references;
mod rewrite;
mod roles;
mod ruling;
mod runs;
mod screen;
mod screening;
mod sequences;
mod settings;
mod shapes;
mod terminal;
mod text;
mod tree;
mod unveil;
mod urls;
mod users;
mod values;
mod ways;
mod words;

#[cfg(test)]
mod answers;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod dressed;
#[cfg(test)]
mod evasions;
#[cfg(test)]
mod everyday;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod passed_over;
#[cfg(test)]
mod spared;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod told;
#[cfg(test)]
mod told_apart;

pub use findings::{Class, Findings, Redacted};
pub use json::{Fault, NUL, canonical_text, check_json, read_json};
pub use metadata::withhold;
pub use rewrite::{redact_json, redact_text};
pub use screen::{Raw, Screened, derive, screen};
pub use unveil::{composed, hides_something, unmistakable};

use std::sync::LazyLock;

use findings::Found;

/// The version of fields, shapes and checks together. Stored in each record: another version removes otherwise, so
/// whoever changes what is removed raises it. 2 looks as well into texts as their last reader sees them, into base64,
/// lists and forms, and finds a token that is glued to a word.
/// 3 knows passwords by more of the names and places that they have every day (numbered, in XML, YAML, .netrc and the
/// flags of well-known tools), tokens that are percent-encoded and of more vendors, and cards with other signs between
/// their digits. 4 keeps what speaks of a secret and holds none: states, limits, folders, references and expressions of
/// code, prose in elements; and it knows passwords by their place in more commands, SQL, calls and sentences, and by
/// their names in more languages. 5 reads a list of the words of a command as the line that it is, in JSON and in code,
/// and knows what is typed into a field for a password. It keeps more of what only stands for a secret, and what
/// programs other than clients take behind `-u`, reads rows as they are quoted, and takes by its name alone what is too
/// long to stand for a secret. 6 reads texts without the colours of a terminal, pages with their character references,
/// and letters of full width; it finds the secret beside an id of AWS, and parts of private keys. It reads tables as
/// they are drawn with blanks, rows of JSON by their columns, and what is bound to a statement; it knows hashes of
/// passwords, the values of a `kind: Secret`, what is piped to a command, pairs in more orders and in more languages.
pub const REDACTION_VERSION: u64 = 6;

/// Builds what every text is held against to redact it, where that is not built yet. It takes some tenths of a second,
/// for which whoever is the first to have a text redacted waits else.
pub fn warm() {
    for table in [&detectors::DETECTORS, &listed::PLACED, &listed::TOLD] {
        let _ = LazyLock::force(table);
    }
    for shape in [&bound::INSERT, &bound::MARK, &fields::STEMS, &markup::VALUE] {
        let _ = LazyLock::force(shape);
    }
}

/// Redacts a JSON value. A value that is nested too deep to be read again is removed whole. Where a caller's own JSON
/// is at hand as text, use [`redact_json`]: a [`serde_json::Value`] may have rounded its numbers already.
#[must_use]
pub fn redact_value(value: &serde_json::Value) -> Redacted<serde_json::Value> {
    let redacted = redact_json(&value.to_string());
    let read = redacted.and_then(|redacted| {
        Ok(Redacted { value: serde_json::from_str(&redacted.value)?, findings: redacted.findings })
    });
    read.unwrap_or_else(|_| {
        let mut found = Found::default();
        let class = Class::Secret(rules::facts::SecretKind::Secret);
        found.add(class, "");
        Redacted { value: class.marker().into(), findings: found.findings() }
    })
}
