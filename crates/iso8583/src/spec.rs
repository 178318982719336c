//! A dialect as data: what each field holds, how it is written, how long it may be, who may see it.
//!
//! Nothing here reads or writes; [`Message`] and [`Writer`](crate::Writer) follow
//! the table. A dialect of your own is one `static` of [`Dialect::new`]; a table that contradicts
//! itself does not compile.

use crate::describe::Detail;
use crate::field::FieldRef;
use crate::message::Message;
use crate::shape::Shape;

/// What a field may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `n`: decimal digits.
    Digits,
    /// `x+n`: `C` or `D`, then decimal digits.
    Signed,
    /// `z`: track data. The separator `=` travels as nibble D; encrypted tracks hold any nibble.
    Track,
    /// `an`: letters, digits, spaces. Read: any printable ASCII character.
    Alphanumeric,
    /// `ans` of identifiers: printable ASCII characters.
    Printable,
    /// `ans`: text. Built: valid and without control characters. Read: any bytes, because a host
    /// that cuts a text within a character must not cost a payment.
    Text,
    /// `b`: any bytes.
    Binary,
    /// Text in some messages and bytes in others: any bytes.
    Mixed,
}

/// How a value is written on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Two decimal digits a byte; lengths count digits.
    Bcd,
    /// Two hexadecimal digits a byte; lengths count digits.
    Nibble,
    /// One ASCII character a byte.
    Ascii,
    /// Text in GBK; lengths count bytes.
    Gbk,
    /// Bytes as they are.
    Binary,
    /// Bytes as two hexadecimal characters each; lengths count the bytes before that.
    Hex,
}

/// How the length of a variable field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Prefix {
    /// LL in one BCD byte.
    Bcd1,
    /// LLL in two BCD bytes, the first nibble zero.
    Bcd2,
    /// LL in two ASCII digits.
    Ascii2,
    /// LLL in three ASCII digits.
    Ascii3,
}

impl Prefix {
    /// How many bytes the prefix takes.
    #[must_use]
    pub const fn bytes(self) -> u8 {
        match self {
            Self::Bcd1 => 1,
            Self::Bcd2 | Self::Ascii2 => 2,
            Self::Ascii3 => 3,
        }
    }

    /// The largest length it can express.
    #[must_use]
    pub const fn most(self) -> u16 {
        match self {
            Self::Bcd1 | Self::Ascii2 => 99,
            Self::Bcd2 | Self::Ascii3 => 999,
        }
    }
}

/// How long a field is, in digits for BCD and nibbles, in bytes otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Length {
    /// Always this long.
    Fixed(u16),
    /// Written before the value.
    Variable {
        /// How the length is written.
        prefix: Prefix,
        /// The most the specification allows, and the most that is built.
        published: u16,
        /// The most that is read: live messages are longer here and there.
        tolerated: u16,
    },
}

/// On which side an odd number of digits, or a text shorter than its field, is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pad {
    /// Value first, filling last: `021` is `02 10`.
    After,
    /// Filling first, value last: `001` is `00 01`.
    Before,
}

/// What a printer may show of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Privacy {
    /// All of it.
    Open,
    /// A card number: its first six and last four digits.
    Pan,
    /// Its length only.
    Hidden,
}

/// One data element of a dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    pub(crate) number: u8,
    pub(crate) name: &'static str,
    pub(crate) chinese: &'static str,
    pub(crate) kind: Kind,
    pub(crate) encoding: Encoding,
    pub(crate) length: Length,
    pub(crate) pad: Pad,
    pub(crate) privacy: Privacy,
}

impl Field {
    /// A field of fixed length, shown openly, filled after its value.
    #[must_use]
    pub const fn fixed(number: u8, name: &'static str, kind: Kind, encoding: Encoding, length: u16) -> Self {
        Self {
            number,
            name,
            chinese: "",
            kind,
            encoding,
            length: Length::Fixed(length),
            pad: Pad::After,
            privacy: Privacy::Open,
        }
    }

    /// A field of variable length, shown openly, filled after its value.
    #[must_use]
    pub const fn variable(
        number: u8,
        name: &'static str,
        kind: Kind,
        encoding: Encoding,
        prefix: Prefix,
        published: u16,
    ) -> Self {
        let length = Length::Variable { prefix, published, tolerated: published };
        Self { length, ..Self::fixed(number, name, kind, encoding, 0) }
    }

    /// The Chinese name.
    #[must_use]
    pub const fn chinese(self, chinese: &'static str) -> Self {
        Self { chinese, ..self }
    }

    /// Reads values up to this length although the specification allows less.
    #[must_use]
    pub const fn tolerating(self, tolerated: u16) -> Self {
        match self.length {
            Length::Fixed(_) => self,
            Length::Variable { prefix, published, .. } => {
                Self { length: Length::Variable { prefix, published, tolerated }, ..self }
            }
        }
    }

    /// Fills before the value instead of after it.
    #[must_use]
    pub const fn filled_before(self) -> Self {
        Self { pad: Pad::Before, ..self }
    }

    /// What a printer may show.
    #[must_use]
    pub const fn private(self, privacy: Privacy) -> Self {
        Self { privacy, ..self }
    }

    /// Its number, 2 to 128.
    #[must_use]
    pub const fn number(&self) -> u8 {
        self.number
    }

    /// Its published name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its Chinese name; empty where none was given.
    #[must_use]
    pub const fn chinese_name(&self) -> &'static str {
        self.chinese
    }

    /// What it may hold.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// How it is written.
    #[must_use]
    pub const fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// How long it is.
    #[must_use]
    pub const fn length(&self) -> Length {
        self.length
    }

    /// On which side it is filled.
    #[must_use]
    pub const fn pad(&self) -> Pad {
        self.pad
    }

    /// What a printer may show of it.
    #[must_use]
    pub const fn privacy(&self) -> Privacy {
        self.privacy
    }

    /// Whether kind, encoding and lengths go together.
    pub(crate) const fn is_sound(&self) -> bool {
        let encoding_fits = match self.kind {
            Kind::Digits => matches!(self.encoding, Encoding::Bcd | Encoding::Ascii),
            Kind::Track => matches!(self.encoding, Encoding::Nibble | Encoding::Ascii),
            Kind::Signed | Kind::Alphanumeric | Kind::Printable => matches!(self.encoding, Encoding::Ascii),
            Kind::Text => matches!(self.encoding, Encoding::Ascii | Encoding::Gbk),
            Kind::Binary => matches!(self.encoding, Encoding::Binary | Encoding::Hex),
            Kind::Mixed => matches!(self.encoding, Encoding::Binary),
        };
        let length_fits = match self.length {
            Length::Fixed(length) => length > 0 && length <= 999,
            Length::Variable { prefix, published, tolerated } => {
                published > 0 && published <= tolerated && tolerated <= prefix.most()
            }
        };
        encoding_fits && length_fits && self.number >= 2 && self.number <= 128
    }
}

/// How the message type is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageTypeEncoding {
    /// Two BCD bytes.
    Bcd,
    /// Four ASCII digits.
    Ascii,
}

/// How the bitmap is written, and whether there may be a second one (fields 65 to 128).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BitmapEncoding {
    /// Eight bytes; bit 1 stays 0.
    BinaryPrimary,
    /// Eight bytes; bit 1 announces eight more.
    BinaryBoth,
    /// Sixteen hexadecimal characters; bit 1 announces sixteen more.
    HexBoth,
}

/// Explains the inside of a field to a person, masked.
pub type Explain = for<'a, 'b> fn(&'b Message<'a>, &'b FieldRef<'a>) -> Vec<Detail>;

/// A message dialect: its fields and how its frame parts are written.
#[derive(Debug)]
pub struct Dialect {
    pub(crate) name: &'static str,
    pub(crate) message_type: MessageTypeEncoding,
    pub(crate) bitmap: BitmapEncoding,
    pub(crate) explain: Option<Explain>,
    fields: [Option<Field>; FIELDS],
    shapes: [Shape; 256],
}

/// One more than the highest field number.
pub(crate) const FIELDS: usize = 129;

impl Dialect {
    /// A dialect from its table, which lists the fields in ascending order.
    ///
    /// # Panics
    /// When the table is not ascending or a field's kind, encoding and length do not go together;
    /// in a `const` or `static` that is a compile error.
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        reason = "evaluated by the compiler: a number out of range does not compile"
    )]
    pub const fn new(
        name: &'static str,
        message_type: MessageTypeEncoding,
        bitmap: BitmapEncoding,
        table: &[Field],
    ) -> Self {
        let mut fields = [None; FIELDS];
        // One for every `u8`: it is asked for with numbers that come from a bitmap.
        let mut shapes = [Shape::ABSENT; 256];
        let mut last = 0;
        let mut at = 0;
        while at < table.len() {
            let field = table[at];
            assert!(field.number > last, "fields must be listed in ascending order");
            assert!(field.is_sound(), "kind, encoding and length of a field do not go together");
            let is_second = field.number > 64;
            assert!(!(is_second && matches!(bitmap, BitmapEncoding::BinaryPrimary)), "no second bitmap");
            last = field.number;
            fields[field.number as usize] = Some(field);
            shapes[field.number as usize] = Shape::of(&field);
            at += 1;
        }
        Self { name, message_type, bitmap, explain: None, fields, shapes }
    }

    /// Explains the inside of fields with this function.
    #[must_use]
    pub const fn explained_by(self, explain: Explain) -> Self {
        Self { explain: Some(explain), ..self }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The field with this number, if the dialect has it.
    #[must_use]
    pub fn field(&self, number: u8) -> Option<&Field> {
        self.fields.get(usize::from(number))?.as_ref()
    }

    /// What reading needs of a field.
    #[inline]
    pub(crate) fn shape(&self, number: u8) -> &Shape {
        self.shapes.get(usize::from(number)).unwrap_or(&Shape::ABSENT)
    }

    /// Its fields, ascending.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().flatten()
    }
}
