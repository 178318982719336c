//! Facts: the named values that a state or an event carries, as text.
//!
//! Domain types know nothing of databases or JSON. They can only say their facts by name
//! ([`Record`]) and be rebuilt from them; `app` seals those bytes and `store` keeps them.

use crate::instant::{Date, Timestamp, format_date, parse_date};
use std::collections::BTreeMap;

/// The facts of one state or event, by field name.
pub type Record = BTreeMap<String, String>;

/// A stored state or event that does not read back: a bug, or a record changed by hand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FactError {
    /// The name of the state or event is not one of this type's.
    #[error("{kind} has no variant named {name:?}")]
    UnknownVariant {
        /// The type asked.
        kind: &'static str,
        /// The name found.
        name: String,
    },
    /// A fact is absent or its text is not of its type.
    #[error("{kind} {variant}: fact {field} is absent or malformed")]
    BadField {
        /// The type asked.
        kind: &'static str,
        /// The variant being rebuilt.
        variant: &'static str,
        /// The fact's name.
        field: &'static str,
    },
}

/// A value that can stand in a [`Record`]. `None` means the fact is not written at all.
pub trait FactValue: Sized {
    /// The value as text, or `None` to leave it out.
    fn to_fact(&self) -> Option<String>;
    /// The value from its text; `fact` is `None` when it was left out.
    fn from_fact(fact: Option<&str>) -> Option<Self>;
}

impl FactValue for String {
    fn to_fact(&self) -> Option<String> {
        Some(self.clone())
    }
    fn from_fact(fact: Option<&str>) -> Option<Self> {
        fact.map(str::to_owned)
    }
}

macro_rules! number_facts {
    ($($number:ty),+) => {$(
        impl FactValue for $number {
            fn to_fact(&self) -> Option<String> { Some(self.to_string()) }
            fn from_fact(fact: Option<&str>) -> Option<Self> { fact?.parse().ok() }
        }
    )+};
}
number_facts!(i64, u64, u32, u8, bool);

impl FactValue for Timestamp {
    fn to_fact(&self) -> Option<String> {
        Some(self.micros().to_string())
    }
    fn from_fact(fact: Option<&str>) -> Option<Self> {
        fact?.parse().ok().map(Self::from_micros)
    }
}

impl FactValue for Date {
    fn to_fact(&self) -> Option<String> {
        Some(format_date(*self))
    }
    fn from_fact(fact: Option<&str>) -> Option<Self> {
        parse_date(fact?)
    }
}

impl<T: FactValue> FactValue for Option<T> {
    fn to_fact(&self) -> Option<String> {
        self.as_ref().and_then(FactValue::to_fact)
    }
    fn from_fact(fact: Option<&str>) -> Option<Self> {
        match fact {
            None => Some(None),
            some => T::from_fact(some).map(Some),
        }
    }
}

/// Lists keep their order; items are joined by U+001F, which no item may contain.
impl<T: FactValue> FactValue for Vec<T> {
    fn to_fact(&self) -> Option<String> {
        let items: Vec<String> = self.iter().filter_map(FactValue::to_fact).collect();
        (!items.is_empty()).then(|| items.join("\u{1f}"))
    }
    fn from_fact(fact: Option<&str>) -> Option<Self> {
        fact.map_or(Some(Vec::new()), |text| {
            text.split('\u{1f}').map(|item| T::from_fact(Some(item))).collect()
        })
    }
}

/// Declares an enum of bare names: `as_str`, `parse`, `ALL`, and [`FactValue`].
#[macro_export]
macro_rules! text_enum {
    ($(#[$doc:meta])* $vis:vis enum $name:ident { $($(#[$vdoc:meta])* $variant:ident $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name { $($(#[$vdoc])* $variant),+ }
        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The name used in code, API, pages and the store.
            #[must_use]
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $text),+ } }
            /// The value with that name.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> { match text { $($text => Some(Self::$variant),)+ _ => None } }
        }
        impl $crate::fact::FactValue for $name {
            fn to_fact(&self) -> Option<String> { Some(self.as_str().to_owned()) }
            fn from_fact(fact: Option<&str>) -> Option<Self> { Self::parse(fact?) }
        }
    };
}

/// Declares an enum whose variants carry named facts: `name`, `facts`, `restore`, `NAMES`.
#[macro_export]
macro_rules! facts_enum {
    ($(#[$doc:meta])* $vis:vis enum $name:ident {
        $($(#[$vdoc:meta])* $variant:ident $text:literal { $($(#[$fdoc:meta])* $field:ident: $type:ty),* $(,)? }),+ $(,)?
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        $vis enum $name { $($(#[$vdoc])* $variant {
            $($(#[$fdoc])* #[doc = concat!("Fact `", stringify!($field), "`.")] $field: $type),*
        }),+ }
        impl $name {
            /// Every name, in the order of declaration.
            pub const NAMES: &'static [&'static str] = &[$($text),+];
            /// The name used in code, API, pages and the store.
            #[must_use]
            pub const fn name(&self) -> &'static str { match self { $(Self::$variant { .. } => $text),+ } }
            /// The facts by field name.
            #[must_use]
            pub fn facts(&self) -> $crate::fact::Record {
                match self { $(Self::$variant { $($field),* } => {
                    [$((stringify!($field), $crate::fact::FactValue::to_fact($field))),*]
                        .into_iter()
                        .filter_map(|(name, value): (&str, Option<String>)| Some((name.to_owned(), value?)))
                        .collect()
                }),+ }
            }
            /// Rebuilds the value from its name and facts.
            ///
            /// # Errors
            /// When the name is unknown or a fact is absent or malformed.
            pub fn restore(name: &str, record: &$crate::fact::Record) -> Result<Self, $crate::fact::FactError> {
                let _ = record;
                match name {
                    $($text => Ok(Self::$variant { $($field: $crate::fact::FactValue::from_fact(
                        record.get(stringify!($field)).map(String::as_str))
                        .ok_or($crate::fact::FactError::BadField {
                            kind: stringify!($name), variant: $text, field: stringify!($field) })?),* }),)+
                    _ => Err($crate::fact::FactError::UnknownVariant { kind: stringify!($name), name: name.to_owned() }),
                }
            }
        }
    };
}
