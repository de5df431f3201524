//! `include`: the tasks of other files in the place of the item that includes them.
//!
//! An included file holds tasks, and may include others below its own folder. Nothing else may stand in it: a
//! model is read in one file.

use std::collections::{HashMap, HashSet};

use miette::Diagnostic;
use thiserror::Error;

use super::files::Files;
use crate::{
    diagnostics::Diagnostics,
    span::{Source, Sources, Span},
    syntax::{self, ast},
};

/// More are a mistake, or an attack.
const MOST: usize = 100;

/// A model read from all its files.
#[derive(Debug)]
pub struct Whole {
    pub sources: Sources,
    /// One text that says the same without `include`.
    pub text: String,
    /// Its tree without `include`; the spans are of `sources`.
    pub file: ast::File,
}

pub fn include_files(source: &Source, files: &dyn Files, sink: &mut Diagnostics) -> Whole {
    let (mut tree, mistakes) = syntax::parse_at(source, 0);
    sink.append(mistakes);
    let (folder, own) = split(&source.name);
    let mut includer = Includer {
        files,
        sources: Sources::of(source.clone()),
        place: folder.to_owned(),
        known: HashMap::new(),
        replaced: Vec::new(),
        open: vec![own.to_owned()],
        broken: Vec::new(),
    };
    let items = std::mem::take(&mut tree.items);
    tree.items = includer.resolve(items, "", &mut Scope::new(), sink);
    tree.broken.append(&mut includer.broken);
    let text = includer.in_one(&source.text, 0);
    if text.len() > syntax::LONGEST && source.text.len() <= syntax::LONGEST {
        let why = format!("with all that it includes it has more than {} bytes", syntax::LONGEST);
        sink.push(Unreadable { path: source.name.clone(), why, span: Span::new(0, 0) });
    }
    Whole { sources: includer.sources, text, file: tree }
}

struct Includer<'a> {
    files: &'a dyn Files,
    sources: Sources,
    /// The model's folder, as messages name it.
    place: String,
    /// Each file that has been read, by its path.
    known: HashMap<String, Included>,
    /// Each `include` that was followed, and the path it led to.
    replaced: Vec<(Span, String)>,
    /// The files that are being read, each included by the one before.
    open: Vec<String>,
    /// Keywords of what could not be read in any of the files.
    broken: Vec<String>,
}

/// The files that the model, or one variant, includes, and where: each once, however deep.
type Scope = HashMap<String, Span>;

/// What a file brings.
#[derive(Clone)]
struct Included {
    tasks: Vec<ast::Item>,
    /// Its text without `include`.
    text: String,
    /// The paths of what it includes, however deep.
    below: Vec<String>,
}

impl Includer<'_> {
    /// The items of a file or of a variant; `folder` is the file's, below the model's.
    fn resolve(
        &mut self,
        items: Vec<ast::Item>,
        folder: &str,
        scope: &mut Scope,
        sink: &mut Diagnostics,
    ) -> Vec<ast::Item> {
        let mut resolved = Vec::with_capacity(items.len());
        for item in items {
            match item {
                ast::Item::Include(include) => {
                    let Some(path) = join(folder, &include.path.text) else {
                        sink.push(Outside { path: include.path.text, span: include.path.span });
                        self.broken.push("tasks".to_owned());
                        continue;
                    };
                    let is_open = self.open.contains(&path);
                    match scope.get(&path) {
                        Some(first) if !is_open => {
                            sink.push(Repeated { path, first: *first, again: include.span });
                        }
                        _ => {
                            scope.insert(path.clone(), include.span);
                            resolved.extend(self.include(&path, &include, scope, sink));
                            self.replaced.push((include.span, path));
                        }
                    }
                }
                ast::Item::Variant(mut variant) => {
                    variant.items = self.resolve(variant.items, folder, &mut Scope::new(), sink);
                    resolved.push(ast::Item::Variant(variant));
                }
                item => resolved.push(item),
            }
        }
        resolved
    }

    /// What a file brings; nothing where a mistake was reported.
    fn include(
        &mut self,
        path: &str,
        include: &ast::Include,
        scope: &mut Scope,
        sink: &mut Diagnostics,
    ) -> Vec<ast::Item> {
        if let Some(included) = self.known.get(path) {
            if let Some((path, first)) = included.below.iter().find_map(|path| Some((path, scope.get(path)?)))
            {
                sink.push(Repeated { path: path.clone(), first: *first, again: include.span });
                return Vec::new();
            }
            scope.extend(included.below.iter().map(|path| (path.clone(), include.span)));
            return included.tasks.clone();
        }
        let before: HashSet<String> = scope.keys().cloned().collect();
        let span = include.path.span;
        if let Some(at) = self.open.iter().position(|open| open == path) {
            let chain = self.open[at..].iter().map(|open| format!("`{open}`"));
            let chain: Vec<String> = chain.chain([format!("`{path}`")]).collect();
            sink.push(Cycle { path: path.to_owned(), chain: chain.join(" includes "), span });
            self.broken.push("tasks".to_owned());
            return Vec::new();
        }
        let text = match self.sources.iter().count() {
            MOST.. => Err(format!("a model is at most {MOST} files")),
            _ => self.files.read(path),
        };
        let text = match text {
            Ok(text) => text,
            Err(why) => {
                sink.push(Unreadable { path: self.shown(path), why, span });
                self.broken.push("tasks".to_owned());
                return Vec::new();
            }
        };
        let source = Source::new(self.shown(path), text);
        let base = self.sources.add(source.clone());
        let (tree, mistakes) = syntax::parse_at(&source, base);
        let found = sink.len();
        sink.append(mistakes);
        self.broken.extend(tree.broken);

        self.open.push(path.to_owned());
        let (folder, _) = split(path);
        let items = self.resolve(tree.items, folder, scope, sink);
        self.open.pop();

        let (tasks, others): (Vec<_>, Vec<_>) =
            items.into_iter().partition(|item| matches!(item, ast::Item::Tasks(_)));
        for item in &others {
            sink.push(OtherItem {
                keyword: item.keyword(),
                item: item.keyword_span(),
                include: include.span,
            });
        }
        if tasks.is_empty() && sink.len() == found {
            sink.push(Unused { path: path.to_owned(), span: include.span });
        }
        let text = self.in_one(&source.text, base);
        let below = scope.keys().filter(|path| !before.contains(*path)).cloned().collect();
        self.known.insert(path.to_owned(), Included { tasks: tasks.clone(), text, below });
        tasks
    }

    /// A text with each of its `include`s replaced; `base` is its first offset.
    fn in_one(&self, text: &str, base: usize) -> String {
        let mut whole = String::with_capacity(text.len());
        let mut at = 0;
        for (span, path) in &self.replaced {
            let is_here = span.start >= base && span.end <= base + text.len();
            if let (true, Some(included)) = (is_here, self.known.get(path)) {
                whole.push_str(&text[at..span.start - base]);
                // The last line may be a comment, which would swallow what follows.
                whole.push_str(&format!("// {path}\n{}\n", included.text.trim()));
                at = span.end - base;
            }
        }
        whole + &text[at..]
    }

    /// As a message names it: from where the model's own path starts.
    fn shown(&self, path: &str) -> String {
        if self.place.is_empty() { path.to_owned() } else { format!("{}/{path}", self.place) }
    }
}

/// Folder and name, at the last `/`.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// A path below `folder`; `None` for one that leaves it.
fn join(folder: &str, path: &str) -> Option<String> {
    let mut names: Vec<&str> = folder.split('/').filter(|name| !name.is_empty()).collect();
    if path.starts_with('/') || path.contains(['\\', ':', '\0']) {
        return None;
    }
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => return None,
            name => names.push(name),
        }
    }
    let path = names.join("/");
    (!path.is_empty()).then_some(path)
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{path}` cannot be read with its includes: {why}")]
#[diagnostic(code(cam::include::file), help("the path starts at the folder of the file that includes"))]
struct Unreadable {
    path: String,
    why: String,
    #[label("this file")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{path}` could lead out of the folder of the file that includes it")]
#[diagnostic(
    code(cam::include::outside),
    help("a path goes down from that folder, as in \"tasks/glue.cam\", so that a model moves as a whole")
)]
struct Outside {
    path: String,
    #[label("not below the folder")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{path}` includes itself")]
#[diagnostic(code(cam::include::cycle), help("{chain}"))]
struct Cycle {
    path: String,
    chain: String,
    #[label("is being read already")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{path}` is included twice")]
#[diagnostic(code(cam::include::repeated), help("one of the two has to go"))]
struct Repeated {
    path: String,
    #[label("first here")]
    first: Span,
    #[label(primary, "and again here")]
    again: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("an included file holds tasks, and no `{keyword}`")]
#[diagnostic(code(cam::include::item), help("it belongs into the model's own file"))]
struct OtherItem {
    keyword: &'static str,
    #[label(primary, "no task")]
    item: Span,
    #[label("included here")]
    include: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{path}` brings no task")]
#[diagnostic(
    code(cam::include::unused),
    severity(Warning),
    help("without it the model is the same; did it lose its `tasks {{ .. }}`?")
)]
struct Unused {
    path: String,
    #[label("brings nothing")]
    span: Span,
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn paths_stay_below_their_folder() {
        assert_eq!(join("", "tasks/glue.cam").as_deref(), Some("tasks/glue.cam"));
        assert_eq!(join("tasks", "./more//x.cam").as_deref(), Some("tasks/more/x.cam"));
        for path in ["/etc/passwd", "../x.cam", "a/../../x", "a\\b", "C:x", ".", ""] {
            assert_eq!(join("tasks/deep", path).filter(|joined| !joined.starts_with("tasks/deep")), None);
        }
        assert_eq!(join("", "../x.cam"), None);
        assert_eq!(join("tasks", "a/../b.cam"), None);
    }
}
