//! The one form of every refusal: `{"error":{code,message,field,remedy,doc,request_id,…}}`.
//!
//! A handler answers a [`Problem`]; it is only a value until the outermost layer
//! ([`crate::request_id`]) turns it into words, because the language and the request id are
//! known there. The kind gives the status ([`Kind::status`], the only such table) and the code
//! gives the words (`error-<code>` in the message catalogue).

use crate::wording;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use starpay_app::{Error, ErrorKind};
use starpay_text::Language;
use utoipa::ToSchema;

/// What the caller can do differently: the kinds of `app`, and those HTTP adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The path exists, the method on it does not.
    MethodNotAllowed,
    /// The request took too long to arrive.
    Slow,
    /// As the use case says.
    App(ErrorKind),
}

impl Kind {
    /// The HTTP status: the only table from kinds to statuses.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::App(ErrorKind::Invalid) => StatusCode::BAD_REQUEST,
            Self::App(ErrorKind::Unprocessable) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::App(ErrorKind::Unauthenticated) => StatusCode::UNAUTHORIZED,
            Self::App(ErrorKind::Forbidden) => StatusCode::FORBIDDEN,
            Self::App(ErrorKind::NotFound) => StatusCode::NOT_FOUND,
            Self::App(ErrorKind::Conflict) => StatusCode::CONFLICT,
            Self::App(ErrorKind::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::App(ErrorKind::Unsupported) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::App(ErrorKind::Locked) => StatusCode::LOCKED,
            Self::App(ErrorKind::RateLimited) => StatusCode::TOO_MANY_REQUESTS,
            Self::App(ErrorKind::Unavailable) => StatusCode::SERVICE_UNAVAILABLE,
            Self::App(ErrorKind::Internal) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// What an error code means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Advice {
    /// The code.
    #[schema(example = "validation_failed")]
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do next.
    pub remedy: String,
}

impl Advice {
    /// The words of a code, if it is one of ours.
    pub(crate) fn of(language: Language, code: &str) -> Option<Self> {
        let advice = known(language, code)?;
        Some(Self { code: code.to_owned(), message: advice.message, remedy: advice.remedy })
    }
}

/// A place in a body, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

starpay_domain::text_enum! {
    /// What a field of a body takes, where something else was sent.
    pub enum Expected {
        /// Text, in quotes.
        Text "text",
        /// A whole number, within the range of its field.
        WholeNumber "whole_number",
        /// Any number.
        Number "number",
        /// `true` or `false`.
        TrueOrFalse "true_or_false",
        /// A list.
        List "list",
        /// An object.
        Object "object",
    }
}

/// One wrong field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WrongField {
    /// The field's name, for example `licence.uscc`.
    #[schema(example = "licence.uscc")]
    pub field: String,
    /// Stable code.
    #[schema(example = "checksum")]
    pub code: String,
    /// What is wrong with it, its label first.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
    /// For `choice`: what may stand there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
}

/// A refusal on its way to the outermost layer.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Decides the status.
    pub kind: Kind,
    /// Decides the words.
    pub code: &'static str,
    about: Box<About>,
}

/// What a refusal says besides its code. In a box, because most results are no refusals.
#[derive(Debug, Clone, Default)]
struct About {
    field: Option<String>,
    fields: Vec<starpay_app::FieldError>,
    choices: Vec<String>,
    particular: Option<starpay_app::Particular>,
    legal: Option<starpay_app::Legal>,
    existing: Option<String>,
    roles: &'static [starpay_app::Role],
    expected: Option<Expected>,
    position: Option<Position>,
    retry_after_seconds: Option<i64>,
    nothing_saved: bool,
    tries_left: Option<i64>,
    detail: Option<String>,
}

impl Problem {
    /// A refusal of this kind and code about nothing in particular.
    #[must_use]
    pub fn new(kind: Kind, code: &'static str) -> Self {
        Self { kind, code, about: Box::default() }
    }

    /// A request that cannot be read: malformed JSON, an absent header, a foreign cursor.
    #[must_use]
    pub fn malformed(code: &'static str) -> Self {
        Self::new(Kind::App(ErrorKind::Invalid), code)
    }

    /// No such thing.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(Kind::App(ErrorKind::NotFound), "not_found")
    }

    /// Names the field.
    #[must_use]
    pub fn about(mut self, field: impl Into<String>) -> Self {
        self.about.field = Some(field.into());
        self
    }

    /// Names the place in the body.
    #[must_use]
    pub fn at(mut self, line: usize, column: usize) -> Self {
        self.about.position = Some(Position { line, column });
        self
    }

    /// Says what should stand there instead.
    #[must_use]
    pub fn expecting(mut self, expected: Option<Expected>) -> Self {
        self.about.expected = expected;
        self
    }

    /// Names what may stand there.
    #[must_use]
    pub fn choices(mut self, choices: &[&str]) -> Self {
        self.about.choices = choices.iter().map(|choice| (*choice).to_owned()).collect();
        self
    }

    /// Says that a request to change something changed nothing: a caller who sent ten fields must not
    /// think that nine of them are kept.
    #[must_use]
    pub fn nothing_saved(mut self) -> Self {
        self.about.nothing_saved = matches!(self.kind.status().as_u16(), 400 | 408 | 409 | 413 | 415 | 422);
        self
    }

    /// What happened inside, for the log only.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.about.detail.as_deref()
    }

    /// The refusal in words.
    #[must_use]
    pub fn render(&self, language: Language, request_id: &str) -> ErrorBody {
        let (message, remedy) = exact_words(language, self.code, self.about.particular);
        let fields = self.about.fields.iter().map(|wrong| {
            let (message, remedy) = exact_words(language, wrong.code, wrong.particular);
            let message = wording::about(language, &wrong.field, wrong.particular, message);
            let choices = wrong.choices.clone();
            WrongField { field: wrong.field.clone(), code: wrong.code.to_owned(), message, remedy, choices }
        });
        let message = match &self.about.field {
            // Where several are wrong, each of them is named with its own words.
            Some(field) if self.about.fields.is_empty() => {
                wording::about(language, field, self.about.particular, message)
            }
            Some(_) | None => message,
        };
        let message = match &self.about.legal {
            Some(legal) => wording::out_of_turn(language, legal.machine, &legal.state).unwrap_or(message),
            None => message,
        };
        let message = if self.about.nothing_saved {
            starpay_text::fl!(starpay_text::texts(language), "with-nothing-saved", message = message)
        } else {
            message
        };
        let roles: Vec<&str> = self.about.roles.iter().map(|role| role.as_str()).collect();
        let expected = self.about.expected.map(Expected::as_str);
        let exact = expected.and_then(|name| starpay_text::expected(language, name));
        let remedy = exact
            .or_else(|| starpay_text::only_for(language, &roles))
            .or_else(|| self.remedy_now(language))
            .unwrap_or(remedy);
        let remedy = match self.waits() {
            Some(seconds) => wording::wait(language, remedy, seconds),
            None => remedy,
        };
        ErrorBody {
            error: ErrorObject {
                code: self.code.to_owned(),
                message,
                field: self.about.field.clone(),
                remedy,
                doc: format!("/api/v1/errors/{}", self.code),
                request_id: request_id.to_owned(),
                fields: fields.collect(),
                choices: self.about.choices.clone(),
                roles: roles.into_iter().map(str::to_owned).collect(),
                expected: expected.map(str::to_owned),
                state: self.about.legal.as_ref().map(|legal| legal.state.clone()),
                legal: self
                    .about
                    .legal
                    .as_ref()
                    .map(|legal| legal.events.iter().map(|event| (*event).to_owned()).collect()),
                existing: self.about.existing.clone(),
                position: self.about.position,
                tries_left: self.about.tries_left,
                retry_after_s: self.about.retry_after_seconds.map(|seconds| seconds.max(1)),
            },
        }
    }

    /// What to do in this very situation, where that differs from what the code says in general.
    fn remedy_now(&self, language: Language) -> Option<String> {
        if let Some(legal) = &self.about.legal {
            return wording::when_over(language, legal.machine, &legal.state);
        }
        (self.about.tries_left == Some(0)).then(|| wording::when_spent(language, self.code)).flatten()
    }

    /// The seconds that a caller who is paused has to wait.
    fn waits(&self) -> Option<i64> {
        let paused = matches!(self.kind, Kind::App(ErrorKind::RateLimited | ErrorKind::Locked));
        self.about.retry_after_seconds.filter(|_| paused).map(|seconds| seconds.max(1))
    }

    /// The whole answer: status, headers, words.
    pub(crate) fn answer(&self, language: Language, request_id: &str) -> Response {
        let mut response = (self.kind.status(), Json(self.render(language, request_id))).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.about.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        if self.kind == Kind::App(ErrorKind::Unauthenticated) {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

fn known(language: Language, code: &str) -> Option<starpay_text::Advice> {
    starpay_text::error(language, code)
        .or_else(|| starpay_text::requirement(language, code))
        .or_else(|| starpay_text::reason(language, code))
}

/// The words of a code: of an error, or of what is still missing. A code without words is a bug that
/// a test finds; a caller still gets the general ones.
fn words(language: Language, code: &str) -> (String, String) {
    known(language, code)
        .or_else(|| starpay_text::error(language, "internal"))
        .map(|advice| (advice.message, advice.remedy))
        .unwrap_or_default()
}

/// The words of a code, and the exact ones where it is known what exactly is wrong.
fn exact_words(
    language: Language,
    code: &str,
    particular: Option<starpay_app::Particular>,
) -> (String, String) {
    let (message, remedy) = words(language, code);
    let Some(particular) = particular else { return (message, remedy) };
    (
        wording::message(language, code, particular).unwrap_or(message),
        wording::remedy(language, particular).unwrap_or(remedy),
    )
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let retry_after_seconds = match (error.kind, error.retry_after_seconds) {
            (_, Some(seconds)) => Some(seconds),
            (ErrorKind::RateLimited | ErrorKind::Unavailable, None) => Some(1),
            (_, None) => None,
        };
        let roles = error.roles();
        let about = About {
            field: error.field,
            fields: error.fields,
            choices: error.choices,
            particular: error.particular.map(|particular| *particular),
            legal: error.legal,
            existing: error.existing,
            roles,
            expected: None,
            position: None,
            retry_after_seconds,
            nothing_saved: false,
            tries_left: error.tries_left,
            detail: error.detail,
        };
        Self { kind: Kind::App(error.kind), code: error.code, about: Box::new(about) }
    }
}

impl IntoResponse for Problem {
    /// Only the status and the problem itself, for the outermost layer to put into words.
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The body of every refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ErrorBody {
    /// The refusal.
    pub error: ErrorObject,
}

/// A refusal in words: what happened, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ErrorObject {
    /// Stable code: what programs should look at.
    #[schema(example = "validation_failed")]
    pub code: String,
    /// What happened, in the language of `Accept-Language`.
    pub message: String,
    /// The field it is about, if it is about one.
    #[schema(example = "licence.uscc")]
    pub field: Option<String>,
    /// What to do next.
    pub remedy: String,
    /// Where the code is explained.
    #[schema(example = "/api/v1/errors/validation_failed")]
    pub doc: String,
    /// Quote it to support.
    pub request_id: String,
    /// Every wrong field, when several are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<WrongField>,
    /// For `choice`: what may stand there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// For `forbidden`: the roles that may do this, where it is a matter of the role.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["reviewer"]))]
    pub roles: Vec<String>,
    /// For `field_type`: what the field takes, `text`, `whole_number`, `number`, `true_or_false`,
    /// `list` or `object`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "text")]
    pub expected: Option<String>,
    /// For an illegal transition: the present state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// For an illegal transition: what the present state allows, and the caller can do: `edit` is the
    /// `PATCH` of the thing, any other the last part of the route that does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legal: Option<Vec<String>>,
    /// The id of what is in the way, for example of the application that is under way already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing: Option<String>,
    /// For a body that cannot be read: where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// Tries left before a lock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tries_left: Option<i64>,
    /// Seconds until it makes sense to try again, as the header `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use starpay_app::FieldError;

    /// The codes that this crate gives by itself; each has its words in the message catalogue.
    const WEB_CODES: &[&str] = &[
        "body_empty",
        "cursor_invalid",
        "field_misplaced",
        "field_required",
        "field_type",
        "form_upload",
        "idempotency_key_invalid",
        "idempotency_key_missing",
        "internal",
        "json_invalid",
        "json_required",
        "limit_invalid",
        "method_not_allowed",
        "not_found",
        "query_invalid",
        "signature_invalid",
        "timeout",
        "too_large",
        "truncated",
        "unauthenticated",
        "unknown_field",
        "unknown_parameter",
        "utf8_invalid",
        "version_missing",
    ];

    #[test]
    fn every_code_of_this_crate_has_words_in_both_languages() {
        let keys: Vec<String> = WEB_CODES
            .iter()
            .flat_map(|code| [format!("error-{code}"), format!("error-{code}.remedy")])
            .collect();
        for language in Language::ALL {
            let missing = starpay_text::missing(*language, keys.iter().map(String::as_str));
            assert!(missing.is_empty(), "{}: {missing:?}", language.tag());
        }
    }

    #[test]
    fn whatever_a_field_may_take_has_words_in_both_languages() {
        for expected in Expected::ALL {
            let wrong = || Problem::malformed("field_type").about("mobile");
            for language in Language::ALL {
                let general = wrong().render(*language, "r").error;
                let exact = wrong().expecting(Some(*expected)).render(*language, "r").error;
                assert_eq!(exact.expected.as_deref(), Some(expected.as_str()));
                assert_ne!(exact.remedy, general.remedy, "{}: {}", language.tag(), expected.as_str());
            }
        }
    }

    #[test]
    fn an_illegal_transition_lists_the_legal_ones() {
        let error = Error {
            legal: Some(starpay_app::Legal {
                machine: "application",
                state: "draft".to_owned(),
                events: vec!["submit", "withdraw"],
            }),
            ..Error::conflict("illegal_transition")
        };
        let body = Problem::from(error).render(Language::En, "req_1");
        assert_eq!(body.error.state.as_deref(), Some("draft"));
        assert_eq!(body.error.legal, Some(vec!["submit".to_owned(), "withdraw".to_owned()]));
        assert_eq!(body.error.doc, "/api/v1/errors/illegal_transition");
    }

    #[test]
    fn what_is_missing_is_named_in_words_with_its_own_remedy() {
        let missing = FieldError::new("documents.licence", "document_missing");
        let error =
            Error { fields: vec![missing], ..Error::invalid("requirements_open", "documents.licence") };
        let body = Problem::from(error).render(Language::ZhCn, "req_1").error;
        assert_eq!(body.fields[0].message, "营业执照：材料还没有上传");
        assert_eq!(body.fields[0].remedy, "拍照上传这份材料。");
        assert!(!body.message.contains("营业执照"), "{}", body.message);
        let alone = Problem::from(Error::invalid("landline", "mobile")).render(Language::ZhCn, "req_1").error;
        assert_eq!(alone.message, "手机号：这是固定电话，不能接收验证码。");
    }

    #[test]
    fn what_is_busy_says_when_to_come_back() {
        let response =
            Problem::from(Error::new(ErrorKind::Unavailable, "unavailable")).answer(Language::ZhCn, "r");
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        let response = Problem::from(Error::new(ErrorKind::Locked, "operator_locked").retry_after(900))
            .answer(Language::En, "r");
        assert_eq!(response.status(), StatusCode::LOCKED);
        assert_eq!(response.headers()[header::RETRY_AFTER], "900");
    }
}
