//! What comes in: bodies, queries, ids, versions. Every refusal names the field and the place.

use crate::problem::{Expected, Kind, Problem};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{HeaderMap, header};
use http_body::Body as _;
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use starpay_app::{ErrorKind, UPLOAD_BYTES_MAX};
use starpay_domain::field::FormField;
use starpay_domain::id::TypedId;
use std::collections::HashMap;
use std::time::Duration;

/// Bytes of one JSON body.
pub(crate) const JSON_BYTES_MAX: usize = 64 * 1024;
/// Time between two pieces of a body.
pub(crate) const BODY_STALL_TIMEOUT: Duration = Duration::from_secs(15);
/// Time for a whole body: 10 MB at 1 Mbit/s with room to spare.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(120);

/// A JSON body, read into a command of `app`.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        require_json(request.headers())?;
        let bytes = read(request.into_body(), JSON_BYTES_MAX).await?;
        parse(&bytes).map(Self)
    }
}

/// A body as it came, counted while it arrives.
pub(crate) struct Upload(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = Problem;
    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if essence(request.headers()).to_ascii_lowercase().starts_with("multipart/") {
            let form = Problem::new(Kind::App(ErrorKind::Unsupported), "form_upload");
            return Err(form.about("Content-Type"));
        }
        read(request.into_body(), UPLOAD_BYTES_MAX).await.map(Self)
    }
}

/// The `{id}` of the path. A text that is no such id names nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Id<T>(pub(crate) T);

impl<T: TypedId, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path: Path<HashMap<String, String>> =
            Path::from_request_parts(parts, state).await.map_err(|_| Problem::not_found().about("id"))?;
        let id = path.get("id").and_then(|text| T::parse(text));
        id.map(Self).ok_or_else(|| Problem::not_found().about("id"))
    }
}

/// The last id of the path, where it names a part of the thing named first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PartId<T>(pub(crate) T);

impl<T: TypedId, S: Send + Sync> FromRequestParts<S> for PartId<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let last = parts.uri.path().rsplit('/').next();
        last.and_then(T::parse).map(Self).ok_or_else(|| Problem::not_found().about(T::PREFIX))
    }
}

/// The query string, read into a struct.
#[derive(Debug)]
pub(crate) struct Asking<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asking<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Query(query) = Query::try_from_uri(&parts.uri).map_err(|rejection| {
            let problem = Problem::malformed("query_invalid");
            match named_in(&rejection.to_string(), "`") {
                Some(name) => problem.about(name),
                None => problem.about("query"),
            }
        })?;
        Ok(Self(query))
    }
}

/// `If-Match: "7"`: the version the caller saw, if it says. What has moved since is not changed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen(pub(crate) Option<i64>);

impl<S: Send + Sync> FromRequestParts<S> for Seen {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(header::IF_MATCH) else { return Ok(Self(None)) };
        let version = value.to_str().ok().and_then(|text| text.trim().trim_matches('"').parse().ok());
        version
            .map(|version| Self(Some(version)))
            .ok_or_else(|| Problem::malformed("version_missing").about("If-Match"))
    }
}

/// What the body is declared to be, without parameters.
fn essence(headers: &HeaderMap) -> &str {
    let declared = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    declared.unwrap_or_default().split(';').next().unwrap_or_default().trim()
}

fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    if essence(headers).eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(Problem::new(Kind::App(ErrorKind::Unsupported), "json_required").about("Content-Type"))
    }
}

/// Reads a body of at most `max` bytes. A declared length beyond it is refused before a byte is
/// read; an undeclared one as soon as it passes the limit.
pub(crate) async fn read(body: axum::body::Body, max: usize) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(Kind::App(ErrorKind::TooLarge), "too_large").about("body");
    let slow = || Problem::new(Kind::Slow, "timeout").about("body");
    if body.size_hint().lower() > u64::try_from(max).unwrap_or(u64::MAX) {
        return Err(too_large());
    }
    let collect = async {
        let (mut body, mut collected) = (body, BytesMut::new());
        loop {
            let frame = tokio::time::timeout(BODY_STALL_TIMEOUT, body.frame()).await.map_err(|_| slow())?;
            let Some(frame) = frame else { return Ok(collected.freeze()) };
            let frame = frame.map_err(|_| Problem::malformed("truncated").about("body"))?;
            let Ok(piece) = frame.into_data() else { continue };
            if collected.len().saturating_add(piece.len()) > max {
                return Err(too_large());
            }
            collected.extend_from_slice(&piece);
        }
    };
    tokio::time::timeout(BODY_TIMEOUT, collect).await.map_err(|_| slow())?
}

/// Reads JSON bytes into a command.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if bytes.trim_ascii().is_empty() {
        return Err(Problem::malformed("body_empty").about("body").at(1, 1));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let (line, column) = place(bytes.get(..error.valid_up_to()).unwrap_or_default());
        Problem::malformed("utf8_invalid").about("body").at(line, column)
    })?;
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        refusal(&path, error.inner())
    })?;
    json.end().map_err(|error| refusal(".", &error))?;
    Ok(value)
}

/// Line and column, counted from 1, of what follows `before`.
fn place(before: &[u8]) -> (usize, usize) {
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let text = String::from_utf8_lossy(before.get(line_start..).unwrap_or_default());
    (line, text.chars().count() + 1)
}

fn refusal(path: &str, error: &serde_json::Error) -> Problem {
    let path = path.trim_start_matches('.').trim_end_matches(".?").trim_end_matches('?');
    let (line, column) = (error.line(), error.column());
    let message = error.to_string();
    if !error.is_data() {
        return Problem::malformed("json_invalid").about("body").at(line, column);
    }
    let (code, name) = if message.starts_with("unknown field") {
        let name = named_in(&message, "`");
        // A field of the form, sent beside `fields` and not inside of it.
        let is_outside = name.as_deref().and_then(FormField::parse).is_some()
            && message.split_once(", expected ").is_some_and(|(_, taken)| taken.contains("`fields`"));
        (if is_outside { "field_misplaced" } else { "unknown_field" }, name)
    } else if message.starts_with("missing field") {
        ("field_required", named_in(&message, "`"))
    } else {
        ("field_type", None)
    };
    let field = match (path, name) {
        ("", None) => "body".to_owned(),
        ("", Some(name)) => name,
        (path, None) => path.to_owned(),
        // serde's path already ends in the unknown field's own name.
        (path, Some(name)) if path == name || path.ends_with(&format!(".{name}")) => path.to_owned(),
        (path, Some(name)) => format!("{path}.{name}"),
    };
    let expected = if code == "field_type" { expected_in(&message) } else { None };
    Problem::malformed(code).about(field).expecting(expected).at(line, column)
}

/// What the field takes, by one of serde's messages: it names the value sent first, which may be a
/// secret, and ends in what the field's type asks for. Nothing of the text itself goes on.
fn expected_in(message: &str) -> Option<Expected> {
    let (_, wanted) = message.rsplit_once(", expected ")?;
    let (wanted, _) = wanted.split_once(" at line ").unwrap_or((wanted, ""));
    match wanted {
        "a string" | "a borrowed string" | "str" | "a character" => Some(Expected::Text),
        "i8" | "i16" | "i32" | "i64" | "isize" | "u8" | "u16" | "u32" | "u64" | "usize" => {
            Some(Expected::WholeNumber)
        }
        "f32" | "f64" => Some(Expected::Number),
        "a boolean" => Some(Expected::TrueOrFalse),
        "a sequence" => Some(Expected::List),
        "a map" => Some(Expected::Object),
        other => other.starts_with("struct ").then_some(Expected::Object),
    }
}

/// The first quoted name in one of serde's messages.
fn named_in(message: &str, quote: &str) -> Option<String> {
    let (_, rest) = message.split_once(quote)?;
    let (name, _) = rest.split_once(quote)?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use starpay_text::Language;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Parcel {
        #[serde(rename = "to")]
        _to: Address,
        #[serde(rename = "weights", default)]
        _weights: Vec<u32>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Address {
        #[serde(rename = "city")]
        _city: String,
    }

    fn refused(json: &[u8]) -> (&'static str, String, Option<(usize, usize)>) {
        let problem = parse::<Parcel>(json).unwrap_err();
        let error = problem.render(Language::En, "r").error;
        (problem.code, error.field.unwrap(), error.position.map(|at| (at.line, at.column)))
    }

    #[test]
    fn a_wrong_field_is_named_with_its_path() {
        for (json, code, field) in [
            (r#"{"to":{"city":"x","zip":"1"}}"#, "unknown_field", "to.zip"),
            (r#"{"to":{"city":"x"},"from":1}"#, "unknown_field", "from"),
            (r#"{"to":{}}"#, "field_required", "to.city"),
            (r"{}", "field_required", "to"),
            (r#"{"to":{"city":7}}"#, "field_type", "to.city"),
            (r#"{"to":{"city":"x"},"weights":[1,-2]}"#, "field_type", "weights[1]"),
            ("[]", "field_type", "body"),
        ] {
            let (found_code, found_field, _) = refused(json.as_bytes());
            assert_eq!((found_code, found_field.as_str()), (code, field), "{json}");
        }
    }

    #[derive(Debug, Deserialize)]
    struct Everything {
        #[serde(rename = "text", default)]
        _text: Option<String>,
        #[serde(rename = "fen", default)]
        _fen: i64,
        #[serde(rename = "share", default)]
        _share: f64,
        #[serde(rename = "yes", default)]
        _yes: bool,
        #[serde(rename = "list", default)]
        _list: Vec<String>,
        #[serde(rename = "fields", default)]
        _fields: HashMap<String, String>,
        #[serde(rename = "to", default)]
        _to: Option<Address>,
    }

    #[test]
    fn what_a_field_takes_is_said_and_what_was_sent_is_not() {
        for (json, field, expected) in [
            (r#"{"text":739164}"#, "text", "text"),
            (r#"{"fen":"739164"}"#, "fen", "whole_number"),
            (r#"{"fen":"739164, expected a string"}"#, "fen", "whole_number"),
            (r#"{"fen":739164.5}"#, "fen", "whole_number"),
            (r#"{"share":"739164"}"#, "share", "number"),
            (r#"{"yes":"739164"}"#, "yes", "true_or_false"),
            (r#"{"list":"739164"}"#, "list", "list"),
            (r#"{"list":[739164]}"#, "list[0]", "text"),
            (r#"{"fields":"739164"}"#, "fields", "object"),
            (r#"{"fields":{"principal.id_number":739164}}"#, "fields.principal.id_number", "text"),
            (r#"{"to":"739164"}"#, "to", "object"),
            (r#""739164""#, "body", "object"),
        ] {
            let problem = parse::<Everything>(json.as_bytes()).unwrap_err();
            let error = problem.render(Language::En, "r").error;
            assert_eq!((error.code.as_str(), error.field.as_deref()), ("field_type", Some(field)), "{json}");
            assert_eq!(error.expected.as_deref(), Some(expected), "{json}");
            assert!(!format!("{error:?} {problem:?}").contains("739164"), "{error:?} {problem:?}");
        }
    }

    #[test]
    fn what_is_no_json_is_placed() {
        assert_eq!(refused(b"{\n  \"to\": }"), ("json_invalid", "body".to_owned(), Some((2, 9))));
        assert_eq!(refused(b"{\"to\":{\"city\":\"x\"}} x").0, "json_invalid");
        for empty in [&b""[..], b" \r\n"] {
            assert_eq!(refused(empty), ("body_empty", "body".to_owned(), Some((1, 1))));
        }
        let (code, field, at) = refused("{\n\"to\":\"深\u{0}".replace('\0', "").as_bytes());
        assert_eq!((code, field.as_str(), at.map(|at| at.0)), ("json_invalid", "body", Some(2)));
    }

    #[test]
    fn invalid_utf8_is_placed_by_character() {
        let mut bytes = "{\n\"深圳\":\"".as_bytes().to_vec();
        bytes.push(0xff);
        assert_eq!(refused(&bytes), ("utf8_invalid", "body".to_owned(), Some((2, 7))));
    }

    #[tokio::test]
    async fn a_body_is_counted_while_it_arrives() {
        let fits = axum::body::Body::from(vec![0; 8]);
        assert_eq!(read(fits, 8).await.unwrap().len(), 8);
        let declared = axum::body::Body::from(vec![0; 9]);
        assert_eq!(read(declared, 8).await.unwrap_err().code, "too_large");
        let pieces = (0..3).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(b"four")));
        let undeclared = axum::body::Body::from_stream(futures_util::stream::iter(pieces));
        assert_eq!(read(undeclared, 8).await.unwrap_err().code, "too_large");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_arriving_is_given_up() {
        let silent = futures_util::stream::pending::<Result<Bytes, std::io::Error>>();
        let problem = read(axum::body::Body::from_stream(silent), 8).await.unwrap_err();
        assert_eq!(problem.kind.status(), http::StatusCode::REQUEST_TIMEOUT);
    }
}
