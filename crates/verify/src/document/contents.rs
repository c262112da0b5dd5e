//! `contents`: the texts that records name, each with the name that the salt gives it.

use std::rc::Rc;

use proof::{
    contents::{Content, Salt},
    hash::Hash,
    leaves::ErasedLeaf,
};

use super::logged::{Logged, read_logged};
use crate::{
    json::{Parser, Wrong},
    reader::{Held, Reader, present},
};

/// What is kept of a run's texts.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) erased: Option<Held<Erased>>,
    /// The hash of the salt, as a piece.
    pub(crate) salt: Option<Hash>,
    /// The names of the texts, and how long each is.
    pub(crate) names: Rc<Vec<Hash>>,
    pub(crate) lengths: Vec<u64>,
    /// How many texts there are that no salt names.
    pub(crate) nameless: usize,
}

/// That they were erased, and where the run log says so.
pub(crate) type Erased = Logged<ErasedLeaf>;

/// What texts are named with, as far as that was read.
enum Named {
    NotYet,
    ByNothing,
    By(Held<Hash>),
}

/// Of so many texts, and of twice as many each time, none may be there twice. Of fewer, the manifest tells. So what
/// packs to nothing, the same text again and again, takes no memory that is many times its own length.
const MANY: usize = 1 << 16;

/// The texts, as far as they have been read.
#[derive(Default)]
struct Texts {
    names: Vec<Hash>,
    lengths: Vec<u64>,
    /// Those that came before it was known what they are named with.
    unnamed: Vec<String>,
    /// How many came that nothing names.
    nameless: usize,
}

impl Texts {
    fn push(&mut self, Content { hash, length }: Content) -> Result<(), Wrong> {
        self.names.push(hash);
        self.lengths.push(length);
        let count = self.names.len();
        if count >= MANY && count.is_power_of_two() && has_twins(&self.names) {
            return Err(Wrong::new("a text is there twice"));
        }
        Ok(())
    }
}

fn has_twins(names: &[Hash]) -> bool {
    let mut names = names.to_vec();
    names.sort_unstable();
    names.windows(2).any(|two| two[0] == two[1])
}

pub(super) fn read_contents<R: Reader>(reader: &mut R) -> Result<Contents, Wrong> {
    let (mut erased, mut named, mut texts) = (None, Named::NotYet, None);
    reader.members(&["erased", "salt", "texts"], &[], |reader, name| {
        match name {
            "erased" if reader.null()? => {}
            "erased" => erased = Some(reader.held(read_logged)?),
            "salt" if reader.null()? => named = Named::ByNothing,
            "salt" => named = Named::By(reader.plain()?),
            _ => texts = Some(read_texts(reader, &named)?),
        }
        Ok(())
    })?;
    let mut texts = present(texts)?;
    let unnamed = std::mem::take(&mut texts.unnamed);
    let salt = if let Named::By(Held { value, hash }) = named {
        let salt = Salt::new(value.0);
        for text in unnamed {
            texts.push(salt.name(&text))?;
        }
        Some(hash)
    } else {
        texts.nameless += unnamed.len();
        None
    };
    let Texts { names, lengths, nameless, .. } = texts;
    Ok(Contents { erased, salt, names: Rc::new(names), lengths, nameless })
}

fn read_texts<R: Reader>(reader: &mut R, named: &Named) -> Result<Texts, Wrong> {
    let mut texts = Texts::default();
    match named {
        Named::By(salt) => {
            let salt = Salt::new(salt.value.0);
            reader.elements(|reader| texts.push(reader.one(|parser| Ok(salt.name(&parser.string()?)))?))?;
        }
        Named::ByNothing => {
            texts.nameless = reader.elements(|reader| reader.one(|parser| parser.string().map(drop)))?.len();
        }
        // Of a stream it is known by now.
        Named::NotYet => texts.unnamed = reader.elements(|reader| reader.one(text))?,
    }
    Ok(texts)
}

fn text(parser: &mut Parser<'_>) -> Result<String, Wrong> {
    Ok(parser.string()?.into_owned())
}

#[cfg(test)]
mod tests {
    use proof::hash::sha256;

    use super::*;
    use crate::reader::Whole;

    fn read(text: &str, named: &Named) -> Result<Texts, String> {
        read_texts(&mut Whole::new(text), named).map_err(|wrong| wrong.to_string())
    }

    fn salt() -> Named {
        Named::By(Held { value: sha256(b"salt"), hash: sha256(b"its piece") })
    }

    #[test]
    fn texts_that_nothing_names_are_counted_and_not_kept() {
        for (named, expected) in
            [(Named::ByNothing, (0, 0, 3)), (Named::NotYet, (0, 3, 0)), (salt(), (3, 0, 0))]
        {
            let texts = read(r#"["a","b",""]"#, &named).expect("texts");
            assert_eq!((texts.names.len(), texts.unnamed.len(), texts.nameless), expected);
        }
    }

    #[test]
    fn of_many_texts_none_is_there_twice() {
        let list =
            |texts: &mut dyn Iterator<Item = String>| format!("[{}]", texts.collect::<Vec<_>>().join(","));
        let few = list(&mut (1..MANY).map(|_| "\"\"".to_owned()));
        assert_eq!(read(&few, &salt()).expect("the manifest tells").names.len(), MANY - 1);
        let many = list(&mut (0..MANY).map(|number| format!("\"{number}\"")));
        assert_eq!(read(&many, &salt()).expect("no two are the same").names.len(), MANY);
        let twins = list(&mut (0..=MANY).map(|number| format!("\"{}\"", number.min(MANY - 2))));
        let why = read(&twins, &salt()).err().expect("two are the same");
        assert!(why.contains("a text is there twice"), "{why}");
    }
}
