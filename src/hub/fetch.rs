//! From an id to a folder with the checkpoint's files.

use std::fs;
use std::path::{Path, PathBuf};

use hf_hub::repository::{RepoTreeEntry, RepoTypeModel};
use hf_hub::{HFClientBuilder, HFClientSync, HFRepositorySync};

use super::error::HubError;
use super::id::Id;
use super::progress::Bar;

/// What a model is made from; a checkpoint has some of the tokenizer's.
const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
const TOKENIZERS: [&str; 3] = ["tokenizer.json", "vocab.txt", "vocab.json"];
const BESIDE: [&str; 2] = ["tokenizer_config.json", "merges.txt"];

/// Where from and where to.
#[derive(Clone, Debug)]
pub struct Hub {
    pub endpoint: String,
    /// For checkpoints that are not public; `None`: the client looks where the Python library keeps it.
    pub token: Option<String>,
    /// With a folder a repository: `models--owner--name`.
    pub cache: PathBuf,
    /// Nothing may be fetched.
    pub offline: bool,
}

impl Hub {
    /// As the environment says.
    pub fn from_environment() -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let yes = |value: String| matches!(value.to_lowercase().as_str(), "1" | "true" | "yes" | "on");
        Self {
            endpoint: variable("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".to_owned()),
            token: variable("HF_TOKEN"),
            cache: hf_hub::resolve_cache_dir(),
            offline: variable("HF_HUB_OFFLINE").is_some_and(yes),
        }
    }

    /// The folder of a repository, as the Python library names it.
    fn folder(&self, id: &Id) -> PathBuf {
        self.cache.join(format!("models--{}", id.repository().replace('/', "--")))
    }

    /// What is in the cache of an id, if it is whole.
    pub fn cached(&self, id: &Id) -> Option<PathBuf> {
        let folder = self.folder(id);
        let commit = match id.is_commit() {
            true => id.revision().to_owned(),
            false => fs::read_to_string(folder.join("refs").join(id.revision())).ok()?.trim().to_owned(),
        };
        let snapshot = folder.join("snapshots").join(commit);
        missing(|file| snapshot.join(file).is_file()).is_none().then_some(snapshot)
    }
}

/// The folder with the files of a checkpoint, from the cache or from the hub. `say` is told before anything long.
///
/// A commit that is in the cache is not asked for again. A branch is: it may have moved. Where the hub cannot be
/// reached, what the cache has of it is used, and `say` is told.
///
/// # Errors
/// [`HubError`]. Nothing incomplete is left where it could be used.
pub fn fetch(id: &Id, hub: &Hub, say: &dyn Fn(&str)) -> Result<PathBuf, HubError> {
    let cached = hub.cached(id);
    if let Some(folder) = cached.clone().filter(|_| hub.offline || id.is_commit()) {
        return Ok(folder);
    }
    if hub.offline {
        return Err(HubError::Offline { id: id.clone(), cache: hub.cache.clone() });
    }
    match (from_hub(id, hub, say), cached) {
        (Err(error), Some(folder)) if error.is_connection() => {
            say(&format!("{} cannot be reached: `{id}` is taken from the cache", hub.endpoint));
            Ok(folder)
        }
        (fetched, _) => fetched,
    }
}

fn from_hub(id: &Id, hub: &Hub, say: &dyn Fn(&str)) -> Result<PathBuf, HubError> {
    let failed = |cause| HubError::of(id, &hub.endpoint, cause);
    let builder = HFClientBuilder::new().endpoint(&hub.endpoint).cache_dir(&hub.cache);
    let builder = match &hub.token {
        Some(token) => builder.token(token),
        None => builder,
    };
    let client: HFClientSync = builder.build_sync().map_err(failed)?;
    let repository: HFRepositorySync<RepoTypeModel> = client.model(&id.owner, &id.name);

    let tree = repository.list_tree().revision(id.revision()).recursive(false).send().map_err(failed)?;
    let files: Vec<(String, u64)> = tree.into_iter().filter_map(wanted).collect();
    if let Some(missing) = missing(|file| files.iter().any(|(name, _)| name == file)) {
        return Err(HubError::NoFile { id: id.clone(), missing });
    }
    let here = hub.cached(id).is_some();
    let bytes: u64 = files.iter().map(|(_, size)| size).sum();
    if !here {
        say(&format!("fetching {id} from {}, {} MB", hub.endpoint, bytes.div_ceil(1_000_000)));
    }
    let names = files.iter().map(|(name, _)| name.clone()).collect();
    let snapshot = repository
        .snapshot_download()
        .revision(id.revision())
        .allow_patterns(names)
        .progress(Bar::new(bytes))
        .send()
        .map_err(failed)?;
    // The client takes the end of a stream for the end of a file, and does not look whether all of it came.
    let sizes = files.iter().map(|(file, wanted)| {
        let found = fs::metadata(snapshot.join(file)).map_or(0, |file| file.len());
        (file, found, *wanted)
    });
    let broken: Vec<_> = sizes.filter(|(_, found, wanted)| found != wanted).collect();
    for (file, ..) in &broken {
        remove(&snapshot.join(file));
    }
    match broken.first() {
        Some(&(file, found, wanted)) => {
            Err(HubError::Partial { id: id.clone(), file: file.clone(), found, wanted })
        }
        None => Ok(snapshot),
    }
}

/// Name and size of a file that a model is made from.
fn wanted(entry: RepoTreeEntry) -> Option<(String, u64)> {
    let RepoTreeEntry::File { path, size, .. } = entry else { return None };
    let all = [CONFIG, WEIGHTS].into_iter().chain(TOKENIZERS).chain(BESIDE);
    all.into_iter().any(|file| file == path).then_some((path, size))
}

/// What a checkpoint lacks that no model can do without.
fn missing(has: impl Fn(&str) -> bool) -> Option<&'static str> {
    match () {
        () if !has(CONFIG) => Some(CONFIG),
        () if !has(WEIGHTS) => Some(WEIGHTS),
        () if !TOKENIZERS.into_iter().any(&has) => Some("tokenizer.json, vocab.txt or vocab.json"),
        () => None,
    }
}

/// A file of a snapshot, with the content that it links to.
fn remove(file: &Path) {
    if let Ok(content) = file.canonicalize() {
        // the error to report is that the file came incomplete
        let _ = fs::remove_file(content);
    }
    let _ = fs::remove_file(file);
}
