//! The life of a device's certificate: shown, renewed, recalled, over. The platform's clock is moved.

use crate::support::{admin, erasure};
use crate::terminal::{PIN, Terminal};
use crate::world::{Far, SERIAL, World, page};
use starpay_app::port::Clock;
use starpay_app::view::{
    CertificateConfirmation, CertificateRecall, CertificateRenewal, CertificateView, DeviceView, NewDevice,
    Page, RenewedCertificate,
};
use starpay_app::{Actor, Error, ErrorKind, Role, ShownCertificate};
use starpay_domain::id::{DeviceId, TypedId};
use starpay_domain::instant::Timestamp;
use starpay_keys::certificate::{Certificate, TlsKey};
use starpay_keys::{OsRandom, wire};
use starpay_store::Engine;

const DAY_S: i64 = 86_400;

async fn active(world: &World) -> Terminal<'_> {
    let (_, code) = world.ask_for_code().await;
    let mut terminal = world.terminal();
    terminal.claim(&code).await.unwrap();
    terminal.until("none").await;
    terminal
}

fn wait_days(world: &World, days: i64) {
    world.clock.advance_to(world.clock.now().plus_seconds(days * DAY_S));
}

fn key() -> TlsKey {
    TlsKey::generate(&OsRandom)
}

fn code_of<V: std::fmt::Debug>(answer: Result<V, Error>) -> &'static str {
    answer.unwrap_err().code
}

impl Terminal<'_> {
    fn first(&self) -> Certificate {
        self.installed.as_ref().unwrap().certificate().clone()
    }

    async fn renew_as(&self, actor: &Actor, key: &TlsKey, serial: &str) -> Result<RenewedCertificate, Error> {
        let csr = wire::base64url(&key.request(serial).unwrap());
        self.world.platform.renew_certificate(actor, CertificateRenewal { csr }).await
    }

    /// Asks for the next certificate and takes it by the device's own rules.
    async fn renew(&self, key: &TlsKey) -> Result<Certificate, Error> {
        let answer = self.renew_as(&self.actor().await, key, SERIAL).await?;
        let der = wire::from_base64url(&answer.certificate).unwrap();
        let now_s = self.world.clock.now().millis() / 1000;
        let made = key.accept(&der, SERIAL, &self.world.trust, now_s).unwrap();
        assert_eq!(made.serial(), answer.certificate_serial);
        assert_eq!(Timestamp::parse(&answer.not_after).unwrap().millis() / 1000, made.not_after_s());
        Ok(made)
    }

    async fn confirm_over(
        &self,
        shown: Option<&Certificate>,
        serial: &str,
    ) -> Result<CertificateView, Error> {
        let said = CertificateConfirmation { certificate_serial: serial.to_owned() };
        let shown = shown.map(Certificate::serial);
        self.world.platform.confirm_certificate(&self.actor().await, shown, said).await
    }

    /// A signed request over a connection that was opened with this certificate.
    async fn speak_over(&self, shown: &Certificate) -> Result<Actor, Error> {
        let mut request = self.signed("GET", "/terminal/v1/activations/current", b"");
        request.certificate =
            Some(ShownCertificate { serial: shown.serial(), not_after_s: shown.not_after_s() });
        self.world.platform.authenticate_terminal(&request).await
    }

    async fn standing(&self) -> (String, Option<String>) {
        let certificate = self.status().await.unwrap().certificate.unwrap();
        let seen = self.seen().await.certificate.unwrap();
        assert_eq!(seen, certificate, "terminal and desk see the same");
        (certificate.standing, certificate.awaiting)
    }

    fn device_id(&self) -> DeviceId {
        DeviceId::parse(&self.claimed.as_ref().unwrap().status.device_id).unwrap()
    }

    async fn seen(&self) -> DeviceView {
        let staff = self.world.staff(Role::Support);
        self.world.platform.device(&staff, self.device_id()).await.unwrap()
    }

    async fn recall(&self, by: &Actor) -> Result<DeviceView, Error> {
        let wanted = CertificateRecall { reason: "memory read out in the workshop".to_owned() };
        let reply = self.world.platform.recall_certificate(by, None, self.device_id(), wanted).await?;
        Ok(reply.value)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_not_renewed_before_its_time() {
    let world = World::delivered().await;
    let terminal = active(&world).await;
    let end = terminal.first().not_after_s();
    assert_eq!(terminal.standing().await, ("in_force".to_owned(), None));
    wait_days(&world, 300);
    let refused = terminal.renew(&key()).await.unwrap_err();
    assert_eq!((refused.code, refused.kind), ("renewal_not_due", ErrorKind::Conflict));
    let due_at = end - 60 * DAY_S;
    let wait = refused.retry_after_seconds.unwrap();
    let now_ms = world.clock.now().millis();
    assert_eq!(wait, (due_at * 1000 - now_ms + 999) / 1000);
    world.clock.advance_to(world.clock.now().plus_seconds(wait - 1));
    assert_eq!(code_of(terminal.renew(&key()).await), "renewal_not_due");
    world.clock.advance_ms(1000);
    assert_eq!(terminal.standing().await, ("due".to_owned(), Some("device".to_owned())));
    let view = terminal.status().await.unwrap().certificate.unwrap();
    assert_eq!(Timestamp::parse(&view.renew_from).unwrap().millis() / 1000, due_at);
    let made = terminal.renew(&key()).await.unwrap();
    assert_eq!(made.not_after_s(), world.clock.now().millis() / 1000 + 365 * DAY_S);
}

async fn the_new_one_follows_the_old_one(world: World) {
    let terminal = active(&world).await;
    let (first, tls) = (terminal.first(), key());
    wait_days(&world, 310);
    assert_eq!(world.platform.certificates_ending().await.unwrap(), 0);
    wait_days(&world, 30);
    assert_eq!(world.platform.certificates_ending().await.unwrap(), 1);
    let second = terminal.renew(&tls).await.unwrap();
    assert_ne!(first.serial(), second.serial());
    // The same key again gets the same, also in another request for it.
    assert_eq!(terminal.renew(&tls).await.unwrap(), second);
    // Until it is confirmed both open connections, and the old one is in force.
    for certificate in [&first, &second] {
        terminal.speak_over(certificate).await.unwrap();
    }
    assert_eq!(terminal.status().await.unwrap().certificate.unwrap().serial, first.serial());
    // It is tried before the old one is let go.
    let over_old = terminal.confirm_over(Some(&first), &second.serial()).await.unwrap_err();
    assert_eq!((over_old.code, over_old.kind), ("device_certificate_mismatch", ErrorKind::Forbidden));
    assert_eq!(code_of(terminal.confirm_over(None, "00").await), "certificate_mismatch");
    world.clock.advance_ms(1);
    let confirmed = terminal.confirm_over(Some(&second), &second.serial()).await.unwrap();
    assert_eq!((confirmed.serial.clone(), confirmed.standing.as_str()), (second.serial(), "in_force"));
    assert_eq!(terminal.confirm_over(None, &second.serial()).await.unwrap(), confirmed);
    assert_eq!(code_of(terminal.speak_over(&first).await), "device_certificate_mismatch");
    terminal.speak_over(&second).await.unwrap();
    terminal.verify("01", PIN).await.unwrap();
    assert_eq!(terminal.status().await.unwrap().certificate, Some(confirmed));
    assert_eq!(world.platform.certificates_ending().await.unwrap(), 0);
    // An answer that came late is the same; another key has to wait its year.
    assert_eq!(terminal.renew(&tls).await.unwrap(), second);
    assert_eq!(code_of(terminal.renew(&key()).await), "renewal_not_due");
    // Both moves stand in the chain, by the device's keys.
    let merchant = world.owner().await.merchant.unwrap();
    let mut events = Vec::new();
    let mut next = page();
    loop {
        let seen = world.platform.timeline(&world.staff(Role::Support), merchant, next).await.unwrap();
        events.extend(seen.data.into_iter().filter(|event| event.aggregate == "device_auth"));
        let Some(cursor) = seen.next_cursor else { break };
        next = starpay_app::view::Page { cursor: Some(cursor), limit: None };
    }
    let names: Vec<_> = events.iter().map(|event| event.event.as_str()).collect();
    assert_eq!((names.len(), &names[3..]), (5, ["renew", "certify"].as_slice()));
    assert!(world.platform.verify_chain(&admin()).await.unwrap().clean);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_counts_once_it_is_confirmed() {
    the_new_one_follows_the_old_one(World::delivered().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_counts_once_it_is_confirmed_on_postgres() {
    let world = World::shipped_on_postgres().await;
    world.receive().await;
    the_new_one_follows_the_old_one(world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_from_the_drawer_renews_by_its_sign_key() {
    let world = World::delivered().await;
    let terminal = active(&world).await;
    let first = terminal.first();
    wait_days(&world, 400);
    assert_eq!(terminal.standing().await, ("ended".to_owned(), Some("device".to_owned())));
    let refused = terminal.verify("01", PIN).await.unwrap_err();
    assert_eq!((refused.code, refused.kind), ("certificate_expired", ErrorKind::Forbidden));
    // A connection may outlive its certificate; what it says afterwards does not count.
    assert_eq!(code_of(terminal.speak_over(&first).await), "certificate_expired");
    let second = terminal.renew(&key()).await.unwrap();
    assert_eq!(code_of(terminal.verify("01", PIN).await), "certificate_expired");
    terminal.confirm_over(Some(&second), &second.serial()).await.unwrap();
    terminal.verify("01", PIN).await.unwrap();
    terminal.speak_over(&second).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_grace_only_a_new_activation_helps() {
    let world = World::delivered().await;
    let (late, tls) = (active(&world).await, key());
    wait_days(&world, 440);
    let issued = late.renew(&tls).await.unwrap();
    wait_days(&world, 20);
    assert_eq!(late.standing().await, ("over".to_owned(), Some("us:operations".to_owned())));
    let refused = late.renew(&key()).await.unwrap_err();
    assert_eq!((refused.code, refused.kind), ("renewal_over", ErrorKind::Forbidden));
    // What was issued in time may still be heard and confirmed.
    assert_eq!(late.renew(&tls).await.unwrap_or_else(|error| panic!("{error}")), issued);
    late.confirm_over(None, &issued.serial()).await.unwrap();
    assert_eq!(late.standing().await.0, "in_force");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_another_serial_or_with_a_former_key_is_refused() {
    let world = World::delivered().await;
    let terminal = active(&world).await;
    wait_days(&world, 310);
    let actor = terminal.actor().await;
    let other = terminal.renew_as(&actor, &key(), "99990004STAR00000002").await.unwrap_err();
    assert_eq!((other.code, other.field.as_deref()), ("csr_mismatch", Some("csr")));
    let first = terminal.renew_as(&actor, &terminal.keys.tls(), SERIAL).await;
    assert_eq!(code_of(first), "csr_key_used");
    // One bit of a good request, and somebody else's signature under it.
    let csr = key().request(SERIAL).unwrap();
    for (at, name) in [(csr.len() - 1, "signature"), (60, "key or name")] {
        let mut changed = csr.clone();
        changed[at] ^= 1;
        let asked = CertificateRenewal { csr: wire::base64url(&changed) };
        let refused = world.platform.renew_certificate(&actor, asked).await.unwrap_err();
        assert_eq!((refused.code, refused.kind), ("csr_invalid", ErrorKind::Unprocessable), "{name}");
    }
    // A former key stays one over every renewal.
    let (second, third) = (key(), key());
    let made = terminal.renew(&second).await.unwrap();
    terminal.confirm_over(None, &made.serial()).await.unwrap();
    wait_days(&world, 310);
    assert_eq!(code_of(terminal.renew(&second).await), "csr_key_used");
    let made = terminal.renew(&third).await.unwrap();
    terminal.confirm_over(None, &made.serial()).await.unwrap();
    wait_days(&world, 310);
    for former in [&second, &third, &terminal.keys.tls()] {
        assert_eq!(code_of(terminal.renew(former).await), "csr_key_used");
    }
    // A stranger's key signs for nobody.
    let stranger = world.terminal();
    let request = stranger.signed("POST", "/terminal/v1/certificate-renewal", b"{}");
    assert_eq!(code_of(world.platform.authenticate_terminal(&request).await), "device_unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recalled_certificate_counts_no_more_and_is_renewed_at_once() {
    let world = World::delivered().await;
    let terminal = active(&world).await;
    let first = terminal.first();
    assert_eq!(terminal.recall(&world.staff(Role::Support)).await.unwrap_err().kind, ErrorKind::Forbidden);
    let boss = world.staff(Role::Admin);
    let view = terminal.recall(&boss).await.unwrap().certificate.unwrap();
    assert_eq!((view.standing.as_str(), view.awaiting.as_deref()), ("recalled", Some("device")));
    assert_eq!(code_of(terminal.speak_over(&first).await), "device_certificate_mismatch");
    assert_eq!(code_of(terminal.verify("01", PIN).await), "certificate_recalled");
    assert_eq!(code_of(terminal.renew(&terminal.keys.tls()).await), "csr_key_used");
    let tls = key();
    let second = terminal.renew(&tls).await.unwrap();
    // Recalled again before it was confirmed: that one is known to others too.
    terminal.recall(&boss).await.unwrap();
    assert_eq!(code_of(terminal.confirm_over(None, &second.serial()).await), "certificate_mismatch");
    assert_eq!(code_of(terminal.speak_over(&second).await), "device_certificate_mismatch");
    assert_eq!(code_of(terminal.renew(&tls).await), "csr_key_used");
    let version = |device: DeviceView| device.version;
    assert_eq!(version(terminal.recall(&boss).await.unwrap()), version(terminal.seen().await));
    let third = terminal.renew(&key()).await.unwrap();
    terminal.confirm_over(Some(&third), &third.serial()).await.unwrap();
    assert_eq!(terminal.standing().await, ("in_force".to_owned(), None));
    terminal.speak_over(&third).await.unwrap();
    terminal.verify("01", PIN).await.unwrap();
    let empty = CertificateRecall { reason: " ".to_owned() };
    let refused = world.platform.recall_certificate(&boss, None, terminal.device_id(), empty).await;
    assert_eq!(code_of(refused), "length");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recall_reaches_the_keys_in_use_beside_newer_ones() {
    let world = World::delivered().await;
    let boss = world.staff(Role::Admin);
    let (first, code) = world.ask_for_code().await;
    let mut original = world.terminal();
    original.claim(&code).await.unwrap();
    original.until("sign-in").await;
    world.platform.abort_activation(&world.owner().await, None, first).await.unwrap();
    // Somebody claims the next code with keys of their own, and proves nothing yet.
    world.clock.advance_ms(60_000);
    let (_, code) = world.ask_for_code().await;
    let mut newer = world.terminal();
    newer.claim(&code).await.unwrap();
    let seen = original.recall(&boss).await.unwrap().certificate.unwrap();
    assert_eq!((seen.serial, seen.standing.as_str()), (original.first().serial(), "recalled"));
    // Where no keys are in use there is nothing to recall.
    let world = World::delivered().await;
    let (_, code) = world.ask_for_code().await;
    let mut unproved = world.terminal();
    unproved.claim(&code).await.unwrap();
    assert_eq!(code_of(unproved.recall(&world.staff(Role::Admin)).await), "illegal_transition");
}

/// The same terminal's next activation, up to the proof of its identity.
async fn claimed_again<'w>(world: &'w World, mut terminal: Terminal<'w>) -> Terminal<'w> {
    let owner = world.owner().await;
    world.platform.abort_activation(&owner, None, terminal.id()).await.unwrap();
    world.clock.advance_ms(60_000);
    let (_, code) = world.ask_for_code().await;
    terminal.claim(&code).await.unwrap();
    terminal.installed = None;
    terminal
}

async fn a_recalled_key_stays_so(world: World) {
    let boss = world.staff(Role::Admin);
    let (_, code) = world.ask_for_code().await;
    let mut terminal = world.terminal();
    terminal.claim(&code).await.unwrap();
    terminal.until("sign-in").await;
    let first_keys = terminal.keys.clone();
    // Given up and begun again without a recall, the same keys go on.
    let mut terminal = claimed_again(&world, terminal).await;
    terminal.until("sign-in").await;
    terminal.recall(&boss).await.unwrap();
    let mut terminal = claimed_again(&world, terminal).await;
    let refused = terminal.step("identity").await.unwrap_err();
    assert_eq!((refused.code, refused.field.as_deref()), ("csr_key_used", Some("csr")));
    terminal.keys = first_keys.with_new_tls(&OsRandom);
    terminal.until("sign-in").await;
    assert_eq!(terminal.standing().await.0, "in_force");
    // It does not come back two activations later either, when the recall is over.
    let mut terminal = claimed_again(&world, terminal).await;
    let second_keys = std::mem::replace(&mut terminal.keys, first_keys);
    assert_eq!(code_of(terminal.step("identity").await), "csr_key_used");
    terminal.keys = second_keys;
    terminal.step("identity").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recalled_key_is_certified_in_no_later_activation() {
    a_recalled_key_stays_so(World::delivered().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recalled_key_is_certified_in_no_later_activation_on_postgres() {
    let world = World::shipped_on_postgres().await;
    world.receive().await;
    a_recalled_key_stays_so(world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recall_in_the_middle_of_an_activation_holds() {
    let world = World::delivered().await;
    let boss = world.staff(Role::Admin);
    let (_, code) = world.ask_for_code().await;
    let mut terminal = world.terminal();
    terminal.claim(&code).await.unwrap();
    terminal.until("keys").await;
    // The keys are on their way to the terminal when the recall comes.
    terminal.load([7; 16]).await.unwrap();
    world.clock.advance_ms(1);
    terminal.recall(&boss).await.unwrap();
    assert_eq!(code_of(terminal.confirm(terminal.confirmation()).await), "csr_key_used");
    assert_eq!(code_of(terminal.load([8; 16]).await), "csr_key_used");
    let certificate = terminal.seen().await.certificate;
    assert!(certificate.is_none(), "nothing counts: {certificate:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_never_confirms_is_not_served_for_ever() {
    let world = World::delivered().await;
    let terminal = active(&world).await;
    wait_days(&world, 310);
    let earlier = terminal.renew(&key()).await.unwrap();
    for _ in 1..10 {
        terminal.renew(&key()).await.unwrap();
    }
    let refused = terminal.renew(&key()).await.unwrap_err();
    assert_eq!((refused.code, refused.kind), ("rate_limited", ErrorKind::RateLimited));
    assert!(refused.retry_after_seconds.is_some_and(|wait| wait <= DAY_S));
    // Only what was issued last can be confirmed.
    assert_eq!(code_of(terminal.confirm_over(None, &earlier.serial()).await), "certificate_mismatch");
    wait_days(&world, 2);
    let last = terminal.renew(&key()).await.unwrap();
    terminal.confirm_over(None, &last.serial()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_active_terminal_renews() {
    let world = World::delivered().await;
    let terminal = active(&world).await;
    let first = terminal.first();
    wait_days(&world, 310);
    let actor = terminal.actor().await;
    let poke = |state: &str| {
        let path = world.folder.path().join("db/starpay.db");
        let connection = rusqlite::Connection::open(path).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
        connection.execute("UPDATE device SET state = ?1", [state]).unwrap();
    };
    // Back in the books but not in use: its keys are good, it is served nothing.
    poke("delivered");
    let refused = terminal.renew_as(&actor, &key(), SERIAL).await.unwrap_err();
    assert_eq!((refused.code, refused.kind), ("device_blocked", ErrorKind::Forbidden));
    assert_eq!(code_of(terminal.confirm_over(None, &first.serial()).await), "device_blocked");
    for state in ["lost", "tampered", "retired"] {
        poke(state);
        assert_eq!(code_of(terminal.speak_over(&first).await), "device_blocked", "{state}");
        let request = terminal.signed("POST", "/terminal/v1/certificate-renewal", b"{}");
        let refused = world.platform.authenticate_terminal(&request).await;
        assert_eq!(code_of(refused), "device_blocked", "{state}");
    }
}

/// What a list costs: the statements it sent.
async fn listed(world: &World, actor: &Actor) -> (Vec<DeviceView>, u64) {
    let sent = || world.platform.db().metrics().statements;
    let before = sent();
    let list = world.platform.devices(actor, page()).await.unwrap().data;
    (list, sent() - before)
}

async fn a_longer_list_costs_no_more(engine: Engine) {
    let world = World::on(engine, Far::Shipped, |_| ()).await;
    world.receive().await;
    let terminal = active(&world).await;
    let (owner, boss) = (world.owner().await, world.staff(Role::Admin));
    let (own, _) = listed(&world, &owner).await;
    let (all, cost) = listed(&world, &boss).await;
    assert_eq!(own[0].certificate.as_ref().unwrap().serial, terminal.first().serial());
    for number in 2..9 {
        let wanted =
            NewDevice { serial: format!("99990004STAR0000000{number}"), model: "STAR-A1".to_owned() };
        world.platform.stock_device(&boss, None, wanted).await.unwrap();
    }
    let (more, after) = listed(&world, &boss).await;
    assert_eq!((more.len(), after), (all.len() + 7, cost), "statements for a longer page");
    for shown in &more {
        let alone = world.platform.device(&boss, DeviceId::parse(&shown.id).unwrap()).await.unwrap();
        assert_eq!(alone.certificate, shown.certificate);
        assert_eq!(shown.certificate.is_some(), shown.serial == SERIAL);
    }
    // A page has the certificates of its own rows.
    let part = Page { cursor: None, limit: Some(1) };
    let first = world.platform.devices(&boss, part).await.unwrap();
    let rest = Page { cursor: first.next_cursor, limit: None };
    let rest = world.platform.devices(&boss, rest).await.unwrap().data;
    let paged: Vec<_> = first.data.into_iter().chain(rest).map(|shown| shown.certificate).collect();
    assert_eq!(paged, more.into_iter().map(|shown| shown.certificate).collect::<Vec<_>>());
    // What is sealed under an erased merchant's key opens no more, and hides nothing beside it.
    let merchant = owner.merchant.unwrap();
    world.platform.erase_merchant(&admin(), merchant, erasure(merchant)).await.unwrap();
    let (kept, _) = listed(&world, &boss).await;
    assert_eq!(kept.len(), all.len() + 7);
    assert!(kept.iter().all(|shown| shown.certificate.is_none()));
    world.platform.db().close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_terminals_sends_one_statement_for_all_certificates() {
    a_longer_list_costs_no_more(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_terminals_sends_one_statement_for_all_certificates_on_postgres() {
    a_longer_list_costs_no_more(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_asked_again_only_reads() {
    let world = World::delivered().await;
    let terminal = active(&world).await;
    wait_days(&world, 310);
    let (actor, tls) = (terminal.actor().await, key());
    let writes = || world.platform.db().metrics().writes;
    let before = writes();
    let made = terminal.renew_as(&actor, &tls, SERIAL).await.unwrap();
    assert_eq!(writes() - before, 1, "looked at outside, written down once");
    let again = terminal.renew_as(&actor, &tls, SERIAL).await.unwrap();
    assert_eq!(again.certificate, made.certificate);
    terminal.renew_as(&actor, &key(), "99990004STAR00000002").await.unwrap_err();
    assert_eq!(writes() - before, 1, "neither an answer repeated nor a refusal writes");
}
