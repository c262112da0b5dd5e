//! What a type is made of, seen by letting it read itself.

use proof::forms::Form;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IntoDeserializer as _, MapAccess, SeqAccess, Visitor, value::Error},
    forward_to_deserialize_any,
};

use super::types::{Struct, Types};

/// What a member holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Text(Form),
    Count,
    Integer,
    Bool,
    Word(&'static str),
    List(Box<Kind>),
    Map(Box<Kind>, Box<Kind>),
    Of(&'static str),
    OrNull(Box<Kind>),
}

/// The kind of a type. The types and vocabularies that it needs are noted.
pub(super) fn trace<'de, T: Deserialize<'de>>(types: &mut Types) -> Kind {
    let mut kind = Kind::Bool;
    T::deserialize(Trace { types, kind: &mut kind, member: "" }).expect("a type that reads what it asks for");
    kind
}

/// Answers whatever is asked for with a value of that sort, and notes what was asked.
struct Trace<'t> {
    types: &'t mut Types,
    kind: &'t mut Kind,
    member: &'static str,
}

impl<'de> Deserializer<'de> for Trace<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(serde::de::Error::custom(format!("`{}` may be anything", self.member)))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        *self.kind = Kind::Bool;
        visitor.visit_bool(false)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        *self.kind = Kind::Count;
        visitor.visit_u64(0)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        *self.kind = Kind::Integer;
        visitor.visit_i64(0)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        *self.kind = Kind::Text(Form::of(self.member));
        visitor.visit_str("")
    }

    /// Only a hash borrows its text.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        *self.kind = Kind::Text(Form::Hash);
        visitor.visit_str(&"0".repeat(64))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut of = Kind::Bool;
        let read = visitor.visit_some(Trace { types: self.types, kind: &mut of, member: self.member });
        *self.kind = Kind::OrNull(Box::new(of));
        read
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut of = Kind::Bool;
        let read = visitor.visit_seq(One { types: self.types, kind: &mut of, left: true });
        *self.kind = Kind::List(Box::new(of));
        read
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let (mut key, mut of) = (Kind::Bool, Kind::Bool);
        let read = visitor.visit_map(Entry { types: self.types, key: &mut key, kind: &mut of, left: true });
        *self.kind = Kind::Map(Box::new(key), Box::new(of));
        read
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        *self.kind = Kind::Of(name);
        let at = self.types.structs.len();
        let known = self.types.structs.iter().any(|it| it.name == name);
        if !known {
            self.types.structs.push(Struct { name, tag: None, members: Vec::new() });
        }
        let mut members = Vec::new();
        let read = visitor.visit_map(Members { types: self.types, fields, found: &mut members })?;
        if !known {
            self.types.structs[at].members = members;
        }
        Ok(read)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        *self.kind = Kind::Word(name);
        self.types.words.insert(name, variants);
        visitor.visit_enum(variants[0].into_deserializer())
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u128 f32 f64 char bytes byte_buf unit unit_struct newtype_struct tuple
        tuple_struct identifier ignored_any
    }
}

/// A list of one.
struct One<'t> {
    types: &'t mut Types,
    kind: &'t mut Kind,
    left: bool,
}

impl<'de> SeqAccess<'de> for One<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        if !std::mem::take(&mut self.left) {
            return Ok(None);
        }
        seed.deserialize(Trace { types: self.types, kind: self.kind, member: "" }).map(Some)
    }
}

/// An object of one member whose name is free.
struct Entry<'t> {
    types: &'t mut Types,
    key: &'t mut Kind,
    kind: &'t mut Kind,
    left: bool,
}

impl<'de> MapAccess<'de> for Entry<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        if !std::mem::take(&mut self.left) {
            return Ok(None);
        }
        seed.deserialize(Trace { types: self.types, kind: self.key, member: "" }).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(Trace { types: self.types, kind: self.kind, member: "" })
    }
}

/// The members of a struct, each once.
struct Members<'t> {
    types: &'t mut Types,
    fields: &'static [&'static str],
    found: &'t mut Vec<(&'static str, Kind)>,
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some(field) = self.fields.get(self.found.len()) else { return Ok(None) };
        let key: serde::de::value::StrDeserializer<'_, Error> = field.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let member = self.fields[self.found.len()];
        let mut kind = Kind::Bool;
        let read = seed.deserialize(Trace { types: self.types, kind: &mut kind, member });
        self.found.push((member, kind));
        read
    }
}
