use camtl::{analysis, diagnostics::Style, fmt, span::Source};
use std::{
    fs,
    path::{Path, PathBuf},
};

fn cams(dir: &str) -> Vec<PathBuf> {
    let mut v: Vec<_> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(dir))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    v.sort();
    v
}
#[test]
fn smoke() {
    for p in cams("models").into_iter().chain(cams("tests/ok")).chain(cams("tests/err")) {
        let s = Source::new(p.file_name().unwrap().to_str().unwrap(), fs::read_to_string(&p).unwrap());
        match analysis::compile(&s) {
            Ok((_, w)) => println!("{}", w.render(&s, Style::Plain)),
            Err(e) => println!("{}", e.render(&s, Style::Plain)),
        }
        if let Ok(f) = fmt::format(&s) {
            println!("{f}");
            let again = fmt::format(&Source::new("x", f.clone())).unwrap();
            if again != f {
                println!("DIFFERS\n{again}");
            }
        }
    }
}
