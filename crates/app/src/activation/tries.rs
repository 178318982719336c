//! How often somebody may try a code, without letting anybody keep the owner out.
//!
//! Whoever knows a serial can try codes for it, so a lock on the serial would be a lock that any
//! stranger can turn. Tries are counted in two ways instead:
//!
//! * **By place** ([`PER_PLACE`]): a serial as seen from one network address, or one key that the
//!   terminal is known by. Five wrong codes pause that place alone, for ten minutes; when the owner
//!   asks for a code, the place they ask from starts anew. An address is also paused over all
//!   serials ([`PER_ADDRESS`]).
//! * **By code, in three lanes** with a budget each: keys the terminal is known by
//!   ([`BY_KNOWN_KEYS`]), the network from which the owner asked for the code ([`FROM_HOME`]),
//!   and everybody else ([`BY_STRANGERS`]). When a lane's budget is spent, this code never passes
//!   in that lane again, and a wrong and a right one are answered alike; the owner is told
//!   (`code_frozen`) and asks for a new code, whose budgets are whole. So strangers can spend only
//!   their own lane, and only of a code that is out; to do it to the next code before it is typed
//!   they need ten addresses that have not tried for ten minutes, every time.
//!
//! A code has 45 random bits (its check symbol is computed, not drawn), so all tries a code ever
//! gets, 50 + 20 + 20 = 90, find it with probability 90 / 2⁴⁵ = 2.6·10⁻¹². A terminal for which
//! thirty codes are asked in a year: 7.7·10⁻¹¹ a year. With a code out on every day of the year
//! (122 codes of 72 hours): 3.1·10⁻¹⁰. A right guess must come under a code that is out, and even
//! then opens nothing that the owner does not see: the terminal in the shop is refused, and says so.

use super::wait_seconds;
use crate::error::{Error, ErrorKind};
use crate::step::{Loaded, Step};
use crate::vault::domain_of;
use starpay_domain::activation::Activation;
use starpay_domain::identifier::TerminalSerial;
use starpay_domain::instant::Timestamp;
use starpay_store::aggregate;
use starpay_store::attempt::{self, Limit, Standing};
use uuid::Uuid;

/// Wrong codes for one serial from one place.
const PER_PLACE: Limit = Limit { failures_max: 5, window_seconds: 10 * 60, lock_seconds: 10 * 60 };
/// Wrong codes from one network address, whatever the serial: short, because a shop or a whole
/// quarter may share it.
const PER_ADDRESS: Limit = Limit { failures_max: 30, window_seconds: 10 * 60, lock_seconds: 5 * 60 };
/// Longer than any code lives: a budget is spent once.
const BUDGET_SECONDS: i64 = 8 * 86_400;
/// Wrong tries of one code by keys that are not known, from networks that are not the owner's.
const BY_STRANGERS: Limit = budget(50);
/// Wrong tries of one code from the network from which the owner asked for it.
const FROM_HOME: Limit = budget(20);
/// Wrong tries of one code by keys that once showed a right code for this terminal.
const BY_KNOWN_KEYS: Limit = budget(20);
/// Longest serial that is counted as typed.
const SERIAL_CHARS_MAX: usize = 64;
/// Where the network that asked for the code is kept.
const HOME: &str = "home";

const fn budget(tries: i64) -> Limit {
    Limit { failures_max: tries, window_seconds: BUDGET_SECONDS, lock_seconds: BUDGET_SECONDS }
}

/// Which budget a try is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lane {
    KnownKey,
    Home,
    Stranger,
}

impl Lane {
    const fn name(self) -> &'static str {
        match self {
            Self::KnownKey => "known-key",
            Self::Home => "home",
            Self::Stranger => "stranger",
        }
    }

    const fn limit(self) -> Limit {
        match self {
            Self::KnownKey => BY_KNOWN_KEYS,
            Self::Home => FROM_HOME,
            Self::Stranger => BY_STRANGERS,
        }
    }
}

/// Who tries: the serial as typed, the key that signs. Where from, the step knows.
pub(super) struct Caller {
    serial: String,
    thumbprint: [u8; 32],
}

/// The counters that one try is held against: keyed hashes only.
pub(super) struct Tries {
    address: Option<Vec<u8>>,
    place: Vec<u8>,
    lane: Lane,
    code: Vec<u8>,
    /// Whether this lane's budget for the code that is out is spent.
    spent: bool,
}

impl Tries {
    /// Whether a right code passes: not in a lane whose budget for it is spent.
    pub(super) const fn may_pass(&self) -> bool {
        !self.spent
    }
}

impl Caller {
    pub(super) fn new(serial: &str, thumbprint: [u8; 32]) -> Self {
        let serial = TerminalSerial::normalise(serial).chars().take(SERIAL_CHARS_MAX).collect();
        Self { serial, thumbprint }
    }
}

/// What kind of attempt an address's wrong codes are counted as.
const OF_ADDRESS: &str = "claim-address";
/// What kind of attempt a place's wrong codes are counted as.
const OF_PLACE: &str = "claim-place";

/// Where a caller's tries are counted.
struct Place {
    /// Whose tries they are: a known key's, or a serial's from a network.
    subject: Vec<u8>,
    lane: Lane,
    /// The activation whose code is out.
    out: Option<Loaded<Activation>>,
}

impl Step<'_> {
    /// The pause a caller has to wait for. It only reads, whoever is paused leaves nothing behind,
    /// not even a nonce; and nothing sealed is opened for a stranger whose nonce is not spent.
    pub(super) fn claim_pause(&mut self, caller: &Caller) -> Result<Option<Error>, Error> {
        if let Some(address) = self.address_subject() {
            let standing = attempt::standing(self.tx, OF_ADDRESS, &address, self.at, PER_ADDRESS)?;
            if let Some(paused) = address_pause(standing, self.at) {
                return Ok(Some(paused));
            }
        }
        let (place, key) = (self.place_subject(&caller.serial), self.key_subject(caller));
        let mut pause_of = |subject: &[u8]| -> Result<Option<Error>, Error> {
            let standing = attempt::standing(self.tx, OF_PLACE, subject, self.at, PER_PLACE)?;
            Ok(place_pause(standing, self.at))
        };
        let (of_place, of_key) = (pause_of(&place)?, pause_of(&key)?);
        if of_place.is_none() && of_key.is_none() {
            return Ok(None);
        }
        let device = aggregate::device::find_by_serial(self.tx, &caller.serial)?.map(|row| row.id);
        Ok(if self.is_known(caller, device)? { of_key } else { of_place })
    }

    /// Finds a try's counters and holds them until the transaction ends, so that tries at the same
    /// moment are counted one after the other; or the pause the caller has to wait for.
    pub(super) fn enter_claim(&mut self, caller: &Caller) -> Result<Result<Tries, Error>, Error> {
        let address = self.address_subject();
        if let Some(address) = &address {
            let standing = attempt::hold(self.tx, OF_ADDRESS, address, self.at, PER_ADDRESS)?;
            if let Some(paused) = address_pause(standing, self.at) {
                return Ok(Err(paused));
            }
        }
        let Place { subject: place, lane, out } = self.claim_place(caller)?;
        let standing = attempt::hold(self.tx, OF_PLACE, &place, self.at, PER_PLACE)?;
        if let Some(paused) = place_pause(standing, self.at) {
            return Ok(Err(paused));
        }
        let code = self.code_subject(&caller.serial, out.as_ref(), lane)?;
        let spent = attempt::hold(self.tx, "claim-code", &code, self.at, lane.limit())?;
        let spent = matches!(spent, Standing::Locked { .. });
        Ok(Ok(Tries { address, place, lane, code, spent }))
    }

    /// Where a caller's tries are counted.
    fn claim_place(&mut self, caller: &Caller) -> Result<Place, Error> {
        let device = aggregate::device::find_by_serial(self.tx, &caller.serial)?.map(|row| row.id);
        let out = match device {
            Some(device) => self.latest_activation(device)?,
            None => None,
        };
        let (subject, lane) = if self.is_known(caller, device)? {
            (self.key_subject(caller), Lane::KnownKey)
        } else {
            let place = self.place_subject(&caller.serial);
            let home = self.is_home(out.as_ref(), &place)?;
            (place, if home { Lane::Home } else { Lane::Stranger })
        };
        Ok(Place { subject, lane, out })
    }

    fn address_subject(&self) -> Option<Vec<u8>> {
        self.address.map(|address| self.shared.vault.address(address))
    }

    /// Counts a wrong code. One answer for every way of being wrong.
    pub(super) fn wrong_claim(&mut self, tries: &Tries) -> Result<Error, Error> {
        if let Some(address) = &tries.address {
            attempt::fail(self.tx, OF_ADDRESS, address, self.at, PER_ADDRESS)?;
        }
        if !tries.spent {
            attempt::fail(self.tx, "claim-code", &tries.code, self.at, tries.lane.limit())?;
        }
        let left = match attempt::fail(self.tx, OF_PLACE, &tries.place, self.at, PER_PLACE)? {
            Standing::Open { left } => left,
            Standing::Locked { .. } => 0,
        };
        Ok(Error { tries_left: Some(left), ..Error::invalid("activation_code_invalid", "code") })
    }

    /// Forgets the wrong tries of a place that then showed the right code.
    pub(super) fn right_claim(&mut self, tries: &Tries) -> Result<(), Error> {
        Ok(attempt::clear(self.tx, OF_PLACE, &tries.place)?)
    }

    /// The owner asked for a code: the network they asked from is the code's home, and starts anew.
    pub(super) fn keep_home(&mut self, asked: &Loaded<Activation>, serial: &str) -> Result<(), Error> {
        let home = self.address.map(|_| self.place_subject(serial));
        if let Some(home) = &home {
            attempt::clear(self.tx, OF_PLACE, home)?;
        }
        self.keep(asked, HOME, &home.map(hex::encode))
    }

    /// Whether strangers have spent their tries of the code that is out: from elsewhere than home,
    /// an unknown terminal needs a new one.
    pub(super) fn is_frozen(&mut self, found: &Loaded<Activation>, serial: &str) -> Result<bool, Error> {
        let code = self.code_subject(serial, Some(found), Lane::Stranger)?;
        let standing = attempt::standing(self.tx, "claim-code", &code, self.at, BY_STRANGERS)?;
        Ok(matches!(standing, Standing::Locked { .. }))
    }

    /// Whether the key that signs once showed a right code for this device. It opens nothing.
    fn is_known(&mut self, caller: &Caller, device: Option<Uuid>) -> Result<bool, Error> {
        let Some(device) = device else { return Ok(false) };
        let row = aggregate::device_auth::find_by_thumbprint(self.tx, &caller.thumbprint)?;
        let Some(known) = row.filter(|row| row.state != "rejected") else { return Ok(false) };
        let of: Uuid = aggregate::DEVICE_AUTH.column(&known, "device_id")?;
        Ok(of == device)
    }

    /// Whether the code that is out was asked for from this place.
    fn is_home(&mut self, out: Option<&Loaded<Activation>>, place: &[u8]) -> Result<bool, Error> {
        let (Some(out), Some(_)) = (out, self.address) else { return Ok(false) };
        let home = self.kept::<Option<String>>(out, HOME)?.flatten();
        Ok(home.is_some_and(|home| home == hex::encode(place)))
    }

    fn latest_activation(&mut self, device: Uuid) -> Result<Option<Loaded<Activation>>, Error> {
        match aggregate::activation::latest_of_device(self.tx, device)? {
            Some(row) => self.load(row).map(Some),
            None => Ok(None),
        }
    }

    /// A key, wherever it is used.
    fn key_subject(&self, caller: &Caller) -> Vec<u8> {
        self.counted(&format!("key|{}", hex::encode(caller.thumbprint)))
    }

    /// A serial as seen from the network of whoever asks.
    fn place_subject(&self, serial: &str) -> Vec<u8> {
        let address = self.address.map(|address| hex::encode(self.shared.vault.address(address)));
        self.counted(&format!("place|{serial}|{}", address.unwrap_or_default()))
    }

    /// One issue of a code for a serial; before the first one, the serial itself.
    fn code_subject(
        &self,
        serial: &str,
        out: Option<&Loaded<Activation>>,
        lane: Lane,
    ) -> Result<Vec<u8>, Error> {
        let issue = match out {
            Some(out) => {
                let expires_at: Timestamp = out.column("code_expires_at")?;
                format!("{}|{}", out.id, expires_at.micros())
            }
            None => "none".to_owned(),
        };
        Ok(self.counted(&format!("code|{serial}|{issue}|{}", lane.name())))
    }

    fn counted(&self, whom: &str) -> Vec<u8> {
        self.shared.vault.code_hash(domain_of::ATTEMPT, &format!("claim|{whom}"))
    }
}

fn address_pause(standing: Standing, at: Timestamp) -> Option<Error> {
    let Standing::Locked { until } = standing else { return None };
    Some(Error::new(ErrorKind::RateLimited, "rate_limited").retry_after(wait_seconds(until, at)))
}

fn place_pause(standing: Standing, at: Timestamp) -> Option<Error> {
    let Standing::Locked { until } = standing else { return None };
    let paused = Error::new(ErrorKind::Locked, "activation_code_locked").about("code");
    Some(paused.retry_after(wait_seconds(until, at)))
}
