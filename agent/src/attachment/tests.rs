//! What attached files become.

use super::*;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";

struct Scene {
    folder: tempfile::TempDir,
    home: Home,
    thread: ThreadId,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["work", "elsewhere"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let home = Home::new(folder.path().join("home"));
        Self {
            folder,
            home,
            thread: ThreadId::from("t1"),
        }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    }

    async fn take(&self, paths: &[String]) -> Vec<(Attachment, Vec<Content>)> {
        take(&self.home, &self.thread, &self.folder.path().join("work"), paths)
            .await
            .unwrap()
    }

    fn kept(&self, name: &str) -> String {
        self.home.attachments().join("t1").join(name).display().to_string()
    }
}

fn text(content: &[Content]) -> &str {
    match content {
        [Content::Text { text }, ..] => text,
        _ => panic!("no text comes first: {content:?}"),
    }
}

#[tokio::test]
async fn files_are_what_their_content_says() {
    let scene = Scene::new();
    for (name, bytes, media_type, delivery) in [
        ("a.png", PNG, "image/png", Delivery::Image),
        ("photo.txt", PNG, "image/png", Delivery::Image),
        ("a.txt", b"hello".as_slice(), "text/plain", Delivery::Inline),
        ("a.md", "# 费用".as_bytes(), "text/markdown", Delivery::Inline),
        ("a.csv", b"a,b", "text/csv", Delivery::Inline),
        ("a.json", b"{}", "application/json", Delivery::Inline),
        ("Makefile", b"all:", "text/plain", Delivery::Inline),
        ("fake.png", b"no image", "text/plain", Delivery::Inline),
        ("empty", b"", "text/plain", Delivery::Inline),
        ("a.bin", b"a\0b", "application/octet-stream", Delivery::Path),
        ("latin.txt", b"caf\xe9 au lait", "text/plain", Delivery::Path),
        (
            "a.docx",
            b"PK\x03\x04\0\0\0\0",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Delivery::Path,
        ),
        ("a.pdf", b"%PDF-1.7\n\0", "application/pdf", Delivery::Path),
    ] {
        let path = scene.file(name, bytes);
        let found = check(vec![path.clone()]).await.unwrap().remove(0);
        let want = Attachment {
            name: name.into(),
            path,
            media_type: media_type.into(),
            size: bytes.len() as u64,
            delivery,
        };
        assert_eq!(found, want);
    }
}

#[tokio::test]
async fn files_from_elsewhere_are_copied_and_those_at_hand_are_not() {
    let scene = Scene::new();
    let far = scene.file("elsewhere/data.bin", b"\0far");
    let near = scene.file("work/data.bin", b"\0near");
    let folder = scene.folder.path().join("elsewhere").display().to_string();
    let taken = scene.take(&[far.clone(), near.clone(), folder.clone()]).await;
    assert_eq!(
        taken.iter().map(|it| it.0.path.as_str()).collect::<Vec<_>>(),
        [scene.kept("data.bin"), near, folder.clone()]
    );
    assert_eq!(std::fs::read(scene.kept("data.bin")).unwrap(), b"\0far");
    assert!(
        text(&taken[0].1).contains(&scene.kept("data.bin")),
        "the model is told the copy's path"
    );
    assert_eq!(text(&taken[2].1), format!("Attached folder elsewhere: {folder}"));
    assert_eq!(taken[2].0.media_type, "inode/directory");
    assert_eq!(std::fs::read(far).unwrap(), b"\0far", "the original stays");
}

#[tokio::test]
async fn files_of_one_name_do_not_replace_each_other() {
    let scene = Scene::new();
    let one = scene.file("elsewhere/a.bin", b"\x001");
    std::fs::create_dir(scene.folder.path().join("more")).unwrap();
    let other = scene.file("more/a.bin", b"\x002");
    let taken = scene.take(&[one.clone(), other, one]).await;
    let paths: Vec<&str> = taken.iter().map(|it| it.0.path.as_str()).collect();
    assert_eq!(
        paths,
        [scene.kept("a.bin"), scene.kept("a (2).bin"), scene.kept("a (3).bin")]
    );
    assert_eq!(std::fs::read(scene.kept("a (2).bin")).unwrap(), b"\x002");
    assert_eq!(taken[1].0.name, "a.bin", "the person knows it by its name");
    assert_eq!(
        std::fs::read_dir(scene.home.attachments().join("t1")).unwrap().count(),
        3,
        "no part of a copy stays"
    );
}

#[tokio::test]
async fn images_are_kept_even_from_the_threads_folder() {
    let scene = Scene::new();
    let near = scene.file("work/a.png", PNG);
    let (attachment, content) = scene.take(std::slice::from_ref(&near)).await.remove(0);
    assert_eq!(attachment.path, near);
    let image = Content::Image {
        path: scene.kept("a.png"),
        media_type: "image/png".into(),
    };
    assert_eq!(content[1..], [image]);
}

#[tokio::test]
async fn text_is_inline_within_a_budget() {
    let scene = Scene::new();
    let small = scene.file("work/s.txt", "费".repeat(100).as_bytes());
    let (attachment, content) = scene.take(&[small]).await.remove(0);
    assert_eq!(attachment.delivery, Delivery::Inline);
    assert!(text(&content).ends_with(&format!("<attachment>\n{}\n</attachment>", "费".repeat(100))));
    let large = scene.file("work/l.txt", &vec![b'x'; 32 * 1024 + 1]);
    let full: Vec<String> = (0..4)
        .map(|it| scene.file(&format!("work/{it}.txt"), &vec![b'x'; 32 * 1024]))
        .collect();
    let taken = scene.take(&[vec![large], full].concat()).await;
    let deliveries: Vec<Delivery> = taken.iter().map(|it| it.0.delivery).collect();
    use Delivery::{Inline, Path};
    assert_eq!(deliveries, [Path, Inline, Inline, Inline, Path]);
    assert!(text(&taken[4].1).len() < 1000);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_of_two_gigabytes_is_looked_at_and_not_read() {
    let scene = Scene::new();
    let path = scene.file("work/huge.log", b"line\n");
    std::fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(2 << 30)
        .unwrap();
    let (attachment, content) = scene.take(&[path]).await.remove(0);
    assert_eq!((attachment.delivery, attachment.size), (Delivery::Path, 2 << 30));
    assert!(text(&content).contains("huge.log"));
}

#[tokio::test]
async fn large_images_go_by_path() {
    let scene = Scene::new();
    let path = scene.file("work/a.png", PNG);
    std::fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(IMAGE + 1)
        .unwrap();
    assert_eq!(check(vec![path]).await.unwrap()[0].delivery, Delivery::Path);
}

#[tokio::test]
async fn what_cannot_be_attached_is_named() {
    let scene = Scene::new();
    let gone = scene.folder.path().join("gone.txt").display().to_string();
    let failure = check(vec![gone.clone()]).await.unwrap_err();
    assert_eq!(failure.code, Code::NotFound);
    assert!(failure.message.contains(&gone));
    assert_eq!(
        check(vec!["a.txt".into()]).await.unwrap_err().code,
        Code::InvalidRequest
    );
    #[cfg(unix)]
    assert_eq!(
        check(vec!["/dev/null".into()]).await.unwrap_err().code,
        Code::InvalidRequest
    );
}

#[tokio::test]
async fn pasted_content_is_a_file_that_is_not_copied_again() {
    let scene = Scene::new();
    let pasted = paste(&scene.home, "屏幕截图 1.png", PNG.to_vec()).await.unwrap();
    assert_eq!(
        (pasted.name.as_str(), pasted.delivery),
        ("屏幕截图 1.png", Delivery::Image)
    );
    let taken = scene.take(std::slice::from_ref(&pasted.path)).await;
    assert_eq!(taken[0].0, pasted);
    let image = Content::Image {
        path: pasted.path.clone(),
        media_type: "image/png".into(),
    };
    assert_eq!(taken[0].1[1..], [image]);
    for (name, want) in [
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("", "attachment"),
        ("a/b\\c:d\n.txt", "a_b_c_d_.txt"),
        (" x. ", "x"),
        ("..", "attachment"),
    ] {
        assert_eq!(
            paste(&scene.home, name, b"x".to_vec()).await.unwrap().name,
            want,
            "{name:?}"
        );
    }
    let long = paste(&scene.home, &format!("{}.txt", "费".repeat(200)), b"x".to_vec())
        .await
        .unwrap();
    assert!(
        long.name.len() <= NAME && long.name.ends_with("费.txt"),
        "{}",
        long.name
    );
}
