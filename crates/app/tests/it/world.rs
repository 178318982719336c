//! A platform on a folder of its own, and a noodle shop that went all the way to a shipped
//! terminal. The way there is walked once; every test starts on a copy of it.

use crate::support::empty_database;
use crate::terminal::Terminal;
use bytes::Bytes;
use starpay_adapters::clock::ManualClock;
use starpay_adapters::files::ObjectFiles;
use starpay_adapters::sandbox::{
    DevOutbox, Pace, SandboxCarrier, SandboxClearing, SandboxIdentity, SandboxLicences, SandboxLists,
    SandboxMailer, SandboxSigner, SandboxSms, World as Outside,
};
use starpay_app::port::{Clock, Random};
use starpay_app::view::{
    ActivationRequest, AddressConfirmation, BookVisit, FinishVisit, HandOver, InfoRequest, NewApplication,
    NewDevice, PackShipment, Page, PatchApplication, Receipt, RegistrationResult, SignCode, StartContact,
    TrackReport, VerifyContact,
};
use starpay_app::{Actor, Deployment, Mode, Platform, Ports, Role};
use starpay_domain::id::{
    ActivationId, AgreementId, ApplicationId, ContactId, RegistrationId, ShipmentId, TypedId, VisitId,
};
use starpay_domain::instant::Timestamp;
use starpay_keys::OsRandom;
use starpay_keys::keystore::{Keystore, MasterKey};
use starpay_store::{Db, DbConfig, Engine};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// 2026-11-23 08:00 in Beijing.
const START: i64 = 1_795_392_000_000_000;
/// The terminal's serial.
pub(crate) const SERIAL: &str = "99990004STAR00000001";
/// The owner's mobile.
pub(crate) const MOBILE: &str = "15400000001";
/// The mobile of somebody else who owns the same shop.
const OTHER_MOBILE: &str = "15400000002";

const FIELDS: &[(&str, &str)] = &[
    ("licence.uscc", "92440399MA5DEM039F"),
    ("licence.name", "深圳市样例区星光小面馆"),
    ("licence.address", "广东省深圳市样例区样例路99号"),
    ("licence.scope", "餐饮服务"),
    ("licence.valid_to", "长期"),
    ("principal.name", "林样例"),
    ("principal.id_number", "440399200002291128"),
    ("principal.id_valid_from", "2020-03-01"),
    ("principal.id_valid_to", "2040-03-01"),
    ("principal.full_capacity", "true"),
    ("shop.name", "星光小面馆"),
    ("shop.address", "广东省深圳市样例区样例路99号"),
    ("shop.latitude_e6", "22543096"),
    ("shop.longitude_e6", "114057865"),
    ("shop.mcc", "5812"),
    ("shop.fixed", "true"),
    ("business.monthly_volume_fen", "3000000"),
    ("settlement.kind", "own_card"),
    ("settlement.holder", "林样例"),
    ("settlement.card_number", "6200000000000013"),
    ("contact.mobile", MOBILE),
    ("contact.email", "lin@example.test"),
    ("consents.privacy", "true"),
    ("consents.fees", "true"),
    ("consents.risk_notice", "true"),
];

macro_rules! specimens {
    ($($kind:literal $file:literal),+ $(,)?) => {
        &[$(($kind, include_bytes!(concat!("../../../../testdata/specimens/", $file)))),+]
    };
}

const DOCUMENTS: &[(&str, &[u8])] = specimens![
    "licence" "licence.png",
    "id_front" "id_front.png",
    "id_back" "id_back.png",
    "shop_front" "shop_front.jpg",
    "shop_inside" "shop_inside.jpg",
    "cashier" "cashier.jpg",
    "settle_card" "settle_card.png",
];

/// A platform and everything around it.
pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) platform: Platform,
    pub(crate) keystore: Arc<Keystore>,
    pub(crate) clock: Arc<ManualClock>,
    config: DbConfig,
    pub(crate) trust: starpay_keys::certificate::Certificate,
    owner: OnceCell<Actor>,
    licence_name: Option<&'static str>,
}

/// How far a shop went before a test begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Far {
    /// The owner signed in.
    Begun,
    /// A reviewer has the application.
    InReview,
    /// The agreement is offered.
    Offered,
    /// The registries were told.
    Reported,
    /// The registries answered; a parcel is to be packed.
    Registered,
    /// The terminal is packed.
    Packed,
    /// The terminal is on its way.
    Shipped,
}

static SHIPPED: OnceCell<tempfile::TempDir> = OnceCell::const_new();

impl World {
    /// The shop is ready, its terminal delivered and received.
    pub(crate) async fn delivered() -> Self {
        let world = Self::shipped().await;
        world.receive().await;
        world
    }

    /// The shop is ready, its terminal on the way.
    pub(crate) async fn shipped() -> Self {
        let template = SHIPPED
            .get_or_init(|| async {
                let folder = tempfile::tempdir().unwrap();
                let config = sqlite_in(folder.path());
                let world = Self::open(folder, config, START);
                world.walk_to_shipment().await;
                let World { folder, platform, .. } = world;
                platform.db().close();
                folder
            })
            .await;
        let folder = tempfile::tempdir().unwrap();
        copy(template.path(), folder.path());
        let config = sqlite_in(folder.path());
        Self::open(folder, config, START + 3_600_000_000)
    }

    /// The application is approved and its agreement offered.
    pub(crate) async fn to_be_signed() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = sqlite_in(folder.path());
        let world = Self::open(folder, config, START);
        world.walk_to_signing().await;
        world
    }

    /// As [`World::to_be_signed`], under a name to which the simulated world reacts.
    pub(crate) async fn to_be_signed_as(licence_name: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = sqlite_in(folder.path());
        let world = Self { licence_name: Some(licence_name), ..Self::open(folder, config, START) };
        world.walk_to_signing().await;
        world
    }

    /// A shop that went so far on this engine, in a world changed like this.
    pub(crate) async fn on(engine: Engine, far: Far, change: impl FnOnce(&mut Ports)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("db")).unwrap();
        let config = tokio::task::block_in_place(|| empty_database(engine, &folder.path().join("db")));
        let world = Self::open_changed(folder, config, START, change);
        world.walk(far).await;
        world
    }

    /// As [`World::shipped`], on PostgreSQL: the whole way is walked there.
    pub(crate) async fn shipped_on_postgres() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = tokio::task::block_in_place(|| empty_database(Engine::Postgres, folder.path()));
        let world = Self::open(folder, config, START);
        world.walk_to_shipment().await;
        world
    }

    fn open(folder: tempfile::TempDir, config: DbConfig, micros: i64) -> Self {
        Self::open_changed(folder, config, micros, |_| ())
    }

    fn open_changed(
        folder: tempfile::TempDir,
        config: DbConfig,
        micros: i64,
        change: impl FnOnce(&mut Ports),
    ) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(micros)));
        let random: Arc<dyn Random> = Arc::new(OsRandom);
        let at = |name: &str| folder.path().join(name);
        let (db, policy) = tokio::task::block_in_place(|| {
            Db::migrate(&config).unwrap();
            let db = Db::open(&config).unwrap();
            let policy = starpay_app::found(&db, Mode::Sandbox, clock.now()).unwrap();
            (db, policy)
        });
        let now_s = clock.now().millis() / 1000;
        let master = MasterKey::file(at("master.key"));
        let keystore =
            Keystore::open_or_create(&at("keystore"), &master, now_s, Arc::clone(&random)).unwrap();
        let trust = keystore.root_certificate();
        let outside =
            Outside::open(&at("outside"), clock.clone(), Arc::clone(&random), Pace::Immediate).unwrap();
        let outbox = DevOutbox::default();
        std::fs::create_dir_all(at("files")).unwrap();
        let mut ports = Ports {
            identity: Arc::new(SandboxIdentity::new(outside.clone())),
            licences: Arc::new(SandboxLicences::new(outside.clone())),
            lists: Arc::new(SandboxLists::new(outside.clone())),
            clearing: Arc::new(SandboxClearing::new(outside.clone())),
            carrier: Arc::new(SandboxCarrier::new(outside.clone())),
            sms: Arc::new(SandboxSms::new(outside.clone(), outbox.clone())),
            mail: Arc::new(SandboxMailer::new(outside.clone(), outbox)),
            signer: Arc::new(SandboxSigner::new(outside)),
            files: Arc::new(ObjectFiles::in_folder(&at("files")).unwrap()),
            clock: clock.clone(),
            random,
        };
        change(&mut ports);
        let deployment = Deployment {
            mode: Mode::Sandbox,
            acquirer_name: None,
            licence_no: None,
            acquirer_code: "99990000".to_owned(),
            licensed_provinces: Vec::new(),
            channels: vec!["clearing_institution".to_owned(), "unionpay".to_owned()],
        };
        let keystore = Arc::new(keystore);
        let platform = Platform::new(db, Arc::clone(&keystore), ports, policy, deployment);
        Self { folder, platform, keystore, clock, config, trust, owner: OnceCell::new(), licence_name: None }
    }

    /// Runs SQL past the store.
    pub(crate) fn poke(&self, sql: &str) {
        crate::support::poke_at(&self.config, sql);
    }

    /// Another merchant hands in an application of the same subject, which is frozen for it.
    pub(crate) async fn freeze_another(&self) -> (Actor, ApplicationId) {
        let other = self.sign_in_as(OTHER_MOBILE).await;
        let id = self.apply(&other, &[("contact.mobile", OTHER_MOBILE)]).await;
        let seen = self.platform.application(&other, id).await.unwrap();
        assert_eq!(seen.state, "frozen");
        (other, id)
    }

    /// Somebody with this mobile hands in an application of the same subject.
    pub(crate) async fn apply_as(&self, mobile: &str) -> ApplicationId {
        let somebody = self.sign_in_as(mobile).await;
        self.apply(&somebody, &[("contact.mobile", mobile)]).await
    }

    /// The owner applies anew with these answers, up to the offer of the agreement.
    pub(crate) async fn apply_again(&self, changed: &[(&str, &str)]) -> ApplicationId {
        let owner = self.owner().await;
        let id = self.apply(&owner, changed).await;
        self.verify(&owner).await;
        let reviewer = self.staff(Role::Reviewer);
        self.platform.claim_application(&reviewer, None, id).await.unwrap();
        self.platform.approve_application(&reviewer, None, id, None).await.unwrap();
        id
    }

    /// The reviewer asks for another answer, the owner gives it, and the reviewer has the case again.
    pub(crate) async fn correct(&self, field: &str, answer: &str, id: ApplicationId) {
        let (platform, owner, reviewer) = (&self.platform, self.owner().await, self.staff(Role::Reviewer));
        let asked = InfoRequest { fields: vec![field.to_owned()], reasons: Vec::new() };
        platform.request_info(&reviewer, None, id, asked).await.unwrap();
        let fields = BTreeMap::from([(field.to_owned(), answer.to_owned())]);
        platform.patch_application(&owner, id, None, PatchApplication { fields }).await.unwrap();
        platform.submit_application(&owner, None, id, None).await.unwrap();
        self.run_jobs().await;
        self.verify(&owner).await;
        platform.claim_application(&reviewer, None, id).await.unwrap();
    }

    /// Lets time pass.
    pub(crate) fn wait_minutes(&self, minutes: u32) {
        for _ in 0..minutes {
            self.clock.advance_ms(60_000);
        }
    }

    /// A fresh terminal with the delivered one's serial.
    pub(crate) fn terminal(&self) -> Terminal<'_> {
        Terminal::new(self)
    }

    /// Whoever works at the platform in this role.
    pub(crate) fn staff(&self, role: Role) -> Actor {
        // Parcels go out with the simulated carrier.
        let subject = (role == Role::Courier).then(|| "sandbox".to_owned());
        Actor { id: format!("ak_{}", role.as_str()), role, merchant: None, subject, request: None }
    }

    /// The registry of a channel.
    pub(crate) fn registry(&self, channel: &str) -> Actor {
        Actor { subject: Some(channel.to_owned()), ..self.staff(Role::Registry) }
    }

    /// The owner, signed in.
    pub(crate) async fn owner(&self) -> Actor {
        self.owner.get_or_init(|| self.sign_in_as(MOBILE)).await.clone()
    }

    async fn sign_in_as(&self, mobile: &str) -> Actor {
        let contact = StartContact { mobile: mobile.to_owned(), email: Some("lin@example.test".to_owned()) };
        let started = self.platform.start_contact(None, contact).await.unwrap();
        let code = self.newest_code("one_time_code").await;
        let id = ContactId::parse(&started.contact_id).unwrap();
        let session = self.platform.verify_contact(None, id, VerifyContact { code }).await.unwrap();
        self.platform.authenticate(&session.token).await.unwrap()
    }

    /// The code in the newest message of this template.
    pub(crate) async fn newest_code(&self, template: &str) -> String {
        let messages = self.platform.dev_outbox().await.unwrap();
        // Whatever is written from now on is newer.
        self.clock.advance_ms(2);
        messages.into_iter().rev().find(|message| message.template == template).unwrap().code
    }

    /// How many messages of this template were written.
    pub(crate) async fn count(&self, template: &str) -> usize {
        self.platform
            .dev_outbox()
            .await
            .unwrap()
            .iter()
            .filter(|message| message.template == template)
            .count()
    }

    /// Asks for an activation code; answers the activation and the code from the SMS.
    pub(crate) async fn ask_for_code(&self) -> (ActivationId, String) {
        let owner = self.owner().await;
        let wanted = ActivationRequest { serial: SERIAL.to_owned() };
        let view = self.platform.request_activation(&owner, None, wanted).await.unwrap().value;
        (ActivationId::parse(&view.id).unwrap(), self.newest_code("activation_code").await)
    }

    /// The parcel arrives and the owner confirms it.
    pub(crate) async fn receive(&self) {
        let owner = self.owner().await;
        let id = self.shipment(&owner).await;
        let delivered = TrackReport { status: "delivered".to_owned() };
        self.platform.track_report(&self.staff(Role::Courier), None, id, delivered).await.unwrap();
        let receipt = Receipt { serial: SERIAL.to_owned(), seal_intact: true };
        self.platform.confirm_receipt(&owner, None, id, receipt).await.unwrap();
    }

    /// The number cards are taken under.
    pub(crate) async fn merchant_no(&self) -> String {
        let rows = self.platform.registrations(&self.owner().await, None, page()).await.unwrap().data;
        rows.into_iter().find(|row| row.channel == "unionpay").unwrap().merchant_no.unwrap()
    }

    pub(crate) async fn shipment(&self, owner: &Actor) -> ShipmentId {
        let list = self.platform.shipments(owner, None, page()).await.unwrap();
        ShipmentId::parse(&list.data[0].id).unwrap()
    }

    /// Runs what is due, and what that makes due.
    pub(crate) async fn run_jobs(&self) {
        for _ in 0..4 {
            self.platform.run_jobs_once("test".to_owned()).await;
        }
    }

    async fn walk_to_signing(&self) {
        self.walk(Far::Offered).await;
    }

    async fn walk_to_shipment(&self) {
        self.walk(Far::Shipped).await;
    }

    async fn walk(&self, far: Far) {
        let owner = self.owner().await;
        if far < Far::InReview {
            return;
        }
        let named: Vec<_> = self.licence_name.iter().map(|name| ("licence.name", *name)).collect();
        let application = self.apply(&owner, &named).await;
        self.verify(&owner).await;
        let reviewer = self.staff(Role::Reviewer);
        self.platform.claim_application(&reviewer, None, application).await.unwrap();
        if far >= Far::Offered {
            self.platform.approve_application(&reviewer, None, application, None).await.unwrap();
        }
        if far >= Far::Reported {
            self.sign().await;
            self.run_jobs().await;
        }
        if far >= Far::Registered {
            self.register(&owner).await;
        }
        if far >= Far::Packed {
            self.pack(&owner).await;
        }
        if far >= Far::Shipped {
            self.hand_over(&owner).await;
        }
    }

    pub(crate) async fn apply(&self, owner: &Actor, changed: &[(&str, &str)]) -> ApplicationId {
        let platform = &self.platform;
        let wanted = NewApplication { subject_type: "sole_proprietor".to_owned(), business_no: None };
        let started = platform.start_application(owner, None, wanted).await.unwrap().value;
        let id = ApplicationId::parse(&started.id).unwrap();
        let answers = FIELDS.iter().chain(changed);
        let fields: BTreeMap<String, String> =
            answers.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        platform.patch_application(owner, id, None, PatchApplication { fields }).await.unwrap();
        for (kind, picture) in DOCUMENTS {
            platform.add_document(owner, None, id, kind, Bytes::from_static(picture)).await.unwrap();
        }
        platform.submit_application(owner, None, id, None).await.unwrap();
        self.run_jobs().await;
        id
    }

    async fn verify(&self, owner: &Actor) {
        let visits = self.platform.visits(owner, None, page()).await.unwrap().data;
        let offered = visits.iter().find(|visit| visit.state == "offered").unwrap();
        let id = VisitId::parse(&offered.id).unwrap();
        let slot = BookVisit {
            from: self.clock.now().plus_seconds(60).to_string(),
            until: self.clock.now().plus_seconds(3600).to_string(),
        };
        self.platform.book_visit(owner, None, id, slot).await.unwrap();
        let visitor = self.staff(Role::FieldVerifier);
        self.platform.start_visit(&visitor, None, id).await.unwrap();
        let found = FinishVisit {
            result: "pass".to_owned(),
            reasons: Vec::new(),
            latitude_e6: 22_543_120,
            longitude_e6: 114_057_900,
            risk_notice_confirmed: true,
        };
        self.platform.finish_visit(&visitor, None, id, found).await.unwrap();
    }

    pub(crate) async fn sign(&self) {
        let link = self.newest_code("sign_link").await;
        let signer = self.platform.authenticate(&link).await.unwrap();
        let agreement = self.platform.current_agreement(&signer).await.unwrap();
        let id = AgreementId::parse(&agreement.id).unwrap();
        self.platform.send_sign_code(&signer, None, id).await.unwrap();
        let code = self.newest_code("sign_code").await;
        self.platform
            .sign_agreement(&signer, None, id, SignCode { code, sha256: agreement.sha256 })
            .await
            .unwrap();
    }

    pub(crate) async fn register(&self, owner: &Actor) {
        for row in self.platform.registrations(owner, None, page()).await.unwrap().data {
            if row.state != "sent" {
                continue;
            }
            let result = RegistrationResult {
                result: "registered".to_owned(),
                network_ref: format!("REG-{}", row.channel),
                merchant_no: Some("999584058120001".to_owned()),
                terminal_no: Some("A0000001".to_owned()),
                reason: None,
                field: None,
            };
            let id = RegistrationId::parse(&row.id).unwrap();
            self.platform.answer_registration(&self.registry(&row.channel), None, id, result).await.unwrap();
        }
    }

    pub(crate) async fn pack(&self, owner: &Actor) {
        let (platform, warehouse) = (&self.platform, self.staff(Role::Warehouse));
        let device = NewDevice { serial: SERIAL.to_owned(), model: "STAR-A1".to_owned() };
        platform.stock_device(&warehouse, None, device).await.unwrap();
        let id = self.shipment(owner).await;
        platform.confirm_address(owner, None, id, AddressConfirmation { address: None }).await.unwrap();
        let packed = PackShipment { serial: SERIAL.to_owned(), seal: "SEAL-1".to_owned() };
        platform.pack_shipment(&warehouse, None, id, packed).await.unwrap();
    }

    async fn hand_over(&self, owner: &Actor) {
        let (id, warehouse) = (self.shipment(owner).await, self.staff(Role::Warehouse));
        let handed = HandOver { carrier: "sandbox".to_owned(), tracking_no: Some("SBX1".to_owned()) };
        self.platform.hand_over_shipment(&warehouse, None, id, handed).await.unwrap();
    }
}

fn sqlite_in(folder: &Path) -> DbConfig {
    std::fs::create_dir_all(folder.join("db")).unwrap();
    empty_database(Engine::Sqlite, &folder.join("db"))
}

/// The first page.
pub(crate) fn page() -> Page {
    Page::default()
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
