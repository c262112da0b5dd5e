//! The serde serializer behind canonical bytes: members are written as they come and put in order when
//! their object ends.

use std::ops::Range;

use serde::ser::{self, Impossible, Serialize};

use super::{
    refused::{MAX_INTEGER, NotCanonical},
    text::{cmp_member_names, read_string, write_integer, write_string},
};

/// More structs than anybody hashes.
const MAX_ORDERS: usize = 64;

/// What outlives one value, so that the next one allocates nothing.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Members of every object that is open, innermost last.
    members: Vec<Member>,
    /// Their names, unescaped.
    names: String,
    /// An object's members in their order, before they replace what was written.
    ordered: Vec<u8>,
    /// For structs met before, by name and number of fields: the order that put their members right.
    orders: Vec<Order>,
}

#[derive(Debug)]
struct Order {
    name: &'static str,
    members: Vec<usize>,
}

impl State {
    pub(super) fn clear(&mut self) {
        self.members.clear();
        self.names.clear();
    }
}

/// Where one member's name and its `"name":value` were written.
#[derive(Clone, Debug)]
struct Member {
    /// The name's first eight bytes: enough to order most names.
    prefix: u64,
    name: Range<usize>,
    written: Range<usize>,
}

pub(super) struct Writer<'w> {
    pub(super) out: &'w mut Vec<u8>,
    pub(super) state: &'w mut State,
}

impl Writer<'_> {
    fn integer(&mut self, negative: bool, magnitude: u128) -> Result<(), NotCanonical> {
        match u64::try_from(magnitude) {
            Ok(small) if small <= MAX_INTEGER => {
                write_integer(negative, small, self.out);
                Ok(())
            }
            _ => Err(NotCanonical::TooLarge(format!("{}{magnitude}", if negative { "-" } else { "" }))),
        }
    }

    fn object(&mut self, of: Option<&'static str>) -> Object<'_> {
        self.out.push(b'{');
        let start = self.out.len();
        Object {
            first: self.state.members.len(),
            names: self.state.names.len(),
            start,
            pending: (start, 0),
            of,
            out: self.out,
            state: self.state,
        }
    }

    fn array(&mut self) -> Array<'_> {
        self.out.push(b'[');
        Array { empty: true, out: self.out, state: self.state }
    }
}

/// An array that is being written.
pub(super) struct Array<'w> {
    empty: bool,
    out: &'w mut Vec<u8>,
    state: &'w mut State,
}

impl Array<'_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotCanonical> {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        value.serialize(&mut Writer { out: self.out, state: self.state })
    }

    #[expect(clippy::unnecessary_wraps, reason = "serde's traits ask for a result")]
    fn close(self) -> Result<(), NotCanonical> {
        self.out.push(b']');
        Ok(())
    }
}

/// An object that is being written.
pub(super) struct Object<'w> {
    /// Where its members, names and bytes begin.
    first: usize,
    names: usize,
    start: usize,
    /// Where a map's member and its name begin, between its key and its value.
    pending: (usize, usize),
    /// The struct's name, if it is one.
    of: Option<&'static str>,
    out: &'w mut Vec<u8>,
    state: &'w mut State,
}

impl Object<'_> {
    /// Where the next member begins.
    fn begin(&mut self) -> usize {
        if self.out.len() > self.start {
            self.out.push(b',');
        }
        self.out.len()
    }

    /// The value of the member that was begun at `at` and whose name is `names[name..]`.
    fn value<T: Serialize + ?Sized>(
        &mut self,
        at: usize,
        name: usize,
        value: &T,
    ) -> Result<(), NotCanonical> {
        let name = name..self.state.names.len();
        self.out.push(b':');
        value.serialize(&mut Writer { out: self.out, state: self.state })?;
        let prefix = prefix(&self.state.names.as_bytes()[name.clone()]);
        self.state.members.push(Member { prefix, name, written: at..self.out.len() });
        Ok(())
    }

    fn named<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), NotCanonical> {
        let (at, from) = (self.begin(), self.state.names.len());
        write_string(name, self.out);
        self.state.names.push_str(name);
        self.value(at, from, value)
    }

    fn close(self) -> Result<(), NotCanonical> {
        let State { members, names, ordered, orders } = self.state;
        let own = &members[self.first..];
        let ascii = names[self.names..].is_ascii();
        let compare = |a: &Member, b: &Member| {
            let (left, right) = (&names[a.name.clone()], &names[b.name.clone()]);
            if ascii {
                a.prefix.cmp(&b.prefix).then_with(|| left.cmp(right))
            } else {
                cmp_member_names(left, right)
            }
        };
        if !own.is_sorted_by(|a, b| compare(a, b).is_lt()) {
            // The same struct's members come in the same order each time, unless it skips some.
            let same = |order: &Order| order.members.len() == own.len() && Some(order.name) == self.of;
            let right =
                |order: &&Order| order.members.is_sorted_by(|a, b| compare(&own[*a], &own[*b]).is_lt());
            let mut sorted = Vec::new();
            let order = if let Some(known) = orders.iter().find(|order| same(order) && right(order)) {
                &known.members
            } else {
                sorted.extend(0..own.len());
                sorted.sort_unstable_by(|a, b| compare(&own[*a], &own[*b]));
                &sorted
            };
            if let Some(twice) = order.windows(2).find(|pair| compare(&own[pair[0]], &own[pair[1]]).is_eq()) {
                return Err(NotCanonical::Duplicate(names[own[twice[0]].name.clone()].to_owned()));
            }
            ordered.clear();
            for (at, member) in order.iter().enumerate() {
                if at > 0 {
                    ordered.push(b',');
                }
                ordered.extend_from_slice(&self.out[own[*member].written.clone()]);
            }
            self.out[self.start..].copy_from_slice(ordered);
            if let Some(name) = self.of.filter(|_| !sorted.is_empty() && orders.len() < MAX_ORDERS) {
                orders.push(Order { name, members: sorted });
            }
        }
        members.truncate(self.first);
        names.truncate(self.names);
        self.out.push(b'}');
        Ok(())
    }
}

/// The first eight bytes as a number that orders as they do; shorter names are padded with the lowest byte.
fn prefix(name: &[u8]) -> u64 {
    let mut first = [0u8; 8];
    let len = name.len().min(8);
    first[..len].copy_from_slice(&name[..len]);
    u64::from_be_bytes(first)
}

impl<'w> ser::Serializer for &'w mut Writer<'_> {
    type Ok = ();
    type Error = NotCanonical;
    type SerializeSeq = Array<'w>;
    type SerializeTuple = Array<'w>;
    type SerializeTupleStruct = Array<'w>;
    type SerializeTupleVariant = Impossible<(), NotCanonical>;
    type SerializeMap = Object<'w>;
    type SerializeStruct = Object<'w>;
    type SerializeStructVariant = Impossible<(), NotCanonical>;

    fn serialize_bool(self, value: bool) -> Result<(), NotCanonical> {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), NotCanonical> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), NotCanonical> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), NotCanonical> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), NotCanonical> {
        self.integer(value < 0, value.unsigned_abs().into())
    }

    fn serialize_i128(self, value: i128) -> Result<(), NotCanonical> {
        self.integer(value < 0, value.unsigned_abs())
    }

    fn serialize_u8(self, value: u8) -> Result<(), NotCanonical> {
        self.integer(false, value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), NotCanonical> {
        self.integer(false, value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), NotCanonical> {
        self.integer(false, value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), NotCanonical> {
        self.integer(false, value.into())
    }

    fn serialize_u128(self, value: u128) -> Result<(), NotCanonical> {
        self.integer(false, value)
    }

    fn serialize_f32(self, _value: f32) -> Result<(), NotCanonical> {
        Err(NotCanonical::Float)
    }

    fn serialize_f64(self, _value: f64) -> Result<(), NotCanonical> {
        Err(NotCanonical::Float)
    }

    fn serialize_char(self, value: char) -> Result<(), NotCanonical> {
        write_string(value.encode_utf8(&mut [0; 4]), self.out);
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), NotCanonical> {
        write_string(value, self.out);
        Ok(())
    }

    fn serialize_bytes(self, _value: &[u8]) -> Result<(), NotCanonical> {
        Err(NotCanonical::Bytes)
    }

    fn serialize_none(self) -> Result<(), NotCanonical> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NotCanonical> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), NotCanonical> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), NotCanonical> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), NotCanonical> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), NotCanonical> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), NotCanonical> {
        let mut object = self.object(None);
        object.named(variant, value)?;
        object.close()
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Array<'w>, NotCanonical> {
        Ok(self.array())
    }

    fn serialize_tuple(self, _len: usize) -> Result<Array<'w>, NotCanonical> {
        Ok(self.array())
    }

    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<Array<'w>, NotCanonical> {
        Ok(self.array())
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeTupleVariant, NotCanonical> {
        Err(NotCanonical::Other(format!("the variant `{variant}` with unnamed fields is no record")))
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Object<'w>, NotCanonical> {
        Ok(self.object(None))
    }

    fn serialize_struct(self, name: &'static str, _len: usize) -> Result<Object<'w>, NotCanonical> {
        Ok(self.object(Some(name)))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeStructVariant, NotCanonical> {
        Err(NotCanonical::Other(format!("the variant `{variant}` without a tag inside is no record")))
    }
}

impl ser::SerializeSeq for Array<'_> {
    type Ok = ();
    type Error = NotCanonical;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotCanonical> {
        self.element(value)
    }

    fn end(self) -> Result<(), NotCanonical> {
        self.close()
    }
}

impl ser::SerializeTuple for Array<'_> {
    type Ok = ();
    type Error = NotCanonical;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotCanonical> {
        self.element(value)
    }

    fn end(self) -> Result<(), NotCanonical> {
        self.close()
    }
}

impl ser::SerializeTupleStruct for Array<'_> {
    type Ok = ();
    type Error = NotCanonical;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotCanonical> {
        self.element(value)
    }

    fn end(self) -> Result<(), NotCanonical> {
        self.close()
    }
}

impl ser::SerializeStruct for Object<'_> {
    type Ok = ();
    type Error = NotCanonical;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), NotCanonical> {
        self.named(name, value)
    }

    fn end(self) -> Result<(), NotCanonical> {
        self.close()
    }
}

impl ser::SerializeMap for Object<'_> {
    type Ok = ();
    type Error = NotCanonical;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NotCanonical> {
        let at = self.begin();
        key.serialize(&mut Writer { out: self.out, state: self.state })?;
        let name = self.state.names.len();
        if !read_string(&self.out[at..], &mut self.state.names) {
            return Err(NotCanonical::Name);
        }
        self.pending = (at, name);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotCanonical> {
        let (at, name) = self.pending;
        self.value(at, name, value)
    }

    fn end(self) -> Result<(), NotCanonical> {
        self.close()
    }
}
