//! The command line as it is typed; every option is an environment variable too.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::{DEFAULT_EVENT_TIMEOUT, ReconcileArguments};
use crate::firebase::Format;
use crate::push_token::GOOGLE_KEYS;

/// Stores a PNG thumbnail of every picture that lands in a Cloud Storage bucket.
///
/// Without a subcommand it serves.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, max_term_width = 100)]
pub struct CommandLine {
    /// What to do; serve where none is named.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The options of serve.
    #[command(flatten)]
    pub serve: ServeArguments,
}

/// What the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve: answer pushed notifications at POST / with stored thumbnails, and GET /health.
    Serve(Box<ServeArguments>),
    /// Compare a bucket with its thumbnails, and make or announce those that are missing or stale.
    Reconcile(Box<ReconcileArguments>),
    /// Render local files with the service's own renderer.
    Thumb(ThumbArguments),
    /// Print this service's variables for a parameter file of Firebase's Resize Images extension, or of its function kit.
    Firebase(FirebaseArguments),
}

/// The options of `serve`, as text; [`ServeConfig::check`](super::ServeConfig::check) gives them meaning.
#[derive(Debug, Clone, Default, Args)]
pub struct ServeArguments {
    /// Port to listen on, at every address; 0 takes a free one.
    #[arg(long, env = "PORT", default_value = "8080")]
    pub(super) port: String,
    /// Bucket that thumbnails are stored in (required).
    #[arg(long, env = "TARGET_BUCKET")]
    pub(super) target_bucket: Option<String>,
    /// Buckets that pictures are taken from, separated by commas; any where not set.
    #[arg(
        long,
        env = "SOURCE_BUCKETS",
        default_value = "",
        hide_default_value = true
    )]
    pub(super) source_buckets: String,
    /// Extensions and content types of pictures, separated by commas: jpg, image/webp, image/*. By default jpg,jpeg,png.
    ///
    /// JPEG and PNG are always read; WebP, GIF (the first frame), BMP and TIFF where an entry names them.
    #[arg(
        long,
        env = "SOURCE_TYPES",
        default_value = "",
        hide_default_value = true
    )]
    pub(super) source_types: String,
    /// Names of pictures, separated by commas or line breaks; any where not set. * stands for any characters within a
    /// folder, ** across folders, ? for one.
    #[arg(long, env = "INCLUDE", default_value = "", hide_default_value = true)]
    pub(super) include: String,
    /// Names that are left alone, written like INCLUDE.
    #[arg(long, env = "EXCLUDE", default_value = "", hide_default_value = true)]
    pub(super) exclude: String,
    /// An output of each picture, as NAME?PARAMETERS; in the variable several, separated by white space. By default
    /// thumbnails/{name}?size=128x128.
    ///
    /// The name's placeholders: {name} the whole name, {dir} up to the last slash, {stem} the file without its extension,
    /// {.ext} the extension, {.webp} the extension replaced. The parameters: size=WxH, Wx or xH; fit=inside or cover;
    /// format=png, jpeg, webp or source; quality=1 to 100; background=RRGGBB.
    #[arg(long = "rendition", env = "RENDITIONS", value_name = "RENDITION")]
    pub(super) renditions: Vec<String>,
    /// What thumbnails' names begin with: x/ is short for the rendition x/{name}?size=128x128&format=png.
    #[arg(long, env = "THUMBNAIL_PREFIX")]
    pub(super) thumbnail_prefix: Option<String>,
    /// Delete a thumbnail when its source is deleted: true or false. The notifications must cover `OBJECT_DELETE` and
    /// `OBJECT_ARCHIVE`.
    #[arg(long, env = "PROPAGATE_DELETES", default_value = "false")]
    pub(super) propagate_deletes: String,
    /// Cache-Control header of thumbnails, such as "public, max-age=86400".
    #[arg(long, env = "CACHE_CONTROL")]
    pub(super) cache_control: Option<String>,
    /// Give each output its source's custom metadata, Content-Language, and unless one is set here Cache-Control, as
    /// Firebase's Resize Images extension does: true or false.
    #[arg(long, env = "COPY_METADATA", default_value = "false")]
    pub(super) copy_metadata: String,
    /// Largest object that is downloaded, in bytes or with KiB, MiB or GiB.
    #[arg(long, env = "MAX_SOURCE_BYTES", default_value = "100MiB")]
    pub(super) max_source_bytes: String,
    /// Most pixels that a picture may have, from its header.
    #[arg(long, env = "MAX_SOURCE_PIXELS", default_value = "250000000")]
    pub(super) max_source_pixels: String,
    /// Working memory that pictures share, in bytes or with KiB, MiB or GiB; by default what the container's limit
    /// leaves.
    #[arg(long, env = "MEMORY_BUDGET")]
    pub(super) memory_budget: Option<String>,
    /// Longest that an event may take (such as 50s or 1500ms); keep it under the request timeout and the
    /// subscription's ack deadline.
    #[arg(long, env = "EVENT_TIMEOUT", default_value_t = humantime::format_duration(DEFAULT_EVENT_TIMEOUT).to_string())]
    pub(super) event_timeout: String,
    /// Local folder to use instead of Cloud Storage: buckets are its sub-folders.
    #[arg(long, env = "STORAGE_DIR")]
    pub(super) storage_dir: Option<String>,
    /// Address of a Cloud Storage emulator, called without credentials.
    #[arg(long, env = "STORAGE_EMULATOR_HOST")]
    pub(super) storage_emulator_host: Option<String>,
    /// Address of an emulator of listing and deleting, which speak gRPC.
    #[arg(long, env = "STORAGE_CONTROL_ENDPOINT", hide = true)]
    pub(super) storage_control_endpoint: Option<String>,
    /// Audience of the OIDC tokens that POST / demands; set it and `PUSH_SERVICE_ACCOUNT` only where no IAM checks the
    /// caller (Cloud Run's does).
    #[arg(long, env = "PUSH_AUDIENCE")]
    pub(super) push_audience: Option<String>,
    /// Service account whose OIDC tokens POST / demands, the one of the push subscription.
    #[arg(long, env = "PUSH_SERVICE_ACCOUNT")]
    pub(super) push_service_account: Option<String>,
    /// Set by tests.
    #[arg(long, env = "PUSH_KEYS_URL", hide = true, default_value = GOOGLE_KEYS)]
    pub(super) push_keys_url: String,
    /// Project that log lines' trace names are made with.
    #[arg(long, env = "GOOGLE_CLOUD_PROJECT")]
    pub(super) google_cloud_project: Option<String>,
    /// Log lines as json or as text; json where `K_SERVICE` is set, as on Cloud Run.
    #[arg(long, env = "LOG_FORMAT")]
    pub(super) log_format: Option<String>,
    /// Set by Cloud Run.
    #[arg(long, env = "K_SERVICE", hide = true)]
    pub(super) k_service: Option<String>,
}

/// The options of `thumb`.
#[derive(Debug, Args)]
pub struct ThumbArguments {
    /// Pictures to render.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Folder for the outputs; beside the picture where not set.
    #[arg(long, value_name = "DIR")]
    pub out_dir: Option<PathBuf>,
    /// An output of each picture, as NAME?PARAMETERS like serve's; by default one thumbnail, named like its picture with
    /// .png added.
    #[arg(long = "rendition", env = "RENDITIONS", value_name = "RENDITION")]
    pub renditions: Vec<String>,
    /// Content types and extensions like serve's; here only the formats that they name count, beside JPEG and PNG.
    #[arg(
        long,
        env = "SOURCE_TYPES",
        default_value = "",
        hide_default_value = true
    )]
    pub(super) source_types: String,
    /// Print one JSON object per file.
    #[arg(long)]
    pub json: bool,
}

/// The options of `firebase`.
#[derive(Debug, Args)]
pub struct FirebaseArguments {
    /// The extension's parameters (extensions/storage-resize-images.env), or the function kit's (.env).
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// How the variables are printed: env for a shell, tfvars for Terraform.
    #[arg(long, value_enum, default_value_t = Format::Env)]
    pub format: Format,
}
