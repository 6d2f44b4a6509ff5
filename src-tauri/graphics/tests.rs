use super::*;

#[test]
fn only_what_goes_wrong_is_worked_around() {
    let names = |graphics| variables(graphics).iter().map(|it| it.0).collect::<Vec<_>>();
    assert_eq!(names(Graphics::Other), [""; 0]);
    assert_eq!(names(Graphics::None), ["WEBKIT_DISABLE_COMPOSITING_MODE"]);
    assert_eq!(
        names(Graphics::Nvidia { wayland: true }),
        ["__NV_DISABLE_EXPLICIT_SYNC"]
    );
    assert_eq!(
        names(Graphics::Nvidia { wayland: false }),
        ["__NV_DISABLE_EXPLICIT_SYNC", "WEBKIT_DISABLE_DMABUF_RENDERER"]
    );
}
