//! The vocabulary keeps its promises.

use std::path::Path;

#[test]
fn protocol_ts_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/protocol.ts");
    let fresh = protocol::typescript::protocol_ts();
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    if stored != fresh {
        std::fs::write(&path, &fresh).expect("ui/src is writable");
        panic!("ui/src/protocol.ts was stale; it is written anew, commit it");
    }
}
