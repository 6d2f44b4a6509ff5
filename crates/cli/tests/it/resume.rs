//! Going on with a thread.

use testkit::Step;

use crate::run::*;

#[tokio::test]
async fn a_thread_goes_on_by_id_by_title_and_as_the_last_one() {
    let steps = ["one", "two", "three", "four"].map(Step::say);
    let place = Place::new(steps).await;
    let first = place.run(&["exec", "--json", "remember me"]).await;
    let thread = first.thread();

    let by_id = place
        .piped(&["exec", "--experimental-json", "resume", &thread], "second")
        .await;
    assert_eq!(by_id.thread(), thread);
    assert_eq!(
        place.lines(&by_id),
        [thread_started(), turn_started(), message(0, "two"), turn_completed(1)]
    );
    let last = place.run(&["exec", "resume", "--last", "third"]).await;
    assert_eq!((last.code, last.stdout.as_str()), (Some(0), "three\n"), "{last:?}");
    let by_title = place.run(&["exec", "resume", "remember me", "fourth"]).await;
    assert_eq!(
        (by_title.code, by_title.stdout.as_str()),
        (Some(0), "four\n"),
        "{by_title:?}"
    );

    let requests = place.server.requests();
    let context = requests[3].body.to_string();
    for part in ["remember me", "one", "second", "two", "third", "three", "fourth"] {
        assert!(context.contains(part), "{part}: {context}");
    }
}

#[tokio::test]
async fn the_last_thread_of_another_folder_needs_all() {
    let place = Place::new([Step::say("one"), Step::say("two")]).await;
    let first = place.run(&["exec", "--json", "hi"]).await;
    assert_eq!(first.code, Some(0), "{first:?}");
    let other = place
        .home
        .file("other/.git/x", "")
        .unwrap()
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned();
    let elsewhere = async |arguments: &[&str]| {
        let mut command = command(&place.home);
        let mut child = command.current_dir(&other).args(arguments).spawn().unwrap();
        drop(child.stdin.take());
        finish(child).await
    };
    let here = elsewhere(&["exec", "resume", "--last", "more"]).await;
    assert_eq!(here.code, Some(1), "{here:?}");
    assert!(here.stderr.contains("--all"), "{here:?}");
    let anywhere = elsewhere(&["exec", "--json", "resume", "--last", "--all", "more"]).await;
    assert_eq!(anywhere.thread(), first.thread(), "{anywhere:?}");

    let thread = first.thread();
    let moved = elsewhere(&["exec", "-C", ".", "resume", &thread, "more"]).await;
    assert_eq!(moved.code, Some(1), "{moved:?}");
    assert!(moved.stderr.contains("this thread works in"), "{moved:?}");
    assert_eq!(place.server.requests().len(), 2);
}
