//! 受理协议: offered on approval, read by hash, signed with a code sent to the merchant's own mobile.
//!
//! The text is built from approved facts only, kept sealed in the files port, and its SHA-256 is
//! what is signed. The signer reaches it by a link credential sent to the number that the merchant
//! signed in with and proved; the identity check asks whether it is the principal's.

use crate::access::Credential;
use crate::application::refuse_approval;
use crate::error::Error;
use crate::form::{Form, masked};
use crate::job::Work;
use crate::message::{Notice, Template};
use crate::platform::{Call, IdempotencyKey, Platform, Reply};
use crate::port::SigningRequest;
use crate::step::{Loaded, Step};
use crate::view::{AgreementView, ContactStarted, SignCode};
use crate::{Action, Actor, Role};
use bytes::Bytes;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use starpay_domain::agreement::{Agreement, AgreementEvent};
use starpay_domain::application::{Application, ApplicationEvent};
use starpay_domain::field::FormField as Field;
use starpay_domain::id::{AgreementId, ApplicationId, DocumentId, MerchantId, TypedId};
use starpay_domain::machine::Machine;
use starpay_domain::term::Term;
use starpay_store::{Value, one_time_code};
use uuid::Uuid;

/// The edition of the agreement's wording.
const EDITION: &str = "2026-11";

/// An agreement whose text is already kept, to be offered in the transaction that approves.
#[derive(Clone)]
pub(crate) struct Prepared {
    id: AgreementId,
    document: DocumentId,
    sha256: String,
    /// The version of the application whose form it was built from.
    pub(crate) of_version: i64,
}

impl Platform {
    /// Writes the agreement's text to the files port; `None` when nothing is to be approved, or this
    /// actor may not.
    pub(crate) async fn prepare_agreement(
        &self,
        actor: &Actor,
        application: ApplicationId,
        seen: Option<i64>,
    ) -> Result<Option<Prepared>, Error> {
        let prepared = self
            .look(actor, move |step| {
                let found = step.get::<Application>(application)?;
                let in_review = found.machine.state() == "in_review";
                if !in_review || refuse_approval(&found, &step.actor.id, seen).is_err() {
                    return Ok(None);
                }
                let form = crate::application::open_form(step, &found)?;
                let text = wording(&form, step)?;
                let (id, document) = (step.new_id(), step.new_id());
                let sealed = step.seal(found.merchant.uuid(), &text_context(document), text.as_bytes())?;
                let sha256 = hex::encode(Sha256::digest(&text));
                Ok(Some((Prepared { id, document, sha256, of_version: found.version }, sealed)))
            })
            .await?;
        let Some((prepared, sealed)) = prepared else { return Ok(None) };
        self.shared.ports.files.put(object_key(prepared.document), Bytes::from(sealed)).await?;
        Ok(Some(prepared))
    }

    /// Removes the text of an agreement that was not offered.
    pub(crate) async fn discard_agreement(&self, prepared: &Prepared) {
        if let Err(error) = self.shared.ports.files.remove(object_key(prepared.document)).await {
            tracing::warn!(%error, "an unused agreement could not be removed");
        }
    }

    /// The agreement a link credential is for.
    ///
    /// # Errors
    /// `not_found` for a credential that is for none.
    pub async fn current_agreement(&self, actor: &Actor) -> Result<AgreementView, Error> {
        let id = actor.subject.as_deref().and_then(AgreementId::parse).ok_or_else(Error::not_found)?;
        self.agreement(actor, id).await
    }

    /// An agreement with its text.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn agreement(&self, actor: &Actor, id: AgreementId) -> Result<AgreementView, Error> {
        actor.may(Action::AgreementView)?;
        if actor.role == Role::Signer && actor.subject.as_deref() != Some(&id.to_string()) {
            return Err(Error::not_found());
        }
        let (found, document) = self
            .look(actor, move |step| {
                let found = step.get::<Agreement>(id)?;
                let document = match &found.machine {
                    Agreement::Offered { document, .. } | Agreement::Signed { document, .. } => *document,
                    Agreement::Expired { .. } | Agreement::Superseded { .. } => {
                        return Err(Error::not_found());
                    }
                };
                Ok((found, document))
            })
            .await?;
        let sealed = self.shared.ports.files.get(object_key(document)).await?.ok_or_else(Error::not_found)?;
        self.look(actor, move |step| {
            let text = step.open(found.merchant.uuid(), &text_context(document), &sealed)?;
            step.shows(found.merchant, || format!("{id}: the agreement's text"));
            view(&found, &String::from_utf8_lossy(&text))
        })
        .await
    }

    /// Sends the signing code to the merchant's proved mobile.
    ///
    /// # Errors
    /// `illegal_transition` when it is not open for signing; `rate_limited`.
    pub async fn send_sign_code(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        id: AgreementId,
    ) -> Result<Reply<ContactStarted>, Error> {
        signer_of(actor, id)?;
        self.command(actor, Call::new("agreement.sign-code", key, id.to_string()), move |step| {
            let found = step.get::<Agreement>(id)?;
            let (signer, certificate) = (String::new(), String::new());
            found.machine.clone().apply(AgreementEvent::Sign { signer, certificate }, step.at)?;
            step.count_merchant_code("sign-code", found.merchant)?;
            let (row, profile) = step.contact_of(found.merchant)?;
            let contact_id = starpay_domain::id::ContactId::from_uuid(row.id).to_string();
            let expires_at = step.send_code(&row, &purpose(id), Template::SignCode, &profile.mobile, None)?;
            Ok(ContactStarted { contact_id, mobile: masked(&profile.mobile, 3, 4), expires_at })
        })
        .await
    }

    /// Signs: the code proves the person, the hash proves the text.
    ///
    /// # Errors
    /// `code_unasked` before a code was sent; `code_format`, `code_invalid`, `code_locked`; `agreement_changed` when the hash is not the text offered;
    /// `illegal_transition` when its application is over, or it ran out while it was signed.
    pub async fn sign_agreement(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        id: AgreementId,
        given: SignCode,
    ) -> Result<Reply<AgreementView>, Error> {
        signer_of(actor, id)?;
        let text = match self.agreement(actor, id).await {
            // Signed before: the stored answer or the machine's refusal follows below.
            Ok(seen) => seen.text,
            Err(error) => return Err(error),
        };
        let tried = self.try_signing(actor, id, given.clone()).await?;
        let receipt = match tried {
            Tried::Signed => None,
            Tried::Open { question } => Some(self.shared.ports.signer.sign(*question).await?),
        };
        let call = Call::new("agreement.sign", key, (id.to_string(), given.sha256.clone()));
        let serial = receipt.as_ref().map(|receipt| receipt.serial.clone());
        let signed = self.command(actor, call, move |step| {
            let (application, found) = lock_both(step, id)?;
            if found.machine.state() == "signed" {
                return view(&found, &text);
            }
            // Whatever happened while the service signed: only an offer that still stands is signed.
            let Some(receipt) = &receipt else { return Err(found.machine.illegal("sign").into()) };
            let (row, _) = step.contact_of(found.merchant)?;
            one_time_code::remove(step.tx, row.id, &purpose(id))?;
            let certificate = format!("{}|{}", receipt.serial, receipt.certificate);
            let signer = step.actor.id.clone();
            let found = step.advance(found, AgreementEvent::Sign { signer, certificate })?;
            let signed = step.advance(application, ApplicationEvent::Sign { agreement: id })?;
            step.order(Work::Report { application: signed.id }, signed.merchant)?;
            view(&found, &text)
        });
        let signed = signed.await;
        if let (Err(error), Some(serial)) = (&signed, serial) {
            tracing::warn!(agreement = %id, serial, %error, "signed at the service, not counted here");
        }
        signed
    }

    /// Checks code and hash. A wrong code is counted.
    async fn try_signing(&self, actor: &Actor, id: AgreementId, given: SignCode) -> Result<Tried, Error> {
        self.apply(actor, move |step| {
            let (application, found) = lock_both(step, id)?;
            let sha256 = match &found.machine {
                Agreement::Signed { .. } => return Ok(Ok(Tried::Signed)),
                Agreement::Offered { sha256, .. } => sha256.clone(),
                Agreement::Expired { .. } | Agreement::Superseded { .. } => return Err(Error::not_found()),
            };
            // Nothing is signed outside that would be refused here.
            application.machine.clone().apply(ApplicationEvent::Sign { agreement: id }, step.at)?;
            if given.sha256 != sha256 {
                return Err(Error::conflict("agreement_changed").about("sha256"));
            }
            let (row, _) = step.contact_of(found.merchant)?;
            if !step.is_code_out(row.id, &purpose(id))? {
                return Err(Error::invalid("code_unasked", "code"));
            }
            crate::contact::six_digits(&given.code)?;
            // A right code is used up in the transaction that signs, not here: a crash in between
            // must not cost the signer a code.
            if let Err(refusal) = step.try_code(row.id, &purpose(id), &given.code)? {
                return Ok(Err(refusal));
            }
            let form = crate::application::open_form(step, &application)?;
            let secret = |field: Field| form.expect(field).map(|text| SecretString::from(text.to_owned()));
            Ok(Ok(Tried::Open {
                question: Box::new(SigningRequest {
                    reference: id.to_string(),
                    document_sha256: sha256,
                    signer: secret(Field::PrincipalName)?,
                    id_number: secret(Field::PrincipalIdNumber)?,
                }),
            }))
        })
        .await?
    }
}

enum Tried {
    Signed,
    Open { question: Box<SigningRequest> },
}

impl Step<'_> {
    /// Offers the prepared agreement and sends the signing link.
    pub(crate) fn offer_agreement(
        &mut self,
        application: Loaded<Application>,
        prepared: &Prepared,
    ) -> Result<Loaded<Application>, Error> {
        let merchant = application.merchant;
        let machine = Agreement::Offered {
            since: self.at,
            version: EDITION.to_owned(),
            document: prepared.document,
            sha256: prepared.sha256.clone(),
            sign_by: self.at.plus_seconds(self.terms().seconds(Term::Signing)),
        };
        let hash = hex::decode(&prepared.sha256).map_err(|error| Error::internal(error.to_string()))?;
        let columns = vec![Value::Bytes(application.id.uuid().as_bytes().to_vec()), Value::Bytes(hash)];
        self.create(prepared.id, merchant, machine, columns)?;
        let moved = self.advance(application, ApplicationEvent::OfferAgreement { agreement: prepared.id })?;
        self.send_link(merchant, prepared.id)?;
        Ok(moved)
    }

    fn send_link(&mut self, merchant: MerchantId, agreement: AgreementId) -> Result<(), Error> {
        let (_, contact) = self.contact_of(merchant)?;
        // As long as it can be signed, it can be opened.
        let end = self.at.plus_seconds(self.terms().seconds(Term::Signing));
        let (_, token) = self.issue(&Credential {
            kind: "link",
            role: Role::Signer,
            subject: &agreement.to_string(),
            merchant: Some(merchant),
            label: "signing link",
            expires_at: Some(end),
        })?;
        self.notify(&Notice::sms(Some(merchant), Template::SignLink, &contact.mobile, &token))?;
        Ok(())
    }
}

/// An agreement and its application, locked: the application first, as whoever ends it does.
fn lock_both(
    step: &mut Step<'_>,
    id: AgreementId,
) -> Result<(Loaded<Application>, Loaded<Agreement>), Error> {
    let application: Uuid = step.get::<Agreement>(id)?.column("application_id")?;
    let application = step.lock::<Application>(ApplicationId::from_uuid(application))?;
    Ok((application, step.lock(id)?))
}

fn signer_of(actor: &Actor, id: AgreementId) -> Result<(), Error> {
    actor.may(Action::AgreementSign)?;
    if actor.subject.as_deref() == Some(&id.to_string()) { Ok(()) } else { Err(Error::not_found()) }
}

fn purpose(id: AgreementId) -> String {
    format!("sign {id}")
}

/// The name of an agreement's text in the files port.
pub(crate) fn object_key(document: DocumentId) -> String {
    format!("agreements/{}.sealed", document.uuid().simple())
}

/// The context an agreement's text is sealed with.
pub(crate) fn text_context(document: DocumentId) -> String {
    format!("agreement-text|{document}")
}

/// The agreement's text, from approved facts only, with every price in it.
fn wording(form: &Form, step: &Step<'_>) -> Result<String, Error> {
    let acquirer = step.shared.deployment.acquirer_name.as_deref().unwrap_or("沙箱收单机构");
    let card = form.get(Field::SettlementCardNumber).map_or_else(String::new, |card| masked(card, 6, 4));
    Ok(format!(
        "银行卡受理协议（版本 {EDITION}）\n\n\
         甲方（收单机构）：{acquirer}\n乙方（商户）：{merchant}\n负责人：{principal}\n\n\
         一、乙方仅在经营地址 {address} 使用甲方提供的终端受理支付，不出租、出借、出售终端、收款码与结算账户。\n\
         二、费率：借记卡 0.50%（封顶 20 元），贷记卡 0.60%，扫码 0.38%。除此之外不收取任何费用；不收押金，\
         激活不以刷卡金额为条件。调整费率须提前 30 日公示并经乙方同意。\n\
         三、结算账户：{card}，周期 T+1。\n\
         四、乙方可随时查看进度、流水、费用，并可导出其资料；异议 15 日内答复。\n\
         五、终止后甲方依法保存资料十年，到期销毁。\n",
        merchant = form.get(Field::LicenceName).unwrap_or(form.expect(Field::ShopName)?),
        principal = form.expect(Field::PrincipalName)?,
        address = form.expect(Field::ShopAddress)?,
    ))
}

fn view(found: &Loaded<Agreement>, text: &str) -> Result<AgreementView, Error> {
    let application: Uuid = found.column("application_id")?;
    let hash: Vec<u8> = found.column("document_hash")?;
    let signature = match &found.machine {
        Agreement::Signed { certificate, .. } => {
            certificate.split_once('|').map(|(serial, _)| serial.to_owned())
        }
        Agreement::Offered { .. } | Agreement::Expired { .. } | Agreement::Superseded { .. } => None,
    };
    Ok(AgreementView {
        id: found.id.to_string(),
        application_id: ApplicationId::from_uuid(application).to_string(),
        state: found.machine.state().to_owned(),
        text: text.to_owned(),
        sha256: hex::encode(hash),
        signature,
    })
}
