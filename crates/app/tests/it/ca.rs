//! The CA's key is replaced: terminals of the earlier root go on, and renew under the new one.

use crate::support::admin;
use crate::terminal::{PIN, Terminal};
use crate::world::{SERIAL, World};
use starpay_app::port::Clock;
use starpay_app::view::{CertificateConfirmation, CertificateRenewal, RenewedCertificate};
use starpay_app::{Error, ErrorKind, ShownCertificate};
use starpay_keys::certificate::{Certificate, TlsKey};
use starpay_keys::{OsRandom, wire};

const DAY_S: i64 = 86_400;

async fn renew(terminal: &Terminal<'_>, key: &TlsKey) -> Result<RenewedCertificate, Error> {
    let csr = wire::base64url(&key.request(SERIAL).unwrap());
    let asked = CertificateRenewal { csr };
    terminal.world.platform.renew_certificate(&terminal.actor().await, asked).await
}

/// Takes an answer by the device's own rules, trusting this root alone.
fn accepted(
    terminal: &Terminal<'_>,
    key: &TlsKey,
    answer: &RenewedCertificate,
    root: &Certificate,
) -> Certificate {
    assert_eq!(
        wire::from_base64url(&answer.ca).unwrap(),
        root.der(),
        "the root that issued it comes with it"
    );
    let der = wire::from_base64url(&answer.certificate).unwrap();
    let now_s = terminal.world.clock.now().millis() / 1000;
    key.accept(&der, SERIAL, root, now_s).unwrap()
}

async fn speaks_over(terminal: &Terminal<'_>, shown: &Certificate) {
    let mut request = terminal.signed("GET", "/terminal/v1/activations/current", b"");
    request.certificate = Some(ShownCertificate { serial: shown.serial(), not_after_s: shown.not_after_s() });
    terminal.world.platform.authenticate_terminal(&request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_of_the_earlier_root_goes_on_and_renews_under_the_new_one() {
    let world = World::delivered().await;
    let (_, code) = world.ask_for_code().await;
    let mut terminal = world.terminal();
    terminal.claim(&code).await.unwrap();
    terminal.until("none").await;
    let first = terminal.installed.as_ref().unwrap().certificate().clone();
    world.clock.advance_to(world.clock.now().plus_seconds(310 * DAY_S));
    // An answer is on its way when the CA is replaced.
    let asked = TlsKey::generate(&OsRandom);
    let before = renew(&terminal, &asked).await.unwrap();
    let old_root = world.trust.clone();
    let stranger = terminal.actor().await;
    assert_eq!(world.platform.rotate_ca_key(&stranger).await.unwrap_err().kind, ErrorKind::Forbidden);
    let rotated = world.platform.rotate_ca_key(&admin()).await.unwrap();
    assert_eq!(rotated.version, 2);
    let new_root = world.keystore.root_certificate();
    assert_ne!(old_root.der(), new_root.der());

    speaks_over(&terminal, &first).await;
    terminal.verify("01", PIN).await.unwrap();
    // The lost answer comes once more: the same certificate, and still the root it is of.
    let again = renew(&terminal, &asked).await.unwrap();
    assert_eq!((&again.certificate, &again.ca), (&before.certificate, &before.ca));
    accepted(&terminal, &asked, &again, &old_root);

    let key = TlsKey::generate(&OsRandom);
    let answer = renew(&terminal, &key).await.unwrap();
    let second = accepted(&terminal, &key, &answer, &new_root);
    let said = CertificateConfirmation { certificate_serial: second.serial() };
    let actor = terminal.actor().await;
    world.platform.confirm_certificate(&actor, Some(second.serial()), said).await.unwrap();
    speaks_over(&terminal, &second).await;
    terminal.verify("01", PIN).await.unwrap();
}
