//! A noodle shop on its way over the API, from the first contact to a terminal on the counter. The
//! way is walked once; every test goes on from a copy.

use crate::site::{Site, bearer};
use axum::body::Body;
use serde_json::{Value, json};
use starpay_domain::instant::Timestamp;
use std::path::Path;
use tokio::sync::OnceCell;

/// The terminal's serial.
pub(crate) const SERIAL: &str = "99990004STAR00000001";
/// The owner's mobile.
pub(crate) const MOBILE: &str = "15400000001";
/// When the template was made, and when a copy goes on.
const MADE: &str = "2026-11-23T02:00:00Z";
const GOES_ON: &str = "2026-11-23T03:00:00Z";

macro_rules! specimens {
    ($($kind:literal $file:literal),+ $(,)?) => {
        &[$(($kind, include_bytes!(concat!("../../../../testdata/specimens/", $file)))),+]
    };
}

/// The pictures of a sole proprietor.
pub(crate) const DOCUMENTS: &[(&str, &[u8])] = specimens![
    "licence" "licence.png",
    "id_front" "id_front.png",
    "id_back" "id_back.png",
    "shop_front" "shop_front.jpg",
    "shop_inside" "shop_inside.jpg",
    "cashier" "cashier.jpg",
    "settle_card" "settle_card.png",
];

static SHIPPED: OnceCell<tempfile::TempDir> = OnceCell::const_new();

/// The shop, its site and its owner's session.
pub(crate) struct Shop {
    pub(crate) site: Site,
    pub(crate) owner: String,
}

impl Shop {
    /// The terminal is on its way; everything over a real socket.
    pub(crate) async fn shipped() -> Self {
        let template = SHIPPED
            .get_or_init(|| async {
                let now = Timestamp::parse(MADE).unwrap();
                let folder = tempfile::tempdir().unwrap();
                let site = Site::over(folder, now, starpay_web::without_pages());
                let owner = site.merchant(MOBILE).await;
                let shop = Self { site, owner };
                shop.walk().await;
                shop.site.into_folder()
            })
            .await;
        let folder = tempfile::tempdir().unwrap();
        copy(template.path(), folder.path());
        let now = Timestamp::parse(GOES_ON).unwrap();
        let site = Site::over(folder, now, starpay_web::without_pages()).on_a_socket().await;
        let owner = site.merchant(MOBILE).await;
        Self { site, owner }
    }

    /// The terminal stands in the shop.
    pub(crate) async fn delivered() -> Self {
        let shop = Self::shipped().await;
        shop.receive().await;
        shop
    }

    /// The courier brings the parcel and the owner confirms it.
    pub(crate) async fn receive(&self) {
        let id = self.only("shipments").await;
        let courier = self.site.key_of("courier").await;
        self.done(&courier, &format!("/api/v1/shipments/{id}/track"), &json!({"status": "delivered"})).await;
        let receipt = json!({"serial": SERIAL, "seal_intact": true});
        self.done(&self.owner, &format!("/api/v1/shipments/{id}/receive"), &receipt).await;
    }

    /// Asks for an activation code; the activation and the code from the SMS.
    pub(crate) async fn code(&self) -> (String, String) {
        let asked = self.done(&self.owner, "/api/v1/activations", &json!({"serial": SERIAL})).await;
        (asked["id"].as_str().unwrap().to_owned(), self.newest("activation_code").await)
    }

    /// The code in the newest message of this template.
    pub(crate) async fn newest(&self, template: &str) -> String {
        let messages = self.site.get("", "/dev/outbox.json").await.json();
        // Whatever is written from now on is newer.
        self.site.clock.advance_ms(2);
        let sent = messages["data"].as_array().unwrap();
        let newest = sent.iter().rfind(|message| message["template"] == template);
        newest.unwrap()["code"].as_str().unwrap().to_owned()
    }

    /// A POST that must succeed, under the path as its idempotency key.
    pub(crate) async fn done(&self, token: &str, path: &str, body: &Value) -> Value {
        let answer = self.site.post(token, path, path, body).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text);
        answer.json()
    }

    /// The id of the only row of one of the owner's lists.
    pub(crate) async fn only(&self, list: &str) -> String {
        let rows = self.site.get(&self.owner, &format!("/api/v1/{list}")).await.json();
        assert_eq!(rows["data"].as_array().map(Vec::len), Some(1), "{rows}");
        rows["data"][0]["id"].as_str().unwrap().to_owned()
    }

    async fn walk(&self) {
        let (site, owner) = (&self.site, &self.owner);
        let application = self.apply().await;
        let visit = self.only("visits").await;
        let from = site.clock_text(60);
        let until = site.clock_text(3600);
        self.done(owner, &format!("/api/v1/visits/{visit}/book"), &json!({"from": from, "until": until}))
            .await;
        let verifier = site.key_of("field_verifier").await;
        self.done(&verifier, &format!("/api/v1/visits/{visit}/start"), &json!({})).await;
        let found = json!({"result": "pass", "latitude_e6": 22_543_120, "longitude_e6": 114_057_900,
            "risk_notice_confirmed": true});
        self.done(&verifier, &format!("/api/v1/visits/{visit}/finish"), &found).await;
        let reviewer = site.key_of("reviewer").await;
        for decision in ["claim", "approve"] {
            self.done(&reviewer, &format!("/api/v1/applications/{application}/{decision}"), &json!({})).await;
        }
        self.sign().await;
        site.run_jobs().await;
        let registration = self.only("registrations").await;
        let seen = site.get(owner, "/api/v1/registrations").await.json();
        assert_eq!(seen["data"][0]["state"], "registered", "{registration}: {seen}");
        self.ship().await;
    }

    async fn apply(&self) -> String {
        let (site, owner) = (&self.site, &self.owner);
        let application =
            self.done(owner, "/api/v1/applications", &json!({"subject_type": "sole_proprietor"})).await;
        let id = application["id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/applications/{id}");
        let patch = bearer("PATCH", &path, owner).header("Content-Type", "application/json");
        let patched =
            site.send(patch.body(Body::from(json!({"fields": fields()}).to_string())).unwrap()).await;
        assert!(patched.status.is_success(), "{}", patched.text);
        for (kind, picture) in DOCUMENTS {
            let upload = bearer("POST", &format!("{path}/documents?kind={kind}"), owner)
                .header("Idempotency-Key", *kind)
                .body(Body::from(*picture));
            let kept = site.send(upload.unwrap()).await;
            assert!(kept.status.is_success(), "{kind}: {}", kept.text);
        }
        self.done(owner, &format!("{path}/submit"), &json!({})).await;
        site.run_jobs().await;
        id
    }

    async fn sign(&self) {
        let signer = self.newest("sign_link").await;
        let offered = self.site.get(&signer, "/api/v1/agreements/current").await.json();
        let path = format!("/api/v1/agreements/{}", offered["id"].as_str().unwrap());
        self.done(&signer, &format!("{path}/sign-code"), &json!({})).await;
        let signed = json!({"code": self.newest("sign_code").await, "sha256": offered["sha256"]});
        self.done(&signer, &format!("{path}/sign"), &signed).await;
    }

    async fn ship(&self) {
        let warehouse = self.site.key_of("warehouse").await;
        self.done(&warehouse, "/api/v1/devices", &json!({"serial": SERIAL, "model": "STAR-A1"})).await;
        let shipment = format!("/api/v1/shipments/{}", self.only("shipments").await);
        self.done(&self.owner, &format!("{shipment}/confirm-address"), &json!({"address": null})).await;
        let packed = json!({"serial": SERIAL, "seal": "SEAL-1"});
        self.done(&warehouse, &format!("{shipment}/pack"), &packed).await;
        let handed = json!({"carrier": "sandbox", "tracking_no": "SBX1"});
        self.done(&warehouse, &format!("{shipment}/hand-over"), &handed).await;
    }
}

/// The form of the shop.
pub(crate) fn fields() -> Value {
    json!({
        "licence.uscc": "92440399MA5DEM039F", "licence.name": "深圳市样例区星光小面馆",
        "licence.address": "广东省深圳市样例区样例路99号", "licence.scope": "餐饮服务",
        "licence.valid_to": "长期", "principal.name": "林样例",
        "principal.id_number": "440399200002291128", "principal.id_valid_from": "2020-03-01",
        "principal.id_valid_to": "2040-03-01", "principal.full_capacity": "true",
        "shop.name": "星光小面馆", "shop.address": "广东省深圳市样例区样例路99号",
        "shop.latitude_e6": "22543096", "shop.longitude_e6": "114057865", "shop.mcc": "5812",
        "shop.fixed": "true", "business.monthly_volume_fen": "3000000",
        "settlement.kind": "own_card", "settlement.holder": "林样例",
        "settlement.card_number": "6200000000000013", "contact.mobile": MOBILE,
        "contact.email": "lin@example.test", "consents.privacy": "true", "consents.fees": "true",
        "consents.risk_notice": "true",
    })
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}
