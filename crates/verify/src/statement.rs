//! Reading what was signed: it lists each record's hash, so it is gone through as a bundle is, and its lists are all
//! that is held. What is wrong with it is said as if it were read as the type that it is.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
    mem,
};

use proof::{
    bundle::{ContentsHashes, Manifest, SealedHashes},
    hash::Hash,
    records::RecordKind,
    statement::Statement,
};
use serde::{Deserialize as _, de::value::StrDeserializer};

use crate::{
    document::Lines,
    json::Wrong,
    reader::{Reader, Streamed, present},
};

/// What was signed.
#[derive(Debug)]
pub(crate) struct Stated {
    pub(crate) statement: Statement<Manifest>,
    pub(crate) shared: Shared,
}

/// The lists of a manifest that are those of the document, hash by hash. They are kept once, and not in the manifest.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) kinds: BTreeSet<RecordKind>,
    pub(crate) texts: bool,
}

/// The lists of the document.
struct Lists<'l> {
    lines: &'l Lines,
    names: &'l [Hash],
    shared: Shared,
}

/// A list as it is read beside one of the document.
struct Beside<'l, T> {
    document: &'l [Hash],
    count: usize,
    /// None as long as both are the same.
    own: Option<Vec<T>>,
}

impl<'l, T: From<Hash> + PartialEq> Beside<'l, T> {
    fn new(document: &'l [Hash]) -> Self {
        Self { document, count: 0, own: document.is_empty().then(Vec::new) }
    }

    fn push(&mut self, value: T) {
        let is_same = self.document.get(self.count).is_some_and(|hash| T::from(*hash) == value);
        if self.own.is_none() && !is_same {
            self.part();
        }
        if let Some(own) = &mut self.own {
            own.push(value);
        }
        self.count += 1;
    }

    fn part(&mut self) {
        self.own = Some(self.document.iter().take(self.count).map(|hash| T::from(*hash)).collect());
    }

    /// None where both are the same.
    fn end(mut self) -> Option<Vec<T>> {
        if self.own.is_none() && self.count < self.document.len() {
            self.part();
        }
        self.own
    }
}

/// The statement in these pieces; or what is wrong with it.
pub(crate) fn read(
    pieces: impl Iterator<Item = Vec<u8>>,
    lines: &Lines,
    names: &[Hash],
) -> Result<Stated, String> {
    let mut reader = Streamed::new(Pieces { current: Vec::new(), at: 0, rest: pieces });
    let mut lists = Lists { lines, names, shared: Shared::default() };
    let read = statement(&mut reader, &mut lists);
    let read = read.and_then(|statement| reader.end().map(|()| statement));
    let statement = reader.over_alone(read, |wrong| format!("the statement's {wrong}"))?;
    Ok(Stated { statement, shared: lists.shared })
}

/// Bytes that are given back once they are read.
struct Pieces<I> {
    current: Vec<u8>,
    at: usize,
    rest: I,
}

impl<I: Iterator<Item = Vec<u8>>> Read for Pieces<I> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.current.len() {
            let Some(next) = self.rest.next() else { return Ok(0) };
            drop(mem::replace(&mut self.current, next));
            self.at = 0;
        }
        let mut left = &self.current[self.at..];
        let read = left.read(into)?;
        self.at += read;
        Ok(read)
    }
}

fn statement<R: Reader>(reader: &mut R, lists: &mut Lists<'_>) -> Result<Statement<Manifest>, Wrong> {
    let (mut statement_type, mut subject, mut predicate_type, mut predicate) = (None, None, None, None);
    reader.fields(&["_type", "subject", "predicateType", "predicate"], &[], |reader, name| {
        match name {
            "_type" => statement_type = Some(reader.under(name)?),
            "subject" => subject = Some(reader.under(name)?),
            "predicateType" => predicate_type = Some(reader.under(name)?),
            _ => predicate = Some(manifest(reader, lists)?),
        }
        Ok(())
    })?;
    Ok(Statement {
        statement_type: present(statement_type)?,
        subject: present(subject)?,
        predicate_type: present(predicate_type)?,
        predicate: present(predicate)?,
    })
}

/// The members of a manifest, as its type has them.
const MEMBERS: [&str; 13] = [
    "after",
    "assurance",
    "completeness",
    "contents",
    "grade",
    "missing",
    "produced_at",
    "proofs",
    "record_counts",
    "run_id",
    "sealed",
    "tenant_id",
    "verdict_tally",
];

fn manifest<R: Reader>(reader: &mut R, lists: &mut Lists<'_>) -> Result<Manifest, Wrong> {
    let (mut after, mut assurance, mut completeness, mut contents) = (None, None, None, None);
    let (mut grade, mut missing, mut produced_at, mut proofs) = (None, None, None, None);
    let (mut record_counts, mut run_id, mut sealed, mut tenant_id, mut verdict_tally) =
        (None, None, None, None, None);
    reader.fields(&MEMBERS, &["grade"], |reader, name| {
        match name {
            "after" => after = Some(reader.under(name)?),
            "assurance" => assurance = Some(reader.under(name)?),
            "completeness" => completeness = Some(reader.under(name)?),
            "contents" => contents = Some(contents_hashes(reader, lists)?),
            "grade" => grade = Some(reader.under(name)?),
            "missing" => missing = Some(reader.under(name)?),
            "produced_at" => produced_at = Some(reader.under(name)?),
            "proofs" => proofs = Some(reader.under(name)?),
            "record_counts" => record_counts = Some(reader.under(name)?),
            "run_id" => run_id = Some(reader.under(name)?),
            "sealed" => sealed = Some(sealed_hashes(reader, lists)?),
            "tenant_id" => tenant_id = Some(reader.under(name)?),
            _ => verdict_tally = Some(reader.under(name)?),
        }
        Ok(())
    })?;
    Ok(Manifest {
        after: present(after)?,
        assurance: present(assurance)?,
        completeness: present(completeness)?,
        contents: present(contents)?,
        grade: present(grade)?,
        missing: present(missing)?,
        produced_at: present(produced_at)?,
        proofs: present(proofs)?,
        record_counts: present(record_counts)?,
        run_id: present(run_id)?,
        sealed: present(sealed)?,
        tenant_id: present(tenant_id)?,
        verdict_tally: present(verdict_tally)?,
    })
}

fn contents_hashes<R: Reader>(reader: &mut R, lists: &mut Lists<'_>) -> Result<ContentsHashes, Wrong> {
    let (mut erased, mut missing, mut salt, mut texts) = (None, None, None, None);
    reader.fields(&["erased", "missing", "salt", "texts"], &["erased", "salt"], |reader, name| {
        match name {
            "erased" => erased = Some(reader.under(name)?),
            "missing" => missing = Some(reader.under(name)?),
            "salt" => salt = Some(reader.under(name)?),
            _ => {
                let mut list = Beside::<Hash>::new(lists.names);
                reader.elements(|reader| reader.value().map(|name| list.push(name)))?;
                let own = list.end();
                lists.shared.texts = own.is_none();
                texts = Some(own.unwrap_or_default());
            }
        }
        Ok(())
    })?;
    let (erased, salt) = (present(erased)?, present(salt)?);
    Ok(ContentsHashes { erased, missing: present(missing)?, salt, texts: present(texts)? })
}

fn sealed_hashes<R: Reader>(reader: &mut R, lists: &mut Lists<'_>) -> Result<SealedHashes, Wrong> {
    let (mut opened, mut records, mut snapshot) = (None, None, None);
    reader.fields(&["opened", "records", "snapshot"], &[], |reader, name| {
        match name {
            "opened" => opened = Some(reader.under(name)?),
            "records" if reader.next()? == b'{' => records = Some(record_hashes(reader, lists)?),
            "records" => records = Some(reader.under(name)?),
            _ => snapshot = Some(reader.under(name)?),
        }
        Ok(())
    })?;
    Ok(SealedHashes { opened: present(opened)?, records: present(records)?, snapshot: present(snapshot)? })
}

fn record_hashes<R: Reader>(
    reader: &mut R,
    lists: &mut Lists<'_>,
) -> Result<BTreeMap<RecordKind, Vec<Option<Hash>>>, Wrong> {
    let mut records = BTreeMap::new();
    let mut state = R::Members::default();
    reader.open(b'{')?;
    while let Some(name) = reader.member(&mut state)? {
        let kind = RecordKind::deserialize(StrDeserializer::<Wrong>::new(&name))?;
        if records.contains_key(&kind) || lists.shared.kinds.contains(&kind) {
            return Err(Wrong::new(format!("duplicate field `{name}`")));
        }
        let mut list = Beside::<Option<Hash>>::new(lists.lines.of_kind(kind));
        let read = reader.elements(|reader| reader.value().map(|hash| list.push(hash)));
        read.map_err(|wrong| wrong.within(&name))?;
        match list.end() {
            Some(own) => {
                records.insert(kind, own);
            }
            None => {
                lists.shared.kinds.insert(kind);
            }
        }
    }
    reader.close(b'}');
    Ok(records)
}

#[cfg(test)]
mod tests {
    use proof::hash::sha256;

    use super::*;
    use crate::json::Parser;

    /// As it is read at once.
    fn read_as_its_type(text: &[u8]) -> Result<Statement<Manifest>, String> {
        let text = std::str::from_utf8(text).map_err(|why| why.to_string())?;
        let mut parser = Parser::new(text);
        Statement::<Manifest>::deserialize(&mut parser)
            .and_then(|statement| parser.end().map(|()| statement))
            .map_err(|wrong| format!("the statement's {wrong}"))
    }

    fn sample() -> String {
        let hash = sha256(b"any");
        let counts: Vec<String> = RecordKind::ALL.iter().map(|kind| format!("\"{kind}\":2")).collect();
        let lists: Vec<String> =
            RecordKind::ALL.iter().map(|kind| format!("\"{kind}\":[\"{hash}\", null]")).collect();
        format!(
            r#"{{"_type":"a","predicate":{{"after":{{"addenda":[null],"as_of":"{hash}","audit":[],"incidents":["{hash}"],
            "run":"{hash}"}},"assurance":"ENFORCED","completeness":"SEALED","contents":{{"erased":null,"missing":[],
            "salt":"{hash}","texts":["{hash}"]}},"grade":null,"missing":[],"produced_at":"2026-11-21T08:00:00.000000Z",
            "proofs":{{"audit":[],"checkpoints":"{hash}","opened":"{hash}","receipt":null,"roots":"{hash}"}},
            "record_counts":{{{}}},"run_id":"r","sealed":{{"opened":"{hash}","records":{{{}}},"snapshot":"{hash}"}},
            "tenant_id":"t","verdict_tally":{{"ALLOW":1}}}},"predicateType":"p",
            "subject":[{{"digest":{{"sha256":"{hash}"}},"name":"n"}}]}}"#,
            counts.join(","),
            lists.join(",")
        )
    }

    fn is_read_alike(text: &[u8]) -> Result<Statement<Manifest>, String> {
        let expected = read_as_its_type(text);
        for at_once in [1, 7, text.len().max(1)] {
            let pieces = text.chunks(at_once).map(<[u8]>::to_vec);
            let read = read(pieces, &Lines::default(), &[]).map(|stated| stated.statement);
            assert_eq!(read, expected, "{}", String::from_utf8_lossy(text));
        }
        expected
    }

    #[test]
    fn whatever_becomes_of_a_byte_is_told_in_the_same_words() {
        let whole = sample();
        is_read_alike(whole.as_bytes()).expect("a statement");
        for at in 0..whole.len() {
            for byte in [None, Some(b'x'), Some(b'"'), Some(b'}'), Some(0xff)] {
                let mut text = whole.clone().into_bytes();
                match byte {
                    None => drop(text.remove(at)),
                    Some(byte) => text[at] = byte,
                }
                let _ = is_read_alike(&text);
            }
        }
        for length in 0..whole.len() {
            let _ = is_read_alike(&whole.as_bytes()[..length]);
        }
    }

    #[test]
    fn a_member_that_is_there_twice_or_not_at_all_or_is_another_value_is_told_in_the_same_words() {
        let whole = sample();
        let members =
            MEMBERS.into_iter().chain(["_type", "subject", "opened", "snapshot", "records", "texts", "salt"]);
        for member in members.chain(["erased", "roots", "steps", "predicateType"]) {
            let begin = whole.find(&format!("\"{member}\":")).expect("a member");
            let value = begin + member.len() + 3;
            for other in ["null", "1", "\"x\"", "{}", "[]", "[1]", "{\"steps\":[]}"] {
                let _ = is_read_alike(format!("{}{other}{}", &whole[..value], &whole[value..]).as_bytes());
                let doubled = format!("{}\"{member}\":{other},{}", &whole[..begin], &whole[begin..]);
                let _ = is_read_alike(doubled.as_bytes());
                let renamed = format!("{}\"y\":{other},\"{member}2\":{}", &whole[..begin], &whole[value..]);
                let _ = is_read_alike(renamed.as_bytes());
            }
        }
        let without_grade = whole.replace("\"grade\":null,", "");
        let why = is_read_alike(without_grade.as_bytes()).expect_err("a member is missing");
        assert!(why.starts_with("the statement's /predicate: a member is missing: 12 of"), "{why}");
        let without_sealed = without_grade.replace("\"tenant_id\":\"t\",", "");
        let why = is_read_alike(without_sealed.as_bytes()).expect_err("a member is missing");
        assert_eq!(why, "the statement's /predicate: missing field `tenant_id`");
    }

    #[test]
    fn a_list_is_shared_only_where_it_is_the_same() {
        let hashes = [b"a", b"b", b"c"].map(|text| sha256(text));
        let [a, b, c] = hashes;
        for (listed, is_shared) in [
            (vec![Some(a), Some(b), Some(c)], true),
            (vec![Some(a), Some(b)], false),
            (vec![Some(a), Some(b), Some(c), Some(c)], false),
            (vec![Some(a), None, Some(c)], false),
            (vec![Some(b), Some(a), Some(c)], false),
            (vec![], false),
        ] {
            let mut list = Beside::new(&hashes);
            for hash in &listed {
                list.push(*hash);
            }
            assert_eq!(list.end(), (!is_shared).then_some(listed));
        }
        let mut list = Beside::<Hash>::new(&[]);
        list.push(a);
        assert_eq!(list.end(), Some(vec![a]));
    }
}
