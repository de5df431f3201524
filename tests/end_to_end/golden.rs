//! `camtlc compare` from a `.cam` file to its exit code, on numbers of the authors' code.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Place, text};

/// With `CAMTL_GOLDEN` naming the folder that holds `tiny-base` and `tiny-large`:
///
/// ```console
/// $ CAMTL_GOLDEN=DIR cargo test --test end_to_end -- --ignored golden
/// ```
#[test]
#[ignore = "needs the authors' numbers: CAMTL_GOLDEN"]
fn the_authors_numbers_agree() {
    let golden = std::env::var_os("CAMTL_GOLDEN").expect("CAMTL_GOLDEN names the folder of the numbers");
    let golden = PathBuf::from(golden);
    let place = Place::new();
    for name in ["base", "large"] {
        let model = models().join(format!("tiny_{name}.cam"));
        agrees(&place, &model, &golden.join(format!("tiny-{name}")));
    }
}

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference")
}

/// Every tensor is within 1e-5, also as JSON; with a formula that is off, or another model, the exit code is 1.
fn agrees(place: &Place, model: &Path, golden: &Path) {
    let (model, folder) = (model.to_str().unwrap(), golden.to_str().unwrap());
    let table = place.succeed(&["compare", model, "--golden", folder]);
    let (_, last) = table.trim_end().rsplit_once('\n').unwrap();
    let (found, all) = last.split_once(" of ").unwrap();
    let (all, rest) = all.split_once(' ').unwrap();
    assert_eq!((found, rest), (all, "within 1e-5"), "{table}");
    let count: usize = all.parse().unwrap();
    assert!(count > 100 && !table.contains("<--"), "{table}");

    let json = place.succeed(&["compare", model, "--golden", folder, "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    let tensors = json["tensors"].as_array().unwrap();
    assert!(json["passed"] == true && tensors.len() == count, "{json}");
    let of = |sort: &str| tensors.iter().filter(|tensor| tensor["sort"] == sort).count();
    assert!(
        ["activation", "logits", "entropy", "loss", "gradient"].iter().all(|sort| of(sort) > 0),
        "{json}"
    );

    let stricter = place.camtlc(&["compare", model, "--golden", folder, "--tolerance", "1e-12"]);
    assert_eq!(stricter.status.code(), Some(1));
    assert!(text(&stricter.stdout).contains("<-- exceeds the tolerance"), "{}", text(&stricter.stdout));
    assert!(text(&stricter.stderr).contains("are not within 1e-12"), "{}", text(&stricter.stderr));

    // parameters and gradients of another step
    let other = place.path("other");
    fs::create_dir_all(&other).unwrap();
    for entry in fs::read_dir(golden).unwrap() {
        let from = entry.unwrap().path();
        fs::copy(&from, other.join(from.file_name().unwrap())).unwrap();
    }
    fs::copy(golden.join("traj.safetensors"), other.join("params.safetensors")).unwrap();
    let moved = place.camtlc(&["compare", model, "--golden", "other", "--json"]);
    assert_eq!(moved.status.code(), Some(1));
    let json: Value = serde_json::from_slice(&moved.stdout).unwrap();
    assert_eq!(json["passed"], false);
    fs::remove_dir_all(other).unwrap();
    assert_eq!(json["tolerance"], 1e-5);
}
