//! The networks of these tests are what camtlc makes of the `.cam` files beside them.
//!
//! `CAMTL_WRITE=1 cargo test --test reference lowered` writes them anew.

use std::path::Path;

use camtl::codegen::{self, Options, Runtime};
use camtl::disk::Folder;
use camtl::{analysis, span::Source};

#[test]
fn the_networks_are_what_camtlc_makes_of_the_models() {
    for name in ["tiny_base", "tiny_large", "small_base", "small_large"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference");
        let path = folder.join(format!("{name}.cam"));
        let text = std::fs::read_to_string(&path).expect("the model is there");
        let compiled = analysis::compile_model(&Source::new(name, text), &Folder::of(&path));
        let compiled = compiled.expect("the model is legal");
        let options = Options { runtime: Runtime::Path("runtime".into()), portable: true, cuda: false };
        let lowered = codegen::lower(&compiled.program, &compiled.text, &options);
        for file in ["network.rs", "tasks.rs"] {
            let wanted = lowered.files.iter().find(|lowered| lowered.path == format!("src/{file}"));
            let wanted = &wanted.expect("every crate has it").text;
            let path = folder.join(name).join(file);
            if std::env::var_os("CAMTL_WRITE").is_some() {
                std::fs::write(&path, wanted).expect("written");
            }
            let found = std::fs::read_to_string(&path).expect("the lowered file is there");
            assert_eq!(&found, wanted, "{name}/{file} is not what camtlc makes of {name}.cam");
        }
    }
}
