//! 电子签: by the sequence digits of the signer's ID number.

use super::memory::{Facts, Remembered, digest};
use super::table::{Reads, Table, row};
use super::{Fault, World, forgetful, sandbox};
use secrecy::ExposeSecret as _;
use starpay_app::port::{AdapterName, AgreementSigner, Answer, PortError, SignatureReceipt, SigningRequest};

/// What the service does with a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Signing {
    /// Signs.
    Signs,
    /// No answer.
    Fails(Fault),
}

impl Signing {
    pub(super) const fn meaning(self) -> &'static str {
        match self {
            Self::Signs => "signed with the certificate `CN=Starpay Sandbox Signer`",
            Self::Fails(fault) => fault.meaning(),
        }
    }
}

pub(super) const OUTCOMES: Table<Signing> = Table {
    port: "Agreement signing 电子签 (`sandbox-signing`)",
    input: "`id_number` of the signer",
    reads: Reads::SequenceDigits,
    delay: "until the answer",
    rows: &[
        row("911", Signing::Fails(Fault::SaysNo), 0),
        row("912", Signing::Fails(Fault::Closed), 0),
        row("913", Signing::Fails(Fault::AnswerLost), 0),
        row("914", Signing::Fails(Fault::RequestLost), 0),
    ],
    otherwise: row("", Signing::Signs, 0),
};

/// The simulated signing service.
#[derive(Clone)]
pub struct SandboxSigner(World);

impl SandboxSigner {
    /// In that world.
    #[must_use]
    pub const fn new(world: World) -> Self {
        Self(world)
    }

    /// Signs once per reference; another document under the same reference is refused.
    fn sign_once(&self, request: &SigningRequest) -> Result<SignatureReceipt, PortError> {
        let serial = format!(
            "{}-{}",
            NAME.name,
            digest(&format!("{} {}", request.reference, request.document_sha256))
        );
        let facts = Facts::from([
            ("serial".to_owned(), serial.clone()),
            ("document_sha256".to_owned(), request.document_sha256.clone()),
        ]);
        let remembered =
            self.0.memory.remember("signature", &request.reference, &facts).map_err(forgetful(NAME.name))?;
        if let Remembered::Before(before) = remembered
            && before != facts
        {
            let why = "another document was signed under this reference".to_owned();
            return Err(PortError::Refused { adapter: NAME.name, why });
        }
        Ok(SignatureReceipt { serial, certificate: "CN=Starpay Sandbox Signer".to_owned() })
    }
}

const NAME: AdapterName = sandbox("sandbox-signing");

impl AgreementSigner for SandboxSigner {
    fn adapter(&self) -> AdapterName {
        NAME
    }

    fn sign(&self, request: SigningRequest) -> Answer<'_, SignatureReceipt> {
        Box::pin(async move {
            let row = OUTCOMES.decide(request.id_number.expose_secret());
            self.0.wait(row.delay_ms).await;
            match row.behaviour {
                Signing::Signs => self.sign_once(&request),
                // Asked again after a lost answer, the service says what it did.
                Signing::Fails(fault) if fault.is_done() => {
                    let known = self.0.memory.recall("signature", &request.reference);
                    let receipt = self.sign_once(&request)?;
                    match known.map_err(forgetful(NAME.name))? {
                        Some(_) => Ok(receipt),
                        None => Err(fault.error(NAME.name)),
                    }
                }
                Signing::Fails(fault) => Err(fault.error(NAME.name)),
            }
        })
    }
}
