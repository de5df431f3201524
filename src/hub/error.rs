//! Why a checkpoint could not be fetched.

use std::path::PathBuf;

use hf_hub::HFError;
use miette::Diagnostic;
use thiserror::Error;

use super::Id;

#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum HubError {
    #[error("`{id}` is not in the cache `{}`, and HF_HUB_OFFLINE forbids to fetch it", .cache.display())]
    #[diagnostic(
        code(hub::offline),
        help("unset HF_HUB_OFFLINE once to fetch it, or name a folder with the checkpoint: --backbone DIR")
    )]
    Offline { id: Id, cache: PathBuf },

    #[error("there is no checkpoint `{id}` on {endpoint}")]
    #[diagnostic(
        code(hub::missing),
        help(
            "an id is written OWNER/NAME; a folder of that name is not here either, and one that is private is hidden without HF_TOKEN"
        )
    )]
    NoRepository { id: Id, endpoint: String },

    #[error("`{}` has no revision `{}`", .id.repository(), .id.revision())]
    #[diagnostic(code(hub::revision), help("a revision is a branch, a tag or a whole commit of 40 digits"))]
    NoRevision { id: Id },

    #[error("{endpoint} does not give `{id}` away")]
    #[diagnostic(
        code(hub::token),
        help(
            "HF_TOKEN takes a token that may read it; for a gated checkpoint its conditions have to be accepted on the hub first"
        )
    )]
    Refused { id: Id, endpoint: String },

    #[error("`{id}` has no {missing}")]
    #[diagnostic(
        code(hub::files),
        help(
            "a checkpoint in another format can be saved anew with `model.save_pretrained(dir, safe_serialization=True)`, and named with --backbone DIR"
        )
    )]
    NoFile { id: Id, missing: &'static str },

    #[error("`{file}` of `{id}` came incomplete: {found} of {wanted} bytes")]
    #[diagnostic(code(hub::partial), help("nothing of it was kept; the next attempt fetches it anew"))]
    Partial { id: Id, file: String, found: u64, wanted: u64 },

    #[error("`{id}` could not be fetched from {endpoint}: {}", chain(.cause))]
    #[diagnostic(
        code(hub::fetch),
        help(
            "nothing incomplete was kept; without a connection, put the files into a folder and name it with --backbone DIR"
        )
    )]
    Failed { id: Id, endpoint: String, cause: Box<HFError> },
}

impl HubError {
    pub(super) fn of(id: &Id, endpoint: &str, cause: HFError) -> Self {
        let (id, endpoint) = (id.clone(), endpoint.to_owned());
        match cause {
            HFError::RepoNotFound { .. } => Self::NoRepository { id, endpoint },
            HFError::RevisionNotFound { .. } => Self::NoRevision { id },
            HFError::AuthRequired { .. } | HFError::Forbidden { .. } => Self::Refused { id, endpoint },
            // A listing's errors come as they are. The hub hides what is private: its status is that of a wrong token, and
            // only its own code tells of what there is not.
            HFError::Http { ref context } => match (context.error_code.as_deref(), context.status.as_u16()) {
                (Some("RevisionNotFound"), _) => Self::NoRevision { id },
                (Some("RepoNotFound"), _) | (None, 404) => Self::NoRepository { id, endpoint },
                (Some("GatedRepo"), _) | (_, 401 | 403) => Self::Refused { id, endpoint },
                _ => Self::Failed { id, endpoint, cause: Box::new(cause) },
            },
            cause => Self::Failed { id, endpoint, cause: Box::new(cause) },
        }
    }

    /// Was it the connection, so that an older state in the cache is better than nothing?
    pub(super) fn is_connection(&self) -> bool {
        matches!(self, Self::Failed { cause, .. } if matches!(**cause, HFError::Request { .. }))
    }
}

/// The cause and what caused it, which for a broken connection says most.
fn chain(error: &HFError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
