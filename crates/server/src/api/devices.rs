//! A person's own devices.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use protocol::id::DeviceId;
use protocol::workspace::people::{Device, Listed, NewDevice};

use crate::app::App;
use crate::gate::Caller;
use crate::gate::body::{Json, Path};
use crate::problem::{Answer, Refusal};
use crate::route::{Access, Route};

const DEVICES: &str = "/api/v1/devices";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            Method::POST,
            DEVICES,
            Access::Person,
            "Makes one's device known, or its new name.",
            register,
        )
        .takes::<NewDevice>()
        .gives::<Device>(),
        Route::new(Method::GET, DEVICES, Access::Person, "One's own devices.", list).gives::<Listed<Device>>(),
        Route::new(
            Method::DELETE,
            "/api/v1/devices/{device}",
            Access::Person,
            "Ends what one of one's own devices may do.",
            revoke,
        ),
    ]
}

async fn register(State(app): State<App>, caller: Caller, Json(new): Json<NewDevice>) -> Answer<Json<Device>> {
    let plain = |text: &str, most: usize| text.chars().count() <= most && !text.chars().any(char::is_control);
    if new.name.trim().is_empty() || !plain(&new.name, 100) || !plain(&new.platform, 40) {
        return Err(Refusal::invalid(
            "A device's name has 1 to 100 characters, its platform up to 40.",
        ));
    }
    let fits = |id: &DeviceId| {
        (1..=64).contains(&id.0.len()) && id.0.bytes().all(|it| it.is_ascii_alphanumeric() || b"_-".contains(&it))
    };
    if !new.id.as_ref().is_none_or(fits) {
        return Err(Refusal::invalid("A device's id is 1 to 64 letters, digits, _ or -."));
    }
    let device = app
        .store
        .register_device(&caller.user, &new, app.clock.now_ms())
        .await?;
    Ok(Json(device.ok_or_else(|| {
        Refusal::conflict("This id is taken or revoked, or you have too many devices.")
    })?))
}

async fn list(State(app): State<App>, caller: Caller) -> Answer<Json<Listed<Device>>> {
    let items = app.store.devices(&caller.user).await?;
    Ok(Json(Listed { items, next: None }))
}

async fn revoke(State(app): State<App>, caller: Caller, Path(id): Path<DeviceId>) -> Answer<StatusCode> {
    let now = app.clock.now_ms();
    let mut tx = app.store.begin().await?;
    if !app.store.revoke_device(&mut tx, &caller.user, &id, now).await? {
        return Err(Refusal::not_found());
    }
    let entry = caller.entry(now, "device.revoked", format!("device/{id}"));
    app.store.audit(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
