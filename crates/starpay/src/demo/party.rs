//! One party of the journey: a person or a company that reaches the platform over HTTP only.

use super::report::News;
use crate::Failure;
use serde_json::Value;
use std::time::{Duration, Instant};
use ureq::Agent;
use ureq::http::Response;

/// Longest wait for one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Tries of one request while the platform says "not now".
const TRIES_MAX: u32 = 5;
/// Pause between two looks at something that moves by itself.
const LOOK_EVERY: Duration = Duration::from_millis(60);
/// Longest wait for something that moves by itself.
const MOVES_WITHIN: Duration = Duration::from_secs(60);

/// A party and its credential.
#[derive(Clone)]
pub(crate) struct Party {
    agent: Agent,
    base: String,
    token: Option<String>,
    /// Name in the report, for example `reviewer`.
    pub(crate) name: &'static str,
    story: String,
    news: News,
}

impl Party {
    /// A party without a credential.
    pub(crate) fn stranger(name: &'static str, base: &str, story: &str, news: News) -> Self {
        let agent = Agent::config_builder()
            .timeout_global(Some(ANSWER_WITHIN))
            .http_status_as_error(false)
            .build()
            .into();
        Self { agent, base: base.to_owned(), token: None, name, story: story.to_owned(), news }
    }

    /// The same connection with this party's credential.
    pub(crate) fn with_token(&self, name: &'static str, token: &str) -> Self {
        Self { token: Some(token.to_owned()), name, ..self.clone() }
    }

    /// Reads.
    pub(crate) fn get(&self, path: &str) -> Result<Value, Failure> {
        self.send("GET", path, None, |agent, url, headers| {
            headers.iter().fold(agent.get(url), |request, (name, value)| request.header(*name, value)).call()
        })
    }

    /// Creates or moves something. The idempotency key comes from the story and the step, so a
    /// restarted journey repeats its requests and is given its first answers.
    pub(crate) fn post(&self, step: &str, path: &str, body: &Value) -> Result<Value, Failure> {
        self.send("POST", path, Some(step), |agent, url, headers| {
            headers
                .iter()
                .fold(agent.post(url), |request, (name, value)| request.header(*name, value))
                .send_json(body)
        })
    }

    /// Changes fields.
    pub(crate) fn patch(&self, path: &str, version: i64, body: &Value) -> Result<Value, Failure> {
        self.send("PATCH", path, None, |agent, url, headers| {
            headers
                .iter()
                .fold(agent.patch(url), |request, (name, value)| request.header(*name, value))
                .header("if-match", version.to_string())
                .send_json(body)
        })
    }

    /// Uploads a file.
    pub(crate) fn upload(
        &self,
        step: &str,
        path: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Value, Failure> {
        self.send("POST", path, Some(step), |agent, url, headers| {
            headers
                .iter()
                .fold(agent.post(url), |request, (name, value)| request.header(*name, value))
                .header("content-type", media_type)
                .send(bytes)
        })
    }

    /// Looks again and again until `done` is content with what it sees.
    pub(crate) fn wait(&self, path: &str, done: impl Fn(&Value) -> bool) -> Result<Value, Failure> {
        let started = Instant::now();
        loop {
            let seen = self.get(path)?;
            if done(&seen) {
                return Ok(seen);
            }
            if started.elapsed() > MOVES_WITHIN {
                return Err(Failure::failed(format!(
                    "{}: {path} did not move on within {MOVES_WITHIN:?}: {seen}",
                    self.name
                )));
            }
            // It moved while we looked.
            self.news.happened();
            std::thread::sleep(LOOK_EVERY);
        }
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        step: Option<&str>,
        call: impl Fn(&Agent, &str, &[(&'static str, String)]) -> Result<Response<ureq::Body>, ureq::Error>,
    ) -> Result<Value, Failure> {
        let url = format!("{}{path}", self.base);
        let mut headers = vec![("accept-language", "zh-CN".to_owned())];
        if let Some(token) = &self.token {
            headers.push(("authorization", format!("Bearer {token}")));
        }
        if let Some(step) = step {
            headers.push(("idempotency-key", format!("{}.{step}", self.story)));
        }
        let mut tries = 0;
        loop {
            tries += 1;
            let answer = call(&self.agent, &url, &headers)
                .map_err(|error| Failure::failed(format!("{}: {method} {path}: {error}", self.name)))?;
            let status = answer.status().as_u16();
            let replayed = answer.headers().contains_key("idempotency-replayed");
            let text = answer
                .into_body()
                .read_to_string()
                .map_err(|error| Failure::failed(format!("{}: {method} {path}: {error}", self.name)))?;
            if (200..300).contains(&status) {
                if method != "GET" && !replayed {
                    self.news.happened();
                }
                return if text.is_empty() {
                    Ok(Value::Null)
                } else {
                    parsed(self.name, method, path, &text)
                };
            }
            if status != 503 || tries >= TRIES_MAX {
                return Err(Failure::failed(format!(
                    "{}: {method} {path} answered {status}: {text}",
                    self.name
                )));
            }
            std::thread::sleep(Duration::from_millis(100 * u64::from(tries)));
        }
    }
}

fn parsed(name: &str, method: &str, path: &str, text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| {
        Failure::failed(format!("{name}: {method} {path} answered something else than JSON: {error}"))
    })
}

/// A text in an answer.
pub(crate) fn text<'v>(answer: &'v Value, field: &str) -> Result<&'v str, Failure> {
    answer
        .get(field)
        .and_then(Value::as_str)
        .ok_or_else(|| Failure::failed(format!("the answer has no text {field:?}: {answer}")))
}

/// A whole number in an answer.
pub(crate) fn number(answer: &Value, field: &str) -> Result<i64, Failure> {
    answer
        .get(field)
        .and_then(Value::as_i64)
        .ok_or_else(|| Failure::failed(format!("the answer has no number {field:?}: {answer}")))
}

/// The rows of a list.
pub(crate) fn rows(answer: &Value) -> &[Value] {
    answer.get("data").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
