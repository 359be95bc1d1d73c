//! Tells the crate what it is built from.

fn main() {
    in9_identity::emit();
}
