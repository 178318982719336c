//! Everything secret that a demo holds, opened the way its owners open it: the platform's keystore
//! under the master key, the terminal's files under its element's key.
//!
//! What does not open is a failure: a key that was not looked at would not be searched for.

use crate::database;
use crate::demo::Engine;
use crate::secrets::Secret;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use starpay_keys::device::DeviceKeys;
use starpay_keys::hsm::Hsm as _;
use starpay_keys::keystore::{Keystore, MasterKey};
use starpay_keys::seal::{self, DataKey};
use starpay_keys::tmk::Tmk;
use starpay_keys::{OsRandom, wire};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// What stands in front of the sealed part of a keystore under a master key.
const KEYSTORE_HEAD: &[u8] = b"SPKS\x01\x01";
/// Kind, id, version and time in front of a keystore's entry.
const ENTRY_HEAD_BYTES: usize = 1 + 16 + 4 + 8;
/// Kinds of keystore entries from here on are certificates, which are public.
const CERTIFICATES_FROM: u8 = 100;
const MASTER_KEY: &str = "platform/master.key";
const ELEMENT_KEY: &str = "terminal/element.key";
const SESSION: &str = "parties/applicant.json";

/// The merchant id of the platform's own records.
const PLATFORM: &str = "00000000000000000000000000000000";

/// The secrets, and what a party needs to speak for itself.
pub struct Held {
    /// Keys and tokens, each by name. Those with a file of their own name it.
    pub secrets: Vec<Secret>,
    /// Bearer tokens by the party's name.
    pub tokens: Vec<(String, String)>,
    /// The terminal's own keys.
    pub device: DeviceKeys,
    /// Idempotency keys under which answers are kept.
    pub answered: Vec<String>,
}

impl Held {
    /// Where a secret may stand: the one file that is its own.
    #[must_use]
    pub fn file_of(secret: &str) -> Option<&'static str> {
        match secret {
            "master key" => Some(MASTER_KEY),
            "terminal's element key" => Some(ELEMENT_KEY),
            "token of applicant" => Some(SESSION),
            _ => None,
        }
    }

    /// Of the demo in this data folder, on that engine.
    ///
    /// # Panics
    /// When something does not open, or a kind of secret is missing.
    #[must_use]
    pub fn of(data: &Path, engine: &Engine) -> Self {
        let mut secrets = Vec::new();
        let mut add = |name: &str, bytes: &[u8]| secrets.push(Secret::bytes(name, bytes));
        let written = fs::read(data.join(MASTER_KEY)).expect("the master key's file reads");
        let master = hex::decode(written.trim_ascii()).expect("the master key is hexadecimal");
        add("master key", &master);
        keystore_keys(&data.join("platform/keystore.json"), &master)
            .iter()
            .for_each(|key| add("keystore's key", key));

        let key_file = MasterKey::file(data.join(MASTER_KEY));
        let keystore = Keystore::open(&data.join("platform/keystore.json"), &key_file, Arc::new(OsRandom));
        let keystore = keystore.expect("the keystore opens");
        let mut platform_key = None;
        for row in rows(data, engine, "SELECT {merchant_id}, version, {wrapped} FROM data_key") {
            let [merchant, version, wrapped] = row.try_into().expect("three columns");
            let context = format!("data-key|{}|{version}", merchant.to_lowercase());
            let key = keystore.unwrap(&unhex(&wrapped), context.as_bytes()).expect("a data key unwraps");
            add("data key", &key);
            if merchant == PLATFORM {
                platform_key = Some(DataKey::from_bytes(key.as_slice().try_into().expect("a data key")));
            }
        }
        for row in rows(data, engine, "SELECT {wrapped} FROM key_slot WHERE wrapped IS NOT NULL") {
            let block = String::from_utf8(unhex(&row[0])).expect("a key block is text");
            let tmk = Tmk::from_block(&keystore.block_key(), &block).expect("the key block opens");
            add("terminal's master key, as the platform keeps it", tmk.expose());
        }

        let element = fs::read(data.join(ELEMENT_KEY)).expect("the element's key reads");
        add("terminal's element key", &element);
        let element = DataKey::from_bytes(element.try_into().expect("the element's key has 32 bytes"));
        let device = terminal_keys(&data.join("terminal"), &element, &mut add);

        let session: Value =
            serde_json::from_slice(&fs::read(data.join(SESSION)).expect("the session reads"))
                .expect("the session is JSON");
        let session = session["token"].as_str().expect("the session has a token").to_owned();
        let mut tokens = vec![("applicant".to_owned(), session)];
        tokens.extend(staff_tokens(data, engine, &platform_key.expect("the platform has a data key")));
        for (party, token) in &tokens {
            add(&format!("token of {party}"), token.as_bytes());
        }
        let answered = rows(data, engine, "SELECT DISTINCT key FROM idempotency");
        let answered = answered.into_iter().flatten().collect();
        Self { secrets, tokens, device, answered }
    }
}

/// Every key in the keystore's file.
fn keystore_keys(file: &Path, master: &[u8]) -> Vec<Vec<u8>> {
    let bytes = fs::read(file).expect("the keystore reads");
    let sealed = bytes.strip_prefix(KEYSTORE_HEAD).expect("the keystore lies under a master key");
    let master = DataKey::from_bytes(master.try_into().expect("a master key has 32 bytes"));
    let clear = seal::open(&master, KEYSTORE_HEAD, sealed).expect("the keystore opens");
    let (mut keys, mut rest) = (Vec::new(), clear.as_slice());
    while let Some(kind) = rest.first() {
        let (_, after) = rest.split_at(ENTRY_HEAD_BYTES);
        let (length, after) = after.split_first_chunk::<4>().expect("an entry has a length");
        let length = usize::try_from(u32::from_be_bytes(*length)).expect("a length fits");
        let (entry, after) = after.split_at(length);
        if *kind < CERTIFICATES_FROM {
            keys.push(entry.to_vec());
        }
        rest = after;
    }
    assert!(keys.len() >= 8, "a keystore holds eight keys, not {}", keys.len());
    keys
}

/// The device's own keys and what the platform gave it.
fn terminal_keys(folder: &Path, element: &DataKey, add: &mut impl FnMut(&str, &[u8])) -> DeviceKeys {
    let open = |file: &str, part: &str| {
        let sealed = fs::read(folder.join(file)).expect("the terminal's file reads");
        let context = format!("starpay-terminal|{file}");
        let clear = seal::open(element, context.as_bytes(), &sealed).expect("the terminal's file opens");
        let record: Value = serde_json::from_slice(&clear).expect("the terminal's file is JSON");
        wire::from_base64url(record[part].as_str().expect("the part is text")).expect("base64url")
    };
    let sealed = open("device.sealed", "keys");
    let clear = seal::open(element, b"starpay device keys v1", &sealed).expect("the device keys open");
    for (name, key) in ["sign", "TLS", "envelope"].into_iter().zip(clear.chunks_exact(32)) {
        add(&format!("device's {name} key"), key);
    }
    let set = open("keys.sealed", "set");
    let set = seal::open(element, b"starpay device key set v1", &set).expect("the key set opens");
    add("terminal's master key", &set[..16]);
    add("key block protection key", &set[16..48]);
    DeviceKeys::open(element, &sealed).expect("the device keys open")
}

/// The tokens of the demo's staff, from the sealed answers that gave them.
fn staff_tokens(data: &Path, engine: &Engine, platform: &DataKey) -> Vec<(String, String)> {
    let made = "SELECT actor, key, {answer} FROM idempotency WHERE route = 'access-key.create'";
    let tokens: Vec<(String, String)> = rows(data, engine, made)
        .into_iter()
        .map(|row| {
            let [actor, key, answer] = row.try_into().expect("three columns");
            let context = format!("answer|{actor}|access-key.create|{key}");
            let clear = seal::open(platform, context.as_bytes(), &unhex(&answer)).expect("the answer opens");
            // Beside the answer stands what it shows.
            let kept: Value = serde_json::from_slice(&clear).expect("the answer is JSON");
            let text = |field: &str| kept["answer"][field].as_str().expect("the answer has it").to_owned();
            (text("role"), text("token"))
        })
        .collect();
    assert!(tokens.len() >= 5, "five desks and partners have a token");
    tokens
}

/// Rows as text; a column in braces is bytes, in hexadecimal.
fn rows(data: &Path, engine: &Engine, query: &str) -> Vec<Vec<String>> {
    match engine {
        Engine::Postgres(url) => database::rows(url, &query.replace('{', "encode(").replace('}', ", 'hex')")),
        Engine::Sqlite => {
            let query = query.replace('{', "lower(hex(").replace('}', "))");
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let database = Connection::open_with_flags(data.join("platform/starpay.db"), flags);
            let database = database.expect("the database opens");
            let mut statement = database.prepare(&query).expect("the query fits the schema");
            let columns = statement.column_count();
            let read = |row: &rusqlite::Row<'_>| {
                (0..columns)
                    .map(|at| match row.get_ref(at)? {
                        rusqlite::types::ValueRef::Integer(number) => Ok(number.to_string()),
                        value => Ok(value.as_str()?.to_owned()),
                    })
                    .collect::<Result<Vec<String>, rusqlite::Error>>()
            };
            let found = statement.query_map([], read).expect("the table reads");
            found.map(|row| row.expect("the row reads")).collect()
        }
    }
}

fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text).expect("bytes come in hexadecimal")
}
