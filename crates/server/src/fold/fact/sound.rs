//! Whether a text is JSON that can be read back whole, and of which type it says it is. Nothing is kept of it: most of a batch goes
//! to the log as it came.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// The `type` of an object, if it has one that is a text.
pub(super) fn kind(text: &str) -> Result<Option<Cow<'_, str>>, serde_json::Error> {
    let mut whole = serde_json::Deserializer::from_str(text);
    let kind = whole.deserialize_any(Look { at: Part::Payload })?;
    whole.end()?;
    Ok(kind)
}

/// What of a payload is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// All of it: its type is wanted.
    Payload,
    /// A name or a value right in it: the text is wanted.
    Field,
    /// Anything deeper, of which nothing is wanted.
    Inside,
}

/// A name or a value right in the payload.
struct Field<'a>(Option<Cow<'a, str>>);

impl<'de> Deserialize<'de> for Field<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Look { at: Part::Field }).map(Self)
    }
}

/// Anything. Unlike what serde ignores, its texts are decoded and its numbers converted, as a reader will do.
struct Inside;

impl<'de> Deserialize<'de> for Inside {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Look { at: Part::Inside }).map(|_| Self)
    }
}

struct Look {
    at: Part,
}

impl<'de> Visitor<'de> for Look {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok((self.at == Part::Field).then_some(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok((self.at == Part::Field).then(|| Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while let Some(Inside) = list.next_element()? {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut kind = None;
        if self.at == Part::Payload {
            while let Some((Field(name), Field(value))) = fields.next_entry()? {
                if name.as_deref() == Some("type") {
                    kind = value;
                }
            }
        } else {
            while let Some((Inside, Inside)) = fields.next_entry()? {}
        }
        Ok(kind)
    }
}
