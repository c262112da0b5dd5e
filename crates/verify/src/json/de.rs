//! serde over the parser. A struct must find all of its members, `Option`s too: a proof leaves nothing out.

use std::borrow::Cow;

use proof::{forms::Form, tagged::Tagged};
use serde::{
    Deserialize, Deserializer, de,
    de::{IntoDeserializer, Visitor, value::CowStrDeserializer},
    forward_to_deserialize_any,
};

use super::{
    parser::{MemberState, Parser},
    wrong::Wrong,
};

impl<'de> Parser<'de> {
    /// Reads a value under its tag.
    pub(crate) fn tagged<T: Tagged>(&mut self) -> Result<T, Wrong> {
        T::deserialize(TaggedParser { parser: self, tag: T::TYPE })
    }

    /// Reads a value that stands under this name, and looks as such values must.
    pub(crate) fn under<T: Deserialize<'de>>(&mut self, name: &str) -> Result<T, Wrong> {
        self.form = Form::of(name);
        let value = T::deserialize(&mut *self);
        self.form = Form::Any;
        value
    }

    /// Reads an object for a visitor; `fields` are all that must be there, the tag aside.
    fn object<V: Visitor<'de>>(
        &mut self,
        fields: Option<&'static [&'static str]>,
        tag: Option<&'static str>,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.open(b'{')?;
        self.form = Form::Any;
        // A struct knows its members and sees when one comes twice; a map does not.
        let state = if fields.is_some() { MemberState::default() } else { MemberState::of_any() };
        let mut members =
            Members { parser: self, state, name: Cow::Borrowed(""), count: 0, tag, tagged: false };
        let value = visitor.visit_map(&mut members)?;
        let (count, tagged) = (members.count, members.tagged);
        if self.peek()? != b'}' {
            return Err(Wrong::new("an object goes on where it should end"));
        }
        self.close();
        if tag.is_some() && !tagged {
            return Err(Wrong::new("the member `type` is missing"));
        }
        match fields {
            Some(fields) if count != fields.len() => {
                Err(Wrong::new(format!("a member is missing: {count} of {} are there", fields.join(", "))))
            }
            _ => Ok(value),
        }
    }
}

impl<'de> Deserializer<'de> for &mut Parser<'de> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.peek()? {
            b'{' => self.object(None, None, visitor),
            b'[' => self.deserialize_seq(visitor),
            b'"' => self.deserialize_str(visitor),
            b't' => {
                self.word("true")?;
                visitor.visit_bool(true)
            }
            b'f' => {
                self.word("false")?;
                visitor.visit_bool(false)
            }
            b'n' => {
                self.word("null")?;
                visitor.visit_unit()
            }
            _ => {
                let integer = self.integer()?;
                match u64::try_from(integer) {
                    Ok(count) => visitor.visit_u64(count),
                    Err(_) => visitor.visit_i64(integer),
                }
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if self.null()? { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if self.peek()? != b'"' {
            return self.deserialize_any(visitor);
        }
        match self.string()? {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if self.peek()? != b'"' {
            return self.deserialize_any(visitor);
        }
        let text = self.string()?;
        if !self.form.admits(&text) {
            return Err(Wrong::new(match self.form {
                Form::Time => format!("`{text}` is no time of the form 2026-01-31T23:59:59.000000Z"),
                _ => format!("`{text}` is no hash: 64 lower-case hex digits"),
            }));
        }
        match text {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.open(b'[')?;
        let value = visitor.visit_seq(Elements { parser: self, count: 0 })?;
        if self.peek()? != b']' {
            return Err(Wrong::new("an array goes on where it should end"));
        }
        self.close();
        Ok(value)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.object(Some(fields), None, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_enum(name(self.string()?))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct
        map identifier ignored_any
    }
}

fn name(text: Cow<'_, str>) -> CowStrDeserializer<'_, Wrong> {
    text.into_deserializer()
}

/// Reads a struct whose object also bears its tag.
struct TaggedParser<'p, 'de> {
    parser: &'p mut Parser<'de>,
    tag: &'static str,
}

impl<'de> Deserializer<'de> for TaggedParser<'_, 'de> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Wrong> {
        Err(Wrong::new("only a struct bears a tag"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.parser.object(Some(fields), Some(self.tag), visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct Members<'p, 'de> {
    parser: &'p mut Parser<'de>,
    state: MemberState<'de>,
    /// The member whose value comes next.
    name: Cow<'de, str>,
    count: usize,
    tag: Option<&'static str>,
    tagged: bool,
}

impl<'de> de::MapAccess<'de> for &mut Members<'_, 'de> {
    type Error = Wrong;

    fn next_key_seed<K: de::DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Wrong> {
        while let Some(found) = self.parser.member(&mut self.state)? {
            if let Some(tag) = self.tag.filter(|_| found == "type") {
                let stated = self.parser.string().map_err(|wrong| wrong.within("type"))?;
                if stated != tag {
                    return Err(Wrong::new(format!("`{stated}` where `{tag}` belongs")).within("type"));
                }
                if std::mem::replace(&mut self.tagged, true) {
                    return Err(Wrong::new("duplicate field `type`"));
                }
                continue;
            }
            self.count += 1;
            self.name.clone_from(&found);
            return seed.deserialize(name(found)).map(Some);
        }
        Ok(None)
    }

    fn next_value_seed<V: de::DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        self.parser.form = Form::of(&self.name);
        let value = seed.deserialize(&mut *self.parser);
        self.parser.form = Form::Any;
        value.map_err(|wrong| wrong.within(&self.name))
    }
}

struct Elements<'p, 'de> {
    parser: &'p mut Parser<'de>,
    count: usize,
}

impl<'de> de::SeqAccess<'de> for Elements<'_, 'de> {
    type Error = Wrong;

    fn next_element_seed<T: de::DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Wrong> {
        if !self.parser.element(self.count == 0)? {
            return Ok(None);
        }
        let value = seed.deserialize(&mut *self.parser).map_err(|wrong| wrong.within(self.count))?;
        self.count += 1;
        Ok(Some(value))
    }
}
