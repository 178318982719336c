//! Just enough HTTP/1.1 for the test platform: one request a connection.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};

/// A request as it arrived.
pub(crate) struct Arrived {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Arrived {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) retry_after_s: Option<u64>,
}

/// Reads a request; `None` when the other side only knocked.
pub(crate) fn read(stream: &mut impl Read) -> Option<Arrived> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(0, |text| text.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Arrived { method, target, headers, body })
}

/// Writes an answer; the other side may have gone.
pub(crate) fn write(stream: &mut impl Write, reply: &Reply, date: &str) {
    let retry = reply.retry_after_s.map_or(String::new(), |seconds| format!("Retry-After: {seconds}\r\n"));
    let head = format!(
        "HTTP/1.1 {} X\r\nDate: {date}\r\nContent-Length: {}\r\nConnection: close\r\n{retry}\r\n",
        reply.status,
        reply.body.len()
    );
    let written = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&reply.body));
    let _ = written.and_then(|()| stream.flush());
}
