//! The files that the records name, each opened and held against its record.
//!
//! A document is sealed with its own id as context and written once: what opens is what was
//! uploaded, or what was kept of it. An agreement's text is held against the digest that the
//! agreement's event carries. Files that no record names are not looked for: an upload that was
//! refused may leave one behind.

use crate::actor::{Action, Actor};
use crate::agreement;
use crate::application::document::content_context;
use crate::error::{Error, ErrorKind};
use crate::platform::Platform;
use crate::step::Step;
use crate::vault::{Examined, SeenKeys};
use crate::view::{List, Page};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use starpay_domain::agreement::Agreement;
use starpay_domain::id::{AgreementId, DocumentId, MerchantId, TypedId};
use starpay_domain::text_enum;
use starpay_store::aggregate::{self, AGREEMENT};
use starpay_store::document::{self, DocumentRow};
use starpay_store::{Cursor, Page as Found, Tx};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;

text_enum! {
    /// Which files are verified.
    pub enum FileKind {
        /// 材料: what merchants uploaded.
        Document "document",
        /// 协议: what they signed.
        Agreement "agreement",
    }
}

text_enum! {
    /// What became of a file.
    enum Outcome {
        /// It is what was written.
        Whole "whole",
        /// It is not there.
        Missing "missing",
        /// It does not open, or holds something else.
        Changed "changed",
        /// Its merchant was erased: nobody can open it any more.
        Erased "erased",
    }
}

/// A file that a record names, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileCheck {
    /// `document` or `agreement`.
    #[schema(example = "document")]
    pub kind: String,
    /// Its name in the files port, for example `documents/0190….sealed`.
    pub file: String,
    /// The document, `doc_…`, or the agreement, `agr_…`.
    pub id: String,
    /// Whose it is, `mer_…`.
    pub merchant_id: String,
    /// `whole`, `missing`, `changed` or `erased`.
    #[schema(example = "whole")]
    pub outcome: String,
}

/// What a file must hold.
#[derive(Debug, Clone)]
enum Held {
    Bytes(i64),
    Sha256(String),
}

impl Held {
    fn fits(&self, plain: &[u8]) -> bool {
        match self {
            Self::Bytes(count) => i64::try_from(plain.len()).is_ok_and(|length| length == *count),
            Self::Sha256(digest) => hex::encode(Sha256::digest(plain)) == *digest,
        }
    }
}

/// A file as its record names it.
#[derive(Debug, Clone)]
struct Named {
    file: String,
    context: String,
    id: String,
    merchant: Uuid,
    held: Held,
}

impl Platform {
    /// Opens the files that one page of records names, one after the other. The page is of the
    /// records: fewer files come out where an agreement has no text to keep.
    ///
    /// # Errors
    /// `forbidden`; `validation_failed` for a cursor that is not one of ours; the store's and the
    /// files port's own. What is wrong with a file is not an error: its row says it.
    pub async fn verify_files(
        &self,
        actor: &Actor,
        kind: FileKind,
        page: Page,
    ) -> Result<List<FileCheck>, Error> {
        actor.may(Action::Administer)?;
        let (after, limit) = crate::paging::read(&page)?;
        let found = self
            .look(actor, move |step| match kind {
                FileKind::Document => {
                    let Found { rows, next } = document::list_all(step.tx, after, limit)?;
                    Ok((rows.into_iter().map(of_document).collect::<Vec<_>>(), next))
                }
                FileKind::Agreement => {
                    let Found { rows, next } = aggregate::list_all(step.tx, &AGREEMENT, after, limit)?;
                    let ids = rows.into_iter().map(|row| AgreementId::from_uuid(row.id));
                    let named = ids.filter_map(|id| of_agreement(step, id).transpose());
                    Ok((named.collect::<Result<Vec<_>, Error>>()?, next))
                }
            })
            .await?;
        let (named, next) = found;
        let mut data = Vec::with_capacity(named.len());
        for named in named {
            data.push(self.verify_file(kind, named).await?);
        }
        Ok(List { data, next_cursor: next.map(Cursor::to_text) })
    }

    async fn verify_file(&self, kind: FileKind, named: Named) -> Result<FileCheck, Error> {
        let Named { file, context, id, merchant, held } = named;
        let outcome = match self.shared.ports.files.get(file.clone()).await? {
            None => Outcome::Missing,
            Some(sealed) => {
                let shared = Arc::clone(&self.shared);
                let open = move |tx: &mut Tx| {
                    let mut seen = SeenKeys::new();
                    shared.vault.examine(tx, &mut seen, merchant, &context, &sealed)
                };
                match self.db.read(open).await? {
                    Examined::Whole(plain) if held.fits(&plain) => Outcome::Whole,
                    Examined::Whole(_) | Examined::Damaged => Outcome::Changed,
                    Examined::Erased => Outcome::Erased,
                }
            }
        };
        Ok(FileCheck {
            kind: kind.as_str().to_owned(),
            file,
            id,
            merchant_id: MerchantId::from_uuid(merchant).to_string(),
            outcome: outcome.as_str().to_owned(),
        })
    }
}

fn of_document(row: DocumentRow) -> Named {
    let id = DocumentId::from_uuid(row.id);
    Named {
        file: row.object_key,
        context: content_context(id),
        id: id.to_string(),
        merchant: row.merchant_id,
        held: Held::Bytes(row.byte_count),
    }
}

/// The text that an agreement speaks of; `None` where it speaks of none, or where its row does not
/// open: that is erased, or named when the chains are verified.
fn of_agreement(step: &mut Step<'_>, id: AgreementId) -> Result<Option<Named>, Error> {
    let found = match step.get::<Agreement>(id) {
        Ok(found) => found,
        Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Internal) => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(match &found.machine {
        Agreement::Offered { document, sha256, .. } | Agreement::Signed { document, sha256, .. } => {
            Some(Named {
                file: agreement::object_key(*document),
                context: agreement::text_context(*document),
                id: id.to_string(),
                merchant: found.merchant.uuid(),
                held: Held::Sha256(sha256.clone()),
            })
        }
        Agreement::Expired { .. } | Agreement::Superseded { .. } => None,
    })
}
