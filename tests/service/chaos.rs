//! Random runs with `PROPAGATE_DELETES` in the cloud: uploads, overwrites, broken versions and deletes, with events
//! late, doubled, shuffled and redelivered until acknowledged, over two instances whose storage calls meet faults,
//! beside reconciles that are killed, instances that are killed or terminated, and a second deployment whose prefix is
//! nested in the first's.
//!
//! `CHAOS_SEEDS` is the number of runs, or `CHAOS_MINUTES` their duration (tests/bench/chaos); `TEST_SEED` is the first
//! run's seed, and each next run's is one more.

mod cloud;
mod happening;

use std::collections::VecDeque;
use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use self::cloud::{Cloud, Event};
use self::happening::{Change, Happening, Source};
use crate::reconcile;
use crate::rng::Rng;

const NAMES: usize = 6;
const CHANGES: usize = 30;
const WORKERS: usize = 8;
/// With fewer steps left, no faults are injected any more.
const CALM: usize = 8;
/// Faults are injected anew after so many steps.
const PERIOD: usize = 12;
/// An event that isn't acknowledged by then counts as lost.
const MOST_ATTEMPTS: u32 = 200;

/// One run: the queue, and a record of what was done.
struct Run {
    cloud: Arc<Cloud>,
    state: Mutex<State>,
    sources: Vec<tokio::sync::Mutex<Source>>,
}

struct State {
    rng: Rng,
    queue: VecDeque<Happening>,
    steps: usize,
    events: Vec<Event>,
    /// The reconciles that are still to be killed.
    reconciles: Vec<Child>,
    begun: usize,
    killed: usize,
    /// The number of instances that were replaced.
    ended: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_in_the_cloud_ends_with_what_is_there_and_nothing_else() {
    let seeds = std::env::var("CHAOS_SEEDS").ok();
    let seeds: u64 = seeds.map_or(20, |text| text.parse().expect("CHAOS_SEEDS is a number"));
    let minutes = std::env::var("CHAOS_MINUTES").ok();
    let minutes = minutes.map(|text| text.parse().expect("CHAOS_MINUTES is a number"));
    let end = minutes.map(|minutes| Instant::now() + Duration::from_mins(minutes));
    let first = Rng::seed_from_environment("chaos");
    let cloud = Arc::new(Cloud::start().await);
    for seed in first.. {
        if end.map_or(seed == first + seeds, |end| Instant::now() > end) {
            break;
        }
        // If the test fails, the last printed seed is the failed run's.
        println!("chaos: run of TEST_SEED={seed}");
        Run::new(&cloud, seed).to_its_end().await;
    }
    cloud.assert_prune_by_each_takes_its_own().await;
    cloud.assert_faults_were_met();
}

impl Run {
    fn new(cloud: &Arc<Cloud>, seed: u64) -> Arc<Self> {
        let mut rng = Rng::new(seed);
        let mut queue: VecDeque<_> = (0..CHANGES)
            .map(|_| Happening::change(rng.below(NAMES), &mut rng))
            .collect();
        for _ in 0..rng.below(4) {
            queue.insert(rng.below(queue.len()), Happening::Reconcile);
        }
        for _ in 0..rng.below(3) {
            let gently = rng.below(2) == 0;
            queue.insert(rng.below(queue.len()), Happening::End { gently });
        }
        let source = |number| Source::new(format!("run{seed}/{number}.png"));
        Arc::new(Self {
            cloud: Arc::clone(cloud),
            state: Mutex::new(State {
                rng,
                queue,
                steps: 0,
                events: Vec::new(),
                reconciles: Vec::new(),
                begun: 0,
                killed: 0,
                ended: 0,
            }),
            sources: (0..NAMES)
                .map(source)
                .map(tokio::sync::Mutex::new)
                .collect(),
        })
    }

    async fn to_its_end(self: Arc<Self>) {
        let mut workers = JoinSet::new();
        for _ in 0..WORKERS {
            workers.spawn(Arc::clone(&self).work());
        }
        while let Some(worker) = workers.join_next().await {
            worker.expect("no worker fails");
        }
        self.cloud.calm();
        let somebody_died = self.kill_what_is_left();
        self.cloud.until_quiet().await;
        if somebody_died {
            // If an event dies or fails between its write and its last question, the next reconcile cleans up.
            let ended = self.cloud.reconcile(&["photos", "--prune"]).await;
            assert_eq!(
                (ended.code, ended.count("failed")),
                (Some(0), 0),
                "{}",
                ended.summary()
            );
        }
        self.assert_all_is_right().await;
        self.assert_duplicates_write_nothing().await;
        self.assert_all_is_right().await;
        self.cloud.assert_others_are_untouched().await;
        self.delete_all().await;
        self.assert_all_is_right().await;
    }

    async fn delete_all(&self) {
        for source in &self.sources {
            let mut source = source.lock().await;
            for event in source.change(&self.cloud, Change::Delete, 0).await {
                assert!(self.cloud.deliver(0, &event, 1).await, "{event:?}");
            }
        }
    }

    async fn work(self: Arc<Self>) {
        while let Some(happening) = self.next() {
            match happening {
                Happening::Change { name, kind, colour } => {
                    let mut source = self.sources[name].lock().await;
                    let events = source.change(&self.cloud, kind, colour).await;
                    drop(source);
                    self.announce(events);
                }
                Happening::Delivery(event, attempt) => {
                    let instance = self.state().rng.below(2);
                    if !self.cloud.deliver(instance, &event, attempt).await {
                        assert!(attempt < MOST_ATTEMPTS, "{event:?} is never acknowledged");
                        let again = Happening::Delivery(event, attempt + 1);
                        self.state().queue.push_back(again);
                    }
                }
                Happening::End { gently } => {
                    let instance = self.state().rng.below(2);
                    self.cloud.end(instance, gently).await;
                    self.state().ended += 1;
                }
                Happening::Reconcile => {
                    let instance = self.state().rng.below(2);
                    let child =
                        reconcile::spawn(&["photos", "--prune"], &self.cloud.environment(instance));
                    let mut state = self.state();
                    state.begun += 1;
                    state.reconciles.push(child);
                }
            }
        }
    }

    /// Takes the next step; meanwhile injects and clears faults, and now and then kills a reconcile.
    fn next(&self) -> Option<Happening> {
        let mut state = self.state();
        state.steps += 1;
        if state.queue.len() < CALM {
            self.cloud.calm();
        } else if state.steps.is_multiple_of(PERIOD) {
            self.cloud.calm();
            self.cloud.let_things_go_wrong();
        }
        if !state.reconciles.is_empty() && state.rng.below(6) == 0 {
            state.kill_one();
        }
        state.queue.pop_front()
    }

    /// Puts events into the queue, at any place after the first, some of them twice.
    fn announce(&self, events: Vec<Event>) {
        let mut state = self.state();
        let state = &mut *state;
        for event in events {
            let copies = 1 + usize::from(state.rng.below(3) == 0);
            for _ in 0..copies {
                let at = state.rng.below(state.queue.len() + 1);
                state
                    .queue
                    .insert(at, Happening::Delivery(event.clone(), 1));
            }
            state.events.push(event);
        }
    }

    async fn assert_all_is_right(&self) {
        for source in &self.sources {
            source
                .lock()
                .await
                .assert_has_what_is_its_own(&self.cloud)
                .await;
        }
    }

    /// Delivers every event once more, as a first delivery and as a later one.
    async fn assert_duplicates_write_nothing(&self) {
        let events = self.state().events.clone();
        let before = self.cloud.outputs().await;
        for event in &events {
            assert!(self.cloud.deliver(0, event, 1).await, "{event:?}");
        }
        let writes = self.cloud.writes();
        for event in &events {
            assert!(self.cloud.deliver(1, event, 2).await, "{event:?}");
        }
        assert_eq!(
            self.cloud.writes(),
            writes,
            "a redelivery of what is done tries to write"
        );
        assert_eq!(
            self.cloud.outputs().await,
            before,
            "a duplicate wrote or deleted"
        );
    }

    /// Kills the remaining reconciles, and returns whether any were killed at all.
    fn kill_what_is_left(&self) -> bool {
        let mut state = self.state();
        while !state.reconciles.is_empty() {
            state.kill_one();
        }
        println!(
            "chaos: {} of {} reconciles killed",
            state.killed, state.begun
        );
        state.begun + state.ended > 0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no worker panics while it holds the state")
    }
}

impl State {
    fn kill_one(&mut self) {
        let mut child = self.reconciles.swap_remove(0);
        // It may have ended by itself.
        let ended = child.try_wait().is_ok_and(|status| status.is_some());
        self.killed += usize::from(!ended);
        let _ = child.kill();
        let _ = child.wait();
    }
}
