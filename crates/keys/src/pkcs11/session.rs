//! One logged-in session and the keys it sees.

use cryptoki::context::{Function, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{SessionState, UserType};
use cryptoki::slot::Slot;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{label, library};
use crate::hsm::{HsmError, KeyDescription, KeyPurpose, SignerName, wrap_context};
use crate::seal::{self, KeyId};
use crate::signature::{PublicKey, Signature};

/// OBJECT IDENTIFIER prime256v1 (1.2.840.10045.3.1.7) in DER: `CKA_EC_PARAMS` of P-256.
const P256: [u8; 10] = [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
/// Tag and length of the DER OCTET STRING in which `CKA_EC_POINT` holds the 65 bytes of a point.
const POINT_HEAD: [u8; 2] = [0x04, 0x41];
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
const ROOT_BYTES: u64 = 32;
/// What a token must be able to do.
const MECHANISMS: [(MechanismType, &str); 2] =
    [(MechanismType::AES_GCM, "CKM_AES_GCM"), (MechanismType::ECDSA, "CKM_ECDSA")];

/// Why a call failed.
pub(super) enum Failed {
    /// The session is gone: open another one and try again.
    Lost(String),
    /// Trying again helps nothing.
    For(HsmError),
}

impl From<HsmError> for Failed {
    fn from(error: HsmError) -> Self {
        Self::For(error)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        use RvError as R;
        let said = in_words(&error);
        let Error::Pkcs11(code, _) = error else { return Self::For(HsmError::Unavailable(said)) };
        match code {
            R::PinIncorrect | R::PinInvalid | R::PinLenRange => Self::For(HsmError::PinRefused),
            R::PinLocked | R::PinExpired | R::UserPinNotInitialized => Self::For(HsmError::PinLocked),
            R::SessionHandleInvalid
            | R::SessionClosed
            | R::UserNotLoggedIn
            | R::DeviceRemoved
            | R::DeviceError
            | R::TokenNotPresent
            | R::TokenNotRecognized
            | R::SlotIdInvalid
            | R::KeyHandleInvalid
            | R::ObjectHandleInvalid
            | R::OperationActive
            | R::CryptokiNotInitialized => Self::Lost(said),
            R::MechanismInvalid
            | R::MechanismParamInvalid
            | R::CurveNotSupported
            | R::FunctionNotSupported
            | R::KeyFunctionNotPermitted
            | R::TokenWriteProtected => Self::For(HsmError::Unfit(said)),
            _ => Self::For(HsmError::Unavailable(said)),
        }
    }
}

/// The function's name and the code's; the crate's own text is a page of the standard.
fn in_words(error: &Error) -> String {
    match error {
        Error::Pkcs11(code, function) => format!("C_{function:?}: {code:?}"),
        other => other.to_string(),
    }
}

/// A key of ours in the token.
pub(super) struct TokenKey {
    pub(super) description: KeyDescription,
    handle: ObjectHandle,
    /// Of a signing key.
    public: Option<PublicKey>,
}

/// A session with its user logged in.
pub(super) struct Session {
    session: cryptoki::session::Session,
    /// Ours, by purpose, then oldest first.
    keys: Vec<TokenKey>,
}

impl Session {
    pub(super) fn open(library: &Pkcs11, label: &str, pin: &SecretString) -> Result<Self, HsmError> {
        Self::try_open(library, label, pin).map_err(|failed| match failed {
            Failed::Lost(said) => HsmError::Unavailable(said),
            Failed::For(error) => error,
        })
    }

    fn try_open(library: &Pkcs11, label: &str, pin: &SecretString) -> Result<Self, Failed> {
        library::initialise(library)?;
        let slot = find(library, label)?;
        let offered = library.get_mechanism_list(slot)?;
        if let Some((_, name)) = MECHANISMS.iter().find(|(needed, _)| !offered.contains(needed)) {
            return Err(HsmError::Unfit(format!("the token has no {name}")).into());
        }
        let session = library.open_rw_session(slot)?;
        match session.login(UserType::User, Some(pin)) {
            // The login belongs to the process: another session of ours has done it.
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(error) => return Err(error.into()),
        }
        let mut opened = Self { session, keys: Vec::new() };
        opened.look()?;
        Ok(opened)
    }

    /// The bare session, to ask the token for what this one never asks.
    #[cfg(test)]
    pub(super) fn into_inner(self) -> cryptoki::session::Session {
        self.session
    }

    /// Reads anew which keys of ours there are.
    pub(super) fn look(&mut self) -> Result<(), Failed> {
        let mut keys = Vec::new();
        for class in [ObjectClass::SECRET_KEY, ObjectClass::PRIVATE_KEY] {
            for handle in self.session.find_objects(&[Attribute::Token(true), Attribute::Class(class)])? {
                keys.extend(self.read(handle)?);
            }
        }
        keys.sort_by_key(|key| {
            let KeyDescription { id, purpose, version, created_at_s } = key.description;
            (super::PURPOSES.iter().position(|known| *known == purpose), version, created_at_s, id)
        });
        self.keys = keys;
        Ok(())
    }

    /// One object, if it is a key of ours.
    fn read(&self, handle: ObjectHandle) -> Result<Option<TokenKey>, Failed> {
        let wanted =
            [AttributeType::Label, AttributeType::Id, AttributeType::Extractable, AttributeType::Sensitive];
        let (mut name, mut id, mut guarded) = (Vec::new(), Vec::new(), 0);
        for attribute in self.session.get_attributes(handle, &wanted)? {
            match attribute {
                Attribute::Label(bytes) => name = bytes,
                Attribute::Id(bytes) => id = bytes,
                Attribute::Extractable(false) | Attribute::Sensitive(true) => guarded += 1,
                _ => {}
            }
        }
        let Some(description) = label::read(&name, &id) else { return Ok(None) };
        if guarded != 2 {
            let said = format!("the {} key {} can be taken out of it", description.purpose, hex::encode(&id));
            return Err(HsmError::Unfit(said).into());
        }
        let public = match description.purpose {
            KeyPurpose::CertificateAuthority | KeyPurpose::PlatformSigning => Some(self.public_half(&id)?),
            KeyPurpose::KeyEncryption
            | KeyPurpose::BlindIndex
            | KeyPurpose::Pepper
            | KeyPurpose::PinPepper
            | KeyPurpose::Envelope
            | KeyPurpose::KeyBlock => None,
        };
        Ok(Some(TokenKey { description, handle, public }))
    }

    fn public_half(&self, id: &[u8]) -> Result<PublicKey, Failed> {
        let missing = || HsmError::Unfit(format!("it has no public key {}", hex::encode(id)));
        let template = [Attribute::Class(ObjectClass::PUBLIC_KEY), Attribute::Id(id.to_vec())];
        let handle = self.session.find_objects(&template)?.into_iter().next().ok_or_else(missing)?;
        let point = self.session.get_attributes(handle, &[AttributeType::EcPoint])?;
        let Some(Attribute::EcPoint(point)) = point.into_iter().next() else { return Err(missing().into()) };
        // Some tokens leave the OCTET STRING around the point away.
        let bare = point.strip_prefix(&POINT_HEAD).filter(|bare| bare.len() == 65).unwrap_or(&point);
        PublicKey::from_point(bare).map_err(|_| missing().into())
    }

    pub(super) fn descriptions(&self) -> Vec<KeyDescription> {
        self.keys.iter().map(|key| key.description).collect()
    }

    /// The key of that purpose that is used at present.
    pub(super) fn present(&self, purpose: KeyPurpose) -> Option<&TokenKey> {
        self.keys.iter().rfind(|key| key.description.purpose == purpose)
    }

    pub(super) fn needed(&self, purpose: KeyPurpose) -> Result<&TokenKey, Failed> {
        self.present(purpose).ok_or(Failed::For(HsmError::NoKey(purpose)))
    }

    fn root_with(&self, id: KeyId) -> Option<&TokenKey> {
        self.keys
            .iter()
            .find(|key| key.description.id == id && key.description.purpose == KeyPurpose::KeyEncryption)
    }

    pub(super) fn wrap(&self, clear: &[u8], context: &[u8]) -> Result<Vec<u8>, Failed> {
        let root = self.needed(KeyPurpose::KeyEncryption)?;
        let head = seal::value_head(root.description.id);
        let aad = [head.as_slice(), &wrap_context(context)].concat();
        let mut nonce = [0_u8; NONCE_BYTES];
        self.session.generate_random_slice(&mut nonce)?;
        let gcm = GcmParams::new(&mut nonce, &aad, tag_bits())?;
        let sealed = self.session.encrypt(&Mechanism::AesGcm(gcm), root.handle, clear)?;
        if sealed.len() != clear.len() + TAG_BYTES {
            return Err(HsmError::Unfit("its CKM_AES_GCM gives another length".to_owned()).into());
        }
        // Read after the call: a token that insists on its own nonce writes it there.
        Ok([head.as_slice(), &nonce, &sealed].concat())
    }

    pub(super) fn unwrap(&mut self, wrapped: &[u8], context: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failed> {
        let (id, mut nonce, sealed) = seal::parts(wrapped).ok_or(Failed::For(HsmError::Refused))?;
        if self.root_with(id).is_none() {
            // Another node may have made it since.
            self.look()?;
        }
        let root = self.root_with(id).ok_or(Failed::For(HsmError::UnknownKey(id)))?;
        let aad = [seal::value_head(id).as_slice(), &wrap_context(context)].concat();
        let gcm = GcmParams::new(&mut nonce, &aad, tag_bits())?;
        match self.session.decrypt(&Mechanism::AesGcm(gcm), root.handle, sealed) {
            Ok(clear) => Ok(Zeroizing::new(clear)),
            Err(error) if may_be_refusal(&error) && self.is_alive() => Err(Failed::For(HsmError::Refused)),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn sign(&self, signer: SignerName, message: &[u8]) -> Result<Signature, Failed> {
        let key = self.needed(signer.purpose())?;
        let hash = Sha256::digest(message);
        let bytes = self.session.sign(&Mechanism::Ecdsa, key.handle, &hash)?;
        let signature = Signature::from_bytes(&bytes).ok();
        // A signature that does not verify would show far away from here, or give the key away.
        signature
            .filter(|signature| key.public.is_some_and(|public| public.verify(message, signature).is_ok()))
            .ok_or_else(|| HsmError::Unfit("what it signs does not verify".to_owned()).into())
    }

    pub(super) fn public_key(&self, signer: SignerName) -> Result<PublicKey, Failed> {
        let purpose = signer.purpose();
        self.needed(purpose)?.public.ok_or(Failed::For(HsmError::NoKey(purpose)))
    }

    pub(super) fn random(&self, bytes: usize) -> Result<Zeroizing<Vec<u8>>, Failed> {
        let mut drawn = Zeroizing::new(vec![0; bytes]);
        self.session.generate_random_slice(&mut drawn)?;
        Ok(drawn)
    }

    /// Makes the next key of a purpose.
    pub(super) fn make(&mut self, purpose: KeyPurpose, now_s: i64) -> Result<KeyDescription, Failed> {
        let version = self.present(purpose).map_or(1, |key| key.description.version.saturating_add(1));
        let id = self.random(16)?.to_vec();
        let named =
            || [Attribute::Label(label::of(purpose, version, now_s).into()), Attribute::Id(id.clone())];
        let guarded = [
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Modifiable(false),
        ];
        if purpose == KeyPurpose::KeyEncryption {
            let use_ = [
                Attribute::KeyType(KeyType::AES),
                Attribute::ValueLen(ROOT_BYTES.into()),
                Attribute::Encrypt(true),
                Attribute::Decrypt(true),
                Attribute::Wrap(false),
                Attribute::Unwrap(false),
            ];
            let template: Vec<Attribute> = guarded.into_iter().chain(use_).chain(named()).collect();
            self.session.generate_key(&Mechanism::AesKeyGen, &template)?;
        } else {
            let public = [
                Attribute::Token(true),
                Attribute::Private(false),
                Attribute::Verify(true),
                Attribute::EcParams(P256.to_vec()),
            ];
            let public: Vec<Attribute> = public.into_iter().chain(named()).collect();
            let private: Vec<Attribute> =
                guarded.into_iter().chain([Attribute::Sign(true)]).chain(named()).collect();
            self.session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private)?;
        }
        self.look()?;
        let made = self.keys.iter().find(|key| key.description.id.as_slice() == id);
        made.map(|key| key.description)
            .ok_or_else(|| HsmError::Unfit("a key it made is not there".to_owned()).into())
    }

    /// Destroys the earlier keys of a purpose, both halves.
    pub(super) fn destroy_all_but(&mut self, kept: &KeyDescription) -> Result<(), Failed> {
        let earlier = self.keys.iter().map(|key| key.description);
        for key in earlier.filter(|key| key.purpose == kept.purpose && key.id != kept.id) {
            for handle in self.session.find_objects(&[Attribute::Id(key.id.to_vec())])? {
                self.session.destroy_object(handle)?;
            }
        }
        self.look()
    }

    /// Whether the session still stands with its user logged in: tells a refusal from a loss.
    fn is_alive(&self) -> bool {
        self.session.get_session_info().is_ok_and(|info| match info.session_state() {
            SessionState::RwUser | SessionState::RoUser => true,
            SessionState::RoPublic | SessionState::RwPublic | SessionState::RwSecurityOfficer => false,
        })
    }
}

fn tag_bits() -> cryptoki::types::Ulong {
    const TAG_BITS: u64 = 128;
    TAG_BITS.into()
}

/// The one slot whose token has that label.
fn find(library: &Pkcs11, label: &str) -> Result<Slot, Failed> {
    let mut found = Vec::new();
    for slot in library.get_slots_with_token()? {
        // A slot whose token went away meanwhile is not the one.
        let Ok(token) = library.get_token_info(slot) else { continue };
        if token.token_initialized() && token.label() == label {
            found.push((slot, token));
        }
    }
    match found.as_slice() {
        [] => Err(HsmError::TokenNotFound(label.to_owned()).into()),
        [(_, token)] if token.user_pin_locked() || !token.user_pin_initialized() => {
            Err(HsmError::PinLocked.into())
        }
        [(slot, _)] => Ok(*slot),
        [_, _, ..] => Err(HsmError::TokenAmbiguous(label.to_owned()).into()),
    }
}

/// Tokens do not agree on the code for a tag that does not fit; some have none but the vaguest.
fn may_be_refusal(error: &Error) -> bool {
    use RvError as R;
    match error {
        Error::Pkcs11(code, Function::Decrypt | Function::DecryptFinal) => matches!(
            code,
            R::EncryptedDataInvalid
                | R::EncryptedDataLenRange
                | R::DataInvalid
                | R::DataLenRange
                | R::SignatureInvalid
                | R::GeneralError
                | R::FunctionFailed
                | R::VendorDefined(_)
                | R::UnknownErrorCode(_)
        ),
        _ => false,
    }
}
