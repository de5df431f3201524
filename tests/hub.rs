//! Fetching a checkpoint, from a hub made here: a server on this machine that knows one repository.
#![cfg(feature = "hub")]

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use camtl::hub::{Hub, HubError, Id, fetch};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const WEIGHTS: &str = "the weights";

/// What the server does to be a bad one.
#[derive(Clone, Copy, Default)]
struct Manners {
    /// Closes the connection after so many bytes of a file, having announced all of them.
    cut: Option<usize>,
    /// Sends so many bytes of a file, and announces these.
    short: Option<usize>,
    /// Answers files with this error.
    fails: bool,
    /// Asks for this token.
    token: Option<&'static str>,
}

struct Server {
    endpoint: String,
    manners: Arc<Mutex<Manners>>,
    /// Lines of requests.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(files: &[(&'static str, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let files: HashMap<&str, &str> = files.iter().copied().collect();
        let (manners, asked) = (Arc::<Mutex<Manners>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (own, log) = (Arc::clone(&manners), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (files, manners, log) = (files.clone(), *own.lock().unwrap(), Arc::clone(&log));
                std::thread::spawn(move || answer(stream, &files, manners, &log));
            }
        });
        Self { endpoint, manners, asked }
    }

    fn whole() -> Self {
        let readme = ("README.md", "not needed");
        let pickle = ("pytorch_model.bin", "not needed either");
        Self::new(&[
            ("config.json", "{}"),
            ("model.safetensors", WEIGHTS),
            ("vocab.txt", "[PAD]"),
            readme,
            pickle,
        ])
    }

    fn hub(&self, cache: &Path) -> Hub {
        Hub {
            endpoint: self.endpoint.clone(),
            token: Some("secret".to_owned()),
            cache: cache.to_owned(),
            offline: false,
        }
    }

    /// How many files were asked for in whole.
    fn files_given(&self) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|line| line.starts_with("GET /owner/bert/resolve/")).count()
    }
}

/// Status, headers, announced length, body.
type Send<'a> = &'a mut dyn FnMut(&str, &str, usize, &[u8]);

fn answer(mut stream: TcpStream, files: &HashMap<&str, &str>, manners: Manners, log: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
    let Some(Ok(request)) = lines.next() else { return };
    let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    log.lock().unwrap().push(request.clone());
    let mut words = request.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = target.split('?').next().unwrap_or_default();
    let authorized = manners.token.is_none_or(|token| {
        head.iter().any(|line| line.to_lowercase() == format!("authorization: bearer {token}"))
    });
    let mut send = |status: &str, headers: &str, announced: usize, body: &[u8]| {
        let head =
            format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {announced}\r\n{headers}\r\n");
        // a client that has gone has what it wanted
        let _ = stream.write_all(head.as_bytes());
        if method == "GET" {
            let _ = stream.write_all(body);
        }
    };
    let json = |body: &str, send: Send<'_>| {
        send("200 OK", "content-type: application/json\r\n", body.len(), body.as_bytes());
    };
    let known = ["main", "v1", COMMIT];
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match segments.as_slice() {
        _ if !authorized => send("401 Unauthorized", "", 0, b""),
        ["api", "models", "owner", "bert", "revision", revision] if known.contains(revision) => {
            json(&format!("{{\"sha\":\"{COMMIT}\"}}"), &mut send);
        }
        ["api", "models", "owner", "bert", "tree", revision] if known.contains(revision) => {
            let entry = |(path, text): (&&str, &&str)| {
                let size = text.len();
                format!("{{\"type\":\"file\",\"oid\":\"{}\",\"size\":{size},\"path\":\"{path}\"}}", oid(path))
            };
            json(&format!("[{}]", files.iter().map(entry).collect::<Vec<_>>().join(",")), &mut send);
        }
        ["api", "models", "owner", "bert", ..] => {
            send("404 Not Found", "x-error-code: RevisionNotFound\r\n", 0, b"")
        }
        ["owner", "bert", "resolve", _, file] if files.contains_key(file) => {
            let (text, headers) =
                (files[file], format!("etag: \"{}\"\r\nx-repo-commit: {COMMIT}\r\n", oid(file)));
            match manners {
                Manners { fails: true, .. } => send("403 Forbidden", "", 0, b""),
                Manners { cut: Some(bytes), .. } => {
                    send("200 OK", &headers, text.len(), &text.as_bytes()[..bytes.min(text.len())]);
                }
                Manners { short: Some(bytes), .. } if method == "GET" => {
                    let body = &text.as_bytes()[..bytes.min(text.len())];
                    send("200 OK", &headers, body.len(), body);
                }
                _ => send("200 OK", &headers, text.len(), text.as_bytes()),
            }
        }
        _ => send("404 Not Found", "x-error-code: RepoNotFound\r\n", 0, b""),
    }
}

/// A name for a file's content, as the hub gives.
fn oid(file: &str) -> String {
    let add = |sum: u64, byte: u8| sum.wrapping_mul(31).wrapping_add(u64::from(byte));
    format!("{:040x}", file.bytes().fold(7, add))
}

fn id(text: &str) -> Id {
    Id::parse(text).expect("an id")
}

fn quietly(id: &Id, hub: &Hub) -> Result<std::path::PathBuf, HubError> {
    fetch(id, hub, &|_| {})
}

#[test]
fn the_files_come_into_the_cache_of_the_python_library_and_stay_there() {
    let (server, cache) = (Server::whole(), tempfile::tempdir().expect("a folder"));
    let hub = server.hub(cache.path());
    let said = Mutex::new(Vec::new());
    let folder = fetch(&id("owner/bert"), &hub, &|text| said.lock().unwrap().push(text.to_owned())).unwrap();
    assert_eq!(*said.lock().unwrap(), [format!("fetching owner/bert from {}, 1 MB", server.endpoint)]);

    let repository = cache.path().join("models--owner--bert");
    assert_eq!(folder, repository.join("snapshots").join(COMMIT));
    assert_eq!(fs::read_to_string(folder.join("model.safetensors")).unwrap(), WEIGHTS);
    assert_eq!(fs::read_to_string(repository.join("blobs").join(oid("model.safetensors"))).unwrap(), WEIGHTS);
    assert_eq!(fs::read_to_string(repository.join("refs/main")).unwrap().trim(), COMMIT);
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["config.json", "model.safetensors", "vocab.txt"], "only what a model is made from");

    assert_eq!(server.files_given(), 3);
    assert_eq!(quietly(&id("owner/bert"), &hub).unwrap(), folder);
    assert_eq!(server.files_given(), 3, "nothing comes twice");
}

#[test]
fn a_pinned_commit_is_not_asked_for_again_and_offline_takes_what_is_there() {
    let (server, cache) = (Server::whole(), tempfile::tempdir().expect("a folder"));
    let hub = server.hub(cache.path());
    let offline = Hub { offline: true, ..hub.clone() };
    let pinned = id(&format!("owner/bert@{COMMIT}"));
    let error = quietly(&pinned, &offline).unwrap_err();
    assert!(matches!(error, HubError::Offline { .. }), "{error}");
    assert_eq!(server.asked.lock().unwrap().len(), 0);

    let folder = quietly(&pinned, &hub).unwrap();
    let asked = server.asked.lock().unwrap().len();
    assert_eq!(quietly(&pinned, &hub).unwrap(), folder);
    assert_eq!(quietly(&pinned, &offline).unwrap(), folder);
    assert_eq!(server.asked.lock().unwrap().len(), asked);

    assert_eq!(quietly(&id("owner/bert@v1"), &hub).unwrap(), folder);
    assert_eq!(quietly(&id("owner/bert@v1"), &offline).unwrap(), folder);
    assert!(matches!(quietly(&id("owner/bert@v9"), &hub), Err(HubError::NoRevision { .. })));
    assert!(matches!(
        quietly(&id("owner/none"), &hub),
        Err(HubError::NoRepository { .. } | HubError::NoRevision { .. })
    ));
}

#[test]
fn a_hub_that_cannot_be_reached_leaves_what_the_cache_has() {
    let (server, cache) = (Server::whole(), tempfile::tempdir().expect("a folder"));
    let folder = quietly(&id("owner/bert"), &server.hub(cache.path())).unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gone = Hub { endpoint: format!("http://{free}"), ..server.hub(cache.path()) };
    let said = Mutex::new(Vec::new());
    assert_eq!(
        fetch(&id("owner/bert"), &gone, &|text| said.lock().unwrap().push(text.to_owned())).unwrap(),
        folder
    );
    assert!(said.lock().unwrap()[0].contains("cannot be reached"), "{said:?}");
    let error = quietly(&id("owner/other"), &gone).unwrap_err();
    assert!(matches!(error, HubError::Failed { .. }), "{error}");
}

#[test]
fn a_download_that_breaks_off_is_an_error_and_leaves_no_half_file_in_use() {
    let bad = [
        Manners { cut: Some(4), ..Manners::default() },
        Manners { short: Some(4), ..Manners::default() },
        Manners { fails: true, ..Manners::default() },
    ];
    for (i, manners) in bad.into_iter().enumerate() {
        let (server, cache) = (Server::whole(), tempfile::tempdir().expect("a folder"));
        let hub = server.hub(cache.path());
        *server.manners.lock().unwrap() = manners;
        let error = quietly(&id("owner/bert"), &hub).unwrap_err();
        assert!(miette::Diagnostic::help(&error).is_some(), "{error}");
        if i == 1 {
            assert!(error.to_string().contains("came incomplete: 4 of "), "{error}");
        }
        assert_eq!(hub.cached(&id("owner/bert")), None, "manners {i}");
        let snapshot = cache.path().join("models--owner--bert/snapshots").join(COMMIT);
        let weights = fs::read_to_string(snapshot.join("model.safetensors"));
        assert!(weights.is_err(), "manners {i}: {weights:?}");

        *server.manners.lock().unwrap() = Manners::default();
        let folder = quietly(&id("owner/bert"), &hub).unwrap();
        assert_eq!(fs::read_to_string(folder.join("model.safetensors")).unwrap(), WEIGHTS, "manners {i}");
    }
}

#[test]
fn a_token_is_shown_and_a_wrong_one_refused() {
    let (server, cache) = (Server::whole(), tempfile::tempdir().expect("a folder"));
    server.manners.lock().unwrap().token = Some("secret");
    let hub = server.hub(cache.path());
    let wrong = Hub { token: Some("wrong".to_owned()), ..hub.clone() };
    let error = quietly(&id("owner/bert"), &wrong).unwrap_err();
    assert!(matches!(error, HubError::Refused { .. }), "{error}");
    assert!(!error.to_string().contains("wrong"), "a token is in no message: {error}");
    quietly(&id("owner/bert"), &hub).unwrap();
}

#[test]
fn a_checkpoint_in_another_format_is_refused_before_anything_is_fetched() {
    let server =
        Server::new(&[("config.json", "{}"), ("pytorch_model.bin", "pickled"), ("vocab.txt", "[PAD]")]);
    let cache = tempfile::tempdir().expect("a folder");
    let error = quietly(&id("owner/bert"), &server.hub(cache.path())).unwrap_err();
    assert_eq!(error.to_string(), "`owner/bert` has no model.safetensors");
    assert_eq!(server.files_given(), 0);
}
