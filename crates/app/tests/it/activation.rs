//! From the code to 已激活, and every way that does not lead there.

use crate::terminal::{PIN, STEPS, Terminal, compatible, location, network};
use crate::world::{MOBILE, SERIAL, World, page};
use starpay_app::view::{
    ActivationRequest, BackupAcknowledgement, CompatibilityReport, IdentityProof, KeyRequest, Receipt,
    SignIn, TrackReport,
};
use starpay_app::{Error, ErrorKind, Replayed, Role, ShownCertificate};
use starpay_domain::id::{DeviceId, ShipmentId, TypedId};
use starpay_keys::{OsRandom, random, wire};
use starpay_text::Language;

fn code_of<V: std::fmt::Debug>(answer: Result<V, Error>) -> (&'static str, Option<String>) {
    let error = answer.unwrap_err();
    (error.code, error.field)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_goes_from_its_code_to_active() {
    let world = World::delivered().await;
    let (id, code) = world.ask_for_code().await;
    let mut terminal = world.terminal();
    assert_eq!(terminal.claim(&code).await.unwrap(), Replayed::No);
    let device = DeviceId::parse(&terminal.claimed.as_ref().unwrap().status.device_id).unwrap();
    let staff = world.staff(Role::Support);
    assert_eq!(world.platform.device(&staff, device).await.unwrap().state, "activating");
    for (index, step) in STEPS.iter().enumerate() {
        let before = terminal.status().await.unwrap();
        assert_eq!(before.next_step.as_deref(), Some(*step));
        assert_eq!(before.status_text, "未激活");
        let after =
            terminal.step(step).await.unwrap_or_else(|error| panic!("{step}: {error} {:?}", error.detail));
        assert_eq!(after.completed.len(), index + 3 + usize::from(*step == "test"), "{step}");
    }
    let status = terminal.status().await.unwrap();
    assert_eq!((status.state.as_str(), status.status_text.as_str()), ("active", "已激活"));
    assert_eq!((status.next_step, status.expires_at), (None, None));
    assert_eq!(status.merchant_name, "星光小面馆");
    assert_eq!(status.completed.last().map(String::as_str), Some("active"));
    let lines = status.receipt.unwrap().lines;
    assert!(
        lines.iter().all(|line| line.chars().count() <= 40) && lines.iter().any(|line| line.contains(SERIAL))
    );
    let seen = world.platform.device(&staff, device).await.unwrap();
    assert_eq!((seen.state.as_str(), seen.status_text.as_str()), ("active", "已激活"));
    // By SMS and by e-mail, once each.
    assert_eq!(world.count("activated").await, 2);
    assert_eq!(world.platform.activation(&staff, id).await.unwrap().state, "active");
    assert_eq!(terminal.verify("01", PIN).await.unwrap().role, "manager");
    let merchant = world.owner().await.merchant.unwrap();
    let missing = world.platform.requirements(&staff, merchant, Language::ZhCn).await.unwrap();
    assert_eq!(missing.capabilities.get("activate").map(String::as_str), Some("valid"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_asked_twice_is_answered_alike_and_done_once() {
    let world = World::delivered().await;
    let (id, code) = world.ask_for_code().await;
    let mut terminal = world.terminal();
    terminal.claim(&code).await.unwrap();
    let first = terminal.claimed.clone().unwrap();
    let staff = world.staff(Role::Support);
    let version = async || world.platform.activation(&staff, id).await.unwrap().version;
    for step in STEPS {
        // The answer of the claim was lost again and again: nothing starts over.
        assert_eq!(terminal.claim(&code).await.unwrap(), Replayed::Yes);
        let again = terminal.claimed.clone().unwrap();
        assert_eq!((&again.challenge, &again.server_nonce), (&first.challenge, &first.server_nonce));
        assert_eq!(again.device_auth_id, first.device_auth_id);
        terminal.step(step).await.unwrap();
        let done = version().await;
        if step != "keys" {
            let repeated = terminal.step(step).await.unwrap();
            assert!(repeated.completed.len() >= 3, "{step}");
        } else {
            terminal.confirm(terminal.confirmation()).await.unwrap();
        }
        assert_eq!(version().await, done, "{step} was done twice");
    }
    let actor = terminal.actor().await;
    let found = world.platform.current_activation(&actor).await.unwrap();
    assert_eq!(found.activation_id, id.to_string());
    // By SMS and by e-mail, once each.
    assert_eq!(world.count("activated").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_out_of_order_say_what_is_in_order() {
    let world = World::delivered().await;
    let (_, code) = world.ask_for_code().await;
    let mut terminal = world.terminal();
    terminal.claim(&code).await.unwrap();
    let (actor, id) = (terminal.actor().await, terminal.id());
    let error = world.platform.report_network(&actor, id, network()).await.unwrap_err();
    assert_eq!((error.code, error.kind), ("illegal_transition", ErrorKind::Conflict));
    let legal = error.legal.unwrap();
    assert_eq!(legal.state, "claimed");
    // Not the merchant's `abort`, nor the platform's own `expire`.
    assert_eq!(legal.events, ["identity"]);
    assert_eq!(code_of(world.platform.backup_document(&actor, id).await).0, "illegal_transition");
    assert_eq!(code_of(world.platform.device_config(&actor, id).await).0, "illegal_transition");
    let asked = KeyRequest { device_nonce: wire::base64url(&[1; 16]) };
    assert_eq!(code_of(world.platform.request_keys(&actor, id, asked).await).0, "illegal_transition");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_request_is_worth_nothing() {
    let world = World::delivered().await;
    let (_, code) = world.ask_for_code().await;
    let mut terminal = world.terminal();
    let body = terminal.claim_body(&code);
    let request = terminal.signed("POST", "/terminal/v1/claims", &serde_json::to_vec(&body).unwrap());
    world.platform.claim(&request, body.clone()).await.unwrap();
    assert_eq!(code_of(world.platform.claim(&request, body.clone()).await).0, "nonce_replayed");
    terminal.claim(&code).await.unwrap();
    let get = terminal.signed("GET", "/terminal/v1/activations/current", b"");
    world.platform.authenticate_terminal(&get).await.unwrap();
    assert_eq!(code_of(world.platform.authenticate_terminal(&get).await).0, "nonce_replayed");
    let mut moved = terminal.signed("GET", "/terminal/v1/activations/current", b"");
    moved.path_and_query = "/terminal/v1/activations/other".to_owned();
    assert_eq!(code_of(world.platform.authenticate_terminal(&moved).await).0, "signature_invalid");
    let late = terminal.signed("GET", "/terminal/v1/activations/current", b"");
    world.wait_minutes(6);
    assert_eq!(code_of(world.platform.authenticate_terminal(&late).await).0, "clock_skew");
    // Another key's thumbprint over this key's body.
    let other = world.terminal();
    let mut borrowed = terminal.signed("POST", "/terminal/v1/claims", b"{}");
    borrowed.key = hex::encode(other.keys.sign_key().thumbprint());
    assert_eq!(code_of(world.platform.claim(&borrowed, body).await).0, "signature_invalid");
    let stranger = other.signed("GET", "/terminal/v1/activations/current", b"");
    assert_eq!(code_of(world.platform.authenticate_terminal(&stranger).await).0, "device_unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_the_terminal_is_refused() {
    let world = World::delivered().await;
    let (_, code) = world.ask_for_code().await;
    let mut terminal = world.terminal();
    terminal.claim(&code).await.unwrap();
    let mut copy = world.terminal();
    let error = copy.claim(&code).await.unwrap_err();
    assert_eq!((error.code, error.kind), ("device_auth_rejected", ErrorKind::Forbidden));
    // The same sign key with another envelope key is a mixture of two devices.
    let mut body = terminal.claim_body(&code);
    body.envelope_key = wire::base64url(&copy.keys.envelope_key().to_bytes());
    let request = terminal.signed("POST", "/terminal/v1/claims", &serde_json::to_vec(&body).unwrap());
    assert_eq!(code_of(world.platform.claim(&request, body).await).0, "device_auth_rejected");
    terminal.until("sign-in").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_keys_under_a_new_code_replace_the_old_ones() {
    let world = World::delivered().await;
    let (first, code) = world.ask_for_code().await;
    let mut old = world.terminal();
    old.claim(&code).await.unwrap();
    old.until("keys").await;
    let owner = world.owner().await;
    world.platform.abort_activation(&owner, None, first).await.unwrap();
    assert_eq!(old.status().await.unwrap().state, "aborted");
    let (second, code) = world.ask_for_code().await;
    assert_ne!(first, second);
    let mut new = world.terminal();
    new.claim(&code).await.unwrap();
    let foreign = world.platform.terminal_status(&old.actor().await, second).await;
    assert_eq!(code_of(foreign).0, "not_found");
    new.step("identity").await.unwrap();
    let request = old.signed("GET", "/terminal/v1/activations/current", b"");
    let error = world.platform.authenticate_terminal(&request).await.unwrap_err();
    assert_eq!((error.code, error.kind), ("device_auth_rejected", ErrorKind::Forbidden));
    for step in STEPS.iter().skip(1) {
        new.step(step).await.unwrap();
    }
    assert_eq!(new.status().await.unwrap().state, "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_speaks_only_for_the_keys_its_certificate_was_issued_to() {
    let world = World::delivered().await;
    let (_, code) = world.ask_for_code().await;
    let mut terminal = world.terminal();
    terminal.claim(&code).await.unwrap();
    let said = async |terminal: &Terminal<'_>, certificate: &str| {
        let mut request = terminal.signed("GET", "/terminal/v1/activations/current", b"");
        request.certificate =
            Some(ShownCertificate { serial: certificate.to_owned(), not_after_s: i64::MAX });
        world.platform.authenticate_terminal(&request).await
    };
    terminal.until("keys").await;
    let nonce: [u8; 16] = random::array(&OsRandom);
    terminal.load(nonce).await.unwrap();
    let issued = terminal.installed.as_ref().unwrap().certificate().serial();
    // Issued, but its installation is not confirmed: it vouches for nobody yet.
    let early = said(&terminal, &issued).await.unwrap_err();
    assert_eq!((early.code, early.kind), ("device_certificate_mismatch", ErrorKind::Forbidden));
    terminal.confirm(terminal.confirmation()).await.unwrap();
    said(&terminal, &issued).await.unwrap();
    assert_eq!(code_of(said(&terminal, &"7f".repeat(16)).await).0, "device_certificate_mismatch");
    // Revocation is by state: keys that were replaced are refused with their own good certificate.
    let (owner, id) = (world.owner().await, terminal.id());
    world.platform.abort_activation(&owner, None, id).await.unwrap();
    let (_, code) = world.ask_for_code().await;
    let mut new = world.terminal();
    new.claim(&code).await.unwrap();
    new.step("identity").await.unwrap();
    assert_eq!(code_of(said(&terminal, &issued).await).0, "device_auth_rejected");
    assert_eq!(code_of(said(&new, &issued).await).0, "device_certificate_mismatch");
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_and_sessions_end() {
    let world = World::delivered().await;
    let (id, code) = world.ask_for_code().await;
    world.wait_minutes(72 * 60);
    let mut terminal = world.terminal();
    assert_eq!(code_of(terminal.claim(&code).await), ("activation_code_expired", Some("code".to_owned())));
    let owner = world.owner().await;
    assert_eq!(world.platform.activation(&owner, id).await.unwrap().state, "expired");
    world.platform.reissue_activation(&owner, None, id).await.unwrap();
    // The old code is nobody's any more.
    assert_eq!(code_of(terminal.claim(&code).await).0, "activation_code_invalid");
    let fresh = world.newest_code("activation_code").await;
    terminal.claim(&fresh).await.unwrap();
    terminal.until("location").await;
    world.wait_minutes(7 * 24 * 60);
    assert_eq!(code_of(terminal.step("location").await).0, "illegal_transition");
    let status = terminal.status().await.unwrap();
    assert_eq!((status.state.as_str(), status.next_step), ("expired", None));
    let staff = world.staff(Role::Support);
    let device = DeviceId::parse(&status.device_id).unwrap();
    assert_eq!(world.platform.device(&staff, device).await.unwrap().state, "delivered");
    world.platform.reissue_activation(&world.owner().await, None, id).await.unwrap();
    // The same keys come back under a new code and go through.
    let fresh = world.newest_code("activation_code").await;
    assert_eq!(terminal.claim(&fresh).await.unwrap(), Replayed::No);
    terminal.until("none").await;
    assert_eq!(terminal.status().await.unwrap().status_text, "已激活");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_learns_nothing_and_is_paused() {
    let world = World::delivered().await;
    let (_, code) = world.ask_for_code().await;
    let mut terminal = world.terminal();
    let unknown = starpay_domain::identifier::ActivationCode::from_random([7; 9]).expose_grouped();
    for slip in ["", "不是代码", "00000-0000"] {
        let error = terminal.claim(slip).await.unwrap_err();
        assert_eq!((error.code, error.tries_left), ("activation_code_format", None), "{slip}");
    }
    let other = starpay_domain::identifier::ActivationCode::from_random([8; 9]).expose_grouped();
    let guesses = [&unknown, "00000-00000", &other, "ZZZZZ-ZZZZZ", &unknown];
    for (left, wrong) in (0..5).rev().zip(guesses) {
        let error = terminal.claim(wrong).await.unwrap_err();
        assert_eq!(
            (error.code, error.field.as_deref()),
            ("activation_code_invalid", Some("code")),
            "{wrong}"
        );
        assert_eq!(error.tries_left, Some(left));
    }
    let error = terminal.claim(&code).await.unwrap_err();
    assert_eq!((error.code, error.kind), ("activation_code_locked", ErrorKind::Locked));
    assert_eq!(error.retry_after_seconds, Some(600));
    // The right code for another serial is as wrong as any.
    let mut other = world.terminal();
    other.serial = "99990004STAR00000002".to_owned();
    assert_eq!(code_of(other.claim(&code).await), ("activation_code_invalid", Some("code".to_owned())));
    world.wait_minutes(10);
    assert_eq!(terminal.claim(&code).await.unwrap(), Replayed::No);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_cannot_try_many_serials() {
    let world = World::delivered().await;
    for number in 0..30 {
        let mut terminal = world.terminal();
        terminal.serial = format!("99990004STAR000001{number:02}");
        assert_eq!(code_of(terminal.claim("00000-00000").await).0, "activation_code_invalid");
    }
    let (_, code) = world.ask_for_code().await;
    let error = world.terminal().claim(&code).await.unwrap_err();
    assert_eq!((error.code, error.kind), ("rate_limited", ErrorKind::RateLimited));
    assert_eq!(error.retry_after_seconds, Some(300));
    world.wait_minutes(5);
    world.terminal().claim(&code).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_identity_is_proved_with_this_claims_answers() {
    let world = World::delivered().await;
    let (_, code) = world.ask_for_code().await;
    let mut terminal = world.terminal();
    terminal.claim(&code).await.unwrap();
    let (actor, id, good) = (terminal.actor().await, terminal.id(), terminal.identity());
    let other = world.terminal();
    let csr = other.keys.certificate_request(SERIAL).unwrap();
    let mut broken = csr.clone();
    *broken.last_mut().unwrap() ^= 1;
    let cases = [
        (IdentityProof { challenge: wire::base64url(&[0; 32]), ..good.clone() }, "challenge_mismatch"),
        (IdentityProof { server_nonce: wire::base64url(&[0; 16]), ..good.clone() }, "challenge_mismatch"),
        (IdentityProof { device_nonce: wire::base64url(&[0; 16]), ..good.clone() }, "challenge_mismatch"),
        (IdentityProof { csr: wire::base64url(&csr), ..good.clone() }, "identity_invalid"),
        (IdentityProof { csr: wire::base64url(&broken), ..good.clone() }, "csr_invalid"),
    ];
    for (proof, code) in cases {
        assert_eq!(code_of(world.platform.prove_identity(&actor, id, proof).await).0, code);
    }
    world.platform.prove_identity(&actor, id, good).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_does_not_fit_or_stands_elsewhere_does_not_go_on() {
    let world = World::delivered().await;
    let (_, code) = world.ask_for_code().await;
    let mut terminal = world.terminal();
    terminal.claim(&code).await.unwrap();
    terminal.step("identity").await.unwrap();
    let (actor, id, platform) = (terminal.actor().await, terminal.id(), &world.platform);
    let old = CompatibilityReport { firmware: "0.9.9".to_owned(), ..compatible() };
    let error = platform.report_compatibility(&actor, id, old).await.unwrap_err();
    assert_eq!((error.code, error.kind), ("device_incompatible", ErrorKind::Unprocessable));
    assert_eq!(error.field.as_deref(), Some("firmware"));
    terminal.step("compatibility").await.unwrap();
    let mut report = network();
    report.legs[4].ok = false;
    let refused = platform.report_network(&actor, id, report).await;
    assert_eq!(code_of(refused), ("network_leg_failed", Some("clock".to_owned())));
    terminal.step("network").await.unwrap();
    // 0.01° of latitude is 1.1 km.
    let far = platform.report_location(&actor, id, location(22_553_096, "gnss")).await;
    assert_eq!(code_of(far).0, "location_too_far");
    // A poor fix adds at most 200 m to the 500.
    let mut poor = location(22_543_096 + 7_000, "cell");
    poor.accuracy_m = 5_000;
    assert_eq!(code_of(platform.report_location(&actor, id, poor.clone()).await).0, "location_too_far");
    poor.latitude_e6 = 22_543_096 + 6_000;
    platform.report_location(&actor, id, poor).await.unwrap();
    let wrong = BackupAcknowledgement { sha256: "00".repeat(32) };
    assert_eq!(code_of(platform.acknowledge_backup(&actor, id, wrong).await).0, "backup_mismatch");
    let first = platform.backup_document(&actor, id).await.unwrap();
    world.wait_minutes(1);
    assert_eq!(platform.backup_document(&actor, id).await.unwrap().sha256, first.sha256);
    let document = String::from_utf8(wire::from_base64url(&first.document).unwrap()).unwrap();
    for text in [world.merchant_no().await.as_str(), "星光小面馆", SERIAL] {
        assert!(document.contains(text), "{text} is not in {document}");
    }
    for secret in [MOBILE, "440399200002291128", "6200000000000013"] {
        assert!(!document.contains(secret), "the file shows a whole number");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_count_only_once_they_were_confirmed() {
    let world = World::delivered().await;
    let (_, code) = world.ask_for_code().await;
    let mut terminal = world.terminal();
    terminal.claim(&code).await.unwrap();
    terminal.until("keys").await;
    let (actor, id, platform) = (terminal.actor().await, terminal.id(), &world.platform);
    let ask = async |nonce: [u8; 16]| {
        let asked = KeyRequest { device_nonce: wire::base64url(&nonce) };
        platform.request_keys(&actor, id, asked).await.unwrap().statement
    };
    let (one, two): ([u8; 16], [u8; 16]) = (random::array(&OsRandom), random::array(&OsRandom));
    assert_eq!(ask(one).await, ask(one).await, "one key set for one question");
    terminal.load(one).await.unwrap();
    assert_eq!(terminal.key_version(), 1);
    let early = terminal.confirmation();
    terminal.load(two).await.unwrap();
    assert_eq!(terminal.key_version(), 2);
    assert_eq!(code_of(terminal.confirm(early).await).0, "key_version_stale");
    let mut wrong = terminal.confirmation();
    wrong.kcv = "000000".to_owned();
    let error = terminal.confirm(wrong).await.unwrap_err();
    assert_eq!((error.code, error.kind), ("kcv_mismatch", ErrorKind::Unprocessable));
    // The slot failed: even the right value comes too late, and the same question gets new keys.
    assert_eq!(code_of(terminal.confirm(terminal.confirmation()).await).0, "key_version_stale");
    terminal.load(two).await.unwrap();
    assert_eq!(terminal.key_version(), 3);
    let mut foreign = terminal.confirmation();
    foreign.certificate_serial = "00".repeat(16);
    assert_eq!(code_of(terminal.confirm(foreign).await).0, "certificate_mismatch");
    // A device that slept past the time to install asks the same again.
    terminal.load(two).await.unwrap();
    world.wait_minutes(61);
    terminal.load(two).await.unwrap();
    assert_eq!(terminal.key_version(), 5);
    terminal.confirm(terminal.confirmation()).await.unwrap();
    terminal.step("config").await.unwrap();
    let stale = SignIn { key_version: 4, amount_fen: 0 };
    let actor = terminal.actor().await;
    assert_eq!(code_of(platform.sign_in(&actor, id, stale).await).0, "key_version_stale");
    let paid = SignIn { key_version: 5, amount_fen: 1 };
    assert_eq!(
        code_of(platform.sign_in(&actor, id, paid).await),
        ("amount_not_zero", Some("amount_fen".to_owned()))
    );
    terminal.step("sign-in").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_came_before_its_merchant_waits_and_goes_on_by_itself() {
    waits_and_goes_on(World::shipped().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_the_way_is_the_same() {
    waits_and_goes_on(World::shipped_on_postgres().await).await;
}

async fn waits_and_goes_on(world: World) {
    let (_, code) = world.ask_for_code().await;
    let mut terminal = world.terminal();
    terminal.claim(&code).await.unwrap();
    terminal.until("backup").await;
    let status = terminal.step("backup").await.unwrap();
    assert_eq!((status.state.as_str(), status.next_step.as_deref()), ("waiting", None));
    assert!(status.waiting.iter().any(|open| open.code == "receipt_unconfirmed"), "{:?}", status.waiting);
    assert!(status.completed.contains(&"backed_up".to_owned()));
    assert_eq!(terminal.status().await.unwrap().state, "waiting");
    assert_eq!(code_of(terminal.step("keys").await).0, "illegal_transition");
    world.receive().await;
    let status = terminal.status().await.unwrap();
    assert_eq!((status.state.as_str(), status.next_step.as_deref()), ("backed_up", Some("keys")));
    let device = DeviceId::parse(&status.device_id).unwrap();
    assert_eq!(world.platform.device(&world.staff(Role::Support), device).await.unwrap().state, "activating");
    for step in STEPS.iter().skip(5) {
        terminal.step(step).await.unwrap();
    }
    assert_eq!(terminal.status().await.unwrap().status_text, "已激活");
    assert_eq!(terminal.verify("01", "804637").await.unwrap_err().code, "pin_wrong");
    assert!(terminal.verify("01", PIN).await.unwrap().ok);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_elses_terminal_can_be_asked_for() {
    let world = World::delivered().await;
    let stranger = world.staff(Role::Applicant);
    let wanted = ActivationRequest { serial: SERIAL.to_owned() };
    assert_eq!(
        code_of(world.platform.request_activation(&stranger, None, wanted.clone()).await).0,
        "forbidden"
    );
    let (open, code) = world.ask_for_code().await;
    let owner = world.owner().await;
    let refused = world.platform.request_activation(&owner, None, wanted.clone()).await.unwrap_err();
    assert_eq!((refused.code, refused.existing), ("activation_open", Some(open.to_string())));
    assert_eq!(refused.legal.unwrap().events, ["reissue", "abort"]);
    let mut terminal: Terminal<'_> = world.terminal();
    terminal.claim(&code).await.unwrap();
    terminal.until("network").await;
    // In the middle of it too it is that one that is in the way, not the delivery.
    let refused = world.platform.request_activation(&owner, None, wanted).await.unwrap_err();
    assert_eq!((refused.code, refused.existing), ("activation_open", Some(open.to_string())));
    // A merchant's session is no terminal.
    assert_eq!(code_of(world.platform.terminal_status(&owner, terminal.id()).await).0, "forbidden");
    assert!(world.platform.devices(&owner, page()).await.unwrap().data.len() == 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_from_a_parcel_with_a_broken_seal_is_never_activated() {
    let world = World::shipped().await;
    let (_, code) = world.ask_for_code().await;
    let owner = world.owner().await;
    let parcel = world.platform.shipments(&owner, None, page()).await.unwrap().data.remove(0);
    let id = ShipmentId::parse(&parcel.id).unwrap();
    let delivered = TrackReport { status: "delivered".to_owned() };
    world.platform.track_report(&world.staff(Role::Courier), None, id, delivered).await.unwrap();
    let broken = Receipt { serial: SERIAL.to_owned(), seal_intact: false };
    let damaged = world.platform.confirm_receipt(&owner, None, id, broken).await.unwrap().value;
    assert_eq!(damaged.state, "damaged");
    let devices = world.platform.devices(&owner, page()).await.unwrap().data;
    assert_eq!(devices[0].state, "tampered");
    assert_eq!(code_of(world.terminal().claim(&code).await).0, "device_blocked");
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_code_nor_pin_nor_mobile_lies_in_the_database() {
    let world = World::delivered().await;
    let (_, code) = world.ask_for_code().await;
    let mut terminal = world.terminal();
    terminal.claim(&code).await.unwrap();
    terminal.until("none").await;
    let tmk = *terminal.installed.as_ref().unwrap().tmk().expose();
    let bare = code.replace('-', "");
    world.platform.db().close();
    let needles: Vec<&[u8]> = vec![code.as_bytes(), bare.as_bytes(), PIN.as_bytes(), MOBILE.as_bytes(), &tmk];
    for entry in std::fs::read_dir(world.folder.path().join("db")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for needle in &needles {
            assert!(!bytes.windows(needle.len()).any(|window| window == *needle));
        }
    }
}
