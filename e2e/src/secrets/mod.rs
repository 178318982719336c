//! The secret scan: do these exact secrets stand anywhere, in any of the ways software writes
//! things down?
//!
//! A finding names the secret, the way of writing and the place, never the secret itself.

mod encoding;
mod sqlite;

use aho_corasick::{AhoCorasick, MatchKind};
use encoding::Needle;
use std::fmt;
use std::fs;
use std::path::Path;

/// Something that must never be found.
#[derive(Clone)]
pub struct Secret {
    name: String,
    bytes: Vec<u8>,
}

impl Secret {
    /// A secret that people write as text: a number, a code, a name.
    #[must_use]
    pub fn text(name: &str, text: &str) -> Self {
        Self::bytes(name, text.as_bytes())
    }

    /// A secret of raw bytes: a key.
    #[must_use]
    pub fn bytes(name: &str, bytes: &[u8]) -> Self {
        Self { name: name.to_owned(), bytes: bytes.to_vec() }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.name)
    }
}

/// A secret that was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// File, answer, log: where.
    pub place: String,
    /// Which secret, by name.
    pub secret: String,
    /// How it was written.
    pub written: &'static str,
    /// At which byte.
    pub offset: usize,
}

/// Looks for every secret in every writing in one pass.
pub struct Scan {
    searched: AhoCorasick,
    needles: Vec<(String, Needle)>,
    bytes_searched: std::sync::atomic::AtomicU64,
}

impl Scan {
    /// For these secrets.
    ///
    /// # Panics
    /// When a secret is too short to be told from chance: then nothing could be proved about it.
    #[must_use]
    pub fn new(secrets: &[Secret]) -> Self {
        let mut needles = Vec::new();
        for secret in secrets {
            let is_long_enough = secret.bytes.len() >= encoding::NEEDLE_BYTES_MIN;
            assert!(is_long_enough, "{} is too short to be searched for", secret.name);
            let writings = encoding::writings(&secret.bytes);
            needles.extend(writings.into_iter().map(|needle| (secret.name.clone(), needle)));
        }
        let searched = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(needles.iter().map(|(_, needle)| &needle.bytes))
            .expect("a few hundred short needles fit");
        Self { searched, needles, bytes_searched: std::sync::atomic::AtomicU64::new(0) }
    }

    /// What stands in these bytes.
    #[must_use]
    pub fn bytes(&self, place: &str, haystack: &[u8]) -> Vec<Finding> {
        self.search(place, haystack, |_| true)
    }

    fn search(&self, place: &str, haystack: &[u8], counts: impl Fn(&Needle) -> bool) -> Vec<Finding> {
        let length = u64::try_from(haystack.len()).expect("a length fits");
        self.bytes_searched.fetch_add(length, std::sync::atomic::Ordering::Relaxed);
        let found = self.searched.find_overlapping_iter(haystack).filter_map(|found| {
            let (secret, needle) = self.needles.get(found.pattern().as_usize())?;
            let is_found = counts(needle) && needle.stands_alone(haystack, found.start(), found.end());
            is_found.then(|| Finding {
                place: place.to_owned(),
                secret: secret.clone(),
                written: needle.written,
                offset: found.start(),
            })
        });
        found.collect()
    }

    /// What stands in this file, or in any file below this folder. File names are searched too.
    ///
    /// A SQLite database is searched twice: as raw pages (with its log, and what was deleted) for
    /// what cannot be chance there, and value by value for everything.
    ///
    /// # Panics
    /// When something cannot be read: a place that was not searched proves nothing.
    #[must_use]
    pub fn path(&self, path: &Path) -> Vec<Finding> {
        let place = path.display().to_string();
        let mut findings = self.bytes(&format!("the name of {place}"), place.as_bytes());
        let kind = fs::symlink_metadata(path).expect("the path exists").file_type();
        if kind.is_dir() {
            for entry in fs::read_dir(path).expect("the folder reads") {
                findings.extend(self.path(&entry.expect("the folder reads").path()));
            }
        } else if kind.is_file() {
            let bytes = fs::read(path).expect("the file reads");
            if sqlite::is_part_of_a_database(path) {
                findings.extend(self.search(&place, &bytes, Needle::is_strong));
            } else {
                findings.extend(self.bytes(&place, &bytes));
            }
            if sqlite::is_a_database(&bytes) {
                sqlite::each_value(path, |column, value| findings.extend(self.bytes(column, value)));
            }
        }
        findings
    }

    /// How many bytes were searched: a scan of nothing finds nothing.
    #[must_use]
    pub fn bytes_searched(&self) -> u64 {
        self.bytes_searched.load(std::sync::atomic::Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

    const ID: &str = "440399200002291128";
    const CARD: &str = "6200000000000013";
    const MOBILE: &str = "15400000001";
    const KEY: [u8; 16] = *b"\x00\xfe\x13\x80\x9a\xbc\xde\xf0\x01\x02\x03\x04\x05\x06\x07\xff";

    fn scan() -> Scan {
        Scan::new(&[
            Secret::text("id", ID),
            Secret::text("card", CARD),
            Secret::text("mobile", MOBILE),
            Secret::text("name", "林样例"),
            Secret::text("pin", "739164"),
            Secret::bytes("key", &KEY),
        ])
    }

    fn writings_found(haystack: &[u8]) -> Vec<(String, &'static str)> {
        let mut found: Vec<_> = scan()
            .bytes("here", haystack)
            .into_iter()
            .map(|finding| (finding.secret, finding.written))
            .collect();
        found.dedup();
        found
    }

    fn planted(secret: &[u8]) -> Vec<u8> {
        [b"before\x00".as_slice(), secret, b"\xffafter"].concat()
    }

    fn bcd(digits: &str) -> Vec<u8> {
        hex::decode(digits).unwrap()
    }

    #[test]
    fn a_planted_secret_is_found_in_each_writing() {
        let utf16: Vec<u8> = ID.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let utf16_be: Vec<u8> = ID.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let swapped: Vec<u8> = bcd(ID).iter().map(|byte| byte.rotate_left(4)).collect();
        let backwards: String = ID.chars().rev().collect();
        let cases: [(Vec<u8>, &str); 10] = [
            (ID.into(), "text"),
            (utf16, "UTF-16 LE"),
            (utf16_be, "UTF-16 BE"),
            (bcd(ID), "BCD"),
            (swapped, "BCD, nibbles swapped"),
            (backwards.clone().into(), "text, reversed"),
            (bcd(&backwards), "BCD, reversed"),
            (hex::encode(ID).into(), "hex"),
            (BASE64_STANDARD.encode(ID).into(), "base64"),
            (hex::encode_upper(KEY).into(), "hex"),
        ];
        for (secret, written) in cases {
            let found = writings_found(&planted(&secret));
            assert!(found.iter().any(|(_, found)| *found == written), "{written}: {found:?}");
        }
    }

    #[test]
    fn bcd_is_found_when_it_starts_in_the_middle_of_a_byte() {
        for digits in [ID, CARD, MOBILE] {
            for (before, after) in [("", ""), ("7", ""), ("", "F"), ("7", "F"), ("77", "FF")] {
                let nibbles = format!("{before}{digits}{after}");
                let padded = if nibbles.len() % 2 == 0 { nibbles } else { format!("{nibbles}F") };
                let found = writings_found(&planted(&bcd(&padded)));
                assert!(found.iter().any(|(_, written)| *written == "BCD"), "{before}{digits}{after}");
            }
        }
    }

    #[test]
    fn base64_is_found_at_each_alignment_in_both_alphabets() {
        for before in ["", "a", "ab", "abc"] {
            for secret in [ID.as_bytes(), &KEY] {
                let whole = [before.as_bytes(), secret, b"zz"].concat();
                for text in [BASE64_STANDARD.encode(&whole), BASE64_URL_SAFE_NO_PAD.encode(&whole)] {
                    let found = writings_found(text.as_bytes());
                    assert!(found.iter().any(|(_, written)| *written == "base64"), "{before}: {text}");
                }
            }
        }
    }

    #[test]
    fn a_number_with_an_x_and_a_name_in_json_escapes_are_found() {
        let scan = Scan::new(&[Secret::text("id", "11019919900307996X"), Secret::text("name", "林样例")]);
        assert_eq!(scan.bytes("here", &bcd("110199199003079960")).len(), 1);
        let lower = scan.bytes("here", b"11019919900307996x");
        assert!(lower.iter().any(|finding| finding.written == "text"), "{lower:?}");
        assert_eq!(scan.bytes("here", br#""\u6797\u6837\u4f8b""#)[0].written, "JSON escapes");
        assert_eq!(
            scan.bytes("here", "%E6%9E%97%E6%A0%B7%E4%BE%8B".as_bytes())[0].written,
            "percent escapes"
        );
    }

    #[test]
    fn a_pin_is_not_found_inside_a_longer_number() {
        assert!(writings_found(b"17391645").is_empty());
        assert!(writings_found(b"\\x0a739164be").is_empty());
        assert_eq!(writings_found(b"pin=739164;")[0].0, "pin");
        assert!(writings_found(b"4403992000022911 28 and 6200 0000").is_empty());
    }

    #[test]
    fn files_names_and_folders_are_searched_and_a_clean_folder_is_clean() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("deep")).unwrap();
        fs::write(folder.path().join("deep/clean"), "nothing here").unwrap();
        let scan = scan();
        assert!(scan.path(folder.path()).is_empty());
        assert!(scan.bytes_searched() > 12);
        fs::write(folder.path().join("deep/dirty"), planted(&KEY)).unwrap();
        fs::write(folder.path().join(CARD), "").unwrap();
        let mut found: Vec<String> =
            scan.path(folder.path()).into_iter().map(|finding| finding.secret).collect();
        found.sort();
        found.dedup();
        assert_eq!(found, ["card", "key"]);
    }

    #[test]
    fn a_value_in_a_database_is_found_although_chance_looks_like_it_in_raw_pages() {
        let folder = tempfile::tempdir().unwrap();
        let database = rusqlite::Connection::open(folder.path().join("a.db")).unwrap();
        database.execute_batch("CREATE TABLE person (id INTEGER, note TEXT, bytes BLOB)").unwrap();
        assert!(scan().path(folder.path()).is_empty());
        database.execute("INSERT INTO person VALUES (1, ?1, ?2)", (ID, bcd(CARD))).unwrap();
        drop(database);
        let found = scan().path(folder.path());
        let at = |place: &str, secret: &str, written: &str| {
            found
                .iter()
                .any(|one| one.place.ends_with(place) && one.secret == secret && one.written == written)
        };
        assert!(at("person.note", "id", "text") && at("a.db", "id", "text"), "{found:?}");
        assert!(at("person.bytes", "card", "BCD") && !at("a.db", "card", "BCD"), "{found:?}");
    }

    #[test]
    fn a_finding_does_not_repeat_the_secret() {
        let findings = scan().bytes("here", ID.as_bytes());
        assert!(!findings.is_empty() && !format!("{findings:?}").contains(ID));
    }

    #[test]
    #[should_panic(expected = "too short")]
    fn a_secret_nobody_could_tell_from_chance_is_refused() {
        let _scan = Scan::new(&[Secret::bytes("short", &[1, 2, 3])]);
    }
}
