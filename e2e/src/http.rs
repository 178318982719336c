//! HTTP as an outsider speaks it: every status is an answer, nothing is retried.

use serde_json::Value;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;
use ureq::Agent;
use ureq::http::{Response, StatusCode};
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

/// As much of a stream as is read.
const STREAM_BYTES: usize = 64 * 1024;
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// One caller of one platform.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
    base: String,
    token: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Answered {
    /// Status.
    pub status: StatusCode,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body as it came.
    pub body: Vec<u8>,
}

impl Answered {
    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the answer is JSON")
    }

    /// A header's value, or nothing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

impl Client {
    /// A stranger at `http://127.0.0.1:port`.
    #[must_use]
    pub fn at_port(port: u16) -> Self {
        let agent = Agent::config_builder()
            .timeout_global(Some(ANSWER_WITHIN))
            .http_status_as_error(false)
            .max_redirects(0)
            .build()
            .into();
        Self { agent, base: format!("http://127.0.0.1:{port}"), token: None }
    }

    /// A stranger at `https://localhost:port`, who trusts these certificates (PEM) and no others.
    ///
    /// # Panics
    /// When they are not PEM.
    #[must_use]
    pub fn over_tls(port: u16, trusted_pem: &str) -> Self {
        let trusted = Certificate::from_pem(trusted_pem.as_bytes()).expect("a certificate in PEM");
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::Specific(Arc::new(vec![trusted])))
            .build();
        let agent = Agent::config_builder()
            .timeout_global(Some(ANSWER_WITHIN))
            .http_status_as_error(false)
            .max_redirects(0)
            .tls_config(tls)
            .build()
            .into();
        Self { agent, base: format!("https://localhost:{port}"), token: None }
    }

    /// The same with a credential.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// Reads; `None` when nobody answers.
    #[must_use]
    pub fn try_get(&self, path: &str) -> Option<Answered> {
        let request = self.agent.get(format!("{}{path}", self.base));
        let request = match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        };
        request.call().ok().and_then(received)
    }

    /// Reads.
    ///
    /// # Panics
    /// When nobody answers.
    #[must_use]
    pub fn get(&self, path: &str) -> Answered {
        self.try_get(path).expect("the platform answers")
    }

    /// Reads with these headers.
    ///
    /// # Panics
    /// When nobody answers.
    #[must_use]
    pub fn get_with(&self, path: &str, headers: &[(&'static str, String)]) -> Answered {
        let request = self.agent.get(format!("{}{path}", self.base));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        request.call().ok().and_then(received).expect("the platform answers")
    }

    /// The beginning of an answer that never ends.
    ///
    /// # Panics
    /// When nothing comes.
    #[must_use]
    pub fn first_of(&self, path: &str) -> Vec<u8> {
        let answered = self.agent.get(format!("{}{path}", self.base)).call().expect("the platform answers");
        let mut body = answered.into_body().into_reader();
        let mut first = vec![0; STREAM_BYTES];
        let length = body.read(&mut first).expect("the stream begins");
        assert!(length > 0, "the stream ended before it began");
        first.truncate(length);
        first
    }

    /// Sends raw bytes with that content type and idempotency key.
    ///
    /// # Panics
    /// When nobody answers.
    #[must_use]
    pub fn post_bytes(&self, path: &str, key: &str, content_type: &str, body: &[u8]) -> Answered {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.base))
            .header("content-type", content_type)
            .header("idempotency-key", key);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request.send(body).ok().and_then(received).expect("the platform answers")
    }

    /// Sends JSON.
    ///
    /// # Panics
    /// When nobody answers.
    #[must_use]
    pub fn post(&self, path: &str, key: &str, body: &Value) -> Answered {
        self.post_bytes(path, key, "application/json", body.to_string().as_bytes())
    }
}

fn received(response: Response<ureq::Body>) -> Option<Answered> {
    let (parts, mut body) = response.into_parts();
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    Some(Answered { status: parts.status, headers, body: body.read_to_vec().ok()? })
}
