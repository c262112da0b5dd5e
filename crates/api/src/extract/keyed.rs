//! Bodies of writes, which may say the idempotency key as the header does.

use std::marker::PhantomData;

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeSeed, Error as _, IntoDeserializer as _, MapAccess, Visitor, value::MapAccessDeserializer,
    },
};

/// The member that is one thing with the header `Idempotency-Key`.
pub(crate) const MEMBER: &str = "idempotency_key";

/// A body, and the key that it says beside its own members.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct WithKey<T> {
    pub(crate) body: T,
    pub(crate) key: Option<String>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for WithKey<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = WithKey<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<WithKey<T>, A::Error> {
                let mut key = Key::default();
                let others = Others { members, key: &mut key };
                let body = T::deserialize(MapAccessDeserializer::new(others))?;
                Ok(WithKey { body, key: key.key })
            }
        }

        from.deserialize_map(Members(PhantomData))
    }
}

/// What a body says of its key.
#[derive(Default)]
struct Key {
    is_said: bool,
    key: Option<String>,
}

/// The members of a body but for the key, which is kept when it is met.
struct Others<'k, A> {
    members: A,
    key: &'k mut Key,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Others<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(name) = self.members.next_key::<String>()? {
            if name != MEMBER {
                return seed.deserialize(name.into_deserializer()).map(Some);
            }
            let key = self.members.next_value()?;
            if std::mem::replace(self.key, Key { is_said: true, key }).is_said {
                return Err(A::Error::duplicate_field(MEMBER));
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.members.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::parse;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Body {
        note: Option<String>,
        limits: Option<Vec<u8>>,
    }

    fn read(json: &str) -> Result<WithKey<Body>, crate::Problem> {
        parse(json.as_bytes())
    }

    #[test]
    fn a_body_says_its_key_beside_what_it_has() {
        let with = |note: Option<&str>, key: Option<&str>| WithKey {
            body: Body { note: note.map(str::to_owned), limits: None },
            key: key.map(str::to_owned),
        };
        for (json, read_as) in [
            ("{}", with(None, None)),
            (r#"{"note":"n"}"#, with(Some("n"), None)),
            (r#"{"idempotency_key":"k"}"#, with(None, Some("k"))),
            (r#"{"idempotency_key":"k","note":"n"}"#, with(Some("n"), Some("k"))),
            (r#"{"note":"n","idempotency_key":null}"#, with(Some("n"), None)),
        ] {
            assert_eq!(read(json).expect(json), read_as, "{json}");
        }
        for (json, said) in [
            (r#"{"idempotency_key":1}"#, "/idempotency_key"),
            (r#"{"idempotency_key":"k","idempotency_key":"k"}"#, "duplicate"),
            (r#"{"idempotency_key":"k","limits":[1,"x"]}"#, "/limits/1"),
            (r#"{"idempotency_key":"k","other":1}"#, "other"),
            ("[]", "object"),
        ] {
            let problem = format!("{:?}", read(json).expect_err(json));
            assert!(problem.contains(said), "{json}: {problem}");
        }
    }
}
