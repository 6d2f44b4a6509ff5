use super::*;

#[test]
fn checklist_resources_sockets_are_counted_by_address_and_by_person() {
    let sockets = Sockets::new(1, 2);
    let here = IpAddr::from([127, 0, 0, 1]);
    let there = IpAddr::from([127, 0, 0, 2]);
    let first = sockets.knock(here);
    assert!(first.is_some() && sockets.knock(here).is_none() && sockets.knock(there).is_some());
    drop(first);
    assert!(sockets.knock(here).is_some());
    let ada: UserId = "ada".into();
    let seats = [sockets.sit(&ada), sockets.sit(&ada)];
    assert!(seats.iter().all(Option::is_some) && sockets.sit(&ada).is_none());
    drop(seats);
    assert!(sockets.people.now.lock().unwrap().is_empty());
    assert!(sockets.sit(&ada).is_some());
}
