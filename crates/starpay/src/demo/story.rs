//! The first story: a sole proprietor (个体工商户) from first contact to 已激活.
//!
//! Every party acts over HTTP with a credential of its own. Nothing is remembered between steps
//! but what the platform answered, and every request carries an idempotency key made from the
//! story and the step: a journey killed anywhere and started again repeats its requests, gets
//! its first answers, and goes on where it stopped.

use super::identity::Identity;
use super::journey::DemoJourney;
use super::outbox::Outbox;
use super::party::{Party, number, rows, text};
use super::report::{Reached, Report};
use super::virtual_terminal::VirtualTerminal;
use super::wallet::Wallet;
use crate::Failure;
use serde_json::{Value, json};
use starpay_app::port::Clock;

/// Who brings the parcel.
pub(crate) const CARRIER: &str = "sandbox";
/// The visit's slot begins when it is booked, because the visitor comes at once, and is so long.
const SLOT_SECONDS: i64 = 2 * 3600;

/// The cast.
pub(crate) struct Cast {
    pub(crate) stranger: Party,
    pub(crate) field_verifier: Party,
    pub(crate) reviewer: Party,
    /// Each channel's registry.
    pub(crate) registries: Vec<(String, Party)>,
    pub(crate) warehouse: Party,
    pub(crate) courier: Party,
    pub(crate) outbox: Outbox,
}

/// A journey under way.
pub(crate) struct Story<'a> {
    pub(crate) cast: &'a Cast,
    pub(crate) identity: &'a Identity,
    pub(crate) report: &'a mut Report,
    /// The clock everybody goes by.
    pub(crate) clock: &'a dyn Clock,
    /// What the owner's phone keeps.
    pub(crate) wallet: &'a Wallet,
    /// What the first page shows.
    pub(crate) journey: &'a DemoJourney,
}

impl Story<'_> {
    /// Plays the whole journey; at its end the terminal is active.
    pub(crate) fn play(&mut self, terminal: &VirtualTerminal) -> Result<(), Failure> {
        let applicant = self.first_contact()?;
        let application = self.apply(&applicant)?;
        self.verify_on_site(&applicant, &application)?;
        self.review(&application)?;
        self.sign(&applicant, &application)?;
        self.register(&applicant, &application)?;
        self.ship(&applicant, &application)?;
        self.activate(&applicant, terminal)
    }

    fn first_contact(&mut self) -> Result<Party, Failure> {
        let (cast, identity, journey) = (self.cast, self.identity, self.journey);
        if let Some((token, merchant)) = self.wallet.read() {
            // The owner's phone is still signed in: no second code is asked for.
            journey.follow(&merchant);
            return self.report.step("sign_in", "applicant", || {
                let party = cast.stranger.with_token("applicant", &token);
                party.get("/api/v1/me")?;
                Ok((party, "signed_in".to_owned()))
            });
        }
        let wallet = self.wallet;
        let contact = self.report.step("first_contact", "applicant", || {
            let body = json!({"mobile": identity.mobile, "email": identity.email});
            let answer = cast.stranger.post("contact", "/api/v1/contacts", &body)?;
            Ok((text(&answer, "contact_id")?.to_owned(), "code_sent".to_owned()))
        })?;
        self.report.step("sign_in", "applicant", || {
            let code = cast.outbox.newest_code(identity.mobile, "one_time_code")?;
            let path = format!("/api/v1/contacts/{contact}/verify");
            let answer = cast.stranger.post("verify", &path, &json!({"code": code}))?;
            journey.follow(text(&answer, "merchant_id")?);
            wallet.keep(text(&answer, "token")?, text(&answer, "merchant_id")?)?;
            let party = cast.stranger.with_token("applicant", text(&answer, "token")?);
            Ok((party, "signed_in".to_owned()))
        })
    }

    fn apply(&mut self, applicant: &Party) -> Result<String, Failure> {
        let identity = self.identity;
        let application = self.report.step("start_application", "applicant", || {
            let body = json!({"subject_type": "sole_proprietor", "business_no": "DEMO-0001"});
            let answer = applicant.post("application", "/api/v1/applications", &body)?;
            Ok((text(&answer, "id")?.to_owned(), text(&answer, "state")?.to_owned()))
        })?;
        let path = format!("/api/v1/applications/{application}");
        // A restarted journey finds the form closed already: what was handed in stays as it was.
        let open = |applicant: &Party| -> Result<(Value, bool), Failure> {
            let seen = applicant.get(&path)?;
            let draft = text(&seen, "state")? == "draft";
            Ok((seen, draft))
        };
        self.report.step("fill_form", "applicant", || {
            let (seen, draft) = open(applicant)?;
            if draft {
                let fields: serde_json::Map<String, Value> =
                    identity.fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
                applicant.patch(&path, number(&seen, "version")?, &json!({"fields": fields}))?;
            }
            let remark = format!("{} fields", identity.fields.len());
            Ok(((), Reached::state(state_of(&open(applicant)?.0)).remarking(remark)))
        })?;
        self.report.step("upload_documents", "applicant", || {
            for (kind, media_type, bytes) in identity.documents {
                let upload = format!("{path}/documents?kind={kind}");
                applicant.upload(&format!("document.{kind}"), &upload, media_type, bytes)?;
            }
            let remark = format!("{} documents", identity.documents.len());
            Ok(((), Reached::state(state_of(&open(applicant)?.0)).remarking(remark)))
        })?;
        self.report.step("submit", "applicant", || {
            let answer = applicant.post("submit", &format!("{path}/submit"), &json!({}))?;
            Ok(((), text(&answer, "state")?.to_owned()))
        })?;
        self.report.step("automatic_checks", "platform", || {
            let seen = applicant.wait(&path, |seen| !matches!(state_of(seen), "submitted" | "checking"))?;
            Ok(((), state_of(&seen).to_owned()))
        })?;
        Ok(application)
    }

    fn verify_on_site(&mut self, applicant: &Party, application: &str) -> Result<(), Failure> {
        let (cast, clock) = (self.cast, self.clock);
        let visits = format!("/api/v1/visits?application_id={application}");
        let visit = self.report.step("book_visit", "applicant", || {
            let seen = applicant.wait(&visits, |seen| !rows(seen).is_empty())?;
            let offered = first(&seen)?;
            let id = text(offered, "id")?.to_owned();
            if state_of(offered) != "offered" {
                return Ok((id, state_of(offered).to_owned()));
            }
            let now = clock.now();
            let body = json!({"from": now.to_string(), "until": now.plus_seconds(SLOT_SECONDS).to_string()});
            let answer = applicant.post("visit.book", &format!("/api/v1/visits/{id}/book"), &body)?;
            Ok((id, text(&answer, "state")?.to_owned()))
        })?;
        self.report.step("visit_shop", "field_verifier", || {
            let path = format!("/api/v1/visits/{visit}");
            cast.field_verifier.post("visit.start", &format!("{path}/start"), &json!({}))?;
            let body = json!({"result": "pass", "latitude_e6": 22_543_120, "longitude_e6": 114_057_900,
                              "risk_notice_confirmed": true});
            let answer = cast.field_verifier.post("visit.finish", &format!("{path}/finish"), &body)?;
            Ok(((), text(&answer, "state")?.to_owned()))
        })
    }

    fn review(&mut self, application: &str) -> Result<(), Failure> {
        let reviewer = &self.cast.reviewer;
        let path = format!("/api/v1/applications/{application}");
        self.report.step("claim_review", "reviewer", || {
            let answer = reviewer.post("claim", &format!("{path}/claim"), &json!({}))?;
            Ok(((), text(&answer, "state")?.to_owned()))
        })?;
        self.report.step("approve", "reviewer", || {
            let answer = reviewer.post("approve", &format!("{path}/approve"), &json!({}))?;
            Ok(((), text(&answer, "state")?.to_owned()))
        })
    }

    fn sign(&mut self, applicant: &Party, application: &str) -> Result<(), Failure> {
        let (cast, identity) = (self.cast, self.identity);
        let path = format!("/api/v1/applications/{application}");
        self.report.step("sign_agreement", "legal_representative", || {
            let seen = applicant.wait(&path, |seen| !matches!(state_of(seen), "in_review" | "approved"))?;
            if state_of(&seen) != "to_be_signed" {
                return Ok(((), state_of(&seen).to_owned()));
            }
            let link = cast.outbox.newest_code(identity.mobile, "sign_link")?;
            let signer = cast.stranger.with_token("legal_representative", &link);
            let offered = signer.get("/api/v1/agreements/current")?;
            let agreement = text(&offered, "id")?;
            signer.post("sign.code", &format!("/api/v1/agreements/{agreement}/sign-code"), &json!({}))?;
            let code = cast.outbox.newest_code(identity.mobile, "sign_code")?;
            let body = json!({"code": code, "sha256": text(&offered, "sha256")?});
            let answer = signer.post("sign", &format!("/api/v1/agreements/{agreement}/sign"), &body)?;
            Ok(((), text(&answer, "state")?.to_owned()))
        })
    }

    fn register(&mut self, applicant: &Party, application: &str) -> Result<(), Failure> {
        let registries = &self.cast.registries;
        let path = format!("/api/v1/registrations?application_id={application}");
        let seen = applicant.wait(&path, |seen| {
            !rows(seen).is_empty() && rows(seen).iter().all(|row| state_of(row) != "pending")
        })?;
        let mut channels: Vec<&Value> = rows(&seen).iter().collect();
        channels.sort_by_key(|row| row.get("channel").and_then(Value::as_str));
        for (index, row) in channels.into_iter().enumerate() {
            let (id, channel) = (text(row, "id")?.to_owned(), text(row, "channel")?.to_owned());
            let (_, registry) = registries
                .iter()
                .find(|(name, _)| *name == channel)
                .ok_or_else(|| Failure::failed(format!("nobody plays the registry of {channel}")))?;
            self.report.step(&format!("register_{channel}"), "registry", || {
                let body = json!({"result": "registered", "network_ref": format!("REG-{channel}-1"),
                                  "merchant_no": "999584058120001", "terminal_no": format!("A000000{}", index + 1)});
                let key = format!("register.{channel}");
                let answer = registry.post(&key, &format!("/api/v1/registrations/{id}/answer"), &body);
                // The platform asks by itself when the registry is slow: then its answer stands.
                let seen = || applicant.get(&path);
                Ok(((), reached(answer, seen, |seen| row_of(seen, &id), &["registered"])?))
            })?;
        }
        self.report.step("merchant_ready", "platform", || {
            let path = format!("/api/v1/applications/{application}");
            let seen = applicant.wait(&path, |seen| state_of(seen) == "ready")?;
            Ok(((), state_of(&seen).to_owned()))
        })
    }

    fn ship(&mut self, applicant: &Party, application: &str) -> Result<(), Failure> {
        let (cast, identity) = (self.cast, self.identity);
        let shipments = format!("/api/v1/shipments?application_id={application}");
        let shipment = self.report.step("confirm_address", "applicant", || {
            let seen = applicant.wait(&shipments, |seen| !rows(seen).is_empty())?;
            let id = text(first(&seen)?, "id")?.to_owned();
            let path = format!("/api/v1/shipments/{id}/confirm-address");
            let answer = applicant.post("address", &path, &json!({}))?;
            Ok((id, text(&answer, "state")?.to_owned()))
        })?;
        let path = format!("/api/v1/shipments/{shipment}");
        self.report.step("take_into_stock", "warehouse", || {
            let body = json!({"serial": identity.serial, "model": identity.model});
            let answer = cast.warehouse.post("stock", "/api/v1/devices", &body)?;
            Ok(((), text(&answer, "state")?.to_owned()))
        })?;
        self.report.step("pack", "warehouse", || {
            let body = json!({"serial": identity.serial, "seal": "SEAL-0001"});
            let answer = cast.warehouse.post("pack", &format!("{path}/pack"), &body)?;
            Ok(((), text(&answer, "state")?.to_owned()))
        })?;
        self.report.step("hand_over", "warehouse", || {
            // No number from a counter: the platform orders the pick-up itself.
            let body = json!({"carrier": CARRIER});
            let answer = cast.warehouse.post("hand-over", &format!("{path}/hand-over"), &body)?;
            Ok(((), text(&answer, "state")?.to_owned()))
        })?;
        self.report.step("deliver", "courier", || {
            let body = json!({"status": "delivered"});
            let answer = cast.courier.post("deliver", &format!("{path}/track"), &body);
            let seen = || applicant.get(&shipments);
            Ok(((), reached(answer, seen, |seen| row_of(seen, &shipment), &["delivered", "received"])?))
        })?;
        self.report.step("confirm_receipt", "applicant", || {
            let body = json!({"serial": identity.serial, "seal_intact": true});
            let answer = applicant.post("receive", &format!("{path}/receive"), &body)?;
            Ok(((), text(&answer, "state")?.to_owned()))
        })
    }

    fn activate(&mut self, applicant: &Party, terminal: &VirtualTerminal) -> Result<(), Failure> {
        let (cast, identity) = (self.cast, self.identity);
        let activation = self.report.step("ask_for_code", "applicant", || {
            let answer =
                applicant.post("activation", "/api/v1/activations", &json!({"serial": identity.serial}))?;
            Ok((text(&answer, "id")?.to_owned(), text(&answer, "state")?.to_owned()))
        })?;
        let code = cast.outbox.newest_code(identity.mobile, "activation_code")?;
        terminal.run(&code, identity.pin, self.report)?;
        self.report.step("active", "platform", || {
            let path = format!("/api/v1/activations/{activation}");
            let seen = applicant.wait(&path, |seen| state_of(seen) == "active")?;
            let device = applicant.get(&format!("/api/v1/devices/{}", text(&seen, "device_id")?))?;
            let status = text(&device, "status_text")?;
            if status != "已激活" {
                return Err(Failure::failed(format!("the device reads {status}, not 已激活")));
            }
            Ok(((), Reached::state(state_of(&seen)).remarking(status.to_owned())))
        })
    }
}

/// The state an answer led to; when it was refused because the platform was there before, the
/// state it found.
fn reached(
    answer: Result<Value, Failure>,
    look: impl Fn() -> Result<Value, Failure>,
    row: impl Fn(&Value) -> String,
    wanted: &[&str],
) -> Result<String, Failure> {
    let refusal = match answer {
        Ok(answer) => return Ok(text(&answer, "state")?.to_owned()),
        Err(refusal) => refusal,
    };
    let state = row(&look()?);
    if wanted.contains(&state.as_str()) { Ok(state) } else { Err(refusal) }
}

fn row_of(seen: &Value, id: &str) -> String {
    let row = rows(seen).iter().find(|row| row.get("id").and_then(Value::as_str) == Some(id));
    row.map(state_of).unwrap_or_default().to_owned()
}

fn state_of(seen: &Value) -> &str {
    seen.get("state").and_then(Value::as_str).unwrap_or_default()
}

fn first(seen: &Value) -> Result<&Value, Failure> {
    rows(seen).first().ok_or_else(|| Failure::failed(format!("the list is empty: {seen}")))
}
