//! Everything that can be read over HTTP: each GET route of the served OpenAPI document, asked by
//! every party, with every id that an answer before it named.

use crate::held::Held;
use crate::http::{Answered, Client};
use serde_json::Value;
use starpay_keys::wire;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where the document is served.
const OPENAPI: &str = "/api/openapi.json";
/// Values for parameters that are no ids.
const PLAIN_VALUES: &[(&str, &str)] = &[("code", "validation_failed"), ("bytes", "64"), ("limit", "100")];

/// One answer.
pub struct Seen {
    /// Who asked: a party's name, or `stranger`.
    pub party: String,
    /// The route's template.
    pub route: String,
    /// What was asked for.
    pub target: String,
    /// Its status.
    pub status: u16,
    /// Headers and body, as they came.
    pub bytes: Vec<u8>,
}

impl Seen {
    /// Where it was seen.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{} for {}", self.target, self.party)
    }
}

/// A GET route and its parameters.
struct Route {
    path: String,
    parameters: Vec<Parameter>,
}

struct Parameter {
    name: String,
    is_path: bool,
    /// What its ids begin with, when it takes ids.
    prefix: Option<String>,
}

/// Who asks.
enum Party<'h> {
    Stranger,
    Bearer(&'h str, &'h str),
    Terminal(&'h Held),
}

/// Asks every route as everybody, until no answer names an id that was not known before.
///
/// # Panics
/// When the platform does not answer, or its OpenAPI document is none.
#[must_use]
pub fn answers(client: &Client, held: &Held) -> Vec<Seen> {
    let document = client.get(OPENAPI);
    let routes = routes(&document.json());
    let mut parties = vec![Party::Stranger, Party::Terminal(held)];
    parties.extend(held.tokens.iter().map(|(name, token)| Party::Bearer(name, token)));
    let mut ids: BTreeSet<String> = BTreeSet::new();
    let mut seen: BTreeMap<(String, String), Seen> = BTreeMap::new();
    loop {
        let known = ids.len();
        for route in &routes {
            for target in targets(route, &ids, &held.answered) {
                for party in &parties {
                    let place = (target.clone(), party.name().to_owned());
                    if seen.contains_key(&place) {
                        continue;
                    }
                    let answered = party.ask(client, &target);
                    ids.extend(ids_in(&answered.text()));
                    seen.insert(place, seen_of(party, route, &target, &answered));
                }
            }
        }
        if ids.len() == known {
            return seen.into_values().collect();
        }
    }
}

fn seen_of(party: &Party<'_>, route: &Route, target: &str, answered: &Answered) -> Seen {
    let headers: String = answered.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    Seen {
        party: party.name().to_owned(),
        route: route.path.clone(),
        target: target.to_owned(),
        status: answered.status.as_u16(),
        bytes: [headers.as_bytes(), &answered.body].concat(),
    }
}

impl Party<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Stranger => "stranger",
            Self::Bearer(name, _) => name,
            Self::Terminal(_) => "terminal",
        }
    }

    fn ask(&self, client: &Client, target: &str) -> Answered {
        match self {
            Self::Stranger => client.get(target),
            Self::Bearer(_, token) => client.with_token(token).get(target),
            Self::Terminal(held) => client.get_with(target, &signature(held, target)),
        }
    }
}

/// The headers with which a terminal signs a request.
#[expect(clippy::disallowed_methods, reason = "the platform outside judges this clock by its own")]
fn signature(held: &Held, target: &str) -> [(&'static str, String); 4] {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is set");
    let timestamp = i64::try_from(now.as_millis()).expect("a time fits");
    // Never twice the same, as the platform asks of it; whether it can be foreseen matters to nobody here.
    let nonce = wire::base64url(&now.as_nanos().to_be_bytes());
    let text = wire::request_text("GET", target, timestamp, &nonce, b"");
    [
        ("starpay-key", hex::encode(held.device.sign_key().thumbprint())),
        ("starpay-timestamp", timestamp.to_string()),
        ("starpay-nonce", nonce),
        ("starpay-signature", wire::base64url(&held.device.sign(text.as_bytes()).to_bytes())),
    ]
}

fn routes(document: &Value) -> Vec<Route> {
    let paths = document["paths"].as_object().expect("an OpenAPI document has paths");
    let readable = paths.iter().filter_map(|(path, item)| Some((path, item.get("get")?)));
    readable
        .map(|(path, operation)| {
            let named = operation.get("parameters").and_then(Value::as_array);
            Route { path: path.clone(), parameters: named.into_iter().flatten().map(parameter).collect() }
        })
        .collect()
}

fn parameter(parameter: &Value) -> Parameter {
    let text = |field: &str| parameter.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    // The description names the ids it takes: `app_…`.
    let prefix = text("description").split('`').find_map(|part| part.strip_suffix('…').map(str::to_owned));
    Parameter {
        name: text("name"),
        is_path: text("in") == "path",
        prefix: prefix.filter(|p| p.ends_with('_')),
    }
}

/// The route with every value that is known for its parameters; a query is asked with and without.
fn targets(route: &Route, ids: &BTreeSet<String>, answered: &[String]) -> Vec<String> {
    let mut targets = vec![route.path.clone()];
    for parameter in &route.parameters {
        let plain = PLAIN_VALUES.iter().filter(|(name, _)| *name == parameter.name);
        let mut values: Vec<&str> = plain.map(|(_, value)| *value).collect();
        if let Some(prefix) = &parameter.prefix {
            values.extend(ids.iter().filter(|id| id.starts_with(prefix)).map(String::as_str));
        }
        if parameter.name == "key" {
            values.extend(answered.iter().map(String::as_str));
        }
        let place = format!("{{{}}}", parameter.name);
        let with = |target: &String| -> Vec<String> {
            if parameter.is_path {
                return values.iter().map(|value| target.replace(&place, value)).collect();
            }
            let sign = if target.contains('?') { '&' } else { '?' };
            let asked = values.iter().map(|value| format!("{target}{sign}{}={value}", parameter.name));
            asked.chain([target.clone()]).collect()
        };
        targets = targets.iter().flat_map(with).collect();
    }
    targets
}

/// Everything in an answer that looks like one of our ids: letters, an underscore, letters and digits.
fn ids_in(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let is_id = |word: &&str| {
        word.split_once('_').is_some_and(|(prefix, rest)| {
            (2..=4).contains(&prefix.len())
                && rest.len() >= 20
                && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
    };
    words.filter(is_id).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_id_is_put_in_its_place() {
        let document = serde_json::json!({"paths": {"/a/{id}/b/{document}": {"get": {"parameters": [
            {"name": "id", "in": "path", "description": "`app_…`"},
            {"name": "document", "in": "path", "description": "`doc_…`"},
            {"name": "application_id", "in": "query", "description": "Only those of `app_…`."}]}}, "/c": {"post": {}}}});
        let (one, two, other) =
            ("app_0190aaaaaaaaaaaaaaaa1", "app_0190aaaaaaaaaaaaaaaa2", "doc_0190aaaaaaaaaaaaaaaa3");
        let ids =
            ids_in(&format!(r#"{{"id":"{one}","of":["{two}","{other}"],"kind":"id_front","n":"a_b"}}"#));
        assert_eq!(ids, [one, two, other]);
        let routes = routes(&document);
        assert_eq!(routes.len(), 1);
        let asked = targets(&routes[0], &ids.into_iter().collect(), &[]);
        assert_eq!(asked.len(), 2 * 3, "{asked:?}");
        assert!(asked.contains(&format!("/a/{two}/b/{other}?application_id={one}")), "{asked:?}");
    }
}
