//! `gcs-thumbnailer firebase`: this service's variables for a parameter file of Firebase's Resize Images extension.
//!
//! The extension is `storage-resize-images` (version 0.3.3, <https://github.com/firebase/extensions>); its
//! `extension.yaml` and `resize-image.ts` say what its parameters mean. Its successor, the function kit
//! `@firebase-function-kits/storage-resize-images`, has the same parameters in an `.env` file.

mod conversion;
mod outputs;
mod parameters;
mod paths;
mod remarks;
mod sharp;
mod variables;

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

pub use self::conversion::{Conversion, convert};
pub use self::parameters::{InvalidLine, Parameters};
pub use self::remarks::Remark;
pub use self::variables::{Format, Variables};

/// Prints the variables to standard output, and what has no counterpart to standard error.
///
/// # Errors
/// Every reason why there are none, in plain words.
pub fn run(file: &Path, format: Format) -> Result<(), Vec<String>> {
    let at_file = |fault: &dyn std::fmt::Display| vec![format!("{}: {fault}", file.display())];
    let text = fs::read_to_string(file).map_err(|fault| at_file(&fault))?;
    let parameters = Parameters::parse(&text).map_err(|fault| at_file(&fault))?;
    let Conversion { variables, remarks } = convert(&parameters)?;
    for remark in &remarks {
        eprintln!("{remark}");
    }
    let printed = variables.print(format);
    io::stdout()
        .write_all(printed.as_bytes())
        .map_err(|fault| vec![format!("can't print the variables: {fault}")])
}
