//! The document says what there is.

use std::collections::BTreeSet;

use super::*;

#[test]
fn every_route_is_in_the_document_once_and_every_reference_leads_somewhere() {
    let routes = super::super::routes();
    let document = document(&routes);
    let mut ids = BTreeSet::new();
    for route in &routes {
        let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
        assert_eq!(operation["summary"], route.summary, "{} {}", route.method, route.path);
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()));
    }
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"").skip(1) {
        let (reference, _) = reference.split_once('"').unwrap();
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}
