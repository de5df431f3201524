//! The id of a checkpoint on a hub.

use std::fmt;

/// `owner/name` or `name`, pinned with `@` and a branch, a tag or a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Id {
    /// Empty for the few checkpoints that have none, such as `bert-base-cased`.
    pub owner: String,
    pub name: String,
    /// `None` for the newest of the main branch.
    pub revision: Option<String>,
}

impl Id {
    /// `None` where the text cannot be an id, as a path cannot that begins with a dot or has more parts.
    pub fn parse(text: &str) -> Option<Self> {
        let (path, revision) = match text.split_once('@') {
            Some((path, revision)) => (path, Some(revision)),
            None => (text, None),
        };
        let (owner, name) = match path.split_once('/') {
            Some((owner, name)) if is_name(owner) => (owner, name),
            Some(_) => return None,
            None => ("", path),
        };
        // a revision may be a branch with slashes, but never leads out of a folder
        let part = |part: &str| is_name(part) && part != "..";
        if !is_name(name) || !revision.is_none_or(|revision| revision.split('/').all(part)) {
            return None;
        }
        Some(Self { owner: owner.to_owned(), name: name.to_owned(), revision: revision.map(str::to_owned) })
    }

    /// Without the revision.
    pub fn repository(&self) -> String {
        match self.owner.as_str() {
            "" => self.name.clone(),
            owner => format!("{owner}/{}", self.name),
        }
    }

    pub fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or("main")
    }

    /// A commit names its content for ever; a branch or a tag may move.
    pub fn is_commit(&self) -> bool {
        self.revision
            .as_ref()
            .is_some_and(|text| text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit()))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.repository())?;
        self.revision.as_ref().map_or(Ok(()), |revision| write!(f, "@{revision}"))
    }
}

fn is_name(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !text.is_empty() && !text.starts_with('.') && text.chars().all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_a_name_and_perhaps_an_owner_and_a_revision() {
        let id = Id::parse("sentence-transformers/all-MiniLM-L6-v2@v1.0/x").unwrap();
        assert_eq!((id.owner.as_str(), id.name.as_str()), ("sentence-transformers", "all-MiniLM-L6-v2"));
        assert_eq!((id.revision(), id.is_commit()), ("v1.0/x", false));
        assert_eq!(id.to_string(), "sentence-transformers/all-MiniLM-L6-v2@v1.0/x");
        let id = Id::parse("bert-base-cased").unwrap();
        assert_eq!((id.repository().as_str(), id.revision()), ("bert-base-cased", "main"));
        assert!(Id::parse(&format!("a@{}", "0123456789abcdef0123456789ABCDEF01234567")).unwrap().is_commit());
    }

    #[test]
    fn a_path_is_no_id() {
        for path in
            ["", "./bert", "../bert", "/models/bert", "a/b/c", "a/", "a b", "a@", "a@../b", "a@b@c", "~/x"]
        {
            assert_eq!(Id::parse(path), None, "{path}");
        }
    }
}
