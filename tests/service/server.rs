//! A server in a child process: started, waited for, and killed with the test.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use tokio::sync::oneshot;

use crate::http::PATIENCE;

/// A running server; dropping it kills and reaps the process, also when the test panics.
pub struct Server(Child);

impl Server {
    /// Starts `command` on a free port, and returns once it prints `ready` on its standard error.
    ///
    /// Another process may take the port first, so a server that ends before it is ready is started again on another
    /// port.
    pub async fn start(command: impl Fn(u16) -> Command, ready: &'static str) -> (Self, u16) {
        let mut said = String::new();
        for _ in 0..5 {
            let port = free_port();
            match Self::start_on(command(port), ready).await {
                Ok(server) => return (server, port),
                Err(output) => said = output,
            }
        }
        panic!("the server ended before it was ready; it said:\n{said}");
    }

    async fn start_on(mut command: Command, ready: &'static str) -> Result<Self, String> {
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program} can't be started: {error}"));
        let output = child.stderr.take().expect("standard error is a pipe");
        // Dropping this ends the child, on every path.
        let server = Self(child);
        let (tell, told) = oneshot::channel();
        std::thread::spawn(move || read_until_closed(output, ready, tell));
        match tokio::time::timeout(PATIENCE, told).await {
            Ok(Ok(Ok(()))) => Ok(server),
            Ok(Ok(Err(output))) => Err(output),
            Ok(Err(_)) | Err(_) => panic!("{program} never said {ready:?}"),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only for a process that has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port of 127.0.0.1 that nothing listens on.
fn free_port() -> u16 {
    let listener =
        TcpListener::bind("127.0.0.1:0").expect("the loopback interface has a free port");
    listener
        .local_addr()
        .expect("a bound socket has an address")
        .port()
}

/// Sends when `ready` is printed, or else all output; then drains the pipe, as a full one would block the server.
fn read_until_closed(
    output: impl std::io::Read,
    ready: &str,
    tell: oneshot::Sender<Result<(), String>>,
) {
    let mut tell = Some(tell);
    let mut said = String::new();
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        if tell.is_none() {
            continue;
        }
        said.push_str(&line);
        said.push('\n');
        if line.contains(ready)
            && let Some(tell) = tell.take()
        {
            let _ = tell.send(Ok(()));
        }
    }
    if let Some(tell) = tell {
        let _ = tell.send(Err(said));
    }
}
