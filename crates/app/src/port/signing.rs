//! 电子签.

use super::{AdapterName, Answer};
use secrecy::SecretString;

/// A document to be signed by a person who has just proved who they are.
#[derive(Debug, Clone)]
pub struct SigningRequest {
    /// Our agreement id: the idempotency key at the signing service.
    pub reference: String,
    /// SHA-256 of the document, hex.
    pub document_sha256: String,
    /// Signer's name.
    pub signer: SecretString,
    /// Signer's ID number.
    pub id_number: SecretString,
}

/// Proof that the document was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureReceipt {
    /// The service's serial for this signature.
    pub serial: String,
    /// The signer certificate's subject, without personal numbers.
    pub certificate: String,
}

/// 电子签服务.
pub trait AgreementSigner: Send + Sync {
    /// Who signs.
    fn adapter(&self) -> AdapterName;
    /// Signs; the same reference and hash is one signature.
    fn sign(&self, request: SigningRequest) -> Answer<'_, SignatureReceipt>;
}
