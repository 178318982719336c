//! What changes outside a node is taken up without a restart.

use crate::support::{Stand, admin, on_both};
use starpay_app::Refreshed;
use starpay_app::port::Clock;
use starpay_app::view::PatchApplication;
use starpay_store::policy::{self, PolicyRow};
use starpay_store::{Engine, StoreError};
use std::collections::BTreeMap;

const NOTHING: Refreshed = Refreshed { policy: false, keystore: false };

#[test]
fn a_new_policy_holds_from_its_day_on_without_a_restart() {
    on_both(|stand| async move {
        let shop = stand.shop("15400000001").await;
        let fill = async |born: &str| {
            let fields = BTreeMap::from([("principal.id_number".to_owned(), born.to_owned())]);
            let patch = PatchApplication { fields };
            stand.platform.patch_application(&shop.actor, shop.application, None, patch).await
        };
        fill("440399200002291128").await.unwrap();
        assert_eq!(stand.platform.refresh().await.unwrap(), NOTHING);
        let tomorrow = stand.clock.now().plus_seconds(86_400);
        let row = PolicyRow {
            key: "adult_age_years".to_owned(),
            version: 2,
            value: "40".to_owned(),
            unit: "years".to_owned(),
            source: "a law of the test".to_owned(),
            effective_from: tomorrow,
        };
        let insert = move |tx: &mut starpay_store::Tx| policy::insert(tx, &row);
        stand.platform.db().write::<_, StoreError, _>(insert).await.unwrap();
        assert_eq!(stand.platform.refresh().await.unwrap(), NOTHING, "its day has not come");
        stand.wait_days(1);
        assert_eq!(stand.platform.refresh().await.unwrap(), Refreshed { policy: true, ..NOTHING });
        assert_eq!(stand.platform.refresh().await.unwrap(), NOTHING);
        let refused = fill("440399200002291128").await.unwrap_err();
        assert_eq!(refused.fields[0].code, "under_18", "{refused:?}");
        stand
    });
}

#[test]
fn a_node_that_meets_a_key_it_does_not_know_reads_its_keystore_again() {
    let here = Stand::new(Engine::Postgres);
    let there = here.second_node();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let old = here.shop("15400000001").await;
        there.platform.application(&admin(), old.application).await.unwrap();
        here.platform.rotate_keys(&admin()).await.unwrap();
        // The other node has not heard of it: a merchant of after the rotation, and one of before.
        let new = here.shop("15400000002").await;
        assert_eq!(there.platform.application(&admin(), new.application).await.unwrap().state, "draft");
        there.platform.application(&admin(), old.application).await.unwrap();
        assert_eq!(there.platform.refresh().await.unwrap(), NOTHING, "it has been read already");
        here.platform.rotate_keys(&admin()).await.unwrap();
        assert_eq!(there.platform.refresh().await.unwrap(), Refreshed { keystore: true, ..NOTHING });
        // And it can rotate in its turn: nobody undoes the other's keys.
        there.platform.rotate_keys(&admin()).await.unwrap();
        here.platform.application(&admin(), new.application).await.unwrap();
    });
    there.platform.db().close();
    here.platform.db().close();
}
