//! A program that can only be the sandbox stage: what the tests of the sandbox start. Not shipped.

fn main() {
    agent::sandbox::run_if_asked();
}
