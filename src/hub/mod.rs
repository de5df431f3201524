//! Checkpoints from a hub: a model names one by its id, and its files are fetched into the cache that Hugging Face's
//! Python library uses, so that both share them.
//!
//! | file | holds |
//! |---|---|
//! | `id` | `owner/name@revision`, and whether a name is one |
//! | `fetch` | what is in the cache, and what has to be fetched |
//! | `progress` | what a person sees meanwhile |
//! | `error` | what can be wrong |
//!
//! The environment decides where to and where from, as it does for the Python library:
//!
//! | variable | what |
//! |---|---|
//! | `HF_HUB_CACHE`, else `HF_HOME` with `/hub`, else `~/.cache/huggingface/hub` | the cache |
//! | `HF_TOKEN`, else the file `token` of `HF_HOME` | for checkpoints that are not public |
//! | `HF_ENDPOINT` | another hub than `https://huggingface.co` |
//! | `HF_HUB_OFFLINE=1` | nothing is fetched: what is not in the cache is an error |

mod error;
mod fetch;
mod id;
mod progress;

pub use error::HubError;
pub use fetch::{Hub, fetch};
pub use id::Id;
