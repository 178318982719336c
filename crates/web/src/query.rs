//! The query string: only what a route says it takes.
//!
//! A misspelt filter that is passed over gives the wrong list without a word. The names are read
//! from the route's own description, so document and router cannot disagree.

use crate::problem::Problem;
use axum::extract::{Query, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{Method, Uri};
use std::collections::HashSet;
use std::sync::Arc;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Operation, ParameterIn};

/// Characters of a name that is said back.
const NAME_CHARS_MAX: usize = 64;

/// The parameters that the methods of one path take.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known(Vec<(Method, Vec<String>)>);

impl Known {
    /// Adds what an operation takes.
    pub(crate) fn add(&mut self, method: &Method, operation: &Operation) {
        let parameters = operation.parameters.iter().flatten();
        let names = parameters.filter_map(|parameter| match parameter {
            RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query => {
                Some(parameter.name.clone())
            }
            RefOr::T(_) | RefOr::Ref(_) => None,
        });
        self.0.push((method.clone(), names.collect()));
    }

    /// What a method takes; a HEAD is a GET without its body.
    fn of(&self, method: &Method) -> &[String] {
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        self.0.iter().find(|(known, _)| known == method).map_or(&[], |(_, names)| names)
    }
}

/// The query string's pairs, decoded.
pub(crate) fn pairs(uri: &Uri) -> Result<Vec<(String, String)>, Problem> {
    let Query(pairs) =
        Query::try_from_uri(uri).map_err(|_| Problem::malformed("query_invalid").about("query"))?;
    Ok(pairs)
}

fn check(known: &[String], uri: &Uri) -> Result<(), Problem> {
    let pairs = pairs(uri)?;
    let mut seen = HashSet::new();
    for (name, _) in &pairs {
        let shown: String = name.chars().take(NAME_CHARS_MAX).collect();
        if !known.contains(name) {
            return Err(Problem::malformed("unknown_parameter").about(shown));
        }
        if !seen.insert(name) {
            return Err(Problem::malformed("query_invalid").about(shown));
        }
    }
    Ok(())
}

/// Refuses a parameter that the route does not take, and one that is given twice.
pub(crate) async fn refuse_unknown(
    State(known): State<Arc<Known>>,
    request: Request,
    next: Next,
) -> Response {
    match check(known.of(request.method()), request.uri()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use starpay_text::Language;

    fn refused(query: &str) -> Option<(&'static str, String)> {
        let known = ["state".to_owned(), "limit".to_owned()];
        let uri: Uri = format!("/api/v1/things?{query}").parse().unwrap();
        let problem = check(&known, &uri).err()?;
        Some((problem.code, problem.render(Language::En, "r").error.field.unwrap()))
    }

    #[test]
    fn a_parameter_is_known_and_given_once() {
        for fine in ["", "state=draft", "limit=1&state=", "%73tate=draft"] {
            assert_eq!(refused(fine), None, "{fine}");
        }
        let unknown = |name: &str| Some(("unknown_parameter", name.to_owned()));
        assert_eq!(refused("status=draft"), unknown("status"));
        assert_eq!(refused("limit=1&State=draft"), unknown("State"));
        assert_eq!(refused("draft"), unknown("draft"));
        assert_eq!(refused("=draft"), unknown(""));
        assert_eq!(refused(&"x".repeat(500)), unknown(&"x".repeat(NAME_CHARS_MAX)));
        assert_eq!(refused("limit=1&limit=2"), Some(("query_invalid", "limit".to_owned())));
    }
}
