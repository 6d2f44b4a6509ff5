//! One prompt on its way: placing the request, reading the answer, and trying again.

use futures::StreamExt;
use futures::stream::BoxStream;
use protocol::setting::Model;

use crate::error::{Class, Error};
use crate::http::Http;
use crate::prompt::{Piece, Prompt};
use crate::provider::Connection;

pub(crate) fn stream(_: Http, connection: Connection, _: Prompt) -> BoxStream<'static, Result<Piece, Error>> {
    futures::stream::iter([Err(Error::new(Class::Client, &connection.name))]).boxed()
}

pub(crate) async fn models(_: &Http, connection: &Connection) -> Result<Vec<Model>, Error> {
    Err(Error::new(Class::Client, &connection.name))
}
