//! `starpay pos`: the virtual terminal (虚拟终端), played by a person, by a script, or by itself.
//!
//! It is a client of the platform like any terminal: it knows a URL, a trust file and its own
//! folder. Code and PIN are typed or read from standard input or a script, never from arguments or
//! the environment, which other users of the machine can read.

mod auto;
mod person;
mod script;
mod world;

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use starpay_domain::identifier::TerminalSerial;
use starpay_terminal::activation::{Position, PositionSource, Settings};
use starpay_terminal::fault::Fault;
use starpay_terminal::platform::{Address, TrustAnchor};
use starpay_terminal::screen::Language;
use starpay_terminal::{Error, Terminal};

use crate::Failure;
use world::World;

/// What to do without a usable trust file.
const NO_TRUST: &str = "--trust is the platform's CA certificate: on its machine, `starpay admin ca > ca.pem`; a demo has written it to factory/ca.pem in its data folder";

/// Options of `starpay pos`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The platform: https://HOST[:PORT], or http:// before a loopback address
    #[arg(long, value_name = "URL")]
    server: String,
    /// The platform's CA certificate, PEM
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// The terminal's own folder: its keys and its journal
    #[arg(long, value_name = "DIR")]
    folder: PathBuf,
    /// Serial number (needed at the first start)
    #[arg(long)]
    serial: Option<String>,
    /// Model (needed at the first start)
    #[arg(long)]
    model: Option<String>,
    /// Language of the screen: zh or en
    #[arg(long, default_value = "zh")]
    language: Language,
    /// Play this scenario (docs/guide/virtual-terminal.md lists its lines)
    #[arg(long, value_name = "FILE", conflicts_with = "auto")]
    script: Option<PathBuf>,
    /// Run without a person: one JSON line on standard input gives code and PIN, one JSON line per step comes out
    #[arg(long)]
    auto: bool,
    /// Misbehave in one named way, to see the platform's reaction
    #[arg(long, value_name = "NAME")]
    fault: Option<Fault>,
    /// Where the terminal stands, in degrees
    #[arg(long, value_name = "LAT,LON", default_value = "22.543096,114.057865", allow_hyphen_values = true)]
    position: Degrees,
    /// Give up when the merchant's side is not ready after so many seconds
    #[arg(long, value_name = "SECONDS")]
    patience: Option<u64>,
    /// Die as if the power were cut, at the N-th moment where it makes a difference
    #[arg(long, value_name = "N", hide = true)]
    cut_power_at: Option<u64>,
}

/// Switches the terminal on and plays it until it is active or stopped.
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let world = World::new(args.cut_power_at);
    let serial = args.serial.as_deref().map(serial).transpose()?;
    let settings = Settings {
        address: Address::parse(&args.server).map_err(failure)?,
        trust: TrustAnchor::read(&args.trust).map_err(|error| failure(error).remedy(NO_TRUST))?,
        folder: args.folder,
        serial,
        model: args.model,
        language: args.language,
        position: args.position.position(),
        patience: args.patience.map(Duration::from_secs),
        fault: args.fault,
    };
    let mut terminal = Terminal::switch_on(settings, &world).map_err(failure)?;
    match (args.script, args.auto) {
        (Some(path), _) => script::play(&mut terminal, &path, &world),
        (None, true) => auto::play(&mut terminal, &world),
        (None, false) => person::play(&mut terminal, args.language),
    }
}

/// A serial as the plate of a terminal bears one. Looked at before anything is written: the folder
/// keeps the first one it is told.
fn serial(text: &str) -> Result<String, Failure> {
    match TerminalSerial::parse(text) {
        Ok(serial) => Ok(serial.as_str().to_owned()),
        Err(refused) => Err(Failure::usage(format!("--serial {text} is no terminal serial (终端序列号): {refused}"))
            .remedy("write 9 to 50 letters and digits: six digits of the maker, two of the type (02 POS, 04 smart POS), then its own, as 99990004STAR00000001")),
    }
}

/// What the terminal says, in the words of the command line.
fn failure(error: Error) -> Failure {
    let text = error.to_string();
    match error {
        Error::Setting { .. } => Failure::usage(text),
        Error::Refused(refusal) => match refusal.remedy {
            Some(remedy) => Failure::failed(text).remedy(remedy),
            None => Failure::failed(text),
        },
        Error::Folder { source, .. } => Failure::failed(format!("{text}: {source}")),
        Error::Unreachable { .. } => Failure::failed(text).remedy(
            "is the platform running, and is --server its address? the same command goes on from here",
        ),
        Error::Malformed { .. }
        | Error::Statement(_)
        | Error::Certificate(_)
        | Error::Damaged { .. }
        | Error::Ended { .. }
        | Error::StillWaiting { .. }
        | Error::NoAnswer(_)
        | Error::FaultAccepted { .. }
        | Error::Keys(_)
        | Error::PowerCut(_) => Failure::failed(text),
    }
}

/// A position in degrees, as people write one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Degrees {
    latitude_e6: i64,
    longitude_e6: i64,
}

impl Degrees {
    fn position(self) -> Position {
        Position {
            latitude_e6: self.latitude_e6,
            longitude_e6: self.longitude_e6,
            accuracy_m: 20,
            source: PositionSource::Fixed,
        }
    }
}

impl FromStr for Degrees {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text}: expected latitude,longitude with at most 6 decimals");
        let (latitude, longitude) = text.split_once(',').ok_or_else(wrong)?;
        let latitude_e6 = millionths(latitude).filter(|value| value.abs() <= 90_000_000).ok_or_else(wrong)?;
        let longitude_e6 =
            millionths(longitude).filter(|value| value.abs() <= 180_000_000).ok_or_else(wrong)?;
        Ok(Self { latitude_e6, longitude_e6 })
    }
}

/// Reads decimal degrees without going through a float.
fn millionths(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 3 || part.len() > 6 || !plain(whole) || !plain(part) {
        return None;
    }
    let part = format!("{part:0<6}");
    Some(sign * (whole.parse::<i64>().ok()? * 1_000_000 + part.parse::<i64>().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_is_looked_at_before_the_folder_keeps_it() {
        assert_eq!(serial(" 99990004star00000001").unwrap(), "99990004STAR00000001");
        for text in ["STAR777", "", "99990004", "99990099STAR00000001"] {
            let refused = serial(text).unwrap_err();
            assert!(refused.code() == Failure::USAGE, "{text}");
            assert!(refused.to_string().contains("→ write 9 to 50"), "{refused}");
        }
    }

    #[test]
    fn positions_are_read_exactly() {
        for (text, latitude_e6, longitude_e6) in [
            ("22.543096,114.057865", 22_543_096, 114_057_865),
            ("-0.5, -180", -500_000, -180_000_000),
            ("90,0.000001", 90_000_000, 1),
        ] {
            assert_eq!(text.parse(), Ok(Degrees { latitude_e6, longitude_e6 }));
        }
        for text in ["", "1", "91,0", "0,181", "1.2345678,0", "a,b", "1.-2,0", "--1,0"] {
            assert!(text.parse::<Degrees>().is_err(), "{text} was accepted");
        }
    }
}
