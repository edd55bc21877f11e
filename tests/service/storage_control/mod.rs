//! A gRPC server of listing and deleting, the two calls that Google's client makes over gRPC, generated from Google's
//! definition: with opaque page tokens, pages of any length, empty pages, and errors on demand.

mod generate;
#[rustfmt::skip]
#[expect(clippy::pedantic, reason = "generated code is as its generator writes it")]
mod generated;
mod objects;

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::net::TcpListener;
use tokio::sync::RwLock;
use tokio::task::AbortHandle;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Response, Status};

use self::generated::storage_server::{Storage, StorageServer};
use self::generated::{DeleteObjectRequest, ListObjectsRequest, ListObjectsResponse};
use self::objects::Objects;
use crate::fake_gcs::FakeGcs;
use crate::http::Client;

pub use self::generated::Object;

/// Locked by a delete, whose check and deletion are two calls of the fake Cloud Storage, and shared by writes through
/// proxies.
pub static DELETING: RwLock<()> = RwLock::const_new(());

/// A running server; dropping it closes its port.
pub struct StorageControl {
    endpoint: String,
    inside: Arc<Inside>,
    accepting: AbortHandle,
}

struct Inside {
    objects: Objects,
    state: Mutex<State>,
}

struct State {
    /// The most objects in a page, whatever the client asks for.
    page_size: usize,
    /// Whether an empty page comes before each other one.
    empty_pages: bool,
    /// Whether deletes are conditional, as they should be.
    ignores_generations: bool,
    /// The state behind each page token: the name that was reached, and whether its empty page was sent.
    tokens: HashMap<String, (Option<String>, bool)>,
    /// The number of listing calls to answer, and the error of how many after them.
    fault: Option<(usize, Code, usize)>,
    /// The number of deletes to do and answer with an error.
    to_lose: usize,
    lost: usize,
    faults_hit: usize,
    lists: usize,
}

impl StorageControl {
    /// Starts a server over the objects of a fake Cloud Storage.
    pub async fn over(gcs: &FakeGcs) -> Self {
        Self::serve(Objects::Fake {
            endpoint: gcs.endpoint().to_owned(),
            client: Box::new(Client::new()),
        })
        .await
    }

    /// Starts a server of these objects, by bucket.
    pub async fn with(buckets: BTreeMap<String, Vec<Object>>) -> Self {
        let by_name = |objects: Vec<Object>| {
            let named = objects
                .into_iter()
                .map(|object| (object.name.clone(), object));
            named.collect()
        };
        let buckets = buckets.into_iter();
        let buckets = buckets.map(|(bucket, objects)| (bucket, by_name(objects)));
        Self::serve(Objects::Memory(Mutex::new(buckets.collect()))).await
    }

    async fn serve(objects: Objects) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("the loopback interface has a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let inside = Arc::new(Inside {
            objects,
            state: Mutex::new(State {
                page_size: 1000,
                empty_pages: false,
                ignores_generations: false,
                tokens: HashMap::new(),
                fault: None,
                to_lose: 0,
                lost: 0,
                faults_hit: 0,
                lists: 0,
            }),
        });
        // The connections end with the test's runtime, or when the client lets go of them.
        let serving = Server::builder()
            .add_service(StorageServer::from_arc(Arc::clone(&inside)))
            .serve_with_incoming(TcpIncoming::from(listener));
        let accepting = tokio::spawn(serving).abort_handle();
        Self {
            endpoint: format!("http://{address}"),
            inside,
            accepting,
        }
    }

    /// `http://127.0.0.1:PORT`, what `STORAGE_CONTROL_ENDPOINT` takes.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Limits the objects in a page.
    pub fn page_size(&self, objects: usize) {
        self.inside.state().page_size = objects;
    }

    /// Puts an empty page before each other one, as Cloud Storage may.
    pub fn empty_pages(&self) {
        self.inside.state().empty_pages = true;
    }

    /// Ignores the generation of deletes, as no sound server does.
    pub fn ignore_generations(&self) {
        self.inside.state().ignores_generations = true;
    }

    /// Answers some listing calls, and then fails so many.
    pub fn fail_lists(&self, answered: usize, code: Code, times: usize) {
        self.inside.state().fault = Some((answered, code, times));
    }

    /// Does the next deletes, and answers so many of them with an error.
    pub fn lose_answers_to_deletes(&self, times: usize) {
        self.inside.state().to_lose = times;
    }

    pub fn answers_lost(&self) -> usize {
        self.inside.state().lost
    }

    pub fn faults_hit(&self) -> usize {
        self.inside.state().faults_hit
    }

    pub fn lists(&self) -> usize {
        self.inside.state().lists
    }
}

impl Drop for StorageControl {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Inside {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no test panics while it holds the server's state")
    }
}

#[tonic::async_trait]
impl Storage for Inside {
    async fn list_objects(
        &self,
        request: Request<ListObjectsRequest>,
    ) -> Result<Response<ListObjectsResponse>, Status> {
        let request = request.into_inner();
        let bucket = bucket_of(&request.parent)?;
        let (page_size, empty_pages, token) = {
            let mut state = self.state();
            state.lists += 1;
            state.meet_fault()?;
            let token = match request.page_token.as_str() {
                "" => (None, false),
                token => {
                    let given = state.tokens.get(token).cloned();
                    given.ok_or_else(|| Status::invalid_argument("a token that was never given"))?
                }
            };
            (state.page_size, state.empty_pages, token)
        };
        let (reached, empty_page_is_over) = token;
        if empty_pages && !empty_page_is_over {
            return Ok(Response::new(ListObjectsResponse {
                next_page_token: self.state().token(reached, true),
                ..ListObjectsResponse::default()
            }));
        }
        let asked = usize::try_from(request.page_size).unwrap_or_default();
        let count = page_size.min(if asked == 0 { 1000 } else { asked });
        let start = match &reached {
            Some(name) => Bound::Excluded(name.as_str()),
            None => Bound::Included(request.lexicographic_start.as_str()),
        };
        let mut objects = self
            .objects
            .from(bucket, &request.prefix, start, count + 1)
            .await
            .ok_or_else(|| Status::not_found("no such bucket"))?;
        let more = objects.len() > count;
        objects.truncate(count);
        let last = objects.last().map(|object| object.name.clone());
        let next_page_token = if more {
            self.state().token(last, false)
        } else {
            String::new()
        };
        if let Some(mask) = &request.read_mask {
            objects = objects
                .into_iter()
                .map(|object| object.masked(mask))
                .collect();
        }
        Ok(Response::new(ListObjectsResponse {
            objects,
            next_page_token,
            ..ListObjectsResponse::default()
        }))
    }

    async fn delete_object(
        &self,
        request: Request<DeleteObjectRequest>,
    ) -> Result<Response<()>, Status> {
        let request = request.into_inner();
        let bucket = bucket_of(&request.bucket)?;
        let _alone = DELETING.write().await;
        let live = self.objects.generation(bucket, &request.object).await;
        let live = live.ok_or_else(|| Status::not_found("no such object"))?;
        let wanted = request.if_generation_match.unwrap_or(live);
        if wanted != live && !self.state().ignores_generations {
            let words = "conditionNotMet: at least one of the pre-conditions did not hold";
            return Err(Status::failed_precondition(words));
        }
        self.objects.delete(bucket, &request.object).await;
        let mut state = self.state();
        if state.to_lose > 0 {
            state.to_lose -= 1;
            state.lost += 1;
            return Err(Status::unavailable("the answer is lost"));
        }
        Ok(Response::new(()))
    }
}

impl State {
    /// A new opaque page token.
    fn token(&mut self, reached: Option<String>, empty_page_is_over: bool) -> String {
        let token = format!("opaque/{:08x}==", self.tokens.len() * 0x9e37 + 0x51);
        self.tokens
            .insert(token.clone(), (reached, empty_page_is_over));
        token
    }

    fn meet_fault(&mut self) -> Result<(), Status> {
        match &mut self.fault {
            Some((0, code, times)) if *times > 0 => {
                *times -= 1;
                self.faults_hit += 1;
                Err(Status::new(*code, "injected"))
            }
            Some((answered, _, _)) => {
                *answered = answered.saturating_sub(1);
                Ok(())
            }
            None => Ok(()),
        }
    }
}

fn bucket_of(path: &str) -> Result<&str, Status> {
    let bucket = path.strip_prefix("projects/_/buckets/");
    bucket.ok_or_else(|| Status::invalid_argument(format!("{path} is no bucket's path")))
}
