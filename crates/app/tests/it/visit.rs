//! 现场核实: booked, and carried out when both are there.

use crate::world::{Far, World, page};
use starpay_app::Role;
use starpay_app::view::{BookVisit, FinishVisit, VisitView};
use starpay_domain::id::{TypedId, VisitId};
use starpay_store::Engine;

async fn seen(world: &World) -> VisitView {
    world.platform.visits(&world.owner().await, None, page()).await.unwrap().data.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_says_when_it_really_was_beside_when_it_was_booked() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = World::on(engine, Far::Begun, |_| ()).await;
        let (platform, owner) = (&world.platform, world.owner().await);
        let verifier = world.staff(Role::FieldVerifier);
        world.apply(&owner, &[]).await;
        let id = VisitId::parse(&seen(&world).await.id).unwrap();
        let tomorrow = platform.now().plus_seconds(86_400);
        let slot = BookVisit { from: tomorrow.to_string(), until: tomorrow.plus_seconds(3600).to_string() };
        platform.book_visit(&owner, None, id, slot).await.unwrap();
        let booked = seen(&world).await;
        assert_eq!((booked.started_at, booked.finished_at), (None, None));
        // The verifier is in the street today, and the owner opens the door.
        world.clock.advance_ms(60_000);
        let began = platform.now().to_string();
        platform.start_visit(&verifier, None, id).await.unwrap();
        let under_way = seen(&world).await;
        assert_eq!((under_way.started_at.as_ref(), under_way.finished_at), (Some(&began), None));
        world.clock.advance_ms(1_200_000);
        let ended = platform.now().to_string();
        let found = FinishVisit {
            result: "pass".to_owned(),
            reasons: Vec::new(),
            latitude_e6: 22_543_120,
            longitude_e6: 114_057_900,
            risk_notice_confirmed: true,
        };
        platform.finish_visit(&verifier, None, id, found).await.unwrap();
        let done = seen(&world).await;
        assert_eq!((done.state.as_str(), done.booked_for), ("done", Some(tomorrow.to_string())));
        assert_eq!((done.started_at, done.finished_at), (Some(began), Some(ended)));
        platform.db().close();
    }
}
