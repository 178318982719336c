//! The OpenAPI document, built from the table of routes.

use crate::problem::{ErrorBody, ErrorObject, Position, WrongField};
use crate::routes::{BEARER, Door, PROBLEM, TERMINAL};
use axum::Json;
use serde_json::json;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref, RefOr,
    ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};

const DESCRIPTION: &str = "\
The API of Starpay (星支付): from a shop's first contact to an activated terminal.

* Amounts are integer fen (CNY), times RFC 3339 UTC, ids prefixed text, personal numbers masked.
* Lists are `{data, next_cursor}`, oldest first; give `next_cursor` back as `cursor`.
* POST needs an `Idempotency-Key`; answers are kept for 35 days and can be looked up.
* Refusals are `{\"error\":{code, message, field, remedy, doc, request_id}}`; programs look at `code`. \
`Accept-Language: en` gives English, anything else Chinese.
* `/terminal/v1` is for terminals: docs/protocol/terminal-control.md.";

/// The document.
#[must_use]
pub fn document() -> OpenApi {
    let (paths, schemas) = crate::api::routes().and(crate::terminal::routes()).into_document();
    let mut components = Components::new();
    components.schemas.extend(schemas);
    components.schemas.extend([
        (ErrorBody::name().into_owned(), ErrorBody::schema()),
        (ErrorObject::name().into_owned(), ErrorObject::schema()),
        (Position::name().into_owned(), Position::schema()),
        (WrongField::name().into_owned(), WrongField::schema()),
    ]);
    components.responses.insert(PROBLEM.to_owned(), problem());
    components.add_security_scheme(
        BEARER,
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some(
                    "An access key or a session: `sp_test_…` in the sandbox, `sp_live_…` live.",
                ))
                .build(),
        ),
    );
    components.add_security_scheme(
        TERMINAL,
        SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
            "Starpay-Signature",
            "ECDSA P-256 over the request, with Starpay-Key, Starpay-Timestamp and Starpay-Nonce: \
             docs/protocol/terminal-control.md.",
        ))),
    );
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Starpay")
                .version("1")
                .description(Some(DESCRIPTION))
                .license(Some(
                    LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build(),
                ))
                .build(),
        )
        .paths(paths)
        .components(Some(components))
        .build()
}

/// The document as text, with a final line feed: what `starpay openapi` prints and the repository
/// keeps.
///
/// # Errors
/// When the document cannot be written as JSON: a bug in an example.
pub fn text() -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(&document())?;
    text.push('\n');
    Ok(text)
}

/// Every door of API and terminals: who may come in, and whether a POST needs an idempotency key.
#[must_use]
pub fn doors() -> Vec<Door> {
    crate::api::routes().and(crate::terminal::routes()).into_doors()
}

fn problem() -> RefOr<utoipa::openapi::Response> {
    let example = json!({"error": {
        "code": "validation_failed",
        "message": "有字段填写不正确。",
        "field": "licence.uscc",
        "remedy": "请按提示修改后重新提交。",
        "doc": "/api/v1/errors/validation_failed",
        "request_id": "req_5f0c1a2b3c4d0000002a",
        "fields": [{"field": "licence.uscc", "code": "checksum", "message": "校验位不对。"}],
    }});
    let content = ContentBuilder::new()
        .schema(Some(RefOr::Ref(Ref::from_schema_name(ErrorBody::name()))))
        .example(Some(example))
        .build();
    let response =
        ResponseBuilder::new().description("Refused.").content("application/json", content).build();
    RefOr::T(response)
}

/// `GET /api/openapi.json`.
pub(crate) async fn serve() -> Json<OpenApi> {
    Json(document())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::Access;
    use serde_json::Value;
    use std::collections::BTreeSet;

    #[test]
    fn every_door_is_in_the_document_and_nothing_else() {
        let document = serde_json::to_value(document()).unwrap();
        let documented: BTreeSet<String> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, item)| {
                let methods = item.as_object().unwrap().keys().filter(|key| *key != "parameters");
                methods.map(move |method| format!("{} {path}", method.to_uppercase()))
            })
            .collect();
        let routed: BTreeSet<String> =
            doors().into_iter().map(|door| format!("{} {}", door.method, door.path)).collect();
        assert_eq!(documented, routed);
        assert_eq!(routed.len(), doors().len(), "a door stands twice");
    }

    #[test]
    fn what_an_answer_calls_allowed_can_be_called() {
        let routed: BTreeSet<String> =
            doors().into_iter().map(|door| format!("{} {}", door.method, door.path)).collect();
        for (machine, operation) in starpay_app::operations() {
            let thing = if machine == "device_auth" { "device" } else { machine };
            let ways = [
                format!("POST /api/v1/{thing}s/{{id}}/{operation}"),
                format!("POST /terminal/v1/{thing}s/{{id}}/{operation}"),
            ];
            let edited = operation == "edit" && routed.contains(&format!("PATCH /api/v1/{thing}s/{{id}}"));
            assert!(edited || ways.iter().any(|way| routed.contains(way)), "{machine}: {operation}");
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn references(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(fields) => {
                    if let Some(Value::String(target)) = fields.get("$ref") {
                        found.push(target.clone());
                    }
                    fields.values().for_each(|field| references(field, found));
                }
                Value::Array(items) => items.iter().for_each(|item| references(item, found)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        let document = serde_json::to_value(document()).unwrap();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(!found.is_empty());
        for target in found {
            let pointer = target.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{target} leads nowhere");
        }
    }

    #[test]
    fn every_operation_is_named_once_described_and_secured() {
        let document = serde_json::to_value(document()).unwrap();
        let mut names = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let at = format!("{method} {path}");
                assert!(names.insert(operation["operationId"].as_str().unwrap().to_owned()), "{at}");
                assert!(!operation["summary"].as_str().unwrap().is_empty(), "{at}");
                assert!(operation["responses"]["default"].is_object(), "{at}");
                assert!(operation["security"].is_array(), "{at}");
            }
        }
    }

    /// A list is narrowed by the fields it shows, under the names it shows them by.
    #[test]
    fn every_filter_is_a_field_of_what_is_listed() {
        let document = serde_json::to_value(document()).unwrap();
        let mut filters = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            let answer = &item["get"]["responses"]["200"]["content"]["application/json"]["schema"];
            let shown = answer["$ref"].as_str().and_then(|name| document.pointer(name.strip_prefix('#')?));
            let row = shown.and_then(|list| list.pointer("/properties/data/items"));
            let row = row.map(|row| match row["$ref"].as_str() {
                Some(name) => document.pointer(&name[1..]).unwrap(),
                None => row,
            });
            let Some(row) = row else { continue };
            for parameter in item["get"]["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap();
                if parameter["in"] != "query" || ["cursor", "limit"].contains(&name) {
                    continue;
                }
                assert!(row["properties"][name].is_object(), "{path}: {name} is no field of {row}");
                filters.push(format!("{path} {name}"));
            }
        }
        assert!(filters.len() >= 4, "{filters:?}");
    }

    /// Whoever opens a door without a lock changes this list, and a reviewer sees it.
    #[test]
    fn open_doors_are_as_reviewed() {
        let open = doors().into_iter().filter(|door| door.access == Access::Open);
        let open: Vec<String> = open.map(|door| format!("{} {}", door.method, door.path)).collect();
        insta::assert_snapshot!(open.join("\n"));
    }
}
