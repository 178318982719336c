//! 材料: uploads. Sealed before they are stored, written once, never changed.

use super::refuse_closed;
use crate::error::{Error, ErrorKind};
use crate::picture::{self, Picture};
use crate::platform::{Call, IdempotencyKey, Platform, Reply};
use crate::step::{Loaded, Step};
use crate::vault::{SealingKey, domain_of};
use crate::view::DocumentView;
use crate::{Action, Actor};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use starpay_domain::application::{Application, ApplicationEvent};
use starpay_domain::id::{ApplicationId, DocumentId, MerchantId, TypedId};
use starpay_domain::machine::Machine;
use starpay_domain::material::{MaterialKind, Origin};
use starpay_store::document::{self as rows, DocumentRow};
use starpay_store::merchant;
use tokio::sync::Semaphore;

/// Pictures decoded at once, in this process: each takes up to 256 MiB and a core; the others wait
/// in line.
const DECODERS_MAX: usize = 2;
static DECODERS: Semaphore = Semaphore::const_new(DECODERS_MAX);

impl Platform {
    /// Takes a document. The same bytes for the same kind again are the same document, unless it was
    /// sent back.
    ///
    /// # Errors
    /// `document_sent_back` for the picture that is to be replaced;
    /// `too_many_documents`, `documents_too_large`, `merchant_storage_full`; `too_large`, `unsupported_media`, `image_unreadable`, `image_too_small`, `image_too_large`,
    /// `field_closed`, `illegal_transition`.
    pub async fn add_document(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        application: ApplicationId,
        kind: &str,
        bytes: Bytes,
    ) -> Result<Reply<DocumentView>, Error> {
        actor.may(Action::ApplicationEdit)?;
        let kind =
            MaterialKind::parse(kind).filter(|kind| kind.origin() == Origin::Upload).ok_or_else(|| {
                let taken = MaterialKind::ALL.iter().filter(|kind| kind.origin() == Origin::Upload);
                Error::choice("kind", taken.map(|kind| kind.as_str()))
            })?;
        let fingerprint = hex::encode(Sha256::digest(&bytes));
        let digest = self.shared.vault.code_hash(domain_of::DOCUMENT, &fingerprint);
        // Before the costly part: is there an application that takes documents at all?
        let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let prepared = self.prepare_document(actor, application, kind, digest.clone(), size).await?;
        let (merchant, id, key_of_merchant) = match prepared {
            Prepared::Known(view) => return Ok(Reply::fresh(view)),
            Prepared::New { merchant, id, key } => (merchant, id, key),
        };
        let (picture, sealed) = self.examine_and_seal(kind, id, key_of_merchant, bytes).await?;
        let object_key = format!("documents/{}.sealed", id.uuid().simple());
        let Picture { media_type, width, height, bytes } = picture;
        let byte_count = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        self.shared.ports.files.put(object_key.clone(), Bytes::from(sealed)).await?;
        let call = Call::new("document.add", key, (application.to_string(), kind.as_str(), fingerprint));
        let row = DocumentRow {
            id: id.uuid(),
            merchant_id: merchant.uuid(),
            application_id: application.uuid(),
            kind: kind.as_str().to_owned(),
            media_type: media_type.to_owned(),
            byte_count,
            width: i64::from(width),
            height: i64::from(height),
            digest,
            object_key: object_key.clone(),
            outcome: "accepted".to_owned(),
            profile: None,
            created_at: self.now(),
        };
        let kept = self.command(actor, call, move |step| {
            let found = step.lock::<Application>(application)?;
            if let Some(known) = known_document(step, &found, kind, &row.digest)? {
                return Ok(known);
            }
            merchant::lock(step.tx, row.merchant_id)?;
            step.refuse_overfull(found.merchant, found.id, row.byte_count)?;
            rows::insert(step.tx, &row)?;
            step.advance(found, taken(kind))?;
            Ok(view(&row))
        });
        let kept = kept.await;
        // Refused, or known already: nobody will ask for what lies under this new name. What may
        // have been committed stays.
        let unused = match &kept {
            Ok(reply) => reply.value.id != id.to_string(),
            Err(error) => !matches!(error.kind, ErrorKind::Unavailable | ErrorKind::Internal),
        };
        if unused && let Err(error) = self.shared.ports.files.remove(object_key).await {
            tracing::warn!(%error, "an unused upload could not be removed");
        }
        kept
    }

    /// Decoding and sealing megabytes is no work for a writer, nor for an async thread.
    async fn examine_and_seal(
        &self,
        kind: MaterialKind,
        id: DocumentId,
        key: SealingKey,
        bytes: Bytes,
    ) -> Result<(Picture, Vec<u8>), Error> {
        let random = std::sync::Arc::clone(&self.shared.random);
        let turn = DECODERS.acquire().await.map_err(|error| Error::internal(error.to_string()))?;
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let picture = picture::examine(&bytes).map_err(|refusal| refusal.about(field_of(kind)))?;
            let sealed = key.seal(&content_context(id), &picture.bytes, random.as_ref());
            Ok((picture, sealed))
        })
        .await
        .map_err(|error| Error::internal(error.to_string()))?
    }

    async fn prepare_document(
        &self,
        actor: &Actor,
        application: ApplicationId,
        kind: MaterialKind,
        digest: Vec<u8>,
        bytes: i64,
    ) -> Result<Prepared, Error> {
        self.look(actor, move |step| {
            let found: Loaded<Application> = step.get(application)?;
            if let Some(known) = known_document(step, &found, kind, &digest)? {
                return Ok(Prepared::Known(known));
            }
            refuse_closed(&found.machine, &kind.field().into_iter().collect::<Vec<_>>())?;
            found.machine.clone().apply(taken(kind), step.at)?;
            step.refuse_overfull(found.merchant, found.id, bytes)?;
            Ok(Prepared::New {
                merchant: found.merchant,
                id: step.new_id(),
                key: step.shared.vault.sealing_key(step.tx, found.merchant.uuid())?,
            })
        })
        .await
    }

    /// A document's content, for whoever may see the application. A look by staff is recorded.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn document_content(
        &self,
        actor: &Actor,
        application: ApplicationId,
        id: DocumentId,
    ) -> Result<(String, Vec<u8>), Error> {
        actor.may(Action::ApplicationView)?;
        let (merchant, object_key, media_type) = self
            .look(actor, move |step| {
                let found: Loaded<Application> = step.get(application)?;
                let row = rows::find(step.tx, id.uuid(), found.merchant.uuid())?
                    .filter(|row| row.application_id == application.uuid())
                    .ok_or_else(Error::not_found)?;
                let kind = row.kind.clone();
                step.shows(found.merchant, || format!("{application}: document {kind} {id}"));
                Ok((found.merchant, row.object_key, row.media_type))
            })
            .await?;
        let sealed = self.shared.ports.files.get(object_key).await?.ok_or_else(Error::not_found)?;
        let plain = self
            .look(actor, move |step| {
                step.open(merchant.uuid(), &content_context(id), &sealed).map(|plain| plain.to_vec())
            })
            .await?;
        Ok((media_type, plain))
    }
}

enum Prepared {
    Known(DocumentView),
    New { merchant: MerchantId, id: DocumentId, key: SealingKey },
}

/// A picture of this kind came.
fn taken(kind: MaterialKind) -> ApplicationEvent {
    ApplicationEvent::Edit { fields: kind.field().into_iter().collect(), confirmed: Vec::new() }
}

fn known_document(
    step: &mut Step<'_>,
    found: &Loaded<Application>,
    kind: MaterialKind,
    digest: &[u8],
) -> Result<Option<DocumentView>, Error> {
    let same: Vec<DocumentRow> = documents_of(step, found.id, found.merchant)?
        .into_iter()
        .filter(|row| row.digest == digest)
        .collect();
    if let Some(known) = same.iter().find(|row| row.kind == kind.as_str()) {
        // Asked for anew: the one that was looked at already helps nobody.
        let open = step.flagged(found)?;
        if kind.field().is_some_and(|field| open.contains(&field)) {
            return Err(Error::conflict("document_sent_back").about(field_of(kind)));
        }
        return Ok(Some(view(known)));
    }
    // One picture cannot be both sides of a card, nor the shop from outside and from inside.
    if same.is_empty() { Ok(None) } else { Err(Error::conflict("duplicate_document").about(field_of(kind))) }
}

fn field_of(kind: MaterialKind) -> &'static str {
    kind.field().map_or("kind", |field| field.as_str())
}

/// Every document of an application, oldest first.
pub(crate) fn documents_of(
    step: &mut Step<'_>,
    application: ApplicationId,
    merchant: MerchantId,
) -> Result<Vec<DocumentRow>, Error> {
    Ok(rows::list_by_application(step.tx, application.uuid(), merchant.uuid(), None, super::ROWS_MAX)?.rows)
}

fn view(row: &DocumentRow) -> DocumentView {
    DocumentView {
        id: DocumentId::from_uuid(row.id).to_string(),
        kind: row.kind.clone(),
        outcome: row.outcome.clone(),
        media_type: row.media_type.clone(),
        width: row.width,
        height: row.height,
        bytes: row.byte_count,
    }
}

/// The context a document's bytes are sealed with.
pub(crate) fn content_context(id: DocumentId) -> String {
    format!("document|{id}")
}
