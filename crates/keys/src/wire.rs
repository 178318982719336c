//! Texts that terminal and platform must build alike, byte for byte.
//!
//! Each is one of the formulas of `docs/protocol/terminal-control.md`; both ends call these
//! functions, so there is one place to read and no second spelling to drift.
//!
//! ```
//! use starpay_keys::wire;
//!
//! let text = wire::request_text("POST", "/terminal/v1/claims", 1_700_000_000_000, "AAAA", b"");
//! assert!(text.starts_with("starpay-terminal-v1\nPOST\n/terminal/v1/claims\n1700000000000\nAAAA\n"));
//! assert_eq!(wire::base64url(&[0xFB, 0xEF]), "--8");
//! assert_eq!(wire::array_from_base64url::<2>("--8"), Some([0xFB, 0xEF]));
//! assert_eq!(wire::from_base64url("++8="), None, "one spelling only");
//! ```

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Binary in JSON and headers: base64url without padding (RFC 4648, 5).
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads base64url without padding; `None` for anything else.
#[must_use]
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Reads base64url that must hold exactly `N` bytes (a nonce, a challenge, a key).
#[must_use]
pub fn array_from_base64url<const N: usize>(text: &str) -> Option<[u8; N]> {
    from_base64url(text)?.try_into().ok()
}

/// What the device signs for each request.
///
/// `path_and_query` is the request target as sent; `timestamp_ms` Unix milliseconds; `nonce` the
/// header's text; of `body` only SHA-256 goes in.
#[must_use]
pub fn request_text(
    method: &str,
    path_and_query: &str,
    timestamp_ms: i64,
    nonce: &str,
    body: &[u8],
) -> String {
    let digest = hex::encode(Sha256::digest(body));
    format!("starpay-terminal-v1\n{method}\n{path_and_query}\n{timestamp_ms}\n{nonce}\n{digest}")
}

/// What both sides know when a device proves who it is (step 2).
#[derive(Debug, Clone, Copy)]
pub struct Identity<'a> {
    /// The activation's id as text.
    pub activation_id: &'a str,
    /// The terminal's serial number.
    pub serial: &'a str,
    /// The server's challenge.
    pub challenge: &'a [u8; 32],
    /// The server's nonce of the claim.
    pub server_nonce: &'a [u8; 16],
    /// The device's nonce of this request.
    pub device_nonce: &'a [u8; 16],
    /// The certificate request.
    pub csr_der: &'a [u8],
}

/// What the device signs as its identity proof.
#[must_use]
pub fn identity_text(identity: &Identity<'_>) -> String {
    [
        "starpay-identity-v1",
        identity.activation_id,
        identity.serial,
        &base64url(identity.challenge),
        &base64url(identity.server_nonce),
        &base64url(identity.device_nonce),
        &hex::encode(Sha256::digest(identity.csr_der)),
    ]
    .join("\n")
}

/// What the platform signs around a key statement.
#[must_use]
pub fn statement_text(statement: &[u8]) -> Vec<u8> {
    [b"starpay-keys-v1\n", statement].concat()
}

/// The HPKE `info` of the envelope around a key-block protection key.
#[must_use]
pub fn kbpk_info(
    serial: &str,
    device_nonce: &[u8; 16],
    server_nonce: &[u8; 16],
    tmk_id: &str,
    key_version: u32,
) -> String {
    format!(
        "starpay-kbpk-v1|{serial}|{}|{}|{tmk_id}|{key_version}",
        base64url(device_nonce),
        base64url(server_nonce)
    )
}

/// The HPKE `info` of the envelope around an operator's PIN.
#[must_use]
pub fn pin_info(device_id: &str, number: &str) -> String {
    format!("starpay-pin-v1|{device_id}|{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_are_those_of_the_protocol_document() {
        assert_eq!(
            request_text("POST", "/terminal/v1/claims", 1_700_000_000_000, "AAAA", b""),
            "starpay-terminal-v1\nPOST\n/terminal/v1/claims\n1700000000000\nAAAA\n\
             e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            kbpk_info("99990004STAR00000001", &[0; 16], &[255; 16], "tmk_1", 3),
            "starpay-kbpk-v1|99990004STAR00000001|AAAAAAAAAAAAAAAAAAAAAA|_____________________w|tmk_1|3"
        );
        assert_eq!(pin_info("dev_1", "01"), "starpay-pin-v1|dev_1|01");
        assert_eq!(statement_text(b"{}"), b"starpay-keys-v1\n{}");
        let identity = Identity {
            activation_id: "act_1",
            serial: "S",
            challenge: &[0; 32],
            server_nonce: &[0; 16],
            device_nonce: &[0; 16],
            csr_der: b"",
        };
        let text = identity_text(&identity);
        let lines: Vec<&str> = text.split('\n').collect();
        assert_eq!(lines.len(), 7);
        assert_eq!(lines.first(), Some(&"starpay-identity-v1"));
        assert_eq!(lines.get(3).map(|line| line.len()), Some(43));
        assert_eq!(lines.get(6).map(|line| line.len()), Some(64));
    }

    #[test]
    fn padded_or_standard_base64_is_refused() {
        assert_eq!(from_base64url("AA=="), None);
        assert_eq!(from_base64url("+/8"), None);
        assert_eq!(array_from_base64url::<2>("_-8"), Some([255, 239]));
        assert_eq!(array_from_base64url::<3>("_-8"), None);
    }
}
