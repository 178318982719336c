//! One transaction's working set.
//!
//! A use case runs inside a write closure with a [`Step`]: it locks things, moves them along
//! their edges and leaves rows for later. Everything it draws (ids, codes, nonces) comes from a
//! seed captured before the transaction, so a retried closure repeats itself exactly.

use crate::actor::Actor;
use crate::error::Error;
use crate::look::Shown;
use crate::platform::{Reader, Rules, Shared};
use crate::vault::SeenKeys;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use starpay_domain::fact::Record;
use starpay_domain::id::{EventId, MerchantId, TypedId, new_v7};
use starpay_domain::instant::Timestamp;
use starpay_domain::machine::MachineEvent;
use starpay_domain::party::Owned;
use starpay_domain::policy::Policy;
use starpay_domain::term::Terms;
use starpay_store::aggregate::{self, AggregateRow, Table};
use starpay_store::event::{self, NewEvent};
use starpay_store::{Cursor, FromValue, Page, Tx, Value};
use starpay_text::Language;
use std::net::IpAddr;
use std::sync::Arc;
use uuid::Uuid;
use zeroize::Zeroizing;

/// The merchant id of things that belong to the platform (devices in stock, staff credentials).
pub(crate) const PLATFORM: Uuid = Uuid::nil();

/// A machine that has a table.
pub(crate) trait Stored: Owned {
    /// Its typed id.
    type Id: TypedId;
    /// Its table.
    const TABLE: &'static Table;
}

macro_rules! stored {
    ($($machine:ty, $id:ty, $table:path;)+) => {$(
        impl Stored for $machine {
            type Id = $id;
            const TABLE: &'static Table = &$table;
        }
    )+};
}

stored! {
    starpay_domain::application::Application, starpay_domain::id::ApplicationId, aggregate::APPLICATION;
    starpay_domain::agreement::Agreement, starpay_domain::id::AgreementId, aggregate::AGREEMENT;
    starpay_domain::visit::Visit, starpay_domain::id::VisitId, aggregate::VISIT;
    starpay_domain::registration::Registration, starpay_domain::id::RegistrationId, aggregate::REGISTRATION;
    starpay_domain::shipment::Shipment, starpay_domain::id::ShipmentId, aggregate::SHIPMENT;
    starpay_domain::device::Device, starpay_domain::id::DeviceId, aggregate::DEVICE;
    starpay_domain::activation::Activation, starpay_domain::id::ActivationId, aggregate::ACTIVATION;
    starpay_domain::device_auth::DeviceAuth, starpay_domain::id::DeviceAuthId, aggregate::DEVICE_AUTH;
    starpay_domain::key_slot::KeySlot, starpay_domain::id::KeySlotId, aggregate::KEY_SLOT;
    starpay_domain::capability::Capability, starpay_domain::id::CapabilityId, aggregate::CAPABILITY;
}

/// A machine as it stands in the store.
#[derive(Debug, Clone)]
pub(crate) struct Loaded<M: Stored> {
    /// Its id.
    pub(crate) id: M::Id,
    /// Whose it is.
    pub(crate) merchant: MerchantId,
    /// Its version: one per event.
    pub(crate) version: i64,
    /// The machine.
    pub(crate) machine: M,
    /// The table's own look-up columns.
    pub(crate) columns: Vec<Value>,
    /// Since when it is.
    pub(crate) created_at: Timestamp,
    /// Since when it is so.
    pub(crate) updated_at: Timestamp,
}

impl<M: Stored> Loaded<M> {
    /// One of the table's own columns.
    pub(crate) fn column<T: FromValue>(&self, name: &str) -> Result<T, Error> {
        Self::place(name)
            .and_then(|place| self.columns.get(place))
            .and_then(T::from_value)
            .ok_or_else(|| Error::internal(format!("{}.{name} does not read back", M::NAME)))
    }

    /// Sets one of the table's own columns; written by the next move.
    pub(crate) fn set(&mut self, name: &str, value: Value) {
        if let Some(slot) = Self::place(name).and_then(|place| self.columns.get_mut(place)) {
            *slot = value;
        }
    }

    fn place(name: &str) -> Option<usize> {
        M::TABLE.columns.iter().position(|column| *column == name)
    }

    /// Refuses a caller who saw an older version.
    pub(crate) fn expect_version(&self, seen: Option<i64>) -> Result<(), Error> {
        match seen {
            Some(seen) if seen != self.version => Err(Error::conflict("stale_version").about("If-Match")),
            Some(_) | None => Ok(()),
        }
    }
}

/// The moment and the seed of one use case, captured before its transaction.
#[derive(Clone)]
pub(crate) struct Moment {
    /// Now.
    pub(crate) at: Timestamp,
    rules: Arc<Rules>,
    seed: Zeroizing<[u8; 32]>,
}

impl Moment {
    pub(crate) fn capture(shared: &Shared) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        shared.random.fill(seed.as_mut());
        Self { at: shared.clock.now(), rules: shared.rules(), seed }
    }
}

/// One transaction's working set.
pub(crate) struct Step<'t> {
    /// The transaction.
    pub(crate) tx: &'t mut Tx,
    /// Now.
    pub(crate) at: Timestamp,
    /// Who asks.
    pub(crate) actor: &'t Actor,
    /// What every use case may use.
    pub(crate) shared: &'t Shared,
    /// The language of whoever reads the answer.
    pub(crate) language: Language,
    /// The network address of whoever asks.
    pub(crate) address: Option<IpAddr>,
    moment: &'t Moment,
    drawn: u32,
    recorded: i64,
    /// What personal data the answer shows.
    pub(crate) shown: Vec<Shown>,
    /// Data keys read so far; only where nothing moves under the reader.
    seen_keys: Option<SeenKeys>,
}

impl<'t> Step<'t> {
    /// A step that only reads, in one snapshot.
    pub(crate) fn reading(
        tx: &'t mut Tx,
        shared: &'t Shared,
        actor: &'t Actor,
        moment: &'t Moment,
        reader: Reader,
    ) -> Self {
        Self { seen_keys: Some(SeenKeys::new()), ..Self::new(tx, shared, actor, moment, reader) }
    }

    pub(crate) fn new(
        tx: &'t mut Tx,
        shared: &'t Shared,
        actor: &'t Actor,
        moment: &'t Moment,
        reader: Reader,
    ) -> Self {
        let Reader { language, address } = reader;
        Self {
            tx,
            at: moment.at,
            actor,
            shared,
            language,
            address,
            moment,
            drawn: 0,
            recorded: 0,
            shown: Vec::new(),
            seen_keys: None,
        }
    }

    /// Bytes nobody can foresee, the same again when the closure is run again.
    pub(crate) fn draw<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        for chunk in out.chunks_mut(32) {
            let mut hash = Sha256::new();
            hash.update(b"starpay-draw-v1");
            hash.update(self.moment.seed.as_ref());
            hash.update(self.drawn.to_be_bytes());
            self.drawn = self.drawn.wrapping_add(1);
            let block = hash.finalize();
            for (to, from) in chunk.iter_mut().zip(block.iter()) {
                *to = *from;
            }
        }
        out
    }

    /// A new id.
    pub(crate) fn new_id<T: TypedId>(&mut self) -> T {
        let random = self.draw();
        T::from_uuid(new_v7(self.at, random))
    }

    /// A uniform number of `digits` decimal digits, as text.
    pub(crate) fn draw_digits(&mut self, digits: usize) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(digits));
        while text.len() < digits {
            let [byte] = self.draw::<1>();
            // 250 is the largest multiple of ten in a byte: below it every digit is equally likely.
            if byte < 250 {
                text.push(char::from(b'0' + byte % 10));
            }
        }
        text
    }

    /// The statutory numbers.
    pub(crate) fn policy(&self) -> &'t Policy {
        &self.moment.rules.policy
    }

    /// How long each party may take.
    pub(crate) fn terms(&self) -> &'t Terms {
        &self.moment.rules.terms
    }

    /// Seals bytes under the merchant's data key. `context` binds them to their place.
    pub(crate) fn seal(&mut self, merchant: Uuid, context: &str, plain: &[u8]) -> Result<Vec<u8>, Error> {
        let at = self.at;
        self.shared.vault.seal(self.tx, merchant, at, context, plain)
    }

    /// Opens what [`Step::seal`] sealed.
    pub(crate) fn open(
        &mut self,
        merchant: Uuid,
        context: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.shared.vault.open(self.tx, self.seen_keys.as_mut(), merchant, context, sealed)
    }

    /// Reads a machine that is this actor's business; `not_found` when there is none.
    pub(crate) fn get<M: Stored>(&mut self, id: M::Id) -> Result<Loaded<M>, Error> {
        let row = aggregate::find_any(self.tx, M::TABLE, id.uuid())?.ok_or_else(Error::not_found)?;
        self.check_owner(row.merchant_id)?;
        self.load(row)
    }

    /// Reads a machine that is this actor's business and locks it until the transaction ends.
    pub(crate) fn lock<M: Stored>(&mut self, id: M::Id) -> Result<Loaded<M>, Error> {
        let row = aggregate::find_any(self.tx, M::TABLE, id.uuid())?.ok_or_else(Error::not_found)?;
        self.check_owner(row.merchant_id)?;
        let row = aggregate::lock(self.tx, M::TABLE, row.id, row.merchant_id)?;
        self.load(row)
    }

    /// One page of the actor's own machines; of everybody's for staff.
    pub(crate) fn page_of<M: Stored>(
        &mut self,
        after: Option<Cursor>,
        limit: i64,
    ) -> Result<Page<AggregateRow>, Error> {
        Ok(match self.actor.merchant {
            Some(merchant) => aggregate::list_by_merchant(self.tx, M::TABLE, merchant.uuid(), after, limit)?,
            None => aggregate::list_all(self.tx, M::TABLE, after, limit)?,
        })
    }

    fn check_owner(&self, merchant: Uuid) -> Result<(), Error> {
        // Directory rows belong to the platform: their use cases ask whose they are themselves.
        if merchant == PLATFORM { Ok(()) } else { self.actor.owns(MerchantId::from_uuid(merchant)) }
    }

    /// Rebuilds a machine from its row.
    pub(crate) fn load<M: Stored>(&mut self, row: AggregateRow) -> Result<Loaded<M>, Error> {
        let facts = self.open(row.merchant_id, &facts_context(M::NAME, row.id), &row.facts)?;
        let record: Record = serde_json::from_slice(&facts)?;
        Ok(Loaded {
            id: M::Id::from_uuid(row.id),
            merchant: MerchantId::from_uuid(row.merchant_id),
            version: row.version,
            machine: M::restore(&row.state, &record)?,
            columns: row.columns,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }

    /// Writes a new machine with its first event, `opened`.
    pub(crate) fn create<M: Stored>(
        &mut self,
        id: M::Id,
        merchant: MerchantId,
        machine: M,
        columns: Vec<Value>,
    ) -> Result<Loaded<M>, Error> {
        let row = self.row::<M>(id, merchant, &machine, columns, (1, self.at))?;
        aggregate::insert(self.tx, M::TABLE, &row)?;
        self.record::<M>(&row, "opened", machine.facts())?;
        Ok(Loaded {
            id,
            merchant,
            version: 1,
            machine,
            columns: row.columns,
            created_at: self.at,
            updated_at: self.at,
        })
    }

    /// Moves a machine along one of its edges: new state, next version, one event row.
    ///
    /// # Errors
    /// `illegal_transition` when the state does not allow the event; `stale_version` when
    /// somebody moved it since it was read.
    pub(crate) fn advance<M: Stored>(
        &mut self,
        loaded: Loaded<M>,
        event: M::Event,
    ) -> Result<Loaded<M>, Error> {
        let (name, facts) = (event.name(), event.facts());
        let machine = loaded.machine.apply(event, self.at)?;
        let version = loaded.version.saturating_add(1);
        let columns = loaded.columns;
        let row =
            self.row::<M>(loaded.id, loaded.merchant, &machine, columns, (version, loaded.created_at))?;
        aggregate::save(self.tx, M::TABLE, &row, loaded.version)?;
        self.record::<M>(&row, name, facts)?;
        Ok(Loaded { machine, version, columns: row.columns, updated_at: self.at, ..loaded })
    }

    fn row<M: Stored>(
        &mut self,
        id: M::Id,
        merchant: MerchantId,
        machine: &M,
        columns: Vec<Value>,
        (version, created_at): (i64, Timestamp),
    ) -> Result<AggregateRow, Error> {
        let facts = serde_json::to_vec(&machine.facts())?;
        let facts = self.seal(merchant.uuid(), &facts_context(M::NAME, id.uuid()), &facts)?;
        Ok(AggregateRow {
            id: id.uuid(),
            merchant_id: merchant.uuid(),
            state: machine.state().to_owned(),
            version,
            facts,
            created_at,
            updated_at: self.at,
            limit_at: machine.limit_at(),
            columns,
        })
    }

    fn record<M: Stored>(&mut self, row: &AggregateRow, name: &str, facts: Record) -> Result<(), Error> {
        let sealed = Some(row_digest(&row.facts));
        let payload = EventPayload { state: row.state.clone(), facts, row: sealed };
        self.append(M::NAME, (row.id, row.merchant_id, row.version), name, &payload)
    }

    /// Records what somebody did to a thing of the platform's own that is no machine: an event in
    /// a chain of that thing, as tamper-evident as any.
    pub(crate) fn record_deed(
        &mut self,
        kind: &str,
        id: Uuid,
        name: &str,
        state: &str,
        facts: &Record,
    ) -> Result<(), Error> {
        let version = event::version(self.tx, id, PLATFORM)?.saturating_add(1);
        let payload = EventPayload { state: state.to_owned(), facts: facts.clone(), row: None };
        self.append(kind, (id, PLATFORM, version), name, &payload)
    }

    fn append(
        &mut self,
        kind: &str,
        (id, merchant, version): (Uuid, Uuid, i64),
        name: &str,
        payload: &EventPayload,
    ) -> Result<(), Error> {
        let event_id: EventId = self.new_id();
        // Events of one transaction follow each other by a microsecond, so that a merchant's timeline
        // shows them in the order in which they happened.
        let at = Timestamp::from_micros(self.at.micros().saturating_add(self.recorded));
        self.recorded = self.recorded.saturating_add(1);
        let payload = serde_json::to_vec(payload)?;
        let context = event_context(id, version);
        let payload = self.seal(merchant, &context, &payload)?;
        event::append(
            self.tx,
            &NewEvent {
                id: event_id.uuid(),
                merchant_id: merchant,
                kind: kind.to_owned(),
                aggregate_id: id,
                version,
                name: name.to_owned(),
                actor_kind: self.actor.role.as_str().to_owned(),
                actor_id: Some(self.actor.id.clone()),
                at,
                payload,
            },
        )?;
        Ok(())
    }
}

/// The facts of a deed.
pub(crate) fn deed<const N: usize>(said: [(&str, String); N]) -> Record {
    said.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What an event row holds, sealed.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct EventPayload {
    /// State after the event.
    pub(crate) state: String,
    /// The event's facts.
    pub(crate) facts: Record,
    /// [`row_digest`] of the facts in the aggregate's row after the event: whoever puts others in
    /// their place, even ones that were sealed for the same row before, is found out. Absent where
    /// there is no row, and in events from before it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) row: Option<String>,
}

/// What an event remembers of its row's sealed facts: their SHA-256.
pub(crate) fn row_digest(sealed_facts: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(sealed_facts))
}

/// The context the facts in an aggregate's row are sealed with.
pub(crate) fn facts_context(machine: &str, id: Uuid) -> String {
    format!("facts|{machine}|{}", id.simple())
}

/// The context an event's payload is sealed with.
pub(crate) fn event_context(aggregate_id: Uuid, version: i64) -> String {
    format!("event|{}|{version}", aggregate_id.simple())
}

/// The text id of a machine's aggregate, by the machine's name.
pub(crate) fn prefixed(kind: &str, id: Uuid) -> String {
    use starpay_domain::id as ids;
    let prefix = match kind {
        "application" => ids::ApplicationId::PREFIX,
        "agreement" => ids::AgreementId::PREFIX,
        "visit" => ids::VisitId::PREFIX,
        "registration" => ids::RegistrationId::PREFIX,
        "shipment" => ids::ShipmentId::PREFIX,
        "device" => ids::DeviceId::PREFIX,
        "activation" => ids::ActivationId::PREFIX,
        "device_auth" => ids::DeviceAuthId::PREFIX,
        "key_slot" => ids::KeySlotId::PREFIX,
        "capability" => ids::CapabilityId::PREFIX,
        other => other,
    };
    format!("{prefix}_{}", id.simple())
}
