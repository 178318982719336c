//! What a use case answers when it cannot do what was asked.
//!
//! The *kind* decides the HTTP status (one table, in `web`); the stable *code* decides the words
//! (the message catalogue: `error-<code>` and its remedy). The text never travels in here, so that
//! every language says the same thing.

use crate::actor::{self, Action, Actor, Role};
use serde_json::error::Category;
use starpay_domain::identifier::Invalid;
use starpay_domain::machine::Illegal;
use starpay_store::StoreError;

/// What the caller can do differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request itself is wrong: correct the named fields.
    Invalid,
    /// Well formed, but it contradicts what was said before.
    Unprocessable,
    /// Who are you? The credential is absent, wrong or expired.
    Unauthenticated,
    /// Known, but not allowed.
    Forbidden,
    /// No such thing, or not yours (the two are not told apart).
    NotFound,
    /// The thing is not in a state that allows this, or somebody was faster.
    Conflict,
    /// Too large.
    TooLarge,
    /// Not a kind of content we take.
    Unsupported,
    /// Locked after too many tries.
    Locked,
    /// Too many requests.
    RateLimited,
    /// Not now: try the same again, with the same idempotency key.
    Unavailable,
    /// A bug or a broken invariant.
    Internal,
}

starpay_domain::text_enum! {
    /// What a number of the form counts.
    pub enum Unit {
        /// 分: money.
        Fen "fen",
        /// Millionths of a degree: a place.
        Microdegree "microdegree",
    }
}

/// What exactly is wrong with a value, where more is known than its code says. Never the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Particular {
    /// A text that is no such identifier.
    Identifier(Invalid),
    /// A text of too many characters.
    Long {
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// A number that is written otherwise, or out of its range.
    Number {
        /// What it counts.
        unit: Unit,
        /// The least there may be.
        least: i64,
        /// The most there may be.
        most: i64,
    },
}

/// One wrong field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name exactly as the caller wrote it, for example `licence.uscc`.
    pub field: String,
    /// Stable code, for example `checksum`.
    pub code: &'static str,
    /// What may stand there, when the code is `choice`.
    pub choices: Vec<String>,
    /// What exactly is wrong, where that is known.
    pub particular: Option<Particular>,
}

impl FieldError {
    /// This field is no such identifier.
    #[must_use]
    pub fn identifier(field: impl Into<String>, invalid: Invalid) -> Self {
        let particular = Some(Particular::Identifier(invalid));
        Self { particular, ..Self::new(field, invalid.reason_code()) }
    }

    /// This field is wrong in this way.
    #[must_use]
    pub fn new(field: impl Into<String>, code: &'static str) -> Self {
        Self { field: field.into(), code, choices: Vec::new(), particular: None }
    }
}

/// What a state allows instead of what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Legal {
    /// The machine.
    pub machine: &'static str,
    /// Its present state.
    pub state: String,
    /// Events that lead out of it: once the answer leaves, those the caller can trigger.
    pub events: Vec<&'static str>,
}

/// Why a use case did not do what was asked. Nothing was written.
#[derive(Debug, thiserror::Error)]
#[error("{code}{}{}", field.as_deref().map(|name| format!(" ({name})")).unwrap_or_default(), listed(choices))]
pub struct Error {
    /// What the caller can do differently.
    pub kind: ErrorKind,
    /// Stable code; `error-<code>` in the message catalogue.
    pub code: &'static str,
    /// The field it is about, if it is about one.
    pub field: Option<String>,
    /// All wrong fields, when several are.
    pub fields: Vec<FieldError>,
    /// What may stand in the field, when the code is `choice`.
    pub choices: Vec<String>,
    /// What exactly is wrong with the field, where that is known. In a box, because it rarely is.
    pub particular: Option<Box<Particular>>,
    /// For an illegal transition: the state, and what it allows instead.
    pub legal: Option<Legal>,
    /// The id of the thing that is in the way, for an owner who may know it.
    pub existing: Option<String>,
    /// For a refusal of the caller's role: what it may not do.
    pub denied: Option<Action>,
    /// When trying again makes sense.
    pub retry_after_seconds: Option<i64>,
    /// Tries left before a lock, where the owner may know.
    pub tries_left: Option<i64>,
    /// What happened inside, for the log only. Holds no personal data.
    pub detail: Option<String>,
}

impl Error {
    /// An error of this kind and code about nothing in particular.
    #[must_use]
    pub const fn new(kind: ErrorKind, code: &'static str) -> Self {
        Self {
            kind,
            code,
            field: None,
            fields: Vec::new(),
            choices: Vec::new(),
            particular: None,
            legal: None,
            existing: None,
            denied: None,
            retry_after_seconds: None,
            tries_left: None,
            detail: None,
        }
    }

    /// A request whose field is wrong.
    #[must_use]
    pub fn invalid(code: &'static str, field: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, code).about(field)
    }

    /// A request whose field is no such identifier.
    #[must_use]
    pub fn identifier(invalid: Invalid, field: impl Into<String>) -> Self {
        Self {
            particular: Some(Box::new(Particular::Identifier(invalid))),
            ..Self::invalid(invalid.reason_code(), field)
        }
    }

    /// A request whose field holds none of these.
    #[must_use]
    pub fn choice<C: Into<String>>(field: impl Into<String>, choices: impl IntoIterator<Item = C>) -> Self {
        let choices = choices.into_iter().map(Into::into).collect();
        Self { choices, ..Self::invalid("choice", field) }
    }

    /// A request with several wrong fields: `validation_failed`, the first one named.
    #[must_use]
    pub fn invalid_fields(fields: Vec<FieldError>) -> Self {
        let first = fields.first().map(|wrong| wrong.field.clone());
        Self { field: first, fields, ..Self::new(ErrorKind::Invalid, "validation_failed") }
    }

    /// No such thing, or not yours.
    #[must_use]
    pub const fn not_found() -> Self {
        Self::new(ErrorKind::NotFound, "not_found")
    }

    /// Not allowed for whoever asks.
    #[must_use]
    pub const fn forbidden() -> Self {
        Self::new(ErrorKind::Forbidden, "forbidden")
    }

    /// Not allowed for the caller's role.
    #[must_use]
    pub fn denied(action: Action) -> Self {
        Self { denied: Some(action), ..Self::forbidden() }
    }

    /// For a refusal of the caller's role: those who may do this.
    #[must_use]
    pub fn roles(&self) -> &'static [Role] {
        self.denied.map_or(&[], actor::allowed)
    }

    /// Not in a state that allows this, or taken.
    #[must_use]
    pub const fn conflict(code: &'static str) -> Self {
        Self::new(ErrorKind::Conflict, code)
    }

    /// A broken invariant.
    #[must_use]
    pub fn internal(detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::new(ErrorKind::Internal, "internal") }
    }

    /// Names the field.
    #[must_use]
    pub fn about(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// What this caller may know of it: of the legal events, those they can trigger.
    #[must_use]
    pub(crate) fn seen_by(mut self, actor: &Actor) -> Self {
        if let Some(legal) = &mut self.legal {
            legal.events = actor.triggers(legal.machine, &legal.state, &legal.events);
        }
        self
    }

    /// Says when to try again.
    #[must_use]
    pub const fn retry_after(mut self, seconds: i64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }
}

/// The choices in one line, for whoever reads the error as text.
fn listed(choices: &[String]) -> String {
    if choices.is_empty() { String::new() } else { format!(": {}", choices.join(", ")) }
}

impl From<Illegal> for Error {
    fn from(illegal: Illegal) -> Self {
        Self {
            detail: Some(illegal.to_string()),
            legal: Some(Legal {
                machine: illegal.machine,
                state: illegal.state.to_owned(),
                events: illegal.legal,
            }),
            field: Some("state".to_owned()),
            ..Self::new(ErrorKind::Conflict, "illegal_transition")
        }
    }
}

impl From<starpay_domain::fact::FactError> for Error {
    fn from(error: starpay_domain::fact::FactError) -> Self {
        Self::internal(error.to_string())
    }
}

impl From<crate::port::PortError> for Error {
    fn from(error: crate::port::PortError) -> Self {
        Self {
            detail: Some(error.to_string()),
            retry_after_seconds: Some(5),
            ..Self::new(ErrorKind::Unavailable, "unavailable")
        }
    }
}

/// Says what is wrong and where, never what stands there: serde's own words quote the value, and
/// this text goes to the log and stays with work that failed.
impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        let kind = match error.classify() {
            Category::Data => "a value of another kind",
            Category::Syntax => "broken syntax",
            Category::Eof => "an early end",
            Category::Io => "an input that fails",
        };
        let (line, column) = (error.line(), error.column());
        Self::internal(format!("stored JSON does not read back: {kind} at line {line}, column {column}"))
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let detail = Some(error.to_string());
        let kind_and_code = match &error {
            StoreError::NotFound { .. } => (ErrorKind::NotFound, "not_found"),
            StoreError::Stale { .. } => (ErrorKind::Conflict, "stale_version"),
            StoreError::Constraint { .. } => (ErrorKind::Conflict, "conflict"),
            StoreError::Overloaded | StoreError::Unavailable { .. } | StoreError::OutcomeUnknown { .. } => {
                (ErrorKind::Unavailable, "unavailable")
            }
            _ => (ErrorKind::Internal, "internal"),
        };
        Self { detail, ..Self::new(kind_and_code.0, kind_and_code.1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_names_what_may_be_chosen() {
        let refused = Error::choice("role", ["warehouse", "courier"]);
        assert_eq!(refused.code, "choice");
        assert_eq!(refused.to_string(), "choice (role): warehouse, courier");
        assert_eq!(Error::invalid("length", "label").to_string(), "length (label)");
    }

    #[test]
    fn json_that_does_not_read_back_is_not_quoted() {
        #[derive(Debug, serde::Deserialize)]
        enum Role {
            Owner,
        }
        let wrong: Vec<serde_json::Error> = vec![
            serde_json::from_str::<u64>(r#""739164""#).unwrap_err(),
            serde_json::from_str::<Vec<String>>(r#"["林样例", 739164]"#).unwrap_err(),
            serde_json::from_str::<Role>(r#""739164""#).map(|role| matches!(role, Role::Owner)).unwrap_err(),
            serde_json::from_str::<u64>("739164x").unwrap_err(),
            serde_json::from_str::<String>(r#""739164"#).unwrap_err(),
        ];
        assert!(wrong.iter().any(|error| error.to_string().contains("739164")), "{wrong:?}");
        for error in wrong {
            let told = Error::from(error);
            let shown = format!("{told:?} {told}");
            assert!(!shown.contains("739164"), "{shown}");
            assert!(told.detail.is_some_and(|detail| detail.contains("at line 1, column")), "{shown}");
        }
    }
}
