//! Operator PINs (操作员密码): exactly six digits, none of them guessable, kept only hashed.
//!
//! There is no default PIN. Only a [`StrongPin`] can be hashed, and only a [`Pin`] that passed
//! the weak list is one. Hashing is argon2id (RFC 9106) with the keyed `secret` input holding
//! the PIN pepper: without the keystore, a stolen table cannot even be tried against the
//! million possible PINs. One hash takes about 19 MiB and some 20 ms: callers run it on a
//! bounded pool and lock an operator out after a few wrong tries.
//!
//! ```
//! use starpay_keys::OsRandom;
//! use starpay_keys::pepper::Pepper;
//! use starpay_keys::pin::{Pin, PinHasher, WeakPin};
//!
//! let serial = "99990004STAR00000001";
//! assert_eq!(Pin::parse(b"123456").unwrap().into_strong(&[serial]), Err(WeakPin::Run));
//! assert_eq!(Pin::parse(b"199002").unwrap().into_strong(&[serial]), Err(WeakPin::Date));
//! let chosen = Pin::parse(b"739164").unwrap().into_strong(&[serial])?;
//!
//! let hasher = PinHasher::new(Pepper::from_bytes([3; 32]));
//! let stored = hasher.hash(&chosen, &OsRandom)?;
//! assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
//! assert!(hasher.verify(&Pin::parse(b"739164").unwrap(), &stored)?);
//! assert!(!hasher.verify(&Pin::parse(b"739165").unwrap(), &stored)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};

use crate::pepper::Pepper;
use crate::random::{self, Random};
use crate::secret::KeyBytes;

/// How many digits a PIN has.
pub const PIN_DIGITS: usize = 6;
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Dearer settings than this in a stored hash did not come from us.
const MEMORY_KIB_MAX: u32 = 64 * 1024;
const PASSES_MAX: u32 = 8;

/// Favourites that no rule below catches: words by sound, columns and zigzags of the keypad,
/// constants (from public lists of leaked six-digit PINs).
const COMMON: &[&[u8; PIN_DIGITS]] = &[
    b"520131", b"521314", b"201314", b"131420", b"131452", b"147258", b"258369", b"369258", b"258147",
    b"147852", b"852147", b"147369", b"159357", b"357159", b"159753", b"753951", b"951753", b"741852",
    b"852963", b"963852", b"789456", b"456789", b"456123", b"123789", b"789123", b"123654", b"987456",
    b"112358", b"314159", b"271828", b"142857", b"168888", b"888168", b"666888", b"888666", b"123698",
    b"147896", b"159951", b"135790", b"246800", b"102030", b"100200", b"135246", b"246135",
];

/// What was given is not six digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a PIN is exactly six digits")]
pub struct PinFormatError;

/// Why a PIN is too easy to guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum WeakPin {
    /// One digit six times, or the same pair or triple again and again, forwards or mirrored.
    #[error("the PIN repeats itself")]
    Repeated,
    /// Digits going up or down in steps.
    #[error("the PIN is a run of digits")]
    Run,
    /// A date: year and month, or a birthday as in an identity number.
    #[error("the PIN is a date")]
    Date,
    /// On the list of favourites.
    #[error("the PIN is one of the most common ones")]
    Common,
    /// Part of a number printed on the terminal or known of the merchant.
    #[error("the PIN is part of a number of the terminal or the merchant")]
    OwnNumber,
}

/// Why a PIN could not be hashed or compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PinHashError {
    /// Not enough memory just now; try again.
    #[error("the PIN could not be hashed just now")]
    Unavailable,
    /// The stored text is no hash of ours.
    #[error("the stored PIN hash is malformed")]
    Malformed,
}

/// Six digits from outside, weak or not: what an operator types to sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin(KeyBytes<PIN_DIGITS>);

impl Pin {
    /// Reads exactly six ASCII digits.
    ///
    /// # Errors
    /// [`PinFormatError`] for anything else.
    pub fn parse(digits: &[u8]) -> Result<Self, PinFormatError> {
        match KeyBytes::from_slice(digits) {
            Some(bytes) if digits.iter().all(u8::is_ascii_digit) => Ok(Self(bytes)),
            Some(_) | None => Err(PinFormatError),
        }
    }

    /// The six digits in ASCII. Only for sealing them into an envelope on the terminal.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }

    /// Lets the PIN through if it is none of the weak ones.
    ///
    /// `own_numbers` are numbers anyone near the counter knows: serial, terminal and merchant
    /// number, telephone. Characters other than digits in them are skipped.
    ///
    /// # Errors
    /// The first reason that makes it weak, in the order repeated, run, common, date, own number.
    pub fn into_strong(self, own_numbers: &[&str]) -> Result<StrongPin, WeakPin> {
        let digits = self.0.expose();
        if is_repeated(digits) {
            Err(WeakPin::Repeated)
        } else if is_run(digits) {
            Err(WeakPin::Run)
        } else if COMMON.contains(&digits) {
            Err(WeakPin::Common)
        } else if is_date(digits) {
            Err(WeakPin::Date)
        } else if own_numbers.iter().any(|number| is_inside(digits, number)) {
            Err(WeakPin::OwnNumber)
        } else {
            Ok(StrongPin(self))
        }
    }
}

/// A PIN that passed the weak list: the only kind that can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrongPin(Pin);

/// `111111`, `121212`, `123123`, `112233`, `111222`, `123321`.
fn is_repeated(digits: &[u8; PIN_DIGITS]) -> bool {
    let [a, b, c, d, e, f] = *digits;
    let pairs = [a, b] == [c, d] && [c, d] == [e, f];
    let triples = [a, b, c] == [d, e, f];
    let doubles = a == b && c == d && e == f;
    let blocks = a == b && b == c && d == e && e == f;
    let mirrored = [a, b, c] == [f, e, d];
    pairs || triples || doubles || blocks || mirrored
}

/// Every step equal: `123456`, `654321`, `135791`, `024680`; nine goes on to zero.
fn is_run(digits: &[u8; PIN_DIGITS]) -> bool {
    let step = |pair: &[u8]| match pair {
        [from, to] => (10 + to - from) % 10,
        _ => 0,
    };
    let mut steps = digits.windows(2).map(step);
    let first = steps.next();
    first != Some(0) && steps.all(|step| Some(step) == first)
}

/// `YYYYMM` of 1900 to 2099, `YYMMDD` and `DDMMYY`: what people take from birthdays.
fn is_date(digits: &[u8; PIN_DIGITS]) -> bool {
    let [a, b, c, d, e, f] = digits.map(|digit| u32::from(digit - b'0'));
    let (first, second, third) = (a * 10 + b, c * 10 + d, e * 10 + f);
    let month = |value| (1..=12).contains(&value);
    let day = |value| (1..=31).contains(&value);
    let year_and_month = (19..=20).contains(&first) && month(third);
    let year_first = month(second) && day(third);
    let day_first = day(first) && month(second);
    year_and_month || year_first || day_first
}

fn is_inside(digits: &[u8; PIN_DIGITS], number: &str) -> bool {
    let number: Vec<u8> = number.bytes().filter(u8::is_ascii_digit).collect();
    let mut backwards = *digits;
    backwards.reverse();
    let inside = number.windows(PIN_DIGITS).any(|window| window == digits || window == backwards);
    backwards.fill(0);
    inside
}

/// Hashes and compares PINs under the PIN pepper.
#[derive(Debug, Clone)]
pub struct PinHasher {
    pepper: Pepper,
}

impl PinHasher {
    /// A hasher with this pepper.
    #[must_use]
    pub fn new(pepper: Pepper) -> Self {
        Self { pepper }
    }

    /// Hashes a PIN with a fresh salt of 16 bytes; the answer is a PHC string for the database.
    ///
    /// # Errors
    /// [`PinHashError::Unavailable`] when there is no memory for it.
    pub fn hash(&self, pin: &StrongPin, random: &dyn Random) -> Result<String, PinHashError> {
        let salt: [u8; 16] = random::array(random);
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| PinHashError::Unavailable)?;
        self.argon2(params)?
            .hash_password_with_salt(pin.0.expose(), &salt)
            .map(|hash| hash.to_string())
            .map_err(|_| PinHashError::Unavailable)
    }

    /// Is this the PIN that was hashed? Compared in constant time.
    ///
    /// # Errors
    /// [`PinHashError::Malformed`] when the stored text is no hash of ours or dearer than any of ours,
    /// [`PinHashError::Unavailable`] when there is no memory for the comparison.
    pub fn verify(&self, pin: &Pin, stored: &str) -> Result<bool, PinHashError> {
        let hash = PasswordHash::new(stored).map_err(|_| PinHashError::Malformed)?;
        let params = Params::try_from(&hash).map_err(|_| PinHashError::Malformed)?;
        let ours = hash.algorithm.as_str() == Algorithm::Argon2id.as_str()
            && hash.salt.is_some()
            && hash.hash.is_some()
            && params.m_cost() <= MEMORY_KIB_MAX
            && params.t_cost() <= PASSES_MAX;
        if !ours {
            return Err(PinHashError::Malformed);
        }
        match self.argon2(params)?.verify_password(pin.expose(), &hash) {
            Ok(()) => Ok(true),
            Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
            Err(_) => Err(PinHashError::Unavailable),
        }
    }

    fn argon2(&self, params: Params) -> Result<Argon2<'_>, PinHashError> {
        Argon2::new_with_secret(self.pepper.expose(), Algorithm::Argon2id, Version::V0x13, params)
            .map_err(|_| PinHashError::Unavailable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Sequence;

    fn pin(digits: &str) -> Pin {
        Pin::parse(digits.as_bytes()).unwrap()
    }

    fn strong(digits: &str) -> StrongPin {
        pin(digits).into_strong(&[]).unwrap()
    }

    #[test]
    fn only_six_ascii_digits_are_a_pin() {
        for wrong in ["", "12345", "1234567", "12345a", "１２３４５６", " 48091", "-48091"] {
            assert_eq!(Pin::parse(wrong.as_bytes()), Err(PinFormatError), "{wrong}");
        }
    }

    #[test]
    fn weak_pins_are_refused_with_their_reason() {
        let cases = [
            (
                WeakPin::Repeated,
                "000000 888888 121212 909090 123123 520520 112233 998877 111222 123321 100001",
            ),
            (WeakPin::Run, "123456 654321 890123 098765 135791 024680 864208 369258"),
            (WeakPin::Common, "521314 147258 159753 789456 314159 142857 201314"),
            (WeakPin::Date, "199001 200812 850314 991231 000229 140385 311299"),
        ];
        for (reason, pins) in cases {
            for digits in pins.split(' ') {
                assert_eq!(pin(digits).into_strong(&[]), Err(reason), "{digits}");
            }
        }
    }

    #[test]
    fn a_pin_printed_on_the_terminal_is_refused() {
        let own = ["99990004STAR00480967", "154-0748-5063"];
        assert_eq!(pin("480967").into_strong(&own), Err(WeakPin::OwnNumber));
        assert_eq!(pin("769084").into_strong(&own), Err(WeakPin::OwnNumber), "backwards");
        assert_eq!(pin("748506").into_strong(&own), Err(WeakPin::OwnNumber));
        assert!(pin("480968").into_strong(&own).is_ok());
        assert!(pin("480967").into_strong(&["4809", ""]).is_ok());
    }

    #[test]
    fn most_pins_are_left_to_choose_from() {
        let strong =
            (0..1_000_000).filter(|number| pin(&format!("{number:06}")).into_strong(&[]).is_ok()).count();
        assert!(strong > 900_000, "{strong}");
    }

    #[test]
    fn a_hash_verifies_only_its_pin_under_its_pepper() {
        let hasher = PinHasher::new(Pepper::from_bytes([1; 32]));
        let random = Sequence::new(1);
        let stored = hasher.hash(&strong("480967"), &random).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_ne!(stored, hasher.hash(&strong("480967"), &random).unwrap());
        assert_eq!(hasher.verify(&pin("480967"), &stored), Ok(true));
        assert_eq!(hasher.verify(&pin("480968"), &stored), Ok(false));
        let elsewhere = PinHasher::new(Pepper::from_bytes([2; 32]));
        assert_eq!(elsewhere.verify(&pin("480967"), &stored), Ok(false));
    }

    #[test]
    fn a_planted_hash_is_refused_before_it_costs_anything() {
        let hasher = PinHasher::new(Pepper::from_bytes([1; 32]));
        let cases = [
            "",
            "480967",
            "$argon2id$v=19$m=4194304,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=19456,t=9999,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2i$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA",
        ];
        for stored in cases {
            assert_eq!(hasher.verify(&pin("480967"), stored), Err(PinHashError::Malformed), "{stored}");
        }
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", strong("480967")), "StrongPin(Pin([redacted]))");
    }
}
