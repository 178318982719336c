use super::*;
use crate::hsm::{Hsm, KeyDescription};
use crate::random::Random;
use crate::seal::KeyId;
use crate::signature::SigningKey;
use crate::testing::Sequence;

const NOW_S: i64 = 1_795_000_000;
const DAY_S: i64 = 86_400;
const SERIAL: &str = "99990004STAR00000001";
const DEVICE: DeviceSubject<'_> = DeviceSubject { serial: SERIAL, device_id: "dev_01" };

/// An authority with nothing but its two signing keys.
struct Signers {
    authority: SigningKey,
    platform: SigningKey,
}

impl Signers {
    fn new(random: &dyn Random) -> Self {
        Self { authority: SigningKey::generate(random), platform: SigningKey::generate(random) }
    }
}

impl Hsm for Signers {
    fn keys(&self) -> Result<Vec<KeyDescription>, HsmError> {
        Ok(Vec::new())
    }

    fn wrapping_key_id(&self) -> Result<KeyId, HsmError> {
        Err(HsmError::Unavailable("signs only".into()))
    }

    fn wrap(&self, _clear: &[u8], _context: &[u8]) -> Result<Vec<u8>, HsmError> {
        Err(HsmError::Unavailable("signs only".into()))
    }

    fn unwrap(&self, _wrapped: &[u8], _context: &[u8]) -> Result<zeroize::Zeroizing<Vec<u8>>, HsmError> {
        Err(HsmError::Unavailable("signs only".into()))
    }

    fn sign(&self, signer: crate::hsm::SignerName, message: &[u8]) -> Result<Signature, HsmError> {
        match signer {
            crate::hsm::SignerName::CertificateAuthority => Ok(self.authority.sign(message)),
            crate::hsm::SignerName::Platform => Ok(self.platform.sign(message)),
        }
    }

    fn public_key(&self, signer: crate::hsm::SignerName) -> Result<PublicKey, HsmError> {
        match signer {
            crate::hsm::SignerName::CertificateAuthority => Ok(self.authority.public_key()),
            crate::hsm::SignerName::Platform => Ok(self.platform.public_key()),
        }
    }

    fn random(&self, _bytes: &mut [u8]) -> Result<(), HsmError> {
        Err(HsmError::Unavailable("signs only".into()))
    }
}

struct World {
    random: Sequence,
    hsm: Signers,
    root: Certificate,
    key: SigningKey,
}

impl World {
    fn new(seed: u64) -> Self {
        let random = Sequence::new(seed);
        let hsm = Signers::new(&random);
        let root = create_root(&hsm, "Starpay Test Root", NOW_S, &random).unwrap();
        let key = SigningKey::generate(&random);
        Self { random, hsm, root, key }
    }

    fn request(&self) -> Vec<u8> {
        issue::request(&self.key, SERIAL).unwrap()
    }

    fn device(&self) -> Certificate {
        let request = CertificateRequest::parse(&self.request()).unwrap();
        issue_device(&self.hsm, &self.root, &request, DEVICE, NOW_S, &self.random).unwrap()
    }

    fn platform(&self) -> Certificate {
        issue_platform(&self.hsm, &self.root, "Starpay Platform", NOW_S, &self.random).unwrap()
    }
}

#[test]
fn a_device_certificate_says_whose_it_is_for_one_year() {
    let world = World::new(1);
    let device = world.device();
    assert_eq!(device.common_name(), SERIAL);
    assert_eq!(device.device_id(), Some("dev_01"));
    assert_eq!(device.public_key(), &world.key.public_key());
    assert_eq!(device.not_before_s(), NOW_S - 300);
    assert_eq!(device.not_after_s(), NOW_S + 365 * DAY_S);
    assert_eq!(device.serial().len(), 32);
    assert_ne!(device.serial(), world.device().serial());
    assert_eq!(device.verify(&world.root, NOW_S, Purpose::Device), Ok(()));
}

#[test]
fn a_device_certificate_cannot_sign_for_the_platform_nor_the_other_way_round() {
    let world = World::new(2);
    let verdict = world.device().verify(&world.root, NOW_S, Purpose::Platform);
    assert_eq!(verdict, Err(CertificateError::Purpose));
    let verdict = world.platform().verify(&world.root, NOW_S, Purpose::Device);
    assert_eq!(verdict, Err(CertificateError::Purpose));
    assert_eq!(world.platform().verify(&world.root, NOW_S, Purpose::Platform), Ok(()));
    assert_eq!(world.root.verify(&world.root, NOW_S, Purpose::Platform), Err(CertificateError::Purpose));
}

#[test]
fn a_leaf_is_no_root() {
    let world = World::new(3);
    let platform = world.platform();
    assert_eq!(platform.verify_root(NOW_S), Err(CertificateError::Purpose));
    assert_eq!(world.device().verify(&platform, NOW_S, Purpose::Device), Err(CertificateError::Purpose));
}

#[test]
fn certificates_end() {
    let world = World::new(4);
    let device = world.device();
    let at = |seconds| device.verify(&world.root, seconds, Purpose::Device);
    assert_eq!(at(NOW_S - 301), Err(CertificateError::Expired));
    assert_eq!(at(NOW_S - 300), Ok(()));
    assert_eq!(at(NOW_S + 365 * DAY_S), Ok(()));
    assert_eq!(at(NOW_S + 365 * DAY_S + 1), Err(CertificateError::Expired));
    assert_eq!(world.root.verify_root(NOW_S + ROOT_DAYS * DAY_S + 1), Err(CertificateError::Expired));
}

#[test]
fn another_authority_of_the_same_name_is_not_believed() {
    let (ours, theirs) = (World::new(5), World::new(6));
    let verdict = theirs.device().verify(&ours.root, NOW_S, Purpose::Device);
    assert_eq!(verdict, Err(CertificateError::Signature));
    let request = CertificateRequest::parse(&ours.request()).unwrap();
    let issued = issue_device(&ours.hsm, &theirs.root, &request, DEVICE, NOW_S, &ours.random);
    assert_eq!(issued, Err(CertificateError::Issuer));
}

#[test]
fn every_flipped_byte_of_a_certificate_is_refused() {
    let world = World::new(7);
    let der = world.device().der().to_vec();
    for at in 0..der.len() {
        let mut changed = der.clone();
        changed[at] ^= 1;
        let verdict = Certificate::parse(&changed)
            .and_then(|certificate| certificate.verify(&world.root, NOW_S, Purpose::Device));
        assert!(verdict.is_err(), "byte {at}");
    }
    let longer = [der.as_slice(), &[0]].concat();
    assert_eq!(Certificate::parse(&longer), Err(CertificateError::Malformed));
}

#[test]
fn every_flipped_byte_of_a_request_is_refused() {
    let world = World::new(8);
    let der = world.request();
    assert_eq!(CertificateRequest::parse(&der).unwrap().common_name(), SERIAL);
    for at in 0..der.len() {
        let mut changed = der.clone();
        changed[at] ^= 1;
        assert!(CertificateRequest::parse(&changed).is_err(), "byte {at}");
    }
    assert_eq!(CertificateRequest::parse(&[0; 9000]), Err(CertificateError::Malformed));
    assert_eq!(CertificateRequest::parse(&[]), Err(CertificateError::Malformed));
}

#[test]
fn another_kind_of_key_is_refused() {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let params = rcgen::CertificateParams::default();
    let request = params.serialize_request(&pair).unwrap();
    assert_eq!(CertificateRequest::parse(request.der()), Err(CertificateError::Algorithm));
}

#[test]
fn names_that_could_mislead_are_refused() {
    let world = World::new(9);
    let request = CertificateRequest::parse(&world.request()).unwrap();
    for (serial, device_id) in
        [("", "dev_01"), (SERIAL, ""), (SERIAL, "dev 01"), ("a\nb", "dev_01"), (SERIAL, "设备")]
    {
        let subject = DeviceSubject { serial, device_id };
        let issued = issue_device(&world.hsm, &world.root, &request, subject, NOW_S, &world.random);
        assert!(matches!(issued, Err(CertificateError::Name(_))), "{serial} {device_id}");
    }
}

#[test]
fn pem_comes_back() {
    let world = World::new(10);
    let pem = world.root.to_pem();
    assert!(pem.lines().all(|line| line.len() <= 64));
    assert_eq!(Certificate::parse_pem(&pem), Ok(world.root));
    assert_eq!(Certificate::parse_pem("hello"), Err(CertificateError::Malformed));
}

/// Ring verifies what the RustCrypto key signed.
#[test]
fn the_signature_verifies_for_another_implementation() {
    use x509_parser::prelude::{FromDer, X509Certificate};
    let world = World::new(11);
    let device = world.device();
    let (_, root) = X509Certificate::from_der(world.root.der()).unwrap();
    let (_, leaf) = X509Certificate::from_der(device.der()).unwrap();
    assert!(leaf.verify_signature(Some(root.public_key())).is_ok());
    assert!(root.verify_signature(None).is_ok());
}

/// A renewed certificate is taken only from our authority, for this key, serial and time.
#[test]
fn a_tls_key_takes_its_own_certificate_only() {
    let world = World::new(12);
    let key = TlsKey::generate(&world.random);
    let other = TlsKey::generate(&world.random);
    let issue = |key: &TlsKey, serial: &str| {
        let request = CertificateRequest::parse(&key.request(serial).unwrap()).unwrap();
        let subject = DeviceSubject { serial, ..DEVICE };
        issue_device(&world.hsm, &world.root, &request, subject, NOW_S, &world.random).unwrap()
    };
    let certificate = issue(&key, SERIAL);
    assert_eq!(key.accept(certificate.der(), SERIAL, &world.root, NOW_S), Ok(certificate.clone()));
    let refused = |key: &TlsKey, der: &[u8], anchor: &Certificate, at_s: i64| {
        key.accept(der, SERIAL, anchor, at_s).unwrap_err()
    };
    assert_eq!(refused(&other, certificate.der(), &world.root, NOW_S), CertificateError::Purpose);
    assert_eq!(refused(&key, issue(&key, "S2").der(), &world.root, NOW_S), CertificateError::Purpose);
    assert_eq!(refused(&key, world.platform().der(), &world.root, NOW_S), CertificateError::Purpose);
    assert_eq!(refused(&key, certificate.der(), &World::new(13).root, NOW_S), CertificateError::Signature);
    let end = NOW_S + 366 * DAY_S;
    assert_eq!(refused(&key, certificate.der(), &world.root, end), CertificateError::Expired);
}

#[test]
fn a_tls_key_is_kept_sealed_and_leaves_as_pkcs8() {
    let random = Sequence::new(14);
    let (key, local) = (TlsKey::generate(&random), crate::seal::DataKey::generate(&random));
    let sealed = key.seal(&local, [1; 16], &random);
    assert_eq!(TlsKey::open(&local, &sealed).unwrap().public_key(), key.public_key());
    assert!(TlsKey::open(&crate::seal::DataKey::generate(&random), &sealed).is_err());
    // Another implementation reads the same key.
    let pair = rcgen::KeyPair::from_pem(&key.to_pkcs8_pem()).unwrap();
    assert_eq!(rcgen::PublicKeyData::der_bytes(&pair), key.public_key().point());
    assert!(format!("{key:?}").contains("[redacted]"));
}
