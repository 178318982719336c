//! 报送: what a channel refuses is reported again, as a new report.

use crate::world::{World, page};
use starpay_app::Role;
use starpay_domain::id::{ApplicationId, TypedId};

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_report_is_sent_again_as_a_new_one() {
    // The simulated registry refuses such a name for its category, every time it is asked anew.
    let world = World::to_be_signed_as("深圳市样例区星光小面馆拒类别").await;
    let (owner, reviewer) = (world.owner().await, world.staff(Role::Reviewer));
    world.sign().await;
    world.run_jobs().await;
    let seen = world.platform.registrations(&owner, None, page()).await.unwrap().data;
    assert!(seen.iter().all(|row| row.state == "refused"), "{seen:?}");
    let id = ApplicationId::parse(&seen[0].application_id).unwrap();
    let state = || async { world.platform.application(&owner, id).await.unwrap().state };
    assert_eq!(state().await, "report_failed");

    world.platform.report_again(&reviewer, None, id).await.unwrap();
    world.run_jobs().await;
    assert_eq!(state().await, "report_failed");
    let events = world.platform.timeline(&reviewer, owner.merchant.unwrap(), page()).await.unwrap().data;
    let sent =
        events.iter().filter(|event| event.aggregate == "registration" && event.event == "send").count();
    assert_eq!(sent, 2 * seen.len(), "each channel was asked twice");
    // Not while nothing has failed, and not by the merchant.
    assert_eq!(world.platform.report_again(&owner, None, id).await.unwrap_err().code, "forbidden");
}
