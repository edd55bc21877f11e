//! The buckets, two instances of one deployment behind proxies, and another deployment's outputs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use image::ImageFormat;

use crate::app::{App, envelope};
use crate::fake_gcs::{FakeGcs, Stored};
use crate::pictures::{colour, plain};
use crate::proxy::{Call, Fault, Proxy};
use crate::reconcile::{self, Ended};
use crate::storage_control::StorageControl;
use crate::three;

/// The faults between the storage and the first instance, and the second one.
const FAULTS: [&[(Call, Fault)]; 2] = [
    &[
        (Call::Open, Fault::Status(503)),
        (Call::Write, Fault::AfterCommit),
        (Call::LookAtThumbnail, Fault::ResetBefore),
        (Call::LookAtSource, Fault::Status(500)),
    ],
    &[
        (Call::Write, Fault::HeldUntilCleared),
        (Call::LookAtSource, Fault::HeldUntilCleared),
        (Call::Write, Fault::Status(503)),
        (Call::LookAtThumbnail, Fault::CutBody),
    ],
];
/// How often a fault is injected in a row: more than the client retries some calls.
const TIMES: usize = 2;
/// The sources of the other deployment; the last one is deleted without an event.
const OTHERS: [&str; 3] = ["kept/0.png", "kept/1.png", "kept/gone.png"];
/// The other deployment's prefix, nested in the first's.
const NESTED: &str = "--thumbnail-prefix=thumbnails/v2/";

/// Cloud Storage's event about one version.
#[derive(Debug, Clone)]
pub struct Event {
    pub name: String,
    pub kind: &'static str,
    pub generation: i64,
    pub overwritten_by: Option<i64>,
}

pub struct Cloud {
    pub gcs: FakeGcs,
    control: StorageControl,
    proxies: [Proxy; 2],
    instances: [tokio::sync::Mutex<Arc<App>>; 2],
    /// The number of instances that were ended, whose requests may break off.
    ended: AtomicUsize,
    broken_off: AtomicUsize,
    start: Instant,
    lives: Mutex<Vec<String>>,
    /// The other deployment's outputs, by name.
    others: BTreeMap<String, Stored>,
    refused: AtomicUsize,
}

impl Cloud {
    pub async fn start() -> Self {
        let gcs = FakeGcs::start().await;
        gcs.create_bucket("photos").await;
        gcs.create_bucket("thumbs").await;
        let control = StorageControl::over(&gcs).await;
        let proxies = [
            Proxy::start(gcs.endpoint()).await,
            Proxy::start(gcs.endpoint()).await,
        ];
        let [first, second] = [&proxies[0], &proxies[1]].map(|proxy| environment(proxy, &control));
        let instances = [App::start(&first).await, App::start(&second).await];
        let instances = instances.map(Arc::new).map(tokio::sync::Mutex::new);
        let mut cloud = Self {
            gcs,
            control,
            proxies,
            instances,
            ended: AtomicUsize::new(0),
            broken_off: AtomicUsize::new(0),
            start: Instant::now(),
            lives: Mutex::default(),
            others: BTreeMap::new(),
            refused: AtomicUsize::new(0),
        };
        cloud.let_others_in().await;
        cloud
    }

    async fn let_others_in(&mut self) {
        for (version, name) in OTHERS.into_iter().enumerate() {
            let picture = plain(40, 30, colour(version), ImageFormat::Png);
            self.gcs
                .put("photos", name, &picture, "image/png", &[])
                .await;
        }
        let ended = self.reconcile_others(&[]).await;
        assert_eq!(ended.count("made"), 3);
        self.gcs.delete("photos", OTHERS[2]).await;
        self.others = self.outputs().await;
        // This deployment has outputs of the remaining ones too.
        let ended = self.reconcile(&["photos"]).await;
        assert_eq!(ended.count("made"), 2);
    }

    /// The environment of an instance, or of a command beside it.
    pub fn environment(&self, instance: usize) -> [(&str, &str); 6] {
        environment(&self.proxies[instance], &self.control)
    }

    pub async fn reconcile(&self, arguments: &[&str]) -> Ended {
        reconcile::run(arguments, &self.environment(0)).await
    }

    async fn reconcile_others(&self, more: &[&str]) -> Ended {
        let arguments = [&["photos", NESTED], more].concat();
        let environment = environment(&self.proxies[0], &self.control);
        reconcile::run(&arguments, &environment[..3]).await
    }

    /// Delivers an event, and returns whether it was acknowledged.
    pub async fn deliver(&self, instance: usize, event: &Event, attempt: u32) -> bool {
        let mut body = envelope("photos", &event.name, event.generation);
        body["deliveryAttempt"] = attempt.into();
        let attributes = &mut body["message"]["attributes"];
        attributes["eventType"] = event.kind.into();
        if let Some(by) = event.overwritten_by {
            attributes["overwrittenByGeneration"] = by.to_string().into();
        }
        let json = [("content-type", "application/json")];
        let instance = Arc::clone(&*self.instances[instance].lock().await);
        match instance.try_post("/", &json, body.to_string()).await {
            Ok(answer) if answer.status == 204 => true,
            Ok(answer) if answer.status == 503 => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                false
            }
            Ok(answer) => panic!("{event:?} is answered {}: {}", answer.status, answer.text()),
            Err(_) if self.ended.load(Ordering::Relaxed) > 0 => {
                self.broken_off.fetch_add(1, Ordering::Relaxed);
                false
            }
            Err(error) => panic!("{event:?} is not answered: {error}"),
        }
    }

    /// Replaces an instance, which is killed or terminated with its work in flight.
    pub async fn end(&self, instance: usize, gently: bool) {
        let mut place = self.instances[instance].lock().await;
        let peak = place.peak_memory() >> 10;
        self.ended.fetch_add(1, Ordering::Relaxed);
        if gently {
            place.sigterm();
            assert!(place.wait().await.success(), "the exit after SIGTERM");
        } else {
            place.kill();
        }
        *place = Arc::new(App::start(&self.environment(instance)).await);
        let (at, how) = (
            self.start.elapsed().as_secs(),
            if gently { "terminated" } else { "killed" },
        );
        let life = format!("chaos: at {at} s an instance is {how}, peak {peak} KiB");
        self.lives.lock().expect("no panic meanwhile").push(life);
    }

    pub fn let_things_go_wrong(&self) {
        for (proxy, faults) in self.proxies.iter().zip(FAULTS) {
            for (call, fault) in faults {
                proxy.inject(*call, *fault, TIMES);
            }
        }
        self.control.lose_answers_to_deletes(1);
    }

    /// Releases held requests, and injects no faults from now on.
    pub fn calm(&self) {
        self.proxies.iter().for_each(Proxy::clear);
        self.control.lose_answers_to_deletes(0);
    }

    /// Waits until the storage has done all that it was asked, also by dead instances.
    pub async fn until_quiet(&self) {
        for proxy in &self.proxies {
            proxy.until_quiet().await;
        }
    }

    /// The number of attempted writes so far.
    pub fn writes(&self) -> usize {
        let writes = self.proxies.iter().map(|proxy| proxy.count(Call::Write));
        writes.sum()
    }

    /// All objects of the target bucket.
    pub async fn outputs(&self) -> BTreeMap<String, Stored> {
        let mut outputs = BTreeMap::new();
        for name in self.gcs.list("thumbs").await {
            let stored = self.gcs.get("thumbs", &name).await;
            outputs.insert(name, stored.expect("it was listed"));
        }
        outputs
    }

    pub async fn assert_others_are_untouched(&self) {
        for (name, before) in &self.others {
            let now = self.gcs.get("thumbs", name).await;
            assert_eq!(now.as_ref(), Some(before), "{name} is another deployment's");
        }
    }

    /// Runs a whole reconcile for each deployment: the first has nothing to prune, the other its orphan.
    pub async fn assert_prune_by_each_takes_its_own(&self) {
        let before = self.outputs().await;
        let ended = self.reconcile(&["photos", "--prune"]).await;
        let left = (
            ended.count("made"),
            ended.count("orphans"),
            ended.count("pruned"),
        );
        assert_eq!(left, (0, 0, 0), "{}", ended.summary());
        assert_eq!(self.outputs().await, before);
        let ended = self.reconcile_others(&["--prune"]).await;
        assert_eq!((ended.count("made"), ended.count("pruned")), (0, 1));
        let mut after = before;
        after.remove(&format!("thumbnails/v2/{}", OTHERS[2]));
        assert_eq!(self.outputs().await, after);
    }

    pub fn assert_faults_were_met(&self) {
        for (proxy, faults) in self.proxies.iter().zip(FAULTS) {
            for (call, fault) in faults {
                let hits = proxy.hits(*call, *fault);
                println!("chaos: {hits} × {call:?} × {fault:?}");
                assert!(hits > 0, "{call:?} never met {fault:?}");
            }
        }
        let refused = self.refused.load(Ordering::Relaxed);
        println!("chaos: {refused} answers of 503");
        assert!(refused > 0, "nothing was redelivered");
        for life in &*self.lives.lock().expect("no panic meanwhile") {
            println!("{life}");
        }
        let broken_off = self.broken_off.load(Ordering::Relaxed);
        println!("chaos: {broken_off} requests broken off");
        let ended = self.ended.load(Ordering::Relaxed);
        assert!(ended > 0, "no instance was ended");
        let lost = self.control.answers_lost();
        println!("chaos: {lost} answers to deletes lost");
        assert!(lost > 0, "no answer to a delete was lost");
    }
}

/// The storage's variables, and then the deployment's.
fn environment<'a>(proxy: &'a Proxy, control: &'a StorageControl) -> [(&'a str, &'a str); 6] {
    [
        ("STORAGE_EMULATOR_HOST", proxy.endpoint()),
        ("STORAGE_CONTROL_ENDPOINT", control.endpoint()),
        ("TARGET_BUCKET", "thumbs"),
        ("RENDITIONS", three::RENDITIONS),
        ("PROPAGATE_DELETES", "true"),
        ("SOURCE_TYPES", "png,webp,bmp,tif"),
    ]
}
