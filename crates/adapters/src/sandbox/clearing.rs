//! 清算机构报送/入网: by the end of the merchant's name.

use super::memory::{Facts, Remembered, digest, number_from};
use super::table::{Reads, Table, row};
use super::{Fault, World, forgetful, sandbox};
use secrecy::ExposeSecret as _;
use starpay_app::port::{
    AdapterName, Answer, ClearingRegistry, FiveElements, PortError, RegistrationAnswer, RegistrationRequest,
};
use starpay_domain::field::FormField;

/// What the registry does with a registration.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reporting {
    /// Registers it.
    Registers,
    /// Refuses it, pointing to a field.
    Refuses(FormField, &'static str),
    /// No answer to the submission.
    Fails(Fault),
}

impl Reporting {
    pub(super) fn meaning(self) -> String {
        match self {
            Self::Registers => "pending at once, then registered".to_owned(),
            Self::Refuses(field, reason) => {
                format!("pending at once, then refused, field `{}`: {reason}", field.as_str())
            }
            Self::Fails(fault) => fault.meaning().to_owned(),
        }
    }
}

pub(super) const OUTCOMES: Table<Reporting> = Table {
    port: "Clearing registry 报送/入网 (`sandbox-clearing`)",
    input: "`merchant_name`",
    reads: Reads::Ending,
    delay: "from the submission until a query answers the end",
    rows: &[
        row("拒类别", Reporting::Refuses(FormField::ShopMcc, "商户类别与经营范围不符"), 1000),
        row("拒账户", Reporting::Refuses(FormField::SettlementCardNumber, "结算账户状态异常"), 1000),
        row("拒位置", Reporting::Refuses(FormField::ShopAddress, "布放位置与登记地址不符"), 1000),
        row("慢报送", Reporting::Registers, 30_000),
        row("报送断线", Reporting::Fails(Fault::Closed), 0),
        row("报送超时", Reporting::Fails(Fault::AnswerLost), 1000),
        row("报送未达", Reporting::Fails(Fault::RequestLost), 0),
    ],
    otherwise: row("", Reporting::Registers, 1000),
};

const NAME: AdapterName = sandbox("sandbox-clearing");

/// Registrations per area and category, and terminals in all, that the sandbox can number.
const MERCHANT_NUMBERS: u64 = 10_000;
const TERMINAL_NUMBERS: u64 = 10_000_000;

/// 地区代码 by the first digits of the subject's number; the last entry answers everything else.
const AREAS: &[(&str, &str)] = &[("11", "1000"), ("31", "2900"), ("4403", "5840"), ("", "0000")];

/// The simulated registry.
#[derive(Clone)]
pub struct SandboxClearing(World);

impl SandboxClearing {
    /// In that world.
    #[must_use]
    pub const fn new(world: World) -> Self {
        Self(world)
    }

    /// Registers the reference, once, with the numbers it will bear.
    fn record(&self, request: &RegistrationRequest, trigger: &str) -> Result<Facts, PortError> {
        let forgetful = forgetful(NAME.name);
        if let Some(before) = self.0.memory.recall("registration", &request.reference).map_err(&forgetful)? {
            return Ok(before);
        }
        let mut facts = Facts::from([
            ("trigger".to_owned(), trigger.to_owned()),
            ("submitted_at".to_owned(), self.0.clock.now().micros().to_string()),
            ("network_ref".to_owned(), format!("{}-{}", NAME.name, digest(&request.reference))),
        ]);
        if let Some(reason) = missing_element(request) {
            facts.insert("refused_field".to_owned(), reason.0.as_str().to_owned());
            facts.insert("refused_reason".to_owned(), reason.1.to_owned());
        } else {
            let merchant_no = match &request.elements.merchant_no {
                Some(number) => number.clone(),
                None => self.merchant_no(request)?,
            };
            facts.insert("merchant_no".to_owned(), merchant_no);
            facts.insert("terminal_no".to_owned(), self.terminal_no(request)?);
        }
        match self.0.memory.remember("registration", &request.reference, &facts).map_err(&forgetful)? {
            Remembered::New => Ok(facts),
            Remembered::Before(before) => Ok(before),
        }
    }

    /// 商户编号: institution 3, area 4, category 4, sequence 4.
    fn merchant_no(&self, request: &RegistrationRequest) -> Result<String, PortError> {
        let institution = request.elements.acquirer_code.get(..3).unwrap_or("999");
        let head = format!("{institution}{}{}", area(&request.elements), request.mcc);
        self.claim("merchant-number", MERCHANT_NUMBERS, &request.reference, |number| {
            format!("{head}{number:04}")
        })
    }

    /// 终端号: eight characters, unique with this registry.
    fn terminal_no(&self, request: &RegistrationRequest) -> Result<String, PortError> {
        self.claim("terminal-number", TERMINAL_NUMBERS, &request.reference, |number| format!("S{number:07}"))
    }

    /// The first free number from where the reference points; the same reference gets the same
    /// one again when it was cut off after claiming.
    fn claim(
        &self,
        kind: &str,
        limit: u64,
        reference: &str,
        write: impl Fn(u64) -> String,
    ) -> Result<String, PortError> {
        let owner = Facts::from([("owner".to_owned(), digest(reference))]);
        let first = number_from(reference, limit);
        for step in 0..limit {
            let number = write((first + step) % limit);
            match self.0.memory.remember(kind, &number, &owner).map_err(forgetful(NAME.name))? {
                Remembered::New => return Ok(number),
                Remembered::Before(before) if before == owner => return Ok(number),
                Remembered::Before(_) => {}
            }
        }
        Err(PortError::Refused { adapter: NAME.name, why: format!("every {kind} is taken") })
    }

    /// What the registry says of a remembered registration now.
    fn state(&self, facts: &Facts) -> RegistrationAnswer {
        let fact = |name: &str| facts.get(name).cloned().unwrap_or_default();
        let network_ref = fact("network_ref");
        if let (Some(field), Some(reason)) = (facts.get("refused_field"), facts.get("refused_reason")) {
            return RegistrationAnswer::Refused { network_ref, field: field.clone(), reason: reason.clone() };
        }
        let row = OUTCOMES.recall(&fact("trigger"));
        let submitted_at: i64 = fact("submitted_at").parse().unwrap_or(0);
        let ends_at = submitted_at + i64::from(self.0.delay_ms(row.delay_ms)) * 1000;
        if self.0.clock.now().micros() < ends_at {
            return RegistrationAnswer::Pending { network_ref };
        }
        match row.behaviour {
            Reporting::Refuses(field, reason) => RegistrationAnswer::Refused {
                network_ref,
                reason: reason.to_owned(),
                field: field.as_str().to_owned(),
            },
            Reporting::Registers | Reporting::Fails(_) => RegistrationAnswer::Registered {
                network_ref,
                merchant_no: fact("merchant_no"),
                terminal_no: fact("terminal_no"),
            },
        }
    }
}

fn area(elements: &FiveElements) -> &'static str {
    // In an 18-character licence number the region starts at the third character, in a person's
    // number at the first.
    let number = elements.subject_no.expose_secret();
    let region = if number.starts_with(['5', '9']) { number.get(2..).unwrap_or("") } else { number };
    AREAS.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("0000", |(_, area)| area)
}

/// 五要素: the first one that is missing or cannot be, with the field to correct.
fn missing_element(request: &RegistrationRequest) -> Option<(FormField, &'static str)> {
    let elements = &request.elements;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let account = elements.settlement_account.expose_secret();
    if elements.subject_no.expose_secret().is_empty() {
        Some((FormField::LicenceUscc, "缺少统一社会信用代码或负责人证件号"))
    } else if !digits(account) || !(9..=32).contains(&account.len()) {
        Some((FormField::SettlementCardNumber, "缺少收单结算账户"))
    } else if request.mcc.len() != 4 || !digits(&request.mcc) {
        Some((FormField::ShopMcc, "缺少商户类别码"))
    } else if !(3_000_000..=54_000_000).contains(&elements.latitude_e6)
        || !(73_000_000..=136_000_000).contains(&elements.longitude_e6)
    {
        Some((FormField::ShopAddress, "布放位置不在境内"))
    } else {
        None
    }
}

impl ClearingRegistry for SandboxClearing {
    fn adapter(&self) -> AdapterName {
        NAME
    }

    fn submit(&self, request: RegistrationRequest) -> Answer<'_, RegistrationAnswer> {
        Box::pin(async move {
            let row = OUTCOMES.decide(&request.merchant_name);
            match row.behaviour {
                Reporting::Fails(fault) if !fault.is_done() => Err(fault.error(NAME.name)),
                Reporting::Fails(fault) => {
                    let known = self.0.memory.recall("registration", &request.reference);
                    let facts = self.record(&request, row.trigger)?;
                    match known.map_err(forgetful(NAME.name))? {
                        Some(_) => Ok(self.state(&facts)),
                        None => Err(fault.error(NAME.name)),
                    }
                }
                Reporting::Registers | Reporting::Refuses(..) => {
                    self.record(&request, row.trigger).map(|facts| self.state(&facts))
                }
            }
        })
    }

    fn query(&self, reference: String) -> Answer<'_, Option<RegistrationAnswer>> {
        Box::pin(async move {
            let facts = self.0.memory.recall("registration", &reference).map_err(forgetful(NAME.name))?;
            Ok(facts.map(|facts| self.state(&facts)))
        })
    }
}
