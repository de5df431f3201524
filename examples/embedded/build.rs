//! Compiles the model; its mistakes are errors of the build.

fn main() {
    camtl::build::compile("../../models/quickstart.cam");
}
