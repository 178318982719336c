//! The certificate that opens TLS connections, and its renewal (换发).
//!
//! The first one came with the key set and is for the device's own TLS key; each further one has a
//! key of its own. A renewal is journalled like a step: the new key is on disk before the platform
//! is asked, the certificate before it is confirmed, and the old pair is let go only when the
//! platform has answered that the new one is in force. A terminal whose power was cut anywhere in
//! between asks the same again and hears the same.

use serde::{Deserialize, Serialize};
use serde_json::json;
use starpay_keys::certificate::{Certificate, TlsKey};
use starpay_keys::seal::SealError;
use starpay_keys::wire;

use crate::activation::Terminal;
use crate::answer::{CertificateStatus, RenewedCertificate};
use crate::attendant::{Attendant, CertificateReport};
use crate::folder::Folder;
use crate::journal::Progress;
use crate::link::{Request, Showing};
use crate::{Error, Refusal, Step, Surroundings};

/// The file of the renewed certificates.
const FILE: &str = "certificate.sealed";
/// How often a renewal starts over with another key when the platform refuses the first one.
const KEYS_MAX: u32 = 2;
/// Renews.
const RENEWAL_PATH: &str = "/terminal/v1/certificate-renewal";

/// A certificate with its private key.
#[derive(Debug, Clone)]
pub(crate) struct TlsIdentity {
    pub(crate) key: TlsKey,
    pub(crate) certificate: Certificate,
}

/// A renewal under way.
#[derive(Debug, Clone)]
struct Next {
    key: TlsKey,
    /// Once the platform has answered.
    certificate: Option<Certificate>,
}

/// The renewed certificates of a terminal.
#[derive(Debug, Default)]
pub(crate) struct Certificates {
    /// The one in force, when it is not the first.
    renewed: Option<TlsIdentity>,
    next: Option<Next>,
}

/// The record in the folder; keys are sealed once more by the key crate.
#[derive(Default, Serialize, Deserialize)]
struct Record {
    renewed: Option<Pair>,
    next: Option<Pair>,
}

#[derive(Serialize, Deserialize)]
struct Pair {
    key: String,
    certificate: Option<String>,
}

impl Certificates {
    /// Reads them from the folder.
    pub(crate) fn load(folder: &Folder) -> Result<Self, Error> {
        let Some(record) = folder.load::<Record>(FILE)? else { return Ok(Self::default()) };
        let broken = || Error::Keys("a TLS key in the folder does not open".to_owned());
        let read = |pair: Pair| -> Result<Next, Error> {
            let key = wire::from_base64url(&pair.key)
                .ok_or(SealError::Malformed)
                .and_then(|sealed| TlsKey::open(folder.element(), &sealed))
                .map_err(|_| broken())?;
            let certificate = match pair.certificate {
                None => None,
                Some(text) => {
                    let der = wire::from_base64url(&text).ok_or_else(broken)?;
                    Some(Certificate::parse(&der).map_err(|_| broken())?)
                }
            };
            Ok(Next { key, certificate })
        };
        let renewed = record.renewed.map(&read).transpose()?;
        let renewed = renewed.and_then(|Next { key, certificate }| {
            certificate.map(|certificate| TlsIdentity { key, certificate })
        });
        Ok(Self { renewed, next: record.next.map(read).transpose()? })
    }

    fn save(&self, folder: &Folder, surroundings: &dyn Surroundings) -> Result<(), Error> {
        let pair = |key: &TlsKey, certificate: Option<&Certificate>| Pair {
            key: wire::base64url(&key.seal(folder.element(), folder.element_id(), surroundings.random())),
            certificate: certificate.map(|certificate| wire::base64url(certificate.der())),
        };
        let record = Record {
            renewed: self.renewed.as_ref().map(|kept| pair(&kept.key, Some(&kept.certificate))),
            next: self.next.as_ref().map(|next| pair(&next.key, next.certificate.as_ref())),
        };
        folder.store(FILE, &record, surroundings)
    }
}

impl CertificateStatus {
    /// Whether the platform wants the terminal to renew it now.
    #[must_use]
    pub fn is_due(&self) -> bool {
        matches!(self.standing.as_str(), "due" | "recalled" | "ended")
    }
}

impl Refusal {
    /// Whether a certificate that no longer counts is what is wrong, so that renewing it helps.
    #[must_use]
    pub fn is_about_certificate(&self) -> bool {
        matches!(self.code.as_str(), "certificate_expired" | "certificate_recalled")
    }
}

/// What is to be done after a refused part of a renewal.
enum Refused {
    /// The key is worth nothing: begin again with another one.
    AnotherKey(Error),
    /// There is nothing to renew.
    NotDue,
    /// Ask the same again another time.
    Later(Error),
}

impl Refused {
    fn to_request(error: Error) -> Self {
        match &error {
            Error::Refused(refusal) if refusal.code == "csr_key_used" => Self::AnotherKey(error),
            Error::Refused(refusal) if refusal.code == "renewal_not_due" => Self::NotDue,
            _ => Self::Later(error),
        }
    }

    fn to_confirmation(error: Error) -> Self {
        match &error {
            // Another one was issued meanwhile, or this one was recalled.
            Error::Refused(refusal) if refusal.code == "certificate_mismatch" => Self::AnotherKey(error),
            _ => Self::Later(error),
        }
    }
}

impl Terminal<'_> {
    /// The certificate that opens this terminal's TLS connections; none before its keys are loaded.
    #[must_use]
    pub fn certificate(&self) -> Option<Certificate> {
        self.identity().map(|identity| identity.certificate)
    }

    /// The newest certificate the platform surely knows this terminal to have.
    fn identity(&self) -> Option<TlsIdentity> {
        let status = self.status()?;
        let first = self.keys.as_ref().filter(|keys| {
            let confirmed = status.completed.iter().any(|name| name == Step::Keys.completes());
            confirmed && keys.activation_id() == status.activation_id
        });
        let first = first.map(|keys| TlsIdentity {
            key: self.device.keys().tls(),
            certificate: keys.certificate().clone(),
        });
        let renewed = self.certificates.renewed.clone();
        first.into_iter().chain(renewed).max_by_key(|identity| identity.certificate.not_after_s())
    }

    /// Opens further connections with the certificate in force.
    pub(crate) fn show_certificate(&mut self) {
        let now_s = self.link.now_ms().div_euclid(1_000);
        let good = self.identity().filter(|identity| identity.certificate.not_after_s() >= now_s);
        self.link.show(good.as_ref(), Showing::WherePossible);
    }

    /// Renews the certificate when the platform says that it is time, or goes on with a renewal
    /// that a power cut stopped. What hinders it hinders nothing else: a certificate is renewed
    /// long before its end.
    pub(crate) fn keep_certified(&mut self, attendant: &mut dyn Attendant) -> Result<(), Error> {
        let standing = self.status().and_then(|status| status.certificate.as_ref());
        if !standing.is_some_and(CertificateStatus::is_due) && self.certificates.next.is_none() {
            return Ok(());
        }
        let begun = self.surroundings.ticks_ms();
        let outcome = self.renew_certificate();
        let ms = self.surroundings.ticks_ms().saturating_sub(begun);
        let (ok, detail) = match outcome {
            Ok(None) => return Ok(()),
            Ok(Some(certificate)) => (true, format!("{} until {}", certificate.serial, certificate.until)),
            Err(error @ Error::PowerCut(_)) => return Err(error),
            Err(error) => (false, error.to_string()),
        };
        attendant.certificate(&CertificateReport { ok, ms, detail });
        Ok(())
    }

    /// Renews the certificate; `None` when the platform says that there is nothing to renew.
    pub(crate) fn renew_certificate(&mut self) -> Result<Option<CertificateStatus>, Error> {
        let mut keys = 0;
        loop {
            keys += 1;
            let refused = match self.receive_certificate() {
                Ok(identity) => match self.confirm_certificate(&identity) {
                    Ok(status) => return self.adopt_certificate(identity, status).map(Some),
                    Err(error) => Refused::to_confirmation(error),
                },
                Err(error) => Refused::to_request(error),
            };
            self.show_certificate();
            match refused {
                Refused::Later(error) => return Err(error),
                Refused::NotDue => {
                    self.give_up_next()?;
                    return Ok(None);
                }
                Refused::AnotherKey(error) => {
                    self.give_up_next()?;
                    if keys >= KEYS_MAX {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Asks for the next certificate. The new key is on disk before anybody hears of it, the
    /// certificate before it is confirmed.
    fn receive_certificate(&mut self) -> Result<TlsIdentity, Error> {
        let key = match &self.certificates.next {
            Some(Next { key, certificate: Some(certificate) }) => {
                return Ok(TlsIdentity { key: key.clone(), certificate: certificate.clone() });
            }
            Some(Next { key, certificate: None }) => key.clone(),
            None => {
                let key = TlsKey::generate(self.surroundings.random());
                self.certificates.next = Some(Next { key: key.clone(), certificate: None });
                self.certificates.save(&self.folder, self.surroundings)?;
                key
            }
        };
        let csr = key.request(self.device.serial()).map_err(|error| Error::Keys(error.to_string()))?;
        let request = Request::post(RENEWAL_PATH, &json!({ "csr": wire::base64url(&csr) }))?;
        let answer = self.link.call::<RenewedCertificate>(&self.device, &request)?.content;
        let certificate = self.checked(&key, &answer)?;
        self.certificates.next = Some(Next { key: key.clone(), certificate: Some(certificate.clone()) });
        self.certificates.save(&self.folder, self.surroundings)?;
        Ok(TlsIdentity { key, certificate })
    }

    /// A certificate is believed for what it is, whoever brought it: from the trust anchor, for
    /// this serial and this key.
    fn checked(&self, key: &TlsKey, answer: &RenewedCertificate) -> Result<Certificate, Error> {
        let refused = |reason: String| Error::Certificate(reason);
        let der = wire::from_base64url(&answer.certificate)
            .ok_or_else(|| refused("it is not base64url".to_owned()))?;
        let now_s = self.link.now_ms().div_euclid(1_000);
        let mut reason = "no trust anchor can vouch for it".to_owned();
        for anchor in self.trust.certificates() {
            // An anchor for TLS alone may be of a kind that issues no device certificates.
            let Ok(anchor) = Certificate::parse(anchor) else { continue };
            match key.accept(&der, self.device.serial(), &anchor, now_s) {
                Ok(certificate) => return Ok(certificate),
                Err(error) => reason = error.to_string(),
            }
        }
        Err(refused(reason))
    }

    /// Tells the platform, over a connection opened with the new certificate, that it is there.
    fn confirm_certificate(&mut self, next: &TlsIdentity) -> Result<CertificateStatus, Error> {
        self.link.show(Some(next), Showing::Always);
        let body = json!({ "certificate_serial": next.certificate.serial() });
        let request = Request::post(format!("{RENEWAL_PATH}/confirm"), &body)?;
        self.link.call::<CertificateStatus>(&self.device, &request).map(|answer| answer.content)
    }

    /// The new certificate is in force: the old one is let go.
    fn adopt_certificate(
        &mut self,
        identity: TlsIdentity,
        status: CertificateStatus,
    ) -> Result<CertificateStatus, Error> {
        self.certificates = Certificates { renewed: Some(identity), next: None };
        self.certificates.save(&self.folder, self.surroundings)?;
        if let Progress::Claimed(activation) = &mut self.journal.progress {
            activation.status.certificate = Some(status.clone());
        }
        self.save()?;
        self.show_certificate();
        Ok(status)
    }

    /// Lets go of every renewed certificate: their keys are of no use any more.
    pub(crate) fn forget_certificates(&mut self) -> Result<(), Error> {
        self.certificates = Certificates::default();
        self.certificates.save(&self.folder, self.surroundings)
    }

    fn give_up_next(&mut self) -> Result<(), Error> {
        self.certificates.next = None;
        self.certificates.save(&self.folder, self.surroundings)
    }
}

#[cfg(test)]
mod tests {
    use rustls_pki_types::PrivatePkcs8KeyDer;
    use rustls_pki_types::pem::PemObject;

    use super::*;
    use crate::surroundings::testing::Bench;

    #[test]
    fn a_renewal_under_way_survives_and_its_key_lies_sealed() {
        let home = tempfile::tempdir().unwrap();
        let bench = Bench::default();
        let folder = Folder::open(home.path(), &bench).unwrap();
        assert!(Certificates::load(&folder).unwrap().next.is_none());
        let key = TlsKey::generate(bench.random());
        let next = Some(Next { key: key.clone(), certificate: None });
        Certificates { renewed: None, next }.save(&folder, &bench).unwrap();
        let again = Certificates::load(&folder).unwrap();
        let next = again.next.unwrap();
        assert!(again.renewed.is_none() && next.certificate.is_none());
        assert_eq!(next.key.public_key(), key.public_key());
        let raw = std::fs::read(home.path().join(FILE)).unwrap();
        let clear = PrivatePkcs8KeyDer::from_pem_slice(key.to_pkcs8_pem().as_bytes()).unwrap();
        // Bytes 36 to 68 of the PKCS#8 form are the key itself.
        let clear = &clear.secret_pkcs8_der()[36..68];
        assert!(!raw.windows(32).any(|window| window == clear));
    }

    #[test]
    fn a_platform_that_says_due_recalled_or_ended_is_asked() {
        for (standing, due) in
            [("in_force", false), ("due", true), ("recalled", true), ("ended", true), ("over", false)]
        {
            let status: CertificateStatus = serde_json::from_value(json!({
                "serial": "0a", "until": "2027-11-23T00:00:00Z", "renew_from": "2027-09-24T00:00:00Z",
                "standing": standing
            }))
            .unwrap();
            assert_eq!(status.is_due(), due, "{standing}");
        }
    }
}
