//! Credentials: bearer tokens for people, partners and sessions.
//!
//! A token is 32 random bytes behind a prefix that names the deployment (`sp_test_`, `sp_live_`).
//! Only its keyed hash is kept, so a copy of the table opens no door.

use crate::actor::scope_of;
use crate::error::{Error, ErrorKind};
use crate::platform::{Call, IdempotencyKey, Platform, Reply};
use crate::step::{Step, deed};
use crate::vault::domain_of;
use crate::view::{AccessKeyCreated, AccessKeyView, List, Me, NewAccessKey, Page};
use crate::{Action, Actor, Role, Scope};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use starpay_domain::id::{AccessKeyId, MerchantId, TypedId};
use starpay_domain::instant::Timestamp;
use starpay_domain::registration::Channel;
use starpay_store::access_key::{self, AccessKeyRow};
use starpay_store::merchant;

/// The kind of a credential that an administrator makes and ends.
const KEY: &str = "api";
/// Longest token looked at.
const TOKEN_BYTES_MAX: usize = 128;
/// The roles that an access key is made for; the others prove themselves in another way.
const KEY_ROLES: &[Role] = &[
    Role::FieldVerifier,
    Role::Reviewer,
    Role::Warehouse,
    Role::Courier,
    Role::Registry,
    Role::Integrator,
    Role::Support,
    Role::Admin,
];

/// A credential to be made.
pub(crate) struct Credential<'c> {
    /// `api`, `session`, `link`.
    pub(crate) kind: &'static str,
    /// What it stands for.
    pub(crate) role: Role,
    /// The one thing a link is for, the contact of a session, a partner's carrier or channel.
    pub(crate) subject: &'c str,
    /// Whose it is.
    pub(crate) merchant: Option<MerchantId>,
    /// For people.
    pub(crate) label: &'c str,
    /// Its end.
    pub(crate) expires_at: Option<Timestamp>,
}

impl Step<'_> {
    /// Makes a credential. Of the token only its keyed hash stands in the table; the answer that
    /// names it is kept sealed for as long as its idempotency key is good.
    pub(crate) fn issue(&mut self, credential: &Credential<'_>) -> Result<(AccessKeyId, String), Error> {
        let secret = self.draw::<32>();
        self.issue_with(credential, &secret)
    }

    /// Makes a credential from bytes that nobody else can know.
    pub(crate) fn issue_with(
        &mut self,
        credential: &Credential<'_>,
        secret: &[u8],
    ) -> Result<(AccessKeyId, String), Error> {
        let id: AccessKeyId = self.new_id();
        let token = self.token_of(secret);
        access_key::insert(
            self.tx,
            &AccessKeyRow {
                id: id.uuid(),
                secret_hash: self.shared.vault.code_hash(domain_of::TOKEN, &token),
                kind: credential.kind.to_owned(),
                role: credential.role.as_str().to_owned(),
                subject: credential.subject.to_owned(),
                merchant_id: credential.merchant.map(TypedId::uuid),
                label: credential.label.to_owned(),
                created_at: self.at,
                expires_at: credential.expires_at,
                revoked_at: None,
            },
        )?;
        Ok((id, token))
    }

    /// The token that these bytes are written as.
    pub(crate) fn token_of(&self, secret: &[u8]) -> String {
        format!("{}{}", self.shared.deployment.mode.token_prefix(), URL_SAFE_NO_PAD.encode(secret))
    }
}

impl Platform {
    /// Who a bearer token is.
    ///
    /// # Errors
    /// `unauthenticated` for anything unknown, ended or revoked: the three are not told apart.
    pub async fn authenticate(&self, token: &str) -> Result<Actor, Error> {
        let refused = || Error::new(ErrorKind::Unauthenticated, "unauthenticated");
        if token.len() > TOKEN_BYTES_MAX || !token.starts_with(self.shared.deployment.mode.token_prefix()) {
            return Err(refused());
        }
        let hash = self.shared.vault.code_hash(domain_of::TOKEN, token);
        let now = self.now();
        let row = self
            .db
            .read(move |tx| access_key::find_by_secret(tx, &hash).map_err(Error::from))
            .await?
            .ok_or_else(refused)?;
        let over = row.revoked_at.is_some() || row.expires_at.is_some_and(|end| end <= now);
        let role = Role::parse(&row.role).filter(|_| !over).ok_or_else(refused)?;
        let bound = row.kind == "link" || partner(scope_of(role));
        Ok(Actor {
            id: AccessKeyId::from_uuid(row.id).to_string(),
            role,
            merchant: row.merchant_id.map(MerchantId::from_uuid),
            subject: (bound && !row.subject.is_empty()).then_some(row.subject),
            request: None,
        })
    }

    /// Who the caller is.
    #[must_use]
    pub fn me(&self, actor: &Actor) -> Me {
        Me {
            id: actor.id.clone(),
            role: actor.role.as_str().to_owned(),
            merchant_id: actor.merchant.map(|id| id.to_string()),
            scope: actor.subject.clone().filter(|_| partner(actor.scope())),
        }
    }

    /// Makes a credential for staff, a partner or an integrator.
    ///
    /// # Errors
    /// `forbidden`; a wrong role, merchant or scope.
    pub async fn create_access_key(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        wanted: NewAccessKey,
    ) -> Result<Reply<AccessKeyCreated>, Error> {
        actor.may(Action::Administer)?;
        let role = Role::parse(&wanted.role)
            .filter(|role| KEY_ROLES.contains(role))
            .ok_or_else(|| Error::choice("role", KEY_ROLES.iter().map(|role| role.as_str())))?;
        let merchant = match &wanted.merchant_id {
            None => None,
            Some(text) => {
                Some(MerchantId::parse(text).ok_or_else(|| Error::invalid("choice", "merchant_id"))?)
            }
        };
        if (role == Role::Integrator) != merchant.is_some() {
            return Err(Error::invalid("field_required", "merchant_id"));
        }
        let subject = bound_to(role, wanted.scope.as_deref())?;
        self.command(actor, Call::new("access-key.create", key, wanted.clone()), move |step| {
            if let Some(merchant) = merchant
                && merchant::find(step.tx, merchant.uuid())?.is_none()
            {
                return Err(Error::invalid("choice", "merchant_id"));
            }
            let (id, token) = step.issue(&Credential {
                kind: KEY,
                role,
                subject: &subject,
                merchant,
                label: &wanted.label,
                expires_at: None,
            })?;
            let said = [
                ("role", role.as_str().to_owned()),
                ("scope", subject.clone()),
                ("merchant", merchant.map(|merchant| merchant.to_string()).unwrap_or_default()),
                ("label", wanted.label.clone()),
            ];
            step.record_deed(AccessKeyId::PREFIX, id.uuid(), "make", "good", &deed(said))?;
            Ok(AccessKeyCreated { id: id.to_string(), token, role: role.as_str().to_owned() })
        })
        .await
    }

    /// The keys of staff, partners and integrators, oldest first, those that are over included. A
    /// session or a link is nobody's to look after: it ends by itself.
    ///
    /// # Errors
    /// `forbidden`; `validation_failed` for a cursor that is not one of ours.
    pub async fn access_keys(&self, actor: &Actor, page: Page) -> Result<List<AccessKeyView>, Error> {
        actor.may(Action::Administer)?;
        let (after, limit) = crate::paging::read(&page)?;
        self.look(actor, move |step| {
            let at = step.at;
            let found = access_key::list_by_kind(step.tx, KEY, after, limit)?;
            crate::paging::write(found, |row| Ok(view(row, at)))
        })
        .await
    }

    /// Ends a credential at once: anybody their own (a session is signed out), an administrator
    /// any.
    ///
    /// # Errors
    /// `forbidden`, `not_found`.
    pub async fn revoke_access_key(&self, actor: &Actor, id: AccessKeyId) -> Result<(), Error> {
        if actor.id != id.to_string() {
            actor.may(Action::Administer)?;
        }
        self.apply(actor, move |step| {
            let found = access_key::get(step.tx, id.uuid())?;
            if found.revoked_at.is_some() {
                return Ok(());
            }
            let at = step.at;
            access_key::revoke(step.tx, id.uuid(), at)?;
            let said = [("kind", found.kind), ("role", found.role)];
            step.record_deed(AccessKeyId::PREFIX, id.uuid(), "revoke", "revoked", &deed(said))
        })
        .await
    }
}

fn view(row: AccessKeyRow, at: Timestamp) -> AccessKeyView {
    let state = match (row.revoked_at, row.expires_at) {
        (Some(_), _) => "revoked",
        (None, Some(end)) if end <= at => "expired",
        (None, Some(_) | None) => "good",
    };
    AccessKeyView {
        id: AccessKeyId::from_uuid(row.id).to_string(),
        role: row.role,
        label: row.label,
        merchant_id: row.merchant_id.map(|id| MerchantId::from_uuid(id).to_string()),
        scope: Some(row.subject).filter(|scope| !scope.is_empty()),
        state: state.to_owned(),
        created_at: row.created_at.to_string(),
        revoked_at: row.revoked_at.map(|at| at.to_string()),
    }
}

/// Whether credentials are a partner's: bound to a name of theirs.
const fn partner(scope: Scope) -> bool {
    match scope {
        Scope::Carrier | Scope::Channel => true,
        Scope::Merchant | Scope::Everything => false,
    }
}

/// What a key of this role is bound to; empty when it is bound to nothing but a merchant.
fn bound_to(role: Role, scope: Option<&str>) -> Result<String, Error> {
    let name = scope.map(str::trim).filter(|name| !name.is_empty());
    match (scope_of(role), name) {
        (Scope::Carrier | Scope::Channel, None) => Err(Error::invalid("field_required", "scope")),
        (Scope::Carrier, Some(carrier)) => {
            crate::shipment::label(carrier, "scope", crate::shipment::LABEL_CHARS_MAX)?;
            Ok(carrier.to_owned())
        }
        (Scope::Channel, Some(channel)) => match Channel::parse(channel) {
            Some(channel) => Ok(channel.as_str().to_owned()),
            None => Err(Error::choice("scope", Channel::ALL.iter().map(|channel| channel.as_str()))),
        },
        (Scope::Merchant | Scope::Everything, None) => Ok(String::new()),
        (Scope::Merchant | Scope::Everything, Some(_)) => Err(Error::invalid("choice", "scope")),
    }
}
