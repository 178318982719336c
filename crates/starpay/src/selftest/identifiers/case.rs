//! One case: reading its inputs, comparing its expectations, and noticing fields nobody used.

use serde_json::{Map, Value};
use starpay_domain::instant::{Date, parse_date};
use starpay_domain::money::Money;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;

/// Why a case did not pass.
#[derive(Debug)]
pub(super) enum Stop {
    /// The rule gives something else than the case expects.
    Differs(String),
    /// The case asks for something this program does not know.
    NotRun(String),
}

impl Stop {
    pub(super) fn differs(why: impl Into<String>) -> Self {
        Self::Differs(why.into())
    }

    pub(super) fn not_run(why: impl Into<String>) -> Self {
        Self::NotRun(why.into())
    }
}

/// One case of a list. Fields are marked as they are used; what is left over at the end was an
/// expectation nobody checked, so the case counts as not run.
pub(super) struct Case<'a> {
    fields: Cow<'a, Map<String, Value>>,
    used: RefCell<BTreeSet<String>>,
}

/// Fields that explain and expect nothing.
const PROSE: [&str; 9] =
    ["id", "note", "notes", "reason", "comment", "comments", "title", "source", "description"];

impl<'a> Case<'a> {
    /// An object, or a bare text that stands for `{"value": text}`.
    pub(super) fn read(value: &'a Value) -> Option<Self> {
        let fields = match value {
            Value::Object(fields) => Cow::Borrowed(fields),
            Value::String(_) => Cow::Owned(Map::from_iter([("value".to_owned(), value.clone())])),
            _ => return None,
        };
        Some(Self { fields, used: RefCell::default() })
    }

    /// The field, marked as used.
    fn field(&self, name: &str) -> Option<&Value> {
        let field = self.fields.get(name)?;
        self.used.borrow_mut().insert(name.to_owned());
        Some(field)
    }

    fn input<'b, T>(
        &'b self,
        name: &str,
        kind: &str,
        read: impl Fn(&'b Value) -> Option<T>,
    ) -> Result<T, Stop> {
        let field = self.field(name).ok_or_else(|| Stop::not_run(format!("field {name} is absent")))?;
        read(field).ok_or_else(|| Stop::not_run(format!("field {name} is not {kind}")))
    }

    /// A text the rule needs.
    pub(super) fn text(&self, name: &str) -> Result<&str, Stop> {
        self.input(name, "text", Value::as_str)
    }

    /// A text; `null` or absence means none.
    pub(super) fn optional_text(&self, name: &str) -> Result<Option<&str>, Stop> {
        if self.is_none(name) { Ok(None) } else { self.text(name).map(Some) }
    }

    /// A text or a number, as text.
    pub(super) fn written(&self, name: &str) -> Result<String, Stop> {
        self.input(name, "a text or a number", |field| match field {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
    }

    /// A whole number the rule needs, or its digits.
    pub(super) fn number<T: TryFrom<i64>>(&self, name: &str) -> Result<T, Stop> {
        self.input(name, "a whole number in range", |field| {
            let number = field.as_i64().or_else(|| field.as_str()?.parse().ok())?;
            T::try_from(number).ok()
        })
    }

    /// An amount in fen.
    pub(super) fn money(&self, name: &str) -> Result<Money, Stop> {
        self.number(name).map(Money::from_fen)
    }

    /// An amount in fen; `null` or absence means none.
    pub(super) fn optional_money(&self, name: &str) -> Result<Option<Money>, Stop> {
        if self.is_none(name) { Ok(None) } else { self.money(name).map(Some) }
    }

    /// A yes or no.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Stop> {
        self.input(name, "true or false", Value::as_bool)
    }

    /// A calendar day.
    pub(super) fn date(&self, name: &str) -> Result<Date, Stop> {
        self.input(name, "a date", |field| parse_date(field.as_str()?))
    }

    /// A calendar day; `null` or absence means none.
    pub(super) fn optional_date(&self, name: &str) -> Result<Option<Date>, Stop> {
        if self.is_none(name) { Ok(None) } else { self.date(name).map(Some) }
    }

    /// The last day of a document; `null`, absence or 长期 means that there is none.
    pub(super) fn last_day(&self, name: &str) -> Result<Option<Date>, Stop> {
        match self.field(name).and_then(Value::as_str) {
            Some("长期" | "长期有效") => Ok(None),
            Some(_) | None => self.optional_date(name),
        }
    }

    fn is_none(&self, name: &str) -> bool {
        self.field(name).is_none_or(Value::is_null)
    }

    /// Compares an expectation, if the case states it. Every mismatch is a failure.
    pub(super) fn expect(&self, name: &str, found: impl Into<Value>) -> Result<(), Stop> {
        let found = found.into();
        match self.field(name) {
            Some(wanted) if !is_same(wanted, &found) => {
                Err(Stop::differs(format!("{name}: expected {wanted}, found {found}")))
            }
            _ => Ok(()),
        }
    }

    /// Compares the expectation without which the case would check nothing.
    pub(super) fn must_expect(&self, name: &str, found: impl Into<Value>) -> Result<(), Stop> {
        self.input(name, "there", Some)?;
        self.expect(name, found)
    }

    /// Refuses to pass a case that states something no rule looked at.
    pub(super) fn finish(&self) -> Result<(), Stop> {
        let used = self.used.borrow();
        match self.fields.keys().find(|name| !used.contains(*name) && !PROSE.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(Stop::not_run(format!("no rule for the field {name}"))),
        }
    }
}

/// Whether two values are the same; a number may be stated in digits.
fn is_same(wanted: &Value, found: &Value) -> bool {
    wanted == found || (found.is_number() && wanted.as_str() == Some(found.to_string().as_str()))
}
