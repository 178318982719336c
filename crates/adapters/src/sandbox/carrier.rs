//! 承运商: by the end of the address.

use super::memory::{Facts, number_from};
use super::table::{Reads, Table, row};
use super::{Fault, World, forgetful, sandbox};
use secrecy::ExposeSecret as _;
use starpay_app::port::{
    AdapterName, Answer, Carrier, ParcelRequest, PortError, TrackingEvent, TrackingStatus,
};
use starpay_domain::instant::Timestamp;

/// What the carrier does with a parcel.
#[derive(Debug, Clone, Copy)]
pub(super) enum Carriage {
    /// Takes it; this is how it ends.
    Ends(TrackingStatus),
    /// No answer to the order.
    Fails(Fault),
}

impl Carriage {
    pub(super) const fn meaning(self) -> &'static str {
        match self {
            Self::Ends(TrackingStatus::Delivered) => "in transit at once, then delivered",
            Self::Ends(TrackingStatus::Undeliverable) => "in transit at once, then undeliverable",
            Self::Ends(TrackingStatus::Lost) => "in transit at once, then lost",
            Self::Ends(TrackingStatus::InTransit) => "in transit for ever",
            Self::Fails(fault) => fault.meaning(),
        }
    }
}

pub(super) const OUTCOMES: Table<Carriage> = Table {
    port: "Carrier 承运商 (`sandbox-carrier`)",
    input: "`address`",
    reads: Reads::Ending,
    delay: "from the order to the last tracking entry",
    rows: &[
        row("无法投递", Carriage::Ends(TrackingStatus::Undeliverable), 1000),
        row("丢件", Carriage::Ends(TrackingStatus::Lost), 1000),
        row("慢件", Carriage::Ends(TrackingStatus::Delivered), 30_000),
        row("在途", Carriage::Ends(TrackingStatus::InTransit), 0),
        row("下单断线", Carriage::Fails(Fault::Closed), 0),
        row("下单超时", Carriage::Fails(Fault::AnswerLost), 0),
    ],
    otherwise: row("", Carriage::Ends(TrackingStatus::Delivered), 1000),
};

const NAME: AdapterName = sandbox("sandbox-carrier");

/// The simulated carrier.
#[derive(Clone)]
pub struct SandboxCarrier(World);

impl SandboxCarrier {
    /// In that world.
    #[must_use]
    pub const fn new(world: World) -> Self {
        Self(world)
    }

    /// Whether this order is the first under its number.
    fn order_once(&self, tracking_no: &str, trigger: &str) -> Result<FirstOrder, PortError> {
        let facts = Facts::from([
            ("trigger".to_owned(), trigger.to_owned()),
            ("ordered_at".to_owned(), self.0.clock.now().micros().to_string()),
        ]);
        let remembered =
            self.0.memory.remember("parcel", tracking_no, &facts).map_err(forgetful(NAME.name))?;
        Ok(match remembered {
            super::memory::Remembered::New => FirstOrder::Yes,
            super::memory::Remembered::Before(_) => FirstOrder::No,
        })
    }
}

enum FirstOrder {
    Yes,
    No,
}

impl Carrier for SandboxCarrier {
    fn adapter(&self) -> AdapterName {
        NAME
    }

    fn carrier(&self) -> &'static str {
        "sandbox"
    }

    fn order(&self, parcel: ParcelRequest) -> Answer<'_, String> {
        Box::pin(async move {
            let row = OUTCOMES.decide(parcel.address.expose_secret());
            let tracking_no = format!("SANDBOX{:012}", number_from(&parcel.reference, 1_000_000_000_000));
            match row.behaviour {
                Carriage::Fails(fault) if !fault.is_done() => Err(fault.error(NAME.name)),
                Carriage::Fails(fault) => match self.order_once(&tracking_no, row.trigger)? {
                    FirstOrder::Yes => Err(fault.error(NAME.name)),
                    FirstOrder::No => Ok(tracking_no),
                },
                Carriage::Ends(_) => self.order_once(&tracking_no, row.trigger).map(|_| tracking_no),
            }
        })
    }

    fn track(&self, tracking_no: String) -> Answer<'_, Vec<TrackingEvent>> {
        Box::pin(async move {
            let facts = self.0.memory.recall("parcel", &tracking_no).map_err(forgetful(NAME.name))?;
            let Some(facts) = facts else { return Ok(Vec::new()) };
            let ordered_at = facts.get("ordered_at").and_then(|micros| micros.parse().ok()).unwrap_or(0);
            let row = OUTCOMES.recall(facts.get("trigger").map_or("", String::as_str));
            let (end, delay_ms) = match row.behaviour {
                Carriage::Ends(end) => (end, row.delay_ms),
                Carriage::Fails(_) => (TrackingStatus::Delivered, OUTCOMES.otherwise.delay_ms),
            };
            let ends_at = ordered_at + i64::from(self.0.delay_ms(delay_ms)) * 1000;
            let entry = |status, micros| TrackingEvent { status, at: Timestamp::from_micros(micros) };
            let mut entries = vec![entry(TrackingStatus::InTransit, ordered_at)];
            if end != TrackingStatus::InTransit && self.0.clock.now().micros() >= ends_at {
                entries.push(entry(end, ends_at));
            }
            Ok(entries)
        })
    }
}
