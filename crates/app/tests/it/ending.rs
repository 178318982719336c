//! 撤回与过期: with an application ends whatever waits for it, also what is under way outside.

use crate::world::{Far, World, page};
use starpay_app::port::{AdapterName, AgreementSigner, Answer, SignatureReceipt, SigningRequest, Simulated};
use starpay_app::view::{AgreementView, BookVisit, SignCode};
use starpay_app::{Actor, ErrorKind, IdempotencyKey, Role};
use starpay_domain::id::{AgreementId, ApplicationId, TypedId, VisitId};
use starpay_store::Engine;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;

const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

/// A signing service that lets the test decide when it is done.
struct SlowSigner {
    asked: AtomicUsize,
    entered: Semaphore,
    gate: Semaphore,
}

impl SlowSigner {
    fn new() -> Arc<Self> {
        let (entered, gate) = (Semaphore::new(0), Semaphore::new(0));
        Arc::new(Self { asked: AtomicUsize::new(0), entered, gate })
    }
}

impl AgreementSigner for SlowSigner {
    fn adapter(&self) -> AdapterName {
        AdapterName { name: "slow-signer", simulated: Simulated::Sandbox }
    }

    fn sign(&self, request: SigningRequest) -> Answer<'_, SignatureReceipt> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            self.entered.add_permits(1);
            self.gate.acquire().await.unwrap().forget();
            Ok(SignatureReceipt { serial: request.reference, certificate: "CN=test".to_owned() })
        })
    }
}

/// An offered agreement, its signer and the code to sign it with.
struct Offer {
    world: World,
    service: Arc<SlowSigner>,
    application: ApplicationId,
    signer: Actor,
    link: String,
    agreement: AgreementView,
    code: String,
}

impl Offer {
    async fn on(engine: Engine) -> Self {
        let service = SlowSigner::new();
        let port = Arc::clone(&service);
        let world = World::on(engine, Far::Offered, move |ports| ports.signer = port).await;
        let link = world.newest_code("sign_link").await;
        let signer = world.platform.authenticate(&link).await.unwrap();
        let agreement = world.platform.current_agreement(&signer).await.unwrap();
        world
            .platform
            .send_sign_code(&signer, None, AgreementId::parse(&agreement.id).unwrap())
            .await
            .unwrap();
        let code = world.newest_code("sign_code").await;
        let application = ApplicationId::parse(&agreement.application_id).unwrap();
        Self { world, service, application, signer, link, agreement, code }
    }

    async fn sign(&self) -> Result<AgreementView, starpay_app::Error> {
        let key = IdempotencyKey::parse("sign").unwrap();
        let id = AgreementId::parse(&self.agreement.id).unwrap();
        let given = SignCode { code: self.code.clone(), sha256: self.agreement.sha256.clone() };
        let reply = self.world.platform.sign_agreement(&self.signer, Some(key), id, given).await;
        reply.map(|reply| reply.value)
    }

    async fn withdraw(&self) {
        let owner = self.world.owner().await;
        self.world.platform.withdraw_application(&owner, None, self.application, None).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_withdrawn_is_signed_nowhere() {
    for engine in ENGINES {
        let offer = Offer::on(engine).await;
        offer.withdraw().await;
        assert_eq!(offer.sign().await.unwrap_err().kind, ErrorKind::NotFound);
        assert_eq!(offer.service.asked.load(Ordering::SeqCst), 0, "nobody asked the service");
        let link = offer.world.platform.authenticate(&offer.link).await;
        assert_eq!(link.unwrap_err().kind, ErrorKind::Unauthenticated);
        offer.world.platform.db().close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_that_ends_while_it_is_signed_is_not_signed() {
    for engine in ENGINES {
        let offer = Offer::on(engine).await;
        let (refused, ()) = tokio::join!(offer.sign(), async {
            offer.service.entered.acquire().await.unwrap().forget();
            offer.withdraw().await;
            offer.service.gate.add_permits(9);
        });
        assert_eq!(refused.unwrap_err().code, "illegal_transition");
        // Nor is it said to be, when the same is asked again.
        assert!(offer.sign().await.is_err());
        let owner = offer.world.owner().await;
        let seen = offer.world.platform.application(&owner, offer.application).await.unwrap();
        assert_eq!(seen.state, "withdrawn");
        offer.world.platform.db().close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_signatures_at_once_both_see_the_one() {
    let offer = Offer::on(Engine::Sqlite).await;
    let (one, other, ()) = tokio::join!(offer.sign(), offer.sign(), async {
        offer.service.entered.acquire_many(2).await.unwrap().forget();
        offer.service.gate.add_permits(2);
    });
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!((one.state.as_str(), one.signature.is_some()), ("signed", true));
    assert_eq!(one.signature, other.signature);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_comes_for_what_is_over() {
    for engine in ENGINES {
        for far in ["offered", "booked", "under_way"] {
            let world = World::on(engine, Far::Begun, |_| ()).await;
            let (platform, owner) = (&world.platform, world.owner().await);
            let application = world.apply(&owner, &[]).await;
            let seen = async || platform.visits(&owner, None, page()).await.unwrap().data.remove(0);
            let id = VisitId::parse(&seen().await.id).unwrap();
            let slot = || BookVisit {
                from: platform.now().plus_seconds(60).to_string(),
                until: platform.now().plus_seconds(3600).to_string(),
            };
            if far != "offered" {
                platform.book_visit(&owner, None, id, slot()).await.unwrap();
            }
            if far == "under_way" {
                platform.start_visit(&world.staff(Role::FieldVerifier), None, id).await.unwrap();
            }
            platform.withdraw_application(&owner, None, application, None).await.unwrap();
            assert_eq!(seen().await.state, "cancelled", "{far}");
            let again = platform.book_visit(&owner, None, id, slot()).await.unwrap_err();
            assert_eq!(again.code, "illegal_transition");
            world.platform.db().close();
        }
    }
}
