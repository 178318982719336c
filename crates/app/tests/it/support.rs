//! What a test stands on: a whole platform over one engine, with a clock of its own.

use crate::postgres::Server;
use bytes::Bytes;
use starpay_adapters::clock::ManualClock;
use starpay_adapters::files::ObjectFiles;
use starpay_adapters::sandbox::{
    DevOutbox, Pace, SandboxCarrier, SandboxClearing, SandboxIdentity, SandboxLicences, SandboxLists,
    SandboxMailer, SandboxSigner, SandboxSms, World,
};
use starpay_app::port::{Clock, Random};
use starpay_app::view::{DocumentView, NewApplication, PatchApplication, StartContact, VerifyContact};
use starpay_app::{Actor, Deployment, Erasure, Mode, Platform, Ports, Role};
use starpay_domain::id::{ApplicationId, ContactId, MerchantId, TypedId};
use starpay_domain::instant::Timestamp;
use starpay_keys::OsRandom;
use starpay_keys::keystore::{Keystore, MasterKey};
use starpay_store::{Db, DbConfig, Engine, Location};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use tempfile::TempDir;

/// The passphrase of every test's archive.
pub(crate) const PASSPHRASE: &str = "correct horse battery staple";

/// The server of this test run. It ends with the process.
static SERVER: LazyLock<Result<Server, String>> =
    LazyLock::new(|| Server::start(&["fsync=off", "max_connections=200", "shared_buffers=32MB"]));
static COUNTER: AtomicU64 = AtomicU64::new(1);

/// A platform and what it lives in.
pub(crate) struct Stand {
    pub(crate) platform: Platform,
    pub(crate) config: DbConfig,
    pub(crate) clock: Arc<ManualClock>,
    folder: Arc<TempDir>,
}

/// A merchant with an application that has documents.
pub(crate) struct Shop {
    pub(crate) actor: Actor,
    pub(crate) merchant: MerchantId,
    pub(crate) application: ApplicationId,
    pub(crate) document: DocumentView,
    pub(crate) token: String,
}

impl Stand {
    pub(crate) fn new(engine: Engine) -> Self {
        Self::changed(engine, |_| ())
    }

    /// A platform whose outside world is changed like this.
    pub(crate) fn changed(engine: Engine, change: impl FnOnce(&mut Ports)) -> Self {
        let folder = Arc::new(TempDir::new().unwrap());
        let config = empty_database(engine, folder.path());
        Db::migrate(&config).unwrap();
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_767_225_600_000_000)));
        Self::over_changed(folder, config, clock, change)
    }

    /// The platform over a database and a folder that hold one already, or are fresh.
    pub(crate) fn over(folder: Arc<TempDir>, config: DbConfig, clock: Arc<ManualClock>) -> Self {
        Self::over_changed(folder, config, clock, |_| ())
    }

    fn over_changed(
        folder: Arc<TempDir>,
        config: DbConfig,
        clock: Arc<ManualClock>,
        change: impl FnOnce(&mut Ports),
    ) -> Self {
        let (time, random): (Arc<dyn Clock>, Arc<dyn Random>) = (clock.clone(), Arc::new(OsRandom));
        let master = MasterKey::file(folder.path().join("master.key"));
        let keystore = folder.path().join("keystore");
        let keystore =
            Keystore::open_or_create(&keystore, &master, seconds(&*clock), random.clone()).unwrap();
        let db = Db::open(&config).unwrap();
        let policy = starpay_app::found(&db, Mode::Sandbox, clock.now()).unwrap();
        let world =
            World::open(&folder.path().join("sandbox"), time.clone(), random.clone(), Pace::Immediate)
                .unwrap();
        let outbox = DevOutbox::default();
        let mut ports = Ports {
            identity: Arc::new(SandboxIdentity::new(world.clone())),
            licences: Arc::new(SandboxLicences::new(world.clone())),
            lists: Arc::new(SandboxLists::new(world.clone())),
            clearing: Arc::new(SandboxClearing::new(world.clone())),
            carrier: Arc::new(SandboxCarrier::new(world.clone())),
            sms: Arc::new(SandboxSms::new(world.clone(), outbox.clone())),
            mail: Arc::new(SandboxMailer::new(world.clone(), outbox)),
            signer: Arc::new(SandboxSigner::new(world)),
            files: Arc::new(ObjectFiles::in_folder(&folder.path().join("files")).unwrap()),
            clock: time,
            random,
        };
        change(&mut ports);
        let deployment = Deployment {
            mode: Mode::Sandbox,
            acquirer_name: None,
            licence_no: None,
            acquirer_code: "99990000".to_owned(),
            licensed_provinces: Vec::new(),
            channels: vec!["clearing_institution".to_owned()],
        };
        let platform = Platform::new(db, Arc::new(keystore), ports, policy, deployment);
        Self { platform, config, clock, folder }
    }

    /// The same place with a new process in it.
    pub(crate) fn restart(self) -> Self {
        self.platform.db().close();
        let Self { platform, config, clock, folder } = self;
        drop(platform);
        Self::over(folder, config, clock)
    }

    /// Another node over the same database and keystore.
    pub(crate) fn second_node(&self) -> Self {
        Self::over(Arc::clone(&self.folder), self.config.clone(), Arc::clone(&self.clock))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Moves the clock on.
    pub(crate) fn wait_days(&self, days: i64) {
        self.clock.advance_to(self.clock.now().plus_seconds(days * 86_400));
    }

    /// A merchant who signs in and begins an application with one document.
    pub(crate) async fn shop(&self, mobile: &str) -> Shop {
        // One moment for each: the outbox shows messages in the order of their moments.
        self.clock.advance_ms(1);
        let started = StartContact { mobile: mobile.to_owned(), email: Some("lin@example.test".to_owned()) };
        let started = self.platform.start_contact(None, started).await.unwrap();
        let code = self.platform.dev_outbox().await.unwrap().pop().unwrap().code;
        let contact = ContactId::parse(&started.contact_id).unwrap();
        let session = self.platform.verify_contact(None, contact, VerifyContact { code }).await.unwrap();
        let actor = self.platform.authenticate(&session.token).await.unwrap();
        let wanted = NewApplication { subject_type: "sole_proprietor".to_owned(), business_no: None };
        let application = self.platform.start_application(&actor, None, wanted).await.unwrap().value;
        let application = ApplicationId::parse(&application.id).unwrap();
        let fields = BTreeMap::from([("shop.name".to_owned(), "星光小面馆".to_owned())]);
        let patch = PatchApplication { fields };
        self.platform.patch_application(&actor, application, None, patch).await.unwrap();
        let document = self
            .platform
            .add_document(
                &actor,
                None,
                application,
                "licence",
                picture(COUNTER.fetch_add(1, Ordering::Relaxed)),
            )
            .await
            .unwrap()
            .value;
        let merchant = MerchantId::parse(&session.merchant_id).unwrap();
        Shop { actor, merchant, application, document, token: session.token }
    }

    /// Runs SQL past the store, as somebody with the database's file or password would.
    pub(crate) fn poke(&self, sql: &str) {
        poke_at(&self.config, sql);
    }

    /// An id as an SQL literal.
    pub(crate) fn literal(&self, id: impl TypedId) -> String {
        match self.config.location.engine() {
            Engine::Sqlite => format!("x'{}'", id.uuid().simple()),
            Engine::Postgres => format!("'\\x{}'::bytea", id.uuid().simple()),
        }
    }
}

/// Runs SQL past the store that is there.
pub(crate) fn poke_at(config: &DbConfig, sql: &str) {
    match &config.location {
        Location::Sqlite { path } => {
            let connection = rusqlite::Connection::open(path).unwrap();
            connection.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
            connection.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
        Location::Postgres { url } => poke(url, sql),
    }
}

/// The administrator.
pub(crate) fn admin() -> Actor {
    Actor { id: "ak_test".to_owned(), role: Role::Admin, merchant: None, subject: None, request: None }
}

/// What the administrator says to erase this merchant.
pub(crate) fn erasure(merchant: MerchantId) -> Erasure {
    Erasure { confirm: merchant.to_string(), reason: "asked for by the owner".to_owned() }
}

/// The job runner.
pub(crate) fn jobs() -> Actor {
    Actor::system("jobs")
}

fn seconds(clock: &dyn Clock) -> i64 {
    clock.now().millis().div_euclid(1000)
}

/// A place for a database that is not there yet.
pub(crate) fn empty_database(engine: Engine, folder: &Path) -> DbConfig {
    let mut config = DbConfig::new(match engine {
        Engine::Sqlite => Location::Sqlite { path: folder.join("starpay.db") },
        Engine::Postgres => Location::Postgres { url: new_database() },
    });
    (config.workers, config.readers) = (2, 2);
    config
}

fn new_database() -> String {
    let base = std::env::var_os("STARPAY_TEST_POSTGRES").and_then(|url| url.into_string().ok());
    let server = |database: &str| match &base {
        Some(base) => format!("{}/{database}", base.trim_end_matches('/')),
        None => SERVER.as_ref().unwrap_or_else(|error| panic!("{error}")).url(database),
    };
    let name = format!("starpay_app_{}_{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
    poke(&server("postgres"), &format!("DROP DATABASE IF EXISTS {name}"));
    poke(&server("postgres"), &format!("CREATE DATABASE {name}"));
    server(&name)
}

/// Runs SQL on PostgreSQL; from a thread of its own, because a test's runtime may be on this one.
fn poke(url: &str, sql: &str) {
    let (url, sql) = (url.to_owned(), sql.to_owned());
    let poked = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut tried = 0;
            let (client, connection) = loop {
                // A server that is only just up says so; it is asked again.
                match tokio_postgres::connect(&url, tokio_postgres::NoTls).await {
                    Ok(made) => break made,
                    Err(error) if tried >= 100 => panic!("{url}: {error}"),
                    Err(_) => tried += 1,
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            };
            let driver = tokio::spawn(connection);
            client.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
            drop(client);
            drop(driver.await);
        });
    });
    poked.join().unwrap();
}

/// A picture large enough to read, another one for each number.
pub(crate) fn picture(number: u64) -> Bytes {
    let shade = u8::try_from(number % 251).unwrap();
    let pixels = image::RgbImage::from_fn(1000, 1000, |x, y| {
        let grain = u8::try_from((x / 8 + y / 8) % 200).unwrap();
        image::Rgb([grain, shade, 128])
    });
    let mut out = std::io::Cursor::new(Vec::new());
    pixels.write_to(&mut out, image::ImageFormat::Png).unwrap();
    Bytes::from(out.into_inner())
}

/// Runs a test on both engines.
pub(crate) fn on_both<F: Future<Output = Stand>>(test: impl Fn(Stand) -> F) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let stand = Stand::new(engine);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let stand = runtime.block_on(test(stand));
        stand.platform.db().close();
    }
}
