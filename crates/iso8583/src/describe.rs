//! What may be printed of a message. Masked; there is no other printer.

use crate::digits;
use crate::field::FieldRef;
use crate::message::Message;
use crate::spec::{Dialect, Encoding, Pad, Privacy};
use std::fmt;

/// What stands where a value is not shown.
pub const HIDDEN: &str = "****";

/// A message as a person may read it: `Display` gives one line a field, its parts below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The message type.
    pub mti: String,
    /// The fields, ascending.
    pub fields: Vec<Line>,
}

impl Description {
    /// What may be shown of a message that [`Message::read`] refuses: the fields before the wrong
    /// place. `None` when message type and bitmap cannot be read. To be looked at by a person; a
    /// message that is not whole is nothing to act on.
    #[must_use]
    pub fn of_part(dialect: &'static Dialect, bytes: &[u8]) -> Option<Self> {
        Message::read_part(dialect, bytes).map(|message| message.describe())
    }
}

/// One field of a [`Description`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The field's number.
    pub number: u8,
    /// Its published name.
    pub name: &'static str,
    /// Its Chinese name; empty where the dialect has none.
    pub chinese: &'static str,
    /// How long the value is: digits for packed digits, bytes otherwise.
    pub length: usize,
    /// What may be shown of the value.
    pub shown: String,
    /// What is inside it.
    pub details: Vec<Detail>,
}

/// A part of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// How the specification calls the place: `60.2`, `9F02`.
    pub label: String,
    /// What it is, in Chinese; empty where the value says it itself.
    pub chinese: &'static str,
    /// What may be shown of it.
    pub shown: String,
    /// What the value stands for, where that is defined.
    pub meaning: Option<&'static str>,
}

impl Detail {
    /// A part that is shown.
    #[must_use]
    pub fn open(label: impl Into<String>, chinese: &'static str, shown: impl AsRef<str>) -> Self {
        Self { label: label.into(), chinese, shown: printable(shown.as_ref()), meaning: None }
    }

    /// A part of which only the length is shown.
    #[must_use]
    pub fn hidden(label: impl Into<String>, chinese: &'static str, length: usize) -> Self {
        Self { label: label.into(), chinese, shown: hidden(length), meaning: None }
    }

    /// With what the value stands for.
    #[must_use]
    pub fn meaning(mut self, meaning: Option<&'static str>) -> Self {
        self.meaning = meaning;
        self
    }
}

impl Message<'_> {
    /// What may be shown of the message: card number by its first six and last four digits,
    /// tracks, PIN block, chip data, keys and every other private value by its length.
    #[must_use]
    pub fn describe(&self) -> Description {
        let line = |field: FieldRef<'_>| Line {
            number: field.number(),
            name: field.spec().name(),
            chinese: field.spec().chinese_name(),
            length: field.len(),
            shown: field.masked(),
            details: self.dialect().explain.map_or_else(Vec::new, |explain| explain(self, &field)),
        };
        Description { mti: self.mti().to_string(), fields: self.fields().map(line).collect() }
    }

    /// The bytes in hexadecimal, sixteen a line, what is private as `*`.
    #[must_use]
    pub fn dump(&self) -> String {
        let mut nibbles: Vec<u8> =
            self.expose_bytes().iter().flat_map(|byte| digits::hex_pair(*byte)).collect();
        for field in self.fields() {
            let from = field.position().saturating_mul(2);
            let width = field.expose_wire().len().saturating_mul(2);
            let part = nibbles.get_mut(from..from.saturating_add(width)).unwrap_or_default();
            let visible = field.visible_nibbles();
            for (at, nibble) in part.iter_mut().enumerate() {
                if !visible(at) {
                    *nibble = b'*';
                }
            }
        }
        let mut out = String::new();
        for (at, line) in nibbles.chunks(32).enumerate() {
            let bytes: Vec<String> =
                line.chunks(2).map(|pair| pair.iter().copied().map(char::from).collect()).collect();
            out.push_str(&format!("{:04X}  {}\n", at.saturating_mul(16), bytes.join(" ")));
        }
        out
    }
}

impl FieldRef<'_> {
    /// What may be shown of the value.
    #[must_use]
    pub fn masked(&self) -> String {
        match self.spec().privacy() {
            Privacy::Open => printable(&self.expose()),
            Privacy::Pan => mask_pan(&self.expose()),
            Privacy::Hidden => hidden(self.len()),
        }
    }

    /// Which nibbles of the wire form may be shown.
    fn visible_nibbles(&self) -> impl Fn(usize) -> bool + use<> {
        let units = self.len();
        let is_packed = matches!(self.spec().encoding(), Encoding::Bcd | Encoding::Nibble);
        let shift = usize::from(is_packed && units & 1 == 1 && self.spec().pad() == Pad::Before);
        let privacy = self.spec().privacy();
        move |nibble| match privacy {
            Privacy::Open => true,
            Privacy::Hidden => false,
            Privacy::Pan => {
                let unit = if is_packed { nibble.checked_sub(shift) } else { Some(nibble >> 1) };
                unit.is_none_or(|unit| unit >= units || is_shown(unit, units))
            }
        }
    }
}

/// Whether the digit at `at` of a card number of `length` digits may be shown. PCI DSS 3.4.1: at
/// most the first six and the last four; of what is no card number's length, none.
const fn is_shown(at: usize, length: usize) -> bool {
    length >= 13 && (at < 6 || at.saturating_add(4) >= length)
}

/// A card number by its first six and last four digits.
#[must_use]
pub fn mask_pan(pan: &str) -> String {
    let length = pan.chars().count();
    pan.chars().enumerate().map(|(at, digit)| if is_shown(at, length) { digit } else { '*' }).collect()
}

/// The length of what is not shown.
pub(crate) fn hidden(length: usize) -> String {
    format!("{HIDDEN} ({length})")
}

/// Text without anything that moves a terminal's cursor.
fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '\u{FFFD}' } else { character }).collect()
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.mti)?;
        for field in &self.fields {
            let Line { number, name, chinese, shown, .. } = field;
            let gap = if chinese.is_empty() { "" } else { " " };
            writeln!(f, "{number:>3} {chinese}{gap}{name}: {}", shown.trim_end())?;
            for Detail { label, chinese, shown, meaning } in &field.details {
                let name = if chinese.is_empty() { "  -".to_owned() } else { format!("{chinese}:") };
                write!(f, "      {label:<6} {name} {shown}")?;
                match meaning {
                    Some(meaning) => writeln!(f, " ({meaning})")?,
                    None => writeln!(f)?,
                }
            }
        }
        Ok(())
    }
}
