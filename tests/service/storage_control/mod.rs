//! The two calls that Google's client makes over gRPC, listing and deleting, as a server: with opaque page tokens, pages
//! of any length, empty ones in between, and errors when a test wants them.

mod grpc;
mod messages;
mod objects;

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};

use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use self::grpc::{Code, Failed};
use self::messages::{DeleteObjectRequest, ListObjectsRequest, ListObjectsResponse};
use self::objects::Objects;
use crate::fake_gcs::FakeGcs;
use crate::http::Client;

pub use self::grpc::Code as Status;
pub use self::messages::Object;

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
    /// What the tokens that were given out stand for: the name that was reached, and whether the empty page is over.
    tokens: HashMap<String, (Option<String>, bool)>,
    /// Calls of listing that are answered, then failed.
    fault: Option<(usize, Code, usize)>,
    faults_hit: usize,
    lists: usize,
}

impl StorageControl {
    /// Starts a server over the objects of a fake Cloud Storage.
    pub async fn over(gcs: &FakeGcs) -> Self {
        Self::serve(Objects::Fake {
            endpoint: gcs.endpoint().to_owned(),
            client: Client::new(),
        })
        .await
    }

    /// Starts a server over these objects, by bucket.
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
                faults_hit: 0,
                lists: 0,
            }),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&inside))).abort_handle();
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

    /// Gives no more objects in a page.
    pub fn page_size(&self, objects: usize) {
        self.inside.state().page_size = objects;
    }

    /// Puts an empty page before each other one, as Cloud Storage may.
    pub fn empty_pages(&self) {
        self.inside.state().empty_pages = true;
    }

    /// Deletes whatever the generation is, as no sound server does.
    pub fn ignore_generations(&self) {
        self.inside.state().ignores_generations = true;
    }

    /// Answers some calls of listing, then fails so many.
    pub fn fail_lists(&self, answered: usize, code: Code, times: usize) {
        self.inside.state().fault = Some((answered, code, times));
    }

    /// How many calls of listing were failed.
    pub fn faults_hit(&self) -> usize {
        self.inside.state().faults_hit
    }

    /// How many calls of listing came.
    pub fn lists(&self) -> usize {
        self.inside.state().lists
    }
}

impl Drop for StorageControl {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, inside: Arc<Inside>) {
    while let Ok((stream, _)) = listener.accept().await {
        let inside = Arc::clone(&inside);
        let service = hyper::service::service_fn(move |request| {
            let inside = Arc::clone(&inside);
            grpc::answer(request, async move |path, message| {
                inside.call(&path, &message).await
            })
        });
        let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(stream), service);
        // The connections end with the test's runtime, or when the client lets go of them.
        tokio::spawn(connection);
    }
}

impl Inside {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no test panics while it holds the server's state")
    }

    async fn call(&self, path: &str, message: &[u8]) -> Result<Vec<u8>, Failed> {
        match path {
            "/google.storage.v2.Storage/ListObjects" => {
                let listed = self.list(grpc::decode(message)?).await?;
                Ok(listed.encode_to_vec())
            }
            "/google.storage.v2.Storage/DeleteObject" => {
                self.delete(grpc::decode(message)?).await?;
                // The answer is google.protobuf.Empty.
                Ok(Vec::new())
            }
            other => Err(Failed(Code::Unimplemented, other.to_owned())),
        }
    }

    async fn list(&self, request: ListObjectsRequest) -> Result<ListObjectsResponse, Failed> {
        let bucket = bucket_of(&request.parent)?;
        let (page_size, empty_pages, token) = {
            let mut state = self.state();
            state.lists += 1;
            state.meet_fault()?;
            let token = match request.page_token.as_str() {
                "" => (None, false),
                token => state.tokens.get(token).cloned().ok_or_else(|| {
                    Failed(
                        Code::InvalidArgument,
                        "a token that was never given".to_owned(),
                    )
                })?,
            };
            (state.page_size, state.empty_pages, token)
        };
        let (reached, empty_page_is_over) = token;
        if empty_pages && !empty_page_is_over {
            return Ok(ListObjectsResponse {
                objects: Vec::new(),
                next_page_token: self.state().token(reached, true),
            });
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
            .ok_or_else(|| Failed(Code::NotFound, "no such bucket".to_owned()))?;
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
        Ok(ListObjectsResponse {
            objects,
            next_page_token,
        })
    }

    async fn delete(&self, request: DeleteObjectRequest) -> Result<(), Failed> {
        let bucket = bucket_of(&request.bucket)?;
        let live = self.objects.generation(bucket, &request.object).await;
        let live = live.ok_or_else(|| Failed(Code::NotFound, "no such object".to_owned()))?;
        let wanted = request.if_generation_match.unwrap_or(live);
        if wanted != live && !self.state().ignores_generations {
            let words = "conditionNotMet: at least one of the pre-conditions did not hold";
            return Err(Failed(Code::FailedPrecondition, words.to_owned()));
        }
        self.objects.delete(bucket, &request.object).await;
        Ok(())
    }
}

impl State {
    /// A token that tells the client nothing.
    fn token(&mut self, reached: Option<String>, empty_page_is_over: bool) -> String {
        let token = format!("opaque/{:08x}==", self.tokens.len() * 0x9e37 + 0x51);
        self.tokens
            .insert(token.clone(), (reached, empty_page_is_over));
        token
    }

    fn meet_fault(&mut self) -> Result<(), Failed> {
        match &mut self.fault {
            Some((0, code, times)) if *times > 0 => {
                *times -= 1;
                self.faults_hit += 1;
                Err(Failed(*code, "injected".to_owned()))
            }
            Some((answered, _, _)) => {
                *answered = answered.saturating_sub(1);
                Ok(())
            }
            None => Ok(()),
        }
    }
}

fn bucket_of(path: &str) -> Result<&str, Failed> {
    let bucket = path.strip_prefix("projects/_/buckets/");
    bucket.ok_or_else(|| Failed(Code::InvalidArgument, format!("{path} is no bucket's path")))
}
