//! 通过: the agreement offered is the one of the form approved, and no other is kept.

use crate::world::{Far, World, page};
use bytes::Bytes;
use starpay_app::port::{AdapterName, Answer, FileMeta, Files};
use starpay_app::{Actor, IdempotencyKey, Replayed, Role};
use starpay_domain::id::{ApplicationId, TypedId};
use starpay_store::Engine;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The files of the world, where agreements are written as slowly as the test wants.
struct SlowFiles {
    inner: Arc<dyn Files>,
    entered: Semaphore,
    gate: Arc<Semaphore>,
}

impl Files for SlowFiles {
    fn adapter(&self) -> AdapterName {
        self.inner.adapter()
    }

    fn put(&self, key: String, bytes: Bytes) -> Answer<'_, ()> {
        Box::pin(async move {
            if key.starts_with("agreements/") {
                self.entered.add_permits(1);
                self.gate.acquire().await.unwrap().forget();
            }
            self.inner.put(key, bytes).await
        })
    }

    fn get(&self, key: String) -> Answer<'_, Option<Bytes>> {
        self.inner.get(key)
    }

    fn list(&self, prefix: String) -> Answer<'_, Vec<FileMeta>> {
        self.inner.list(prefix)
    }

    fn remove(&self, key: String) -> Answer<'_, ()> {
        self.inner.remove(key)
    }
}

async fn in_review(engine: Engine) -> (World, Arc<SlowFiles>, ApplicationId) {
    let mut port = None;
    let world = World::on(engine, Far::InReview, |ports| {
        let inner = Arc::clone(&ports.files);
        let (entered, gate) = (Semaphore::new(0), Arc::new(Semaphore::new(0)));
        let slow = Arc::new(SlowFiles { inner, entered, gate });
        ports.files = Arc::clone(&slow) as Arc<dyn Files>;
        port = Some(slow);
    });
    let world = world.await;
    let found = world.platform.applications(&world.owner().await, None, page()).await.unwrap().data;
    (world, port.unwrap(), ApplicationId::parse(&found[0].id).unwrap())
}

async fn kept(files: &SlowFiles) -> usize {
    files.list("agreements/".to_owned()).await.unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_that_is_refused_keeps_no_agreement() {
    let (world, files, id) = in_review(Engine::Sqlite).await;
    files.gate.add_permits(9);
    let (platform, reviewer) = (&world.platform, world.staff(Role::Reviewer));
    let colleague = Actor { id: "ak_colleague".to_owned(), ..reviewer.clone() };
    for (actor, seen, code) in [(&colleague, None, "claimed"), (&reviewer, Some(1), "stale_version")] {
        let refused = platform.approve_application(actor, None, id, seen).await.unwrap_err();
        assert_eq!((refused.code, kept(&files).await), (code, 0));
    }
    let key = || Some(IdempotencyKey::parse("approve").unwrap());
    for replayed in [Replayed::No, Replayed::Yes] {
        let approved = platform.approve_application(&reviewer, key(), id, None).await.unwrap();
        assert_eq!((approved.value.state.as_str(), approved.replayed), ("to_be_signed", replayed));
        assert_eq!(kept(&files).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_while_the_agreement_was_written_is_not_approved() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let (world, files, id) = in_review(engine).await;
        let (platform, reviewer) = (&world.platform, world.staff(Role::Reviewer));
        let key = || Some(IdempotencyKey::parse("approve").unwrap());
        let (refused, ()) = tokio::join!(platform.approve_application(&reviewer, key(), id, None), async {
            files.entered.acquire().await.unwrap().forget();
            // The merchant corrects the address meanwhile, and the reviewer has the case again.
            world.correct("shop.address", "广东省深圳市样例区样例路101号", id).await;
            files.gate.add_permits(1);
        });
        assert_eq!((refused.unwrap_err().code, kept(&files).await), ("stale_version", 0));
        // What stands there now can be approved, under the same key.
        files.gate.add_permits(1);
        platform.approve_application(&reviewer, key(), id, None).await.unwrap();
        assert_eq!(kept(&files).await, 1);
        let signer = platform.authenticate(&world.newest_code("sign_link").await).await.unwrap();
        let text = platform.current_agreement(&signer).await.unwrap().text;
        assert!(text.contains("样例路101号"), "{text}");
        world.platform.db().close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agreement_is_written_up_without_a_write_transaction() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let (world, files, id) = in_review(engine).await;
        files.gate.add_permits(2);
        let reviewer = world.staff(Role::Reviewer);
        let writes = || world.platform.db().metrics().writes;
        let before = writes();
        world.platform.approve_application(&reviewer, None, id, None).await.unwrap();
        assert_eq!(writes() - before, 1, "the approval itself");
        world.platform.db().close();
    }
}
