//! How much one merchant may have us keep. Each upload is sealed and stored for years, so each is
//! counted: by application, and over all of a merchant's applications.

use crate::error::{Error, ErrorKind};
use crate::step::Step;
use starpay_domain::id::{ApplicationId, MerchantId, TypedId};
use starpay_store::aggregate::application as applications;
use starpay_store::document::{self as rows, Kept};

/// Documents per application: three times what the longest list of materials asks for.
pub(crate) const APPLICATION_DOCUMENTS_MAX: i64 = 60;
/// Bytes of documents per application: a dozen pictures of the largest size.
pub(crate) const APPLICATION_BYTES_MAX: i64 = 128 * 1024 * 1024;
/// Documents per merchant.
pub(crate) const MERCHANT_DOCUMENTS_MAX: i64 = 300;
/// Bytes of documents per merchant.
pub(crate) const MERCHANT_BYTES_MAX: i64 = 512 * 1024 * 1024;
/// Applications per merchant, in whatever state.
const APPLICATIONS_MAX: i64 = 300;

impl Step<'_> {
    /// Refuses a document of so many bytes that would not fit. In a writing transaction the
    /// merchant is locked: two uploads at once cannot both take the last place.
    pub(super) fn refuse_overfull(
        &mut self,
        owner: MerchantId,
        application: ApplicationId,
        bytes: i64,
    ) -> Result<(), Error> {
        let of_application = rows::kept_of_application(self.tx, application.uuid(), owner.uuid())?;
        let of_merchant = rows::kept_of_merchant(self.tx, owner.uuid())?;
        let full = |code| Err(Error::new(ErrorKind::TooLarge, code).about("body"));
        let fits = |kept: Kept, documents: i64, most: i64| {
            (kept.documents < documents, kept.bytes.saturating_add(bytes) <= most)
        };
        match fits(of_application, APPLICATION_DOCUMENTS_MAX, APPLICATION_BYTES_MAX) {
            (false, _) => return full("too_many_documents"),
            (true, false) => return full("documents_too_large"),
            (true, true) => {}
        }
        match fits(of_merchant, MERCHANT_DOCUMENTS_MAX, MERCHANT_BYTES_MAX) {
            (true, true) => Ok(()),
            (false, _) | (_, false) => full("merchant_storage_full"),
        }
    }

    /// Refuses one application too many. The caller holds the merchant's row.
    pub(super) fn refuse_more_applications(&mut self, owner: MerchantId) -> Result<(), Error> {
        if applications::count_of_merchant(self.tx, owner.uuid())? < APPLICATIONS_MAX {
            return Ok(());
        }
        Err(Error::new(ErrorKind::TooLarge, "too_many_applications").about("subject_type"))
    }
}
